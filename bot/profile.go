package bot

import (
	"context"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// showProfile shows the "about you" card.
func (h participant) showProfile(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := h.rounds.Response(ctx, args.round)
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, resp, h.profileCard(""))
}

// profileCard draws the "about you" card. Warn is the key of a sentence on what is missing, or
// empty.
func (h *Tools) profileCard(warn string) card.Drawing {
	return func(
		v locale.Voice, part survey.Participation, m *matrix.Matrix, _ results.Response,
	) (chat.Card, error) {
		return h.profileBlocks(v, part, m, warn), nil
	}
}

func (h *Tools) profileBlocks(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, warn string,
) chat.Card {
	id := string(part.Round.ID)
	lang := matrix.Lang(v.Lang)
	blocks := []chat.Block{
		chat.Footnote(part.Round.Area),
		chat.Heading{Text: v.Say("me.title")},
		chat.Paragraph(v.Say("me.role")),
	}
	options := func(roles []matrix.Role) []chat.Option {
		var all []chat.Option
		for _, r := range roles {
			all = append(all, chat.Option{Value: r.ID, Label: r.Name.In(lang)})
		}
		return all
	}
	unstated := chat.Option{Value: survey.Unstated, Label: v.Say("me.unstated")}
	if roles := m.Roles(); len(roles) < chat.MaxMenu {
		blocks = append(blocks,
			chat.Menu{
				Action:      chat.NewAction("role", id),
				Placeholder: v.Say("me.choose"),
				Options:     append(options(roles), unstated),
			},
		)
	} else {
		for i, g := range m.RoleGroups {
			all := options(g.Roles)
			if i == len(m.RoleGroups)-1 && len(all) < chat.MaxMenu {
				all = append(all, unstated)
			}
			blocks = append(blocks, chat.Menu{
				Action:      chat.NewAction("role", id, g.ID),
				Placeholder: g.Name.In(lang),
				Options:     all,
			})
		}
	}
	blocks = append(blocks,
		chat.Text{
			Spans: []chat.Span{
				chat.Words(v.Say("me.chosen") + " "),
				chat.Bold(roleName(v, m, part.Member.Role)),
			},
		},
	)
	if warn != "" {
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(v.Say(warn))}})
	}
	var scopes []chat.Button
	for _, s := range survey.Scopes {
		scopes = append(scopes,
			chat.Button{
				Label:  card.ScopeName(v, s),
				Action: chat.NewAction("scope", id, string(s)),
				Chosen: part.Member.Scope == s,
			},
		)
	}
	organisation, has := v.Say("button.organisation"), "0"
	if part.Member.Organisation != "" {
		organisation, has = v.Say("button.organisation_change"), "1"
		blocks = append(blocks,
			chat.Paragraph(v.Say("me.organisation", "organisation", part.Member.Organisation)),
		)
	}
	forward := card.Button(v.Say("button.continue"), chat.NewAction("go", id))
	if part.Member.Role != "" {
		forward.Style = chat.Primary
	}
	blocks = append(blocks,
		chat.Paragraph(v.Say("me.scope")), card.Row(scopes...),
		chat.Divider{},
		chat.Footnote(v.Say("me.how")),
		card.Row(append([]chat.Button{
			card.Button(
				organisation,
				chat.NewAction("org", id, has, v.Lang),
			), forward, card.Button(v.Say("button.kept"), chat.NewAction("kept", id)),
		}, card.OtherLanguages(v, part, chat.NewAction("me", id))...)...),
	)
	return card.Of(blocks...)
}

// roleName returns a role in words, also for a person without one.
func roleName(v locale.Voice, m *matrix.Matrix, id string) string {
	switch id {
	case "":
		return v.Say("me.none")
	case survey.Unstated:
		return v.Say("me.unstated")
	}
	r, _, ok := m.Role(id)
	if !ok {
		return id
	}
	return r.Name.In(matrix.Lang(v.Lang))
}

func (h participant) pickRole(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, err := h.rounds.SetRole(ctx, args.round, req.Value(chat.Picked))
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, results.Response{}, h.profileCard(""))
}

func (h participant) pickScope(ctx context.Context, req *request, args scopeArgs) (view, error) {
	part, err := h.rounds.SetScope(ctx, args.round, survey.Scope(args.scope))
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, results.Response{}, h.profileCard(""))
}

// organisationForm reads the organisation that was given before, if any, so that saving the form
// does not lose it. Otherwise it makes no call.
func (h participant) organisationForm(
	ctx context.Context, req *request, args organisationArgs,
) (chat.Form, error) {
	v, had := h.Words.In(string(args.lang)), ""
	if args.has {
		part, err := h.rounds.Participation(ctx, args.round)
		if err != nil {
			return chat.Form{}, err
		}
		had = part.Member.Organisation
	}
	return card.OrganisationForm(v, args.round, had), nil
}

func (h participant) saveOrganisation(
	ctx context.Context, req *request, args roundArgs,
) (view, error) {
	part, err := h.rounds.SetOrganisation(
		ctx, args.round, req.Value("organisation"),
	)
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, results.Response{}, h.profileCard(""))
}
