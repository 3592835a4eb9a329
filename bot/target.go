package bot

import (
	"context"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/plaintext"
)

// target returns the round that a coordinator means: the one whose button was pressed; else the
// one named; else the only one of this channel, or of all their rounds, that wanted accepts. If
// there are several it returns a *refusal whose card asks which.
func (h coordinator) target(
	ctx context.Context, req *request, args targetArgs, wanted func(survey.Round) bool,
) (survey.Round, error) {
	if args.round != "" {
		return h.rounds.Round(ctx, args.round)
	}
	rounds, err := h.rounds.RoundsIn(ctx, req.Where.String())
	if err != nil {
		return survey.Round{}, err
	}
	fit := filter(rounds, wanted)
	if len(fit) == 0 || args.words != "" {
		if rounds, err = h.rounds.Rounds(ctx); err != nil {
			return survey.Round{}, err
		}
		fit = filter(rounds, wanted)
	}
	v := req.voice
	if args.words != "" {
		// A round that was named is that round or none: the command must never act on another.
		var near []survey.Round
		fit, near = namedRounds(fit, args.words)
		if len(fit) == 0 && len(near) > 0 {
			return survey.Round{}, refuse(card.WhichRound(v, req.Action.Verb, near, h.Now()))
		}
		if len(fit) == 0 && len(rounds) > 0 {
			return survey.Round{}, refuse(
				card.Of(chat.Paragraph(v.Say("choose.unnamed", "name", chat.Trim(args.words, 60)))),
			)
		}
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		return survey.Round{}, refuse(card.WhichRound(v, req.Action.Verb, fit, h.Now()))
	case len(rounds) > 0:
		return survey.Round{}, refuse(card.Of(chat.Paragraph(v.Say("choose.unfit"))))
	}
	h.Log.Warn(
		"refused",
		"reason",
		"coordinates no round",
		"verb",
		req.Action.Verb,
		"person",
		h.personHash(req.Who),
	)
	return survey.Round{}, refuse(card.Of(chat.Paragraph(v.Say("choose.none"))))
}

// namedRounds returns the rounds whose area or id matches the words, with or without quotes. If
// there is none, near holds those that differ in accents only. The coordinator is asked about
// these, since in Welsh an accent can tell two names apart.
func namedRounds(rounds []survey.Round, words string) (exact, near []survey.Round) {
	exact = filter(rounds, func(r survey.Round) bool {
		return plaintext.Same(r.Area, words) || plaintext.Same(string(r.ID), words)
	})
	bare := plaintext.TrimMarks(words)
	if len(exact) == 0 && bare != "" {
		exact = filter(
			rounds,
			func(r survey.Round) bool { return plaintext.Same(plaintext.TrimMarks(r.Area), bare) },
		)
	}
	if len(exact) == 0 && bare != "" {
		near = filter(rounds, func(r survey.Round) bool {
			return plaintext.Unaccented(plaintext.TrimMarks(r.Area)) == plaintext.Unaccented(bare)
		})
	}
	return exact, near
}

func filter(rounds []survey.Round, wanted func(survey.Round) bool) []survey.Round {
	var fit []survey.Round
	for _, r := range rounds {
		if wanted(r) {
			fit = append(fit, r)
		}
	}
	return fit
}

func isOpen(r survey.Round) bool { return r.State == survey.Open }

func isClosed(r survey.Round) bool { return r.State == survey.Closed }

func isAny(survey.Round) bool { return true }

// notOpenReason returns the error for a round that takes no answers.
func notOpenReason(r survey.Round) error {
	if r.State == survey.Draft {
		return survey.ErrNotOpen
	}
	return survey.ErrClosed
}

// closedTarget is target for actions on a closed round. It refuses an open round with a hint to
// the status.
func (h coordinator) closedTarget(
	ctx context.Context, req *request, args targetArgs,
) (survey.Round, error) {
	r, err := h.target(ctx, req, args, isClosed)
	if err == nil && r.State != survey.Closed {
		err = refuse(card.Of(chat.Paragraph(h.roundVoice(req, r).Say("results.not_yet"))))
	}
	return r, err
}

// ofRound reports whether an event happened in the workspace of a round, by a person who is of no
// other workspace: a button that was carried elsewhere lets nobody in. On a platform whose people
// are of no workspace, the place alone decides.
func ofRound(e chat.Event, r survey.Round) bool {
	home, err := chat.ParsePlace(r.Channel)
	if err != nil || home.Platform != e.Who.Platform || home.Workspace != e.Where.Workspace {
		return false
	}
	return e.Who.Workspace == "" || e.Who.Workspace == home.Workspace
}
