package answers

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/unicode"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

// wideTable is a table of cells as CSV.
func wideTable(rows ...[]string) string {
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + strings.ReplaceAll(cell, `"`, `""`) + `"`)
		}
		b.WriteString("\r\n")
	}
	return b.String()
}

// wideHeader returns the header of a form, with a heading for each element.
func wideHeader(m *matrix.Matrix, heading func(matrix.Element) string) []string {
	header := []string{"Id", "Start time", "Email", "Name", "What is your role?"}
	for _, e := range m.Elements() {
		header = append(header, heading(e))
	}
	return append(header, "Anything else?")
}

// wideRow is what Secret answered, with one level for all elements but the first.
func wideRow(m *matrix.Matrix, role, first, others string) []string {
	row := []string{"1", "12/11/2026 10:00", "secret@example.org", "Secret", role, first}
	for range m.Elements()[1:] {
		row = append(row, others)
	}
	return append(row, "Secret")
}

// TestWideHeadings reads the headings that form tools write.
func TestWideHeadings(t *testing.T) {
	m := england()
	for name, heading := range map[string]func(matrix.Element) string{
		"id":               func(e matrix.Element) string { return strings.ToUpper(e.ID) },
		"name":             func(e matrix.Element) string { return e.Name.In(matrix.English) },
		"Welsh name":       func(e matrix.Element) string { return e.Name.In(matrix.Welsh) },
		"question":         func(e matrix.Element) string { return e.Question.In(matrix.English) },
		"Welsh question":   func(e matrix.Element) string { return e.Question.In(matrix.Welsh) },
		"number":           func(e matrix.Element) string { return "3. " + e.Question.In(matrix.English) },
		"number of a kind": func(e matrix.Element) string { return "Q12: " + e.Name.In(matrix.English) + " *" },
		"number in words":  func(e matrix.Element) string { return "Question 4 – " + e.Name.In(matrix.English) },
		"lines and spaces": func(e matrix.Element) string {
			return " " + strings.ReplaceAll(e.Question.In(matrix.English), " ", "\u00a0\n") + "\n"
		},
		"name and question": func(e matrix.Element) string { return e.Name.In(matrix.English) + "\n" + e.Question.In(matrix.English) },
		"grid":              func(e matrix.Element) string { return "How far have you come? [" + e.Name.In(matrix.English) + "]" },
		"the report's":      func(e matrix.Element) string { return e.Also[0] },
	} {
		got, turnout, err := read(m, wideTable(wideHeader(m, heading), wideRow(m, "Midwife or other maternity staff", "Early progress", "Basic")))
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %d responses, %v", name, len(got), err)
			continue
		}
		want := results.Response{Group: "health", Answers: map[string]results.Answer{}}
		for i, e := range m.Elements() {
			want.Answers[e.ID] = said(matrix.Rating(max(1, 2-i)), "")
		}
		if !reflect.DeepEqual(got[0], want) || turnout.Finished != 1 {
			t.Errorf("%s: got %+v, turnout %+v", name, got, turnout)
		}
	}
}

// TestWideAnswers reads the answers that form tools write.
func TestWideAnswers(t *testing.T) {
	m := england()
	vision, early := m.Elements()[0], m.Levels[1]
	descriptor := func(lang matrix.Lang) string { return vision.Descriptors[1].In(lang) }
	for rating, answers := range map[matrix.Rating][]string{
		2: {
			"early", "Early progress", "Early", "Cynnydd cynnar", "2", "2.0", "Level 2", "Lefel 2", "2 – Early progress", "2. Early progress",
			"Early progress (2)", "Level 2: Early progress", descriptor(matrix.English), descriptor(matrix.Welsh),
			"Early progress: " + descriptor(matrix.English), "2. Early progress\u00a0\n" + descriptor(matrix.English) + "\n",
			"'=2. Early progress", "=Early progress", "Early progress: " + early.Meaning.In(matrix.English), "1 – Early progress",
		},
		matrix.DontKnow:      {"Don't know", "Don’t know", "Don't know.", "5. Don't know", "Ddim yn gwybod", "dont_know", "I don't know"},
		matrix.NotApplicable: {"Not applicable", "Not applicable to me", "Ddim yn berthnasol i mi", "6 - Not applicable to me"},
		matrix.NotAnswered:   {"", " ", "-", "N/A"},
	} {
		for _, answer := range answers {
			got, _, err := read(m, wideTable(wideHeader(m, func(e matrix.Element) string { return e.ID }), wideRow(m, "", answer, "Basic")))
			if err != nil || len(got) != 1 || got[0].Answers["vision"].Rating != rating {
				t.Errorf("%q: %v, %+v", answer, err, got)
			}
		}
	}
	for _, answer := range []string{"5", "0", "Level 5", "Secret", m.Elements()[1].Descriptors[1].In(matrix.English), "Early progress Basic"} {
		if _, _, err := read(m, wideTable(wideHeader(m, func(e matrix.Element) string { return e.ID }), wideRow(m, "", answer, "Basic"))); err == nil {
			t.Errorf("%q was taken for a level", answer)
		}
	}
}

