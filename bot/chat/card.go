package chat

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Card is a message with text and controls.
type Card struct {
	Blocks []Block

	shared *sharedCard // see Share
}

// Block is one part of a card: Heading, Text, Note, Choice, Buttons, Menu, Table or Divider.
//
//sumtype:decl
type Block interface{ block() }

// Heading is the card's title line.
type Heading struct{ Text string }

// Text is a paragraph of spans. Lang is its language, where it is not that of the card.
type Text struct {
	Spans []Span
	Lang  string
}

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
	// Leads says that the options lead to other cards and save nothing, so that an adapter with
	// enough room may show each as a link.
	Leads bool
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
	// Lang is the language of the label, where it is not that of the card.
	Lang string
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

// What parts of a card take in Discord, where components are counted with those inside them.
const (
	containerComponents = 1 // around the whole card
	choiceComponents    = 3 // a section, its text and its button
	menuComponents      = 2 // a row and its menu
	confirmComponents   = 2 // a menu that asks, and the question above it
	buttonsPerRow       = 5
	fenceRunes          = 8  // the marks around a table
	markRunes           = 10 // the most that marks around a text take
)

// Check returns the first thing of the card that does not fit both platforms, or nil. It counts
// Discord's components and the characters of texts. Labels of buttons do not count toward the
// characters of a card on either platform.
func (c Card) Check() error {
	_, err := Once(c, func(c Card) (checked, error) { return checked{}, c.check() })
	if err != nil {
		return fmt.Errorf("check card: %w", err)
	}
	return nil
}

// checked says that a card was checked; see Once.
type checked struct{}

func (c Card) check() error {
	if len(c.Blocks) == 0 {
		return errors.New("it is empty")
	}
	if len(c.Blocks) > MaxBlocks {
		return fmt.Errorf("%d blocks, at most %d", len(c.Blocks), MaxBlocks)
	}
	size := cardSize{components: containerComponents, actions: map[string]bool{}}
	for _, block := range c.Blocks {
		if err := size.add(block); err != nil {
			return err
		}
	}
	if size.components > MaxComponents {
		return fmt.Errorf("%d components, at most %d", size.components, MaxComponents)
	}
	if size.runes > MaxCardText {
		return fmt.Errorf("%d characters, at most %d", size.runes, MaxCardText)
	}
	return nil
}

// cardSize adds up what the blocks of a card take.
type cardSize struct {
	components int
	runes      int
	actions    map[string]bool // each may be there once
}

// add counts a block, and returns what of the block does not fit.
func (c *cardSize) add(block Block) error {
	switch b := block.(type) {
	case Heading:
		return c.addText("heading", b.Text, MaxHeading)
	case Text:
		return c.addText("text", PlainText(b.Spans), MaxText)
	case Note:
		return c.addText("note", PlainText(b.Spans), MaxText)
	case Table:
		c.runes += fenceRunes
		return c.addText("table", b.Text, MaxText-markRunes)
	case Choice:
		c.components += choiceComponents
		c.runes += utf8.RuneCountInString(b.Title+b.Text) + 1 // the line between them
		if err := checkText("choice", b.Title+b.Text, MaxText-markRunes); err != nil {
			return err
		}
		return c.addButton(b.Button)
	case Buttons:
		if len(b.Buttons) == 0 {
			return errors.New("a row without buttons")
		}
		rows := (len(b.Buttons) + buttonsPerRow - 1) / buttonsPerRow
		c.components += rows + len(b.Buttons)
		for _, button := range b.Buttons {
			if err := c.addButton(button); err != nil {
				return err
			}
		}
		return nil
	case Menu:
		c.components += menuComponents
		if err := checkOptions(b.Options); err != nil {
			return err
		}
		if err := checkText("placeholder", b.Placeholder, MaxPlaceholder); err != nil {
			return err
		}
		return c.addAction(b.Action)
	case Divider:
		c.components++
		return nil
	default:
		return fmt.Errorf("unknown block %T", b)
	}
}

// addText counts a block that is a text.
func (c *cardSize) addText(what, text string, limit int) error {
	c.components++
	c.runes += utf8.RuneCountInString(text)
	return checkText(what, text, limit)
}

// addButton counts what a button has besides its own component.
func (c *cardSize) addButton(b Button) error {
	if b.Label == "" {
		return errors.New("an empty button label")
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
		c.components += confirmComponents
		if err := checkLength("confirm text", b.Confirm.Text, MaxConfirm); err != nil {
			return err
		}
	}
	return c.addAction(b.Action)
}

// addAction refuses an action that another control of the card has.
func (c *cardSize) addAction(a Action) error {
	encoded, err := a.Encode()
	if err != nil {
		return err
	}
	if c.actions[encoded] {
		return fmt.Errorf("action %q twice", encoded)
	}
	c.actions[encoded] = true
	return nil
}

func checkOptions(all []Option) error {
	if len(all) == 0 || len(all) > MaxMenu {
		return fmt.Errorf("%d options, want 1 to %d", len(all), MaxMenu)
	}
	seen := map[string]bool{}
	for _, o := range all {
		if o.Value == "" || len(o.Value) > MaxOption || seen[o.Value] {
			return fmt.Errorf("option value %q is empty, too long or there twice", o.Value)
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
		return fmt.Errorf("an empty %s", what)
	}
	return checkLength(what, s, limit)
}

func checkLength(what, s string, limit int) error {
	if n := utf8.RuneCountInString(s); n > limit {
		return fmt.Errorf("%s of %d characters, at most %d", what, n, limit)
	}
	return nil
}

// Trim cuts s to at most n runes, the last one an ellipsis when something was cut. n is at least 1.
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
