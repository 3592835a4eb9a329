package matrix

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// All is the language that means all of a matrix's languages.
const All Lang = ""

// width is where lines of text are broken, in characters.
const width = 80

// rule is a line between the elements, the roles and the kinds of information.
const rule = "\n* * *\n"

// PlainText returns the matrix to be read in one of its languages: what it covers, its levels, each
// dimension with its elements, numbered in the order of asking, with their ids, the roles by group,
// and the kinds of information. Lines have at most 80 characters, but for a word that is longer. It
// adds no words of its own, so that it is in the one language throughout.
func PlainText(m *Matrix, lang Lang) string {
	var b strings.Builder
	title := func(s, under string) {
		b.WriteString("\n")
		wrap(&b, "", "", s)
		b.WriteString(strings.Repeat(under, min(utf8.RuneCountInString(s), width)) + "\n")
	}
	wrap(&b, "", "", m.Name.In(lang))
	b.WriteString(strings.Repeat("=", min(utf8.RuneCountInString(m.Name.In(lang)), width)) + "\n")
	langs := make([]string, len(m.Languages))
	for i, l := range m.Languages {
		langs[i] = string(l)
	}
	wrap(&b, "", "", fmt.Sprintf("%s · %s %d · %s",
		m.Nation.In(lang), m.ID, m.Version, strings.Join(langs, ", ")))
	b.WriteString("\n")
	wrap(&b, "", "", m.About.In(lang))
	b.WriteString("\n")
	for i, l := range m.Levels {
		wrap(&b, fmt.Sprintf("%d. ", i+1), "   ", l.Name.In(lang)+". "+l.Meaning.In(lang))
	}
	number := 0
	for _, d := range m.Dimensions {
		title(d.Name.In(lang), "=")
		wrap(&b, "", "", d.About.In(lang))
		for _, c := range d.CoreElements {
			title(c.Name.In(lang), "-")
			for _, e := range c.Elements {
				number++
				b.WriteString("\n")
				wrap(&b, fmt.Sprintf("%d. ", number), "    ", fmt.Sprintf("%s [%s]", e.Name.In(lang), e.ID))
				wrap(&b, "    ", "    ", e.Question.In(lang))
				wrap(&b, "    ", "    ", "("+e.Help.In(lang)+")")
				for i, t := range e.Descriptors {
					wrap(&b, fmt.Sprintf("    %d. ", i+1), "       ", m.Levels[i].Name.In(lang)+": "+t.In(lang))
				}
			}
		}
	}
	b.WriteString(rule)
	for _, g := range m.RoleGroups {
		title(g.Name.In(lang), "-")
		for _, role := range g.Roles {
			wrap(&b, "- ", "  ", fmt.Sprintf("%s [%s]", role.Name.In(lang), role.ID))
		}
	}
	if len(m.Information) > 0 {
		b.WriteString(rule + "\n")
	}
	for _, k := range m.Information {
		wrap(&b, "- ", "  ", fmt.Sprintf("%s [%s]", k.Name.In(lang), k.ID))
	}
	return b.String()
}

// wrap writes the words in lines of at most width characters: the first begins with first, the
// others with rest.
func wrap(b *strings.Builder, first, rest, words string) {
	line := first
	fresh := true
	for word := range strings.FieldsSeq(words) {
		switch {
		case fresh:
			line += word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			b.WriteString(line + "\n")
			line = rest + word
		default:
			line += " " + word
		}
		fresh = false
	}
	b.WriteString(line + "\n")
}

