package matrix

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"maturitybot/survey/plaintext"
)

// Errors of Vocabulary.
var (
	ErrUnknownWord   = errors.New("the word is not known")
	ErrAmbiguousWord = errors.New("the word is the name of several")
)

// Vocabulary finds the elements, roles and levels of a matrix by the words in a file or in a pasted
// list. An element or a role is found by its id, its name in any language, and its other names; a
// level also by its short name and its number, 1 for the lowest. Words are compared by
// plaintext.Key. An id comes before an equal name of something else.
type Vocabulary struct {
	elements, roles, levels meanings
	levelCount              int
	matrix                  *Matrix
}

// meanings maps the key of a word to an id, or to "" where several have that name.
type meanings map[string]string

// NewVocabulary returns the vocabulary of a matrix. Other editions add their names for what is in
// it.
func NewVocabulary(m *Matrix, others ...*Matrix) *Vocabulary {
	v := &Vocabulary{
		elements:   meanings{},
		roles:      meanings{},
		levels:     meanings{},
		levelCount: len(m.Levels),
		matrix:     m,
	}
	for _, edition := range append([]*Matrix{m}, others...) {
		for _, e := range edition.Elements() {
			if _, _, known := m.Element(e.ID); known {
				v.elements.add(e.ID, e.Names()...)
			}
		}
		for _, r := range edition.Roles() {
			if _, _, known := m.Role(r.ID); known {
				v.roles.add(r.ID, r.Names()...)
			}
		}
		for _, l := range edition.Levels {
			if i := m.level(l.ID); i >= 0 {
				v.levels.add(strconv.Itoa(i+1), l.Names()...)
			}
		}
	}
	for _, e := range m.Elements() {
		v.elements[plaintext.Key(e.ID)] = e.ID
	}
	for _, r := range m.Roles() {
		v.roles[plaintext.Key(r.ID)] = r.ID
	}
	for i, l := range m.Levels {
		v.levels[plaintext.Key(l.ID)] = strconv.Itoa(i + 1)
	}
	return v
}

func (all meanings) add(id string, names ...string) {
	for _, name := range names {
		key := plaintext.Key(name)
		if other, known := all[key]; known && other != id {
			all[key] = ""
			continue
		}
		all[key] = id
	}
}

func (all meanings) find(key string) (string, error) {
	id, known := all[key]
	switch {
	case !known:
		return "", ErrUnknownWord
	case id == "":
		return "", ErrAmbiguousWord
	}
	return id, nil
}

// Element returns the id of the element with that name, ErrUnknownWord or ErrAmbiguousWord.
func (v *Vocabulary) Element(word string) (string, error) {
	return v.elements.find(plaintext.Key(word))
}

// Role returns the id of the role with that name, ErrUnknownWord or ErrAmbiguousWord.
func (v *Vocabulary) Role(word string) (string, error) { return v.roles.find(plaintext.Key(word)) }

// Level returns the rating that a word means. An empty cell, and what programs write into one, is
// NotAnswered.
func (v *Vocabulary) Level(word string) (Rating, error) {
	key := plaintext.Key(word)
	if rating, known := notLevels[key]; known {
		return rating, nil
	}
	if n, isNumber := LevelNumber(key); isNumber {
		if n < 1 || n > v.levelCount {
			return NotAnswered, ErrUnknownWord
		}
		return Rating(n), nil // a level cannot be named by another number: the loader refuses it
	}
	number, err := v.levels.find(key)
	if err != nil {
		return NotAnswered, err
	}
	n, err := strconv.Atoi(number)
	return Rating(n), err
}

// Problem says what is wrong with a word that is not known or ambiguous. The sort is what the word
// should name: "element", "role" or "level".
func (v *Vocabulary) Problem(sort string, err error) string {
	if errors.Is(err, ErrAmbiguousWord) {
		return "more than one " + sort + " has this name"
	}
	return "there is no such " + sort + " in the matrix " + v.matrix.ID
}

// WantElement says which words name an element.
func (v *Vocabulary) WantElement() string {
	return "expected one of " + IDs(v.matrix.Elements()) + ", or a name of one"
}

// WantRole says which words name a role.
func (v *Vocabulary) WantRole() string {
	return "expected one of " + IDs(v.matrix.Roles()) + ", a name of one, or nothing"
}

// WantLevel says which words Level knows.
func (v *Vocabulary) WantLevel() string {
	return fmt.Sprintf("expected one of %s, a name of one, 1 to %d, dont_know, not_applicable, "+
		"or nothing", IDs(v.matrix.Levels), v.levelCount)
}

// LevelNumber reads a word as a whole number, which programs also write as 2.0.
func LevelNumber(word string) (int, bool) {
	word = strings.TrimSpace(word)
	if i := strings.IndexAny(word, ".,"); i > 0 && strings.Trim(word[i+1:], "0") == "" {
		word = word[:i]
	}
	n, err := strconv.Atoi(word)
	return n, err == nil
}

// Blank reports whether a cell is empty, or holds a sign that stands for an empty cell.
func Blank(cell string) bool {
	rating, known := notLevels[plaintext.Key(cell)]
	return known && rating == NotAnswered
}

// NotALevel reports whether a word means a rating that is no level, such as "don't know".
func NotALevel(word string) bool {
	_, known := notLevels[plaintext.Key(word)]
	return known
}

// notLevels are the words for ratings that are not levels, by their keys: the signs that people and
// programs (Excel, R, pandas) write into an empty cell, and the answers that are no level.
var notLevels = map[string]Rating{
	"":             NotAnswered,
	"-":            NotAnswered,
	"--":           NotAnswered,
	"na":           NotAnswered,
	"n/a":          NotAnswered,
	"#n/a":         NotAnswered,
	"nan":          NotAnswered,
	"null":         NotAnswered,
	"not_answered": NotAnswered,

	"dont_know":      DontKnow,
	"don't know":     DontKnow,
	"dont know":      DontKnow,
	"ddim yn gwybod": DontKnow,

	"not_applicable":          NotApplicable,
	"not applicable":          NotApplicable,
	"not applicable to me":    NotApplicable,
	"amherthnasol":            NotApplicable,
	"ddim yn berthnasol":      NotApplicable,
	"ddim yn berthnasol i mi": NotApplicable,
}

// level returns the index of a level, or -1.
func (m *Matrix) level(id string) int {
	return slices.IndexFunc(m.Levels, func(l Level) bool { return l.ID == id })
}

// Names returns the element's names in each language, and its other names.
func (e Element) Names() []string { return append(e.Name.wordings(), e.Also...) }

// Names returns the role's names in each language, and its other names.
func (r Role) Names() []string { return append(r.Name.wordings(), r.Also...) }

// Names returns the level's names and short names in each language, and its other names.
func (l Level) Names() []string {
	return append(append(l.Name.wordings(), l.Short.wordings()...), l.Also...)
}

func (t Text) wordings() []string {
	var all []string
	for _, wording := range t {
		all = append(all, wording)
	}
	return all
}

// IDs returns the ids of elements, roles or levels, separated by commas, for messages.
func IDs[T Element | Role | Level](all []T) string {
	ids := make([]string, len(all))
	for i, one := range all {
		switch x := any(one).(type) {
		case Element:
			ids[i] = x.ID
		case Role:
			ids[i] = x.ID
		case Level:
			ids[i] = x.ID
		}
	}
	return strings.Join(ids, ", ")
}
