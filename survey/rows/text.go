package rows

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"maturitybot/survey/plaintext"
)

// The most that is read of a table. A file of a million answers has about 50 MB.
const (
	MaxBytes = 64 << 20
	MaxRows  = 1_000_000 // below the header
	MaxCells = 1_000     // of one row
)

const (
	maxRowBytes = 1 << 20
	headBytes   = 64 << 10
	headRows    = 20 // the header is one of the first so many rows
)

// separators are the characters that can separate the cells of a row. Of two that split a header equally well, the
// first counts.
const separators = ",;\t|"

// Row is a row of a table that has a cell with something in it.
type Row struct {
	Line  int      // where it begins, from 1
	Cells []string // without space around them
	State State
}

// State says whether a row can be split into cells.
type State int

// The states of a row.
const (
	Readable  State = iota
	Misquoted       // its quotation marks do not match; the cells are those of its first line
	NotUTF8         // it has bytes that are not UTF-8
)

// Source gives the rows of a table one after another, and io.EOF after the last. What exceeds a
// limit is a *LimitError; a source that cannot be read gives its own error.
type Source interface{ Next() (Row, error) }

// LimitError says that a table is larger than what is read.
type LimitError struct {
	Line int
	What string // what is too large
	Want string
}

func (e *LimitError) Error() string { return e.What + "; " + e.Want }

// Text reads a table from text, in which a separator parts the cells of a row: CSV, or what a
// spreadsheet copies and saves. A cell with a separator, a line break or a quotation mark in it
// is in quotation marks, with every mark inside doubled (RFC 4180); in a cell that does not
// begin with one, a mark is a character like any other. Lines end with LF, CR LF or CR alone.
//
// It differs from encoding/csv in what that package does not do: a mark that is never closed costs
// its own line only, CR alone ends a line, and no row can take more memory than its limit.
type Text struct {
	from  *bufio.Reader
	sep   byte
	line  int      // lines that were taken
	ahead []string // lines that were read and are still to be taken
	bytes []byte   // of the line that is being read
	err   error    // what ended the reading
}

// NewText returns the rows of a text. The separator is the one with which one of the first rows has
// most of the headings that count counts; a first row "sep=;", which Excel writes and reads, says
// it.
func NewText(from io.Reader, count func(cells []string) int) *Text {
	limited := &limited{from: from, left: MaxBytes}
	t := &Text{from: bufio.NewReaderSize(plaintext.NewReader(limited), headBytes)}
	head, _ := t.from.Peek(headBytes) // what is wrong with the file is found when it is read
	if sep, ok := separatorLine(head); ok {
		t.sep = sep
		_, _ = t.takeLine()
		return t
	}
	t.sep = separators[0]
	best := 0
	for i := range len(separators) {
		try := &Text{from: bufio.NewReader(bytes.NewReader(head)), sep: separators[i]}
		for range headRows {
			row, err := try.Next()
			if err != nil {
				break
			}
			if n := count(row.Cells); n > best {
				best, t.sep = n, separators[i]
			}
		}
	}
	return t
}

// separatorLine reads Excel's line that names the separator.
func separatorLine(head []byte) (byte, bool) {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	line = bytes.Trim(line, "\r\" ")
	if len(line) == len("sep=;") && bytes.EqualFold(line[:4], []byte("sep=")) &&
		strings.IndexByte(separators, line[4]) >= 0 {
		return line[4], true
	}
	return 0, false
}

// Next returns the next row that is not blank.
func (t *Text) Next() (Row, error) {
	for {
		row, err := t.row()
		if err != nil || !blank(row.Cells) {
			return row, err
		}
	}
}

func blank(cells []string) bool {
	for _, cell := range cells {
		if cell != "" {
			return false
		}
	}
	return true
}

// row reads one row, which can reach over several lines.
func (t *Text) row() (Row, error) {
	first, err := t.takeLine()
	if err != nil {
		return Row{}, err
	}
	row := Row{Line: t.line}
	if !utf8.ValidString(first) {
		row.State = NotUTF8
	}
	s := splitter{sep: t.sep}
	size, taken := len(first), []string{}
	for next := first; ; {
		switch s.split(next) {
		case complete:
			row.Cells = s.cells
			return row, nil
		case tooWide:
			want := fmt.Sprintf("expected at most %d", MaxCells)
			return row, &LimitError{row.Line, "a row has too many cells", want}
		case open:
			next, err = t.takeLine()
			if err == nil {
				taken = append(taken, next)
				size += len(next)
				if !utf8.ValidString(next) {
					row.State = NotUTF8
				}
			}
			if err == nil && size <= maxRowBytes {
				continue
			}
		}
		// The quotation marks do not match: the row is its first line, and the next one begins
		// below.
		t.ahead = append(taken, t.ahead...)
		t.line -= len(taken)
		if row.State == Readable {
			row.State = Misquoted
		}
		row.Cells = strings.SplitN(first, string(t.sep), MaxCells)
		for i, cell := range row.Cells {
			row.Cells[i] = Trim(cell)
		}
		return row, nil
	}
}

