package terminal

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"maturitybot/bot/chat"
)

// The three colours are of the palette of 256. Each has a contrast of at least 4.5 to 1 on black
// and on white (WCAG 2.2, 1.4.3), so that they work on any background. No colour carries a meaning
// alone.
const (
	green = "29"
	red   = "131"
	grey  = "243"
)

// look has the styles that cards and forms are drawn in.
type look struct {
	plain, bold, note, accent, danger, alert, here lipgloss.Style
}

func newLook(p colorprofile.Profile) look {
	s := lipgloss.NewStyle()
	l := look{
		plain:  s,
		bold:   s.Bold(true),
		note:   s.Foreground(lipgloss.Color(grey)),
		accent: s.Bold(true).Foreground(lipgloss.Color(green)),
		danger: s.Foreground(lipgloss.Color(red)),
		alert:  s.Bold(true).Foreground(lipgloss.Color(red)),
		here:   s.Bold(true).Reverse(true),
	}
	// A theme can make any of the sixteen colours unreadable, so only the weight differs.
	if p < colorprofile.ANSI256 {
		l.note = s.Faint(true)
		l.accent = s.Bold(true)
		l.danger = s
		l.alert = s.Bold(true)
	}
	return l
}

// Marks before an item: pointer if the cursor is on it, noPoint if not, tick if it is chosen.
const (
	pointer  = "> "
	noPoint  = "  "
	tick     = "✓"
	menuMark = "▾ "
)

// sheet is a drawn card or form of any height.
type sheet struct {
	lines []string
	spots []spot // of the items, in order
}

// spot is the position of an item: its lines, and the column in which it begins.
type spot struct{ first, last, x int }

// drawing says how to draw a card.
type drawing struct {
	width  int
	cursor int  // the item that the cursor is on, or -1
	live   bool // the items can be pressed
	bare   bool // without the numbers that press the items
	airy   bool // there is room for empty lines
}

// wrapped breaks a styled text into lines of at most width columns.
func wrapped(s string, width int) []string {
	return strings.Split(lipgloss.Wrap(s, max(width, 1), ""), "\n")
}

// styled renders each line separately, so that the style does not pad the shorter ones.
func styled(style lipgloss.Style, s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		if lines[i] != "" {
			lines[i] = style.Render(lines[i])
		}
	}
	return strings.Join(lines, "\n")
}

func spanned(all []chat.Span, base lipgloss.Style) string {
	var b strings.Builder
	for _, span := range all {
		style := base
		switch span.(type) {
		case chat.Bold, chat.Mention:
			style = base.Bold(true)
		case chat.Words, chat.WebLink, chat.Link, chat.Meter: // as the others
		}
		b.WriteString(styled(style, chat.PlainText([]chat.Span{span})))
	}
	return b.String()
}

// hanging writes a text after a lead. Further lines are indented by the width of the lead.
func hanging(lead, s string, width int) []string {
	w := ansi.StringWidth(lead)
	lines := wrapped(s, width-w)
	for i := range lines {
		if i == 0 {
			lines[i] = lead + lines[i]
		} else {
			lines[i] = strings.Repeat(" ", w) + lines[i]
		}
	}
	return lines
}

