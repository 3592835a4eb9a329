// Package answers reads and writes files of answers that were collected elsewhere, on paper, in a
// spreadsheet or with a form tool. A file has one row for each respondent and element, or one row
// for each respondent and a column for each element. The package turns it into results.Response
// values. It does not know rounds or rosters, how answers are counted, or what may be published.
//
// Error messages give the line and quote no cell: if the cells of a row are shifted, any of them can
// hold the name of a respondent. Only an unknown role is quoted, where the rest of its row is
// right.
package answers

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"maturitybot/adapters/spreadsheet"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
	"maturitybot/survey/rows"
)

// Words for the ratings that are not levels. An empty cell is matrix.NotAnswered.
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
	commentColumn
)

var columns = rows.Columns{List: []rows.Column{
	{Names: []string{"respondent", "ymatebydd"}},
	{Names: []string{"role", "rôl"}},
	{Names: []string{"element", "elfen"}},
	{Names: []string{"level", "lefel"}},
	{Names: []string{"comment", "comments", "sylw", "sylwadau"}, Optional: true},
}}

// Read reads answers to the matrix's elements. Error messages call the file by its name. If the
// whole file is valid, Read calls visit with each respondent's response, in the order in which
// respondents first appear, and returns how many there are of each role. All of them count as
// finished; who else was invited is not known. Otherwise it does not call visit, and returns a
// plaintext.Faults with everything that is wrong, or the reader's own error, wrapped.
//
// The file is one that spreadsheet.Read reads, in one of two forms. The header tells which. Roles,
// elements and levels are words that matrix.Vocabulary knows.
//
// The long form has the columns respondent, role, element, level and optionally comment, in any
// order, and a row for each answer. A respondent's role need not be in all of the respondent's rows.
//
// The wide form has a row for each respondent, the column role, and a column for each element, as
// form tools write it. Other columns, such as names and times, are not read. See wide.go for the
// headings and answers that it knows.
func Read(
	name string, from io.Reader, m *matrix.Matrix, visit func(results.Response),
) (results.Turnout, error) {
	headings := newHeadings(m)
	r := &reader{
		Table:      spreadsheet.Read(name, from, columns, headings.columns()),
		matrix:     m,
		elements:   m.Elements(),
		roles:      m.Roles(),
		vocabulary: matrix.NewVocabulary(m),
		places:     map[string]int{},
	}
	add := r.longRow
	if r.Kind == wideForm {
		r.wordings = newWordings(m)
		add = r.wideRow
	}
	last := 0
	for row := range r.Rows() {
		add(row)
		last = row.Line
	}
	if err := r.Err(); err != nil {
		return results.Turnout{}, fmt.Errorf("read answers: %w", err)
	}
	if last == 0 && len(r.Faults) == 0 {
		r.Fault(1, "the file has no rows below the header", "expected a row for each answer, or "+
			"for each respondent")
	}
	if len(r.Faults) > 0 {
		r.Faults.Sort()
		return results.Turnout{}, r.Faults
	}
	for _, p := range r.people {
		visit(r.response(p))
	}
	return r.turnout(), nil
}

// reader collects the respondents, and the faults of the file.
type reader struct {
	*rows.Table
	matrix     *matrix.Matrix
	elements   []matrix.Element
	roles      []matrix.Role
	vocabulary *matrix.Vocabulary
	wordings   []wordings     // of each element's answers, in the wide form
	places     map[string]int // indexes of people, by the key of the respondent's cell
	people     []*person
}

// person holds what one respondent said. A role of 0 is not stated; others are 1 + its index.
type person struct {
	role, roleLine int
	answers        []answer
	comments       map[int]string // by element
}

// answer is a row. It is small because there may be rows.MaxRows of them.
type answer struct {
	element uint16
	rating  int16
	line    int32
}

