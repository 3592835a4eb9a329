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

// Elements draws the cards of elements. Since many people see the same ones, it keeps those that it
// drew last, with what the platforms made of them (see chat.Share). It keeps no card with words that
// a person added.
type Elements struct {
	kept *recent[elementView, chat.Card]
}

// maxElementCards is how many cards are kept at most, each of about 20 KB. A round has a hundred that
// most people see: one for each element and rating before it.
const maxElementCards = 512

// NewElements returns an Elements that has drawn nothing yet.
func NewElements() *Elements {
	return &Elements{newRecent[elementView, chat.Card](maxElementCards)}
}

// elementView is everything that the card of an element shows, except for what a person added in
// words. The functions that draw the card get nothing else, so that cards of equal views are equal.
type elementView struct {
	round     survey.RoundID
	area      string
	languages string // of the round, with a space between them
	lang      string // of the voice
	matrix    *matrix.Matrix
	element   string
	rating    matrix.Rating
	open      string // the first element after it that has no answer, or ""
	saved     savedView
}

// savedView is what a card says at its top about the answer that was just saved. It is the zero value
// on a card without that.
type savedView struct {
	element   string
	rating    matrix.Rating
	hasDetail bool
	tooSoon   bool
}

// Element returns a drawing of one element of the matrix. It fails with matrix.ErrNoElement for an
// unknown element.
func (d *Elements) Element(element string) Drawing {
	return func(
		v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	) (chat.Card, error) {
		return d.draw(v, part, m, resp, element, savedView{})
	}
}

// After shows what comes after the answer to an element: the next question that is still open, or
// the review when none is. Its first line says what was saved, and the buttons beside it lead back
// to that answer. With tooSoon it also says that a press on the new card was not saved, because it
// came too soon after that answer.
func (d *Elements) After(element string, tooSoon bool) Drawing {
	return func(
		v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	) (chat.Card, error) {
		_, i, ok := m.Element(element)
		if !ok {
			return chat.Card{}, matrix.ErrNoElement
		}
		given := resp.Answers[element]
		// Without a saved answer, there is nothing to confirm.
		if given.Rating == matrix.NotAnswered {
			return d.draw(v, part, m, resp, element, savedView{})
		}
		saved := savedView{
			element: element, rating: given.Rating, hasDetail: !given.Detail.IsZero(), tooSoon: tooSoon,
		}
		if open := openAfter(m, resp, i); open != "" {
			return d.draw(v, part, m, resp, open, saved)
		}
		review, err := Review(v, part, m, resp)
		review.Blocks = slices.Concat(savedBlocks(v, part.Round.ID, m, saved), review.Blocks)
		return review, err
	}
}

// Next draws the first question without an answer after the last answered one; if there is none, the
// first without an answer; and the review when all are answered.
func (d *Elements) Next(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
) (chat.Card, error) {
	last := -1
	for i, e := range m.InOrder() {
		if resp.Answers[e.ID].Rating != matrix.NotAnswered {
			last = i
		}
	}
	if element := openAfter(m, resp, last); element != "" {
		return d.draw(v, part, m, resp, element, savedView{})
	}
	return Review(v, part, m, resp)
}

// draw draws an element, below what was saved before.
func (d *Elements) draw(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	element string, saved savedView,
) (chat.Card, error) {
	_, i, ok := m.Element(element)
	if !ok {
		return chat.Card{}, matrix.ErrNoElement
	}
	given := resp.Answers[element]
	view := elementView{
		round:     part.Round.ID,
		area:      part.Round.Area,
		languages: joinLanguages(offeredLanguages(part)),
		lang:      v.Lang,
		matrix:    m,
		element:   element,
		rating:    given.Rating,
		open:      openAfter(m, resp, i),
		saved:     saved,
	}
	if !given.Detail.IsZero() {
		return elementCard(v, view, given.Detail), nil
	}
	draw := func() chat.Card { return chat.Share(elementCard(v, view, results.Detail{})) }
	return d.kept.get(view, draw), nil
}

// joinLanguages writes languages as elementView holds them.
func joinLanguages(all []matrix.Lang) string {
	words := make([]string, len(all))
	for i, lang := range all {
		words[i] = string(lang)
	}
	return strings.Join(words, " ")
}

// splitLanguages reads what joinLanguages wrote.
func splitLanguages(joined string) []matrix.Lang {
	var all []matrix.Lang
	for word := range strings.FieldsSeq(joined) {
		all = append(all, matrix.Lang(word))
	}
	return all
}

