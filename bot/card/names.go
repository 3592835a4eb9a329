package card

import (
	"fmt"
	"strings"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// postNames are the names of the posts that a coordinator may switch off.
var postNames = map[survey.MessageKind]string{
	survey.Opened:      "posts.name_opened",
	survey.Digest:      "posts.name_digest",
	survey.LastDay:     "posts.name_last",
	survey.ResultsPost: "posts.name_results",
	survey.WorkshopEve: "posts.name_eve",
}

// PostName returns the name of a post that a coordinator may switch off, or "" for any other kind.
func PostName(v locale.Voice, kind survey.MessageKind) string {
	key, ok := postNames[kind]
	if !ok {
		return ""
	}
	return v.Say(key)
}

// Mention names a person, by the stored id if it cannot be read.
func Mention(id survey.PersonID) chat.Span {
	p, err := chat.ParsePerson(string(id))
	if err != nil {
		return chat.Words(fmt.Sprintf("(%s)", id))
	}
	return chat.Mention{Person: p}
}

// LabelledList returns a paragraph of a bold label and the items after it.
func LabelledList(label string, items []string) chat.Text {
	return chat.Text{Spans: []chat.Span{
		chat.Bold(label), chat.Words(" " + strings.Join(items, " · ")),
	}}
}

// roleName returns a role in words, also for a person without one.
func roleName(v locale.Voice, m *matrix.Matrix, id string) string {
	switch id {
	case "":
		return v.Say("me.none")
	case survey.Unstated:
		return v.Say("me.unstated")
	}
	r, _, ok := m.Role(id)
	if !ok {
		return id
	}
	return r.Name.In(matrix.Lang(v.Lang))
}

// LanguageName returns a language's own name, or its code if the bot does not speak it.
func LanguageName(v locale.Voice, l matrix.Lang) string {
	if l != matrix.English && l != matrix.Welsh {
		return string(l)
	}
	return v.In(string(l)).Say("language.name")
}

// WorkshopTime returns when and where the workshop is, in words.
func WorkshopTime(v locale.Voice, r survey.Round) string {
	if r.Workshop.At.IsZero() {
		return v.Say("facts.no_workshop")
	}
	when := v.Time(r.Workshop.At.In(r.Location()))
	if r.Workshop.Place != "" {
		when += ", " + r.Workshop.Place
	}
	return when
}

// ClosedTime returns when a round closed, in words, or when it is planned to close if it is open.
func ClosedTime(v locale.Voice, round survey.Round) string {
	at := round.ClosesAt
	if round.State == survey.Closed {
		at = round.ClosedAt
	}
	return v.Time(at.In(round.Location()))
}

// RoundTime returns a time of the round in words, with the time zone if the participant's clock
// differs.
func RoundTime(v locale.Voice, part survey.Participation, t time.Time) string {
	_, here := t.In(part.Round.Location()).Zone()
	if _, there := t.In(part.Round.ZoneOf(part.Member)).Zone(); here != there {
		return v.Time(t.In(part.Round.Location())) + " (" + part.Round.TimeZone + ")"
	}
	return v.Time(t.In(part.Round.Location()))
}
