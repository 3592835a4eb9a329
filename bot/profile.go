package bot

import (
	"context"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/results"
)

// showProfile shows the "about you" card.
func (h participant) showProfile(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := h.rounds.Response(ctx, args.round)
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, resp, card.Profile(""))
}

func (h participant) pickRole(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, err := h.rounds.SetRole(ctx, args.round, req.Value(chat.Picked))
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, results.Response{}, card.Profile(""))
}

func (h participant) pickScope(ctx context.Context, req *request, args scopeArgs) (view, error) {
	part, err := h.rounds.SetScope(ctx, args.round, survey.Scope(args.scope))
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, req, part, results.Response{}, card.Profile(""))
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
	return h.show(ctx, req, part, results.Response{}, card.Profile(""))
}
