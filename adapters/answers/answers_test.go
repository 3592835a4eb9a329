package answers

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/xuri/excelize/v2"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

func england() *matrix.Matrix { return matrix.Editions()[0] }

func read(m *matrix.Matrix, text string) ([]results.Response, results.Turnout, error) {
	var all []results.Response
	turnout, err := Read("a.csv", strings.NewReader(text), m, func(r results.Response) { all = append(all, r) })
	return all, turnout, err
}

func said(rating matrix.Rating, note string) results.Answer {
	return results.Answer{Rating: rating, Detail: results.Detail{Note: note}}
}

func TestReadSpellings(t *testing.T) {
	m := england()
	midwife := []results.Response{
		{Group: "health", Answers: map[string]results.Answer{"vision": said(2, "Go on, \"please\""), "needs": said(matrix.DontKnow, "")}},
		{Answers: map[string]results.Answer{"vision": said(matrix.NotAnswered, "")}},
	}
	for name, text := range map[string]string{
		"ids":         "respondent,role,element,level,comment\na,midwife,vision,early,\"Go on, \"\"please\"\"\"\na,midwife,needs,dont_know,\nb,,vision,,\n",
		"names":       "Respondent,Role,Element,Level,Comment\na,Midwife or other maternity staff,\"Shared vision, strategy and plan\",Early progress,\"Go on, \"\"please\"\"\"\na,,Understanding local needs,DONT_KNOW,\nb,,vision,,\n",
		"Welsh":       "respondent,role,element,level,comment\na,\"Bydwraig neu aelod arall o staff mamolaeth\",\"Gweledigaeth, strategaeth a chynllun ar y cyd\",Cynnydd cynnar,\"Go on, \"\"please\"\"\"\na,,needs,dont_know,\nb,,vision,,\n",
		"the report":  "respondent,role,element,level,comment\na,Midwife / maternity,\"Strategy: vision, strategy & plan\",Early,\"Go on, \"\"please\"\"\"\na,,Strategy: population needs,dont_know,\nb,,vision,,\n",
		"numbers":     "respondent,role,element,level,comment\na,midwife,vision,2,\"Go on, \"\"please\"\"\"\na,,needs,dont_know,\nb,,vision,,\n",
		"spreadsheet": "\ufefflevel;comment;respondent;element;role\r\n 2 ;\"Go on, \"\"please\"\"\";A; VISION ;\r\n;;;;\r\nDont_Know;; a ;needs;Midwife\r\n;;b;vision;\r\n",
		"any order":   "respondent,role,element,level,comment\na,,vision,2,\"Go on, \"\"please\"\"\"\nb,,vision,,\na,midwife,needs,dont_know,\n",
	} {
		got, turnout, err := read(m, text)
		if err != nil || !reflect.DeepEqual(got, midwife) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, midwife)
			continue
		}
		i := slices.IndexFunc(turnout.Roles, func(c results.RoleCount) bool { return c.Role == "midwife" })
		if turnout.Finished != 2 || turnout.Roles[i].Finished != 1 || turnout.Unstated.Finished != 1 || turnout.Invited != 0 {
			t.Errorf("%s: turnout %+v", name, turnout)
		}
	}
}

const header = "respondent,role,element,level,comment\n"

