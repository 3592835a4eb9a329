package terminal

import (
	"context"
	"maturitybot/bot/chat"
	"maturitybot/survey/plaintext"
	"reflect"
	"strings"
	"testing"
	"unicode"
)

// hostile would clear the screen, fill the clipboard, retitle the window, turn the text round and ring.
const hostile = "x\x1b[2J\x1b]52;c;ZXZpbA==\x07\u009b31m\x1b]0;title\x1b\\\u202egnp\x7f\x00\r\b\x9b2J\xff"

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"Dŵr, ✓ “quoted” 日本 👩‍👧": "Dŵr, ✓ “quoted” 日本 👩‍👧",
		"a\r\nb\tc\n":     "a\nb c\n",
		"\x1b[31mred":     "[31mred",
		"a\u202eb\u2066c": "abc",
		"\xff\x9b":        "�",
	} {
		if got := plaintext.Clean(in); got != want {
			t.Errorf("plaintext.Clean(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"up\x1b[A and \x07bell":                 "up and bell",
		"\x1bOHhome\x1b[3~\x1b[1;5D \x1b[200~p": "home p",
		"a lone \x1b escape, \x1b[":             "a lone  escape, [",
		"two\nlines":                            "two\nlines",
	} {
		if got := typed(in); got != want {
			t.Errorf("typed(%q) = %q, want %q", in, got, want)
		}
	}
}

// hostileCard has the hostile text in every place for text, and hostileForm too.
func hostileCard() chat.Card {
	b := func(verb string) chat.Button {
		return chat.Button{Label: hostile, Spoken: hostile, Action: chat.NewAction(verb),
			Confirm: &chat.Confirm{Title: hostile, Text: hostile, Yes: hostile, No: hostile}}
	}
	spans := []chat.Span{chat.Words(hostile), chat.Bold(hostile), chat.Mention{Person: chat.Person{ID: hostile}}}
	return chat.Card{Blocks: []chat.Block{
		chat.Heading{Text: hostile}, chat.Text{Spans: spans}, chat.Note{Spans: spans}, chat.Table{Text: hostile}, chat.Divider{},
		chat.Choice{Title: hostile, Text: hostile, Button: b("a")}, chat.Buttons{Buttons: []chat.Button{b("b")}},
		chat.Menu{Action: chat.NewAction("c"), Placeholder: hostile, Options: []chat.Option{{Value: "v", Label: hostile}}},
	}}
}

func hostileForm() chat.Form {
	l := func(id string) chat.Label { return chat.Label{ID: id, Text: hostile, Hint: hostile} }
	return chat.Form{Title: hostile, Intro: hostile, Submit: hostile, Cancel: hostile, Action: chat.NewAction("f"), Fields: []chat.Field{
		chat.Input{Label: l("a"), Value: hostile, Max: 100}, chat.Select{Label: l("b"), Options: []chat.Option{{Value: "v", Label: hostile}}},
		chat.Date{Label: l("c"), Value: hostile}, chat.TimeOfDay{Label: l("d"), Value: hostile}, chat.People{Label: l("e")}}}
}

// eachString calls f with every string inside v.
func eachString(v reflect.Value, f func(string)) {
	switch v.Kind() {
	case reflect.String:
		f(v.String())
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			eachString(v.Elem(), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachString(v.Index(i), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			eachString(v.Field(i), f)
		}
	}
}

func TestCleanEveryString(t *testing.T) {
	before, after := 0, 0
	count := func(n *int) func(string) {
		return func(s string) {
			if s != plaintext.Clean(s) {
				*n++
			}
		}
	}
	eachString(reflect.ValueOf(hostileCard()), count(&before))
	eachString(reflect.ValueOf(hostileForm()), count(&before))
	eachString(reflect.ValueOf(harmlessCard(hostileCard())), count(&after))
	eachString(reflect.ValueOf(harmlessForm(hostileForm())), count(&after))
	if before < 40 || after != 0 {
		t.Errorf("%d hostile texts before, %d after", before, after)
	}
}

func TestEscapeSequencesRemoved(t *testing.T) {
	bot := &small{whatever: func(e chat.Event) []chat.Reply {
		switch e.Action.Verb {
		case "a":
			return []chat.Reply{chat.OpenForm{Form: hostileForm()}}
		case "f":
			return []chat.Reply{chat.FieldErrors{Fields: map[string]string{"a": hostile, "z": hostile}}}
		}
		return []chat.Reply{chat.Update{Card: hostileCard()}, chat.Whisper{Card: chat.Card{Blocks: []chat.Block{chat.Paragraph(hostile)}}}}
	}}
	first := start
	first.Action = chat.NewAction("hostile")
	var out strings.Builder
	term := New(strings.NewReader("1\n1\n\x1b[2J typed\n1\n2026-01-01\n10:00\nana\n1\n"), &out, Options{Words: func(context.Context) Words { return english() }})
	if err := term.Converse(t.Context(), bot, first); err != nil {
		t.Fatal(err)
	}
	for i, r := range out.String() {
		if unicode.Is(unicode.C, r) && r != '\n' {
			t.Errorf("%q at byte %d: %q", r, i, out.String()[max(0, i-20):i+5])
		}
	}
	if !strings.Contains(out.String(), "x[2J]52;c;") {
		t.Error("the hostile card was not printed")
	}
}
