// Package answers reads and writes files of answers that were collected elsewhere, on paper or in a spreadsheet: CSV
// with one row for each respondent and element. It turns them into responses as the survey gives them; it knows
// nothing of rounds and rosters, of how answers are counted, or of what may be shown.
//
// What is wrong with a file is said by line and never repeats a cell: in a row that has slipped, the name of a
// respondent can stand in any of them.
package answers

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"maturitybot/survey"
)

// The largest file that is read.
const (
	MaxBytes = 64 << 20
	MaxRows  = 1_000_000 // not counting the header
)

// Words for the ratings that are not levels; an empty cell is survey.NotAnswered.
const (
	dontKnow      = "dont_know"
	notApplicable = "not_applicable"
)

// The columns of a file, in the order in which Write puts them.
const (
	respondentColumn = iota
	roleColumn
	elementColumn
	levelColumn
	commentColumn // may be left out
)

var columns = []string{"respondent", "role", "element", "level", "comment"}

// Read reads answers to the matrix's elements; name is what faults call the file. When all of it can stand it calls
// visit with each respondent's response, in the order in which they first appear, and returns who they are by role:
// all have finished, and whom else somebody asked is not known. Otherwise visit is not called, and the error is a
// survey.Faults of everything that is wrong, or the reader's own error, wrapped.
//
// The file is UTF-8 with a header; commas or semicolons separate. The columns respondent, role, element, level, and
// comment where there is one, stand in any order. Roles and elements go by id, name in any language of the matrix, or
// one of its other names; levels also by short name and by number from 1, or as dont_know, not_applicable or empty.
// Upper and lower case are alike, and so is space around a cell. A respondent's role counts from whichever of their
// rows state it. Rows without a single cell filled are passed over.
func Read(name string, from io.Reader, m *survey.Matrix, visit func(survey.Response)) (survey.Turnout, error) {
	r := newReader(name, m)
	if err := r.rows(from); err != nil {
		return survey.Turnout{}, err
	}
	if len(r.faults) > 0 {
		return survey.Turnout{}, r.faults
	}
	for _, p := range r.people {
		visit(r.response(p))
	}
	return r.turnout(), nil
}

// reader collects respondents and what is wrong with the file.
type reader struct {
	file     string
	matrix   *survey.Matrix
	elements []survey.Element
	names    names
	maxBytes int
	maxRows  int
	at       [5]int         // place of each column in a row; -1 for one that is not there
	places   map[string]int // of people, by what their respondent's cell folds to
	people   []*person
	faults   survey.Faults
}

func newReader(name string, m *survey.Matrix) *reader {
	return &reader{
		file: name, matrix: m, elements: m.Elements(), names: newNames(m),
		maxBytes: MaxBytes, maxRows: MaxRows, places: map[string]int{},
	}
}

// person is what one respondent said; role counts from 1, 0 is not stated.
type person struct {
	role, roleLine int
	answers        []answer
	comments       map[int]string // by element
}

// answer is a row, kept small: there may be MaxRows of them.
type answer struct {
	element uint16
	rating  int16
	line    int32
}

func (r *reader) fault(line int, what, want string) {
	r.faults = append(r.faults, survey.Fault{File: r.file, Line: line, What: what, Want: want})
}

// rows reads the whole file. It returns the errors that are not the file's content; that is noted as faults.
func (r *reader) rows(from io.Reader) error {
	buffered := bufio.NewReaderSize(&limited{from: from, left: r.maxBytes}, 64<<10)
	if mark, _ := buffered.Peek(3); bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = buffered.Discard(len(mark)) // they are in the buffer
	}
	c := csv.NewReader(buffered)
	c.Comma = separator(buffered)
	c.FieldsPerRecord = -1 // told by line, with the others
	c.ReuseRecord = true
	for n := 0; ; {
		row, err := c.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			if n < 2 && len(r.faults) == 0 {
				r.fault(1, "the file has no answers", "expected a header and a row for each answer")
			}
			return nil
		case errors.Is(err, errTooLarge):
			r.fault(1, "the file is too large", fmt.Sprintf("at most %d bytes", r.maxBytes))
			return nil
		case errors.As(err, &broken):
			r.fault(broken.StartLine, "the row cannot be read: "+broken.Err.Error(), `expected a cell that holds a " to stand in "…", with every " inside it doubled`)
			if n == 0 {
				return nil // without a header no row can be understood
			}
			continue
		case err != nil:
			return fmt.Errorf("read answers: %w", err)
		}
		line, _ := c.FieldPos(0)
		if n == 0 {
			if !r.header(line, row) {
				return nil
			}
			n++
			continue
		}
		if blank(row) {
			continue
		}
		if n > r.maxRows {
			r.fault(line, "the file has too many rows", fmt.Sprintf("at most %d", r.maxRows))
			return nil
		}
		n++
		r.row(line, row, c)
	}
}

