package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
)

// showPlan shows what is sent when, and to how many people.
func (h planning) showPlan(ctx context.Context, req *request, args targetArgs) (chat.Card, error) {
	r, err := h.target(ctx, req, args, isAny)
	if err != nil {
		return chat.Card{}, err
	}
	return h.planCard(ctx, req, r)
}

// planCard returns the schedule of a round in its time zone.
func (h planning) planCard(ctx context.Context, req *request, r survey.Round) (chat.Card, error) {
	counts, err := h.rounds.CountRecipients(
		ctx,
		r.ID,
		survey.ClosesSoon,
		survey.WorkshopSoon,
	)
	if err != nil {
		return chat.Card{}, err
	}
	now := h.Now()
	reminders, posts := h.Schedule.Reminders(r, nil, now), h.Schedule.Posts(r, now)
	return card.Plan(h.roundVoice(req, r), r, counts, reminders, posts, now), nil
}

// readDays reads a list of numbers and sorts it, largest first.
func readDays(e chat.Event, field string) ([]int, error) {
	var all []int
	separator := func(r rune) bool { return strings.ContainsRune(" ,;\n\t", r) }
	for _, w := range strings.FieldsFunc(e.Value(field), separator) {
		n, err := strconv.Atoi(w)
		if err != nil {
			//locale:says input.before_close.number input.before_workshop.number
			return nil, &survey.InputError{Field: field, Reason: "number"}
		}
		all = append(all, n)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	slices.Reverse(all)
	return all, nil
}

// unclosedRound returns a round for a coordinator's form, and ErrClosed for a closed one.
func (h planning) unclosedRound(
	ctx context.Context, req *request, args coordinatorArgs,
) (survey.Round, error) {
	r, err := h.rounds.Round(ctx, args.round)
	if err == nil && r.State == survey.Closed {
		err = survey.ErrClosed
	}
	return r, err
}

func (h planning) planForm(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Form, error) {
	r, err := h.unclosedRound(ctx, req, args)
	if err != nil {
		return chat.Form{}, err
	}
	return card.PlanForm(req.voice, r), nil
}

func (h planning) savePlan(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Card, error) {
	return h.changePlan(ctx, req, args, func(p *survey.ReminderPlan, _ *survey.ChannelPlan) error {
		hour, minute, ok := readClock(req.Value("hour"))
		if !ok {
			return &survey.InputError{Field: "hour", Reason: "unreadable"}
		}
		var err error
		if p.BeforeClose, err = readDays(req.Event, "before_close"); err != nil {
			return err
		}
		if p.BeforeWorkshop, err = readDays(req.Event, "before_workshop"); err != nil {
			return err
		}
		p.Hour, p.Minute, p.Cron = hour, minute, strings.Join(
			strings.Fields(req.Value("spec")),
			" ",
		)
		return nil
	})
}

// changePlan applies a valid change to the plan, and shows it.
func (h planning) changePlan(
	ctx context.Context,
	req *request,
	args coordinatorArgs,
	edit func(*survey.ReminderPlan, *survey.ChannelPlan) error,
) (chat.Card, error) {
	r, err := h.rounds.SetPlan(
		ctx,
		args.round,
		func(p *survey.ReminderPlan, c *survey.ChannelPlan) error {
			if err := edit(p, c); err != nil {
				return err
			}
			return h.Schedule.Check(*p, *c)
		},
	)
	if err != nil {
		return chat.Card{}, err
	}
	return h.planCard(ctx, req, r)
}

func (h planning) postsForm(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Form, error) {
	r, err := h.unclosedRound(ctx, req, args)
	if err != nil {
		return chat.Form{}, err
	}
	return card.PostsForm(req.voice, r), nil
}

func (h planning) savePosts(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Card, error) {
	return h.changePlan(ctx, req, args, func(_ *survey.ReminderPlan, c *survey.ChannelPlan) error {
		c.Disabled = nil
		for _, kind := range survey.OptionalPosts {
			if !slices.Contains(req.Values["posts"], string(kind)) {
				c.Disabled = append(c.Disabled, kind)
			}
		}
		hour, minute, ok := readClock(req.Value("digest_time"))
		if !ok {
			return &survey.InputError{Field: "digest_time", Reason: "unreadable"}
		}
		chosen := strings.Join(strings.Fields(req.Value("digest")), " ")
		c.Digest = card.ScheduleAt(chosen, hour, minute)
		return nil
	})
}

func (h planning) pause(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Card, error) {
	return h.setPaused(ctx, req, args, true)
}

func (h planning) unpause(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Card, error) {
	return h.setPaused(ctx, req, args, false)
}

func (h planning) setPaused(
	ctx context.Context, req *request, args coordinatorArgs, paused bool,
) (chat.Card, error) {
	r, err := h.rounds.SetPlan(
		ctx,
		args.round,
		func(p *survey.ReminderPlan, _ *survey.ChannelPlan) error {
			p.Paused = paused
			return nil
		},
	)
	if err != nil {
		return chat.Card{}, err
	}
	return h.planCard(ctx, req, r)
}
