package resultfiles

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"maturitybot/adapters/ratings"
	"maturitybot/bot/locale"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

// assessed is a finished workshop on the matrix. It rated all elements but the last.
func assessed(m *matrix.Matrix) workshop.Assessment {
	at := time.Date(2027, 2, 5, 12, 0, 0, 0, time.UTC)
	a := workshop.Assessment{
		Round: "r", Area: "=Ynys Môn", Stage: workshop.Agreed, MinGroup: 5, Surveyed: 34,
		StartedAt: at, FinishedAt: at, PreviousAt: at, Survey: map[string][]int{},
		Ratings: map[string]workshop.Rating{}, Attendance: map[string]int{"midwife": 6},
	}
	for i, e := range m.Elements() {
		counts := make([]int, len(m.Levels))
		counts[i%len(counts)] = 6
		a.Survey[e.ID] = counts
		a.Ballots = append(a.Ballots, workshop.Ballot{Number: i + 1, Element: e.ID, Counts: counts})
		r := workshop.Rating{How: workshop.MostAgreed, At: at}
		if i < len(m.Elements())-1 {
			r.Level = matrix.Rating(1 + i%len(counts))
		}
		a.Ratings[e.ID] = r
	}
	return a
}

// ownMatrix is an area's own: England's with other ids, one name for two elements and a level that
// is called like an empty cell.
func ownMatrix() *matrix.Matrix {
	m, _ := matrix.Editions().ForNewRounds(string(matrix.England))
	m.ID = "own"
	m.Dimensions = slices.Clone(m.Dimensions[:1])
	m.Levels = slices.Clone(m.Levels[:3])
	m.Levels[1].ID = "null"
	elements := m.Dimensions[0].CoreElements[0].Elements
	elements[0].ID = "=vision"
	elements[1].Name = elements[0].Name
	return m
}

// TestAgreedRatingsAreReadBack reads the CSV file as the report command does.
func TestAgreedRatingsAreReadBack(t *testing.T) {
	words := locale.New()
	editions := matrix.Editions()
	for _, m := range append(editions.Newest(), ownMatrix()) {
		for _, lang := range []matrix.Lang{matrix.English, matrix.Welsh} {
			files, err := New(words).AssessmentFiles(assessed(m), m, lang)
			if err != nil {
				t.Fatal(err)
			}
			file := files[2]
			areas, err := ratings.Read(file.Name, bytes.NewReader(file.Data), matrix.List{m})
			if err != nil {
				t.Errorf("%s, %s: %v", m.ID, lang, err)
				continue
			}
			o := areas.Overview()
			wanted, _ := matrix.FindNation(m.Nation.In(matrix.English))
			if len(o.Groups) != 1 || o.Groups[0].Nation != wanted || o.Groups[0].Areas != 1 {
				t.Errorf("%s, %s: %+v", m.ID, lang, o.Groups)
			}
			for i, e := range o.Groups[0].Elements {
				rated := i < len(o.Groups[0].Elements)-1
				for k, n := range e.Counts {
					want := 0
					if rated && k == i%len(m.Levels) {
						want = 1
					}
					if got, _ := n.Int(); got != want {
						t.Errorf("%s, %s: element %d has %d on level %d, want %d", m.ID, lang, i, got, k, want)
					}
				}
			}
		}
	}
}

func TestAssessmentFiles(t *testing.T) {
	words := locale.New()
	editions := matrix.Editions()
	for lang, said := range map[matrix.Lang]string{matrix.English: ", Not rated.", matrix.Welsh: ", Heb sgôr."} {
		for _, m := range editions.Newest() {
			files, err := New(words).AssessmentFiles(assessed(m), m, lang)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []struct{ end, kind, begins string }{
				{"png", "image/png", "\x89PNG"}, {"xlsx", typeXLSX, "PK"}, {"csv", "text/csv", "\ufeffarea,"},
			} {
				f := files[i]
				name := "agreed-maturity-ynys-mon-2027-02-r." + want.end
				if f.Name != name || f.Type != want.kind || !bytes.HasPrefix(f.Data, []byte(want.begins)) {
					t.Errorf("%s, %s, %.10q", f.Name, f.Type, f.Data)
				}
			}
			// The description has every question of both editions.
			if alt := files[0].Alt; len([]rune(alt)) > maxAlt || !strings.HasSuffix(alt, said) {
				t.Errorf("%d characters: %s", len([]rune(alt)), alt)
			}
		}
	}
}

// TestOnlyShownRatingsInFiles checks that a ballot that is still open leaves no trace in a file.
func TestOnlyShownRatingsInFiles(t *testing.T) {
	words := locale.New()
	editions := matrix.Editions()
	m := editions[0]
	before := assessed(m)
	open := before
	open.Open = &workshop.OpenBallot{Number: 99, Element: m.Elements()[0].ID}
	open.LastBallot = 99
	one, err := New(words).AssessmentFiles(before, m, matrix.English)
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(words).AssessmentFiles(open, m, matrix.English)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 2} { // a spreadsheet is a ZIP file with times
		if !bytes.Equal(one[i].Data, other[i].Data) || one[i].Alt != other[i].Alt {
			t.Errorf("%s differs", one[i].Name)
		}
	}
}