// separator is a semicolon where the first line has more of those than commas, as spreadsheets write it in countries
// with a decimal comma.
func separator(b *bufio.Reader) rune {
	start, _ := b.Peek(1024) // what is wrong with the file is found when it is read
	if i := bytes.IndexByte(start, '\n'); i >= 0 {
		start = start[:i]
	}
	if bytes.Count(start, []byte(";")) > bytes.Count(start, []byte(",")) {
		return ';'
	}
	return ','
}

// header finds the columns, and says whether the rows can be read by it.
func (r *reader) header(line int, row []string) bool {
	r.at = [5]int{-1, -1, -1, -1, -1}
	for i, cell := range row {
		switch k := slices.Index(columns, fold(cell)); {
		case k < 0:
			r.fault(line, fmt.Sprintf("column %d of the header is not known", i+1), "expected "+strings.Join(columns, ", ")+" in a file in UTF-8")
		case r.at[k] >= 0:
			r.fault(line, fmt.Sprintf("columns %d and %d have the same name", r.at[k]+1, i+1), "expected each once")
		default:
			r.at[k] = i
		}
	}
	for k, at := range r.at {
		if at < 0 && k != commentColumn {
			r.fault(line, fmt.Sprintf("the header has no column %q", columns[k]), "expected "+strings.Join(columns[:commentColumn], ", ")+", and comment if there are any")
		}
	}
	return len(r.faults) == 0
}

func blank(row []string) bool {
	return !slices.ContainsFunc(row, func(cell string) bool { return strings.TrimSpace(cell) != "" })
}

// row takes in one row, or notes everything that is wrong with it.
func (r *reader) row(line int, row []string, c *csv.Reader) {
	want := 0
	for _, at := range r.at {
		if at >= 0 {
			want++
		}
	}
	if len(row) != want {
		r.fault(line, fmt.Sprintf("the row has %d cells", len(row)), fmt.Sprintf("expected %d as in the header (a cell that holds the separator stands in \"…\")", want))
		return
	}
	for i, cell := range row {
		if !utf8.ValidString(cell) {
			at, _ := c.FieldPos(i)
			r.fault(at, "the row is not in UTF-8", "expected a file saved as CSV in UTF-8")
			return
		}
	}
	who := fold(row[r.at[respondentColumn]])
	if who == "" {
		r.fault(line, "the respondent is empty", "expected a name or number that tells respondents apart; it is not shown to anybody")
	}
	element := r.find(line, r.names.elements, row[r.at[elementColumn]])
	if fold(row[r.at[elementColumn]]) == "" {
		r.fault(line, "the element is empty", r.names.elements.want)
	}
	role := 0
	if cell := row[r.at[roleColumn]]; fold(cell) != "" {
		role = r.find(line, r.names.roles, cell) + 1
	}
	rating := int(survey.NotAnswered)
	if cell := row[r.at[levelColumn]]; fold(cell) != "" {
		rating = r.find(line, r.names.levels, cell)
	}
	comment := ""
	if r.at[commentColumn] >= 0 {
		comment = strings.TrimSpace(row[r.at[commentColumn]])
		if n := utf8.RuneCountInString(comment); n > survey.MaxNoteRunes {
			r.fault(line, fmt.Sprintf("the comment has %d characters", n), fmt.Sprintf("at most %d", survey.MaxNoteRunes))
		}
	}
	if who == "" {
		return
	}
	// What only shows beside other rows is told together with what this row alone has wrong.
	p := r.person(who)
	if role > 0 {
		switch p.role {
		case 0:
			p.role, p.roleLine = role, line
		case role:
		default:
			r.fault(line, fmt.Sprintf("the respondent has another role than on line %d", p.roleLine), "expected one role for all rows of a respondent")
		}
	}
	if element < 0 {
		return
	}
	if i := slices.IndexFunc(p.answers, func(a answer) bool { return int(a.element) == element }); i >= 0 {
		r.fault(line, fmt.Sprintf("the respondent has a row for this element already, on line %d", p.answers[i].line), "expected one")
	}
	p.answers = append(p.answers, answer{uint16(element), int16(rating), int32(line)})
	if comment != "" {
		if p.comments == nil {
			p.comments = map[int]string{}
		}
		p.comments[element] = strings.Clone(comment) // else it keeps the whole row in memory
	}
}

// find returns what a cell names, or -1 when it names nothing or is empty, and notes the former.
func (r *reader) find(line int, known vocabulary, cell string) int {
	word := fold(cell)
	if word == "" {
		return -1
	}
	place, ok := known.places[word]
	switch {
	case !ok:
		r.fault(line, known.unknown, known.want)
	case place == ambiguous:
		r.fault(line, known.several, known.want)
	default:
		return place
	}
	return -1
}

func (r *reader) person(who string) *person {
	if i, ok := r.places[who]; ok {
		return r.people[i]
	}
	p := &person{}
	r.places[strings.Clone(who)] = len(r.people)
	r.people = append(r.people, p)
	return p
}

