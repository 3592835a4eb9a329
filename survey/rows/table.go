// Package rows reads tables that users provide: files saved by a spreadsheet, and pasted lists. It
// finds the separator, the header and the rows, and reports faults by line. It does not know what
// the cells mean. It is below survey because both the bot and the adapters read tables. The rows of
// a workbook come from adapters/spreadsheet, as a Source.
package rows

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"maturitybot/survey/plaintext"
)

// Column is a column of a table.
type Column struct {
	Names    []string // what its heading may be, compared by plaintext.Key; faults use the first
	Optional bool
}

// Columns are the columns that a table may have, in the order in which its rows give their cells.
type Columns struct {
	List []Column
	// Named returns the index in List of the column that a heading names, or -1. Without it, a
	// heading is compared with the columns' Names.
	Named func(heading string) int
	// Least is how many headings a header has at least. A row with fewer is not a header.
	Least int
	// Summary names the columns for faults. Without it, faults list the first name of each.
	Summary string
	// Others says that a table may have other columns, which are not read. A column without a
	// heading is not read either, as long as its cells are empty.
	Others bool
}

// Count counts the cells that are headings of different columns. It returns 0 if they are fewer than
// Least.
func (c Columns) Count(cells []string) int {
	n := 0
	for _, at := range c.Find(cells) {
		if at >= 0 {
			n++
		}
	}
	if n < c.Least {
		return 0
	}
	return n
}

// Match returns which of several kinds of table a header is of, and how many of its cells are
// headings. It is the kind with most headings, or the first of them.
func Match(kinds []Columns, cells []string) (kind, headings int) {
	for i, c := range kinds {
		if n := c.Count(cells); n > headings {
			kind, headings = i, n
		}
	}
	return kind, headings
}

// Find returns where in a header each column is, or -1 for a column that is not there.
func (c Columns) Find(cells []string) []int {
	at := make([]int, len(c.List))
	for k := range at {
		at[k] = -1
	}
	for i, cell := range cells {
		if k := c.named(cell); k >= 0 && at[k] < 0 {
			at[k] = i
		}
	}
	return at
}

// named returns the column of a heading, or -1.
func (c Columns) named(heading string) int {
	if c.Named != nil {
		return c.Named(heading)
	}
	key := plaintext.Key(heading)
	return slices.IndexFunc(c.List, func(column Column) bool {
		return slices.ContainsFunc(column.Names, func(name string) bool {
			return plaintext.Key(name) == key
		})
	})
}

// names lists the columns that must be there, or all.
func (c Columns) names(optional bool) string {
	if c.Summary != "" {
		return c.Summary
	}
	var all []string
	for _, column := range c.List {
		if optional || !column.Optional {
			all = append(all, column.Names[0])
		}
	}
	return strings.Join(all, ", ")
}

// Table is the rows below a header, and everything that is wrong with them.
type Table struct {
	Faults plaintext.Faults // of the table, and what its reader adds with Fault
	Kind   int              // index of the columns that the table has, of those that it may have

	file    string
	source  Source
	columns Columns
	at      []int // where each column is; -1 for one that is not there
	width   int   // cells of the header
	ahead   []Row // rows that were read to find the header
	maxRows int
	err     error
}

// NewTable finds the header of a table among its first rows: the first of those that have most of
// the columns' headings. Rows above it, such as a title, are passed over. The file's name is what
// faults call it. A table may be of one of several kinds, each with columns of its own; the header
// decides, as Match does.
func NewTable(file string, source Source, kinds ...Columns) *Table {
	t := &Table{file: file, source: source, maxRows: MaxRows}
	header, best := -1, 0
	for range headRows {
		row, err := source.Next()
		if err != nil {
			t.stop(err)
			break
		}
		t.ahead = append(t.ahead, row)
		if kind, n := Match(kinds, row.Cells); n > best {
			header, best, t.Kind = len(t.ahead)-1, n, kind
		}
		if best == len(kinds[t.Kind].List) {
			break
		}
	}
	t.columns = kinds[t.Kind]
	switch {
	case header >= 0:
		t.header(t.ahead[header])
		t.ahead = t.ahead[header+1:]
	case t.err != nil || len(t.Faults) > 0:
	case len(t.ahead) == 0:
		t.Fault(1, "the file is empty", "expected the columns "+namesOf(kinds))
	case t.ahead[0].State == NotUTF8:
		t.notUTF8(t.ahead[0].Line)
	default:
		what := fmt.Sprintf("none of the first %d rows names the columns", len(t.ahead))
		t.Fault(t.ahead[0].Line, what,
			"expected the columns "+namesOf(kinds)+", in a table saved as XLSX or CSV")
	}
	return t
}

// namesOf lists the columns of each kind of table.
func namesOf(kinds []Columns) string {
	var all []string
	for _, c := range kinds {
		all = append(all, c.names(true))
	}
	return strings.Join(all, "; or ")
}

// Place returns where the column with that index is, counted from 1 at the left, or 0 if the table
// does not have it.
func (t *Table) Place(column int) int { return t.at[column] + 1 }

// Fault notes what is wrong on a line, as plaintext.Faults.Add does.
func (t *Table) Fault(line int, what, want string, words ...string) {
	t.Faults.Add(t.file, line, what, want, words...)
}