// The machine form: the same keys as in a file, in the same nesting.
type (
	matrixJSON struct {
		ID          string          `json:"id"`
		Version     int             `json:"version"`
		Nation      any             `json:"nation"`
		Name        any             `json:"name"`
		About       any             `json:"about"`
		Languages   []Lang          `json:"languages"`
		Levels      []levelJSON     `json:"levels"`
		Dimensions  []dimensionJSON `json:"dimensions"`
		RoleGroups  []groupJSON     `json:"role_groups"`
		Information []namedJSON     `json:"information"`
	}
	levelJSON struct {
		namedJSON
		Short   any `json:"short"`
		Meaning any `json:"meaning"`
	}
	dimensionJSON struct {
		namedJSON
		About        any        `json:"about"`
		CoreElements []coreJSON `json:"core_elements"`
	}
	coreJSON struct {
		Name     any           `json:"name"`
		Elements []elementJSON `json:"elements"`
	}
	elementJSON struct {
		namedJSON
		Question    any            `json:"question"`
		Help        any            `json:"help"`
		Descriptors map[string]any `json:"descriptors"`
	}
	groupJSON struct {
		namedJSON
		Roles []roleJSON `json:"roles"`
	}
	roleJSON struct {
		namedJSON
		Workshops *int `json:"workshops,omitempty"`
	}
	namedJSON struct {
		ID   string   `json:"id"`
		Also []string `json:"also,omitempty"`
		Name any      `json:"name"`
	}
)

// Fingerprint returns 16 hexadecimal digits of a hash of everything in the matrix. Rounds keep it,
// so the way it is computed must not change.
func (m *Matrix) Fingerprint() string {
	raw, err := JSON(m, All)
	if err != nil {
		return "" // JSON of all languages fails for no matrix
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// JSON returns the matrix for programs, indented, ending in a line end. Its keys and nesting are
// those of a matrix file, and Load reads it back:
//
//	id, version, nation, name, about, languages
//	levels         from the lowest up: id, also, name, short, meaning
//	dimensions     id, name, about, core_elements: name, elements: id, also, name, question, help,
//	               descriptors (by level id)
//	role_groups    id, name, roles: id, also, name, workshops (per cent, where known)
//	information    id, name
//
// With lang All every text is an object by language, as {"en": "...", "cy": "..."}; with one of the
// matrix's languages it is a string and languages holds that one alone. A key "also" without
// entries is left out. Any other lang is an error.
func JSON(m *Matrix, lang Lang) ([]byte, error) {
	if lang != All && !m.Has(lang) {
		return nil, fmt.Errorf("write matrix %s: it is not written in the language %q", m.ID, lang)
	}
	text := func(t Text) any {
		if lang == All {
			return t
		}
		return t[lang]
	}
	named := func(id string, also []string, name Text) namedJSON {
		return namedJSON{ID: id, Also: also, Name: text(name)}
	}
	out := matrixJSON{
		ID: m.ID, Version: m.Version, Nation: text(m.Nation), Name: text(m.Name), About: text(m.About),
		Languages: m.Languages, Information: []namedJSON{},
	}
	if lang != All {
		out.Languages = []Lang{lang}
	}
	for _, l := range m.Levels {
		out.Levels = append(out.Levels, levelJSON{
			namedJSON: named(l.ID, l.Also, l.Name),
			Short:     text(l.Short),
			Meaning:   text(l.Meaning),
		})
	}
	for _, d := range m.Dimensions {
		to := dimensionJSON{namedJSON: named(d.ID, nil, d.Name), About: text(d.About)}
		for _, c := range d.CoreElements {
			core := coreJSON{Name: text(c.Name)}
			for _, e := range c.Elements {
				descriptors := map[string]any{}
				for i, t := range e.Descriptors {
					descriptors[m.Levels[i].ID] = text(t)
				}
				core.Elements = append(core.Elements, elementJSON{
					namedJSON:   named(e.ID, e.Also, e.Name),
					Question:    text(e.Question),
					Help:        text(e.Help),
					Descriptors: descriptors,
				})
			}
			to.CoreElements = append(to.CoreElements, core)
		}
		out.Dimensions = append(out.Dimensions, to)
	}
	for _, g := range m.RoleGroups {
		to := groupJSON{namedJSON: named(g.ID, nil, g.Name)}
		for _, role := range g.Roles {
			to.Roles = append(to.Roles, roleJSON{named(role.ID, role.Also, role.Name), role.Workshops})
		}
		out.RoleGroups = append(out.RoleGroups, to)
	}
	for _, k := range m.Information {
		out.Information = append(out.Information, named(k.ID, nil, k.Name))
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("write matrix %s: %w", m.ID, err)
	}
	return b.Bytes(), nil
}
