package bot

import (
	"slices"
	"testing"

	"maturitybot/survey/matrix"
	"maturitybot/survey/rows"
)

func TestListLine(t *testing.T) {
	vocabulary := matrix.NewVocabulary(matrix.Editions()[0])
	for line, want := range map[string][]string{ // the role, then the people
		"ben@example.org":                  {"", "ben@example.org"},
		"ben@example.org\tMidwife\tnights": {"Midwife", "ben@example.org"},
		"ben, Nursery, childminder or other early years setting, 01234": {"Nursery, childminder or other early years setting", "ben"},
		"ben;cem@example.org; Midwife":                                  {"Midwife", "ben", "cem@example.org"},
		"Jones, Ben <ben@example.org>; Cem <cem@example.org>":           {"", "ben@example.org", "cem@example.org"},
		"<mailto:ben@example.org|ben@example.org>, Midwife":             {"Midwife", "<mailto:ben@example.org|ben@example.org>"},
		"<@123456>|Midwife":                      {"Midwife", "<@123456>"},
		"ben, Midwife, cem@example.org, Parents": {"Midwife, cem@example.org, Parents", "ben"},
		"ben, -":                                 {"", "ben"},
		"ben\u200b, Astronaut":                   {"Astronaut", "ben"},
		"“ben@example.org”":                      {"", "ben@example.org"},
	} {
		people, role := listLine(rows.Pasted(line)[0], nil, 0, vocabulary)
		for i := range people {
			people[i] = address(people[i])
		}
		if role != want[0] || !slices.Equal(people, want[1:]) {
			t.Errorf("%q: %q, %q", line, role, people)
		}
	}
}