// TestWideFaults reports everything that is wrong at once, by line and column, and quotes nothing
// but a role.
func TestWideFaults(t *testing.T) {
	m := england()
	id := func(e matrix.Element) string { return e.ID }
	header := wideHeader(m, id)
	twice := append(slices.Clone(header), "Shared vision, strategy and plan", "Your role", "VISION comment", "comments on vision")
	fewer := slices.Delete(slices.Clone(header), 6, 8)
	noRole := slices.Clone(header)
	noRole[4] = "Secret"
	long := wideRow(m, "", "1", "1")
	long[len(long)-1] = strings.Repeat("x", matrix.MaxNoteRunes+1)
	comments := slices.Clone(header)
	comments[len(comments)-1] = "Comments on local evaluation"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"answers": {wideTable(header, wideRow(m, "parent", "Secret", "1"), wideRow(m, "parent", "Secret", "1"), wideRow(m, "parent", "1", "1")),
			[]string{"a.csv:2: column 6, vision: there is no such level in the matrix england (2 times: lines 2, 3); expected one of basic, "}},
		"an unknown role":      {wideTable(header, wideRow(m, "Druid", "1", "1")), []string{`a.csv:2: there is no such role in the matrix england: "Druid"; expected one of `}},
		"a shifted row":        {wideTable(header, wideRow(m, "Secret", "parent", "1")), []string{"a.csv:2: column 6, vision: there is no such level", "a.csv:2: there is no such role in the matrix england; expected"}},
		"headings twice":       {wideTable(twice), []string{`a.csv:1: a column is there twice: "vision", "role", "vision comment"; expected it once`}},
		"elements missing":     {wideTable(fewer), []string{`a.csv:1: a column is missing: "needs", "resources"; expected the columns role and one for each element: vision, needs, `}},
		"role missing":         {wideTable(noRole), []string{`a.csv:1: a column is missing: "role"; expected the columns role and one for each element: `}},
		"no rows":              {wideTable(header), []string{"a.csv:1: the file has no rows below the header; expected a row for each answer, or for each respondent"}},
		"more cells":           {wideTable(header, append(wideRow(m, "", "1", "1"), "Secret")), []string{"a.csv:2: the row has more cells than the header; "}},
		"a comment too long":   {wideTable(comments, long), []string{"a.csv:2: the comment is too long; expected at most 500"}},
		"another long heading": {"respondent,role,element,stage\nSecret,,vision,1\n", []string{`a.csv:1: the heading of a column is not known, counted from the left: "4"; `, `a.csv:1: a column is missing: "level"; `}},
	} {
		got, _, err := read(m, c.text)
		var faults plaintext.Faults
		if !errors.As(err, &faults) || got != nil || len(faults) != len(c.want) {
			t.Errorf("%s: %d responses, %v", name, len(got), err)
			continue
		}
		if strings.Contains(strings.ToLower(err.Error()), "secret") {
			t.Errorf("%s: a cell is repeated: %v", name, err)
		}
		for i, want := range c.want {
			if !strings.HasPrefix(faults[i].Error(), want) {
				t.Errorf("%s:\n got %v\nwant %s", name, faults[i], want)
			}
		}
	}
	if _, _, err := read(m, wideTable(header, wideRow(m, "Druid", "9", "9"))); strings.Count(err.Error(), "\n") != len(m.Elements()) {
		t.Errorf("not a fault for each column:\n%v", err)
	}
}

// TestWideFileFormats reads a wide table as programs save it.
func TestWideFileFormats(t *testing.T) {
	m := england()
	var rows []Row
	for i := range 12 {
		for k, e := range m.Elements() {
			row := Row{Respondent: fmt.Sprint(i), Role: m.Roles()[i%3].ID, Element: e.ID, Rating: matrix.Rating(1 + (i+k)%4)}
			if k == i {
				row.Comment = "=a note, with \"marks\"\nin two lines"
			}
			rows = append(rows, row)
		}
	}
	for _, lang := range m.Languages {
		var b bytes.Buffer
		if err := WriteWide(&b, m, lang, rows); err != nil {
			t.Fatal(err)
		}
		var long bytes.Buffer
		if err := Write(&long, m, rows); err != nil {
			t.Fatal(err)
		}
		want, wantTurnout, err := read(m, long.String())
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(b.String(), "\nin two lines", "") // so that lines can end in another way
		for i := range want {
			for id, a := range want[i].Answers {
				if a.Detail.Note != "" {
					a.Detail.Note = "=a note, with \"marks\""
					want[i].Answers[id] = a
				}
			}
		}
		plain := strings.TrimPrefix(text, "\ufeff")
		records, err := csv.NewReader(strings.NewReader(plain)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(joined(records, "\t"))
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"as written":       text,
			"without a mark":   plain,
			"lines of Windows": strings.ReplaceAll(plain, "\n", "\r\n"),
			"lines of Macs":    strings.ReplaceAll(plain, "\n", "\r"),
			"tabs":             joined(records, "\t"),
			"UTF-16":           utf16,
			"semicolons":       "sep=;\r\n" + joined(records, ";"),
			"a title":          "Northshire\n\n" + plain,
			"trailing columns": strings.ReplaceAll(joined(records, ";"), "\n", ";;;\n"),
			"a workbook":       workbook(t, records),
		} {
			got, turnout, err := read(m, text)
			if err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(turnout, wantTurnout) {
				t.Errorf("%s, %s: %d responses, %.300v", lang, name, len(got), err)
			}
		}
	}
}

