package matrix

import (
	"iter"
	"slices"
	"sort"
)

// Lang is a language code, "en" or "cy" in the matrices that come with the product.
type Lang string

// English and Welsh.
const (
	English Lang = "en"
	Welsh   Lang = "cy"
)

// Text is one wording in each language of its matrix.
type Text map[Lang]string

// In returns the text in the given language. Where that is missing it returns the English text, or
// else that of the first language in the order of the codes.
func (t Text) In(lang Lang) string {
	if s, ok := t[lang]; ok {
		return s
	}
	if s, ok := t[English]; ok {
		return s
	}
	langs := make([]string, 0, len(t))
	for l := range t {
		langs = append(langs, string(l))
	}
	if len(langs) == 0 {
		return ""
	}
	sort.Strings(langs)
	return t[Lang(langs[0])]
}

// Matrix is an edition of the maturity matrix. It is data, and works with any number of dimensions,
// elements and levels.
type Matrix struct {
	ID          string
	Version     int
	Nation      Text
	Name        Text
	About       Text // the terms of this edition, such as the ages that count as early years
	Languages   []Lang
	Levels      []Level // from the lowest up; a Rating of 1 is the first
	Dimensions  []Dimension
	RoleGroups  []RoleGroup
	Information []InformationType // kinds of information held
}

// Level is a progress level.
type Level struct {
	ID      string
	Also    []string // other names it goes by in files
	Name    Text
	Short   Text // for a button
	Meaning Text
}

// Dimension is one part of a local system, such as leadership, with its elements.
type Dimension struct {
	ID           string
	Name         Text
	About        Text
	CoreElements []CoreElement
}

// CoreElement groups key elements inside a dimension.
type CoreElement struct {
	Name     Text
	Elements []Element
}

// Element is a key element: one question with a descriptor for each level.
type Element struct {
	ID          string
	Also        []string
	Name        Text
	Question    Text
	Help        Text
	Descriptors []Text // one for each of the matrix's levels, in their order
}

// RoleGroup is a set of roles that results are broken down by.
type RoleGroup struct {
	ID    string
	Name  Text
	Roles []Role
}

// Role is what a person does in the local area.
type Role struct {
	ID   string
	Also []string
	Name Text
	// Workshops is the percentage of the nation's areas whose workshops had this role, from Table 1
	// of the report; nil where the report has none.
	Workshops *int
}

// InformationType is a kind of information that an area may hold about an element.
type InformationType struct {
	ID   string
	Name Text
}

// List is what an installation has of matrices. Several may be versions of the same one: the first
// with an id is the one that new rounds take.
type List []*Matrix

// Newest returns the matrices that new rounds take, in order.
func (l List) Newest() List {
	var first List
	for _, m := range l {
		if _, known := first.ForNewRounds(m.ID); !known {
			first = append(first, m)
		}
	}
	return first
}

// ForNewRounds returns the matrix with the id that new rounds take.
func (l List) ForNewRounds(id string) (*Matrix, bool) {
	return l.first(func(m *Matrix) bool { return m.ID == id })
}

// Find returns the matrix with the id and version.
func (l List) Find(id string, version int) (*Matrix, bool) {
	return l.first(func(m *Matrix) bool { return m.ID == id && m.Version == version })
}

func (l List) first(is func(*Matrix) bool) (*Matrix, bool) {
	i := slices.IndexFunc(l, is)
	if i < 0 {
		return nil, false
	}
	return l[i], true
}

// Elements returns the elements of the dimension, in order.
func (d Dimension) Elements() []Element {
	var all []Element
	for _, c := range d.CoreElements {
		all = append(all, c.Elements...)
	}
	return all
}

// Elements returns all key elements, in the order they are asked.
func (m *Matrix) Elements() []Element {
	n := 0
	for _, d := range m.Dimensions {
		for _, c := range d.CoreElements {
			n += len(c.Elements)
		}
	}
	all := make([]Element, 0, n)
	for _, d := range m.Dimensions {
		for _, c := range d.CoreElements {
			all = append(all, c.Elements...)
		}
	}
	return all
}

// InOrder yields all key elements with their place in the order of asking (from 0), like Elements but
// without a copy of the list.
func (m *Matrix) InOrder() iter.Seq2[int, *Element] {
	return func(yield func(int, *Element) bool) {
		i := 0
		for _, d := range m.Dimensions {
			for _, c := range d.CoreElements {
				for k := range c.Elements {
					if !yield(i, &c.Elements[k]) {
						return
					}
					i++
				}
			}
		}
	}
}

// Element finds a key element by its id, with its place in the order of asking (from 0).
func (m *Matrix) Element(id string) (Element, int, bool) {
	for i, e := range m.InOrder() {
		if e.ID == id {
			return *e, i, true
		}
	}
	return Element{}, 0, false
}

// DimensionOf returns the dimension that holds the element.
func (m *Matrix) DimensionOf(element string) Dimension {
	for _, d := range m.Dimensions {
		for _, c := range d.CoreElements {
			for _, e := range c.Elements {
				if e.ID == element {
					return d
				}
			}
		}
	}
	return Dimension{}
}

// Roles returns all roles, in order.
func (m *Matrix) Roles() []Role {
	var all []Role
	for _, g := range m.RoleGroups {
		all = append(all, g.Roles...)
	}
	return all
}

// Role finds a role and its group by the role's id.
func (m *Matrix) Role(id string) (Role, RoleGroup, bool) {
	for _, g := range m.RoleGroups {
		for _, r := range g.Roles {
			if r.ID == id {
				return r, g, true
			}
		}
	}
	return Role{}, RoleGroup{}, false
}

// InformationType finds a kind of information by its id.
func (m *Matrix) InformationType(id string) (InformationType, bool) {
	i := slices.IndexFunc(m.Information, func(k InformationType) bool { return k.ID == id })
	if i < 0 {
		return InformationType{}, false
	}
	return m.Information[i], true
}

// Has reports whether the matrix is written in the language.
func (m *Matrix) Has(lang Lang) bool { return slices.Contains(m.Languages, lang) }
