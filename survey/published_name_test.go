package survey

import (
	"strings"
	"testing"
)

// TestFileNameOfAnyRound keeps to one folder, whatever the store says the round is called.
func TestFileNameOfAnyRound(t *testing.T) {
	t.Parallel()
	for id, valid := range map[RoundID]bool{
		"abcdefgh23": true, "A-b_9": true, RoundID(strings.Repeat("a", 64)): true,
		"": false, "a/../../../evil": false, "..": false, "a b": false, "{a}": false, "a\x00": false, "ŵ": false,
		`a\b`: false, RoundID(strings.Repeat("a", 65)): false,
	} {
		if id.Valid() != valid {
			t.Errorf("%q is valid: %v", id, !valid)
		}
		name := Published{Context: ResultContext{Area: "../North", Round: id}}.FileName()
		if strings.ContainsAny(name, "./\\ \x00") {
			t.Errorf("%q makes a file %q", id, name)
		}
	}
}
