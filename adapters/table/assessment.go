package table

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
	"maturitybot/survey/rows"
	"maturitybot/survey/workshop"
)

// AssessmentWords are the texts of the files of a workshop that are not names of the matrix, in the
// language of the files.
type AssessmentWords struct {
	Title   string
	Symbols string   // above every table: what [c] and [x] mean
	Facts   []string // when the workshop finished, and how many people the figures are of
	Notes   []string // how to read the ratings: what shares are of, what a show of hands is

	// Headings of columns.
	Element, Agreed, How, Reason, Others, Objections, Previous, Survey, Shares string

	Ballots []string // names of an element's ballots, from the first

	Source, Way, DontKnow, Total, Remark string // headings of the sheet of counts
	Group, Role, Present                 string // headings of the sheet of attendance
	Reported, Workshops                  string
	Before, RecordedOn, ChangedTo        string // headings of the sheet of changed ratings
	Why, ChangedOn                       string

	InSurvey       string // where ratings come from, beside the names of ballots
	Devices, Hands string // names of the ways to rate
	Doubled        string // more ratings were counted than people
	NotRated       string
	Hows           map[workshop.How]string
	Left           string // in place of a How, for an element that was left without a rating
	NotStated      string // names the people without a role
	NobodyChanged  string // in place of changed ratings
	// AttendanceNotes say who is counted, and where the report has its figures.
	AttendanceNotes []string

	// Names of the sheets.
	SheetRatings, SheetCounts, SheetAttendance, SheetChanges, SheetNotes string

	Day func(time.Time) string
}

// AssessmentCSV writes the agreed ratings as the columns that the report command reads: area,
// nation, element and level, as rows.WriteCSV does. Elements and levels are ids, which are the same
// in every language. The level is empty for an element that is not rated, and the nation where the
// matrix names none that the command knows.
func AssessmentCSV(
	a *workshop.Assessment, m *matrix.Matrix, lang matrix.Lang,
) ([]byte, error) {
	vocabulary := matrix.NewVocabulary(m)
	area, nation := rows.Safe(plaintext.Line(a.Area)), workshopNation(m, lang)
	records := [][]string{{"area", "nation", "element", "level"}}
	for _, e := range m.Elements() {
		level := ""
		if n := a.Movement(e.ID).Agreed; n > 0 {
			level = m.Levels[n-1].ID
			if read, err := vocabulary.Level(level); err != nil || int(read) != n {
				level = strconv.Itoa(n) // the id means something else in a file
			}
		}
		records = append(records, []string{area, nation, rows.Safe(e.ID), rows.Safe(level)})
	}
	var b bytes.Buffer
	if err := rows.WriteCSV(&b, records); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return b.Bytes(), nil
}

// AssessmentXLSX writes what a workshop agreed as a spreadsheet of five sheets: a row for each
// element with its agreed rating and how it came about; the counts of the survey and of each ballot
// that was shown; how many people of each role rated, beside the report; the ratings that were
// changed; and notes on how to read it.
func AssessmentXLSX(
	a *workshop.Assessment, m *matrix.Matrix, lang matrix.Lang, words AssessmentWords,
) ([]byte, error) {
	b := assessmentBook{newBook(), a, m, lang, words}
	b.ratings()
	b.counts()
	b.attendance()
	b.changes()
	b.readingNotes()
	return b.end()
}

// assessmentBook is the spreadsheet of a workshop.
type assessmentBook struct {
	*book
	*workshop.Assessment
	matrix *matrix.Matrix
	lang   matrix.Lang
	words  AssessmentWords
}

// table begins the table of a sheet, below its title and what the symbols mean. The headings and
// the first columns stay in view, and are on each printed page. The sheet is some pages wide.
func (b assessmentBook) table(pages, columns int, heads ...string) {
	b.write(cell{b.words.Title, b.title})
	b.write(cell{value: b.words.Symbols})
	b.write()
	b.heads(heads...)
	b.freeze(columns)
	last, err := excelize.ColumnNumberToName(columns)
	b.note(err)
	b.printA4(pages, b.line, "A", last)
}

// in returns a cell of a table: a text or a number.
func (b assessmentBook) in(value any) cell { return cell{value, b.framed} }

// figure returns a cell of a table with a number, or the symbol for not available.
func (b assessmentBook) figure(n int, known bool) cell {
	if !known {
		return b.in(results.NotAvailable.String())
	}
	return b.in(n)
}

