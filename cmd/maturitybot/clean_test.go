package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTextIsCleanInEveryFormat: a character that turns or hides text reaches none of the results.
func TestTextIsCleanInEveryFormat(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("respondent,role,element,level,comment\n")
	for _, who := range []string{"a", "b", "c", "d", "e"} {
		b.WriteString(who + ",midwife,vision,2,\"be\u202eware\u2066 of\x1b[31m this\"\n")
	}
	answers := filepath.Join(t.TempDir(), "answers.csv")
	if err := os.WriteFile(answers, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"text", "json", "csv", "xlsx", "svg"} {
		out := filepath.Join(t.TempDir(), "out")
		code, _, errs := exec(t, "", "results", answers, "--area", "North\u202eshire\u200f\x07", "--format", format, "-o", out)
		raw, err := os.ReadFile(out)
		if code != 0 || err != nil {
			t.Fatalf("%s: code %d, %q, %v", format, code, errs, err)
		}
		if format == "xlsx" {
			raw = unzipped(t, raw)
		}
		for _, bad := range []string{"\u202e", "\u2066", "\u200f", "\x1b", "\x07", `\u202e`, `\u001b`, "&#x202E;"} {
			if bytes.Contains(raw, []byte(bad)) {
				t.Errorf("%s holds %q", format, bad)
			}
		}
		if !bytes.Contains(raw, []byte("Northshire")) {
			t.Errorf("%s does not name the area", format)
		}
	}
}
