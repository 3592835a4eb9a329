package results

import (
	"strings"
	"testing"
)

// TestFileName names a file in the same folder, whatever the store says the round is called.
func TestFileName(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"abcdefgh23", "a/../../../evil", "..", "a b", "a\x00", `a\b`, ""} {
		name := Published{Context: Context{Area: "../North", Round: id}}.FileName()
		if strings.ContainsAny(name, "./\\ \x00") {
			t.Errorf("%q makes a file %q", id, name)
		}
	}
}
