package spreadsheet

import (
	"archive/zip"
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"maturitybot/survey/rows"
)

var columns = rows.Columns{List: []rows.Column{{Names: []string{"person"}}, {Names: []string{"role"}, Optional: true}}}

func read(from io.Reader) ([]string, *rows.Table) {
	table := Read("f.xlsx", from, columns)
	var all []string
	for row := range table.Rows() {
		all = append(all, strings.Join(row.Cells, "|"))
	}
	return all, table
}

// workbook is a sheet of such rows.
func workbook(t testing.TB, sheet ...[]any) []byte {
	t.Helper()
	book := excelize.NewFile()
	for i, row := range sheet {
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if err := book.SetSheetRow("Sheet1", at, &row); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := book.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWorkbook(t *testing.T) {
	src := workbook(t, []any{"Return 2026"}, nil, []any{" Person\u00a0", nil, "Role"}, []any{"ann", nil, 2}, nil, []any{"ben", nil, 0.7}, []any{"=cem"})
	got, table := read(bytes.NewReader(src))
	if strings.Join(got, "\n") != "ann|2\nben|0.7\n=cem|" || table.Faults != nil || table.Err() != nil {
		t.Errorf("%q, %v, %v", got, table.Faults, table.Err())
	}
	src = workbook(t, []any{"person", "role"}, []any{"ann"}, []any{"ben", "x", "y"})
	if _, table := read(bytes.NewReader(src)); !strings.HasPrefix(table.Faults.Error(), "f.xlsx:3: the row has more cells than the header; ") {
		t.Errorf("%v", table.Faults)
	}
}

// TestZipBombs reads small files that would be large. The library reads those of bombBytes whole. They
// are smaller than MaxUnpackedBytes, which would take seconds, and may take memory in proportion.
func TestZipBombs(t *testing.T) {
	const bombBytes, mostMemory = 2 << 20, 64 << 20
	if MaxUnpackedBytes/bombBytes*mostMemory > 512<<20 {
		t.Errorf("a workbook of %d MB may take too much memory", MaxUnpackedBytes>>20)
	}
	good, err := zip.NewReader(bytes.NewReader(workbook(t, []any{"person"})), int64(len(workbook(t, []any{"person"}))))
	if err != nil {
		t.Fatal(err)
	}
	// bomb is the workbook with one part that holds a text many times.
	bomb := func(part, begin, again string, size int) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, f := range good.File {
			to, err := w.Create(f.Name)
			if err != nil {
				t.Fatal(err)
			}
			if f.Name == part {
				chunk := strings.Repeat(again, 1+(1<<16)/len(again))
				_, err = io.WriteString(to, begin)
				for n := 0; n < size && err == nil; n += len(chunk) {
					_, err = io.WriteString(to, chunk)
				}
			} else {
				var from io.ReadCloser
				if from, err = f.Open(); err == nil {
					_, err = io.Copy(to, from)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	const sheet = "xl/worksheets/sheet1.xml"
	for name, src := range map[string][]byte{
		"blanks":           bomb(sheet, "", " ", MaxUnpackedBytes+1<<20),
		"many cells":       bomb(sheet, `<worksheet><sheetData><row r="1">`, `<c t="inlineStr"><is><t>x</t></is></c>`, bombBytes),
		"nested":           bomb(sheet, `<worksheet><sheetData>`, `<row>`, bombBytes),
		"no end of styles": bomb("xl/styles.xml", `<styleSheet><fonts>`, `<font/>`, MaxUnpackedBytes-1<<20),
		"a large file":     append([]byte("PK\x03\x04"), make([]byte, 9<<20)...),
		"nothing":          []byte("PK\x03\x04"),
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		got, table := read(bytes.NewReader(src))
		runtime.ReadMemStats(&after)
		t.Logf("%s: %d bytes, %d MB more, %v", name, len(src), (after.Sys-before.Sys)>>20, table.Faults)
		if len(got) > 0 || len(table.Faults) != 1 || after.Sys-before.Sys > mostMemory {
			t.Errorf("%s: %d rows, %d MB, %v", name, len(got), (after.Sys-before.Sys)>>20, table.Faults)
		}
		tooLarge := name == "blanks" || name == "a large file"
		if strings.Contains(table.Faults.Error(), "too large") != tooLarge {
			t.Errorf("%s: %v", name, table.Faults)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(workbook(f, []any{"person", "role"}, []any{"ann", 2}))
	f.Add([]byte("person,role\nann,2\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		_, table := read(bytes.NewReader(src))
		if table.Err() != nil {
			t.Fatal(table.Err())
		}
	})
}