func (r *reader) response(p *person) survey.Response {
	response := survey.Response{Answers: make(map[string]survey.Answer, len(p.answers))}
	if p.role > 0 {
		_, group, _ := r.matrix.Role(r.matrix.Roles()[p.role-1].ID)
		response.Group = group.ID
	}
	for _, a := range p.answers {
		response.Answers[r.elements[a.element].ID] = survey.Answer{
			Rating: survey.Rating(a.rating), Detail: survey.Detail{Note: p.comments[int(a.element)]},
		}
	}
	return response
}

func (r *reader) turnout() survey.Turnout {
	t := survey.Turnout{Finished: len(r.people), Unstated: survey.RoleCount{Role: survey.NotStatedGroup}}
	for _, role := range r.matrix.Roles() {
		t.Roles = append(t.Roles, survey.RoleCount{Role: role.ID})
	}
	for _, p := range r.people {
		if p.role == 0 {
			t.Unstated.Finished++
		} else {
			t.Roles[p.role-1].Finished++
		}
	}
	return t
}

// ambiguous stands for a name that more than one thing goes by.
const ambiguous = -1 << 15

// vocabulary is what one column may hold: what each word stands for, and what faults say. Those are made once, for there
// may be a fault in every row.
type vocabulary struct {
	places                 map[string]int
	unknown, several, want string
}

// names are the words of a matrix: elements and roles by their place, levels by their rating.
type names struct{ elements, roles, levels vocabulary }

func newNames(m *survey.Matrix) names {
	n := names{newVocabulary(m, "element"), newVocabulary(m, "role"), newVocabulary(m, "level")}
	var elements, roles, levels []string
	for i, e := range m.Elements() {
		elements = append(elements, e.ID)
		n.elements.add(i, append(wordings(e.Name), e.Also...)...)
	}
	for i, role := range m.Roles() {
		roles = append(roles, role.ID)
		n.roles.add(i, append(wordings(role.Name), role.Also...)...)
	}
	for i, l := range m.Levels {
		levels = append(levels, l.ID)
		n.levels.add(i+1, append(append(wordings(l.Name, l.Short), l.Also...), strconv.Itoa(i+1))...)
	}
	// Ids come last, because an id that is also the name of something else means what has the id.
	n.elements.ids(0, elements)
	n.roles.ids(0, roles)
	n.levels.ids(1, levels)
	n.levels.places[dontKnow], n.levels.places[notApplicable] = int(survey.DontKnow), int(survey.NotApplicable)
	n.elements.want += ", or a name of one"
	n.roles.want += ", a name of one, or nothing"
	n.levels.want += fmt.Sprintf(", a name of one, 1 to %d, %s, %s, or nothing", len(m.Levels), dontKnow, notApplicable)
	return n
}

func newVocabulary(m *survey.Matrix, what string) vocabulary {
	return vocabulary{
		places:  map[string]int{},
		unknown: "the " + what + " is not one of the matrix " + m.ID,
		several: "more than one " + what + " goes by this name",
	}
}

func (v *vocabulary) add(place int, words ...string) {
	for _, w := range words {
		w = fold(w)
		if other, ok := v.places[w]; ok && other != place {
			v.places[w] = ambiguous
			continue
		}
		v.places[w] = place
	}
}

func (v *vocabulary) ids(first int, ids []string) {
	for i, id := range ids {
		v.places[id] = first + i
	}
	v.want = "expected one of " + strings.Join(ids, ", ")
}

func wordings(texts ...survey.Text) []string {
	var all []string
	for _, t := range texts {
		for _, wording := range t {
			all = append(all, wording)
		}
	}
	return all
}

// straight undoes what word processors make of apostrophes.
var straight = strings.NewReplacer("’", "'", "‘", "'")

// fold is a cell as it is compared: in small letters, with straight apostrophes, and single spaces inside only.
func fold(cell string) string {
	return strings.ToLower(strings.Join(strings.Fields(straight.Replace(cell)), " "))
}

// errTooLarge is what a limited reader gives beyond its limit.
var errTooLarge = errors.New("too large")

// limited reads so many bytes and refuses more. It keeps its error, which somebody who only looks ahead passes over.
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
		n, l.err = l.left, errTooLarge
	}
	l.left -= n
	return n, l.err
}

// Row is one answer, with the ids of its role and element.
type Row struct {
	Respondent, Role, Element string
	Rating                    survey.Rating
	Comment                   string
}

// Write writes rows as a file that Read takes, with levels by their ids.
func Write(to io.Writer, m *survey.Matrix, rows []Row) error {
	w := csv.NewWriter(to)
	records := [][]string{columns}
	for _, r := range rows {
		level := ""
		switch {
		case r.Rating == survey.DontKnow:
			level = dontKnow
		case r.Rating == survey.NotApplicable:
			level = notApplicable
		case r.Rating != survey.NotAnswered:
			level = m.Levels[r.Rating-1].ID
		}
		records = append(records, []string{r.Respondent, r.Role, r.Element, level, r.Comment})
	}
	if err := w.WriteAll(records); err != nil {
		return fmt.Errorf("write answers: %w", err)
	}
	return nil
}
