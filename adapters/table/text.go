package table

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

const minNameWidth = 12 // of the column of names, in characters

// Text writes the figures for everyone as a table for a fixed-width font: each dimension and
// element with how many rated, the percentage on each level, the agreement, and whether consensus
// was reached. Lines have at most width characters. They are longer only if the numbers leave fewer
// than 12 characters for the names.
func Text(p results.Published, lang matrix.Lang, words Words, width int) string {
	head := []string{words.ShortRated}
	for i := range p.Matrix.Levels {
		head = append(head, strconv.Itoa(i+1))
	}
	head = append(head, words.ShortAgreement, words.Result)

	lines := []textLine{{cells: head}}
	for _, r := range resultRows(p, 0, 1) {
		line := newLine(r, lang)
		line.cells = append(line.cells, r.cells.Rated.String())
		line.cells = append(line.cells, texts(r.cells.Percent, "")...)
		line.cells = append(line.cells, twoDecimals(r.cells.Agreement))
		if r.element != nil {
			line.cells = append(line.cells, agendaGroup(r.cells, words))
		}
		lines = append(lines, line)
	}

	var b strings.Builder
	paragraphs(&b, width, append([]string{words.Title}, words.Above...)...)
	list(&b, width, legend(p.Matrix.Levels, lang))
	b.WriteByte('\n')
	align(&b, width, lines, true)
	if len(words.Below) > 0 {
		b.WriteByte('\n')
		paragraphs(&b, width, words.Below...)
	}
	return b.String()
}

// Shares writes the percentage on each level for each dimension and element, for everyone, in lines
// of at most width characters of a fixed-width font. If the percentages leave too little room for
// the names beside them, each name is on a line above.
func Shares(p results.Published, lang matrix.Lang, width int) string {
	var head []string
	for i := range p.Matrix.Levels {
		head = append(head, strconv.Itoa(i+1))
	}
	const cell = 4 // "100" or "[c]", and a space
	beside := width-cell*len(head) >= minNameWidth
	lines := []textLine{{cells: head}}
	for _, r := range resultRows(p, 0, 1) {
		line := newLine(r, lang)
		line.indent = min(line.indent, 1)
		line.cells = append(line.cells, texts(r.cells.Percent, "")...)
		lines = append(lines, line)
	}
	var b strings.Builder
	list(&b, width, legend(p.Matrix.Levels, lang))
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

// GroupText writes a table like Text's that has for each element and role group the number of the
// most common level and the percentage on it. A letter stands for each role group.
func GroupText(p results.Published, lang matrix.Lang, words Words, width int) string {
	var groups, head []string
	for i, g := range p.Groups {
		letter := string(rune('A' + i))
		groups = append(groups, letter+" "+words.groupName(g, lang))
		head = append(head, letter)
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
	list(&b, width, legend(p.Matrix.Levels, lang))
	list(&b, width, groups)
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

// align writes lines with their cells aligned to the right, but the last column to the left if
// lastLeft is set. A name takes as many lines as it needs, with the cells on the first of them.
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
	room = max(min(room, longest), minNameWidth)

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

// paragraphs writes each text on lines of its own, at most width characters long.
func paragraphs(b *strings.Builder, width int, texts ...string) {
	for _, text := range texts {
		for _, line := range wrap(plaintext.Clean(text), width) {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
}

// list writes short texts with a dot between them, as many on a line as fit.
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

// wrap breaks a text between words into lines of at most width characters. It breaks a word only if
// the word alone is longer, and then after a hyphen if it can.
func wrap(text string, width int) []string {
	width = max(width, 1)
	var lines []string
	var current []rune
	for _, field := range strings.Fields(text) {
		word := []rune(field)
		if len(current) > 0 && len(current)+1+len(word) <= width {
			current = append(current, ' ')
			current = append(current, word...)
			continue
		}
		if len(current) > 0 {
			lines = append(lines, string(current))
		}
		for len(word) > width {
			end := width
			for i := width - 1; i > 0; i-- {
				if word[i] == '-' {
					end = i + 1
					break
				}
			}
			lines = append(lines, string(word[:end]))
			word = word[end:]
		}
		current = word
	}
	if len(current) > 0 {
		lines = append(lines, string(current))
	}
	return lines
}