func TestFaultsByLine(t *testing.T) {
	m := england()
	for name, c := range map[string]struct {
		text string
		want []string // what each fault begins with
	}{
		"nothing":           {"", []string{"a.csv:1: the file is empty; "}},
		"no rows":           {header, []string{"a.csv:1: the file has no rows below the header; "}},
		"unknown column":    {"respondent,role,element,level,name\n", []string{"a.csv:1: the heading of a column is not known, counted from the left: \"5\"; "}},
		"column twice":      {"respondent,role,element,level,Level \n", []string{"a.csv:1: a column is there twice: \"level\"; "}},
		"columns missing":   {"role,element\n", []string{`a.csv:1: a column is missing: "respondent", "level"; expected the columns respondent, role, element, level`}},
		"broken header":     {"respondent,\"role\n", []string{`a.csv:1: the heading of a column is not known, counted from the left: "2"; `, `a.csv:1: a column is missing: "role", "element", "level"; `}},
		"no element":        {header + "Secret,,,1,\n", []string{"a.csv:2: the element is empty; "}},
		"a short row":       {header + "Secret,,\n", []string{"a.csv:2: the element is empty; "}},
		"too many cells":    {header + "Secret,,vision,1,a,b\n", []string{"a.csv:2: the row has more cells than the header; "}},
		"no respondent":     {header + " ,,vision,1,\n", []string{"a.csv:2: the respondent is empty; "}},
		"unknown element":   {header + "x,,Secret,1,\n", []string{"a.csv:2: there is no such element in the matrix england; expected one of vision, needs, "}},
		"unknown role":      {header + "x,Druid,vision,1,\n", []string{"a.csv:2: there is no such role in the matrix england: \"Druid\"; expected one of public-health, "}},
		"a shifted row":     {header + "x,Secret,1,vision,\n", []string{"a.csv:2: there is no such element in the matrix england; ", "a.csv:2: there is no such role in the matrix england; ", "a.csv:2: there is no such level"}},
		"unknown level":     {header + "x,,vision,Secret,\n", []string{"a.csv:2: there is no such level in the matrix england; expected one of basic, early, substantial, mature, a name of one, 1 to 4, dont_know, not_applicable, or nothing"}},
		"level too high":    {header + "x,,vision,5,\nx,,needs,0,\n", []string{"a.csv:2: there is no such level in the matrix england (2 times: lines 2, 3); "}},
		"same element":      {header + "Secret,,needs,1,\nSecret,,vision,1,\nsecret,,Strategy: population needs,,\n", []string{"a.csv:2: a respondent has two rows for an element (2 times: lines 2, 4); "}},
		"two roles":         {header + "Secret,,needs,1,\nSecret,midwife,vision,1,\nSecret,parent,leadership,1,\n", []string{"a.csv:3: a respondent has two roles (2 times: lines 3, 4); "}},
		"long comment":      {header + "x,,vision,1," + strings.Repeat("ŵ", matrix.MaxNoteRunes+1) + "\n", []string{"a.csv:2: the comment is too long; expected at most 500"}},
		"quotes":            {header + "x,,vision,1,\"a \"Secret\" b\"\ny,,visio,1,\n", []string{"a.csv:2: the quotation marks do not match; ", "a.csv:3: there is no such element"}},
		"open quotes":       {header + "x,,vision,1,\"Secret\ny,,vision,9,\n", []string{"a.csv:2: the quotation marks do not match; ", "a.csv:3: there is no such level"}},
		"not UTF-8":         {header + "x,,vision,1,Secret \xe9\n", []string{"a.csv:2: the text is not UTF-8; "}},
		"several in a row":  {header + ",Secret,Secret,Secret,\n", []string{"a.csv:2: the respondent", "a.csv:2: there is no such element", "a.csv:2: there is no such role", "a.csv:2: there is no such level"}},
		"after many lines":  {header + "x,,vision,1,\"two\nlines\"\n\ny,,vision,9,\n", []string{"a.csv:5: there is no such level"}},
		"many of a kind":    {header + strings.Repeat("x,,Secret,1,\n", 1000), []string{"a.csv:2: there is no such element in the matrix england (1000 times: lines 2, 3, 4, 5, 6 and on); "}},
		"another file":      {`{"id": "x", "version": 1}`, []string{"a.csv:1: none of the first 1 rows names the columns; expected the columns respondent, role, element, level, comment; or role and one for each element: vision, needs, "}},
		"no header":         {"Secret,midwife,vision,1\nSecret,,needs,2\n", []string{"a.csv:1: none of the first 2 rows names the columns; "}},
		"an old workbook":   {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", []string{"a.csv:1: the file is a workbook of an old kind (.xls), or it has a password; "}},
		"a broken workbook": {"PK\x03\x04Secret", []string{"a.csv:1: the workbook cannot be read; "}},
	} {
		got, _, err := read(m, c.text)
		var faults plaintext.Faults
		if !errors.As(err, &faults) || got != nil {
			t.Errorf("%s: error %v, %d responses", name, err, len(got))
			continue
		}
		if strings.Contains(strings.ToLower(err.Error()), "secret") {
			t.Errorf("%s: a cell is repeated: %v", name, err)
		}
		if len(faults) != len(c.want) {
			t.Errorf("%s: %d faults:\n%v", name, len(faults), err)
			continue
		}
		for i, want := range c.want {
			if !strings.HasPrefix(faults[i].Error(), want) || faults[i].Want == "" {
				t.Errorf("%s:\n got %v\nwant %s", name, faults[i], want)
			}
		}
	}
}

func TestAmbiguousNames(t *testing.T) {
	m := england()
	elements := m.Dimensions[0].CoreElements[0].Elements
	elements[0].Also = append(elements[0].Also, "The plan", "Partnership")
	elements[1].Also = append(elements[1].Also, "the PLAN")
	_, _, err := read(m, header+"x,,The plan,1,\n")
	if err == nil || !strings.HasPrefix(err.Error(), "a.csv:2: more than one element has this name; expected one of ") {
		t.Errorf("%v", err)
	}
	// Partnership is an id as well, and that is what it means.
	got, _, err := read(m, header+"x,,Partnership,1,\n")
	if err != nil || got[0].Answers["partnership"].Rating != 1 {
		t.Errorf("%v, %+v", err, got)
	}
}

// TestFileFormats reads what Excel, R, pandas and hands make of one table.
func TestFileFormats(t *testing.T) {
	files := []string{
		"tab.tsv", "cr.csv", "excel-missing-trailing.csv", "pandas-float.csv", "sep-line.csv", "title-line.csv", "trailing-cols.csv", "utf16le-tab.txt",
	}
	var want []results.Response
	for _, file := range files {
		src, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := read(england(), string(src))
		if want == nil {
			want = got
		}
		if err != nil || len(got) != 12 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d responses, %.300v", file, len(got), err)
		}
	}
}

