// Package chart draws a published result as a picture: for each key element a bar of its ratings, as PNG and
// as SVG; and likewise the agreed ratings of many areas, a bar for each dimension and nation. The picture is made to be read on a phone, and without colour: levels are told apart by lightness,
// by hatching, by their order and by the percentage written in them. It takes only what may be published, and
// every sentence from its caller; it knows nothing of how answers are counted, or of where a picture goes.
package chart

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

// Words are the texts of a picture that are not names of the matrix, in the language it is drawn in, and with
// everything filled in. An empty one is left out.
type Words struct {
	Title  string   // says what this is, and of which area
	Rated  string   // stands before the number of people who rated, such as "n"
	TooFew string   // explains the bar marked [c]
	Notes  []string // below the picture: what shares are of, the minimum group
	Alt    string   // begins the alternative text: what the picture is; the title may serve
	Hidden string   // in the alternative text, for an element that is not shown
}

// Sizes in units of the picture. A phone shows all of the width at about two thirds of the size, where text of
// 12 is still read; the PNG has pixelsPerUnit pixels for each.
const (
	width         = 600
	margin        = 20
	inner         = width - 2*margin
	barHeight     = 26
	pixelsPerUnit = 2
)

var (
	title   = style{size: 20, bold: true}
	heading = style{size: 16, bold: true}
	label   = style{size: 14}
	number  = style{size: 13, bold: true}
	small   = style{size: 12}
)

// PNG draws the picture 1200 pixels wide, its names in the language.
func PNG(p results.Published, lang matrix.Lang, words Words) ([]byte, error) {
	s, err := lay(p, lang, words)
	if err != nil {
		return nil, err
	}
	return s.png()
}

// SVG draws the picture as SVG that scales, its names in the language. It carries the alternative text.
func SVG(p results.Published, lang matrix.Lang, words Words) ([]byte, error) {
	s, err := lay(p, lang, words)
	if err != nil {
		return nil, err
	}
	return s.svg(lang, words.Title, Alt(p, lang, words, 0)), nil
}

// Alt says in one paragraph what the picture shows: for each element its most common level, or levels, and the share on each,
// and how many rated. Elements that would make it longer than limit characters are left out with an ellipsis; 0 is
// no limit.
func Alt(p results.Published, lang matrix.Lang, words Words, limit int) string {
	var b strings.Builder
	b.WriteString(plaintext.Line(words.Alt))
	for i, e := range p.Matrix.Elements() {
		c := p.Elements[i].Everyone()
		part := e.Name.In(lang) + ": "
		if level, ok := c.Mode.Int(); ok {
			var most []string // several, where they are even
			for k, l := range p.Matrix.Levels {
				if c.Counts[k] == c.Counts[level-1] {
					most = append(most, fmt.Sprintf("%s %s%%", l.Name.In(lang), c.Percent[k]))
				}
			}
			part += fmt.Sprintf("%s (%s = %s).", strings.Join(most, ", "), words.Rated, c.Rated)
		} else {
			part += strings.TrimSpace(c.Rated.String()+" "+words.Hidden) + "."
		}
		if b.Len() > 0 {
			part = " " + part
		}
		if limit > 0 && utf8.RuneCountInString(b.String())+utf8.RuneCountInString(part) > limit-2 {
			b.WriteString(" …")
			break
		}
		b.WriteString(part)
	}
	if text := []rune(b.String()); limit > 0 && len(text) > limit {
		return string(text[:limit-1]) + "…"
	}
	return b.String()
}

// lay puts the picture together from the top down.
func lay(p results.Published, lang matrix.Lang, words Words) (*scene, error) {
	s, err := newScene(words.Title)
	if err != nil {
		return nil, err
	}
	looks := looksOf(len(p.Matrix.Levels))
	tooFew := ""
	if slices.ContainsFunc(p.Elements, func(e results.Element) bool { return e.Everyone().Rated.Availability() != results.Present }) {
		tooFew = words.TooFew
	}
	s.legend(p.Matrix.Levels, lang, results.Suppressed, tooFew, looks)

	elements := p.Matrix.Elements()
	i := 0
	for _, d := range p.Matrix.Dimensions {
		s.rule(d.Name.In(lang))
		for range d.Elements() {
			c := p.Elements[i].Everyone()
			s.bar(elements[i].Name.In(lang), words.Rated, c.Rated, c.Shares, c.Percent, looks)
			i++
		}
	}
	s.end(words.Notes)
	return s, nil
}

// newScene begins a picture with what it is called.
func newScene(name string) (*scene, error) {
	faces, err := newFaces()
	if err != nil {
		return nil, err
	}
	s := &scene{faces: faces, y: margin}
	s.paragraph(name, title, ink)
	s.y += 8
	return s, nil
}

