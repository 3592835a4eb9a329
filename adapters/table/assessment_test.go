package table

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

var assessmentEnglish = AssessmentWords{
	Title: "What Llanwnog agreed", Symbols: "[c] hidden. [x] not available.", Facts: []string{"17 people"}, Notes: []string{"Shares are rounded."},
	Element: "Element", Agreed: "Agreed rating", How: "How", Reason: "Reason", Others: "Others", Objections: "Objections", Previous: "Last time",
	Survey: "Survey", Shares: "Shares", Ballots: []string{"Rating 1", "Rating 2", "Rating 3"}, Source: "From", Way: "Way", DontKnow: "Don't know",
	Total: "All", Remark: "Remark", Group: "Group", Role: "Role", Present: "Here", Reported: "Of 20", Workshops: "In the report (%)",
	Before: "Earlier", RecordedOn: "Recorded", ChangedTo: "Changed to", Why: "Why", ChangedOn: "Changed on", InSurvey: "Survey",
	Devices: "Devices", Hands: "Hands", Doubled: "More ratings than people.", NotRated: "Not rated",
	Hows: map[workshop.How]string{workshop.AllAgreed: "all", workshop.MostAgreed: "most", workshop.NoAgreement: "none", workshop.BySurvey: "survey", workshop.NoWorkshop: "alone"},
	Left: "left", NotStated: "Not stated", NobodyChanged: "Nothing changed.", AttendanceNotes: []string{"Source: Table 1."},
	SheetRatings: "Agreed", SheetCounts: "Counts", SheetAttendance: "There", SheetChanges: "Changed", SheetNotes: "Notes",
	Day: func(t time.Time) string { return t.Format("2 January 2006") },
}

// assessed is a workshop that rated its first element twice, took over the second from the survey,
// recorded and changed the third, whose survey is hidden, and left the last.
func assessed() (*workshop.Assessment, *matrix.Matrix) {
	m := workshopMatrix()
	for i := range m.Levels {
		m.Levels[i].Short = m.Levels[i].Name
	}
	m.RoleGroups[0].Roles[0].Also = []string{"Midwife / maternity"}
	at := time.Date(2027, 2, 5, 12, 0, 0, 0, time.UTC)
	old := workshop.Rating{Level: 4, How: workshop.MostAgreed, Others: "Parents: lower.", At: at.AddDate(0, 0, -2)}
	return &workshop.Assessment{
		Round: "r1", Area: "Llanwnog", Stage: workshop.Agreed, MinGroup: 5, Surveyed: 34, FinishedAt: at,
		Survey: map[string][]int{"vision": {6, 6, 1, 0}, "needs": {1, 20, 2, 1}},
		Ballots: []workshop.Ballot{
			{Number: 1, Element: "vision", Counts: []int{2, 5, 0, 1}, DontKnow: 1},
			{Number: 2, Element: "vision", Counts: []int{0, 7, 0, 0}, Hands: []int{3, 4}, Doubled: true},
			{Number: 3, Element: "partnership", Hands: []int{0, 0, 6}},
		},
		Ratings: map[string]workshop.Rating{
			"vision":      {Level: 2, How: workshop.AllAgreed, At: at},
			"needs":       {Level: 2, How: workshop.BySurvey, At: at},
			"partnership": {Level: 3, How: workshop.NoAgreement, Reason: "The board has not met.", Others: "Midwives: lower.", At: at},
			"assets":      {How: workshop.NoAgreement, At: at},
		},
		Replaced:   map[string][]workshop.Rating{"partnership": {old}},
		Previous:   map[string]workshop.Rating{"vision": {Level: 1}, "needs": {}},
		Attendance: map[string]int{"midwife": 5, survey.Unstated: 2},
		Objections: map[string]int{"partnership": 2},
	}, m
}

// sheets returns the cells of a spreadsheet as text.
func sheets(t *testing.T, raw []byte) string {
	t.Helper()
	f := open(t, raw)
	var all strings.Builder
	for _, sheet := range f.GetSheetList() {
		lines, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "== %s\n", sheet)
		for _, line := range lines {
			fmt.Fprintln(&all, strings.ReplaceAll(strings.Join(line, " | "), "\n", " / "))
		}
	}
	return all.String()
}

