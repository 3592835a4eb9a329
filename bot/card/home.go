package card

import (
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
)

// OwnRound shows a participant one of their rounds on the home card. progress says how far they are
// in a survey that they have started.
func OwnRound(
	v locale.Voice, part survey.Participation, progress string, now time.Time,
) []chat.Block {
	r, id := part.Round, string(part.Round.ID)
	line, forward := ownRound(v, part, progress, now)
	blocks := []chat.Block{
		chat.Text{Spans: []chat.Span{chat.Bold(r.Area), chat.Words("\n" + line)}},
	}
	if forward == "" {
		return blocks
	}
	buttons := []chat.Button{Primary(forward, chat.NewAction("resume", id))}
	if part.Member.RemindersOff {
		buttons = append(buttons, Button(v.Say("button.again"), chat.NewAction("again", id)))
	}
	return append(blocks, Row(buttons...))
}

// ownRound returns the state of a round for a participant, and the label of the button that leads
// on, if any does.
func ownRound(
	v locale.Voice, part survey.Participation, progress string, now time.Time,
) (line, forward string) {
	closes := ClosingTime(v, part.Round)
	if !part.Round.AcceptsAnswers(now) {
		if part.Round.State == survey.Open && part.Member.TakesPart() {
			return v.Say("over.waiting", "closes", closes), v.Say("button.what_kept")
		}
		return v.Say("home.closed", "closed", ClosedTime(v, part.Round)), ""
	}
	switch part.Member.Status {
	case survey.Finished:
		return v.Say("home.finished", "closes", closes), v.Say("button.change")
	case survey.Started:
		return progress, v.Say("button.continue")
	case survey.Withdrawn:
		return v.Say("withdrawn.body", "area", part.Round.Area), ""
	}
	return v.Say("home.invited", "closes", closes), v.Say("button.start")
}

// CoordinatedRound shows a coordinator one of their rounds on the home card, with its response
// rates if it was opened.
func CoordinatedRound(
	v locale.Voice, r survey.Round, s survey.Progress, now time.Time,
) []chat.Block {
	line := v.Say("draft.waiting")
	if r.State != survey.Draft {
		finished := percent(s.Finished, s.Invited)
		line = RoundStatus(v, r, now) + "\n" + v.Count("status.invited", s.Invited) + " · " +
			v.Count("status.finished", s.Finished, "percent", finished)
	}
	title := chat.Bold(v.Say("home.coordinator", "area", r.Area))
	return []chat.Block{
		chat.Text{Spans: []chat.Span{title, chat.Words("\n" + line)}},
		Row(Button(v.Say("button.status"), onRound("status", r, v))),
	}
}
