package results

import (
	"bytes"
	"encoding/json"
	"time"

	"maturitybot/survey/matrix"
)

// SchemaVersion is the version of the JSON form of Published. It increases when a field is removed
// or changes its meaning, but not when a field is added.
const SchemaVersion = 1

// MarshalJSON writes the result as one object:
//
//	schema_version   SchemaVersion
//	symbols          the meanings of "[c]", "[x]" and "[z]", which can replace any number or flag
//	round            id, area, matrix, matrix_version, opened_at, closed_at (RFC 3339, or null
//	                 when not known), min_group, consensus {percent, allow_far_minority}
//	turnout          invited, started, finished, declined, withdrawn (from the roster),
//	                 respondents (people who answered anything); without a roster only finished
//	                 and respondents are numbers. A small number of people who started, declined
//	                 or withdrew is "[c]". open_link, only where an open link was used: how many
//	                 finished by it, where one person may have answered more than once, or "[c]"
//	representation   for each role of the matrix and then not_stated: role, name, group, invited
//	                 and finished ("[c]" where few finished), report_workshops_percent (of the
//	                 nation's areas in the report that had the role at workshops, or null)
//	levels           id, number, name of each, from the lowest; name is an object by language,
//	                 here and below
//	groups           id and name of each role group, and not_stated when there is one
//	elements         in the matrix's order: id, name, dimension, agenda_group (split, close,
//	                 consensus or "[c]"), the figures of everyone, role_groups (id and figures of
//	                 each), information (id, name, count of each kind held), comments, barriers
//	dimensions       id, name, the figures of everyone, role_groups
//	agenda           ids of the elements in the order in which a workshop takes them: by
//	                 agenda_group, then in order of disagreement
//
// The figures are: rated, dont_know, not_applicable, not_answered; counts, percent and shares, each
// an object by level id; mode (a level id), mode_share, median (a level number), within_one,
// agreement, far_minority, consensus. Shares (shares, mode_share, within_one) and agreement are
// unrounded, with six decimals. Percent is rounded half to even. All are of the people who rated.
// In role_groups dont_know, not_applicable and not_answered may be "[c]" where the rest is shown.
func (p Published) MarshalJSON() ([]byte, error) {
	return json.Marshal(documentJSON{
		SchemaVersion: SchemaVersion,
		Symbols: map[string]string{
			Suppressed.String():    "suppressed",
			NotAvailable.String():  "not available",
			NotApplicable.String(): "not applicable",
		},
		Round:          p.round(),
		Turnout:        p.turnout(),
		Representation: p.representation(),
		Levels:         p.levels(),
		Groups:         p.groups(),
		Elements:       p.elements(),
		Dimensions:     p.dimensions(),
		Agenda:         p.agenda(),
	})
}

func (p Published) round() roundJSON {
	c := p.Context
	return roundJSON{
		ID:            c.Round,
		Area:          c.Area,
		Matrix:        p.Matrix.ID,
		MatrixVersion: p.Matrix.Version,
		OpenedAt:      timeJSON(c.OpenedAt),
		ClosedAt:      timeJSON(c.ClosedAt),
		MinGroup:      c.MinGroup,
		Consensus:     consensusJSON{c.Consensus.Percent, c.Consensus.AllowFarMinority},
		Reminders:     c.Reminders,
	}
}

func (p Published) turnout() turnoutJSON {
	t := p.Turnout
	var openLink *Figure
	if t.UsedOpenLink() {
		openLink = &t.OpenLink
	}
	return turnoutJSON{
		OpenLink:    openLink,
		Invited:     t.Invited,
		Started:     t.Started,
		Finished:    t.Finished,
		Declined:    t.Declined,
		Withdrawn:   t.Withdrawn,
		Respondents: p.Respondents,
	}
}

func (p Published) representation() []representationJSON {
	out := []representationJSON{}
	for _, r := range p.Turnout.Roles {
		role, group, _ := p.Matrix.Role(r.Role)
		if r.Role == NotStatedGroup {
			group.ID = NotStatedGroup
		}
		out = append(out, representationJSON{
			Role:      r.Role,
			Name:      role.Name,
			Group:     group.ID,
			Invited:   r.Invited,
			Finished:  r.Finished,
			Workshops: role.Workshops,
		})
	}
	return out
}

