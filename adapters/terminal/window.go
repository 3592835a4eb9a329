package terminal

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// window is the part of a sheet that is in sight.
type window struct {
	offset int // lines of the sheet above it
	height int // rows on the screen, two of which say what is out of sight, where something is
}

// rows is how many lines of the sheet are in sight.
func (w window) rows(s sheet) int {
	if len(s.lines) <= w.height {
		return len(s.lines)
	}
	return max(w.height-2, 1)
}

func (w *window) scroll(s sheet, by int) {
	w.offset = max(0, min(w.offset+by, len(s.lines)-w.rows(s)))
}

// shows says whether the first line of a spot is in sight: who sees that knows what they press.
func (w window) shows(s sheet, at spot) bool {
	return at.first >= w.offset && at.first < w.offset+w.rows(s)
}

// reveal brings a spot into sight, by a page at most, so that nothing is jumped over unread.
func (w *window) reveal(s sheet, at spot) {
	rows := w.rows(s)
	page := max(rows-1, 1)
	switch {
	case at.first < w.offset:
		w.scroll(s, -min(w.offset-at.first, page))
	case at.last >= w.offset+rows:
		w.scroll(s, min(at.last-w.offset-rows+1, max(at.first-w.offset, 0), page))
	}
}

// frame is what is seen: the lines in sight, between a line that says what is above (with the title, when
// that has gone out of sight) and one that says what is below.
func (w *window) frame(l look, s sheet, title string, width int, words Words) []string {
	w.scroll(s, 0)
	rows := w.rows(s)
	if rows == len(s.lines) {
		return s.lines
	}
	seen := s.lines[w.offset : w.offset+rows]
	if w.height < 3 {
		return seen
	}
	above, below := "", ""
	if w.offset > 0 {
		above = l.note.Render(ansi.Truncate("↑ "+words.Above, width, "…"))
		if left := width - ansi.StringWidth(above) - 3; title != "" && left > 8 {
			above += l.note.Render(" · ") + l.bold.Render(ansi.Truncate(title, left, "…"))
		}
	}
	if w.offset+rows < len(s.lines) {
		below = l.note.Render(ansi.Truncate("↓ "+words.Below, width, "…"))
	}
	return append(append([]string{above}, seen...), below)
}

// footer wraps the help line, and leaves it out where a window is too low for it.
func footer(l look, help string, width, height int) []string {
	lines := wrapped(l.note.Render(help), width)
	if height < 3*len(lines)+3 {
		return nil
	}
	return lines
}

func join(lines []string) string { return strings.Join(lines, "\n") }

// row is the screen's row of a line of the sheet that is in sight.
func (w window) row(s sheet, line int) int {
	if w.rows(s) < len(s.lines) && w.height >= 3 {
		line++ // below the line that says what is above
	}
	return line - w.offset
}
