package answers

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/rows"
)

// wideForm is the index of the wide form among the kinds of table that Read reads.
const wideForm = 1

// The columns of the wide form: the role, then an answer for each element, then an optional comment
// for each.
const (
	wideRole    = 0
	wideAnswers = 1
)

// headings finds the columns of the wide form by what a form tool writes above them.
//
// The column of an element is headed by the element's id, one of its names, its question, or its
// name and its question. The column of its comments is headed by one of these and "comment". Case,
// punctuation, spaces and line breaks do not count, and neither does the number of the question.
// Where a form asks for several answers in a grid, the heading is the text in the last pair of
// square brackets.
type headings struct {
	matrix *matrix.Matrix
	places map[string]int // indexes of columns by bare words; ambiguous for those of several
}

const ambiguous = -1

var roleHeadings = []string{
	"role", "your role", "my role", "job role", "what is your role",
	"rôl", "eich rôl", "fy rôl", "beth yw eich rôl", "beth yw eich rôl chi",
}

func newHeadings(m *matrix.Matrix) headings {
	h := headings{matrix: m, places: map[string]int{}}
	elements := m.Elements()
	add := func(column int, key string) {
		if other, known := h.places[key]; known && other != column {
			column = ambiguous
		}
		h.places[key] = column
	}
	for i, e := range elements {
		wordings := append(e.Names(), e.ID)
		for _, language := range m.Languages {
			question := e.Question.In(language)
			wordings = append(wordings, question, e.Name.In(language)+" "+question)
		}
		for _, wording := range wordings {
			key := bareWords(wording)
			add(wideAnswers+i, key)
			for _, words := range commentsAfter {
				add(wideAnswers+len(elements)+i, key+" "+words)
			}
			for _, words := range commentsBefore {
				add(wideAnswers+len(elements)+i, words+" "+key)
			}
		}
	}
	for i, e := range elements { // an id comes before an equal name of another element
		h.places[bareWords(e.ID)] = wideAnswers + i
	}
	for _, name := range roleHeadings {
		h.places[bareWords(name)] = wideRole
	}
	delete(h.places, "")
	return h
}

// Words after or before what heads an element's column. With them it heads that of its comments.
var (
	commentsAfter  = []string{"comment", "comments", "sylw", "sylwadau"}
	commentsBefore = []string{"comment on", "comments on", "sylw ar", "sylwadau ar"}
)

// named returns the column that a heading names, or -1.
func (h headings) named(heading string) int {
	whole := bareWords(heading)
	tries := []string{whole, withoutNumber(whole)}
	if _, grid, found := lastCut(strings.TrimSpace(heading), "["); found {
		tries = append(tries, bareWords(grid))
	}
	for _, try := range tries {
		if column, known := h.places[try]; known && column != ambiguous {
			return column
		}
	}
	return -1
}

// bareWords returns the words of a text without punctuation, as plaintext.Key compares them.
func bareWords(text string) string {
	return strings.Join(strings.FieldsFunc(plaintext.Key(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r)
	}), " ")
}

// withoutNumber returns words without the number before them, such as that of a question or a level:
// "3", "q3", "question 3" or "lefel 3".
func withoutNumber(words string) string {
	first, rest, _ := strings.Cut(words, " ")
	if slices.Contains([]string{"question", "cwestiwn", "level", "lefel"}, first) {
		first, rest, _ = strings.Cut(rest, " ")
	}
	if !isNumber(strings.TrimPrefix(first, "q")) {
		return words
	}
	return rest
}

// withoutLastNumber returns words without the number after them.
func withoutLastNumber(words string) string {
	rest, last, found := lastCut(words, " ")
	if !found || !isNumber(last) {
		return words
	}
	return rest
}

func isNumber(word string) bool {
	return word != "" && strings.Trim(word, "0123456789") == ""
}

// lastCut cuts a text around the last separator.
func lastCut(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}

// columns describes the columns for package rows.
func (h headings) columns() rows.Columns {
	elements := h.matrix.Elements()
	list := []rows.Column{{Names: roleHeadings}}
	for _, e := range elements {
		list = append(list, rows.Column{Names: []string{e.ID}})
	}
	for _, e := range elements {
		list = append(list, rows.Column{Names: []string{e.ID + " comment"}, Optional: true})
	}
	return rows.Columns{
		List:    list,
		Others:  true,
		Named:   h.named,
		Least:   2, // a row of the long form can hold one word that names an element
		Summary: "role and one for each element: " + matrix.IDs(elements),
	}
}

// wordings are the answers to one element, by bare words. An answer that means several is
// NotAnswered.
type wordings map[string]matrix.Rating

// newWordings returns the answers that form tools write for each element, beside those that
// matrix.Vocabulary knows: the descriptor of a level, its meaning, or its name and either of them.
func newWordings(m *matrix.Matrix) []wordings {
	var all []wordings
	for _, e := range m.Elements() {
		known := wordings{}
		add := func(rating matrix.Rating, wording string) {
			key := bareWords(wording)
			if other, there := known[key]; there && other != rating {
				rating = matrix.NotAnswered
			}
			known[key] = rating
		}
		for i, level := range m.Levels {
			rating := matrix.Rating(i + 1)
			add(rating, fmt.Sprintf("level %d", rating))
			add(rating, fmt.Sprintf("lefel %d", rating))
			for _, name := range level.Names() {
				add(rating, name)
			}
			for _, language := range m.Languages {
				descriptor, meaning := e.Descriptors[i].In(language), level.Meaning.In(language)
				add(rating, descriptor)
				for _, name := range level.Names() {
					add(rating, name+" "+descriptor)
					add(rating, name+" "+meaning)
				}
			}
		}
		delete(known, "")
		all = append(all, known)
	}
	return all
}

