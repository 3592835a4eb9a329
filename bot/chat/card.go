package chat

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Card is a message with text and controls.
type Card struct{ Blocks []Block }

// Block is one part of a card: Heading, Text, Note, Choice, Buttons, Menu, Table or Divider.
//
//sumtype:decl
type Block interface{ block() }

// Heading is the card's title line.
type Heading struct{ Text string }

// Text is a paragraph of spans.
type Text struct{ Spans []Span }

// Note is a line of small print, such as the position in the survey.
type Note struct{ Spans []Span }

// Choice is one of several answers: its meaning, with the button that gives it.
type Choice struct {
	Title  string
	Text   string
	Button Button
}

// Buttons is a row of buttons; platforms wrap it.
type Buttons struct{ Buttons []Button }

// Menu is a list from which the user picks one option.
type Menu struct {
	Action      Action
	Placeholder string
	Options     []Option
}

// Option is one entry of a Menu or a Select. Value is at most 75 bytes.
type Option struct{ Value, Label string }

// Divider is a line between parts.
type Divider struct{}

// Table is aligned text, shown in a fixed-width font.
type Table struct{ Text string }

func (Heading) block() {}
func (Text) block()    {}
func (Note) block()    {}
func (Choice) block()  {}
func (Buttons) block() {}
func (Menu) block()    {}
func (Divider) block() {}
func (Table) block()   {}

// Button is a button of a card.
type Button struct {
	Label  string
	Action Action
	Style  Style
	// Chosen marks the current answer. An adapter shows it with a tick as well as by style.
	Chosen bool
	// Spoken is what a screen reader says instead of Label, where that needs more words.
	Spoken string
	// Confirm asks again before the press counts, where it cannot be undone.
	Confirm *Confirm
}

// Tick precedes the label of a button that is Chosen.
const Tick = "✓ "

// Style is the visual weight of a button.
type Style int

// The styles. Style alone never carries meaning.
const (
	Plain Style = iota
	Primary
	Danger
)

// Confirm is a question asked before a press counts.
type Confirm struct{ Title, Text, Yes, No string }

// Span is a piece of a paragraph: Words, Bold, a Mention, a Link, a WebLink or a Meter.
//
//sumtype:decl
type Span interface{ span() }

// Words is plain text.
type Words string

// Bold is text in bold.
type Bold string

// Mention names a person the way the platform does. It does not notify them.
type Mention struct{ Person Person }

// WebLink is text that leads to an address, which is the platform's own: a platform that draws no
// links shows the text alone.
type WebLink struct{ Text, URL string }

// Link names a channel the way the platform does, and leads there.
type Link struct{ Place Place }

// Meter draws how much of something is done. It is for the eye only: the words beside it say the
// same.
type Meter struct{ Done, Total int }

// String draws the meter with one mark a step, or ten marks when there are many steps.
func (m Meter) String() string {
	done, total := m.Done, m.Total
	if total > 20 {
		done, total = done*10/total, 10
	}
	done = max(0, min(done, total))
	return strings.Repeat("▰", done) + strings.Repeat("▱", total-done)
}

// String is the channel's id with one # before it.
func (l Link) String() string { return "#" + strings.TrimPrefix(l.Place.Channel, "#") }

func (Words) span()   {}
func (Meter) span()   {}
func (Bold) span()    {}
func (Mention) span() {}
func (Link) span()    {}
func (WebLink) span() {}

// Paragraph is a paragraph of plain text.
func Paragraph(s string) Text { return Text{Spans: []Span{Words(s)}} }

// Footnote is a note of plain text.
func Footnote(s string) Note { return Note{Spans: []Span{Words(s)}} }

