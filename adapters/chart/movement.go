package chart

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/workshop"
)

// MovementWords are the texts of the picture of a workshop that are not names of the matrix, in the
// language of the picture.
type MovementWords struct {
	Title                  string
	Survey, Ballot, Agreed string // explain the three marks
	NotRated               string // in place of a level
	Notes                  []string
	Alt                    string // begins the alternative text: the numbers of the levels, the order
	None                   string // in the alternative text, where the survey or a ballot has no level
}

// MovementPNG draws how ratings moved in a workshop, 1200 pixels wide, with names in the language.
// An element has a row with a cell for each level. Marks in the cells are the most common level in
// the survey and in the last ballot, and the agreed rating. They differ by shape and by their place
// within a cell, so that they can be told apart without colour.
func MovementPNG(
	a *workshop.Assessment, m *matrix.Matrix, lang matrix.Lang, words MovementWords,
) ([]byte, error) {
	s, err := layOutMovement(a, m, lang, words)
	if err != nil {
		return nil, err
	}
	return s.png()
}

// MovementAlt describes the picture in one paragraph: for each element the numbers of the levels in
// the survey, in the last ballot and of the agreed rating. Elements that would make the text longer
// than limit characters are left out, with an ellipsis in their place.
func MovementAlt(
	a *workshop.Assessment, m *matrix.Matrix, lang matrix.Lang, words MovementWords, limit int,
) string {
	text := plaintext.Line(words.Alt)
	for _, e := range m.Elements() {
		way := a.Movement(e.ID)
		agreed := words.NotRated
		if way.Agreed > 0 {
			agreed = strconv.Itoa(way.Agreed)
		}
		part := fmt.Sprintf(" %s: %s, %s, %s.", plaintext.Line(e.Name.In(lang)),
			levelNumbers(way.Survey, words.None), levelNumbers(way.Ballot, words.None), agreed)
		if len([]rune(text+part)) > limit-2 {
			return text + " …"
		}
		text += part
	}
	return text
}

// levelNumbers joins the numbers of levels that are as common as each other.
func levelNumbers(levels []int, none string) string {
	if len(levels) == 0 {
		return none
	}
	var numbers []string
	for _, level := range levels {
		numbers = append(numbers, strconv.Itoa(level))
	}
	return strings.Join(numbers, "/")
}

const (
	trackHeight = 28
	markSize    = 16
)

// mark draws one of the three marks around a point.
type mark func(s *scene, x, y float64)

var grey = color.RGBA{150, 150, 150, 255}

// The marks, in their order within a cell: an empty circle, a grey diamond and a black square.
var (
	surveyMark mark = func(s *scene, x, y float64) { s.outlined(circle, x, y, paper) }
	ballotMark mark = func(s *scene, x, y float64) { s.outlined(diamond, x, y, grey) }
	agreedMark mark = func(s *scene, x, y float64) { s.outlined(square, x, y, ink) }
)

func layOutMovement(
	a *workshop.Assessment, m *matrix.Matrix, lang matrix.Lang, words MovementWords,
) (*scene, error) {
	s, err := newScene(words.Title)
	if err != nil {
		return nil, err
	}
	var entries []legendEntry
	for _, e := range []struct {
		text string
		draw mark
	}{{words.Survey, surveyMark}, {words.Ballot, ballotMark}, {words.Agreed, agreedMark}} {
		entries = append(entries, legendEntry{e.text, func(r rect) {
			e.draw(s, r.x+r.w/2, r.y+r.h/2)
		}})
	}
	s.entries(entries)
	for _, d := range m.Dimensions {
		s.rule(d.Name.In(lang))
		s.levelHeads(m.Levels, lang)
		for _, e := range d.Elements() {
			way := a.Movement(e.ID)
			agreed := words.NotRated
			if way.Agreed > 0 {
				agreed = m.Levels[way.Agreed-1].Name.In(lang)
			}
			s.y += 8
			s.named(e.Name.In(lang), agreed, number)
			s.track(way, len(m.Levels))
		}
	}
	s.end(words.Notes)
	return s, nil
}

// levelHeads writes the names of the levels above the cells of a section.
func (s *scene) levelHeads(levels []matrix.Level, lang matrix.Lang) {
	cell := inner / float64(len(levels))
	top, most := s.y, 0
	for i, level := range levels {
		lines := s.faces.wrap(plaintext.Line(level.Short.In(lang)), small, cell-6)
		for n, text := range lines {
			x := margin + float64(i)*cell + (cell-s.faces.width(text, small))/2
			y := top + float64(n+1)*small.lineHeight() - 3
			s.text(caption{x: x, y: y, style: small, fill: ink, text: text})
		}
		most = max(most, len(lines))
	}
	s.y = top + float64(most)*small.lineHeight()
}

// track draws the row of an element: a cell for each level, the marks, and a line from the first
// mark to the last. Where a stage has several levels, the line leaves it out.
func (s *scene) track(way workshop.Movement, levels int) {
	cell := inner / float64(levels)
	for i := range levels {
		s.rect(rect{
			x: margin + float64(i)*cell, y: s.y, w: cell, h: trackHeight, fill: paper, stroke: ink,
		})
	}
	var agreed []int
	if way.Agreed > 0 {
		agreed = []int{way.Agreed}
	}
	middle := s.y + trackHeight/2
	step := min(markSize+8, cell/3)
	stages := [][]int{way.Survey, way.Ballot, agreed}
	at := func(stage, level int) float64 {
		return margin + (float64(level)-0.5)*cell + float64(stage-1)*step
	}
	from, to := math.Inf(1), math.Inf(-1)
	for i, found := range stages {
		if len(found) == 1 {
			from, to = min(from, at(i, found[0])), max(to, at(i, found[0]))
		}
	}
	if from < to {
		s.rect(rect{x: from, y: middle - 1, w: to - from, h: 2, fill: grey})
	}
	for i, draw := range []mark{surveyMark, ballotMark, agreedMark} {
		for _, level := range stages[i] {
			draw(s, at(i, level), middle)
		}
	}
	s.y += trackHeight
}

// outlined draws a shape in ink around a point, and a smaller one in the colour on it.
func (s *scene) outlined(shape func(x, y, size float64) []point, x, y float64, fill color.RGBA) {
	s.shapes = append(s.shapes, polygon{shape(x, y, markSize), ink})
	if fill != ink {
		s.shapes = append(s.shapes, polygon{shape(x, y, markSize-4), fill})
	}
}

func circle(x, y, size float64) []point {
	const corners = 36
	var points []point
	for i := range corners {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		points = append(points, point{x + cos*size/2, y + sin*size/2})
	}
	return points
}

func diamond(x, y, size float64) []point {
	r := size / 2 * 1.2 // looks as large as the other marks
	return []point{{x, y - r}, {x + r, y}, {x, y + r}, {x - r, y}}
}

func square(x, y, size float64) []point {
	r := size / 2 * 0.9
	return []point{{x - r, y - r}, {x + r, y - r}, {x + r, y + r}, {x - r, y + r}}
}
