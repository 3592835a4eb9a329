package bot

import (
	"context"
	"strings"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
)

func (h coordinator) inviteForm(
	ctx context.Context, req *request, args targetArgs,
) (chat.Form, error) {
	r, err := h.target(ctx, req, args, isOpen)
	if err != nil {
		return chat.Form{}, err
	}
	if !r.AcceptsAnswers(h.Now()) {
		return chat.Form{}, notOpenReason(r)
	}
	m, err := h.matrix(r)
	if err != nil {
		return chat.Form{}, err
	}
	return card.InviteForm(h.roundVoice(req, r), r, m, req.Value("role")), nil
}

func (h coordinator) sendInvitations(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Card, error) {
	r, err := h.rounds.Round(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	m, err := h.matrix(r)
	if err != nil {
		return chat.Card{}, err
	}
	v := req.voice
	role := req.Value("role")
	var people []survey.Member
	chosen := map[survey.PersonID]bool{}
	add := func(p chat.Person, role string) {
		if id := person(p); !chosen[id] {
			chosen[id] = true
			people = append(people, survey.Member{Person: id, Role: role})
		}
	}
	refused := map[string]string{}
	listed, faults := h.readList(ctx, req.Where, v, m, req.Value("list"), role)
	if len(faults) > 0 {
		refused["list"] = v.Say("invite.mend") + "\n" + strings.Join(
			faults[:min(len(faults), maxFaults)],
			"\n",
		)
		if more := len(faults) - maxFaults; more > 0 {
			refused["list"] += "\n" + v.Count("status.more", more)
		}
	}
	for _, l := range listed {
		add(l.person, l.role)
	}
	for _, id := range req.Values["people"] {
		p, err := chat.ParsePerson(id)
		if err != nil {
			refused["people"] = v.Say("invite.unknown", "name", id)
			continue
		}
		add(p, role)
	}
	if c := req.Value("channel"); c != "" {
		members, err := h.members(ctx, c)
		if err != nil {
			h.Log.Warn("channel cannot be read", "round", r.ID, "error", err)
			refused["channel"] = v.Say("invite.no_channel")
		}
		for _, p := range members {
			add(p, role)
		}
	}
	if len(refused) == 0 && len(people) == 0 {
		refused["people"] = v.Say("invite.nobody")
	}
	if len(refused) > 0 {
		return chat.Card{}, fieldErrors(refused)
	}
	r, added, err := h.rounds.Invite(ctx, args.round, people)
	if err != nil && len(added) == 0 {
		return chat.Card{}, err
	}
	said := v.Say("invite.nobody_new")
	if len(added) > 0 {
		said = v.Count("invite.sent", len(added))
	}
	if rest := len(people) - len(added); err != nil {
		h.Log.Error(
			"not everyone invited",
			"round",
			r.ID,
			"added",
			len(added),
			"of",
			len(people),
			"error",
			err,
		)
		said += " " + v.Say("invite.part")
	} else if rest > 0 {
		said += " " + v.Count("invite.already", rest)
	}
	return card.Of(
		chat.Paragraph(said),
		card.Row(
			card.Button(
				v.Say("button.invite_more"),
				chat.NewAction("invite", string(r.ID), v.Lang),
			),
			card.Button(v.Say("button.status"), chat.NewAction("status", string(r.ID), v.Lang)),
		),
	), nil
}

// maxFaults is how many faulty lines of a list are named at once.
const maxFaults = 10

func (h *Tools) members(ctx context.Context, channel string) ([]chat.Person, error) {
	place, err := chat.ParsePlace(channel)
	if err != nil {
		return nil, err
	}
	return h.Directory.Members(ctx, place)
}

// postJoinButton posts a button to the channel. Anybody who presses it takes part.
func (h coordinator) postJoinButton(
	ctx context.Context, req *request, args targetArgs,
) ([]chat.Reply, error) {
	if req.Private {
		return whispered(chat.Paragraph(req.voice.Say("join.in_channel"))), nil
	}
	r, err := h.target(ctx, req, args, isOpen)
	if err != nil {
		return nil, err
	}
	if !ofRound(req.Event, r) {
		key := communityKey(req, "join.elsewhere_workspace", "join.elsewhere_server")
		return whispered(chat.Paragraph(h.roundVoice(req, r).Say(key))), nil
	}
	r, err = h.rounds.AllowSelfJoin(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	m, err := h.matrix(r)
	if err != nil {
		return nil, err
	}
	posted := card.JoinPost(h.Words, r, m)
	v := h.roundVoice(req, r)
	return append(
		[]chat.Reply{chat.Post{To: req.Where, Card: posted, Then: h.onlyOnFailure(v, req.Where)}},
		whispered(chat.Paragraph(v.Say("join.posted")))...), nil
}