// longRow adds one row of the long form, or its faults.
func (r *reader) longRow(row rows.Row) {
	line, cells := row.Line, row.Cells
	who := plaintext.Key(cells[respondentColumn])
	if who == "" {
		r.Fault(line, "the respondent is empty",
			"expected a name or number that tells respondents apart; it is not shown to anybody")
	}
	element := -1
	if cells[elementColumn] == "" {
		r.Fault(line, "the element is empty", r.vocabulary.WantElement())
	} else if id, err := r.vocabulary.Element(cells[elementColumn]); err != nil {
		r.Fault(line, r.vocabulary.Problem("element", err), r.vocabulary.WantElement())
	} else {
		element = slices.IndexFunc(r.elements, func(e matrix.Element) bool { return e.ID == id })
	}
	rating, err := r.vocabulary.Level(cells[levelColumn])
	// A row whose other cells are right is not shifted: its role is not a respondent's name.
	role := r.role(line, cells[roleColumn], who != "" && element >= 0 && err == nil)
	if err != nil {
		r.Fault(line, r.vocabulary.Problem("level", err), r.vocabulary.WantLevel())
	}
	comment := r.comment(line, cells[commentColumn])
	if who == "" {
		return
	}
	// Conflicts with other rows are reported together with the faults of this row alone.
	p := r.person(who)
	if role > 0 {
		switch p.role {
		case 0:
			p.role, p.roleLine = role, line
		case role:
		default:
			const what, want = "a respondent has two roles", "expected one role for all rows of a respondent"
			r.Fault(p.roleLine, what, want)
			r.Fault(line, what, want)
		}
	}
	if element < 0 {
		return
	}
	sameElement := func(a answer) bool { return int(a.element) == element }
	if i := slices.IndexFunc(p.answers, sameElement); i >= 0 {
		const what, want = "a respondent has two rows for an element", "expected one"
		r.Fault(int(p.answers[i].line), what, want)
		r.Fault(line, what, want)
		return
	}
	p.answers = append(p.answers, answer{uint16(element), int16(rating), int32(line)})
	p.comment(element, comment)
}

// role returns 1 + the index of a role, or 0 for an empty or unknown one. It reports an unknown
// role, and quotes it if quote is set.
func (r *reader) role(line int, cell string, quote bool) int {
	if matrix.Blank(cell) {
		return 0
	}
	id, err := r.vocabulary.Role(cell)
	if err == nil {
		return 1 + slices.IndexFunc(r.roles, func(role matrix.Role) bool { return role.ID == id })
	}
	var words []string
	if quote {
		words = []string{cell}
	}
	r.Fault(line, r.vocabulary.Problem("role", err), r.vocabulary.WantRole(), words...)
	return 0
}

// comment returns the text of a comment, and reports one that is too long.
func (r *reader) comment(line int, cell string) string {
	comment := plaintext.Clean(cell)
	if utf8.RuneCountInString(comment) > matrix.MaxNoteRunes {
		r.Fault(line, "the comment is too long",
			fmt.Sprintf("expected at most %d characters", matrix.MaxNoteRunes))
	}
	return comment
}

// comment keeps a comment on an element, if there is one.
func (p *person) comment(element int, comment string) {
	if comment == "" {
		return
	}
	if p.comments == nil {
		p.comments = map[int]string{}
	}
	p.comments[element] = strings.Clone(comment) // so that the row can be freed
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

func (r *reader) response(p *person) results.Response {
	response := results.Response{Answers: make(map[string]results.Answer, len(p.answers))}
	if p.role > 0 {
		_, group, _ := r.matrix.Role(r.roles[p.role-1].ID)
		response.Group = group.ID
	}
	for _, a := range p.answers {
		response.Answers[r.elements[a.element].ID] = results.Answer{
			Rating: matrix.Rating(a.rating),
			Detail: results.Detail{Note: p.comments[int(a.element)]},
		}
	}
	return response
}

func (r *reader) turnout() results.Turnout {
	t := results.Turnout{
		Finished: len(r.people),
		Unstated: results.RoleCount{Role: results.NotStatedGroup},
	}
	for _, role := range r.roles {
		t.Roles = append(t.Roles, results.RoleCount{Role: role.ID})
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

// Row is one answer, with the ids of its role and element.
type Row struct {
	Respondent, Role, Element string
	Rating                    matrix.Rating
	Comment                   string
}

// Write writes answers as CSV that Read can read, with the ids of levels. It marks text that a
// spreadsheet could take for a formula as rows.Safe does; Read removes the marks.
func Write(to io.Writer, m *matrix.Matrix, all []Row) error {
	var header []string
	for _, c := range columns.List {
		header = append(header, c.Names[0])
	}
	records := [][]string{header}
	for _, r := range all {
		level := ""
		switch {
		case r.Rating == matrix.DontKnow:
			level = dontKnow
		case r.Rating == matrix.NotApplicable:
			level = notApplicable
		case r.Rating != matrix.NotAnswered:
			level = m.Levels[r.Rating-1].ID
		}
		records = append(records, []string{
			rows.Safe(r.Respondent), r.Role, r.Element, level, rows.Safe(r.Comment),
		})
	}
	if err := rows.WriteCSV(to, records); err != nil {
		return fmt.Errorf("write answers: %w", err)
	}
	return nil
}
