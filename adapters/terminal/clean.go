package terminal

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"maturitybot/bot/chat"
	"maturitybot/survey/plaintext"
)

// keySequence is an escape sequence that a terminal sends for a key, such as an arrow (ECMA-48,
// 5.4: CSI; and SS3, as xterm sends it).
var keySequence = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])`)

// typed cleans what the user typed, and removes the escape sequences that keys sent.
func typed(s string) string {
	s = plaintext.Clean(keySequence.ReplaceAllString(s, ""))
	return strings.ReplaceAll(s, string(utf8.RuneError), "")
}

// known removes nil elements, so that a kind of block, span or field that is not cleaned here does
// not reach the terminal. go-check-sumtype in .ci/run reports a switch without one of the kinds.
func known[T comparable](all []T) []T {
	var none T
	return slices.DeleteFunc(all, func(x T) bool { return x == none })
}

// harmlessCard returns a copy of the card with all text cleaned. Actions and option values are
// never shown, and stay unchanged.
func harmlessCard(c chat.Card) chat.Card {
	blocks := make([]chat.Block, len(c.Blocks))
	for i, block := range c.Blocks {
		switch b := block.(type) {
		case chat.Heading:
			blocks[i] = chat.Heading{Text: plaintext.Line(b.Text)}
		case chat.Text:
			blocks[i] = chat.Text{Spans: harmlessSpans(b.Spans)}
		case chat.Note:
			blocks[i] = chat.Note{Spans: harmlessSpans(b.Spans)}
		case chat.Table:
			blocks[i] = chat.Table{Text: plaintext.Clean(b.Text)}
		case chat.Choice:
			blocks[i] = chat.Choice{
				Title:  plaintext.Line(b.Title),
				Text:   plaintext.Clean(b.Text),
				Button: harmlessButton(b.Button),
			}
		case chat.Buttons:
			buttons := make([]chat.Button, len(b.Buttons))
			for j, button := range b.Buttons {
				buttons[j] = harmlessButton(button)
			}
			blocks[i] = chat.Buttons{Buttons: buttons}
		case chat.Divider:
			blocks[i] = b // has no text
		case chat.Menu:
			blocks[i] = chat.Menu{
				Action:      b.Action,
				Placeholder: plaintext.Line(b.Placeholder),
				Options:     harmlessOptions(b.Options),
			}
		}
	}
	return chat.Card{Blocks: known(blocks)}
}

func harmlessSpans(all []chat.Span) []chat.Span {
	spans := make([]chat.Span, len(all))
	for i, span := range all {
		switch s := span.(type) {
		case chat.Words:
			spans[i] = chat.Words(plaintext.Clean(string(s)))
		case chat.Bold:
			spans[i] = chat.Bold(plaintext.Clean(string(s)))
		case chat.Meter:
			spans[i] = s // has no text
		case chat.Mention:
			s.Person.ID = plaintext.Line(s.Person.ID)
			spans[i] = s
		case chat.WebLink:
			s.Text, s.URL = plaintext.Line(s.Text), plaintext.Line(s.URL)
			spans[i] = s
		case chat.Link:
			s.Place.Channel = plaintext.Line(s.Place.Channel)
			spans[i] = s
		}
	}
	return known(spans)
}

func harmlessButton(b chat.Button) chat.Button {
	b.Label, b.Spoken = plaintext.Line(b.Label), plaintext.Line(b.Spoken)
	if b.Confirm != nil {
		b.Confirm = &chat.Confirm{
			Title: plaintext.Line(b.Confirm.Title),
			Text:  plaintext.Clean(b.Confirm.Text),
			Yes:   plaintext.Line(b.Confirm.Yes),
			No:    plaintext.Line(b.Confirm.No),
		}
	}
	return b
}

func harmlessOptions(all []chat.Option) []chat.Option {
	options := make([]chat.Option, len(all))
	for i, o := range all {
		options[i] = chat.Option{Value: o.Value, Label: plaintext.Line(o.Label)}
	}
	return options
}

func harmlessForm(f chat.Form) chat.Form {
	f.Title, f.Intro = plaintext.Line(f.Title), plaintext.Clean(f.Intro)
	f.Submit, f.Cancel = plaintext.Line(f.Submit), plaintext.Line(f.Cancel)
	fields := make([]chat.Field, len(f.Fields))
	for i, field := range f.Fields {
		switch x := field.(type) {
		case chat.Input:
			x.Label = harmlessLabel(x.Label)
			x.Value = typed(x.Value)
			fields[i] = x
		case chat.Select:
			x.Label = harmlessLabel(x.Label)
			x.Options = harmlessOptions(x.Options)
			fields[i] = x
		case chat.Date:
			x.Label, x.Value = harmlessLabel(x.Label), plaintext.Line(x.Value)
			fields[i] = x
		case chat.TimeOfDay:
			x.Label, x.Value = harmlessLabel(x.Label), plaintext.Line(x.Value)
			fields[i] = x
		case chat.People:
			x.Label = harmlessLabel(x.Label)
			fields[i] = x
		case chat.Channel:
			x.Label = harmlessLabel(x.Label)
			fields[i] = x
		}
	}
	f.Fields = known(fields)
	return f
}

func harmlessLabel(l chat.Label) chat.Label {
	l.Text, l.Hint = plaintext.Line(l.Text), plaintext.Line(l.Hint)
	return l
}

func harmlessWords(w Words) Words {
	v := reflect.ValueOf(&w).Elem()
	for i := range v.NumField() {
		v.Field(i).SetString(plaintext.Clean(v.Field(i).String()))
	}
	return w
}
