package terminal

import (
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"maturitybot/bot/chat"
)

// harmless makes a text safe to send to a terminal: control characters (C0, C1 and DEL, hence every escape sequence)
// and what turns the direction of text become a visible "�", tabs become spaces, and line breaks stay.
func harmless(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, string(utf8.RuneError))
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t', r == '\u2028', r == '\u2029':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return utf8.RuneError
		}
		return r
	}, s)
}

// harmlessLine is harmless for what must stay on one line.
func harmlessLine(s string) string { return strings.ReplaceAll(harmless(s), "\n", " ") }

// typed is harmless for what a person wrote: keys that sent an escape sequence leave no trace in their text.
func typed(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, harmless(ansi.Strip(s)))
}

// harmlessCard returns a copy whose every text is harmless. Actions and option values stay as they are:
// they are never shown.
func harmlessCard(c chat.Card) chat.Card {
	blocks := make([]chat.Block, len(c.Blocks))
	for i, block := range c.Blocks {
		switch b := block.(type) {
		case chat.Heading:
			blocks[i] = chat.Heading{Text: harmlessLine(b.Text)}
		case chat.Text:
			blocks[i] = chat.Text{Spans: harmlessSpans(b.Spans)}
		case chat.Note:
			blocks[i] = chat.Note{Spans: harmlessSpans(b.Spans)}
		case chat.Table:
			blocks[i] = chat.Table{Text: harmless(b.Text)}
		case chat.Choice:
			blocks[i] = chat.Choice{Title: harmlessLine(b.Title), Text: harmless(b.Text), Button: harmlessButton(b.Button)}
		case chat.Buttons:
			buttons := make([]chat.Button, len(b.Buttons))
			for j, button := range b.Buttons {
				buttons[j] = harmlessButton(button)
			}
			blocks[i] = chat.Buttons{Buttons: buttons}
		case chat.Menu:
			blocks[i] = chat.Menu{Action: b.Action, Placeholder: harmlessLine(b.Placeholder), Options: harmlessOptions(b.Options)}
		default:
			blocks[i] = block
		}
	}
	return chat.Card{Blocks: blocks}
}

func harmlessSpans(all []chat.Span) []chat.Span {
	spans := make([]chat.Span, len(all))
	for i, span := range all {
		switch s := span.(type) {
		case chat.Words:
			spans[i] = chat.Words(harmless(string(s)))
		case chat.Bold:
			spans[i] = chat.Bold(harmless(string(s)))
		case chat.Mention:
			s.Person.ID = harmlessLine(s.Person.ID)
			spans[i] = s
		case chat.Link:
			s.Place.Channel = harmlessLine(s.Place.Channel)
			spans[i] = s
		default:
			spans[i] = span
		}
	}
	return spans
}

func harmlessButton(b chat.Button) chat.Button {
	b.Label, b.Spoken = harmlessLine(b.Label), harmlessLine(b.Spoken)
	if b.Confirm != nil {
		b.Confirm = &chat.Confirm{Title: harmlessLine(b.Confirm.Title), Text: harmless(b.Confirm.Text),
			Yes: harmlessLine(b.Confirm.Yes), No: harmlessLine(b.Confirm.No)}
	}
	return b
}

func harmlessOptions(all []chat.Option) []chat.Option {
	options := make([]chat.Option, len(all))
	for i, o := range all {
		options[i] = chat.Option{Value: o.Value, Label: harmlessLine(o.Label)}
	}
	return options
}

func harmlessForm(f chat.Form) chat.Form {
	f.Title, f.Intro = harmlessLine(f.Title), harmless(f.Intro)
	f.Submit, f.Cancel = harmlessLine(f.Submit), harmlessLine(f.Cancel)
	fields := make([]chat.Field, len(f.Fields))
	for i, field := range f.Fields {
		switch x := field.(type) {
		case chat.Input:
			x.Label = harmlessLabel(x.Label)
			x.Value = typed(x.Value)
			fields[i] = x
		case chat.Pick:
			x.Label = harmlessLabel(x.Label)
			x.Options = harmlessOptions(x.Options)
			fields[i] = x
		case chat.Date:
			x.Label, x.Value = harmlessLabel(x.Label), harmlessLine(x.Value)
			fields[i] = x
		case chat.Clock:
			x.Label, x.Value = harmlessLabel(x.Label), harmlessLine(x.Value)
			fields[i] = x
		case chat.People:
			x.Label = harmlessLabel(x.Label)
			fields[i] = x
		case chat.Channel:
			x.Label = harmlessLabel(x.Label)
			fields[i] = x
		default:
			fields[i] = field
		}
	}
	f.Fields = fields
	return f
}

func harmlessLabel(l chat.Label) chat.Label {
	l.Text, l.Hint = harmlessLine(l.Text), harmlessLine(l.Hint)
	return l
}

func harmlessWords(w Words) Words {
	v := reflect.ValueOf(&w).Elem()
	for i := range v.NumField() {
		v.Field(i).SetString(harmless(v.Field(i).String()))
	}
	return w
}