// TestWorkbook reads a table from the first visible sheet of a workbook.
func TestWorkbook(t *testing.T) {
	m := england()
	src, err := os.ReadFile("testdata/tab.tsv")
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := read(m, string(src))
	if err != nil {
		t.Fatal(err)
	}
	book := excelize.NewFile()
	if _, err := book.NewSheet("Answers"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(book.SetSheetVisible("Answers", true), book.SetCellStr("Answers", "A1", "Northshire"), book.SetCellStr("Sheet1", "A1", "Secret")); err != nil {
		t.Fatal(err)
	}
	book.SetActiveSheet(1)
	if err := book.SetSheetVisible("Sheet1", false); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(src)), "\n") {
		for k, cell := range strings.Split(line, "\t") {
			at, _ := excelize.CoordinatesToCellName(k+1, i+3)
			var value any = cell
			if n, err := strconv.Atoi(cell); err == nil {
				value = n // a number, not a text
			}
			if err := book.SetCellValue("Answers", at, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	var b bytes.Buffer
	if err := book.Write(&b); err != nil {
		t.Fatal(err)
	}
	if got, _, err := read(m, b.String()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%d responses, %v", len(got), err)
	}
}

// TestEmptyMarks reads what people and programs write for an answer that is none.
func TestEmptyMarks(t *testing.T) {
	m := england()
	for rating, words := range map[matrix.Rating][]string{
		matrix.NotAnswered:   {"", "-", "–", "NA", "n/a", "#N/A", "NaN"},
		matrix.DontKnow:      {"dont_know", "Don’t know", "Ddim yn gwybod"},
		matrix.NotApplicable: {"not_applicable", "Not applicable", "Ddim yn berthnasol i mi"},
		2:                    {"2", "2.0", " 2,00 ", "early", "Cynnydd cynnar"},
	} {
		for _, word := range words {
			got, _, err := read(m, "respondent\trole\telement\tlevel\nx\t-\tvision\t"+word+"\n")
			if err != nil || got[0].Answers["vision"].Rating != rating {
				t.Errorf("%q: %v, %v", word, got, err)
			}
		}
	}
}

func TestReaderError(t *testing.T) {
	broken := errors.New("the disk is gone")
	if _, err := Read("a.csv", iotest.ErrReader(broken), england(), func(results.Response) {}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestWriteIsRead(t *testing.T) {
	m := england()
	rows := []Row{
		{"a", "midwife", "vision", 4, "one,\n\"two\""}, {"a", "midwife", "needs", matrix.DontKnow, ""},
		{"b", "", "vision", matrix.NotApplicable, "=HYPERLINK(\"http://example.org\")"}, {"b", "", "needs", matrix.NotAnswered, ""},
	}
	var b bytes.Buffer
	if err := Write(&b, m, rows); err != nil {
		t.Fatal(err)
	}
	if out := b.String(); !strings.HasPrefix(out, "\ufeffrespondent,") || !strings.Contains(out, ",\"'=HYPERLINK(") {
		t.Errorf("a spreadsheet would misread\n%s", out)
	}
	got, _, err := read(m, b.String())
	want := []results.Response{
		{Group: "health", Answers: map[string]results.Answer{"vision": said(4, "one,\n\"two\""), "needs": said(matrix.DontKnow, "")}},
		{Answers: map[string]results.Answer{"vision": said(matrix.NotApplicable, "=HYPERLINK(\"http://example.org\")"), "needs": said(matrix.NotAnswered, "")}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
}

// lines is how many lines a text can have at most.
func lines(text string) int { return strings.Count(text, "\n") + strings.Count(text, "\r") + 1 }

// FuzzRead: whatever the file, there are either responses that fit the matrix or faults on lines of the file.
func FuzzRead(f *testing.F) {
	m := england()
	f.Add(header + "a,midwife,vision,early,good\nb,,needs,dont_know,\n")
	f.Add("\ufeffrespondent;element;level;role\r\n a ;Vision;2;\r\n")
	f.Add(header + "a,,vision,1,\"open\n")
	f.Add(header + ",x,y,z,\xff\n")
	f.Fuzz(func(t *testing.T, text string) {
		checkRead(t, m, text)
	})
}

// checkRead reads a file and checks what comes of it, whatever the file: either responses that fit
// the matrix, or faults on lines of the file.
func checkRead(t *testing.T, m *matrix.Matrix, text string) {
	t.Helper()
	got, turnout, err := read(m, text)
	if err != nil {
		var faults plaintext.Faults
		if !errors.As(err, &faults) || got != nil {
			t.Fatalf("%d responses and %v", len(got), err)
		}
		for i, fault := range faults {
			if fault.Line < 1 || fault.Line > lines(text) || i > 0 && fault.Line < faults[i-1].Line {
				t.Fatalf("line %d of %d: %v", fault.Line, lines(text), err)
			}
		}
		return
	}
	if len(got) == 0 || turnout.Finished != len(got) {
		t.Fatalf("%d responses, %d finished", len(got), turnout.Finished)
	}
	for _, r := range got {
		for id, a := range r.Answers {
			if _, _, ok := m.Element(id); !ok || a.Rating < matrix.NotApplicable || int(a.Rating) > len(m.Levels) {
				t.Fatalf("%q: %d", id, a.Rating)
			}
		}
	}
}
