package discord

import (
	"testing"

	"maturitybot/adapters/discord/fake"
	"maturitybot/bot/chat"
)

// The fake reads a card as it was sent, so that transcripts can be compared with it.
func TestReadCards(t *testing.T) {
	press := func(label string) chat.Button { return chat.Button{Label: label, Action: chat.NewAction("go", label)} }
	row := func(n int) chat.Buttons {
		var b chat.Buttons
		for i := range n {
			b.Buttons = append(b.Buttons, press(string(rune('a'+i))))
		}
		return b
	}
	for name, c := range map[string]chat.Card{
		"text": {Blocks: []chat.Block{
			chat.Heading{Text: "Element 3 of 17: *joint* #plan"},
			chat.Text{Spans: []chat.Span{chat.Words("By 1. June, "), chat.Bold("ana_b"), chat.Words(" & "), chat.Mention{Person: person(ben)}, chat.Words(" <b> `x` \\ ~\n- one\n# two")}},
			chat.Note{Spans: []chat.Span{chat.Meter{Done: 3, Total: 17}, chat.Words(" 3 of 17\nnothing is lost")}},
			chat.Table{Text: "a  b\n1  2"}, chat.Divider{}, chat.Paragraph("https://example.org/a_b"),
		}},
		"choices": {Blocks: []chat.Block{
			chat.Choice{Title: "1. Basic", Text: "A *commitment*.", Button: press("Basic")},
			chat.Choice{Title: "Mature", Text: "Others learn\nfrom it.", Button: chat.Button{Label: "Mature", Action: chat.NewAction("answer", "4"), Chosen: true}},
			chat.Menu{Action: chat.NewAction("jump"), Placeholder: "Jump to", Options: []chat.Option{{Value: "a", Label: "One"}, {Value: "b", Label: "Two"}}},
		}},
		"twelve buttons": {Blocks: []chat.Block{chat.Paragraph("a"), row(12)}},
		"two rows":       {Blocks: []chat.Block{chat.Paragraph("a"), chat.Buttons{Buttons: []chat.Button{press("x"), press("y")}}, row(3)}},
		"a question": {Blocks: []chat.Block{chat.Buttons{Buttons: []chat.Button{press("Back"), {
			Label: "Close", Action: chat.NewAction("closenow"), Style: chat.Danger, Confirm: &chat.Confirm{Title: "Close?", Text: "It is final.", Yes: "Close", No: "Keep"},
		}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.Check(); err != nil {
				t.Fatal(err)
			}
			m, err := message(c, false, nil)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := encode(m.Components)
			if err != nil {
				t.Fatal(err)
			}
			got, err := fake.ReadCard(raw)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != c.String() {
				t.Errorf("got\n%swant\n%s", got, c)
			}
		})
	}
}

func TestReadForms(t *testing.T) {
	f := form(
		chat.Input{Label: chat.Label{ID: "note", Text: "Note", Hint: "Name no one", Optional: true}, Value: "as it was", Max: 500, Lines: true},
		chat.Select{Label: chat.Label{ID: "held", Text: "Held"}, Many: true, Chosen: []string{"b"}, Options: []chat.Option{{Value: "a", Label: "One"}, {Value: "b", Label: "Two"}}},
		chat.Date{Label: chat.Label{ID: "closes", Text: "Closes"}, Value: "2026-12-11"}, chat.TimeOfDay{Label: chat.Label{ID: "at", Text: "At"}, Value: "17:00"},
	)
	for _, f := range []chat.Form{f, form(chat.People{Label: chat.Label{ID: "people", Text: "People"}}, chat.Channel{Label: chat.Label{ID: "channel", Text: "Channel"}})} {
		f.Intro, f.Submit = "What *else*?", "Submit"
		m, err := modal(f)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := encode(m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := fake.ReadForm(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != f.String() {
			t.Errorf("got\n%swant\n%s", got, f)
		}
	}
}