// Limits of cards and forms: the tighter limit of the two platforms, so that a card that passes
// Check fits both.
const (
	MaxBlocks      = 50   // Slack: blocks in a message (reference/block-kit/blocks)
	MaxHeading     = 150  // Slack: header block
	MaxText        = 3000 // Slack: text object; MaxCardText applies to the whole card
	MaxCardText    = 4000 // Discord: Components V2 message; Slack: top-level text that is not cut
	MaxLabel       = 30   // Slack: what a button shows of its text, a tick included (Discord 80)
	MaxSpoken      = 75   // Slack: accessibility label
	MaxComponents  = 40   // Discord: components in one Components V2 message, nested ones too
	MaxMenu        = 25   // Discord: options of a select (Slack 100)
	MaxOption      = 75   // Slack: option text, and value in bytes (Discord 100)
	MaxPlaceholder = 150  // both
	MaxTitle       = 24   // Slack: modal title (Discord 45)
	MaxFields      = 5    // Discord: components of a modal (Slack 100 blocks)
	MaxFieldLabel  = 45   // Discord: label of a modal field (Slack 2000)
	MaxFieldHint   = 100  // Discord: description and placeholder of a modal field (Slack 2000)
	MaxFieldText   = 3000 // Slack: plain_text_input (Discord 4000)
	MaxConfirm     = 300  // Slack: confirm dialog text
)

// Check returns what of the card does not fit both platforms, or nil.
func (c Card) Check() error {
	if len(c.Blocks) == 0 {
		return fmt.Errorf("check card: it is empty")
	}
	if len(c.Blocks) > MaxBlocks {
		return fmt.Errorf("check card: %d blocks, at most %d", len(c.Blocks), MaxBlocks)
	}
	components, runes := 1, 0 // one container
	seen := map[string]bool{}
	button := func(b Button) error {
		if b.Label == "" {
			return errors.New("check card: an empty button label")
		}
		label := b.Label
		if b.Chosen {
			label = Tick + label
		}
		if err := checkLength("button label", label, MaxLabel); err != nil {
			return err
		}
		if err := checkLength("spoken label", b.Spoken, MaxSpoken); err != nil {
			return err
		}
		if b.Confirm != nil {
			components += 2 // Discord asks in a menu of its own, with the question above it
			if err := checkLength("confirm text", b.Confirm.Text, MaxConfirm); err != nil {
				return err
			}
		}
		return checkAction(b.Action, seen)
	}
	for _, block := range c.Blocks {
		switch b := block.(type) {
		case Heading:
			components++
			runes += utf8.RuneCountInString(b.Text)
			if err := checkText("heading", b.Text, MaxHeading); err != nil {
				return err
			}
		case Text:
			components++
			runes += utf8.RuneCountInString(PlainText(b.Spans))
			if err := checkText("text", PlainText(b.Spans), MaxText); err != nil {
				return err
			}
		case Note:
			components++
			runes += utf8.RuneCountInString(PlainText(b.Spans))
			if err := checkText("note", PlainText(b.Spans), MaxText); err != nil {
				return err
			}
		case Table:
			components++
			runes += utf8.RuneCountInString(b.Text) + 8                    // fences
			if err := checkText("table", b.Text, MaxText-10); err != nil { // less the fences
				return err
			}
		case Choice:
			components += 3
			runes += utf8.RuneCountInString(b.Title+b.Text) + 1
			if err := checkText("choice", b.Title+b.Text, MaxText-10); err != nil {
				return err
			}
			if err := button(b.Button); err != nil {
				return err
			}
		case Buttons:
			if len(b.Buttons) == 0 {
				return fmt.Errorf("check card: a row without buttons")
			}
			components += (len(b.Buttons)+4)/5 + len(b.Buttons)
			for _, x := range b.Buttons {
				if err := button(x); err != nil {
					return err
				}
			}
		case Menu:
			components += 2
			if err := checkOptions(b.Options); err != nil {
				return err
			}
			if err := checkText("placeholder", b.Placeholder, MaxPlaceholder); err != nil {
				return err
			}
			if err := checkAction(b.Action, seen); err != nil {
				return err
			}
		case Divider:
			components++
		default:
			return fmt.Errorf("check card: unknown block %T", b)
		}
	}
	if components > MaxComponents {
		return fmt.Errorf("check card: %d components, at most %d", components, MaxComponents)
	}
	if runes > MaxCardText {
		return fmt.Errorf("check card: %d characters, at most %d", runes, MaxCardText)
	}
	return nil
}