func (p Published) levels() []levelJSON {
	var out []levelJSON
	for i, l := range p.Matrix.Levels {
		out = append(out, levelJSON{namedJSON{l.ID, l.Name}, i + 1})
	}
	return out
}

func (p Published) groups() []namedJSON {
	out := []namedJSON{}
	for _, g := range p.Groups[1:] {
		out = append(out, namedJSON(g))
	}
	return out
}

func (p Published) elements() []elementJSON {
	var out []elementJSON
	names := p.Matrix.Elements()
	for i, e := range p.Elements {
		information := []kindJSON{}
		for k, n := range e.Information {
			information = append(information, kindJSON{namedJSON(p.Matrix.Information[k]), n})
		}
		out = append(out, elementJSON{
			namedJSON:   namedJSON{e.ID, names[i].Name},
			Dimension:   e.Dimension,
			AgendaGroup: e.Everyone().AgendaGroup().String(),
			figuresJSON: p.figures(e.Everyone()),
			RoleGroups:  p.roleGroups(e.Groups),
			Information: information,
			Comments:    append([]string{}, e.Comments...), // an empty list, not null
			Barriers:    append([]string{}, e.Barriers...),
		})
	}
	return out
}

func (p Published) dimensions() []dimensionJSON {
	var out []dimensionJSON
	for i, d := range p.Dimensions {
		out = append(out, dimensionJSON{
			namedJSON:   namedJSON{d.ID, p.Matrix.Dimensions[i].Name},
			figuresJSON: p.figures(d.Everyone()),
			RoleGroups:  p.roleGroups(d.Groups),
		})
	}
	return out
}

func (p Published) agenda() []string {
	out := []string{}
	for _, i := range p.Agenda {
		out = append(out, p.Elements[i].ID)
	}
	return out
}

func (p Published) roleGroups(stats []GroupStats) []groupJSON {
	out := []groupJSON{}
	for i, s := range stats[1:] {
		out = append(out, groupJSON{p.Groups[i+1].ID, p.figures(s)})
	}
	return out
}

func (p Published) figures(s GroupStats) figuresJSON {
	var mode any = s.Mode
	if n, ok := s.Mode.Int(); ok {
		mode = p.Matrix.Levels[n-1].ID
	}
	return figuresJSON{
		Rated:         s.Rated,
		DontKnow:      s.DontKnow,
		NotApplicable: s.NotApplicable,
		NotAnswered:   s.NotAnswered,
		Counts:        levelsJSON{p.Matrix.Levels, s.Counts},
		Percent:       levelsJSON{p.Matrix.Levels, s.Percent},
		Shares:        levelsJSON{p.Matrix.Levels, s.Shares},
		Mode:          mode,
		ModeShare:     s.ModeShare,
		Median:        s.Median,
		WithinOne:     s.WithinOne,
		Agreement:     s.Agreement,
		FarMinority:   s.FarMinority,
		Consensus:     s.Consensus,
	}
}

type (
	documentJSON struct {
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
		Invited     Figure  `json:"invited"`
		Started     Figure  `json:"started"`
		Finished    Figure  `json:"finished"`
		Declined    Figure  `json:"declined"`
		Withdrawn   Figure  `json:"withdrawn"`
		Respondents int     `json:"respondents"`
		OpenLink    *Figure `json:"open_link,omitempty"`
	}
	representationJSON struct {
		Role      string      `json:"role"`
		Name      matrix.Text `json:"name"`
		Group     string      `json:"group"`
		Invited   Figure      `json:"invited"`
		Finished  Figure      `json:"finished"`
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
		Consensus     Flag       `json:"consensus"`
	}
	groupJSON struct {
		ID string `json:"id"`
		figuresJSON
	}
	elementJSON struct {
		namedJSON
		Dimension   string `json:"dimension"`
		AgendaGroup string `json:"agenda_group"`
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

// levelsJSON is written as an object by level id. It keeps the order of the levels, which a map
// would lose.
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

// timeJSON returns the time, or nil, which is written as null, for the zero time.
func timeJSON(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