func (t *Table) notUTF8(line int) {
	t.Fault(line, "the text is not UTF-8", `expected a file saved as "CSV UTF-8" or as XLSX`)
}

// stop notes why no more rows come.
func (t *Table) stop(err error) {
	var limit *LimitError
	switch {
	case errors.Is(err, io.EOF):
	case errors.As(err, &limit):
		t.Fault(max(1, limit.Line), limit.What, limit.Want)
	default:
		t.err = err
	}
}

// header notes where the columns are, and what is wrong with them.
func (t *Table) header(row Row) {
	t.at, t.width = t.columns.Find(row.Cells), len(row.Cells)
	for t.width > 0 && row.Cells[t.width-1] == "" {
		t.width-- // columns that a spreadsheet saved empty
	}
	var twice, missing []string
	var unknown []string
	for i, cell := range row.Cells {
		k := t.columns.named(cell)
		switch {
		case k >= 0 && t.at[k] != i:
			twice = append(twice, t.columns.List[k].Names[0])
		case k < 0 && cell != "" && !t.columns.Others:
			unknown = append(unknown, fmt.Sprint(i+1))
		}
	}
	for k, column := range t.columns.List {
		if t.at[k] < 0 && !column.Optional {
			missing = append(missing, column.Names[0])
		}
	}
	if len(twice) > 0 {
		t.Fault(row.Line, "a column is there twice", "expected it once", twice...)
	}
	if len(unknown) > 0 {
		t.Fault(row.Line, "the heading of a column is not known, counted from the left",
			"expected "+t.columns.names(true), unknown...)
	}
	if len(missing) > 0 {
		t.Fault(row.Line, "a column is missing",
			"expected the columns "+t.columns.names(false), missing...)
	}
	if row.State == NotUTF8 {
		t.notUTF8(row.Line)
	}
}

// Rows returns the rows below the header, each with a cell for every column, which is empty where
// the table has none. It leaves out rows that are not valid and adds a fault for each. It returns
// no rows when the header is not valid. Afterwards, Err returns the error of a source that failed.
func (t *Table) Rows() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		if len(t.Faults) > 0 || t.err != nil {
			return
		}
		for n := 0; ; {
			row, err := t.next()
			if err != nil {
				t.stop(err)
				return
			}
			if n++; n > t.maxRows {
				want := fmt.Sprintf("expected at most %d", t.maxRows)
				t.stop(&LimitError{row.Line, "the file has too many rows", want})
				return
			}
			if cells, ok := t.cells(row); ok && !yield(Row{Line: row.Line, Cells: cells}) {
				return
			}
		}
	}
}

// Err returns the error of a source that failed.
func (t *Table) Err() error { return t.err }

func (t *Table) next() (Row, error) {
	if len(t.ahead) > 0 {
		row := t.ahead[0]
		t.ahead = t.ahead[1:]
		return row, nil
	}
	return t.source.Next()
}

// cells returns the cells of a row in the order of the columns. If the row cannot be split into cells,
// it adds a fault and returns false.
func (t *Table) cells(row Row) ([]string, bool) {
	switch {
	case row.State == NotUTF8:
		t.notUTF8(row.Line)
		return nil, false
	case row.State == Misquoted:
		t.Fault(row.Line, "the quotation marks do not match",
			"expected a text in marks to end with one, and marks inside it to be doubled: "+
				`"the ""best"" plan"`)
		return nil, false
	case len(row.Cells) > t.width && !blank(row.Cells[t.width:]):
		t.Fault(row.Line, "the row has more cells than the header",
			`expected a text that holds the separator to be in marks: "vision, strategy and plan"`)
		return nil, false
	}
	cells := make([]string, len(t.at))
	for k, at := range t.at {
		if at >= 0 && at < len(row.Cells) {
			cells[k] = unmark(row.Cells[at])
		}
	}
	return cells, true
}

// unmark undoes Safe.
func unmark(cell string) string {
	if rest, marked := strings.CutPrefix(cell, "'"); marked && formula(rest) {
		return rest
	}
	return cell
}

// Safe returns a text that a user wrote as a cell of a CSV file: cleaned, and marked by Mark.
func Safe(text string) string { return Mark(plaintext.Clean(text)) }

// Mark puts an apostrophe before a text that a spreadsheet would take for a formula (OWASP, "CSV
// Injection"): one that begins with =, +, -, @, their full-width forms, a tab or a line break, also
// after spaces.
func Mark(text string) string {
	if formula(text) {
		return "'" + text
	}
	return text
}

func formula(text string) bool {
	start := strings.TrimLeft(text, " \u00a0\u3000\ufeff")
	return start != "" && strings.ContainsRune("=+-@＝＋－＠\t\n", []rune(start)[0])
}

// WriteCSV writes records as CSV in UTF-8. It begins with a byte order mark, without which Excel on
// Windows takes the file for one in the code page of the machine and shows ŵ and â wrongly.
func WriteCSV(to io.Writer, records [][]string) error {
	if _, err := io.WriteString(to, "\ufeff"); err != nil {
		return err
	}
	return csv.NewWriter(to).WriteAll(records)
}
