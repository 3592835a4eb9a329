package chart

import (
	"bytes"
	"image/png"
	"regexp"
	"strings"
	"testing"

	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// overview is two areas of Wales and one of England; nobody rated anything of the last dimension.
func overview(t *testing.T) results.Overview {
	t.Helper()
	m := testMatrix(17, 4)
	a := results.NewAreas(m)
	last := m.Dimensions[len(m.Dimensions)-1].ID
	for area, nation := range map[string]matrix.Nation{"A": matrix.Wales, "B": matrix.Wales, "C": matrix.England} {
		for i, e := range m.Elements() {
			rating := matrix.Rating(1 + (i+len(nation))%3)
			if m.DimensionOf(e.ID).ID == last {
				rating = matrix.NotAnswered
			}
			if err := a.Add(results.AreaRating{Area: area, Nation: nation, Element: e.ID, Rating: rating}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return a.Overview()
}

var areasEnglish = AreasWords{
	Title: "Ratings of areas & more", Groups: []string{"England and Wales", "Wales", "England"}, Rated: "n", Nothing: "[x] nothing was rated",
	Notes: []string{"n is the number of ratings."}, Alt: "Ratings of areas.",
}

func TestAreasPNG(t *testing.T) {
	b, err := AreasPNG(overview(t), matrix.English, areasEnglish)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil || img.Bounds().Dx() != 1200 {
		t.Errorf("%v, %v", img.Bounds(), err)
	}
}

func TestAreasPictureIsComplete(t *testing.T) {
	o := overview(t)
	b, err := AreasSVG(o, matrix.English, areasEnglish)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, m := range regexp.MustCompile(`<text [^>]*>([^<]*)</text>`).FindAllStringSubmatch(string(b), -1) {
		texts = append(texts, m[1])
	}
	all := " " + strings.Join(texts, " ") + " "
	dimensions := len(o.Matrix.Dimensions)
	for text, want := range map[string]int{
		" England and Wales ": dimensions, " England n =": dimensions, " Wales n =": 2 * dimensions, " n = 0 ": 3,
		" [x] ": 4, // three bars, and the legend's
		" [c] ": 0, " [x] nothing was rated ": 1, " Ratings of areas &amp; more ": 1,
	} {
		if got := strings.Count(all, text); got != want {
			t.Errorf("%q is there %d times, want %d:\n%s", text, got, want, all)
		}
	}
	if !strings.Contains(string(b), AreasAlt(overview(t), matrix.English, areasEnglish)) {
		t.Error("the alternative text is missing")
	}
}

func TestAreasAlt(t *testing.T) {
	alt := AreasAlt(overview(t), matrix.English, areasEnglish)
	for _, want := range []string{"Ratings of areas. ", ", Wales: ", "% (n = ", ", England: [x] (n = 0)."} {
		if !strings.Contains(alt, want) {
			t.Errorf("no %q in %s", want, alt)
		}
	}
}

func TestAreasPictureBounds(t *testing.T) {
	words := areasEnglish
	words.Title = strings.Repeat("Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch", 3)
	words.Groups = []string{strings.Repeat("ŵy ", 60), "Wales", "England"}
	s, err := layOutAreas(overview(t), matrix.Welsh, words)
	if err != nil {
		t.Fatal(err)
	}
	inside(t, s)
}
