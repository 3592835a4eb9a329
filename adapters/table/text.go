package table

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

const leastName = 12 // characters that the column of names has at least

// Text writes the figures of everyone as a table of at most so many characters a line (wider only where its numbers
// leave fewer than 12 for the names), for a fixed-width font: each dimension and element with how many rated, the
// percentage on each level, agreement, and whether it is agreed.
func Text(p results.Published, lang matrix.Lang, words Words, width int) string {
	head := []string{words.ShortRated}
	for i := range p.Matrix.Levels {
		head = append(head, fmt.Sprintf("%d%%", i+1))
	}
	head = append(head, words.ShortAgreement, words.Result)
	var legend []string
	for i, l := range p.Matrix.Levels {
		legend = append(legend, fmt.Sprintf("%d %s", i+1, l.Name.In(lang)))
	}

	lines := []textLine{{cells: head}}
	for _, r := range resultRows(p, 0, 1) {
		line := newLine(r, lang)
		line.cells = append(line.cells, r.cells.Rated.String())
		for _, f := range r.cells.Percent {
			line.cells = append(line.cells, f.String())
		}
		line.cells = append(line.cells, twoDecimals(r.cells.Agreement))
		if r.element != nil {
			line.cells = append(line.cells, either(r.cells.Consensus, words.Agreed, words.ToDiscuss))
		}
		lines = append(lines, line)
	}

	var b strings.Builder
	paragraphs(&b, width, append([]string{words.Title}, words.Above...)...)
	list(&b, width, legend)
	b.WriteByte('\n')
	align(&b, width, lines, true)
	if len(words.Below) > 0 {
		b.WriteByte('\n')
		paragraphs(&b, width, words.Below...)
	}
	return b.String()
}

// Shares writes the percentages of everyone on each level, of each dimension and element, in lines of at most so many characters, for a
// fixed-width font. Where the levels leave too little room for names beside them, names stand above.
func Shares(p results.Published, lang matrix.Lang, width int) string {
	var legend, head []string
	for i, l := range p.Matrix.Levels {
		legend = append(legend, fmt.Sprintf("%d %s", i+1, l.Name.In(lang)))
		head = append(head, fmt.Sprintf("%d%%", i+1))
	}
	const cell = 4 // "100" or "[c]", and a space
	beside := width-cell*len(head) >= leastName
	lines := []textLine{{cells: head}}
	for _, r := range resultRows(p, 0, 1) {
		line := newLine(r, lang)
		line.indent = min(line.indent, 1)
		for _, f := range r.cells.Percent {
			line.cells = append(line.cells, f.String())
		}
		lines = append(lines, line)
	}
	var b strings.Builder
	list(&b, width, legend)
	b.WriteByte('\n')
	if beside {
		align(&b, width, lines, false)
		return b.String()
	}
	for n, l := range lines {
		if l.top && n > 1 {
			b.WriteByte('\n')
		}
		for _, name := range wrap(l.name, width-l.indent) {
			fmt.Fprintf(&b, "%*s%s\n", l.indent, "", name)
		}
		for some := range slices.Chunk(l.cells, max(1, width/cell)) {
			for _, c := range some {
				fmt.Fprintf(&b, "%*s", cell, c)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// GroupText writes for each element and role group the number of the most common level and the percentage on it,
// as a table like Text's, with the role groups by letter.
func GroupText(p results.Published, lang matrix.Lang, words Words, width int) string {
	var legend, head []string
	for i, g := range p.Groups {
		letter := string(rune('A' + i))
		legend = append(legend, letter+" "+words.groupName(g, lang))
		head = append(head, letter)
	}
	var levels []string
	for i, l := range p.Matrix.Levels {
		levels = append(levels, fmt.Sprintf("%d %s", i+1, l.Name.In(lang)))
	}

	lines := []textLine{{cells: head}}
	all := resultRows(p, 0, len(p.Groups))
	for i := 0; i < len(all); i += len(p.Groups) {
		line := newLine(all[i], lang)
		for _, r := range all[i : i+len(p.Groups)] {
			cell := r.cells.Mode.String()
			if _, shown := r.cells.Mode.Int(); shown {
				cell += fmt.Sprintf(" %3s%%", modePercent(r.cells))
			}
			line.cells = append(line.cells, cell)
		}
		lines = append(lines, line)
	}

	var b strings.Builder
	title := words.Title
	if words.Mode != "" {
		title += " – " + words.Mode
	}
	paragraphs(&b, width, append([]string{title}, words.Above...)...)
	list(&b, width, levels)
	list(&b, width, legend)
	b.WriteByte('\n')
	align(&b, width, lines, false)
	return b.String()
}

// textLine is a name and the cells beside it.
type textLine struct {
	name   string
	indent int
	top    bool // a dimension, with a blank line above
	cells  []string
}

func newLine(r row, lang matrix.Lang) textLine {
	if r.element == nil {
		return textLine{name: r.dimension.Name.In(lang), top: true}
	}
	return textLine{name: r.element.Name.In(lang), indent: 2}
}

// align writes lines with their cells to the right under each other (the last to the left where lastLeft says so), and
// names broken over as many lines as they need: the cells stand on the first.
func align(b *strings.Builder, width int, lines []textLine, lastLeft bool) {
	var widths []int
	for _, l := range lines {
		for i, c := range l.cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	room, longest := width, 0
	for _, w := range widths {
		room -= w + 1
	}
	for _, l := range lines {
		longest = max(longest, l.indent+utf8.RuneCountInString(l.name))
	}
	room = max(min(room, longest), leastName)

	for n, l := range lines {
		if l.top && n > 1 {
			b.WriteByte('\n')
		}
		names := wrap(l.name, room-l.indent)
		if len(names) == 0 {
			names = []string{""}
		}
		for i, name := range names {
			text := strings.Repeat(" ", l.indent) + name
			if i == 0 {
				text += strings.Repeat(" ", room-utf8.RuneCountInString(text))
				for k, c := range l.cells {
					space := strings.Repeat(" ", widths[k]-utf8.RuneCountInString(c))
					if lastLeft && k == len(widths)-1 {
						text += " " + c
					} else {
						text += " " + space + c
					}
				}
			}
			b.WriteString(strings.TrimRight(text, " "))
			b.WriteByte('\n')
		}
	}
}

// paragraphs writes texts below each other, none wider than width.
func paragraphs(b *strings.Builder, width int, texts ...string) {
	for _, text := range texts {
		for _, line := range wrap(plaintext.Clean(text), width) {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
}

// list writes short texts one after another with a dot between, as many on a line as there is room for.
func list(b *strings.Builder, width int, texts []string) {
	const dot = " · "
	line := ""
	for _, text := range texts {
		if line != "" && utf8.RuneCountInString(line+dot+text) > width {
			paragraphs(b, width, line)
			line = ""
		}
		if line != "" {
			line += dot
		}
		line += text
	}
	paragraphs(b, width, line)
}

// wrap breaks a text between words into lines of at most width characters, and inside a word only where it alone is longer.
func wrap(text string, width int) []string {
	width = max(width, 1)
	var lines []string
	var current []rune
	for _, field := range strings.Fields(text) {
		word := []rune(field)
		if len(current) > 0 && len(current)+1+len(word) <= width {
			current = append(append(current, ' '), word...)
			continue
		}
		if len(current) > 0 {
			lines = append(lines, string(current))
		}
		for len(word) > width {
			lines = append(lines, string(word[:width]))
			word = word[width:]
		}
		current = word
	}
	if len(current) > 0 {
		lines = append(lines, string(current))
	}
	return lines
}
