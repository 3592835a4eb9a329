package matrix

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"maturitybot/survey/plaintext"
)

var (
	idForm   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	langForm = regexp.MustCompile(`^[a-z]{2,3}$`)
)

// reader turns nodes into a matrix and collects what is wrong with them. Its methods take a nil
// node for something that is missing, of which the fault was noted where it should have been, and
// return nothing for it.
type reader struct {
	file   string
	faults plaintext.Faults
	langs  []Lang
	levels []string // ids
}

func (r *reader) fault(line int, want, what string, args ...any) {
	r.faults = append(r.faults, plaintext.Fault{File: r.file, Line: max(line, 1), What: fmt.Sprintf(what, args...), Want: want})
}

// parse returns the root of the file's only document, or nil when that is not one mapping in plain
// YAML.
func (r *reader) parse(src []byte) *yaml.Node {
	if len(src) > MaxBytes {
		r.fault(1, fmt.Sprintf("at most %d bytes", MaxBytes), "the file is too large")
		return nil
	}
	if !r.characters(src) {
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(src))
	if err != nil {
		r.unreadable(err)
		return nil
	}
	var doc, second yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		r.fault(1, "expected a matrix", "the file is empty")
		return nil
	case err != nil:
		r.unreadable(err)
		return nil
	}
	switch err := loader.Load(&second); {
	case err == nil:
		r.fault(second.Line, "expected one matrix a file", "a second document begins")
		return nil
	case !errors.Is(err, io.EOF):
		r.unreadable(err)
		return nil
	}
	root := doc.Content[0]
	before := len(r.faults)
	r.plain(root)
	if len(r.faults) > before {
		return nil
	}
	return root
}

// characters notes the lines that hold what is no text; the YAML reader would not say where they
// are.
func (r *reader) characters(src []byte) bool {
	before, line := len(r.faults), 0
	for text := range bytes.Lines(src) {
		line++
		if !utf8.Valid(text) {
			r.faults.Add(r.file, line, "the text is not UTF-8", "expected a file in UTF-8")
			continue
		}
		if i := bytes.IndexFunc(text, notText); i >= 0 {
			c, _ := utf8.DecodeRune(text[i:])
			r.faults.Add(r.file, line, fmt.Sprintf("the line holds the character %U", c), "expected text only")
		}
	}
	return len(r.faults) == before
}

// notText says of a character that it has no place in a file: YAML does not allow it, or takes it
// for the end of a line where an editor does not, so that lines would be numbered otherwise than
// the reader sees them.
func notText(c rune) bool {
	return unicode.IsControl(c) && c != '\t' && c != '\r' && c != '\n' || c == '\uFFFE' || c == '\uFFFF' || c == '\u2028' || c == '\u2029'
}

// unreadable notes an error of the YAML reader.
func (r *reader) unreadable(err error) {
	const want = "expected YAML"
	var fault *yaml.LoadError
	if !errors.As(err, &fault) {
		r.fault(1, want, "%v", err)
		return
	}
	what := fault.Message
	if from := fault.ContextMark.Line; from > 0 && from != fault.Mark.Line {
		what = fmt.Sprintf("%s that begins on line %d: %s", fault.ContextMsg, from, what)
	} else if fault.ContextMsg != "" {
		what = fault.ContextMsg + ": " + what
	}
	r.fault(fault.Mark.Line, want, "%s", what)
}

// plain notes anchors, aliases and tags anywhere below the node: a matrix needs none of them, and
// aliases can make a small file a huge one.
func (r *reader) plain(n *yaml.Node) {
	const want = "expected the text itself, written out"
	switch {
	case n.Kind == yaml.AliasNode:
		r.fault(n.Line, want, "the alias *%s cannot be used", n.Value)
		return // what it stands for is met where it is written
	case n.Anchor != "":
		r.fault(n.Line, want, "the anchor &%s cannot be used", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		r.fault(n.Line, want, "the tag %s cannot be used", quote(n.Tag))
	}
	for _, child := range n.Content {
		r.plain(child)
	}
}

// fields returns the values of a mapping by key. It notes keys that are there twice, not known, or
// missing.
func (r *reader) fields(n *yaml.Node, what string, required []string, optional ...string) map[string]*yaml.Node {
	if n == nil {
		return nil
	}
	known := slices.Concat(required, optional)
	if n.Kind != yaml.MappingNode {
		r.fault(n.Line, "expected the keys "+strings.Join(known, ", "), "%s is %s", what, kind(n))
		return nil
	}
	found := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || !slices.Contains(known, key.Value):
			r.fault(key.Line, nearest(key.Value, known), "%s has no key %s", what, quote(key.Value))
		case found[key.Value] != nil:
			r.fault(key.Line, "expected it once", "%s has the key %q twice", what, key.Value)
		default:
			found[key.Value] = value
		}
	}
	for _, key := range required {
		if found[key] == nil {
			r.fault(n.Line, fmt.Sprintf("expected the key %q", key), "%s lacks %s", what, key)
		}
	}
	return found
}

