package workshop

import (
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

// Movement is how the rating of an element came from the survey over the last ballot to what was
// agreed. Levels are numbered from 1, the lowest.
type Movement struct {
	// Survey holds the most common levels in the survey, and Ballot those in the last ballot: several
	// where as many people chose each, none where nothing was shown.
	Survey, Ballot []int
	Agreed         int // 0 for an element that is not rated
}

// Movement returns the movement of an element.
func (a *Assessment) Movement(element string) Movement {
	m := Movement{Survey: results.MostCommonOf(a.Survey[element])}
	if last, ok := a.LastBallotOf(element); ok {
		m.Ballot = results.MostCommonOf(last.Totals())
	}
	if level := a.Ratings[element].Level; level > matrix.NotAnswered {
		m.Agreed = int(level)
	}
	return m
}

// People returns how many people rated something in the workshop. It is 0 until the workshop is
// finished.
func (a *Assessment) People() int {
	people := 0
	for _, n := range a.Attendance {
		people += n
	}
	return people
}

// ReportedAreas is how many areas took part in the workshops of the report.
const ReportedAreas = 20

// reported holds in how many of the ReportedAreas somebody of a role took part in the workshops.
// The figures are those for England and Wales in Table 1 of the report, by the name of the row.
// Roles that only one nation has are not in it.
var reported = map[string]int{
	plaintext.Key("Public health strategist"):                                  4,
	plaintext.Key("Director of children's services / social care / education"): 3,
	plaintext.Key("Local authority manager / team leader"):                     20,
	plaintext.Key("Local authority practitioner"):                              9,
	plaintext.Key("Health visitor"):                                            13,
	plaintext.Key("Midwife / maternity"):                                       12,
	plaintext.Key("Speech & language therapist"):                               9,
	plaintext.Key("Other health leaders"):                                      12,
	plaintext.Key("Voluntary & community organisations"):                       15,
	plaintext.Key("Children's centre / Family centre / Flying Start"):          14,
	plaintext.Key("Schools (incl. school nurseries)"):                          8,
	plaintext.Key("Other early years settings"):                                7,
	plaintext.Key("Parents"):                                                   1,
}

// Reported returns in how many of the ReportedAreas somebody of the role took part in the workshops
// of the report. It finds the role by its names. It returns false for a role without that figure.
func Reported(role matrix.Role) (areas int, ok bool) {
	for _, name := range role.Names() {
		if areas, ok = reported[plaintext.Key(name)]; ok {
			return areas, true
		}
	}
	return 0, false
}