// find returns the rating that an answer means, and whether it means one. A number before the
// words, such as that of the level, does not count; nor does one in brackets after them.
func (w wordings) find(answer string, vocabulary *matrix.Vocabulary) (matrix.Rating, bool) {
	if rating, err := vocabulary.Level(answer); err == nil {
		return rating, true
	}
	whole := bareWords(answer)
	first := withoutNumber(whole)
	for _, try := range []string{whole, first, withoutLastNumber(whole), withoutLastNumber(first)} {
		if rating := w[try]; rating != matrix.NotAnswered {
			return rating, true
		}
		if rating, known := notLevels[try]; known {
			return rating, true
		}
	}
	return matrix.NotAnswered, false
}

// notLevels are the answers that are no level, by bare words.
var notLevels = map[string]matrix.Rating{
	"don t know":              matrix.DontKnow,
	"dont know":               matrix.DontKnow,
	"i don t know":            matrix.DontKnow,
	"ddim yn gwybod":          matrix.DontKnow,
	"not applicable":          matrix.NotApplicable,
	"not applicable to me":    matrix.NotApplicable,
	"amherthnasol":            matrix.NotApplicable,
	"ddim yn berthnasol":      matrix.NotApplicable,
	"ddim yn berthnasol i mi": matrix.NotApplicable,
}

// wideRow adds one row of the wide form, or its faults.
func (r *reader) wideRow(row rows.Row) {
	p := &person{answers: make([]answer, 0, len(r.elements))}
	right := true
	for i, e := range r.elements {
		column := wideAnswers + i
		rating, known := r.wordings[i].find(row.Cells[column], r.vocabulary)
		if !known {
			right = false
			what := fmt.Sprintf("column %d, %s: there is no such level in the matrix %s",
				r.Place(column), e.ID, r.matrix.ID)
			r.Fault(row.Line, what, r.vocabulary.WantLevel()+". The text of a level will do as well")
		}
		if known && rating != matrix.NotAnswered {
			p.answers = append(p.answers, answer{uint16(i), int16(rating), int32(row.Line)})
		}
		p.comment(i, r.comment(row.Line, row.Cells[column+len(r.elements)]))
	}
	// A row whose answers are right is not shifted: its role is not a respondent's name.
	p.role = r.role(row.Line, row.Cells[wideRole], right)
	r.people = append(r.people, p)
}

// WriteWide writes answers as CSV in the wide form, with headings and answers in the language. Read
// can read it. The rows of a respondent have to follow each other. Elements that somebody commented
// on have a column for comments.
func WriteWide(to io.Writer, m *matrix.Matrix, lang matrix.Lang, all []Row) error {
	elements := m.Elements()
	vocabulary := matrix.NewVocabulary(m)
	words := englishWords
	if lang == matrix.Welsh {
		words = welshWords
	}
	header := []string{words.role}
	places, comments := map[string]int{}, map[string]int{} // of columns, by element
	for _, e := range elements {
		name := e.Name.In(lang)
		if id, err := vocabulary.Element(name); err != nil || id != e.ID {
			name = e.ID
		}
		places[e.ID] = len(header)
		header = append(header, rows.Safe(name))
		commented := func(r Row) bool { return r.Element == e.ID && r.Comment != "" }
		if slices.ContainsFunc(all, commented) {
			comments[e.ID] = len(header)
			header = append(header, rows.Safe(name+" – "+words.comment))
		}
	}
	records := [][]string{header}
	last := ""
	for _, r := range all {
		if len(records) == 1 || r.Respondent != last {
			last = r.Respondent
			record := make([]string, len(header))
			if role, _, known := m.Role(r.Role); known {
				record[0] = rows.Safe(role.Name.In(lang))
				if id, err := vocabulary.Role(record[0]); err != nil || id != r.Role {
					record[0] = r.Role
				}
			}
			records = append(records, record)
		}
		record := records[len(records)-1]
		record[places[r.Element]] = rows.Safe(wideLevel(m, lang, words, r.Rating))
		if r.Comment != "" {
			record[comments[r.Element]] = rows.Safe(r.Comment)
		}
	}
	if err := rows.WriteCSV(to, records); err != nil {
		return fmt.Errorf("write answers: %w", err)
	}
	return nil
}

// wideWords are the words of the wide form that are not names of the matrix.
type wideWords struct{ role, comment, dontKnow, notApplicable string }

var (
	englishWords = wideWords{"Role", "comment", "Don't know", "Not applicable to me"}
	welshWords   = wideWords{"Rôl", "sylw", "Ddim yn gwybod", "Ddim yn berthnasol i mi"}
)

func wideLevel(m *matrix.Matrix, lang matrix.Lang, words wideWords, rating matrix.Rating) string {
	switch rating {
	case matrix.NotAnswered:
		return ""
	case matrix.DontKnow:
		return words.dontKnow
	case matrix.NotApplicable:
		return words.notApplicable
	}
	return m.Levels[rating-1].Name.In(lang)
}
