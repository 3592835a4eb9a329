package bot

import (
	"context"
	"strings"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
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

// sendInvitations invites the people of the form, and says how many got an invitation.
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
	people, err := h.readInvitees(ctx, req, r, m)
	if err != nil {
		return chat.Card{}, err
	}
	r, added, err := h.rounds.Invite(ctx, args.round, people)
	if err != nil && len(added) == 0 {
		return chat.Card{}, err
	}
	v := req.voice
	said := v.Say("invite.nobody_new")
	if len(added) > 0 {
		said = v.Count("invite.sent", len(added))
	}
	if rest := len(people) - len(added); err != nil {
		h.Log.Error("not everyone invited",
			"round", r.ID, "added", len(added), "of", len(people), "error", err)
		said += " " + v.Say("invite.part")
	} else if rest > 0 {
		said += " " + v.Count("invite.already", rest)
	}
	more := chat.NewAction("invite", string(r.ID), v.Lang)
	status := chat.NewAction("status", string(r.ID), v.Lang)
	return card.Of(
		chat.Paragraph(said),
		card.Row(
			card.Button(v.Say("button.invite_more"), more),
			card.Button(v.Say("button.status"), status),
		),
	), nil
}

// readInvitees returns the people of the invitation form, each once: those of the list, those that
// were picked, and the members of the channel. A person keeps the role of their first mention. It
// returns fieldErrors if anything in the form cannot be read, or if the form names nobody.
func (h coordinator) readInvitees(
	ctx context.Context, req *request, r survey.Round, m *matrix.Matrix,
) ([]survey.Member, error) {
	v, role := req.voice, req.Value("role")
	refused := fieldErrors{}
	invitees, faults := h.readList(ctx, req.Where, v, m, req.Value("list"), role)
	if len(faults) > 0 {
		refused["list"] = listFaults(v, faults)
	}
	for _, id := range req.Values["people"] {
		p, err := chat.ParsePerson(id)
		if err != nil {
			refused["people"] = v.Say("invite.unknown", "name", id)
			continue
		}
		invitees = append(invitees, invitee{p, role})
	}
	if channel := req.Value("channel"); channel != "" {
		members, err := h.members(ctx, channel)
		if err != nil {
			h.Log.Warn("channel cannot be read", "round", r.ID, "error", err)
			refused["channel"] = v.Say("invite.no_channel")
		}
		for _, p := range members {
			invitees = append(invitees, invitee{p, role})
		}
	}
	if len(refused) == 0 && len(invitees) == 0 {
		refused["people"] = v.Say("invite.nobody")
	}
	if len(refused) > 0 {
		return nil, refused
	}
	var people []survey.Member
	chosen := map[survey.PersonID]bool{}
	for _, i := range invitees {
		if id := person(i.person); !chosen[id] {
			chosen[id] = true
			people = append(people, survey.Member{Person: id, Role: i.role})
		}
	}
	return people, nil
}

// listFaults returns what is wrong with a list of people, as far as there is room.
func listFaults(v locale.Voice, faults []string) string {
	shown := faults[:min(len(faults), maxFaults)]
	said := v.Say("invite.mend") + "\n" + strings.Join(shown, "\n")
	if more := len(faults) - maxFaults; more > 0 {
		said += "\n" + v.Count("status.more", more)
	}
	return said
}

// maxFaults is how many faulty lines of a list are named at once.
const maxFaults = 10

// members returns the people in a channel, given as chat.Place.String writes it.
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
