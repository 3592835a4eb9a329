package results

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
)

// SchemaVersion is the version of the JSON form of Published. It grows when a field changes its
// meaning or goes; new fields do not change it.
const SchemaVersion = 1

// Ids of the two groups that are not role groups of the matrix.
const (
	EveryoneGroup  = "everyone"
	NotStatedGroup = "not_stated" // people who did not say their role
)

// Published is everything that may be known of a round's answers. Only Publish makes one that holds
// figures. Its slices are in the order of the matrix, so that indexes are the same in both.
type Published struct {
	Matrix      *matrix.Matrix
	Context     Context // as applied
	Respondents int     // people who answered at least one element in any way
	Groups      []Group
	Elements    []Element
	Dimensions  []Dimension
	Agenda      []int // places in Elements, in order of disagreement; those with too few ratings last
}

// unaccented writes the letters of Welsh names without their accents.
var unaccented = strings.NewReplacer("â", "a", "ê", "e", "î", "i", "ô", "o", "û", "u", "ŵ", "w", "ŷ", "y", "á", "a", "é", "e", "í", "i", "ó", "o", "ú", "u",
	"à", "a", "è", "e", "ì", "i", "ò", "o", "ù", "u", "ä", "a", "ë", "e", "ï", "i", "ö", "o", "ü", "u")

// FileName is a name for files of the result, without an ending: the area in plain letters, the
// month in which the survey closed, and the round, where there are such.
func (p Published) FileName() string {
	var b strings.Builder
	for _, r := range unaccented.Replace(strings.ToLower(p.Context.Area)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	parts := []string{"maturity", strings.Trim(b.String(), "-")}
	if !p.Context.ClosedAt.IsZero() {
		parts = append(parts, p.Context.ClosedAt.Format("2006-01"))
	}
	parts = append(parts, strings.Map(func(r rune) rune {
		if plaintext.IsIDRune(r) {
			return r
		}
		return -1
	}, p.Context.Round))
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "-")
}

// Group is a set of people that results are shown for: everyone first, then the matrix's role
// groups, then those of no stated role if there are any.
type Group struct {
	ID   string
	Name matrix.Text // empty for the two groups that are not of the matrix
}

// Element is what may be known of one key element.
type Element struct {
	ID          string
	Dimension   string       // id of its dimension
	Groups      []GroupStats // one for each of Published.Groups
	Information []Figure     // people who hold each of the matrix's kinds of information
	Comments    []string     // in an order that says nothing of who wrote when; none when the element is hidden
	Barriers    []string     // likewise
}

// Everyone is the element's figures over all people.
func (e Element) Everyone() GroupStats { return e.Groups[0] }

// Dimension is what may be known of one dimension: its elements' counts added up. It counts
// ratings, of which a person gives as many as there are elements.
type Dimension struct {
	ID     string
	Groups []GroupStats // one for each of Published.Groups
}

// Everyone is the dimension's figures over all people.
func (d Dimension) Everyone() GroupStats { return d.Groups[0] }

// GroupStats is one element, or one dimension, in one group. Shares are of those who rated, from 0
// to 1. Where nobody of a role group rated, Rated is 0, the other counts are suppressed, and what
// is computed is not available. DontKnow, NotApplicable and NotAnswered are shown all three or not
// at all, and may be suppressed where everything else is shown.
type GroupStats struct {
	Rated         Figure
	DontKnow      Figure
	NotApplicable Figure
	NotAnswered   Figure
	Counts        []Figure // ratings on each level, from the lowest
	Percent       []Figure // Counts in a hundred of Rated, rounded half to even; need not add up to 100
	Shares        []Figure // Counts as raw shares of Rated
	Mode          Figure   // most common level, from 1; of several the one nearest the median, then the lower
	ModeShare     Figure
	Median        Figure // a level, or half way between two
	WithinOne     Figure // share at most one level from the median
	Agreement     Figure // van der Eijk's A, -1 to 1; not applicable to a single level
	FarMinority   Flag   // FarMinorityPercent or more rated two or more levels from the most common
	Consensus     Flag   // by the consensus rule; else to be discussed
}

// Availability says whether a figure is there, and if not, why.
type Availability uint8

