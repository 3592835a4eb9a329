// Package ratings reads the agreed ratings of many local areas from a CSV file, such as a spreadsheet saves. It knows
// the file and what its words may be; what may stand beside what is survey's to say, and it knows nothing of what is
// made of the ratings.
//
// The first row names the columns area, nation, element and level, in any order; other columns are not read. A nation
// is England or Wales, Lloegr or Cymru. Elements and levels go by their ids, by their names in any language of their
// matrix, and by the other names that the matrix gives them; a level also by its number, 1 for the lowest. A blank level
// is an element that the area did not rate. Case and spaces around words do not matter.
package ratings

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"maturitybot/survey"
)

// MaxBytes is the largest file that is read: room for some thousand areas that rate 17 elements each.
const MaxBytes = 4 << 20

// ReadFile reads the file at path as Read does. When it cannot be opened or read the error is the operating
// system's, wrapped.
func ReadFile(path string, matrices []*survey.Matrix) (*survey.Areas, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open ratings: %w", err)
	}
	defer func() { _ = f.Close() }() // it is only read
	return Read(path, f, matrices)
}

// Read reads ratings on the first of at least one matrix; the others only add names for its elements and levels. The
// file's name is what its faults call it. Everything that is wrong is reported at once: the error is then a survey.Faults, and
// no rating stands. A reader that fails gives its own error, wrapped.
func Read(name string, from io.Reader, matrices []*survey.Matrix) (*survey.Areas, error) {
	src, err := io.ReadAll(io.LimitReader(from, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read ratings %s: %w", name, err)
	}
	r := reader{
		file: name, areas: survey.NewAreas(matrices[0]), elements: elementNames(matrices), levels: levelNames(matrices),
		nations: map[string]int{}, rated: map[[2]string]int{},
	}
	for _, l := range matrices[0].Levels {
		r.levelIDs = append(r.levelIDs, l.ID)
	}
	for _, e := range matrices[0].Elements() {
		r.elementIDs = append(r.elementIDs, e.ID)
	}
	r.read(src)
	if len(r.faults) > 0 {
		return nil, r.faults
	}
	return r.areas, nil
}

type reader struct {
	file                 string
	areas                *survey.Areas
	elements, levels     names
	elementIDs, levelIDs []string
	nations              map[string]int    // the line that first said the nation of an area
	rated                map[[2]string]int // the line that gave an area and element
	faults               survey.Faults
}

func (r *reader) fault(line int, what, want string) {
	r.faults = append(r.faults, survey.Fault{File: r.file, Line: line, What: what, Want: want})
}

var columns = []string{"area", "nation", "element", "level"}

func (r *reader) read(src []byte) {
	switch {
	case len(src) > MaxBytes:
		r.fault(1, "the file is larger than "+strconv.Itoa(MaxBytes>>20)+" MB", "expected a file with one row for each area and element")
		return
	case !utf8.Valid(src):
		line := 1 + bytes.Count(src[:firstInvalid(src)], []byte("\n"))
		r.fault(line, "the text is not UTF-8", `expected a file saved as "CSV UTF-8"`)
		return
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	rows := csv.NewReader(bytes.NewReader(src))
	rows.Comma = separator(src)
	rows.FieldsPerRecord = -1
	rows.ReuseRecord = true
	var place map[string]int
	for {
		record, err := rows.Read()
		var wrong *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			switch {
			case place == nil && len(r.faults) == 0:
				r.fault(1, "the file is empty", "expected the columns "+strings.Join(columns, ","))
			case len(r.rated) == 0 && len(r.faults) == 0:
				r.fault(1, "there is no rating", "expected a row for each area and element below the names of the columns")
			}
			return
		case errors.As(err, &wrong):
			r.fault(wrong.StartLine, "the quotation marks do not match", `expected a text in marks to end with one, and marks inside it to be doubled: "the ""best"" plan"`)
			if place == nil {
				return
			}
			continue
		case err != nil: // cannot be: the file is in memory
			r.fault(1, err.Error(), "expected a readable file")
			return
		}
		line, _ := rows.FieldPos(0)
		if !slices.ContainsFunc(record, func(s string) bool { return strings.TrimSpace(s) != "" }) {
			continue // spreadsheets save the empty rows below a table
		}
		if place == nil {
			if place = r.header(line, record); place == nil {
				return
			}
			continue
		}
		r.row(line, record, place)
	}
}

// separator is what stands between the fields of the first line: a comma, or the semicolon or tab that spreadsheets
// write in places where a comma is the decimal sign.
func separator(src []byte) rune {
	first, _, _ := bytes.Cut(bytes.TrimLeft(src, "\r\n"), []byte("\n"))
	best := ','
	for _, other := range ";\t" {
		if bytes.Count(first, []byte(string(other))) > bytes.Count(first, []byte(string(best))) {
			best = other
		}
	}
	return best
}

func firstInvalid(src []byte) int {
	at := 0
	for at < len(src) {
		r, size := utf8.DecodeRune(src[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

// header finds the columns; nil when one is missing or there twice.
func (r *reader) header(line int, record []string) map[string]int {
	place := map[string]int{}
	before := len(r.faults)
	for i, field := range record {
		name := plain(field)
		if _, twice := place[name]; twice && slices.Contains(columns, name) {
			r.fault(line, "the column "+name+" is there twice", "expected it once")
		}
		place[name] = i
	}
	for _, c := range columns {
		if _, ok := place[c]; !ok {
			r.fault(line, "there is no column "+c, "expected the columns "+strings.Join(columns, ","))
		}
	}
	if len(r.faults) > before {
		return nil
	}
	return place
}

// row takes one rating in, or reports all that is wrong with it.
func (r *reader) row(line int, record []string, place map[string]int) {
	field := func(column string) string {
		if i := place[column]; i < len(record) {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	before := len(r.faults)
	if last := slices.Max([]int{place["area"], place["nation"], place["element"]}); len(record) <= last {
		r.fault(line, fmt.Sprintf("the row has %d fields", len(record)), fmt.Sprintf("expected at least %d, as in the first row", last+1))
		return
	}
	area := field("area")
	switch n := utf8.RuneCountInString(area); {
	case area == "":
		r.fault(line, "the area is blank", "expected the name of a local area")
	case n > survey.MaxAreaRunes:
		r.fault(line, fmt.Sprintf("the area %s has %d characters", quote(area), n), fmt.Sprintf("expected at most %d", survey.MaxAreaRunes))
	}
	rating := survey.AreaRating{Area: area}
	switch plain(field("nation")) {
	case "england", "lloegr":
		rating.Nation = survey.England
	case "wales", "cymru":
		rating.Nation = survey.Wales
	default:
		r.fault(line, "the nation is "+quote(field("nation")), "expected England or Wales")
	}
	rating.Element = r.element(line, field("element"))
	rating.Rating = r.level(line, field("level"))
	if len(r.faults) > before {
		return
	}

	key := survey.AreaKey(area)
	given := [2]string{key, rating.Element}
	switch err := r.areas.Add(rating); {
	case errors.Is(err, survey.ErrTwoNations):
		r.fault(line, fmt.Sprintf("the area %s is in %s here, and in another nation on line %d", quote(area), field("nation"), r.nations[key]), "expected one nation for an area")
	case errors.Is(err, survey.ErrRatedTwice):
		r.fault(line, fmt.Sprintf("the area %s has %s on line %d already", quote(area), rating.Element, r.rated[given]), "expected an area and element once")
	case err != nil: // the checks above leave nothing else
		r.fault(line, err.Error(), "expected a rating of an area")
	default:
		r.rated[given] = line
		if _, known := r.nations[key]; !known {
			r.nations[key] = line
		}
	}
}

func (r *reader) element(line int, text string) string {
	id, known := r.elements[plain(text)]
	switch {
	case !known:
		r.fault(line, "the element is "+quote(text), "expected one of "+strings.Join(r.elementIDs, ", ")+", or its name")
	case id == "":
		r.fault(line, "the element "+quote(text)+" is the name of several", "expected one of "+strings.Join(r.elementIDs, ", "))
	}
	return id
}

func (r *reader) level(line int, text string) survey.Rating {
	if text == "" {
		return survey.NotAnswered
	}
	id, known := r.levels[plain(text)]
	if at := slices.Index(r.levelIDs, id); known && at >= 0 {
		return survey.Rating(at + 1)
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(r.levelIDs) {
		return survey.Rating(n)
	}
	r.fault(line, "the level is "+quote(text), fmt.Sprintf("expected one of %s, its name, its number from 1 to %d, or nothing where the area did not rate the element",
		strings.Join(r.levelIDs, ", "), len(r.levelIDs)))
	return survey.NotAnswered
}

// names finds an id by a name, or no id where several go by it.
type names map[string]string

func (n names) add(id string, texts ...string) {
	for _, text := range texts {
		key := plain(text)
		if other, known := n[key]; known && other != id {
			n[key] = ""
			continue
		}
		n[key] = id
	}
}

func elementNames(matrices []*survey.Matrix) names {
	n := names{}
	for _, m := range matrices {
		for _, e := range m.Elements() {
			if _, _, asked := matrices[0].Element(e.ID); asked {
				n.add(e.ID, append(wordings(e.Name), e.Also...)...)
			}
		}
	}
	for _, e := range matrices[0].Elements() { // an id is never in doubt
		n[e.ID] = e.ID
	}
	return n
}

func levelNames(matrices []*survey.Matrix) names {
	n := names{}
	for _, m := range matrices {
		for _, l := range m.Levels {
			if slices.ContainsFunc(matrices[0].Levels, func(own survey.Level) bool { return own.ID == l.ID }) {
				n.add(l.ID, append(append(wordings(l.Name), wordings(l.Short)...), l.Also...)...)
			}
		}
	}
	for _, l := range matrices[0].Levels {
		n[l.ID] = l.ID
	}
	return n
}

func wordings(t survey.Text) []string {
	var all []string
	for _, text := range t {
		all = append(all, text)
	}
	return all
}

// plain is a word without what spreadsheets and hands change about it: case, spaces, and the slant of an apostrophe.
func plain(text string) string {
	return strings.ReplaceAll(strings.ToLower(strings.Join(strings.Fields(text), " ")), "\u2019", "'")
}

// quote shows a word of the file inside a fault: on one line, without anything a terminal would obey, and short.
func quote(text string) string {
	const most = 40
	if text == "" {
		return "blank"
	}
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return strconv.Quote(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text))
}