// items returns the entries of a list.
func (r *reader) items(n *yaml.Node, what string, fits limit) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fault(n.Line, "expected a list", "%s is %s", what, kind(n))
		return nil
	}
	entries := "entries"
	if len(n.Content) == 1 {
		entries = "entry"
	}
	switch {
	case len(n.Content) > fits.most:
		r.over(n, fits, "%s has %d entries", what, len(n.Content))
	case len(n.Content) < fits.least:
		r.fault(n.Line, fmt.Sprintf("at least %d", fits.least), "%s has %d %s", what, len(n.Content), entries)
	}
	return n.Content
}

// over notes something that exceeds its limit.
func (r *reader) over(n *yaml.Node, fits limit, what string, args ...any) {
	r.fault(n.Line, fmt.Sprintf("at most %d (%s)", fits.most, fits.why), what, args...)
}

// kind says what a node is where it should be something else.
func kind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "empty"
	}
	return "the text " + quote(n.Value)
}

// line returns one wording, as it is written.
func (r *reader) line(n *yaml.Node, what string, fits limit) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		r.fault(n.Line, "expected a text", "%s is %s", what, kind(n))
		return ""
	}
	s := n.Value
	if n.Tag == "!!null" || strings.TrimSpace(s) == "" {
		r.fault(n.Line, "expected a text", "%s is empty", what)
		return ""
	}
	if s != strings.TrimSpace(s) {
		r.fault(n.Line, "expected none (a folded text ends without one when it begins with >-)", "%s begins or ends with a space or a line end", what)
	}
	if i := strings.IndexFunc(strings.TrimSpace(s), unseen); i >= 0 {
		c, _ := utf8.DecodeRuneInString(strings.TrimSpace(s)[i:])
		r.fault(n.Line, "expected one line of visible text", "%s holds the character %U", what, c)
	}
	if length := utf8.RuneCountInString(s); length > fits.most {
		r.over(n, fits, "%s has %d characters", what, length)
	}
	return s
}

// unseen says of a character that it cannot be seen, or changes how others are seen.
func unseen(c rune) bool {
	return unicode.IsControl(c) || unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) || c == utf8.RuneError
}

// text returns a wording in each of the matrix's languages.
func (r *reader) text(n *yaml.Node, what string, fits limit) Text {
	if n == nil || len(r.langs) == 0 {
		return nil // in which languages it should be is not known
	}
	if len(r.langs) == 1 && n.Kind == yaml.ScalarNode {
		return Text{r.langs[0]: r.line(n, what, fits)}
	}
	keys := make([]string, len(r.langs))
	for i, l := range r.langs {
		keys[i] = string(l)
	}
	if n.Kind != yaml.MappingNode {
		r.fault(n.Line, "expected a text in each of "+strings.Join(keys, ", "), "%s is %s", what, kind(n))
		return nil
	}
	found := r.fields(n, what, keys)
	t := Text{}
	for _, key := range keys {
		t[Lang(key)] = r.line(found[key], what+" in "+key, fits)
	}
	return t
}

// names are words taken within one kind of thing, with the line of each.
type names map[string]int

// take says whether the word was free, and notes a fault when it was not.
func (r *reader) take(n *yaml.Node, what, word string, taken names) bool {
	key := plaintext.Key(word)
	if line, ok := taken[key]; ok {
		r.fault(n.Line, "expected one that nothing else of its kind has", "%s %s is there already, on line %d", what, quote(word), line)
		return false
	}
	taken[key] = n.Line
	return true
}