// The marks. The zero mark is Suppressed, so that what was never filled in is never taken for a
// number.
const (
	Suppressed    Availability = iota // hidden, so that nobody's answer can be inferred
	NotAvailable                      // there is nothing to compute it from
	NotApplicable                     // it has no meaning here
	Present
)

// String is the symbol that UK public bodies print in place of a figure; empty for Shown.
func (m Availability) String() string {
	switch m {
	case Suppressed:
		return "[c]"
	case NotAvailable:
		return "[x]"
	case NotApplicable:
		return "[z]"
	}
	return ""
}

// Figure is a number that may be missing for a stated reason. One that is not shown holds no
// number.
type Figure struct {
	value        float64
	decimals     int8
	availability Availability
}

const (
	shareDecimals = 6  // printed of a raw share
	shortest      = -1 // as many decimals as the number has
)

var unavailable = Figure{availability: NotAvailable}

func whole(n int64) Figure { return Figure{value: float64(n), availability: Present} }

func share(part, total int64) Figure {
	return Figure{value: float64(part) / float64(total), decimals: shareDecimals, availability: Present}
}

// RosterFigure is a number of the turnout that only a roster tells: not available for answers that
// were collected elsewhere, of which it is not known whom else somebody asked.
func (t Context) RosterFigure(n int) Figure {
	if t.Round == "" {
		return unavailable
	}
	return whole(int64(n))
}

// Availability says whether the figure is shown, and if not, why.
func (f Figure) Availability() Availability { return f.availability }

// Float returns the number, and whether it is shown.
func (f Figure) Float() (float64, bool) { return f.value, f.availability == Present }

// Int returns the number cut to a whole one, and whether it is shown.
func (f Figure) Int() (int, bool) { return int(f.value), f.availability == Present }

// String is the number as text, a raw share with six decimals, or the symbol of what hides it.
func (f Figure) String() string {
	if f.availability != Present {
		return f.availability.String()
	}
	return strconv.FormatFloat(f.value, 'f', int(f.decimals), 64)
}

// MarshalJSON writes a number, or the symbol as a string.
func (f Figure) MarshalJSON() ([]byte, error) {
	if f.availability != Present {
		return json.Marshal(f.availability.String())
	}
	return []byte(f.String()), nil
}

// Flag is a yes or no that may be missing for a stated reason.
type Flag struct {
	value        bool
	availability Availability
}

// Availability says whether the flag is shown, and if not, why.
func (f Flag) Availability() Availability { return f.availability }

// Bool returns the flag, and whether it is shown.
func (f Flag) Bool() (bool, bool) { return f.value, f.availability == Present }

// String is "true", "false" or the symbol of what hides it.
func (f Flag) String() string {
	if f.availability != Present {
		return f.availability.String()
	}
	return strconv.FormatBool(f.value)
}

// MarshalJSON writes true or false, or the symbol as a string.
func (f Flag) MarshalJSON() ([]byte, error) {
	if f.availability != Present {
		return json.Marshal(f.availability.String())
	}
	return json.Marshal(f.value)
}

