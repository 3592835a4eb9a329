package main

import (
	"bytes"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"maturitybot/bot/transcript"
)

var rewrite = flag.Bool("update", false, "write what the bot did into the .chat files; read the difference before you keep it")

const transcripts = "../../bot/testdata"

// TestTranscripts plays every conversation and compares what the bot did with what is written down.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(filepath.Join(transcripts, "*.chat"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("found %d transcripts: %v", len(paths), err)
	}
	matrices, err := matrixFlag{}.matrices()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".chat"), func(t *testing.T) {
			t.Parallel()
			written, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			scene, _, done, err := newStage(transcripts,
				testOptions(matrices, slog.New(slog.NewTextHandler(&log, nil))), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := done(); err != nil {
					t.Error(err)
				}
			})
			played, err := transcript.Play(t.Context(), bytes.NewReader(written), scene)
			if err != nil {
				t.Fatalf("%v\n\nup to then:\n%s", err, last(played, 40))
			}
			if strings.Contains(played, "⟦") || strings.Contains(log.String(), "reply does not fit") {
				t.Errorf("a sentence is missing or a card does not fit:\n%s", log.String())
			}
			if *rewrite {
				if err := os.WriteFile(path, []byte(played), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if played != string(written) {
				t.Errorf("the bot does something else now:\n%s\nIf that is right: go test ./cmd/maturitybot -run Transcripts -update, and read the difference.", firstDifference(string(written), played))
			}
			for _, secret := range []string{"Parents say", "a secret note", "play:w:", "Northshire"} {
				if strings.Contains(log.String(), secret) {
					t.Errorf("in the log: %q", secret)
				}
			}
		})
	}
}

func last(s string, n int) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(a), len(b)) {
		x, y := "(end)", "(end)"
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return "line " + strings.TrimSpace(strings.Join([]string{"written: " + x, "played:  " + y}, "\n"))
		}
	}
	return ""
}
