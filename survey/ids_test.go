package survey_test

import (
	"strings"
	"testing"

	"maturitybot/survey"
)

func TestRoundIDValid(t *testing.T) {
	t.Parallel()
	for id, valid := range map[survey.RoundID]bool{
		"abcdefgh23": true, "A-b_9": true, survey.RoundID(strings.Repeat("a", 64)): true,
		"": false, "a/../../../evil": false, "..": false, "a b": false, "{a}": false,
		"a\x00": false, "ŵ": false, `a\b`: false, survey.RoundID(strings.Repeat("a", 65)): false,
	} {
		if id.Valid() != valid {
			t.Errorf("%q is valid: %v", id, !valid)
		}
	}
}
