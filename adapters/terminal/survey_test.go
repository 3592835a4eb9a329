package terminal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"maturitybot/bot/chat"
)

// small is a bot of two questions, with everything in it that a terminal must be able to show.
type small struct {
	mu     sync.Mutex
	level  string
	detail string
	events []chat.Event
	// whatever answers an event that the bot itself does not know.
	whatever func(chat.Event) []chat.Reply
}

func (s *small) Ack(chat.Event) chat.Ack { return chat.AckUpdate }

var levels = []struct{ id, name, text string }{
	{"1", "Basic", "Partners agree that money and staff should follow the shared plan, but nobody has yet added up who spends what."},
	{"2", "Early", "One or two partners have listed their budgets and services for families with young children; the lists are not joined up."},
	{"3", "Substantial", "All main partners share one picture of spending and services, and have moved something because of it."},
	{"4", "Mature", "The shared picture is kept up to date and steers every partner's budget; others come to learn how it is done."},
}

func (s *small) element() chat.Card {
	blocks := []chat.Block{
		chat.Note{Spans: []chat.Span{chat.Bold("Plan"), chat.Words(" · 3 of 17 · ▰▰▱▱▱▱▱▱ · saved")}},
		chat.Heading{Text: "Commissioning and resources"},
		chat.Paragraph("How well are money, people and services, across all partners, known and pointed at the shared plan?"),
		chat.Divider{},
	}
	for _, l := range levels {
		b := chat.Button{Label: l.name, Action: chat.NewAction("answer", l.id), Chosen: s.level == l.id}
		if b.Chosen {
			b.Style = chat.Primary
		}
		blocks = append(blocks, chat.Choice{Title: l.name, Text: l.text, Button: b})
	}
	return chat.Card{Blocks: append(blocks,
		chat.Buttons{Buttons: []chat.Button{
			{Label: "Don't know", Action: chat.NewAction("answer", "dk"), Chosen: s.level == "dk"},
			{Label: "Not applicable to me", Action: chat.NewAction("answer", "na"), Chosen: s.level == "na"}}},
		chat.Divider{},
		chat.Buttons{Buttons: []chat.Button{
			{Label: "‹ Back", Action: chat.NewAction("notice"), Spoken: "Back to the element before"},
			{Label: "Add detail", Action: chat.NewAction("detail")},
			{Label: "Next ›", Action: chat.NewAction("review"), Style: chat.Primary}}},
		chat.Menu{Action: chat.NewAction("jump"), Placeholder: "All elements", Options: []chat.Option{
			{Value: "e1", Label: "Shared strategy"}, {Value: "e2", Label: "Leadership"}}},
	)}
}

func (s *small) review() chat.Card {
	return chat.Card{Blocks: []chat.Block{
		chat.Heading{Text: "Your answers"},
		chat.Paragraph("Commissioning and resources: level " + s.level + "."),
		chat.Buttons{Buttons: []chat.Button{
			{Label: "Submit", Action: chat.NewAction("submit"), Style: chat.Primary},
			{Label: "Erase my answers", Action: chat.NewAction("erase"), Style: chat.Danger, Confirm: &chat.Confirm{
				Title: "Erase your answers?", Text: "They cannot be brought back.", Yes: "Erase", No: "Keep them"}}}},
	}}
}

func (s *small) form() chat.Form {
	return chat.Form{Title: "Add detail", Intro: "All of it is optional.", Submit: "Save", Cancel: "Cancel",
		Action: chat.NewAction("detailed"), Fields: []chat.Field{
			chat.Select{Label: chat.Label{ID: "held", Text: "Information held", Optional: true}, Many: true, Options: []chat.Option{
				{Value: "data", Label: "Local data"}, {Value: "talks", Label: "Interviews, talks"}, {Value: "none", Label: "None"}}},
			chat.Input{Label: chat.Label{ID: "note", Text: "Note", Hint: "Please name no one.", Optional: true}, Value: s.detail, Max: 20, Lines: true},
			chat.Input{Label: chat.Label{ID: "barrier", Text: "Barrier", Optional: true}, Max: 10},
			chat.Date{Label: chat.Label{ID: "day", Text: "Day", Optional: true}},
			chat.TimeOfDay{Label: chat.Label{ID: "time", Text: "Time", Optional: true}},
			chat.Select{Label: chat.Label{ID: "scope", Text: "I answer for"}, Chosen: []string{"team"}, Options: []chat.Option{
				{Value: "team", Label: "My team"}, {Value: "area", Label: "The whole area"}}},
			chat.People{Label: chat.Label{ID: "people", Text: "People", Optional: true}},
		}}
}

func (s *small) Handle(_ context.Context, e chat.Event) []chat.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	switch e.Action.Verb {
	case "start":
		return []chat.Reply{chat.Whisper{Card: s.element()}}
	case "answer":
		s.level = e.Action.Args[0]
		return []chat.Reply{chat.Update{Card: s.element()}}
	case "notice":
		return []chat.Reply{chat.Whisper{Card: chat.Card{Blocks: []chat.Block{chat.Paragraph("This is the first element.")}}}}
	case "jump":
		return []chat.Reply{chat.Whisper{Card: chat.Card{Blocks: []chat.Block{chat.Heading{Text: "Picked " + e.Value(chat.Picked)},
			chat.Buttons{Buttons: []chat.Button{{Label: "Keep", Action: chat.NewAction("answer", "1")}}}}}}}
	case "detail":
		return []chat.Reply{chat.OpenForm{Form: s.form()}}
	case "detailed":
		if strings.Contains(e.Value("note"), "Ana") {
			return []chat.Reply{chat.FieldErrors{Fields: map[string]string{"note": "That reads like a name."}}}
		}
		s.detail = e.Value("note")
		return []chat.Reply{chat.Update{Card: s.element()}}
	case "review":
		return []chat.Reply{chat.Update{Card: s.review()}}
	case "erase":
		return []chat.Reply{chat.Update{Card: chat.Card{Blocks: []chat.Block{chat.Heading{Text: "Erased"}, chat.Paragraph("Nothing of yours is kept.")}}}}
	case "submit":
		return []chat.Reply{
			chat.Update{Card: chat.Card{Blocks: []chat.Block{chat.Heading{Text: "Thank you"}, chat.Paragraph("Your receipt: level " + s.level + "."),
				chat.Buttons{Buttons: []chat.Button{{Label: "Change", Action: chat.NewAction("start")}}}}}},
			chat.Post{To: chat.Place{Platform: "terminal", Channel: "coordinators"}, Card: chat.Card{Blocks: []chat.Block{chat.Paragraph("One more has finished.")}}},
		}
	}
	if s.whatever != nil {
		return s.whatever(e)
	}
	return nil
}

// said returns what the bot received, one line for each input.
func (s *small) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, e := range s.events {
		line := fmt.Sprintf("%s %d %s", e.ID, e.Kind, strings.Join(append([]string{e.Action.Verb}, e.Action.Args...), ":"))
		keys := make([]string, 0, len(e.Values))
		for k := range e.Values {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			line += fmt.Sprintf(" %s=%q", k, e.Values[k])
		}
		all = append(all, line)
	}
	return all
}

func receipt(c chat.Card) bool {
	h, ok := c.Blocks[0].(chat.Heading)
	return ok && h.Text == "Thank you"
}

var (
	ben   = chat.Person{Platform: "terminal", Workspace: "w", ID: "ben"}
	place = chat.Place{Platform: "terminal", Workspace: "w", Channel: "dm"}
	start = chat.Event{Kind: chat.Command, Who: ben, Where: place, Action: chat.NewAction("start"), Admin: true, Locale: "en"}
)
