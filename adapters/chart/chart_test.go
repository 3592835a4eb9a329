package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"

	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

var update = flag.Bool("update", false, "write the golden files")

// elementNames are made up, some as long as a matrix may have them.
var elementNames = [][]string{ // dimension, then its elements, English | Welsh
	{"Plan|Cynllunio",
		"Vision, strategy and plan|Gweledigaeth, strategaeth a chynllun",
		"Understanding what families need|Deall yr hyn sydd ei angen ar deuluoedd, a’r tŷ cyfan",
		"Resources|Adnoddau a chyllidebau sydd wedi’u halinio ar draws sefydliadau",
		"Workforce planning|Cynllunio’r gweithlu"},
	{"Lead|Arwain",
		"Partnership|Partneriaeth", "Leadership|Arweinyddiaeth ac uwch arweinwyr",
		"Community engagement|Ymgysylltu â’r gymuned", "Community assets|Asedau cymunedol ŵyr a ŷd"},
	{"Deliver|Cyflawni",
		"Quality|Ansawdd", "Programmes that rest on evidence|Rhaglenni sy’n seiliedig ar dystiolaeth",
		"Working in a joined-up way|Gweithio mewn ffordd gydgysylltiedig",
		"Sharing personal data between the services a family meets|Rhannu data personol rhwng y gwasanaethau a wêl teulu",
		"Information for families|Gwybodaeth i deuluoedd"},
	{"Evaluate|Gwerthuso",
		"Outcomes framework|Fframwaith canlyniadau", "Families’ access and experience|Mynediad a phrofiad teuluoedd",
		"Using evidence well|Defnyddio tystiolaeth yn dda", "Local evaluation|Gwerthuso lleol"},
}

var levelNames = []string{
	"Basic|Sylfaenol", "Early progress|Cynnydd cynnar", "Substantial progress|Cynnydd sylweddol", "Mature|Aeddfed", "Beyond|Tu hwnt",
}

func both(names string) matrix.Text {
	en, cy, _ := strings.Cut(names, "|")
	return matrix.Text{matrix.English: en, matrix.Welsh: cy}
}

// matrix has up to 17 elements and 5 levels.
func testMatrix(elements, levels int) *matrix.Matrix {
	m := &matrix.Matrix{ID: "made-up", Languages: []matrix.Lang{matrix.English, matrix.Welsh}}
	for i := range levels {
		m.Levels = append(m.Levels, matrix.Level{ID: fmt.Sprint("l", i+1), Name: both(levelNames[i])})
	}
	n := 0
	for i, names := range elementNames {
		d := matrix.Dimension{ID: fmt.Sprint("d", i+1), Name: both(names[0]), CoreElements: []matrix.CoreElement{{}}}
		for _, name := range names[1:] {
			if n == elements {
				break
			}
			n++
			d.CoreElements[0].Elements = append(d.CoreElements[0].Elements, matrix.Element{ID: fmt.Sprint("e", n), Name: both(name)})
		}
		if len(d.Elements()) > 0 {
			m.Dimensions = append(m.Dimensions, d)
		}
	}
	m.RoleGroups = []matrix.RoleGroup{{ID: "health"}}
	return m
}

// published is a round of 34 people in which the seventh element has too few ratings.
func published(elements, levels int) results.Published {
	m := testMatrix(elements, levels)
	rng := rand.New(rand.NewPCG(7, uint64(elements)))
	tally := results.NewTally(m)
	for person := range 34 {
		r := results.Response{Group: "health", Answers: map[string]results.Answer{}}
		for e := range elements {
			rating := matrix.Rating(min(max(int(math.Round(rng.NormFloat64()*0.8+1.2+float64(e%4)*0.7)), 1), levels))
			if e == 0 && person > 0 {
				rating = 2 // one of 34 stands apart: the thinnest part there is
			}
			if e == 6 && person > 2 || rng.IntN(8) == 0 {
				rating = matrix.DontKnow
			}
			r.Answers[fmt.Sprint("e", e+1)] = results.Answer{Rating: rating}
		}
		tally.Add(r)
	}
	return results.Publish(tally, results.Context{Area: "Llanwnog", MinGroup: 5})
}

var english = Words{
	Title: "Where Llanwnog & its partners see maternity and early years, March 2026", Rated: "n",
	TooFew: "fewer than 5 people rated it",
	Notes: []string{
		"Shares are of the people who rated the element (n). They are rounded, and need not add up to 100.",
		"Nothing is shown of an element that fewer than 5 people rated.",
	},
	Alt: "Ratings of each key element in Llanwnog, one bar for each, from the lowest level:", Hidden: "too few ratings",
}

