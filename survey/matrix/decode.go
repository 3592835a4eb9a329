package matrix

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"maturitybot/survey/plaintext"
)

var (
	idForm   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	langForm = regexp.MustCompile(`^[a-z]{2,3}$`)
)

// reader turns the nodes of a YAML file into a matrix and collects the faults that it finds. Its
// methods accept a nil node for a value that is missing, and return a zero value for it. The fault
// is added where the value should have been.
type reader struct {
	file   string
	faults plaintext.Faults
	langs  []Lang
	levels []string // ids
}

// fault adds a fault on a line. what and args are a format, and want is what was expected.
func (r *reader) fault(line int, want, what string, args ...any) {
	r.faults = append(r.faults, plaintext.Fault{
		File: r.file,
		Line: max(line, 1),
		What: fmt.Sprintf(what, args...),
		Want: want,
	})
}

// matrix reads the whole matrix.
func (r *reader) matrix(n *yaml.Node) *Matrix {
	required := []string{
		"id", "version", "nation", "name", "about",
		"languages", "levels", "dimensions", "role_groups",
	}
	f := r.fields(n, "the matrix", required, "information")
	r.langs = r.languages(f["languages"])
	m := &Matrix{
		ID:        r.id(f["id"], "the matrix", names{}),
		Version:   r.version(f["version"]),
		Nation:    r.text(f["nation"], "nation", optionText),
		Name:      r.text(f["name"], "name", headingText),
		About:     r.text(f["about"], "about", shortText),
		Languages: r.langs,
	}
	ids, known := names{}, words{}
	for i, n := range r.items(f["levels"], "levels", levelCount) {
		l := r.level(n, called("level", n, i), i+1, ids, known)
		m.Levels = append(m.Levels, l)
		r.levels = append(r.levels, l.ID)
	}
	if slices.Contains(r.levels, "") {
		r.levels = nil // to add one fault, and not another for each element
	}
	ids = names{}
	for i, n := range r.items(f["information"], "information", kindCount) {
		what := called("information", n, i)
		k := r.fields(n, what, []string{"id", "name"})
		m.Information = append(m.Information, InformationType{
			ID:   r.id(k["id"], what, ids),
			Name: r.text(k["name"], "name of "+what, optionText),
		})
	}
	m.RoleGroups = r.roleGroups(f["role_groups"])
	m.Dimensions = r.dimensions(f["dimensions"], m)
	return m
}

func (r *reader) languages(n *yaml.Node) []Lang {
	var all []Lang
	taken, understood := names{}, true
	for _, item := range r.items(n, "languages", languageCount) {
		if !langForm.MatchString(item.Value) {
			r.fault(item.Line, "expected a code of two or three lower-case letters, such as en or cy",
				"the language %s is no code", quote(item.Value))
			understood = false
			continue
		}
		if r.take(item, "the language", item.Value, taken) {
			all = append(all, Lang(item.Value))
		}
	}
	if !understood {
		return nil // to add one fault, and not another for each text
	}
	return all
}

func (r *reader) version(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < 1 {
		r.fault(n.Line, "expected a whole number from 1 up", "version is %s", kind(n))
	}
	return v
}

// percentage returns a whole number from 0 to 100, or nil for a missing value.
func (r *reader) percentage(n *yaml.Node, what string) *int {
	if n == nil {
		return nil
	}
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < 0 || v > 100 {
		r.fault(n.Line, "expected a whole number from 0 to 100", "workshops of %s is %s", what, kind(n))
	}
	return &v
}

// level reads the level with that number, from 1.
func (r *reader) level(n *yaml.Node, what string, number int, ids names, known words) Level {
	f := r.fields(n, what, []string{"id", "name", "meaning"}, "also", "short")
	l := Level{
		ID:      r.id(f["id"], what, ids),
		Also:    r.also(f["also"], what),
		Name:    r.text(f["name"], "name of "+what, levelName),
		Meaning: r.text(f["meaning"], "meaning of "+what, shortText),
	}
	if f["short"] != nil {
		l.Short = r.text(f["short"], "short of "+what, levelShort)
	} else {
		l.Short = r.shortName(f["name"], what, l.Name)
	}
	r.allGoBy(f, number, l.ID, known, func(n *yaml.Node, name string) {
		r.levelName(n, number, name)
	})
	return l
}

// shortName returns the name of a level as its short name, and adds a fault where it is too long.
func (r *reader) shortName(n *yaml.Node, what string, name Text) Text {
	want := fmt.Sprintf("expected the key \"short\", at most %d (%s)", levelShort.most, levelShort.why)
	for _, lang := range r.langs {
		if length := utf8.RuneCountInString(name[lang]); length > levelShort.most {
			r.fault(n.Line, want, "name of %s in %s has %d characters, too many for a button",
				what, lang, length)
		}
	}
	return maps.Clone(name)
}

