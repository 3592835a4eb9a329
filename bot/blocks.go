package bot

import (
	"fmt"
	"strings"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

func person(p chat.Person) survey.PersonID { return survey.PersonID(p.String()) }

// updated returns the reply that changes the card that was pressed.
func updated(blocks ...chat.Block) []chat.Reply {
	return []chat.Reply{chat.Update{Card: card.Of(blocks...)}}
}

// whispered returns the reply that shows a card to the person of the event alone.
func whispered(blocks ...chat.Block) []chat.Reply {
	return []chat.Reply{chat.Whisper{Card: card.Of(blocks...)}}
}

func mention(id survey.PersonID) chat.Span {
	p, err := chat.ParsePerson(string(id))
	if err != nil {
		return chat.Words(fmt.Sprintf("(%s)", id))
	}
	return chat.Mention{Person: p}
}

// labelledList returns a paragraph of a bold label and the items after it.
func labelledList(label string, items []string) chat.Text {
	return chat.Text{Spans: []chat.Span{
		chat.Bold(label), chat.Words(" " + strings.Join(items, " · ")),
	}}
}

// inLanguages lays out a card in several languages, for a person whose language is not known. The
// text of each language stands above its own buttons.
func (h *Tools) inLanguages(
	langs []matrix.Lang, write func(v locale.Voice, lang string) []chat.Block,
) chat.Card {
	var blocks []chat.Block
	for i, lang := range langs {
		if i > 0 {
			blocks = append(blocks, chat.Divider{})
		}
		blocks = append(blocks, write(h.Words.In(string(lang)), string(lang))...)
	}
	return card.Of(blocks...)
}
