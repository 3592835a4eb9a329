package bot

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// mayCreate reports whether the person may start a round: an admin of the workspace, or a person
// that the configuration names. A person who takes part by link cannot, whatever an adapter says.
func (h *Tools) mayCreate(req *request) bool {
	return !req.person.ByLink() && (req.Admin || slices.Contains(h.Creators, req.Who))
}

// inChannel returns an error in a private conversation: results posted there would reach nobody
// else.
func inChannel(req *request) error {
	if req.Private {
		return refuse(card.Of(chat.Paragraph(req.voice.Say("new.in_channel"))))
	}
	return nil
}

// newForm asks for the settings that have no default. The draft card shows the others and lets the
// coordinator change them. The platform is asked only whether results can be posted in the
// channel.
func (h creator) newForm(ctx context.Context, req *request, _ generalArgs) (chat.Form, error) {
	if err := inChannel(req); err != nil {
		return chat.Form{}, err // first, since in private a platform may not tell who is an admin
	}
	if _, err := h.rights(); err != nil {
		return chat.Form{}, err
	}
	v := req.voice
	if why := h.canPost(ctx, req.Where); why != nil {
		return chat.Form{}, refuse(
			card.Of(card.CannotPost(v, v.Say("cannot_post.new"), req.Where, why)...),
		)
	}
	r := defaultRound()
	// On a platform where commands have fields, the area may be given with the command.
	r.Area = chat.Trim(req.Value("area"), survey.MaxAreaRunes)
	first := h.Now().In(r.Location()).AddDate(0, 0, 21)
	r.ClosesAt = time.Date(first.Year(), first.Month(), first.Day(), 17, 0, 0, 0, r.Location())
	return card.RoundForm(v, chat.NewAction("create", v.Lang), r, h.Matrices.Newest()), nil
}

// defaultRound returns a round with default settings.
func defaultRound() survey.Round {
	return survey.Round{
		TimeZone: survey.DefaultTimeZone, MinGroup: results.DefaultMinGroup,
		Consensus: results.Consensus{Percent: results.DefaultConsensusPercent},
		Reminders: survey.DefaultReminders(), Posts: survey.DefaultPosts(),
	}
}

// readRoundForm sets the round's fields from a sent form. It returns an *survey.InputError for the
// first field that cannot be read.
func (h *Tools) readRoundForm(req *request, r *survey.Round) (closes enteredTime, err error) {
	r.Area, r.Matrix, r.Languages = req.Value("area"), req.Value("matrix"), nil
	m, known := h.Matrices.ForNewRounds(r.Matrix)
	if !known {
		return enteredTime{}, &survey.InputError{Field: "matrix", Reason: "unknown"}
	}
	for l := range strings.FieldsSeq(req.Value("languages")) {
		if m.Has(matrix.Lang(l)) {
			r.Languages = append(r.Languages, matrix.Lang(l))
		}
	}
	if len(r.Languages) == 0 {
		// None were chosen, or the matrix is in other languages than those offered.
		r.Languages = card.UsualLanguages(m)
	}
	closes, err = readTime(req.Event, "closes", "17:00", r.Location())
	r.ClosesAt = closes.Time
	return closes, err
}

// rulesForm asks for the rules, which are fixed once the survey is open.
func (h coordinator) rulesForm(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Form, error) {
	r, err := h.rounds.Round(ctx, args.round)
	switch {
	case err != nil:
		return chat.Form{}, err
	case r.State != survey.Draft:
		return chat.Form{}, survey.ErrOpened
	}
	return card.RulesForm(req.voice, r), nil
}

func (h coordinator) saveRules(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Card, error) {
	r, err := h.rounds.Redraft(ctx, args.round, func(r *survey.Round) error {
		number := func(field string, n *int) error {
			var err error
			digits := strings.TrimSuffix(strings.ReplaceAll(req.Value(field), " ", ""), "%")
			if *n, err = strconv.Atoi(digits); err != nil {
				//locale:says input.min_group.number input.agreed.number
				return &survey.InputError{Field: field, Reason: "number"}
			}
			return nil
		}
		zone, err := time.LoadLocation(req.Value("time_zone"))
		if err != nil || req.Value("time_zone") == "" {
			return &survey.InputError{Field: "time_zone", Reason: "unknown"}
		}
		// Times in the old zone become the same times of day in the new one.
		here := func(t time.Time) time.Time {
			if t.IsZero() {
				return t
			}
			t = t.In(r.Location())
			return clockTime(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), zone).Time
		}
		r.ClosesAt, r.Workshop.At = here(r.ClosesAt), here(r.Workshop.At)
		r.TimeZone = req.Value("time_zone")
		r.Consensus.AllowFarMinority = req.Value("far") == "yes"
		return errors.Join(number("min_group", &r.MinGroup), number("agreed", &r.Consensus.Percent))
	})
	if err != nil {
		return chat.Card{}, err
	}
	return h.draftCard(req.voice, r), nil
}

