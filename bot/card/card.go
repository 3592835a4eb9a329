// Package card draws cards from values: a voice, a participation, the matrix and the participant's
// response. Its functions use no store and no clock, so every card can be tested and previewed.
package card

import (
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// Of returns the card with the given blocks.
func Of(blocks ...chat.Block) chat.Card { return chat.Card{Blocks: blocks} }

// Row returns a row of buttons.
func Row(buttons ...chat.Button) chat.Buttons { return chat.Buttons{Buttons: buttons} }

// Button returns a plain button.
func Button(label string, a chat.Action) chat.Button { return chat.Button{Label: label, Action: a} }

// Primary returns the button for what most users do next.
func Primary(label string, a chat.Action) chat.Button {
	return chat.Button{Label: label, Action: a, Style: chat.Primary}
}

// OtherLanguages returns buttons that show the same card in the other languages that it offers.
func OtherLanguages(v locale.Voice, part survey.Participation, then chat.Action) []chat.Button {
	return otherLanguages(v, offeredLanguages(part), then)
}

// offeredLanguages returns the languages that a person's cards offer: those of the round, or none for
// people who take part by link, because each page offers them already.
func offeredLanguages(part survey.Participation) []matrix.Lang {
	if part.Member.Person.ByLink() {
		return nil
	}
	return part.Round.Languages
}

func otherLanguages(v locale.Voice, all []matrix.Lang, then chat.Action) []chat.Button {
	var buttons []chat.Button
	for _, lang := range all {
		spoken := v.In(string(lang)).Lang == string(lang)
		if string(lang) == v.Lang || !spoken || len(then.Args) == 0 {
			continue
		}
		args := append([]string{then.Args[0], string(lang), then.Verb}, then.Args[1:]...)
		buttons = append(buttons,
			Button(v.In(string(lang)).Say("language.name"), chat.NewAction("lang", args...)),
		)
	}
	return buttons
}

// ClosingTime returns the round's closing time in words.
func ClosingTime(v locale.Voice, round survey.Round) string {
	return v.Time(round.ClosesAt.In(round.Location()))
}
