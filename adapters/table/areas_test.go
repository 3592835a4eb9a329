package table

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// overview is three areas of Wales and two of England, none of which rated Community assets.
func overview(t *testing.T) results.Overview {
	t.Helper()
	a := results.NewAreas(testMatrix())
	for i, r := range []matrix.Rating{1, 2, 2, 1, 4} {
		nation := matrix.Wales
		if i > 2 {
			nation = matrix.England
		}
		for e, id := range []string{"vision", "needs", "partnership"} {
			rating := min(r+matrix.Rating(e), 4)
			if i == 3 && e == 2 {
				rating = matrix.NotAnswered
			}
			if err := a.Add(results.AreaRating{Area: fmt.Sprint("area ", i), Nation: nation, Element: id, Rating: rating}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return a.Overview()
}

var areasEnglish = AreasWords{
	Title: "Agreed ratings", Groups: []string{"England and Wales", "Wales", "England"}, Facts: []string{"England and Wales: 5 areas", "Wales: 3 areas", "England: 2 areas"},
	Notes: []string{"n is the number of ratings."}, Dimension: "Dimension", Element: "Element", Nation: "Nation", Rated: "Ratings", NotRated: "Not rated", ShortRated: "n",
	Average: "Average level", SheetAverages: "Average levels", SheetCounts: "Counts", SheetNotes: "Notes",
}

func TestAreasText(t *testing.T) {
	golden(t, "areas.txt", AreasText(overview(t), matrix.English, areasEnglish, 110))
	for line := range strings.Lines(AreasText(overview(t), matrix.Welsh, areasEnglish, 100)) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 100 {
			t.Errorf("%d characters: %q", n, line)
		}
	}
}

func TestAreasCSV(t *testing.T) {
	b, err := AreasCSV(overview(t), matrix.Welsh, areasEnglish)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "areas.csv", string(b))
}

func TestAreasCSVHoldsNoFormula(t *testing.T) {
	for _, text := range formulas {
		o := overview(t)
		o.Matrix.Dimensions[0].Name = both(text, text)
		o.Matrix.Dimensions[0].CoreElements[0].Elements[0].Name = both(text, text)
		words := areasEnglish
		words.Groups = []string{text, text, text}
		b, err := AreasCSV(o, matrix.English, words)
		if err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records[1:] {
			for i, field := range record {
				if start := strings.TrimLeft(field, " \u00a0"); start != "" && strings.ContainsAny(start[:1], "=+-@\t\r\n\x00") || strings.HasPrefix(field, "＝") {
					t.Errorf("%q: %s is %q", text, records[0][i], field)
				}
			}
		}
	}
}

func TestAreasXLSX(t *testing.T) {
	o := overview(t)
	o.Matrix.Dimensions[1].Name = both("=1+1", "=1+1")
	b, err := AreasXLSX(o, matrix.English, areasEnglish)
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, b)
	for _, c := range []struct{ sheet, cell, want string }{
		{"Average levels", "A1", "Agreed ratings"},
		{"Average levels", "A2", "England and Wales: 5 areas · Wales: 3 areas · England: 2 areas"},
		{"Average levels", "C4", "Ratings"},
		{"Average levels", "I4", "Basic (%)"},
		{"Average levels", "B6", "Wales"},
		{"Average levels", "C6", "6"},
		{"Average levels", "I6", "17"}, // 1 of 6
		{"Average levels", "J6", "50"},
		{"Average levels", "A8", "=1+1"},
		{"Average levels", "D10", "3"}, // England, Lead: nobody rated assets, one not partnership
		{"Counts", "G4", "England and Wales: Ratings"},
		{"Counts", "B5", "Vision, strategy and plan"},
		{"Counts", "I5", "2"}, // Wales, early
		{"Counts", "L8", "0"}, // Wales, assets
		{"Notes", "A4", "n is the number of ratings."},
	} {
		got, err := f.GetCellValue(c.sheet, c.cell)
		if err != nil || got != c.want {
			t.Errorf("%s!%s is %q, want %q (%v)", c.sheet, c.cell, got, c.want, err)
		}
		if formula, err := f.GetCellFormula(c.sheet, c.cell); err != nil || formula != "" {
			t.Errorf("%s!%s has the formula %q (%v)", c.sheet, c.cell, formula, err)
		}
	}
}
