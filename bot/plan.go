package bot

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
)

// maxMoments is how many reminders a card lists. The rest are counted.
const maxMoments = 8

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
	v, id, now := h.roundVoice(req, r), string(r.ID), h.Now()
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("reminders.title", "area", r.Area)},
		chat.Paragraph(planFacts(v, r.Reminders)),
	}
	list := func(title string, kind survey.MessageKind, all []survey.Moment) {
		spans, n := []chat.Span{chat.Bold(title)}, 0
		for _, m := range all {
			if m.Kind.Base() != kind {
				continue
			}
			if n++; n <= maxMoments {
				spans = append(spans, chat.Words("\n• "+v.Time(m.At.In(r.Location()))))
			}
		}
		switch {
		case n == 0:
			spans = append(spans, chat.Words("\n"+v.Say("reminders.none_ahead")))
		case n > maxMoments:
			spans = append(spans, chat.Words("\n"+v.Count("status.more", n-maxMoments)))
		}
		blocks = append(blocks, chat.Text{Spans: spans})
	}
	people := h.Schedule.Reminders(r, nil, now)
	if r.State != survey.Closed {
		list(v.Count("reminders.closes", counts[survey.ClosesSoon]), survey.ClosesSoon, people)
	}
	if !r.Workshop.At.IsZero() {
		list(
			v.Count("reminders.workshop", counts[survey.WorkshopSoon]),
			survey.WorkshopSoon,
			people,
		)
	}
	blocks = append(blocks,
		h.channelPosts(v, r, now),
		chat.Footnote(v.Say("reminders.how", "zone", r.TimeZone)),
	)
	var buttons []chat.Button
	if r.State != survey.Closed {
		pause := card.Button(v.Say("button.pause"), chat.NewAction("pause", id, v.Lang))
		if r.Reminders.Paused {
			pause = card.Button(v.Say("button.goon"), chat.NewAction("goon", id, v.Lang))
		}
		buttons = append(buttons,
			card.Button(v.Say("button.plan"), chat.NewAction("plan", id, v.Lang)),
			card.Button(v.Say("button.posts"), chat.NewAction("posts", id, v.Lang)),
			pause,
		)
	}
	if r.AcceptsAnswers(now) {
		buttons = append(buttons, remindButton(v, id))
	}
	if r.State == survey.Closed {
		buttons = append(buttons,
			card.Button(v.Say("button.workshop"), chat.NewAction("workshop", id, v.Lang)),
		)
	}
	return card.Of(
		append(blocks,
			card.Row(
				append(buttons,
					card.Button(v.Say("button.status"), chat.NewAction("status", id, v.Lang)),
				)...),
		)...), nil
}

// remindButton returns a button that asks for confirmation before everybody gets a message.
func remindButton(v locale.Voice, round string) chat.Button {
	remind := card.Button(v.Say("button.remind"), chat.NewAction("remind", round, v.Lang))
	remind.Confirm = &chat.Confirm{
		Title: v.Say("button.remind"),
		Text:  v.Say("remind.ask"),
		Yes:   v.Say("remind.yes"),
		No:    v.Say("remind.no"),
	}
	return remind
}

// comingPosts are the sentences that say when a post comes.
var comingPosts = map[survey.MessageKind]string{
	survey.Digest:      "posts.digest",
	survey.LastDay:     "posts.last",
	survey.Closing:     "posts.close",
	survey.WorkshopEve: "posts.eve",
}

// channelPosts lists the next post of each kind to the coordinator's channel.
func (h planning) channelPosts(v locale.Voice, r survey.Round, now time.Time) chat.Block {
	spans := []chat.Span{chat.Bold(v.Say("reminders.channel"))}
	seen := map[survey.MessageKind]bool{}
	for _, m := range h.Schedule.Posts(r, now) {
		kind := m.Kind.Base()
		if seen[kind] {
			continue
		}
		seen[kind] = true
		key := comingPosts[kind]
		if kind == survey.Closing && !r.Posts.Enabled(survey.ResultsPost) {
			key = "posts.close_only"
		}
		spans = append(spans, chat.Words("\n• "+v.Say(key, "when", v.Time(m.At.In(r.Location())))))
	}
	if len(seen) == 0 {
		spans = append(spans, chat.Words("\n"+v.Say("reminders.none_ahead")))
	}
	return chat.Text{Spans: spans}
}

// planFacts returns a plan in words, one line per rule.
func planFacts(v locale.Voice, p survey.ReminderPlan) string {
	clock := fmt.Sprintf("%02d:%02d", p.Hour, p.Minute)
	var lines []string
	switch {
	case p.Cron != "":
		lines = append(lines, v.Say("facts.reminders_spec", "spec", p.Cron))
	case len(p.BeforeClose) > 0:
		lines = append(lines,
			v.Say("facts.reminders_close", "days", formatDays(p.BeforeClose), "clock", clock),
		)
	}
	if len(p.BeforeWorkshop) > 0 {
		lines = append(lines,
			v.Say("facts.reminders_workshop", "days", formatDays(p.BeforeWorkshop), "clock", clock),
		)
	}
	if len(lines) == 0 {
		lines = append(lines, v.Say("facts.reminders_none"))
	}
	if p.Paused {
		lines = append(lines, v.Say("facts.reminders_paused"))
	}
	return strings.Join(lines, "\n")
}

// formatDays returns a list of numbers as forms show it.
func formatDays(all []int) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ", ")
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
		c.Digest = strings.Join(strings.Fields(req.Value("digest")), " ")
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
