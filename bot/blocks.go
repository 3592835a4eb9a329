package bot

import (
	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
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