func TestAssessmentXLSX(t *testing.T) {
	a, m := assessed()
	raw, err := AssessmentXLSX(a, m, matrix.English, assessmentEnglish)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "assessment.xlsx.txt", sheets(t, raw))
	f := open(t, raw)
	for _, sheet := range f.GetSheetList()[:4] {
		panes, err := f.GetPanes(sheet)
		if err != nil || !panes.Freeze || panes.YSplit != 4 {
			t.Errorf("%s: %+v, %v", sheet, panes, err)
		}
		layout, err := f.GetPageLayout(sheet)
		if err != nil || *layout.Size != 9 || *layout.Orientation != "landscape" {
			t.Errorf("%s: %+v, %v", sheet, layout, err)
		}
	}
}

// TestAssessmentObjections checks that objections are not shown if too few people were there, or
// nobody rated.
func TestAssessmentObjections(t *testing.T) {
	for people, want := range map[int]string{5: "2", 4: "[c]", 0: "[x]"} {
		a, m := assessed()
		a.Attendance = map[string]int{"midwife": people}
		raw, err := AssessmentXLSX(a, m, matrix.English, assessmentEnglish)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := open(t, raw).GetCellValue("Agreed", "F7"); err != nil || got != want {
			t.Errorf("%d people: %q, want %q, %v", people, got, want, err)
		}
	}
}

func TestAssessmentWithoutSurvey(t *testing.T) {
	a, m := assessed()
	a.Surveyed, a.Survey, a.Replaced, a.Attendance = 0, nil, nil, nil
	raw, err := AssessmentXLSX(a, m, matrix.Welsh, assessmentEnglish)
	if err != nil {
		t.Fatal(err)
	}
	text := sheets(t, raw)
	if strings.Contains(text, "34") || !strings.Contains(text, "| [x] | [x] | Devices") || !strings.Contains(text, "Nothing changed.") {
		t.Errorf("got %s", text)
	}
}

// TestAssessmentHoldsNoFormula writes what people typed, and names of a matrix, that look like
// formulas.
func TestAssessmentHoldsNoFormula(t *testing.T) {
	for _, text := range formulas {
		a, m := assessed()
		a.Area = text
		a.Ratings["vision"] = workshop.Rating{Level: 1, How: workshop.AllAgreed, Reason: text, Others: text}
		m.Dimensions[0].CoreElements[0].Elements[0].Name = both(text, text)
		m.Levels[0].Name, m.Levels[0].Short = both(text, text), both(text, text)
		words := assessmentEnglish
		words.Title, words.Symbols = text, text
		raw, err := AssessmentXLSX(a, m, matrix.English, words)
		if err != nil {
			t.Fatal(err)
		}
		f := open(t, raw)
		for _, sheet := range f.GetSheetList() {
			lines, err := f.GetRows(sheet)
			if err != nil {
				t.Fatal(err)
			}
			for y, line := range lines {
				for x := range line {
					at, _ := excelize.CoordinatesToCellName(x+1, y+1)
					if formula, err := f.GetCellFormula(sheet, at); err != nil || formula != "" {
						t.Errorf("%s %s is the formula %q, %v", sheet, at, formula, err)
					}
				}
			}
		}
		raw, err = AssessmentCSV(a, m, matrix.English)
		if err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records[1:] {
			start := strings.TrimLeft(record[0], " \u00a0")
			if start != "" && strings.ContainsAny(start[:1], "=+-@\t\r\n") || strings.HasPrefix(start, "＝") {
				t.Errorf("%q: the area is %q", text, record[0])
			}
		}
	}
}

// TestAssessmentCSVLevels checks that a level whose id means "not rated" in a file goes by its
// number.
func TestAssessmentCSVLevels(t *testing.T) {
	a, m := assessed()
	m.Levels[1].ID = "nan"
	raw, err := AssessmentCSV(a, m, matrix.Welsh)
	if err != nil {
		t.Fatal(err)
	}
	want := "\ufeffarea,nation,element,level\nLlanwnog,Lloegr,vision,2\nLlanwnog,Lloegr,needs,2\n" +
		"Llanwnog,Lloegr,partnership,substantial\nLlanwnog,Lloegr,assets,\n"
	if string(raw) != want {
		t.Errorf("got\n%s\nwant\n%s", raw, want)
	}
}