func (h creator) createRound(ctx context.Context, req *request, _ generalArgs) (chat.Card, error) {
	if err := inChannel(req); err != nil {
		return chat.Card{}, err // first, since in private a platform may not tell who is an admin
	}
	creator, err := h.rights()
	if err != nil {
		return chat.Card{}, err
	}
	if why := h.canPost(ctx, req.Where); why != nil {
		v := req.voice
		said := v.Say("cannot_post.new") + " " + card.CannotPostReason(v, why)
		return chat.Card{}, fieldErrors{"area": said}
	}
	r := defaultRound()
	closes, err := h.readRoundForm(req, &r)
	if err != nil {
		return chat.Card{}, err
	}
	r.ID = newRoundID(req.ID)
	r.Channel = req.Where.String()
	r.Coordinators = []survey.PersonID{req.person}
	r, err = creator.Create(ctx, r)
	if err != nil {
		return chat.Card{}, err
	}
	return h.draftCard(req.voice, r, closes.remark(req.voice)...), nil
}

func (h coordinator) redraftForm(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Form, error) {
	r, err := h.rounds.Round(ctx, args.round)
	if err != nil {
		return chat.Form{}, err
	}
	v := req.voice
	if r.State != survey.Draft {
		return chat.Form{}, refuse(card.Of(chat.Paragraph(v.Say("draft.opened"))))
	}
	send := chat.NewAction("saveround", string(args.round), v.Lang)
	return card.RoundForm(v, send, r, h.Matrices.Newest()), nil
}

func (h coordinator) saveRound(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Card, error) {
	var closes enteredTime
	r, err := h.rounds.Redraft(ctx, args.round, func(r *survey.Round) (err error) {
		closes, err = h.readRoundForm(req, r)
		return err
	})
	if err != nil {
		return chat.Card{}, err
	}
	return h.draftCard(req.voice, r, closes.remark(req.voice)...), nil
}

func (h coordinator) openRound(
	ctx context.Context, req *request, args coordinatorArgs,
) ([]chat.Reply, error) {
	r, err := h.rounds.Round(ctx, args.round)
	if err != nil {
		return nil, err
	}
	if to, why := h.canPostFor(ctx, r); why != nil && r.State == survey.Draft {
		v := req.voice
		return whispered(card.CannotPost(v, v.Say("cannot_post.open"), to, why)...), nil
	}
	r, opened, err := h.rounds.Open(ctx, args.round)
	if err != nil {
		return nil, err
	}
	m, _ := h.matrix(r) // without one, the card names the matrix by its id
	replies := []chat.Reply{chat.Update{Card: card.Opened(req.voice, r, m)}}
	if opened && r.Posts.Enabled(survey.Opened) {
		replies = append(replies, h.toChannel(r, func(v locale.Voice) chat.Card {
			return card.OpenedPost(v, r, h.posts.fingerprintLine(ctx, v, r))
		})...)
	}
	return replies, nil
}

// toChannel posts to the round's channel, in its language.
func (h *Tools) toChannel(r survey.Round, draw func(locale.Voice) chat.Card) []chat.Reply {
	to, err := chat.ParsePlace(r.Channel)
	if err != nil {
		h.Log.Error("round has no channel", "round", r.ID, "error", err)
		return nil
	}
	v := h.channelVoice(r)
	return []chat.Reply{
		chat.Post{To: to, Card: draw(v), Then: h.onlyOnFailure(v, to)},
	}
}

// draftCard shows a round that is not open yet, with remarks on what was just entered.
func (h *Tools) draftCard(v locale.Voice, r survey.Round, remarks ...chat.Block) chat.Card {
	m, _ := h.matrix(r) // without one, the card names the matrix by its id
	return card.Draft(v, r, m, remarks...)
}
