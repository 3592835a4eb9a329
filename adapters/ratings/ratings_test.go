package ratings

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

func read(t *testing.T, text string) (*results.Areas, error) {
	t.Helper()
	return Read("r.csv", strings.NewReader(text), matrix.Editions())
}

const header = "area,nation,element,level\n"

func TestReadSpellings(t *testing.T) {
	for name, text := range map[string]string{
		"ids":                 header + "A,england,workforce,early\n",
		"names":               header + "A,England,Workforce planning,Early progress\n",
		"Welsh":               header + "A,Lloegr,Cynllunio'r gweithlu,Cynnydd cynnar\n",
		"slanted apostrophe":  header + "A,LLOEGR,CYNLLUNIO’R  GWEITHLU,cynnar\n",
		"number":              header + "A,England,workforce, 2 \n",
		"byte order mark":     "\ufeff" + header + "A,England,workforce,2\n",
		"lines of Windows":    "area,nation,element,level\r\nA,England,workforce,2\r\n",
		"semicolons":          "area;nation;element;level\nA;England;workforce;2\n",
		"tabs":                "Area\tNation\tElement\tLevel\nA\tEngland\tworkforce\t2\n",
		"other columns":       "note,level,element,nation,area,note\n\"x,y\",2,workforce,England,A,z\n",
		"empty rows":          "\n" + header + ",,,\n\nA,England,workforce,2\n,,,\n",
		"no line end":         header + "A,England,workforce,2",
		"a short row is none": header + "A,England,workforce,2\nA,England,vision\n",
	} {
		areas, err := read(t, text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		o := areas.Overview()
		if len(o.Groups) != 1 || o.Groups[0].Nation != matrix.England || o.Groups[0].Elements[3].Counts[1].String() != "1" || o.Groups[0].Dimensions[0].Rated.String() != "1" {
			t.Errorf("%s: %+v", name, o.Groups)
		}
	}
}

// TestReadReportNames reads the names of the rows of the report's Appendix B, and the Wales edition's own name
// beside England's.
func TestReadReportNames(t *testing.T) {
	areas, err := read(t, header+`A,Cymru,"Strategy: vision, strategy & plan",Basic
A,Wales,Strategy: population needs,Substantial
A,Wales,Commissioning / resources,
B,Wales,Aligning funding and resources,Mature
`)
	if err != nil {
		t.Fatal(err)
	}
	plan := areas.Overview().Groups[0].Dimensions[0]
	if got := plan.Counts[0].String() + plan.Counts[2].String() + plan.Counts[3].String() + plan.Rated.String(); got != "1113" {
		t.Errorf("counted %s", got)
	}
}

func TestReadReportsAllFaults(t *testing.T) {
	_, err := read(t, header+`A,Engand,plan,2
B,England,partnership,9
B,wales,Partnership,Mature
B,England,Partneriaeth,1
b,cymru,Partneriaeth,1
,England,quality,
B,wales
"x"y,1,2,3
`+strings.Repeat("é", 61)+",Wales,quality,1\n")
	var faults plaintext.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	want := []string{
		`r.csv:2: the nation is not known: "Engand"; expected England or Wales`,
		`r.csv:2: there is no such element in the matrix england: "plan"; expected one of vision,`,
		`r.csv:3: there is no such level in the matrix england: "9"; expected one of basic, early,`,
		`r.csv:4: the area is in two nations: "B" (2 times: lines 4, 5); expected`,
		`r.csv:4: the area has two ratings of an element: "b: partnership" (2 times: lines 4, 6); expected`,
		`r.csv:7: the area is empty; expected`,
		`r.csv:8: the element is empty; expected one of vision,`,
		`r.csv:9: the quotation marks do not match; expected`,
		`r.csv:10: the name of an area is too long: "` + strings.Repeat("é", 39) + `…"; expected at most 60`,
	}
	got := strings.Split(err.Error(), "\n")
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("got\n%s\nwant lines that begin with\n%s", err, strings.Join(want, "\n"))
	}
}

func TestReadRejectsWholeFile(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "r.csv:1: the file is empty; expected the columns area, nation, element, level",
		header:                     "r.csv:1: the file has no rows below the header; expected",
		"area,nation,area,level\n": "r.csv:1: a column is there twice: \"area\"; expected it once\nr.csv:1: a column is missing: \"element\"; expected",
		header + "A,Wales,quality,\nA,Wales,vision,-\n":       "r.csv:1: no level is filled in; expected",
		header + "A,Wales,quality,1\nB\xff,Wales,quality,1\n": "r.csv:3: the text is not UTF-8; expected",
		strings.Repeat("x", 2<<20):                            "r.csv:1: a row is too long; expected",
	} {
		if areas, err := read(t, text); areas != nil || err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

// TestAmbiguousNames covers matrices in which two elements share a name.
func TestAmbiguousNames(t *testing.T) {
	m := matrix.Editions()[0]
	elements := m.Dimensions[0].CoreElements[0].Elements
	elements[0].Also = append(elements[0].Also, "Quality")
	_, err := Read("r.csv", strings.NewReader(header+"A,Wales,QUALITY ,1\n"), matrix.List{m})
	if err != nil {
		t.Errorf("an id was taken for another element's name: %v", err)
	}
	elements[0].Also = append(elements[0].Also, "Leadership of all")
	m.Dimensions[1].CoreElements[0].Elements[0].Also = []string{"leadership of ALL"}
	_, err = Read("r.csv", strings.NewReader(header+"A,Wales,Leadership of all,1\n"), matrix.List{m})
	if err == nil || !strings.Contains(err.Error(), "more than one element has this name") {
		t.Errorf("got %v", err)
	}
}

func TestReaderError(t *testing.T) {
	if _, err := Read("r.csv", iotest.ErrReader(io.ErrClosedPipe), matrix.Editions()); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

// TestFileFormats reads what Excel, R, pandas and hands make of a table.
func TestFileFormats(t *testing.T) {
	for file, areas := range map[string]int{"apostrophe.csv": 3, "cr.csv": 3, "dash.csv": 3, "float.csv": 3, "title.csv": 3, "utf16.csv": 3} {
		src, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(t, string(src))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if n := got.Overview().Groups[0].Areas; n != areas {
			t.Errorf("%s: %d areas, want %d", file, n, areas)
		}
	}
}

// TestNumbersOfLevels: a level's number is its place, whatever scale the file's author had in mind.
func TestNumbersOfLevels(t *testing.T) {
	areas, err := read(t, header+"A,Wales,quality,1\nB,Wales,quality,4\nC,Wales,quality,dont_know\n")
	if err != nil {
		t.Fatal(err)
	}
	e := areas.Overview().Groups[0].Elements[8]
	if e.Counts[0].String()+e.Counts[3].String()+e.Rated.String() != "112" {
		t.Errorf("counted %v", e)
	}
}

func FuzzRead(f *testing.F) {
	all := matrix.Editions()
	f.Add(header + "A,Wales,quality,1\n\"B\",England,Ansawdd gwasanaethau,Aeddfed\n")
	f.Add("area;nation;element;level\r\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		areas, err := Read("r.csv", strings.NewReader(text), all)
		if (areas == nil) == (err == nil) {
			t.Errorf("areas %v, error %v", areas, err)
		}
	})
}
