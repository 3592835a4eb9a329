package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

var movementEnglish = MovementWords{
	Title: "How ratings moved & were agreed in Llanwnog", Survey: "Survey: most common level",
	Ballot: "Last rating in the workshop: most common level", Agreed: "Agreed rating", NotRated: "Not rated",
	Notes: []string{"Without a circle, the survey shows nothing."}, Alt: "Levels: 1 Basic, 2 Early progress.", None: "none",
}

// manyElements is a matrix of one dimension, with that many elements and levels.
func manyElements(elements, levels int) *matrix.Matrix {
	m := &matrix.Matrix{ID: "made-up", Languages: []matrix.Lang{matrix.English, matrix.Welsh}}
	for i := range levels {
		name := both(levelNames[i%len(levelNames)])
		m.Levels = append(m.Levels, matrix.Level{ID: fmt.Sprint("l", i+1), Name: name, Short: name})
	}
	d := matrix.Dimension{ID: "d1", Name: both("Plan|Cynllunio"), CoreElements: []matrix.CoreElement{{}}}
	for i := range elements {
		id := fmt.Sprint("e", i+1)
		name := both(fmt.Sprintf("Element number %d|Elfen rhif %d", i+1, i+1))
		d.CoreElements[0].Elements = append(d.CoreElements[0].Elements, matrix.Element{ID: id, Name: name})
	}
	m.Dimensions = append(m.Dimensions, d)
	return m
}

// moved is a workshop in which ratings stay, rise and fall by up to two levels. The second element
// has no ballot, the third nothing from the survey, the fourth a tie in both, the fifth no rating.
func moved(elements, levels int) *workshop.Assessment {
	a := &workshop.Assessment{Survey: map[string][]int{}, Ratings: map[string]workshop.Rating{}}
	for i := range elements {
		id := fmt.Sprint("e", i+1)
		counts := func(level int) []int {
			all := make([]int, levels)
			if i == 3 {
				all[0], all[levels-1] = 6, 6
				return all
			}
			all[max(0, min(level, levels-1))] = 6
			return all
		}
		if i != 2 {
			a.Survey[id] = counts(i % levels)
		}
		if i != 1 {
			b := workshop.Ballot{Number: i + 1, Element: id, Counts: counts(i%levels + i%3 - 1)}
			a.Ballots = append(a.Ballots, b)
		}
		if i != 4 {
			level := max(1, min(i%levels+1+i%5-2, levels))
			a.Ratings[id] = workshop.Rating{Level: matrix.Rating(level)}
		}
	}
	return a
}

func TestMovementSVG(t *testing.T) {
	m := manyElements(8, 4)
	s, err := layOutMovement(moved(8, 4), m, matrix.Welsh, movementEnglish)
	if err != nil {
		t.Fatal(err)
	}
	got := s.svg(matrix.Welsh, movementEnglish.Title, "")
	golden(t, "movement.svg", got)
	d := xml.NewDecoder(bytes.NewReader(got))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	marks := map[color.RGBA]int{}
	for _, shape := range s.shapes {
		if p, ok := shape.(polygon); ok {
			marks[p.fill]++
		}
	}
	// One element has two circles and two diamonds, three elements lack a mark, and the legend has
	// one of each. Every mark has an outline or is itself of ink.
	if marks[paper] != 9 || marks[grey] != 9 || marks[ink] != 9+9+8 {
		t.Errorf("got %v", marks)
	}
}

func TestMovementPNG(t *testing.T) {
	for _, c := range []struct{ elements, levels int }{{1, 2}, {17, 4}, {100, 7}} {
		for _, lang := range []matrix.Lang{matrix.English, matrix.Welsh} {
			m, a := manyElements(c.elements, c.levels), moved(c.elements, c.levels)
			b, err := MovementPNG(a, m, lang, movementEnglish)
			if err != nil {
				t.Fatal(err)
			}
			img, err := png.DecodeConfig(bytes.NewReader(b))
			if err != nil || img.Width != 1200 || len(b) > 1<<20 {
				t.Errorf("%+v: %d pixels wide, %d bytes, %v", c, img.Width, len(b), err)
			}
			if dir := os.Getenv("CHART_DIR"); dir != "" { // to look at
				name := fmt.Sprintf("movement-%d-%d-%s.png", c.elements, c.levels, lang)
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestMovementBounds(t *testing.T) {
	for levels := 2; levels <= 7; levels++ {
		m := manyElements(17, levels)
		m.Dimensions[0].CoreElements[0].Elements[0].Name = both("|" + strings.Repeat("ŵy ", 60))
		for i := range m.Levels {
			m.Levels[i].Name = both("|" + strings.Repeat("W", 40))
			m.Levels[i].Short = both("|" + strings.Repeat("W", 28))
		}
		words := movementEnglish
		words.Title = strings.Repeat("Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch", 3)
		s, err := layOutMovement(moved(17, levels), m, matrix.Welsh, words)
		if err != nil {
			t.Fatal(err)
		}
		inside(t, s)
	}
}

// TestMovementMarksApart checks that the marks of an element never cover each other.
func TestMovementMarksApart(t *testing.T) {
	for levels := 2; levels <= 7; levels++ {
		s, err := layOutMovement(moved(20, levels), manyElements(20, levels), matrix.English, movementEnglish)
		if err != nil {
			t.Fatal(err)
		}
		ends := map[float64][]rect{} // the marks of a row, by its height
		for _, shape := range s.shapes {
			p, ok := shape.(polygon)
			if !ok || p.fill != ink {
				continue
			}
			box := boxOf(p)
			middle := math.Round(box.y + box.h/2)
			for _, other := range ends[middle] {
				if box.x < other.x+other.w && other.x < box.x+box.w {
					t.Errorf("%d levels: %+v covers %+v", levels, box, other)
				}
			}
			ends[middle] = append(ends[middle], box)
		}
	}
}

func TestMovementAlt(t *testing.T) {
	m, a := manyElements(8, 4), moved(8, 4)
	whole := MovementAlt(a, m, matrix.English, movementEnglish, 1024)
	want := movementEnglish.Alt +
		" Element number 1: 1, 1, 1. Element number 2: 2, none, 1. Element number 3: none, 4, 3." +
		" Element number 4: 1/4, 1/4, 4. Element number 5: 1, 1, Not rated. "
	if !strings.HasPrefix(whole, want) || strings.HasSuffix(whole, "…") {
		t.Errorf("got %s\nwant %s", whole, want)
	}
	cut := MovementAlt(a, m, matrix.English, movementEnglish, 150)
	if utf8.RuneCountInString(cut) > 150 || !strings.HasSuffix(cut, ". …") {
		t.Errorf("got %s", cut)
	}
}