// levelName returns the name of a level from 1 up, or says that there is no rating.
func (b assessmentBook) levelName(level matrix.Rating) string {
	if level < 1 || int(level) > len(b.matrix.Levels) {
		return b.words.NotRated
	}
	return b.matrix.Levels[level-1].Name.In(b.lang)
}

// how says how a rating came about.
func (b assessmentBook) how(r workshop.Rating) string {
	if r.Level == matrix.NotAnswered && r.How == workshop.NoAgreement && r.Reason == "" {
		return b.words.Left // a coordinator has to give a reason: the end of the workshop did this
	}
	return b.words.Hows[r.How]
}

func (b assessmentBook) ratings() {
	most := 0
	for _, e := range b.matrix.Elements() {
		most = max(most, len(b.BallotsOf(e.ID)))
	}
	w := b.words
	widths := []float64{30, 18, 20, 40, 32, 12, 18, 20, 26}
	heads := []string{w.Element, w.Agreed, w.How, w.Reason, w.Others, w.Objections,
		w.Previous, w.Survey, w.Shares}
	for i := range most {
		widths = append(widths, 28)
		heads = append(heads, w.Ballots[i])
	}
	b.begin(sheetName(w.SheetRatings, "Agreed ratings"), widths...)
	b.table(2, 2, heads...)
	for _, e := range b.matrix.Elements() {
		r, rated := b.Ratings[e.ID]
		how := b.words.Left
		if rated {
			how = b.how(r)
		}
		line := []cell{
			b.in(e.Name.In(b.lang)),
			{b.levelName(r.Level), b.strong},
			b.in(how),
			b.in(r.Reason),
			b.in(r.Others),
			b.objections(e.ID),
			b.in(b.previous(e.ID)),
			b.in(b.mostCommon(e.ID)),
			b.in(b.shares(e.ID)),
		}
		ballots := b.BallotsOf(e.ID)
		for i := range most {
			text := ""
			if i < len(ballots) {
				text = b.ballot(ballots[i])
			}
			line = append(line, b.in(text))
		}
		b.write(line...)
	}
}

// objections returns how many people objected, or a symbol if too few people were there to show it.
func (b assessmentBook) objections(element string) cell {
	people := b.People()
	if people > 0 && people < b.MinGroup {
		return b.in(results.Suppressed.String())
	}
	return b.figure(b.Objections[element], people > 0)
}

// previous returns the level that the area agreed last time.
func (b assessmentBook) previous(element string) string {
	r, rated := b.Previous[element]
	if !rated {
		return results.NotAvailable.String()
	}
	return b.levelName(r.Level)
}

// mostCommon returns the names of the most common levels in the survey.
func (b assessmentBook) mostCommon(element string) string {
	var names []string
	for _, level := range b.Movement(element).Survey {
		names = append(names, b.levelName(matrix.Rating(level)))
	}
	if len(names) == 0 {
		return b.notShown()
	}
	return strings.Join(names, " / ")
}

// notShown returns the symbol for an element without results of the survey: hidden, or not
// available if there was no survey.
func (b assessmentBook) notShown() string {
	if b.Surveyed == 0 {
		return results.NotAvailable.String()
	}
	return results.Suppressed.String()
}

// shares lists the levels that anybody chose in the survey, with their rounded percentages.
func (b assessmentBook) shares(element string) string {
	counts := b.Survey[element]
	percent := results.PercentOf(counts)
	if percent == nil {
		return b.notShown()
	}
	var parts []string
	for i, n := range counts {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d%%", b.shortName(i), percent[i]))
		}
	}
	return fmt.Sprintf("%s (n = %d)", strings.Join(parts, ", "), workshop.Sum(counts))
}

// shortName returns the short name of the level with that index.
func (b assessmentBook) shortName(i int) string { return b.matrix.Levels[i].Short.In(b.lang) }

// ballot returns a line for the ratings by device, and one for those by show of hands.
func (b assessmentBook) ballot(shown workshop.Ballot) string {
	var lines []string
	if shown.Counts != nil {
		lines = append(lines, b.words.Devices+": "+b.list(shown.Counts, shown.DontKnow))
	}
	if shown.Hands != nil {
		lines = append(lines, b.words.Hands+": "+b.list(shown.Hands, 0))
	}
	if shown.Doubled {
		lines = append(lines, b.words.Doubled)
	}
	return strings.Join(lines, "\n")
}

// list names the levels that anybody chose, with how many did.
func (b assessmentBook) list(counts []int, dontKnow int) string {
	var parts []string
	for i, n := range counts {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", b.shortName(i), n))
		}
	}
	if dontKnow > 0 {
		parts = append(parts, fmt.Sprintf("%s %d", b.words.DontKnow, dontKnow))
	}
	if len(parts) == 0 {
		return "0"
	}
	return strings.Join(parts, ", ")
}