// savedBlocks says what is saved for an element, with buttons to change it and to add detail to it.
func savedBlocks(
	v locale.Voice, round survey.RoundID, m *matrix.Matrix, saved savedView,
) []chat.Block {
	el, i, _ := m.Element(saved.element)
	lang := matrix.Lang(v.Lang)
	answer := ratingName(v, m, saved.rating)
	if saved.rating > 0 && int(saved.rating) <= len(m.Levels) {
		answer = m.Levels[saved.rating-1].Name.In(lang)
	}
	key, label := "saved.answer", "button.detail_to"
	if saved.hasDetail {
		key, label = "saved.with_detail", "button.detail_of"
	}
	// The buttons stand above the next question, so they name the one that they are for.
	detail := detailButton(v, round, m, saved.element, saved.hasDetail)
	detail.Label = v.Say(label, "i", i+1)
	spans := []chat.Span{chat.Words(v.Say(key, "answer", answer, "element", el.Name.In(lang)))}
	if saved.tooSoon {
		spans = append(spans, chat.Words("\n"), chat.Bold(v.Say("saved.too_soon")))
	}
	return []chat.Block{
		chat.Text{Spans: spans},
		Row(
			Button(v.Say("button.change_answer", "i", i+1),
				chat.NewAction("change", string(round), saved.element)),
			detail,
		),
	}
}

// detailButton opens the form for what may be added to an element. had is true if something was added
// before.
func detailButton(
	v locale.Voice, round survey.RoundID, m *matrix.Matrix, element string, had bool,
) chat.Button {
	label, has := v.Say("button.detail"), "0"
	if had {
		label, has = v.Say("button.detail_change"), "1"
	}
	of := m.ID + "." + strconv.Itoa(m.Version)
	return Button(label, chat.NewAction("detail", string(round), element, has, of, v.Lang))
}

// elementCard draws a view, with what the person added to the element.
func elementCard(v locale.Voice, view elementView, detail results.Detail) chat.Card {
	m := view.matrix
	el, i, _ := m.Element(view.element)
	var blocks []chat.Block
	if view.saved != (savedView{}) {
		blocks = savedBlocks(v, view.round, m, view.saved)
		if _, at, _ := m.Element(view.saved.element); i < at { // it was passed over before
			blocks = append(blocks, chat.Footnote(v.Say("element.come_back")))
		}
	}
	blocks = append(blocks, question(v, view, el, i)...)
	if i == 0 && view.rating == matrix.NotAnswered { // without a note, there is room for it
		blocks = append(blocks, chat.Paragraph(v.Say("element.how")))
	}
	blocks = append(blocks, ratingBlocks(v, view, el, i)...)
	if !detail.IsZero() && view.rating != matrix.NotAnswered {
		blocks = append(blocks, chat.Footnote(detailLine(v, m, detail)))
	}
	blocks = append(blocks, chat.Divider{})
	return Of(append(blocks, navigation(v, view, i, !detail.IsZero())...)...)
}

// question returns the position in the survey, and the question of the element with that index.
func question(v locale.Voice, view elementView, el matrix.Element, i int) []chat.Block {
	m := view.matrix
	lang, total := matrix.Lang(v.Lang), len(m.Elements())
	state := v.Say("element.open")
	if view.rating != matrix.NotAnswered {
		state = v.Say("element.saved")
	}
	return []chat.Block{
		chat.Note{Spans: []chat.Span{
			chat.Words(view.area + " · "),
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
func ratingBlocks(v locale.Voice, view elementView, el matrix.Element, i int) []chat.Block {
	m, lang := view.matrix, matrix.Lang(v.Lang)
	position := step(v, i, len(m.Elements()))
	button := func(rating matrix.Rating, label, spoken string) chat.Button {
		return ratingButton(v, ratingChoice{
			action: chat.NewAction("answer", string(view.round), el.ID, RatingArg(rating)),
			label:  label,
			spoken: spoken + ", " + position,
			chosen: view.rating == rating,
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
func navigation(v locale.Voice, view elementView, i int, hasDetail bool) []chat.Block {
	m, id := view.matrix, string(view.round)
	back := chat.NewAction("me", id)
	if i > 0 {
		back = chat.NewAction("at", id, m.Elements()[i-1].ID)
	}
	toBack := Button(v.Say("button.back"), back)
	others := append([]chat.Button{
		Button(v.Say("button.list"), chat.NewAction("list", id)),
		Button(v.Say("button.kept"), chat.NewAction("kept", id)),
	}, otherLanguages(v, splitLanguages(view.languages), chat.NewAction("at", id, view.element))...)
	forward := chat.NewAction("review", id)
	if view.rating == matrix.NotAnswered {
		// An element that was skipped before is not asked again now.
		if _, at, ok := m.Element(view.open); ok && at > i {
			forward = chat.NewAction("at", id, view.open)
		}
		// There is no button for detail, which can be added once the element is answered.
		skip := Button(v.Say("button.skip"), forward)
		return []chat.Block{Row(append([]chat.Button{toBack, skip}, others...)...)}
	}
	next := v.Say("button.to_review")
	if view.open != "" {
		next, forward = v.Say("button.next"), chat.NewAction("at", id, view.open)
	}
	return []chat.Block{
		Row(toBack, detailButton(v, view.round, m, view.element, hasDetail), Primary(next, forward)),
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

// openAfter returns the first element after the i-th that has no answer, wrapping around at the
// end, or "" if each has one.
func openAfter(m *matrix.Matrix, resp results.Response, i int) string {
	before := ""
	for k, e := range m.InOrder() {
		switch {
		case resp.Answers[e.ID].Rating != matrix.NotAnswered:
		case k > i:
			return e.ID
		case before == "":
			before = e.ID
		}
	}
	return before
}
