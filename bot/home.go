package bot

import (
	"context"
	"errors"
	"slices"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
)

// help lists what a user can do, with the commands for coordinators.
func (anyone) help(_ context.Context, req *request, args generalArgs) (chat.Card, error) {
	v := req.voice
	var blocks []chat.Block
	if args.unknown {
		said := v.Say("help.unknown")
		if args.meant != "" {
			said += " " + v.Say("help.meant", "command", spellCommand(v, args.meant))
		}
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(said)}})
	}
	intro, coordinator, other := v.Say("help.stakeholder"), v.Say("help.coordinator"), ""
	for _, c := range commandTable {
		switch c.verb {
		case "home":
			intro += "\n" + helpLine(v, c)
		case "help":
			other = v.Say("help.language", "command", spellCommand(v, c.word(otherLanguage(v))))
		default:
			coordinator += "\n" + helpLine(v, c)
		}
	}
	return card.Of(append(blocks,
		chat.Heading{Text: v.Say("help.title")},
		chat.Paragraph(intro),
		chat.Paragraph(coordinator),
		chat.Footnote(other),
		card.Row(card.Primary(v.Say("button.home"), chat.NewAction("home", v.Lang))),
	)...), nil
}

// otherLanguage returns the language of the bot that the voice does not speak.
func otherLanguage(v locale.Voice) string {
	if v.Lang == "cy" {
		return "en"
	}
	return "cy"
}

// coordinatedRounds lists the rounds that a person coordinates, with their response rates.
func (h anyone) coordinatedRounds(
	ctx context.Context, v locale.Voice, req *request, parts []survey.Participation,
) ([]chat.Block, error) {
	var blocks []chat.Block
	for _, part := range parts {
		r := part.Round
		if !slices.Contains(r.Coordinators, req.person) || len(blocks) >= 2*card.MaxRounds {
			continue
		}
		var progress survey.Progress
		if r.State != survey.Draft {
			var err error
			progress, err = h.coordinated.Progress(ctx, r.ID)
			if err != nil {
				return nil, err
			}
		}
		blocks = append(blocks, card.CoordinatedRound(v, r, progress, h.Now())...)
	}
	if h.mayCreate(req) && !req.Private {
		blocks = append(blocks,
			card.Row(card.Button(v.Say("button.new"), chat.NewAction("new", v.Lang))),
		)
	}
	return blocks, nil
}

// home shows the surveys of a person, and the rounds they coordinate.
func (h anyone) home(ctx context.Context, req *request, args generalArgs) (chat.Card, error) {
	parts, err := h.own.Participations(ctx)
	if err != nil {
		return chat.Card{}, err
	}
	v := req.voice
	for _, part := range parts { // the language chosen last, unless they ask in one
		if part.Member.Language != "" && args.lang == "" {
			v = h.Words.In(string(part.Member.Language))
			break
		}
	}
	blocks := []chat.Block{chat.Heading{Text: v.Say("home.title")}}
	shown := 0
	for _, part := range parts {
		if part.Member.Status == survey.NotInvited || shown == card.MaxRounds {
			continue
		}
		shown++
		progress := ""
		if part.Member.Status == survey.Started && part.Round.AcceptsAnswers(h.Now()) {
			if progress, err = h.progress(ctx, v, part); err != nil {
				return chat.Card{}, err
			}
		}
		blocks = append(blocks, card.OwnRound(v, part, progress, h.Now())...)
	}
	coordinated, err := h.coordinatedRounds(ctx, v, req, parts)
	if err != nil {
		return chat.Card{}, err
	}
	if len(coordinated) > 0 {
		blocks = append(blocks, chat.Divider{})
		blocks = append(blocks, coordinated...)
	}
	if len(blocks) == 1 {
		blocks = append(blocks, chat.Paragraph(v.Say("home.nothing")))
	}
	if req.Kind == chat.Home {
		// What is pressed here shows elsewhere, and the page itself stays as it is.
		switch {
		case shown > 0:
			blocks = slices.Insert(blocks, 1, chat.Block(chat.Footnote(v.Say("home.messages"))))
		case len(coordinated) > 0:
			only := chat.Footnote(v.Say("home.messages_only"))
			blocks = slices.Insert(blocks, 1, chat.Block(only))
		}
	}
	return card.Of(blocks...), nil
}

// progress says how far a participant is who has started.
func (h anyone) progress(
	ctx context.Context, v locale.Voice, part survey.Participation,
) (string, error) {
	m, err := h.matrix(part.Round)
	if err != nil {
		return "", err
	}
	_, resp, err := h.own.Response(ctx, part.Round.ID)
	switch {
	case errors.Is(err, survey.ErrClosed),
		errors.Is(err, survey.ErrWithdrawn),
		errors.Is(err, survey.ErrNotTakingPart): // since the part was read
		return "", nil
	case err != nil:
		return "", err
	}
	return v.Say("home.started",
		"done", resp.Rated(), "n", len(m.Elements()), "closes", card.ClosingTime(v, part.Round),
	), nil
}