// words are what things of one kind go by in files: ids, names and other names, by plaintext.Key.
type words map[string]owner

// owner is what goes by a word: its place in the order of the file, and the line of the word.
type owner struct{ place, line int }

// goesBy notes a word that something of the kind goes by, and a fault where another has it already:
// survey.Vocabulary could not tell the two apart in a file.
func (r *reader) goesBy(n *yaml.Node, place int, what, word string, taken words) {
	if n == nil || word == "" {
		return
	}
	key := plaintext.Key(word)
	if other, ok := taken[key]; ok && other.place != place {
		r.fault(n.Line, "expected one that nothing else of its kind goes by", "%s %s is there already, on line %d", what, quote(word), other.line)
		return
	}
	taken[key] = owner{place, n.Line}
}

// allGoBy is goesBy for all that an element, role or level goes by. check, where there is one,
// looks at each name as well.
func (r *reader) allGoBy(fields map[string]*yaml.Node, place int, id string, taken words, check func(n *yaml.Node, name string)) {
	r.goesBy(fields["id"], place, "the id", id, taken)
	name := func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode {
			return
		}
		r.goesBy(n, place, "the name", n.Value, taken)
		if check != nil {
			check(n, n.Value)
		}
	}
	for _, field := range []string{"name", "short", "also"} {
		n := fields[field]
		switch {
		case n == nil:
		case n.Kind == yaml.MappingNode: // by language
			for i := 1; i < len(n.Content); i += 2 {
				name(n.Content[i])
			}
		case n.Kind == yaml.SequenceNode:
			for _, item := range n.Content {
				name(item)
			}
		default:
			name(n)
		}
	}
}

// levelName notes the name of a level that means another level's number, or an answer that is no
// level.
func (r *reader) levelName(n *yaml.Node, number int, name string) {
	if other, ok := LevelNumber(name); ok && other != number {
		r.faults.Add(r.file, n.Line, "a level has a number as a name",
			"expected words: in files, a level goes by its own number, 1 for the lowest", name)
	} else if name != "" && NotALevel(name) {
		r.faults.Add(r.file, n.Line, "the name of a level has a meaning of its own in files", "expected another", name)
	}
}

// id returns an id that may stand, or nothing; what names the thing it is of.
func (r *reader) id(n *yaml.Node, what string, taken names) string {
	if n == nil {
		return ""
	}
	switch id := n.Value; {
	case n.Kind != yaml.ScalarNode:
		r.fault(n.Line, "expected a word", "the id of %s is %s", what, kind(n))
	case !idForm.MatchString(id):
		r.fault(n.Line, "expected lower-case letters, digits and single hyphens, a letter first", "the id of %s is %s", what, quote(id))
	case len(id) > idLength:
		r.fault(n.Line, fmt.Sprintf("at most %d (Discord: 100 bytes of a button's id)", idLength), "the id of %s has %d characters", what, len(id))
	case slices.Contains(reserved, id):
		r.fault(n.Line, "expected another than "+strings.Join(reserved, ", "), "the id %q of %s has a meaning of its own", id, what)
	case r.take(n, "the id", id, taken):
		return id
	}
	return ""
}

// also returns the other names of something in files.
func (r *reader) also(n *yaml.Node, what string) []string {
	var all []string
	for _, item := range r.items(n, "also of "+what, alsoCount) {
		if word := r.line(item, "also of "+what, alsoText); word != "" {
			all = append(all, word)
		}
	}
	return all
}

// called names something in a fault: by its id where it has a good one, else by its place in the
// list.
func called(sort string, n *yaml.Node, i int) string {
	if n.Kind == yaml.MappingNode {
		for k := 0; k+1 < len(n.Content); k += 2 {
			if id := n.Content[k+1]; n.Content[k].Value == "id" && idForm.MatchString(id.Value) {
				return sort + " " + quote(id.Value)
			}
		}
	}
	return sort + " " + strconv.Itoa(i+1)
}