// rule begins a part of the picture with its name above a line.
func (s *scene) rule(name string) {
	s.y += 16
	s.paragraph(name, heading, ink)
	s.y += 2
	s.rect(rect{x: margin, y: s.y, w: inner, h: 1.5, fill: ink})
	s.y += 6
}

// end writes the notes, and closes the picture below them.
func (s *scene) end(notes []string) {
	s.y += 10
	for _, note := range notes {
		s.paragraph(note, small, ink)
		s.y += 3
	}
	s.height = s.y + margin
}

// legend names the levels in their order, each with the look of its part of a bar, and explains the bar that has a mark
// in place of its parts, if there is one.
func (s *scene) legend(levels []matrix.Level, lang matrix.Lang, mark results.Availability, meaning string, looks []look) {
	const swatchW, swatchH, gap = 30, 18, 16
	x := float64(margin)
	entry := func(text string, swatch func(r rect)) {
		room := float64(inner - swatchW - 6)
		lines := s.faces.wrap(text, label, room)
		w := 0.0
		for _, line := range lines {
			w = max(w, s.faces.width(line, label))
		}
		if x > margin && x+swatchW+6+w > margin+inner {
			x = margin
			s.y += swatchH + 6
		}
		swatch(rect{x: x, y: s.y, w: swatchW, h: swatchH})
		for n, line := range lines {
			s.text(caption{x: x + swatchW + 6, y: s.y + 14, style: label, fill: ink, text: line})
			if n < len(lines)-1 {
				s.y += swatchH
			}
		}
		x += swatchW + 6 + w + gap
	}
	for i, level := range levels {
		entry(level.Name.In(lang), func(r rect) { s.part(r, looks[i]) })
	}
	if meaning != "" {
		entry(meaning, func(r rect) { s.markedPart(r, mark) })
	}
	s.y += swatchH
}

// bar draws what has a name: that and how many ratings there are on one line, and the bar below, or the mark in its place.
func (s *scene) bar(name, count string, rated results.Figure, shares, percent []results.Figure, looks []look) {
	s.y += 8
	n := ""
	if rated.Availability() == results.Present {
		n = strings.TrimSpace(count + " = " + rated.String())
	}
	nWidth := s.faces.width(n, label)
	first := s.y
	lines := s.faces.wrap(name, label, inner-nWidth-12)
	for _, line := range lines {
		s.y += label.lineHeight()
		s.text(caption{x: margin, y: s.y - 5, style: label, fill: ink, text: line})
	}
	s.text(caption{x: margin + inner - nWidth, y: first + label.lineHeight() - 5, style: label, fill: ink, text: n})

	whole := rect{x: margin, y: s.y, w: inner, h: barHeight}
	s.y += barHeight
	if rated.Availability() != results.Present {
		s.markedPart(whole, rated.Availability())
		return
	}
	x := whole.x
	for i, f := range shares {
		if f.Availability() != results.Present {
			s.markedPart(whole, f.Availability())
			return
		}
		share, _ := f.Float()
		if share == 0 {
			continue
		}
		part := rect{x: x, y: whole.y, w: share * inner, h: barHeight}
		x += part.w
		s.part(part, looks[i])
		s.percentage(part, percent[i].String(), looks[i])
	}
}

// part draws one part of a bar, with a border that tells it from its neighbours whatever their fill.
func (s *scene) part(r rect, l look) {
	r.fill, r.stroke = l.fill, ink
	s.rect(r)
	s.hatch(r, l)
}

// markedPart draws what stands for a bar that is not there, with the symbol that says why.
func (s *scene) markedPart(r rect, mark results.Availability) {
	r.fill, r.stroke = paper, ink
	s.rect(r)
	symbol := mark.String()
	s.text(caption{x: r.x + (r.w-s.faces.width(symbol, number))/2, y: r.y + r.h/2 + 4.5, style: number, fill: ink, text: symbol})
}

// percentage writes the share into its part: with the sign, or without it where that is too wide. A part too
// thin for either says nothing; the tables have its number.
func (s *scene) percentage(r rect, percent string, l look) {
	for _, text := range []string{percent + "%", percent} {
		w := s.faces.width(text, number)
		if w+4 > r.w {
			continue
		}
		x := r.x + (r.w-w)/2
		if l.hatch != 0 {
			plate := min(w+6, r.w-2)
			s.rect(rect{x: r.x + (r.w-plate)/2, y: r.y + 4, w: plate, h: r.h - 8, fill: l.fill})
		}
		s.text(caption{x: x, y: r.y + r.h/2 + 4.5, style: number, fill: l.text, text: text})
		return
	}
}
