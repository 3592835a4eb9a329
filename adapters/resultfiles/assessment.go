package resultfiles

import (
	"fmt"
	"strings"

	"maturitybot/adapters/chart"
	"maturitybot/adapters/table"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
	"maturitybot/survey/workshop"
)

// AssessmentFiles returns what a finished workshop leaves: a picture of how ratings moved, a
// spreadsheet of how each came about, and the agreed ratings as CSV for the report command.
func (a *Renderer) AssessmentFiles(
	of workshop.Assessment, m *matrix.Matrix, lang matrix.Lang,
) ([]chat.File, error) {
	v := a.words.In(string(lang))
	words := movementWords(v, of, m, lang)
	picture, err := chart.MovementPNG(&of, m, lang, words)
	if err != nil {
		return nil, fmt.Errorf("draw how ratings moved: %w", err)
	}
	book, err := table.AssessmentXLSX(&of, m, lang, assessmentWords(v, of, m, lang))
	if err != nil {
		return nil, fmt.Errorf("write agreed ratings: %w", err)
	}
	list, err := table.AssessmentCSV(&of, m, lang)
	if err != nil {
		return nil, fmt.Errorf("write agreed ratings: %w", err)
	}
	name := "agreed-" + results.FileName(of.Area, of.FinishedAt, of.Round)
	alt := chart.MovementAlt(&of, m, lang, words, maxAlt)
	return []chat.File{
		{Name: name + ".png", Type: "image/png", Alt: alt, Data: picture},
		{Name: name + ".xlsx", Type: typeXLSX, Data: book},
		{Name: name + ".csv", Type: "text/csv", Data: list},
	}, nil
}

func movementWords(
	v locale.Voice, a workshop.Assessment, m *matrix.Matrix, lang matrix.Lang,
) chart.MovementWords {
	var levels []string
	for i, l := range m.Levels {
		levels = append(levels, fmt.Sprintf("%d %s", i+1, l.Short.In(lang)))
	}
	return chart.MovementWords{
		Title:    v.Say("assessment.picture_title", "area", a.Area),
		Survey:   v.Say("assessment.survey"),
		Ballot:   v.Say("assessment.last_ballot"),
		Agreed:   v.Say("assessment.agreed"),
		NotRated: v.Say("meet.not_rated"),
		None:     v.Say("assessment.none"),
		Notes: []string{
			v.Say("assessment.picture_line"),
			v.Say("assessment.picture_gaps"),
			v.Say("assessment.picture_tie"),
		},
		Alt: v.Say("assessment.alt", "area", a.Area, "levels", strings.Join(levels, ", ")),
	}
}

func assessmentWords(
	v locale.Voice, a workshop.Assessment, m *matrix.Matrix, lang matrix.Lang,
) table.AssessmentWords {
	var ballots []string
	for i := range workshop.MaxBallots {
		ballots = append(ballots, v.Say("assessment.ballot", "n", i+1))
	}
	previous := v.Say("assessment.previous")
	if !a.PreviousAt.IsZero() {
		previous = v.Say("assessment.previous_on", "day", v.Day(a.PreviousAt))
	}
	return table.AssessmentWords{
		Title:   v.Say("assessment.title", "area", a.Area),
		Symbols: v.Say("assessment.symbols", "min", a.MinGroup),
		Facts:   assessmentFacts(v, a, m, lang),
		Notes: []string{
			v.Say("assessment.shares_mean"),
			v.Say("assessment.devices_mean"),
			v.Say("assessment.objections_mean"),
		},

		Element:    v.Say("table.element"),
		Agreed:     v.Say("assessment.agreed"),
		How:        v.Say("assessment.how"),
		Reason:     v.Say("assessment.reason"),
		Others:     v.Say("assessment.others"),
		Objections: v.Say("assessment.objections"),
		Previous:   previous,
		Survey:     v.Say("assessment.survey"),
		Shares:     v.Say("assessment.shares"),
		Ballots:    ballots,

		Source:   v.Say("assessment.source"),
		Way:      v.Say("assessment.way"),
		DontKnow: v.Say("table.dont_know"),
		Total:    v.Say("assessment.total"),
		Remark:   v.Say("assessment.remark"),

		Group:     v.Say("table.group"),
		Role:      v.Say("table.role"),
		Present:   v.Say("assessment.present"),
		Reported:  v.Say("assessment.reported", "n", workshop.ReportedAreas),
		Workshops: v.Say("assessment.workshops", "nation", m.Nation.In(lang)),

		Before:     v.Say("assessment.before"),
		RecordedOn: v.Say("assessment.recorded_on"),
		ChangedTo:  v.Say("assessment.changed_to"),
		Why:        v.Say("assessment.why"),
		ChangedOn:  v.Say("assessment.changed_on"),

		InSurvey: v.Say("assessment.in_survey"),
		Devices:  v.Say("assessment.devices"),
		Hands:    v.Say("assessment.hands"),
		Doubled:  v.Say("assessment.doubled"),
		NotRated: v.Say("meet.not_rated"),
		Hows: map[workshop.How]string{
			workshop.AllAgreed:   v.Say("meet.how_all"),
			workshop.MostAgreed:  v.Say("meet.how_most"),
			workshop.NoAgreement: v.Say("meet.how_none"),
			workshop.BySurvey:    v.Say("meet.how_survey"),
			workshop.NoWorkshop:  v.Say("meet.how_alone"),
		},
		Left:          v.Say("assessment.how_left"),
		NotStated:     v.Say("table.not_stated"),
		NobodyChanged: v.Say("assessment.nothing_changed"),
		AttendanceNotes: []string{
			v.Say("assessment.present_means"),
			v.Say("assessment.reported_means", "n", workshop.ReportedAreas),
			v.Say("assessment.reported_nation"),
			v.Say("assessment.reported_source"),
		},

		SheetRatings:    v.Say("assessment.sheet_ratings"),
		SheetCounts:     v.Say("assessment.sheet_counts"),
		SheetAttendance: v.Say("assessment.sheet_attendance"),
		SheetChanges:    v.Say("assessment.sheet_changes"),
		SheetNotes:      v.Say("assessment.sheet_notes"),

		Day: v.Day,
	}
}

// assessmentFacts says when the workshop finished, and how many people the figures are of.
func assessmentFacts(
	v locale.Voice, a workshop.Assessment, m *matrix.Matrix, lang matrix.Lang,
) []string {
	elements := m.Elements()
	rated := 0
	for _, e := range elements {
		if a.Movement(e.ID).Agreed > 0 {
			rated++
		}
	}
	return []string{
		v.Say("assessment.rated", "rated", rated, "n", len(elements)),
		v.Say("assessment.finished", "day", day(v, a.FinishedAt)),
		v.Say("assessment.surveyed", "n", a.Surveyed),
		v.Say("assessment.people", "n", a.People()),
		m.Name.In(lang),
	}
}
