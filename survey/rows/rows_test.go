package rows

import (
	"encoding/csv"
	"errors"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

var columns = Columns{List: []Column{{Names: []string{"Person", "e-mail address"}}, {Names: []string{"role"}, Optional: true}}}

// read returns the rows of a text, each joined by a bar.
func read(t *testing.T, text string, c Columns) ([]string, *Table) {
	t.Helper()
	table := NewTable("f.csv", NewText(strings.NewReader(text), c.Count), c)
	var all []string
	for row := range table.Rows() {
		all = append(all, strings.Join(row.Cells, "|"))
	}
	return all, table
}

func TestTableVariants(t *testing.T) {
	want := []string{"ann|Midwife", "ben|", "cem|Parent, carer"}
	for name, text := range map[string]string{
		"commas":                 "person,role\nann,Midwife\nben\ncem,\"Parent, carer\"\n",
		"semicolons":             "person;role\nann;Midwife\nben\ncem;Parent, carer\n",
		"tabs":                   "person\trole\nann\tMidwife\nben\t\ncem\tParent, carer\n",
		"bars":                   "person|role\nann | Midwife\nben|\ncem|Parent, carer",
		"CR LF":                  "person;role\r\nann;Midwife\r\nben\r\ncem;Parent, carer\r\n",
		"CR alone":               "person;role\rann;Midwife\rben\rcem;Parent, carer",
		"any order":              "role;person\nMidwife;ann\n;ben\nParent, carer;cem",
		"the separator is named": "sep=;\r\nperson;role\r\nann;Midwife\r\nben\r\ncem;Parent, carer\r\n",
		"a title, blank rows":    "Northshire, 2026\n\n;;\nperson;role\n\nann;Midwife\n;\nben\n\u00a0;\ncem;Parent, carer\n\n",
		"blank columns":          "person;;role;;\nann;;Midwife;;\nben\ncem;;Parent, carer;;;;\n",
		"heading in two lines":   "\"E-mail\naddress\";\" Role\u00a0\"\nann;Midwife\nben\ncem;\u200bParent, carer\n",
		"marks":                  "\"person\" ; \"role\"\n \"ann\";\"Midwife\" \nben;\ncem;\"Parent, carer\"",
	} {
		got, table := read(t, text, columns)
		if !slices.Equal(got, want) || len(table.Faults) > 0 || table.Err() != nil {
			t.Errorf("%s: %q, %v, %v", name, got, table.Faults, table.Err())
		}
	}
}

func TestFormulaLookingCells(t *testing.T) {
	got, table := read(t, "person;role\n=SUM(A1);-\n'@ann;'-1\n'tis;+44\n", columns)
	if want := []string{"=SUM(A1)|-", "@ann|-1", "'tis|+44"}; !slices.Equal(got, want) || table.Faults != nil {
		t.Errorf("%q, %v", got, table.Faults)
	}
	for text, want := range map[string]string{
		"=1": "'=1", "+1": "'+1", "-1": "'-1", "@a": "'@a", " \u00a0=1": "' \u00a0=1", "＝1": "'＝1", "\t=1": "' =1", "\n=1": "'\n=1",
		"\r=1": "'\n=1", "\ufeff=1": "'=1", "\u202e=1": "'=1", "\x00=1": "'=1", "a=1": "a=1", "": "",
	} {
		if got := Safe(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestUnclosedQuote: a quotation mark that is never closed makes its own row faulty, and no other.
func TestUnclosedQuote(t *testing.T) {
	got, table := read(t, "person;role\nann;\"Midwife\nben;\ncem;Parent\ndee;\"a\" b\neve;\"two\nlines\"\n", columns)
	if want := []string{"ben|", "cem|Parent", "eve|two\nlines"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if want := "f.csv:2: the quotation marks do not match (2 times: lines 2, 5); "; !strings.HasPrefix(table.Faults.Error(), want) {
		t.Errorf("%v", table.Faults)
	}
}

// TestMemoryOfLargeFile: reading a file takes memory for its rows, and not for its size.
func TestMemoryOfLargeFile(t *testing.T) {
	for name, c := range map[string]struct {
		begin, again string
		size         int
		want         string
	}{
		"commas":              {"", ",", 60 << 20, "f.csv:1: a row is too long; "},
		"commas below":        {"person\n", ",", 60 << 20, "f.csv:2: a row is too long; "},
		"marks":               {"person\n", "\"\"\n", 2 << 20, ""},
		"cells in marks":      {"person\n", "\"\n\",", 2 << 20, "f.csv:2: a row has too many cells; "},
		"marks never closed":  {"person\n", ",\"x\n", 2 << 20, ""},
		"odd and even marks":  {"person\n\"", "\"\"\"\"\n", 2 << 20, ""},
		"more cells than 999": {"person\n", strings.Repeat(",", 2000) + "\n", 2 << 20, "f.csv:2: a row has too many cells; "},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		from := io.MultiReader(strings.NewReader(c.begin), &again{c.again, c.size})
		table := NewTable("f.csv", NewText(from, columns.Count), columns)
		for range table.Rows() {
		}
		runtime.ReadMemStats(&after)
		most := after.Sys - min(after.Sys, before.Sys)
		if most > 32<<20 {
			t.Errorf("%s: %d MB", name, most>>20)
		}
		if c.want != "" && !strings.HasPrefix(table.Faults.Error(), c.want) {
			t.Errorf("%s: %v", name, table.Faults)
		}
		if len(table.Faults) > 3 {
			t.Errorf("%s: %d faults", name, len(table.Faults))
		}
	}
}

// again is a reader that repeats a text.
type again struct {
	text string
	left int
}

func (a *again) Read(b []byte) (int, error) {
	if a.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n+len(a.text) <= len(b) && a.left > 0 {
		n += copy(b[n:], a.text)
		a.left -= len(a.text)
	}
	if n == 0 {
		n, a.left = copy(b, a.text), a.left-len(a.text)
	}
	return n, nil
}

func TestLimits(t *testing.T) {
	from := io.MultiReader(strings.NewReader("person\n"), &again{strings.Repeat("x", 1<<12) + "\n", 65 << 20})
	table := NewTable("f.csv", NewText(from, columns.Count), columns)
	for range table.Rows() {
	}
	if want := "f.csv:16381: the file is too large; expected at most 64 MB"; table.Faults.Error() != want {
		t.Errorf("%.200v", table.Faults)
	}
	// A million rows take seconds to read, so this table may have three.
	if MaxRows != 1_000_000 || table.maxRows != MaxRows {
		t.Errorf("a table may have %d rows, and this one %d", MaxRows, table.maxRows)
	}
	table = NewTable("f.csv", NewText(strings.NewReader("person\na\nb\nc\nd\n"), columns.Count), columns)
	table.maxRows = 3
	n := 0
	for range table.Rows() {
		n++
	}
	if want := "f.csv:5: the file has too many rows; expected at most 3"; n != 3 || table.Faults.Error() != want {
		t.Errorf("%d rows, %v", n, table.Faults)
	}
	broken := errors.New("the disk is gone")
	from = io.MultiReader(strings.NewReader("person\nann\n"), iotest.ErrReader(broken))
	table = NewTable("f.csv", NewText(from, columns.Count), columns)
	for range table.Rows() {
	}
	if !errors.Is(table.Err(), broken) {
		t.Errorf("a reader that fails: %v", table.Err())
	}
}

func TestPasted(t *testing.T) {
	got := Pasted("ann@example.org\tMidwife\nben; Parent\n\ncem, Nursery, childminder\r\n \"dee, x\",\"Parent\"\neve,Midwife,\"nights\nfay|Parent\n\"gus")
	want := []Row{
		{1, []string{"ann@example.org", "Midwife"}, Readable}, {2, []string{"ben", "Parent"}, Readable}, {4, []string{"cem", "Nursery", "childminder"}, Readable},
		{5, []string{"dee, x", "Parent"}, Readable}, {6, []string{"eve", "Midwife", "\"nights"}, Misquoted}, {7, []string{"fay", "Parent"}, Readable},
		{8, []string{"\"gus"}, Misquoted},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// FuzzText: the rows of a file that encoding/csv wrote are read as they were. Of any other file,
// the rows are parts of the text.
func FuzzText(f *testing.F) {
	f.Add("person,role\nann,\"a \"\"b\"\"\nc\"\n")
	f.Add("sep=;\rperson;\"\"\"")
	f.Add("\n\x00n\x00\x00")
	f.Add("\x00n\x00\x00")
	f.Fuzz(func(t *testing.T, text string) {
		source := NewText(strings.NewReader(text), columns.Count)
		var records [][]string
		last := 0
		for {
			row, err := source.Next()
			if err != nil {
				break
			}
			if row.Line <= last || row.Line > 1+strings.Count(text, "\n")+strings.Count(text, "\r")+strings.Count(text, "\x00") || blank(row.Cells) {
				t.Fatalf("line %d after %d: %q", row.Line, last, row.Cells)
			}
			last = row.Line
			if row.State == Readable {
				records = append(records, append(row.Cells, "end"))
			}
		}
		var b strings.Builder
		if err := csv.NewWriter(&b).WriteAll(records); err != nil {
			t.Fatal(err)
		}
		again := &Text{from: NewText(strings.NewReader("\n"+b.String()), columns.Count).from, sep: ','}
		if strings.HasPrefix(b.String(), "\x00") || strings.IndexByte(b.String(), 0) == 1 {
			return // read as UTF-16
		}
		for _, want := range records {
			row, err := again.Next()
			if err != nil || !slices.Equal(row.Cells, want) {
				t.Fatalf("got %q, %v, want %q", row.Cells, err, want)
			}
		}
	})
}
