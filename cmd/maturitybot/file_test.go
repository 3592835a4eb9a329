package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestMissingFiles: every command that opens a file says the same sentence.
func TestMissingFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	none := filepath.Join(folder, "none")
	for _, command := range [][]string{
		{"results"}, {"report"}, {"matrix", "check"}, {"play"}, {"matrix", "show", "--matrix"}, {"report", "--matrix", none},
		{"results", "--edition", "england"}, {"restore", "-i", none}, {"play", "--matrix", none},
	} {
		for path, want := range map[string]string{none: "maturitybot: there is no file " + none, folder: "maturitybot: " + folder + " is a folder; name a file"} {
			code, out, errs := exec(t, "", append(command, path)...)
			if path == folder && strings.Contains(strings.Join(command, " "), none) {
				want = "maturitybot: there is no file " + none // the other file is looked at first
			}
			if command[0] == "restore" && path == folder {
				continue // its key is looked at first or last, as it needs it
			}
			if code != 1 || out != "" || strings.TrimSpace(errs) != want {
				t.Errorf("%v: code %d, output %q, errors %q, want %q", append(command, path), code, out, errs, want)
			}
		}
	}
}