// card draws a card.
func (l look) card(c chat.Card, d drawing) sheet {
	var s sheet
	gap := func() {
		if d.airy && len(s.lines) > 0 && s.lines[len(s.lines)-1] != "" {
			s.lines = append(s.lines, "")
		}
	}
	n := 0
	for i, block := range c.Blocks {
		var before chat.Block
		if i > 0 {
			before = c.Blocks[i-1]
		}
		switch b := block.(type) {
		case chat.Heading:
			if _, ok := before.(chat.Note); !ok {
				gap()
			}
			s.lines = append(s.lines, wrapped(styled(l.bold, b.Text), d.width)...)
		case chat.Text:
			gap()
			s.lines = append(s.lines, wrapped(spanned(b.Spans, l.plain), d.width)...)
		case chat.Note:
			gap()
			s.lines = append(s.lines, wrapped(spanned(b.Spans, l.note), d.width)...)
		case chat.Table:
			gap()
			table := ansi.Hardwrap(strings.TrimRight(b.Text, "\n"), d.width, true)
			s.lines = append(s.lines, strings.Split(table, "\n")...)
		case chat.Divider:
			s.lines = append(s.lines, l.note.Render(strings.Repeat("─", d.width)))
		case chat.Choice:
			if _, ok := before.(chat.Divider); !ok {
				gap()
			}
			l.choice(&s, b, n, d)
			n++
		case chat.Buttons:
			if _, ok := before.(chat.Divider); !ok {
				gap()
			}
			l.buttons(&s, b.Buttons, n, d)
			n += len(b.Buttons)
		case chat.Menu:
			if _, ok := before.(chat.Divider); !ok {
				gap()
			}
			l.flow(&s, []cell{{text: menuMark + b.Placeholder, style: l.plain}}, n, d)
			n++
		}
	}
	return s
}

// number returns the digit that presses the nth item, with a space, or "" if no digit does.
func (d drawing) number(n int) string {
	if !d.live || d.bare || n >= 9 {
		return ""
	}
	return string(rune('1'+n)) + " "
}

func (l look) choice(s *sheet, c chat.Choice, n int, d drawing) {
	lead, body := "", "  "
	if d.live {
		lead, body = noPoint, "    "
		if n == d.cursor {
			lead = l.accent.Render(pointer)
		}
		if number := d.number(n); number != "" {
			lead += l.note.Render(number)
		} else {
			lead += "  "
		}
	}
	style := l.bold
	if n == d.cursor {
		style = l.here
	}
	title := c.Title
	if c.Button.Label != c.Title && c.Button.Label != "" {
		title += " [" + c.Button.Label + "]"
	}
	if c.Button.Style == chat.Danger {
		title += "!"
	}
	head := style.Render(title)
	if c.Button.Chosen {
		head = l.accent.Render(tick) + " " + head
	}
	at := spot{first: len(s.lines)}
	s.lines = append(s.lines, hanging(lead, head, d.width)...)
	if c.Text != "" {
		s.lines = append(s.lines, hanging(body, c.Text, d.width)...)
	}
	at.last = len(s.lines) - 1
	s.spots = append(s.spots, at)
}

// cell is one button of a row.
type cell struct {
	text  string
	style lipgloss.Style
}

func (l look) buttons(s *sheet, buttons []chat.Button, n int, d drawing) {
	cells := make([]cell, len(buttons))
	for i, b := range buttons {
		text, style := b.Label, l.plain
		switch b.Style {
		case chat.Primary:
			style = l.accent
		case chat.Danger:
			text, style = text+"!", l.danger
		}
		if b.Chosen {
			text, style = tick+" "+text, style.Bold(true)
		}
		cells[i] = cell{text, style}
	}
	l.flow(s, cells, n, d)
}

// flow draws cells side by side while they fit.
func (l look) flow(s *sheet, cells []cell, n int, d drawing) {
	x := 0
	for i, c := range cells {
		text := "[" + d.number(n+i) + c.text + "]"
		style, first, beside := c.style, noPoint, noPoint
		switch {
		case !d.live:
			first, beside = "", " "
		case n+i == d.cursor:
			style, first, beside = l.here, l.accent.Render(pointer), " "+l.accent.Render(">")
		}
		w := ansi.StringWidth(text)
		if lead := ansi.StringWidth(beside); x > 0 && x+lead+w <= d.width {
			line := len(s.lines) - 1
			s.spots = append(s.spots, spot{line, line, x + lead - 1})
			s.lines[line] += beside + style.Render(text)
			x += lead + w
			continue
		}
		at := spot{first: len(s.lines)}
		s.lines = append(s.lines, hanging(first, style.Render(text), d.width)...)
		at.last = len(s.lines) - 1
		s.spots = append(s.spots, at)
		x = ansi.StringWidth(first) + w
		if at.last > at.first {
			x = d.width // nothing fits beside a button of several lines
		}
	}
}
