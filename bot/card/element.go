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

// After shows what comes after the answer to an element: the next question that is still open,
// or the review when none is. Its first line says what was saved, and the buttons beside it lead
// back to that answer. With tooSoon it also says that a press on the new card was not taken, since
// it came too soon after that answer.
func After(element string, tooSoon bool) Drawing {
	return func(
		v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	) (chat.Card, error) {
		_, i, ok := m.Element(element)
		if !ok {
			return chat.Card{}, matrix.ErrNoElement
		}
		// Nothing is said to be saved where nothing is.
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
	return Button(label, chat.NewAction("detail", round, element, has, m.ID, v.Lang))
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
	id, lang, elements := string(part.Round.ID), matrix.Lang(v.Lang), m.Elements()
	given := resp.Answers[element]
	state := v.Say("element.open")
	if given.Rating != matrix.NotAnswered {
		state = v.Say("element.saved")
	}
	step := v.Say("element.step", "i", i+1, "n", len(elements))
	blocks := append(slices.Clone(top),
		chat.Note{Spans: []chat.Span{
			chat.Words(part.Round.Area + " · "),
			chat.Bold(m.DimensionOf(element).Name.In(lang)),
			chat.Words(" · " + step + " · " + state + " "),
			chat.Meter{Done: i + 1, Total: len(elements)},
		}},
		chat.Heading{Text: el.Name.In(lang)},
		chat.Paragraph(el.Question.In(lang)),
		chat.Footnote(el.Help.In(lang)),
	)
	for k, level := range m.Levels {
		rating := matrix.Rating(k + 1)
		chosen := given.Rating == rating
		blocks = append(blocks, chat.Choice{
			Title: level.Name.In(lang), Text: el.Descriptors[k].In(lang),
			Button: ratingButton(
				v,
				id,
				element,
				rating,
				level.Short.In(lang),
				chosen,
				level.Name.In(lang)+", "+step,
			),
		})
	}
	blocks = append(blocks, Row(
		ratingButton(
			v,
			id,
			element,
			matrix.DontKnow,
			v.Say("answer.dont_know"),
			given.Rating == matrix.DontKnow,
			v.Say("answer.dont_know")+", "+step,
		),
		ratingButton(
			v,
			id,
			element,
			matrix.NotApplicable,
			v.Say("answer.not_applicable"),
			given.Rating == matrix.NotApplicable,
			v.Say("answer.not_applicable")+", "+step,
		),
	))
	back := chat.NewAction("me", id)
	if i > 0 {
		back = chat.NewAction("at", id, elements[i-1].ID)
	}
	others := append([]chat.Button{
		Button(v.Say("button.list"), chat.NewAction("list", id)),
		Button(v.Say("button.kept"), chat.NewAction("kept", id)),
	}, OtherLanguages(v, part, chat.NewAction("at", id, element))...)
	toBack := Button(v.Say("button.back"), back)
	forward, open := chat.NewAction("review", id), openAfter(m, resp, i)
	if given.Rating == matrix.NotAnswered {
		if _, at, ok := m.Element(open); ok &&
			at > i { // what was skipped before is not asked again now
			forward = chat.NewAction("at", id, open)
		}
		// Detail is for what was answered, and one tap away once it is.
		blocks = append(blocks, chat.Divider{},
			Row(append([]chat.Button{toBack, Button(v.Say("button.skip"), forward)}, others...)...))
		return Of(blocks...), nil
	}
	if !given.Detail.IsZero() {
		blocks = append(blocks, chat.Footnote(detailLine(v, m, given.Detail)))
	}
	next := v.Say("button.to_review")
	if open != "" {
		next, forward = v.Say("button.next"), chat.NewAction("at", id, open)
	}
	blocks = append(blocks, chat.Divider{},
		Row(toBack, detailButton(v, id, m, element, given.Detail), Primary(next, forward)),
		Row(others...))
	return Of(blocks...), nil
}

// ratingButton returns the button that gives a rating.
func ratingButton(
	v locale.Voice,
	round, element string,
	r matrix.Rating,
	label string,
	chosen bool,
	spoken string,
) chat.Button {
	style := chat.Plain
	if chosen {
		style = chat.Primary
		spoken = v.Say("answer.chosen") + ": " + spoken
	}
	return chat.Button{
		Label:  label,
		Action: chat.NewAction("answer", round, element, RatingArg(r)),
		Chosen: chosen,
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