// MarshalJSON writes the result as one object:
//
//	schema_version      SchemaVersion
//	symbols             what "[c]", "[x]" and "[z]" stand for, wherever they take the place of a number or a flag
//	round               id, area, matrix, matrix_version, opened_at, closed_at (RFC 3339, null when not known), min_group,
//	                    consensus {percent, allow_far_minority}
//	turnout             invited, started, finished, declined, withdrawn (from the roster), respondents (who answered anything);
//	                    without a roster only finished and respondents are numbers
//	representation      for each role of the matrix and then not_stated: role, name, group, invited, finished,
//	                    report_workshops_percent (of the nation's areas in the report that had the role at workshops, or null)
//	levels              id, number, name of each, from the lowest; name is an object by language, here and below
//	groups              id and name of each role group, and not_stated when there is one
//	elements            in the matrix's order: id, name, dimension, the figures of everyone, role_groups (id and figures of each),
//	                    information (id, name, count of each kind held), comments, barriers
//	dimensions          id, name, the figures of everyone, role_groups
//	agenda              ids of the elements in order of disagreement, those with too few ratings last
//
// The figures are: rated, dont_know, not_applicable, not_answered; counts, percent and shares, each
// an object by level id; mode (a level id), mode_share, median (a level number), within_one,
// agreement, far_minority, agreed. Shares (shares, mode_share, within_one) and agreement are raw,
// with six decimals; percent is rounded half to even. All are of those who rated. In role_groups
// dont_know, not_applicable and not_answered may be "[c]" where the rest is shown.
func (p Published) MarshalJSON() ([]byte, error) {
	type document struct {
		SchemaVersion  int                  `json:"schema_version"`
		Symbols        map[string]string    `json:"symbols"`
		Round          roundJSON            `json:"round"`
		Turnout        turnoutJSON          `json:"turnout"`
		Representation []representationJSON `json:"representation"`
		Levels         []levelJSON          `json:"levels"`
		Groups         []namedJSON          `json:"groups"`
		Elements       []elementJSON        `json:"elements"`
		Dimensions     []dimensionJSON      `json:"dimensions"`
		Agenda         []string             `json:"agenda"`
	}
	t := p.Context
	d := document{
		SchemaVersion: SchemaVersion,
		Symbols: map[string]string{
			Suppressed.String(): "suppressed", NotAvailable.String(): "not available", NotApplicable.String(): "not applicable",
		},
		Round: roundJSON{
			ID: t.Round, Area: t.Area, Matrix: p.Matrix.ID, MatrixVersion: p.Matrix.Version,
			OpenedAt: timeJSON(t.OpenedAt), ClosedAt: timeJSON(t.ClosedAt), MinGroup: t.MinGroup,
			Consensus: consensusJSON{t.Consensus.Percent, t.Consensus.AllowFarMinority}, Reminders: t.Reminders,
		},
		Turnout:        turnoutJSON{t.RosterFigure(t.Invited), t.RosterFigure(t.Started), t.Finished, t.RosterFigure(t.Declined), t.RosterFigure(t.Withdrawn), p.Respondents},
		Representation: p.representation(),
		Groups:         []namedJSON{},
		Agenda:         []string{},
	}
	for i, l := range p.Matrix.Levels {
		d.Levels = append(d.Levels, levelJSON{namedJSON{l.ID, l.Name}, i + 1})
	}
	for _, g := range p.Groups[1:] {
		d.Groups = append(d.Groups, namedJSON(g))
	}
	elements := p.Matrix.Elements()
	for i, e := range p.Elements {
		out := elementJSON{
			namedJSON: namedJSON{e.ID, elements[i].Name}, Dimension: e.Dimension, figuresJSON: p.figures(e.Everyone()),
			RoleGroups: p.roleGroups(e.Groups), Information: []kindJSON{},
			Comments: append([]string{}, e.Comments...), Barriers: append([]string{}, e.Barriers...),
		}
		for k, n := range e.Information {
			kind := p.Matrix.Information[k]
			out.Information = append(out.Information, kindJSON{namedJSON(kind), n})
		}
		d.Elements = append(d.Elements, out)
	}
	for i, dim := range p.Dimensions {
		d.Dimensions = append(d.Dimensions, dimensionJSON{
			namedJSON{dim.ID, p.Matrix.Dimensions[i].Name}, p.figures(dim.Everyone()), p.roleGroups(dim.Groups),
		})
	}
	for _, i := range p.Agenda {
		d.Agenda = append(d.Agenda, p.Elements[i].ID)
	}
	return json.Marshal(d)
}

func (p Published) representation() []representationJSON {
	out := []representationJSON{}
	for _, n := range p.Context.Roles {
		role, group, _ := p.Matrix.Role(n.Role)
		out = append(out, representationJSON{n.Role, role.Name, group.ID, p.Context.RosterFigure(n.Invited), n.Finished, role.Workshops})
	}
	if n := p.Context.Unstated; n.Invited > 0 || n.Finished > 0 {
		out = append(out, representationJSON{NotStatedGroup, nil, NotStatedGroup, p.Context.RosterFigure(n.Invited), n.Finished, nil})
	}
	return out
}