func joined(records [][]string, separator string) string {
	var b strings.Builder
	for _, record := range records {
		for i, cell := range record {
			if i > 0 {
				b.WriteString(separator)
			}
			b.WriteString(`"` + strings.ReplaceAll(cell, `"`, `""`) + `"`)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func workbook(t *testing.T, records [][]string) string {
	t.Helper()
	book := excelize.NewFile()
	for y, record := range records {
		for x, cell := range record {
			at, err := excelize.CoordinatesToCellName(x+1, y+1)
			if err != nil {
				t.Fatal(err)
			}
			if err := book.SetCellStr("Sheet1", at, cell); err != nil {
				t.Fatal(err)
			}
		}
	}
	var b bytes.Buffer
	if err := book.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestWideOtherMatrix reads a matrix with other numbers of elements and levels, and languages.
func TestWideOtherMatrix(t *testing.T) {
	f, err := os.Open("../../survey/matrix/testdata/eight.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	m, err := matrix.Load("eight.yaml", f)
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range m.Languages {
		header := []string{"role"}
		row := []string{m.Roles()[0].ID}
		for i, e := range m.Elements() {
			header = append(header, fmt.Sprintf("%d) %s", i+1, e.Question.In(lang)))
			row = append(row, e.Descriptors[len(m.Levels)-1].In(lang))
		}
		got, _, err := read(m, wideTable(header, row))
		if err != nil || len(got) != 1 || len(got[0].Answers) != len(m.Elements()) {
			t.Errorf("%s: %+v, %v", lang, got, err)
			continue
		}
		for id, a := range got[0].Answers {
			if int(a.Rating) != len(m.Levels) {
				t.Errorf("%s: %s is %d", lang, id, a.Rating)
			}
		}
	}
}

// repeated reads a header once and a row many times.
type repeated struct {
	header, row string
	left        int
	buffer      []byte
}

func (r *repeated) Read(p []byte) (int, error) {
	for len(r.buffer) < len(p) && (r.header != "" || r.left > 0) {
		if r.header != "" {
			r.buffer, r.header = append(r.buffer, r.header...), ""
			continue
		}
		r.buffer = append(r.buffer, r.row...)
		r.left--
	}
	n := copy(p, r.buffer)
	r.buffer = append(r.buffer[:0], r.buffer[n:]...)
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// TestWideMemory reads 100,000 people. What is kept of each is small, whatever else their rows hold.
func TestWideMemory(t *testing.T) {
	m := england()
	const people = 100_000
	row := wideRow(m, "parent", "Early progress", "Basic")
	row[3] = strings.Repeat("Secret ", 20)
	from := &repeated{header: wideTable(wideHeader(m, func(e matrix.Element) string { return e.ID })), row: wideTable(row), left: people}
	var kept runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&kept)
	before, seen := kept.HeapAlloc, 0
	turnout, err := Read("a.csv", from, m, func(results.Response) {
		if seen++; seen == 1 {
			runtime.GC()
			runtime.ReadMemStats(&kept)
		}
	})
	if err != nil || turnout.Finished != people || seen != people {
		t.Fatalf("%d finished, %d seen, %v", turnout.Finished, seen, err)
	}
	if each := int64(kept.HeapAlloc-before) / people; each > 400 {
		t.Errorf("%d bytes are kept of each person", each)
	}
}

// FuzzReadWide: whatever the headings and rows of a wide table, there are either responses that fit
// the matrix or faults on lines of the file.
func FuzzReadWide(f *testing.F) {
	m := england()
	header := strings.TrimSpace(wideTable(wideHeader(m, func(e matrix.Element) string { return e.ID })))
	f.Add("comments on vision", "1,2,3,4,parent,1,2,3,4,Basic,Mature,dont_know,,-,,,,,,,,,note\n")
	f.Add("", "1,2,3,4,Druid,9\r\n;;;\n\"")
	f.Add("vision [vision]", "\xff")
	f.Fuzz(func(t *testing.T, heading, body string) {
		text := header + `,"` + heading + "\"\n" + body
		checkRead(t, m, text)
	})
}
