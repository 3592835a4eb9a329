package bot

import (
	"context"
	"time"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
)

func (h coordinator) extendForm(
	ctx context.Context, req *request, args targetArgs,
) (chat.Form, error) {
	r, err := h.target(ctx, req, args, isOpen)
	if err != nil {
		return chat.Form{}, err
	}
	if r.State != survey.Open {
		return chat.Form{}, notOpenReason(r)
	}
	return card.ExtendForm(h.roundVoice(req, r), r), nil
}

func (h coordinator) saveExtension(
	ctx context.Context, req *request, args coordinatorArgs,
) ([]chat.Reply, error) {
	r, err := h.rounds.Round(ctx, args.round)
	if err != nil {
		return nil, err
	}
	closes, err := readTime(
		req.Event,
		"closes",
		r.ClosesAt.In(r.Location()).Format("15:04"),
		r.Location(),
	)
	if err != nil {
		return nil, err
	}
	r, extended, err := h.rounds.Extend(ctx, args.round, closes.Time)
	if err != nil {
		return nil, err
	}
	v := req.voice
	said := append(
		[]chat.Block{chat.Paragraph(v.Say("extend.done", "closes", card.ClosingTime(v, r)))},
		closes.remark(v)...)
	if at := r.Workshop.At; !at.IsZero() && at.Before(r.ClosesAt) {
		said = append(said,
			chat.Paragraph(v.Say("workshop.before", "workshop", v.Time(at.In(r.Location())))),
		)
	}
	replies := whispered(
		append(said,
			card.Row(
				card.Button(v.Say("button.status"), chat.NewAction("status", string(r.ID), v.Lang)),
			),
		)...)
	if extended {
		replies = append(replies, h.toChannel(r, func(v locale.Voice) chat.Card {
			return card.Of(
				chat.Heading{Text: r.Area},
				chat.Paragraph(v.Say("extend.posted", "closes", card.ClosingTime(v, r))),
			)
		})...)
	}
	return replies, nil
}

func (h coordinator) workshopForm(
	ctx context.Context, req *request, args targetArgs,
) (chat.Form, error) {
	r, err := h.target(ctx, req, args, func(r survey.Round) bool {
		return r.State != survey.Closed || r.Workshop.At.IsZero() || h.Now().Before(r.Workshop.At)
	})
	if err != nil {
		return chat.Form{}, err
	}
	return card.WorkshopForm(h.roundVoice(req, r), r), nil
}

func (h coordinator) saveWorkshop(
	ctx context.Context, req *request, args coordinatorArgs,
) ([]chat.Reply, error) {
	r, err := h.rounds.Round(ctx, args.round)
	if err != nil {
		return nil, err
	}
	w, at, err := readWorkshop(req.Event, r.Location())
	if err != nil {
		return nil, err
	}
	was := r.Workshop
	r, err = h.rounds.SetWorkshop(ctx, args.round, w)
	if err != nil {
		return nil, err
	}
	v := req.voice
	if r.State == survey.Draft {
		return []chat.Reply{chat.Update{Card: h.draftCard(v, r, at.remark(v)...)}}, nil
	}
	said := append(
		[]chat.Block{chat.Paragraph(v.Say("workshop.done", "workshop", card.WorkshopTime(v, r)))},
		at.remark(v)...)
	if !r.Workshop.At.Equal(was.At) || r.Workshop.Place != was.Place {
		said = append(said, chat.Paragraph(h.nextWorkshopReminder(v, r)))
	}
	return whispered(said...), nil
}

// nextWorkshopReminder says when participants are next reminded of the workshop, so that a
// coordinator who moves it knows whom to tell.
func (h coordinator) nextWorkshopReminder(v locale.Voice, r survey.Round) string {
	for _, m := range h.Schedule.Reminders(r, nil, h.Now()) {
		if m.Kind.Base() == survey.WorkshopSoon {
			return v.Say("workshop.heard", "when", v.Time(m.At.In(r.Location())))
		}
	}
	return v.Say("workshop.unheard")
}

// readWorkshop reads the workshop's fields of a form. Without a day it has no time.
func readWorkshop(e chat.Event, loc *time.Location) (w survey.Workshop, at enteredTime, err error) {
	w.Place = e.Value("place")
	if e.Value("workshop") != "" {
		at, err = readTime(e, "workshop", "10:00", loc)
		w.At = at.Time
	}
	return w, at, err
}

func (h coordinator) remind(ctx context.Context, req *request, args targetArgs) (chat.Card, error) {
	r, err := h.target(ctx, req, args, isOpen)
	if err != nil {
		return chat.Card{}, err
	}
	at, ok := h.Schedule.SendWindow(r, survey.Member{}, survey.Nudge, h.Now())
	if !ok && r.AcceptsAnswers(h.Now()) {
		return card.Of(
			chat.Paragraph(
				h.roundVoice(req, r).
					Say("remind.too_late", "closes", card.ClosingTime(h.roundVoice(req, r), r)),
			),
		), nil
	}
	r, due, err := h.rounds.Remind(ctx, r.ID)
	if err != nil {
		return chat.Card{}, err
	}
	if due == 0 {
		return card.Of(chat.Paragraph(h.roundVoice(req, r).Say("remind.nobody"))), nil
	}
	v := h.roundVoice(req, r)
	said := v.Count("remind.sent", due)
	if at.After(h.Now()) {
		said = v.Count("remind.waits", due, "when", v.Time(at.In(r.Location())))
	}
	return card.Of(chat.Paragraph(said)), nil
}