func (r *reader) roleGroups(n *yaml.Node) []RoleGroup {
	var all []RoleGroup
	groupIDs, ids, known, place := names{}, names{}, words{}, 0
	together := map[Lang]int{}
	for i, n := range r.items(n, "role_groups", groupCount) {
		what := called("role group", n, i)
		f := r.fields(n, what, []string{"id", "name", "roles"})
		g := RoleGroup{
			ID:   r.id(f["id"], what, groupIDs),
			Name: r.text(f["name"], "name of "+what, optionText),
		}
		for i, n := range r.items(f["roles"], "roles of "+what, perGroup) {
			what := called("role", n, i)
			f := r.fields(n, what, []string{"id", "name"}, "also", "workshops")
			role := Role{
				ID:        r.id(f["id"], what, ids),
				Also:      r.also(f["also"], what),
				Name:      r.text(f["name"], "name of "+what, optionText),
				Workshops: r.percentage(f["workshops"], what),
			}
			place++
			r.allGoBy(f, place, role.ID, known, nil)
			for lang, s := range role.Name {
				together[lang] += utf8.RuneCountInString(s) + 3 // " · " between two
			}
			g.Roles = append(g.Roles, role)
		}
		all = append(all, g)
	}
	for _, lang := range r.langs {
		if length := together[lang]; length > allRoleNames.most {
			r.over(n, allRoleNames, "the names of all roles in %s have %d characters together",
				lang, length)
		}
	}
	return all
}

func (r *reader) dimensions(n *yaml.Node, m *Matrix) []Dimension {
	var all []Dimension
	perCore := limit{least: 1, most: elementCount.most, why: elementCount.why}
	dimensionIDs, ids, known, place := names{}, names{}, words{}, 0
	for i, n := range r.items(n, "dimensions", dimensionCount) {
		what := called("dimension", n, i)
		f := r.fields(n, what, []string{"id", "name", "about", "core_elements"})
		d := Dimension{
			ID:    r.id(f["id"], what, dimensionIDs),
			Name:  r.text(f["name"], "name of "+what, dimensionName),
			About: r.text(f["about"], "about of "+what, shortText),
		}
		here := 0
		for i, n := range r.items(f["core_elements"], "core_elements of "+what, coreCount) {
			what := fmt.Sprintf("core element %d of %s", i+1, what)
			f := r.fields(n, what, []string{"name", "elements"})
			c := CoreElement{Name: r.text(f["name"], "name of "+what, headingText)}
			for i, n := range r.items(f["elements"], "elements of "+what, perCore) {
				place++
				what := called("element", n, i)
				e := r.element(n, what, place, ids, known)
				r.card(n, what, e, d, m)
				c.Elements = append(c.Elements, e)
			}
			here += len(c.Elements)
			d.CoreElements = append(d.CoreElements, c)
		}
		if here > perDimension.most {
			r.over(n, perDimension, "%s has %d elements", what, here)
		}
		all = append(all, d)
	}
	if place > elementCount.most {
		r.over(n, elementCount, "all dimensions together have %d elements", place)
	}
	return all
}

// element reads an element. place is its number in the order of asking, from 1.
func (r *reader) element(n *yaml.Node, what string, place int, ids names, known words) Element {
	f := r.fields(n, what, []string{"id", "name", "question", "help", "descriptors"}, "also")
	e := Element{
		ID:       r.id(f["id"], what, ids),
		Also:     r.also(f["also"], what),
		Name:     r.text(f["name"], "name of "+what, elementName),
		Question: r.text(f["question"], "question of "+what, cardText),
		Help:     r.text(f["help"], "help of "+what, cardText),
	}
	r.allGoBy(f, place, e.ID, known, nil)
	if len(r.levels) == 0 {
		return e // its descriptors are not known
	}
	d := r.fields(f["descriptors"], "descriptors of "+what, r.levels)
	for i, level := range r.levels {
		t := r.text(d[level], fmt.Sprintf("descriptor %q of %s", level, what), cardText)
		for k, other := range e.Descriptors[:i] {
			r.differ(d[level], what, [2]string{r.levels[k], level}, other, t)
		}
		e.Descriptors = append(e.Descriptors, t)
	}
	return e
}

// differ adds a fault where the descriptors a and b of two levels are the same.
func (r *reader) differ(n *yaml.Node, what string, levels [2]string, a, b Text) {
	for _, lang := range r.langs {
		if b[lang] != "" && b[lang] == a[lang] {
			r.fault(n.Line, "expected words that tell them apart",
				"descriptors %q and %q of %s are the same in %s", levels[0], levels[1], what, lang)
		}
	}
}

// card adds a fault for an element whose card would not fit one message together with what a person
// can add to it.
func (r *reader) card(n *yaml.Node, what string, e Element, d Dimension, m *Matrix) {
	for _, lang := range r.langs {
		length := 0
		add := func(t Text) { length += utf8.RuneCountInString(t[lang]) }
		for _, t := range slices.Concat([]Text{d.Name, e.Name, e.Question, e.Help}, e.Descriptors) {
			add(t)
		}
		for _, l := range m.Levels {
			add(l.Name)
		}
		for _, k := range m.Information {
			add(k.Name)
			length += len("; ")
		}
		if length > wholeCard.most {
			const fault = "the card of %s in %s, with its dimension, levels and kinds of information, " +
				"has %d characters"
			r.over(n, wholeCard, fault, what, lang, length)
		}
	}
}