var welsh = Words{
	Title: "Ble mae Llanwnog a’i phartneriaid yn gweld mamolaeth a’r blynyddoedd cynnar", Rated: "n",
	TooFew: "llai na 5 o bobl wedi’i raddio",
	Notes:  []string{"Cyfrannau o’r bobl a raddiodd yr elfen (n) yw’r canrannau. Maent wedi’u talgrynnu, ac nid oes rhaid iddynt adio i 100."},
	Alt:    "Graddau pob elfen allweddol:", Hidden: "rhy ychydig",
}

func TestPNG(t *testing.T) {
	for _, c := range []struct {
		file             string
		elements, levels int
		lang             matrix.Lang
		words            Words
	}{
		{"welsh.png", 17, 4, matrix.Welsh, welsh},
		{"bare.png", 3, 1, matrix.English, Words{}},
	} {
		t.Run(c.file, func(t *testing.T) {
			b, err := PNG(published(c.elements, c.levels), c.lang, c.words)
			if err != nil {
				t.Fatal(err)
			}
			img, err := png.DecodeConfig(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if img.Width != 1200 {
				t.Errorf("%d pixels wide", img.Width)
			}
			if len(b) > 1<<20 {
				t.Errorf("%d bytes", len(b))
			}
			if dir := os.Getenv("CHART_DIR"); dir != "" { // to look at
				if err := os.WriteFile(filepath.Join(dir, c.file), b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// The SVG is the same list of shapes as the PNG, and a text: what changes in the drawing shows in its golden file.
func TestSVG(t *testing.T) {
	got, err := SVG(published(8, 5), matrix.Welsh, welsh)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "small.svg", got)
	d := xml.NewDecoder(bytes.NewReader(got))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs: run with -update and read what changed", path)
	}
}

func TestPictureIsComplete(t *testing.T) {
	p := published(17, 4)
	b, err := SVG(p, matrix.English, english)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, m := range regexp.MustCompile(`<text [^>]*>([^<]*)</text>`).FindAllStringSubmatch(string(b), -1) {
		texts = append(texts, m[1])
	}
	all := " " + strings.Join(texts, " ") + " "
	for _, d := range p.Matrix.Dimensions {
		for _, want := range append([]string{d.Name.In(matrix.English)}, names(d)...) {
			if !strings.Contains(all, " "+want+" ") {
				t.Errorf("%q is missing", want)
			}
		}
	}
	at := -1
	for _, l := range p.Matrix.Levels {
		next := strings.Index(all, " "+l.Name.In(matrix.English)+" ")
		if next <= at {
			t.Errorf("legend: %q is missing or out of order", l.Name.In(matrix.English))
		}
		at = next
	}
	if !strings.Contains(all, "Llanwnog &amp; its partners") || strings.Contains(string(b), "& ") {
		t.Error("the title is missing or not escaped")
	}
	if got := strings.Count(all, " [c] "); got != 2 { // in the legend and for the seventh element
		t.Errorf("%d bars marked [c]", got)
	}
	shares := 0
	for _, e := range p.Elements {
		c := e.Everyone()
		if n, ok := c.Rated.Int(); ok && !strings.Contains(all, fmt.Sprintf(" n = %d ", n)) {
			t.Errorf("%s: n = %d is missing", e.ID, n)
		}
		for _, f := range c.Percent {
			if n, ok := f.Int(); ok && n > 0 {
				shares++
			}
		}
	}
	if got := len(regexp.MustCompile(` \d+%?`).FindAllString(strings.ReplaceAll(all, "n = ", "n="), -1)); got < shares {
		t.Errorf("%d numbers for %d shares: parts too thin to be labelled", got, shares)
	}
}

func names(d matrix.Dimension) []string {
	var all []string
	for _, e := range d.Elements() {
		all = append(all, e.Name.In(matrix.English))
	}
	return all
}

func TestPictureBounds(t *testing.T) {
	for _, p := range []results.Published{published(17, 4), published(8, 5)} {
		words := welsh
		p.Matrix.Dimensions[0].CoreElements[0].Elements[0].Name = both("|" + strings.Repeat("ŵy ", 60))
		words.Title = strings.Repeat("Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch", 3)
		s, err := layOut(p, matrix.Welsh, words)
		if err != nil {
			t.Fatal(err)
		}
		inside(t, s)
	}
}

// inside holds that no shape leaves the picture, and no text runs into its neighbour.
func inside(t *testing.T, s *scene) {
	t.Helper()
	ends := map[float64]float64{} // where the last text of a line ends, by line
	for _, shape := range s.shapes {
		switch v := shape.(type) {
		case rect:
			if v.x < margin-0.01 || v.x+v.w > width-margin+0.01 || v.y < 0 || v.y+v.h > s.height {
				t.Errorf("%+v", v)
			}
		case polygon:
			if box := boxOf(v); box.x < margin || box.x+box.w > width-margin || box.y+box.h > s.height {
				t.Errorf("%+v", box)
			}
		case caption:
			if v.x < margin-0.01 || v.x+s.faces.width(v.text, v.style) > width-margin+0.01 || v.y > s.height {
				t.Errorf("%+v", v)
			}
			if end, ok := ends[v.y]; ok && v.x < end {
				t.Errorf("%+v is written over its neighbour", v)
			}
			ends[v.y] = v.x + s.faces.width(v.text, v.style)
		}
	}
}

// boxOf returns the smallest rectangle around a polygon.
func boxOf(p polygon) rect {
	left, top := math.Inf(1), math.Inf(1)
	right, bottom := math.Inf(-1), math.Inf(-1)
	for _, at := range p.points {
		left, right = min(left, at.x), max(right, at.x)
		top, bottom = min(top, at.y), max(bottom, at.y)
	}
	return rect{x: left, y: top, w: right - left, h: bottom - top}
}

func TestLevelsWithoutColour(t *testing.T) {
	for levels := 1; levels <= 7; levels++ {
		looks := looksOf(levels)
		for i, l := range looks {
			if c := contrast(l.fill, l.text); c < 4.5 {
				t.Errorf("level %d of %d: its number stands out by %.2f", i+1, levels, c)
			}
			if i == 0 {
				continue
			}
			before := looks[i-1]
			if luminance(l.fill) >= luminance(before.fill) || l.hatch == before.hatch {
				t.Errorf("level %d of %d looks like the one before", i+1, levels)
			}
			if c := contrast(l.fill, before.fill); levels <= 4 && c < 2.2 {
				t.Errorf("level %d of %d stands out from the one before by %.2f", i+1, levels, c)
			}
		}
	}
}

func TestFontsHaveTheLettersOfWelsh(t *testing.T) {
	f, err := newFaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []*opentype.Font{f.regular, f.bold} {
		for _, letter := range "âêîôûŵŷÂÊÎÔÛŴŶáéíóúẃýàèìòùẁỳäëïöüẅÿ’‘“”–…£" {
			var buffer sfnt.Buffer
			if glyph, err := file.GlyphIndex(&buffer, letter); err != nil || glyph == 0 {
				t.Errorf("no %c", letter)
			}
		}
	}
}

func TestAlt(t *testing.T) {
	p := published(17, 4)
	whole := Alt(p, matrix.English, english, 0)
	if !strings.HasPrefix(whole, english.Alt+" Vision, strategy and plan: 3, 97, 0, 0 (33). Understanding") {
		t.Errorf("begins %.160s", whole)
	}
	if !strings.Contains(whole, "Community engagement: [c] too few ratings.") || !strings.Contains(whole, "Local evaluation: ") {
		t.Errorf("%s", whole)
	}
	for _, limit := range []int{40, 200, 500, 1024} {
		cut := Alt(p, matrix.English, english, limit)
		if n := utf8.RuneCountInString(cut); n > limit || !strings.HasSuffix(cut, "…") && cut != whole {
			t.Errorf("limit %d: %d characters, %q", limit, n, cut)
		}
		if kept := strings.TrimSuffix(cut, " …"); limit > 100 && (!strings.HasPrefix(whole, kept) || !strings.HasSuffix(kept, ".")) {
			t.Errorf("limit %d: ends inside of an element: %q", limit, cut)
		}
	}
}

func BenchmarkPNG(b *testing.B) {
	p := published(17, 4)
	for b.Loop() {
		if _, err := PNG(p, matrix.English, english); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAltHasEveryLevelOfATie: where two levels share the most ratings, neither stands for both.
func TestAltHasEveryLevelOfATie(t *testing.T) {
	m := testMatrix(1, 4)
	tally := results.NewTally(m)
	for i := range 6 {
		tally.Add(results.Response{Group: "health", Answers: map[string]results.Answer{"e1": {Rating: matrix.Rating(1 + 2*(i%2))}}})
	}
	alt := Alt(results.Publish(tally, results.Context{Area: "Llanwnog", MinGroup: 5}), matrix.English, english, 0)
	if want := ": 50, 0, 50, 0 (6)."; !strings.Contains(alt, want) {
		t.Errorf("%q is not in %s", want, alt)
	}
}
