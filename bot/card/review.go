package card

import (
	"unicode/utf8"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// ratingName returns a rating as lists show it.
func ratingName(v locale.Voice, m *matrix.Matrix, r matrix.Rating) string {
	switch {
	case r == matrix.DontKnow:
		return v.Say("answer.dont_know")
	case r == matrix.NotApplicable:
		return v.Say("answer.not_applicable")
	case r == matrix.NotAnswered || int(r) > len(m.Levels):
		return v.Say("answer.none")
	}
	return m.Levels[r-1].Short.In(matrix.Lang(v.Lang))
}

// answerBlocks lists the answers by dimension. If they do not fit a card, it gives their number in
// each dimension.
func answerBlocks(v locale.Voice, m *matrix.Matrix, resp results.Response) []chat.Block {
	lang := matrix.Lang(v.Lang)
	var full, brief []chat.Block
	size := 0
	for _, d := range m.Dimensions {
		lines, done := []chat.Span{chat.Bold(d.Name.In(lang))}, 0
		for _, e := range d.Elements() {
			r := resp.Answers[e.ID].Rating
			sign := "○ "
			if r != matrix.NotAnswered {
				sign = "● "
				done++
			}
			line := "\n" + sign + e.Name.In(lang) + ": " + ratingName(v, m, r)
			if !resp.Answers[e.ID].Detail.IsZero() {
				line += " + " + v.Say("answer.detail")
			}
			size += len(line)
			lines = append(lines, chat.Words(line))
		}
		full = append(full, chat.Text{Spans: lines})
		brief = append(brief,
			chat.Text{
				Spans: []chat.Span{
					lines[0],
					chat.Words(": " + v.Say("answers.some", "done", done, "n", len(d.Elements()))),
				},
			},
		)
	}
	if size > chat.MaxCardText-1000 { // room for the rest of the card
		return brief
	}
	return full
}

// elementMenus returns menus to go to any element, one per dimension.
func elementMenus(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
) []chat.Block {
	lang := matrix.Lang(v.Lang)
	var menus []chat.Block
	for _, d := range m.Dimensions {
		var options []chat.Option
		for _, e := range d.Elements() {
			state := " (" + v.Say("list.open") + ")"
			if resp.Answers[e.ID].Rating != matrix.NotAnswered {
				state = " (" + v.Say("list.answered") + ")"
			}
			name := chat.Trim(e.Name.In(lang), chat.MaxOption-utf8.RuneCountInString(state))
			options = append(options, chat.Option{Value: e.ID, Label: name + state})
		}
		menus = append(menus,
			chat.Menu{
				Action:      chat.NewAction("jump", string(part.Round.ID), d.ID),
				Placeholder: v.Say("list.go", "dimension", d.Name.In(lang)),
				Options:     options,
				Leads:       true,
			},
		)
	}
	return menus
}

// List draws menus to go to any element.
func List(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
) (chat.Card, error) {
	id := string(part.Round.ID)
	blocks := []chat.Block{
		chat.Footnote(part.Round.Area),
		chat.Heading{Text: v.Say("list.title")},
		chat.Footnote(v.Say("list.body", "done", resp.Rated(), "n", len(m.Elements()))),
	}
	blocks = append(blocks, elementMenus(v, part, m, resp)...)
	blocks = append(blocks, Row(append([]chat.Button{
		Primary(v.Say("button.continue"), chat.NewAction("go", id)),
		Button(v.Say("button.me"), chat.NewAction("me", id)),
		Button(v.Say("button.review"), chat.NewAction("review", id)),
		Button(v.Say("button.levels"), chat.NewAction("levels", id)),
		Button(v.Say("button.kept"), chat.NewAction("kept", id)),
	}, OtherLanguages(v, part, chat.NewAction("list", id))...)...))
	return Of(blocks...), nil
}

// Review draws all answers, with the button that submits them.
func Review(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
) (chat.Card, error) {
	id := string(part.Round.ID)
	missing := len(m.Elements()) - resp.Rated()
	blocks := []chat.Block{
		chat.Footnote(part.Round.Area),
		chat.Heading{Text: v.Say("review.title")},
	}
	if missing > 0 {
		blocks = append(blocks, chat.Paragraph(v.Count("review.missing", missing)))
	} else {
		blocks = append(blocks, chat.Paragraph(v.Say("review.complete")))
	}
	blocks = append(blocks, answerBlocks(v, m, resp)...)
	submit := Primary(v.Say("button.submit"), chat.NewAction("submit", id))
	if part.Member.Status == survey.Finished {
		submit.Label = v.Say("button.submit_again")
	}
	blocks = append(blocks,
		chat.Footnote(v.Say("review.later", "closes", ClosingTime(v, part.Round))),
		Row(
			append(
				[]chat.Button{
					submit,
					Button(v.Say("button.list"), chat.NewAction("list", id)),
					Button(v.Say("button.kept"), chat.NewAction("kept", id)),
				},
				OtherLanguages(v, part, chat.NewAction("review", id))...)...),
	)
	return Of(blocks...), nil
}

// Receipt thanks a participant who has finished, and lists their answers.
func Receipt(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
) (chat.Card, error) {
	id := string(part.Round.ID)
	thanks := v.Say("receipt.thanks", "area", part.Round.Area)
	if part.Member.Person.ByLink() {
		thanks = v.Say("receipt.thanks_link", "area", part.Round.Area)
	}
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("receipt.title")},
		chat.Paragraph(thanks),
		chat.Footnote(v.Count("receipt.answered", resp.Rated(), "of", len(m.Elements()))),
	}
	blocks = append(blocks, answerBlocks(v, m, resp)...)
	next := v.Say("receipt.results")
	if !part.Round.Workshop.At.IsZero() {
		next = v.Say(
			"receipt.workshop",
			"when",
			v.Time(part.Round.Workshop.At.In(part.Round.Location())),
			"place",
			part.Round.Workshop.Place,
		)
	}
	blocks = append(blocks,
		chat.Paragraph(next),
		chat.Footnote(v.Say("review.later", "closes", ClosingTime(v, part.Round))),
		Row(
			Button(v.Say("button.change"), chat.NewAction("list", id)),
			Button(v.Say("button.kept"), chat.NewAction("kept", id)),
		),
	)
	return Of(blocks...), nil
}