func (r *reader) matrix(n *yaml.Node) *Matrix {
	f := r.fields(n, "the matrix", []string{"id", "version", "nation", "name", "about", "languages", "levels", "dimensions", "role_groups"}, "information")
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
		r.levels = nil // one fault there, not one more in every ladder
	}
	ids = names{}
	for i, n := range r.items(f["information"], "information", kindCount) {
		what := called("information", n, i)
		k := r.fields(n, what, []string{"id", "name"})
		m.Information = append(m.Information, InformationType{ID: r.id(k["id"], what, ids), Name: r.text(k["name"], "name of "+what, optionText)})
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
			r.fault(item.Line, "expected a code of two or three lower-case letters, such as en or cy", "the language %s is no code", quote(item.Value))
			understood = false
			continue
		}
		if r.take(item, "the language", item.Value, taken) {
			all = append(all, Lang(item.Value))
		}
	}
	if !understood {
		return nil // one fault there, not one more in every text
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

// percentage reads a whole number of per cent, or nil where there is none.
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

// level reads a level; number is its number, from 1.
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
		l.Short = maps.Clone(l.Name)
		for _, lang := range r.langs {
			if length := utf8.RuneCountInString(l.Name[lang]); length > levelShort.most {
				r.fault(f["name"].Line, fmt.Sprintf("expected the key \"short\", at most %d (%s)", levelShort.most, levelShort.why),
					"name of %s in %s has %d characters, too many for a button", what, lang, length)
			}
		}
	}
	r.allGoBy(f, number, l.ID, known, func(n *yaml.Node, name string) { r.levelName(n, number, name) })
	return l
}

func (r *reader) roleGroups(n *yaml.Node) []RoleGroup {
	var all []RoleGroup
	groupIDs, ids, known, place := names{}, names{}, words{}, 0
	together := map[Lang]int{}
	for i, n := range r.items(n, "role_groups", groupCount) {
		what := called("role group", n, i)
		f := r.fields(n, what, []string{"id", "name", "roles"})
		g := RoleGroup{ID: r.id(f["id"], what, groupIDs), Name: r.text(f["name"], "name of "+what, optionText)}
		for i, n := range r.items(f["roles"], "roles of "+what, perGroup) {
			what := called("role", n, i)
			f := r.fields(n, what, []string{"id", "name"}, "also", "workshops")
			role := Role{
				ID: r.id(f["id"], what, ids), Also: r.also(f["also"], what),
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
			r.over(n, allRoleNames, "the names of all roles in %s have %d characters together", lang, length)
		}
	}
	return all
}

func (r *reader) dimensions(n *yaml.Node, m *Matrix) []Dimension {
	var all []Dimension
	total := 0
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
			for i, n := range r.items(f["elements"], "elements of "+what, limit{least: 1, most: elementCount.most, why: elementCount.why}) {
				place++
				e := r.element(n, called("element", n, i), place, ids, known)
				r.card(n, called("element", n, i), e, d, m)
				c.Elements = append(c.Elements, e)
			}
			here += len(c.Elements)
			d.CoreElements = append(d.CoreElements, c)
		}
		if here > perDimension.most {
			r.over(n, perDimension, "%s has %d elements", what, here)
		}
		total += here
		all = append(all, d)
	}
	if total > elementCount.most {
		r.over(n, elementCount, "all dimensions together have %d elements", total)
	}
	return all
}

// element reads an element; place is its place in the order of asking, from 1.
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
		return e // which descriptors it should have is not known
	}
	d := r.fields(f["descriptors"], "descriptors of "+what, r.levels)
	for i, level := range r.levels {
		t := r.text(d[level], fmt.Sprintf("descriptor %q of %s", level, what), cardText)
		for k, other := range e.Descriptors[:i] {
			for _, lang := range r.langs {
				if t[lang] != "" && t[lang] == other[lang] {
					r.fault(d[level].Line, "expected words that tell them apart", "descriptors %q and %q of %s are the same in %s", r.levels[k], level, what, lang)
				}
			}
		}
		e.Descriptors = append(e.Descriptors, t)
	}
	return e
}

// card notes an element whose card, with everything a person can add to it, would not fit one
// message.
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
			r.over(n, wholeCard, "the card of %s in %s, with its dimension, levels and kinds of information, has %d characters", what, lang, length)
		}
	}
}
