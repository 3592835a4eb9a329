// Package chart draws published results as a picture, in PNG and in SVG: a bar of ratings for each
// element. It does the same for the agreed ratings of many areas, with a bar for each dimension and
// nation, and draws how ratings moved in a workshop. The picture can be read on a phone and without
// colour: levels differ by lightness, by hatching, by their order and by the percentage written in
// them. It takes only published figures,
// and every sentence from its caller. It does not know how answers are counted, or where a picture
// is sent.
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

// Words are the texts of a picture that are not names of the matrix, in the language of the picture
// and with all placeholders filled in. An empty text is left out.
type Words struct {
	Title  string   // says what this is, and of which area
	Rated  string   // before the number of people who rated, such as "n"
	TooFew string   // explains the bar marked [c]
	Notes  []string // below the picture: what shares are of, what the levels mean
	Alt    string   // begins the alternative text: what the picture is, and the order of the levels
	Hidden string   // in the alternative text, for an element that is not shown
}

// Sizes are in units of the picture. A phone shows the whole width at about two thirds of the size,
// where text of 12 units can still be read. A unit is pixelsPerUnit pixels in the PNG.
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

// PNG draws the picture 1200 pixels wide, with names in the language.
func PNG(p results.Published, lang matrix.Lang, words Words) ([]byte, error) {
	s, err := layOut(p, lang, words)
	if err != nil {
		return nil, err
	}
	return s.png()
}

// SVG draws the picture as a scalable SVG with names in the language. It includes the alternative
// text.
func SVG(p results.Published, lang matrix.Lang, words Words) ([]byte, error) {
	s, err := layOut(p, lang, words)
	if err != nil {
		return nil, err
	}
	return s.svg(lang, words.Title, Alt(p, lang, words, 0)), nil
}

// Alt describes the picture in one paragraph: for each element the percentage on each level, and in
// brackets how many people rated it. Elements that would make the text longer than limit characters
// are left out, with an ellipsis in their place. A limit of 0 is no limit.
func Alt(p results.Published, lang matrix.Lang, words Words, limit int) string {
	var b strings.Builder
	b.WriteString(plaintext.Line(words.Alt))
	for i, e := range p.Matrix.Elements() {
		c := p.Elements[i].Everyone()
		part := e.Name.In(lang) + ": "
		if c.Rated.Availability() == results.Present {
			var shares []string
			for _, percent := range c.Percent {
				shares = append(shares, percent.String())
			}
			part += fmt.Sprintf("%s (%s).", strings.Join(shares, ", "), c.Rated)
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

// layOut builds the picture from the top down.
func layOut(p results.Published, lang matrix.Lang, words Words) (*scene, error) {
	s, err := newScene(words.Title)
	if err != nil {
		return nil, err
	}
	looks := looksOf(len(p.Matrix.Levels))
	tooFew := ""
	hidden := func(e results.Element) bool {
		return e.Everyone().Rated.Availability() != results.Present
	}
	if slices.ContainsFunc(p.Elements, hidden) {
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

// newScene begins a picture with its title.
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

// rule begins a section of the picture: its name, and a line below it.
func (s *scene) rule(name string) {
	s.y += 16
	s.paragraph(name, heading, ink)
	s.y += 2
	s.rect(rect{x: margin, y: s.y, w: inner, h: 1.5, fill: ink})
	s.y += 6
}

// end writes the notes and sets the height of the picture.
func (s *scene) end(notes []string) {
	s.y += 10
	for _, note := range notes {
		s.paragraph(note, small, ink)
		s.y += 3
	}
	s.height = s.y + margin
}

// legend names the levels in order, each with a swatch in its look. If meaning is not empty, a last
// entry explains the bars that have a mark in place of their parts.
func (s *scene) legend(
	levels []matrix.Level, lang matrix.Lang, mark results.Availability, meaning string, looks []look,
) {
	var all []legendEntry
	for i, level := range levels {
		all = append(all, legendEntry{level.Name.In(lang), func(r rect) { s.part(r, looks[i]) }})
	}
	if meaning != "" {
		all = append(all, legendEntry{meaning, func(r rect) { s.markedPart(r, mark) }})
	}
	s.entries(all)
}

// legendEntry is a text of a legend, and what draws its swatch.
type legendEntry struct {
	text   string
	swatch func(r rect)
}

// entries draws a legend, on as many lines as it needs.
func (s *scene) entries(all []legendEntry) {
	const swatchW, swatchH, gap = 30, 18, 16
	x := float64(margin)
	for _, e := range all {
		lines := s.faces.wrap(e.text, label, inner-swatchW-6)
		w := 0.0
		for _, line := range lines {
			w = max(w, s.faces.width(line, label))
		}
		if x > margin && x+swatchW+6+w > margin+inner {
			x = margin
			s.y += swatchH + 6
		}
		e.swatch(rect{x: x, y: s.y, w: swatchW, h: swatchH})
		for n, line := range lines {
			s.text(caption{x: x + swatchW + 6, y: s.y + 14, style: label, fill: ink, text: line})
			if n < len(lines)-1 {
				s.y += swatchH
			}
		}
		x += swatchW + 6 + w + gap
	}
	s.y += swatchH
}

// named writes a name, on as many lines as it needs, and a text at the right of the first.
func (s *scene) named(name, right string, st style) {
	room := s.faces.width(right, st)
	first := s.y
	for _, line := range s.faces.wrap(name, label, inner-room-12) {
		s.y += label.lineHeight()
		s.text(caption{x: margin, y: s.y - 5, style: label, fill: ink, text: line})
	}
	s.text(caption{
		x: margin + inner - room, y: first + label.lineHeight() - 5, style: st, fill: ink, text: right,
	})
}

// bar draws a line with a name and the number of ratings, and the bar below it. If the shares are
// not published, the bar has a mark in place of its parts.
func (s *scene) bar(
	name, count string, rated results.Figure, shares, percent []results.Figure, looks []look,
) {
	s.y += 8
	n := ""
	if rated.Availability() == results.Present {
		n = strings.TrimSpace(count + " = " + rated.String())
	}
	s.named(name, n, label)
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

// part draws one part of a bar, with a border that separates it from its neighbours.
func (s *scene) part(r rect, l look) {
	r.fill, r.stroke = l.fill, ink
	s.rect(r)
	s.hatch(r, l)
}

// markedPart draws an empty bar with the symbol that says why there are no figures.
func (s *scene) markedPart(r rect, mark results.Availability) {
	r.fill, r.stroke = paper, ink
	s.rect(r)
	symbol := mark.String()
	x := r.x + (r.w-s.faces.width(symbol, number))/2
	s.text(caption{x: x, y: r.y + r.h/2 + 4.5, style: number, fill: ink, text: symbol})
}

// percentage writes the percentage into its part of a bar, without the sign if that is too wide. A
// part that is too narrow for the number as well stays empty; the tables have it.
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