func (b assessmentBook) counts() {
	w := b.words
	widths := []float64{36, 26, 18}
	heads := []string{w.Element, w.Source, w.Way}
	for _, level := range b.matrix.Levels {
		widths = append(widths, 13)
		heads = append(heads, level.Name.In(b.lang))
	}
	b.begin(sheetName(w.SheetCounts, "Counts"), append(widths, 12, 13, 30)...)
	b.table(1, 2, append(heads, w.Total, w.DontKnow, w.Remark)...)
	for _, e := range b.matrix.Elements() {
		name := e.Name.In(b.lang)
		unknown := b.figure(0, false) // nothing is kept of who did not know in the survey
		if counts := b.Survey[e.ID]; counts != nil {
			b.count([]string{name, w.InSurvey, ""}, counts, unknown, "")
		}
		for i, ballot := range b.BallotsOf(e.ID) {
			remark := ""
			if ballot.Doubled {
				remark = w.Doubled
			}
			if ballot.Counts != nil {
				from := []string{name, w.Ballots[i], w.Devices}
				b.count(from, ballot.Counts, b.figure(ballot.DontKnow, true), remark)
			}
			if ballot.Hands != nil {
				from := []string{name, w.Ballots[i], w.Hands}
				b.count(from, ballot.Hands, unknown, remark)
			}
		}
	}
}

// count writes a row of the sheet of counts.
func (b assessmentBook) count(from []string, counts []int, dontKnow cell, remark string) {
	var line []cell
	for _, text := range from {
		line = append(line, b.in(text))
	}
	for i := range b.matrix.Levels {
		n := 0
		if i < len(counts) { // a show of hands may leave out the highest levels
			n = counts[i]
		}
		line = append(line, b.in(n))
	}
	b.write(append(line, b.in(workshop.Sum(counts)), dontKnow, b.in(remark))...)
}

func (b assessmentBook) attendance() {
	w := b.words
	b.begin(sheetName(w.SheetAttendance, "Attendance"), 30, 46, 16, 26, 26)
	b.table(1, 2, w.Group, w.Role, w.Present, w.Reported, w.Workshops)
	known := len(b.Attendance) > 0
	for _, g := range b.matrix.RoleGroups {
		for _, role := range g.Roles {
			areas, found := workshop.Reported(role)
			b.write(
				b.in(g.Name.In(b.lang)),
				b.in(role.Name.In(b.lang)),
				b.figure(b.Attendance[role.ID], known),
				b.figure(areas, found),
				b.in(reported(role).value),
			)
		}
	}
	none := b.figure(0, false)
	b.write(b.in(""), b.in(w.NotStated), b.figure(b.Attendance[survey.Unstated], known), none, none)
	b.write(b.in(""), cell{w.Total, b.strong}, b.figure(b.People(), known), b.in(""), b.in(""))
	b.write()
	for _, note := range w.AttendanceNotes {
		b.paragraph(note)
	}
}

// changes writes the ratings that were replaced, oldest first, each with the next one.
func (b assessmentBook) changes() {
	w := b.words
	b.begin(sheetName(w.SheetChanges, "Changed ratings"), 30, 18, 20, 36, 30, 18, 18, 36, 18)
	b.table(2, 1, w.Element, w.Before, w.How, w.Reason, w.Others, w.RecordedOn,
		w.ChangedTo, w.Why, w.ChangedOn)
	changed := false
	for _, e := range b.matrix.Elements() {
		all := append(slices.Clone(b.Replaced[e.ID]), b.Ratings[e.ID])
		for i, old := range all[:len(all)-1] {
			next := all[i+1]
			b.write(
				b.in(e.Name.In(b.lang)),
				b.in(b.levelName(old.Level)),
				b.in(b.how(old)),
				b.in(old.Reason),
				b.in(old.Others),
				b.in(w.Day(old.At)),
				cell{b.levelName(next.Level), b.strong},
				b.in(next.Reason),
				b.in(w.Day(next.At)),
			)
			changed = true
		}
	}
	if !changed {
		b.paragraph(w.NobodyChanged)
	}
}

func (b assessmentBook) readingNotes() {
	b.begin(sheetName(b.words.SheetNotes, "Notes"), 110)
	b.write(cell{b.words.Title, b.title})
	for _, text := range slices.Concat(b.words.Facts, []string{b.words.Symbols}, b.words.Notes) {
		b.write(b.text(text))
	}
}
