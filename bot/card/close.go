package card

import (
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
)

// AskToClose asks whether to close a survey. why is the reason why its channel takes no results, or
// nil. Where there is one, the button closes the survey without posting them.
func AskToClose(
	v locale.Voice, s survey.Progress, to chat.Place, why *chat.CannotPostError, now time.Time,
) chat.Card {
	r := s.Round
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("close.title", "area", r.Area)},
		chat.Paragraph(v.Say("close.means")),
	}
	verb, confirm := "closenow", v.Say("close.confirm")
	if why == nil {
		posts := chat.Words(": " + v.Say("close.posts"))
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Link{Place: to}, posts}})
	} else {
		verb, confirm = "closeonly", v.Say("close.confirm_only")
		blocks = append(blocks, CannotPost(v, v.Say("cannot_post.close"), to, why)...)
		blocks = append(blocks, chat.Paragraph(v.Say("close.anyway")))
	}
	if r.AcceptsAnswers(now) {
		early := chat.Bold(v.Say("close.early", "closes", ClosingTime(v, r)))
		blocks = append(blocks, chat.Text{Spans: []chat.Span{early}})
	}
	return Of(append(blocks,
		chat.Paragraph(ResponseRates(v, s)),
		Row(
			chat.Button{
				Label:  v.Say("button.close_now"),
				Action: onRound(verb, r, v),
				Style:  chat.Danger,
				Confirm: &chat.Confirm{
					Title: v.Say("close.confirm_title"),
					Text:  confirm,
					Yes:   v.Say("close.yes"),
					No:    v.Say("close.no"),
				},
			},
			Button(v.Say("button.extend"), onRound("extend", r, v)),
		),
	)...)
}
