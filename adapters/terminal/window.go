package terminal

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// window is the visible part of a sheet.
type window struct {
	offset int // lines of the sheet above it
	height int // rows on the screen; two of them say what is out of view, if anything is
}

// rows returns how many lines of the sheet are in view.
func (w window) rows(s sheet) int {
	if len(s.lines) <= w.height {
		return len(s.lines)
	}
	return max(w.height-2, 1)
}

func (w *window) scroll(s sheet, by int) {
	w.offset = max(0, min(w.offset+by, len(s.lines)-w.rows(s)))
}

// shows reports whether the first line of a spot is in view, so that the user sees what it presses.
func (w window) shows(s sheet, at spot) bool {
	return at.first >= w.offset && at.first < w.offset+w.rows(s)
}

// reveal scrolls towards a spot, by a page at most, so that the user misses no line.
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

// frame returns the lines in view. If some are out of view, a line before them says what is above,
// with the title, and a line after them says what is below.
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
	return slices.Concat([]string{above}, seen, []string{below})
}

// footer wraps the help line. It returns nil if the window is too low for it.
func footer(l look, help string, width, height int) []string {
	lines := wrapped(l.note.Render(help), width)
	if height < 3*len(lines)+3 {
		return nil
	}
	return lines
}

func join(lines []string) string { return strings.Join(lines, "\n") }

// row returns the screen's row of a line of the sheet that is in view.
func (w window) row(s sheet, line int) int {
	if w.rows(s) < len(s.lines) && w.height >= 3 {
		line++ // below the line that says what is above
	}
	return line - w.offset
}