func checkAction(a Action, seen map[string]bool) error {
	s, err := a.Encode()
	if err != nil {
		return err
	}
	if seen[s] {
		return fmt.Errorf("check card: action %q twice", s)
	}
	seen[s] = true
	return nil
}

func checkOptions(all []Option) error {
	if len(all) == 0 || len(all) > MaxMenu {
		return fmt.Errorf("check card: %d options, want 1 to %d", len(all), MaxMenu)
	}
	seen := map[string]bool{}
	for _, o := range all {
		if o.Value == "" || len(o.Value) > MaxOption || seen[o.Value] {
			return fmt.Errorf(
				"check card: option value %q is empty, too long or there twice",
				o.Value,
			)
		}
		seen[o.Value] = true
		if err := checkText("option", o.Label, MaxOption); err != nil {
			return err
		}
	}
	return nil
}

// checkText is checkLength that also refuses empty text.
func checkText(what, s string, limit int) error {
	if s == "" {
		return fmt.Errorf("check card: an empty %s", what)
	}
	return checkLength(what, s, limit)
}

func checkLength(what, s string, limit int) error {
	if n := utf8.RuneCountInString(s); n > limit {
		return fmt.Errorf("check card: %s of %d characters, at most %d", what, n, limit)
	}
	return nil
}

// Trim cuts s to at most n runes, the last one an ellipsis when something was cut.
func Trim(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return strings.TrimRight(string(r[:n-1]), " ") + "…"
}

// PlainText returns spans as text without weights: a mention as the id after an @, a link and a
// meter as their String.
func PlainText(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		switch s := s.(type) {
		case Words:
			b.WriteString(string(s))
		case Bold:
			b.WriteString(string(s))
		case Mention:
			b.WriteString("@" + s.Person.ID)
		case WebLink:
			b.WriteString(s.Text)
		case Link:
			b.WriteString(s.String())
		case Meter:
			b.WriteString(s.String())
		}
	}
	return b.String()
}

// Unstyled returns spans as they are read aloud: bold text as Words, and without meters.
func Unstyled(spans []Span) []Span {
	out := make([]Span, 0, len(spans))
	for _, s := range spans {
		switch s := s.(type) {
		case Bold:
			out = append(out, Words(s))
		case Meter: // the words beside it say the same
		case Words, Mention, Link, WebLink:
			out = append(out, s)
		}
	}
	return out
}

// String draws the card in plain text, as transcripts and terminals show it: "[label]" is a
// button, "[✓ label]" the one that stands, "[label!]" one that cannot be undone, "(note)" a note,
// "[v options]" a menu.
func (c Card) String() string {
	var b strings.Builder
	for _, block := range c.Blocks {
		switch x := block.(type) {
		case Heading:
			fmt.Fprintf(&b, "# %s\n", x.Text)
		case Text:
			fmt.Fprintln(&b, PlainText(x.Spans))
		case Note:
			fmt.Fprintf(&b, "(%s)\n", PlainText(x.Spans))
		case Table:
			fmt.Fprintln(&b, strings.TrimRight(x.Text, "\n"))
		case Choice:
			fmt.Fprintf(&b, "%s %s: %s\n", x.Button.String(), x.Title, x.Text)
		case Buttons:
			labels := make([]string, len(x.Buttons))
			for i, button := range x.Buttons {
				labels[i] = button.String()
			}
			fmt.Fprintln(&b, strings.Join(labels, " "))
		case Menu:
			labels := make([]string, len(x.Options))
			for i, o := range x.Options {
				labels[i] = o.Label
			}
			fmt.Fprintf(&b, "[v %s: %s]\n", x.Placeholder, strings.Join(labels, " | "))
		case Divider:
			fmt.Fprintln(&b, "---")
		}
	}
	return b.String()
}

// String draws one button.
func (b Button) String() string {
	label := b.Label
	if b.Chosen {
		label = Tick + label
	}
	if b.Style == Danger {
		label += "!"
	}
	return "[" + label + "]"
}