// takeLine returns the next line without its end.
func (t *Text) takeLine() (string, error) {
	if len(t.ahead) > 0 {
		line := t.ahead[0]
		t.ahead = t.ahead[1:]
		t.line++
		return line, nil
	}
	if t.err != nil {
		return "", t.err
	}
	line := t.bytes[:0]
	defer func() { t.bytes = line }()
	for {
		b, err := t.from.ReadByte()
		switch {
		case err == nil && b != '\n' && b != '\r':
			if line = append(line, b); len(line) > maxRowBytes {
				want := fmt.Sprintf("expected at most %d bytes", maxRowBytes)
				t.err = &LimitError{t.line + 1, "a row is too long", want}
				return "", t.err
			}
			continue
		case err != nil:
			t.stop(err)
			if !errors.Is(err, io.EOF) || len(line) == 0 {
				return "", t.err
			}
		case b == '\r':
			if next, _ := t.from.Peek(1); len(next) == 1 && next[0] == '\n' {
				_, _ = t.from.ReadByte() // it is in the buffer
			}
		}
		t.line++
		return string(line), nil
	}
}

// stop keeps what ended the reading, with the line if it is a limit.
func (t *Text) stop(err error) {
	var limit *LimitError
	if errors.As(err, &limit) {
		limit.Line = t.line + 1
		err = limit
	}
	t.err = err
}

// splitter splits the lines of one row into cells.
type splitter struct {
	sep    byte
	cells  []string
	quoted strings.Builder // the cell that is open
	inside bool            // the marks of
}

type splitState int

const (
	complete  splitState = iota
	open                 // the last cell goes on on the next line
	misquoted            // a cell has something behind its closing mark
	tooWide
)

// split takes the row's next line.
func (s *splitter) split(line string) splitState {
	if s.inside {
		s.quoted.WriteByte('\n')
	}
	for {
		if len(s.cells) >= MaxCells {
			return tooWide
		}
		if !s.inside {
			start := strings.TrimLeft(line, " ")
			if !strings.HasPrefix(start, `"`) {
				cell, rest, more := strings.Cut(line, string(s.sep))
				s.cells = append(s.cells, Trim(cell))
				if !more {
					return complete
				}
				line = rest
				continue
			}
			line, s.inside = start[1:], true
		}
		for s.inside {
			text, rest, closed := strings.Cut(line, `"`)
			s.quoted.WriteString(text)
			switch {
			case !closed:
				return open
			case strings.HasPrefix(rest, `"`):
				s.quoted.WriteByte('"')
				line = rest[1:]
			default:
				line, s.inside = strings.TrimLeft(rest, " "), false
			}
		}
		s.cells = append(s.cells, Trim(s.quoted.String()))
		s.quoted.Reset()
		switch {
		case line == "":
			return complete
		case line[0] != s.sep:
			return misquoted
		}
		line = line[1:]
	}
}

// Trim returns a cell without the space around it, including space of zero width.
func Trim(cell string) string {
	return strings.TrimFunc(cell, func(r rune) bool {
		return unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff'
	})
}

// barInside matches a bar that does not separate cells: Slack writes <mailto:ann@example.org|ann@example.org>.
var barInside = regexp.MustCompile(`<[^<>|]*\|[^<>]*>`)

// Pasted returns the rows of a list that a user pasted or typed. Each line is a row, because a
// quotation mark does not extend over a line end. Each line has its own separator: a tab where it has one, else a
// semicolon, else a bar, else commas.
func Pasted(text string) []Row {
	lines := &Text{from: bufio.NewReader(strings.NewReader(strings.ToValidUTF8(text, "\ufffd")))}
	var all []Row
	for {
		line, err := lines.takeLine()
		if err != nil {
			return all
		}
		one := &Text{ahead: []string{line}, err: io.EOF, sep: ','}
		for _, sep := range []byte("\t;|") {
			if strings.IndexByte(line, sep) >= 0 && (sep != '|' || !barInside.MatchString(line)) {
				one.sep = sep
				break
			}
		}
		if row, err := one.Next(); err == nil {
			row.Line = lines.line
			all = append(all, row)
		}
	}
}

// limited is a reader that fails after a number of bytes. It keeps its error for the next call,
// because a caller that peeks ignores it.
type limited struct {
	from io.Reader
	left int
	err  error
}

func (l *limited) Read(b []byte) (n int, err error) {
	if l.err != nil {
		return 0, l.err
	}
	// One byte beyond the limit tells a file that ends there from a larger one.
	n, l.err = l.from.Read(b[:min(len(b), l.left+1)])
	if n > l.left {
		want := fmt.Sprintf("expected at most %d MB", MaxBytes>>20)
		n, l.err = l.left, &LimitError{0, "the file is too large", want}
	}
	l.left -= n
	return n, l.err
}
