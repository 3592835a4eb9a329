package card

import (
	"slices"
	"strconv"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// Drawing draws a card of a participant in the survey.
type Drawing func(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
) (chat.Card, error)

// Element returns a drawing of one element of the matrix. It fails with matrix.ErrNoElement for an
// unknown element.
func Element(element string) Drawing {
	return func(
		v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	) (chat.Card, error) {
		return elementCard(v, part, m, resp, element, nil)
	}
}

// After shows what comes after the answer to an element: the next question that is still open, or
// the review when none is. Its first line says what was saved, and the buttons beside it lead back
// to that answer. With tooSoon it also says that a press on the new card was not saved, because it
// came too soon after that answer.
func After(element string, tooSoon bool) Drawing {
	return func(
		v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	) (chat.Card, error) {
		_, i, ok := m.Element(element)
		if !ok {
			return chat.Card{}, matrix.ErrNoElement
		}
		// Without a saved answer, there is nothing to confirm.
		if resp.Answers[element].Rating == matrix.NotAnswered {
			return elementCard(v, part, m, resp, element, nil)
		}
		top := savedBlocks(v, part, m, resp, element, tooSoon)
		if open := openAfter(m, resp, i); open != "" {
			return elementCard(v, part, m, resp, open, top)
		}
		review, err := Review(v, part, m, resp)
		review.Blocks = slices.Concat(top, review.Blocks)
		return review, err
	}
}

// savedBlocks says what is saved for an element, with buttons to change it and to add detail to it.
func savedBlocks(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	element string, tooSoon bool,
) []chat.Block {
	el, _, _ := m.Element(element)
	given, id, lang := resp.Answers[element], string(part.Round.ID), matrix.Lang(v.Lang)
	answer := ratingName(v, m, given.Rating)
	if given.Rating > 0 && int(given.Rating) <= len(m.Levels) {
		answer = m.Levels[given.Rating-1].Name.In(lang)
	}
	key := "saved.answer"
	if !given.Detail.IsZero() {
		key = "saved.with_detail"
	}
	spans := []chat.Span{chat.Words(v.Say(key, "answer", answer, "element", el.Name.In(lang)))}
	if tooSoon {
		spans = append(spans, chat.Words("\n"), chat.Bold(v.Say("saved.too_soon")))
	}
	return []chat.Block{
		chat.Text{Spans: spans},
		Row(
			Button(v.Say("button.change_answer"), chat.NewAction("change", id, element)),
			detailButton(v, id, m, element, given.Detail),
		),
	}
}

// detailButton opens the form for what may be added to an element.
func detailButton(
	v locale.Voice, round string, m *matrix.Matrix, element string, had results.Detail,
) chat.Button {
	label, has := v.Say("button.detail"), "0"
	if !had.IsZero() {
		label, has = v.Say("button.detail_change"), "1"
	}
	of := m.ID + "." + strconv.Itoa(m.Version)
	return Button(label, chat.NewAction("detail", round, element, has, of, v.Lang))
}

// elementCard draws one element below the blocks of top.
func elementCard(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	element string, top []chat.Block,
) (chat.Card, error) {
	el, i, ok := m.Element(element)
	if !ok {
		return chat.Card{}, matrix.ErrNoElement
	}
	given := resp.Answers[element]
	blocks := append(slices.Clone(top), question(v, part, m, el, i, given)...)
	if i == 0 && given.Rating == matrix.NotAnswered { // without a note, there is room for it
		blocks = append(blocks, chat.Paragraph(v.Say("element.how")))
	}
	blocks = append(blocks, ratingBlocks(v, part, m, el, i, given.Rating)...)
	if !given.Detail.IsZero() && given.Rating != matrix.NotAnswered {
		blocks = append(blocks, chat.Footnote(detailLine(v, m, given.Detail)))
	}
	blocks = append(blocks, chat.Divider{})
	return Of(append(blocks, navigation(v, part, m, resp, i)...)...), nil
}

// question returns the position in the survey, and the question of the element with that index.
func question(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, el matrix.Element, i int,
	given results.Answer,
) []chat.Block {
	lang, total := matrix.Lang(v.Lang), len(m.Elements())
	state := v.Say("element.open")
	if given.Rating != matrix.NotAnswered {
		state = v.Say("element.saved")
	}
	return []chat.Block{
		chat.Note{Spans: []chat.Span{
			chat.Words(part.Round.Area + " · "),
			chat.Bold(m.DimensionOf(el.ID).Name.In(lang)),
			chat.Words(" · " + step(v, i, total) + " · " + state + " "),
			chat.Meter{Done: i + 1, Total: total},
		}},
		chat.Heading{Text: el.Name.In(lang)},
		chat.Paragraph(el.Question.In(lang)),
		chat.Footnote(el.Help.In(lang)),
	}
}

// step returns the position of the element with that index, in words.
func step(v locale.Voice, i, total int) string {
	return v.Say("element.step", "i", i+1, "n", total)
}

// ratingBlocks returns the levels of an element and the other answers, each with its button.
func ratingBlocks(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, el matrix.Element, i int,
	given matrix.Rating,
) []chat.Block {
	lang := matrix.Lang(v.Lang)
	position := step(v, i, len(m.Elements()))
	button := func(rating matrix.Rating, label, spoken string) chat.Button {
		return ratingButton(v, ratingChoice{
			action: chat.NewAction("answer", string(part.Round.ID), el.ID, RatingArg(rating)),
			label:  label,
			spoken: spoken + ", " + position,
			chosen: given == rating,
		})
	}
	var blocks []chat.Block
	for k, level := range m.Levels {
		name := level.Name.In(lang)
		blocks = append(blocks, chat.Choice{
			Title:  name,
			Text:   el.Descriptors[k].In(lang),
			Button: button(matrix.Rating(k+1), level.Short.In(lang), name),
		})
	}
	dontKnow, notApplicable := v.Say("answer.dont_know"), v.Say("answer.not_applicable")
	return append(blocks, Row(
		button(matrix.DontKnow, dontKnow, dontKnow),
		button(matrix.NotApplicable, notApplicable, notApplicable),
	))
}

// navigation returns the buttons that lead from the element with that index to other cards.
func navigation(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response, i int,
) []chat.Block {
	elements, id := m.Elements(), string(part.Round.ID)
	element := elements[i].ID
	given := resp.Answers[element]
	back := chat.NewAction("me", id)
	if i > 0 {
		back = chat.NewAction("at", id, elements[i-1].ID)
	}
	toBack := Button(v.Say("button.back"), back)
	others := append([]chat.Button{
		Button(v.Say("button.list"), chat.NewAction("list", id)),
		Button(v.Say("button.kept"), chat.NewAction("kept", id)),
	}, OtherLanguages(v, part, chat.NewAction("at", id, element))...)
	forward, open := chat.NewAction("review", id), openAfter(m, resp, i)
	if given.Rating == matrix.NotAnswered {
		// An element that was skipped before is not asked again now.
		if _, at, ok := m.Element(open); ok && at > i {
			forward = chat.NewAction("at", id, open)
		}
		// There is no button for detail, which can be added once the element is answered.
		skip := Button(v.Say("button.skip"), forward)
		return []chat.Block{Row(append([]chat.Button{toBack, skip}, others...)...)}
	}
	next := v.Say("button.to_review")
	if open != "" {
		next, forward = v.Say("button.next"), chat.NewAction("at", id, open)
	}
	return []chat.Block{
		Row(toBack, detailButton(v, id, m, element, given.Detail), Primary(next, forward)),
		Row(others...),
	}
}

// ratingChoice is what a button for a rating shows and does.
type ratingChoice struct {
	action chat.Action
	label  string
	spoken string // for a screen reader
	chosen bool   // it is the current answer
}

// ratingButton returns the button that gives a rating.
func ratingButton(v locale.Voice, c ratingChoice) chat.Button {
	style, spoken := chat.Plain, c.spoken
	if c.chosen {
		style = chat.Primary
		spoken = v.Say("answer.chosen") + ": " + spoken
	}
	return chat.Button{
		Label:  c.label,
		Action: c.action,
		Chosen: c.chosen,
		Style:  style,
		Spoken: chat.Trim(spoken, chat.MaxSpoken),
	}
}

// RatingArg returns a rating as an argument of an action.
func RatingArg(r matrix.Rating) string {
	switch r {
	case matrix.DontKnow:
		return "dk"
	case matrix.NotApplicable:
		return "na"
	}
	return strconv.Itoa(int(r))
}

// detailLine returns what was added to an element.
func detailLine(v locale.Voice, m *matrix.Matrix, d results.Detail) string {
	var parts []string
	if n := len(d.Information); n > 0 {
		names := make([]string, n)
		for i, id := range d.Information {
			k, _ := m.InformationType(id)
			names[i] = k.Name.In(matrix.Lang(v.Lang))
		}
		parts = append(parts, v.Say("detail.information", "list", strings.Join(names, "; ")))
	}
	if d.Note != "" {
		parts = append(parts, v.Say("detail.note", "text", d.Note))
	}
	if d.Barrier != "" {
		parts = append(parts, v.Say("detail.barrier", "text", d.Barrier))
	}
	return strings.Join(parts, "\n")
}

// Next draws the first question without an answer after the last answered one; if there is
// none, the first without an answer; and the review when all are answered.
func Next(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
) (chat.Card, error) {
	elements := m.Elements()
	last := len(elements) - 1
	for i, e := range elements {
		if resp.Answers[e.ID].Rating != matrix.NotAnswered {
			last = i
		}
	}
	if element := openAfter(m, resp, last); element != "" {
		return elementCard(v, part, m, resp, element, nil)
	}
	return Review(v, part, m, resp)
}

// openAfter returns the first element after the i-th that has no answer, wrapping around at the
// end, or "" if each has one.
func openAfter(m *matrix.Matrix, resp results.Response, i int) string {
	elements := m.Elements()
	for step := range elements {
		e := elements[(i+1+step)%len(elements)]
		if resp.Answers[e.ID].Rating == matrix.NotAnswered {
			return e.ID
		}
	}
	return ""
}
