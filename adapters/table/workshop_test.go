package table

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

var workshopWords = WorkshopWords{
	Lang: "en", Title: "Workshop sheet", Steps: []string{"Agree."}, SpreadsheetSteps: []string{"Save."}, PageSteps: []string{"Tick."},
	Hidden: "[c] means hidden.", Rounding: "Rounded.", Area: "area", Nation: "nation", Element: "element", Level: "level",
	Question: "Question", Answers: "Answers", Share: "Share", Levels: "Level", Meaning: "What it means", Comments: "Comments", Barriers: "Barriers",
	AgreedRating: "Agreed rating", Information: "Information held", Action: "Priority action", Who: "Who", When: "By when",
	Decided: "What the workshop agreed", AllRatings: "All questions", Rated: "Rated", DontKnow: "Don't know", NotApplicable: "Not applicable",
	NotAnswered: "Not answered", NotRated: "Not rated", NoComments: "No comments.", NoBarriers: "No answers.", More: "More:", BadLevel: "No level.",
	Kind: "Kind", Comment: "Comment", Barrier: "Barrier", Text: "Text", SheetRatings: "Ratings", SheetComments: "Comments",
}

// workshopMatrix is testMatrix with questions and descriptors.
func workshopMatrix() *matrix.Matrix {
	m := testMatrix()
	m.Nation = both("England", "Lloegr")
	for _, d := range m.Dimensions {
		for i := range d.CoreElements[0].Elements {
			e := &d.CoreElements[0].Elements[i]
			e.Question = both("How far along is "+e.ID+"?", "Pa mor bell?")
			for _, level := range m.Levels {
				e.Descriptors = append(e.Descriptors, both("All is "+level.ID+".", "Mae popeth."))
			}
		}
	}
	return m
}

// forWorkshop publishes what six people rated: half of the first element's ratings are on each of
// two levels, and nobody rated the others. The first has the notes and a barrier.
func forWorkshop(notes ...string) results.Published {
	m := workshopMatrix()
	tally := results.NewTally(m)
	for i := range max(6, len(notes)) {
		a := results.Answer{Rating: matrix.Rating(1 + i%2)}
		if i < len(notes) {
			a.Detail = results.Detail{Note: notes[i], Barrier: "Barrier: " + notes[i]}
		}
		tally.Add(results.Response{Group: "health", Answers: map[string]results.Answer{"vision": a}})
	}
	return results.Publish(tally, results.Context{Area: "Llanwnog", MinGroup: 5, Consensus: results.Consensus{Percent: 70}})
}

func workshopRows(t *testing.T, raw []byte) [][]string {
	t.Helper()
	book := open(t, raw)
	rows, err := book.GetRows("Ratings")
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(rows, func(row []string) bool { return len(row) > 0 && row[0] == "area" })
	if at < 0 {
		t.Fatalf("no header in %q", rows)
	}
	return rows[at:]
}

func TestWorkshopXLSX(t *testing.T) {
	raw, err := WorkshopXLSX(forWorkshop("We have one."), matrix.English, workshopWords)
	if err != nil {
		t.Fatal(err)
	}
	rows := workshopRows(t, raw)
	if len(rows) != 5 {
		t.Fatalf("%d rows: %q", len(rows), rows)
	}
	want := []string{"area", "nation", "element", "level", "Question", "Basic", "Early progress", "Substantial progress", "Mature",
		"Answers", "Comments", "Barriers", "Information held", "Priority action", "Who", "By when"}
	if !slices.Equal(rows[0], want) {
		t.Errorf("header %q", rows[0])
	}
	want = []string{"Llanwnog", "England", "Vision, strategy and plan", "", "How far along is vision?", "50%\nAll is basic.", "50%\nAll is early.",
		"0%\nAll is substantial.", "0%\nAll is mature.", "Rated: 6\nDon't know: 0\nNot applicable: 0\nNot answered: 0",
		"• We have one.", "• Barrier: We have one."}
	if !slices.Equal(rows[1][:len(want)], want) {
		t.Errorf("first row\n%q", rows[1])
	}
	if got := rows[2][5:10]; got[0] != "[c]\nAll is basic." || got[4] != "[c] means hidden." {
		t.Errorf("a hidden element has %q", got)
	}
	book := open(t, raw)
	lists, err := book.GetDataValidations("Ratings")
	if err != nil || len(lists) != 1 || !strings.Contains(lists[0].Formula1, "Basic,Early progress,Substantial progress,Mature") {
		t.Errorf("the levels to choose from are %v, %v", lists, err)
	}
	names := book.GetDefinedName()
	if len(names) != 1 || names[0].Name != "_xlnm.Print_Titles" {
		t.Errorf("repeated in print: %v", names)
	}
}