func (p Published) roleGroups(cells []GroupStats) []groupJSON {
	out := []groupJSON{}
	for i, c := range cells[1:] {
		out = append(out, groupJSON{p.Groups[i+1].ID, p.figures(c)})
	}
	return out
}

func (p Published) figures(c GroupStats) figuresJSON {
	var level any = c.Mode
	if n, ok := c.Mode.Int(); ok {
		level = p.Matrix.Levels[n-1].ID
	}
	return figuresJSON{
		c.Rated, c.DontKnow, c.NotApplicable, c.NotAnswered,
		p.byLevel(c.Counts), p.byLevel(c.Percent), p.byLevel(c.Shares),
		level, c.ModeShare, c.Median, c.WithinOne, c.Agreement, c.FarMinority, c.Consensus,
	}
}

func (p Published) byLevel(figures []Figure) levelsJSON {
	return levelsJSON{p.Matrix.Levels, figures}
}

type (
	namedJSON struct {
		ID   string      `json:"id"`
		Name matrix.Text `json:"name"`
	}
	consensusJSON struct {
		Percent          int  `json:"percent"`
		AllowFarMinority bool `json:"allow_far_minority"`
	}
	roundJSON struct {
		ID            string        `json:"id"`
		Area          string        `json:"area"`
		Matrix        string        `json:"matrix"`
		MatrixVersion int           `json:"matrix_version"`
		OpenedAt      *time.Time    `json:"opened_at"`
		ClosedAt      *time.Time    `json:"closed_at"`
		MinGroup      int           `json:"min_group"`
		Consensus     consensusJSON `json:"consensus"`
		Reminders     any           `json:"reminders,omitzero"`
	}
	turnoutJSON struct {
		Invited     Figure `json:"invited"`
		Started     Figure `json:"started"`
		Finished    int    `json:"finished"`
		Declined    Figure `json:"declined"`
		Withdrawn   Figure `json:"withdrawn"`
		Respondents int    `json:"respondents"`
	}
	representationJSON struct {
		Role      string      `json:"role"`
		Name      matrix.Text `json:"name"`
		Group     string      `json:"group"`
		Invited   Figure      `json:"invited"`
		Finished  int         `json:"finished"`
		Workshops *int        `json:"report_workshops_percent"`
	}
	levelJSON struct {
		namedJSON
		Number int `json:"number"`
	}
	kindJSON struct {
		namedJSON
		Count Figure `json:"count"`
	}
	figuresJSON struct {
		Rated         Figure     `json:"rated"`
		DontKnow      Figure     `json:"dont_know"`
		NotApplicable Figure     `json:"not_applicable"`
		NotAnswered   Figure     `json:"not_answered"`
		Counts        levelsJSON `json:"counts"`
		Percent       levelsJSON `json:"percent"`
		Shares        levelsJSON `json:"shares"`
		Mode          any        `json:"mode"`
		ModeShare     Figure     `json:"mode_share"`
		Median        Figure     `json:"median"`
		WithinOne     Figure     `json:"within_one"`
		Agreement     Figure     `json:"agreement"`
		FarMinority   Flag       `json:"far_minority"`
		Agreed        Flag       `json:"agreed"`
	}
	groupJSON struct {
		ID string `json:"id"`
		figuresJSON
	}
	elementJSON struct {
		namedJSON
		Dimension string `json:"dimension"`
		figuresJSON
		RoleGroups  []groupJSON `json:"role_groups"`
		Information []kindJSON  `json:"information"`
		Comments    []string    `json:"comments"`
		Barriers    []string    `json:"barriers"`
	}
	dimensionJSON struct {
		namedJSON
		figuresJSON
		RoleGroups []groupJSON `json:"role_groups"`
	}
)

// levelsJSON is an object by level id, in the levels' order, which a map would lose.
type levelsJSON struct {
	levels  []matrix.Level
	figures []Figure
}

func (l levelsJSON) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range l.figures {
		if i > 0 {
			b.WriteByte(',')
		}
		id, err := json.Marshal(l.levels[i].ID)
		if err != nil {
			return nil, err
		}
		figure, err := json.Marshal(f)
		if err != nil {
			return nil, err
		}
		b.Write(id)
		b.WriteByte(':')
		b.Write(figure)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func timeJSON(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
