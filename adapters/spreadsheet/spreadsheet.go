// Package spreadsheet opens a table that a spreadsheet program saved: the first visible sheet of a
// workbook (XLSX), or text such as CSV. Package survey/rows splits text into rows. Neither knows
// what the rows mean.
package spreadsheet

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"

	"maturitybot/survey/rows"
)

// The largest workbook that is read, packed and unpacked. It has room for about 100,000 rows; a
// larger table can be saved as CSV. A malicious workbook can take about twenty times its unpacked
// size in memory, because the library keeps nested elements.
const (
	MaxWorkbookBytes = 8 << 20
	MaxUnpackedBytes = 16 << 20
)

// Read finds a table in a file. The table is of one of the given kinds. Error messages call the file
// by its name.
// Whatever is wrong with the file is in the table's Faults. If the reader fails, its error is the
// table's Err.
func Read(name string, from io.Reader, kinds ...rows.Columns) *rows.Table {
	return rows.NewTable(name, open(from, kinds), kinds...)
}

func open(from io.Reader, kinds []rows.Columns) rows.Source {
	b := bufio.NewReader(from)
	start, _ := b.Peek(4) // reading the file reports an error again
	switch {
	case bytes.Equal(start, []byte("PK\x03\x04")):
		source, err := openWorkbook(b)
		if err != nil {
			return failed{err}
		}
		return source
	case bytes.Equal(start, []byte("\xd0\xcf\x11\xe0")):
		return failed{&rows.LimitError{
			Line: 1,
			What: "the file is a workbook of an old kind (.xls), or it has a password",
			Want: "expected XLSX without a password, or CSV",
		}}
	}
	return rows.NewText(b, func(cells []string) int {
		_, headings := rows.Match(kinds, cells)
		return headings
	})
}

// failed is a source that has no rows and returns an error.
type failed struct{ err error }

func (f failed) Next() (rows.Row, error) { return rows.Row{}, f.err }

func unreadable() error {
	return &rows.LimitError{
		Line: 1,
		What: "the workbook cannot be read",
		Want: "expected XLSX, or CSV",
	}
}

func tooLarge() error {
	return &rows.LimitError{
		Line: 1,
		What: "the workbook is too large",
		Want: fmt.Sprintf("expected at most %d MB, and %d MB unpacked; "+
			"a larger table can be saved as CSV", MaxWorkbookBytes>>20, MaxUnpackedBytes>>20),
	}
}

// sheet is the rows of a sheet.
type sheet struct {
	rows *excelize.Rows
	line int
	done bool
}

func openWorkbook(from io.Reader) (source rows.Source, err error) {
	defer rescue(&err)
	packed, err := io.ReadAll(io.LimitReader(from, MaxWorkbookBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read workbook: %w", err)
	}
	if len(packed) > MaxWorkbookBytes {
		return nil, tooLarge()
	}
	// With equal limits, the library unpacks nothing to a temporary file.
	book, err := excelize.OpenReader(bytes.NewReader(packed), excelize.Options{
		UnzipSizeLimit: MaxUnpackedBytes, UnzipXMLSizeLimit: MaxUnpackedBytes, RawCellValue: true,
	})
	if err != nil {
		if strings.Contains(err.Error(), "unzip size exceeds") { // the library has no error value
			return nil, tooLarge()
		}
		return nil, unreadable()
	}
	for _, name := range book.GetSheetList() {
		visible, err := book.GetSheetVisible(name)
		if err != nil || !visible {
			continue
		}
		all, err := book.Rows(name)
		if err != nil {
			continue // a sheet that is a chart has no rows
		}
		return &sheet{rows: all}, nil
	}
	return nil, unreadable()
}

// Next returns the next row that is not blank.
func (s *sheet) Next() (row rows.Row, err error) {
	defer rescue(&err)
	for !s.done && s.rows.Next() {
		s.line++
		cells, err := s.rows.Columns()
		if err != nil {
			return rows.Row{}, unreadable()
		}
		for i, cell := range cells {
			cells[i] = rows.Trim(cell)
		}
		cells = cells[:1+lastFilled(cells)]
		switch {
		case len(cells) == 0:
			continue
		case len(cells) > rows.MaxCells:
			return rows.Row{}, &rows.LimitError{
				Line: s.line,
				What: "a row has too many cells",
				Want: fmt.Sprintf("expected at most %d", rows.MaxCells),
			}
		}
		return rows.Row{Line: s.line, Cells: cells}, nil
	}
	if s.done = true; s.rows.Error() != nil {
		return rows.Row{}, unreadable()
	}
	return rows.Row{}, io.EOF
}

func lastFilled(cells []string) int {
	for i := len(cells) - 1; i >= 0; i-- {
		if cells[i] != "" {
			return i
		}
	}
	return -1
}

// rescue turns a panic into an error: the library panics on some malformed workbooks.
func rescue(err *error) {
	if fault := recover(); fault != nil {
		*err = unreadable()
	}
}