// TestWorkshopManyComments checks that a row is never higher than Excel allows, and that nothing
// that people wrote is lost.
func TestWorkshopManyComments(t *testing.T) {
	notes := make([]string, 40)
	for i := range notes {
		notes[i] = strings.Repeat("a long story ", 30) + string(rune('A'+i))
	}
	raw, err := WorkshopXLSX(forWorkshop(notes...), matrix.English, workshopWords)
	if err != nil {
		t.Fatal(err)
	}
	cell := workshopRows(t, raw)[1][10]
	shown, more := strings.Count(cell, "•"), regexp.MustCompile(`\nMore: (\d+)$`).FindStringSubmatch(cell)
	if shown < 1 || more == nil {
		t.Fatalf("the cell holds %q", cell)
	}
	book := open(t, raw)
	rows, err := book.GetRows("Comments")
	if err != nil || len(rows) != 1+80 {
		t.Errorf("%d rows of comments, %v", len(rows), err)
	}
	for line := range 12 {
		if height, err := book.GetRowHeight("Ratings", line+1); err != nil || height > maxRowHeight {
			t.Errorf("row %d is %v points high, %v", line+1, height, err)
		}
	}
}

// TestWorkshopElementName checks that an element goes by its id where its name is not its own.
func TestWorkshopElementName(t *testing.T) {
	p := forWorkshop()
	p.Matrix.Dimensions[0].CoreElements[0].Elements[1].Name = both("Partnership", "Partneriaeth")
	p.Matrix.Dimensions[1].CoreElements[0].Elements[1].Name = both("Vision, strategy and plan", "x")
	raw, err := WorkshopXLSX(p, matrix.English, workshopWords)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, row := range workshopRows(t, raw)[1:] {
		names = append(names, row[2])
	}
	if got := strings.Join(names, "|"); got != "vision|needs|Partnership|assets" {
		t.Errorf("elements %s", got)
	}
}

func TestWorkshopHTML(t *testing.T) {
	words := workshopWords
	words.Lang = "cy"
	raw, err := WorkshopHTML(forWorkshop("Mae gennym <b>un</b>."), matrix.Welsh, words)
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, want := range []string{
		`<html lang="cy">`, "<title>Workshop sheet</title>", `<th scope="row">Cynnydd cynnar</th><td class="share">50%</td>`,
		`<caption>Rated: 6 · Don&#39;t know: 0 · Not applicable: 0 · Not answered: 0</caption>`, `<td class="share">[c]</td>`,
		"<caption>[c] means hidden.</caption>", "Mae gennym &lt;b&gt;un&lt;/b&gt;.", "size: A4 landscape", "<li>Not rated</li>", "<li>Ffigurau</li>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, part := range regexp.MustCompile(`<th[ >][^>]*>`).FindAllString(page, -1) {
		if !strings.Contains(part, `scope="`) {
			t.Errorf("a header without a scope: %s", part)
		}
	}
	for _, foreign := range []string{"<script", "http://", "https://", "src=", "@import", "url("} {
		if strings.Contains(page, foreign) {
			t.Errorf("the page has %s", foreign)
		}
	}
	// The three hidden elements have no comments and do not say that there are none.
	if n := strings.Count(page, "<h3>"); n != 2 {
		t.Errorf("%d headings of comments and barriers, want 2", n)
	}
}

// FuzzWorkshop checks that what people wrote is text in both forms of the sheet: no markup, no
// formula, and nothing of it changed but what plaintext.Clean drops.
func FuzzWorkshop(f *testing.F) {
	count := func(tb testing.TB, note string) (int, string) {
		tb.Helper()
		raw, err := WorkshopHTML(forWorkshop(note), matrix.English, workshopWords)
		if err != nil {
			tb.Fatal(err)
		}
		return strings.Count(string(raw), "<"), string(raw)
	}
	plain, _ := count(f, "plain")
	for _, note := range append(formulas, "<script>alert(1)</script>", "--></style><img src=x onerror=alert(1)>", `"&quot;{{.}}`, "=1+1", "a\x00b\x1b[31m\u202e", "]]>") {
		f.Add(note)
	}
	f.Fuzz(func(t *testing.T, note string) {
		want := strings.TrimSpace(plaintext.Clean(note))
		if want == "" || utf8.RuneCountInString(want) > 500 {
			return
		}
		if n, page := count(t, note); n != plain {
			t.Errorf("%q makes %d marks of %d:\n%s", note, n, plain, page)
		}
		raw, err := WorkshopXLSX(forWorkshop(note), matrix.English, workshopWords)
		if err != nil {
			t.Fatal(err)
		}
		book := open(t, raw)
		got, err := book.GetCellValue("Comments", "C2")
		if err != nil || strings.TrimSpace(got) != want && !strings.ContainsFunc(want, func(r rune) bool { return r == '\ufffe' || r == '\uffff' }) {
			t.Errorf("%q became %q, %v", want, got, err)
		}
		for _, sheet := range book.GetSheetList() {
			for _, at := range []string{"C2", "K9", "L9", "K10", "L10", "K11", "L11"} {
				if formula, err := book.GetCellFormula(sheet, at); err != nil || formula != "" {
					t.Errorf("%s %s is the formula %q, %v", sheet, at, formula, err)
				}
			}
		}
	})
}
