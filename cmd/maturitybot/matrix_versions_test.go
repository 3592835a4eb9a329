package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/redis/redistest"
	"maturitybot/adapters/slack/fake"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// matrixFile writes the matrix of playgrounds as a file with other words, and returns its name.
func matrixFile(t *testing.T, name string, replace ...string) string {
	t.Helper()
	raw, err := os.ReadFile("../../survey/matrix/testdata/eight.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(raw), replace[i]) {
			t.Fatalf("the file does not hold %q", replace[i])
		}
	}
	path := filepath.Join(t.TempDir(), name)
	text := strings.NewReplacer(replace...).Replace(string(raw))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMatrixFlag: new rounds take the first with an id, and every version stays at hand.
func TestMatrixFlag(t *testing.T) {
	one := matrixFile(t, "one.yaml")
	three := matrixFile(t, "three.yaml", "version: 1", "version: 3")
	england := matrixFile(t, "england.yaml",
		"id: playground", "id: england", "version: 1", "version: 2")
	const editions = "england 2, wales 2, england 1, wales 1"
	for what, c := range map[string]struct {
		files []string
		want  string
	}{
		"none":         {nil, editions},
		"one file":     {[]string{one}, "playground 1, " + editions},
		"two versions": {[]string{one, three}, "playground 3, playground 1, " + editions},
		"in place of an edition": {
			[]string{one, england, three},
			"playground 3, playground 1, england 2, wales 2, england 1, wales 1",
		},
		"the same version once more": {[]string{one, one}, "was given already"},
	} {
		all, err := matrixFlag{Matrix: c.files}.matrices()
		var got []string
		for _, m := range all {
			got = append(got, fmt.Sprintf("%s %d", m.ID, m.Version))
		}
		switch {
		case err != nil && !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v", what, err)
		case err == nil && strings.Join(got, ", ") != c.want:
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

// TestServeRefusesAChangedMatrix: people must not see other words than those they answered.
func TestServeRefusesAChangedMatrix(t *testing.T) {
	f := fake.New(t)
	url := redistest.Start(t, redistest.Options{}).URL()
	path := matrixFile(t, "eight.yaml")
	m, err := loadMatrix(path)
	if err != nil {
		t.Fatal(err)
	}
	store, err := redis.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	lead := survey.PersonID("slack:" + fake.Team + ":U0ANA")
	rounds := survey.NewRounds(store, matrix.List{m}, time.Now)
	r, err := rounds.AsCreator(lead).Create(t.Context(), survey.Round{
		ID: "matrix2345", Area: "Northshire", Matrix: m.ID, Languages: m.Languages,
		TimeZone: survey.DefaultTimeZone, ClosesAt: time.Now().Add(300 * time.Hour),
		Channel: "slack:" + fake.Team + ":C0TEAM", Coordinators: []survey.PersonID{lead},
		MinGroup: 5, Consensus: results.Consensus{Percent: 70},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := rounds.As(lead).Open(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{"SLACK_BOT_TOKEN": fake.Token, "SLACK_APP_TOKEN": fake.AppToken}
	serve := func(files ...string) serveCommand {
		return serveCommand{
			storeFlag: storeFlag{RedisURL: url}, matrixFlag: matrixFlag{Matrix: files},
			platformFlags: platformFlags{SlackAPI: fake.URL}, dial: f.Dial,
		}
	}

	errs, end := serving(t, serve(path), tokens)
	if err := end(); err != nil {
		t.Fatalf("unchanged: %v\n%s", err, errs)
	}
	changed := matrixFile(t, "eight.yaml", "Nobody has taken this up.", "Nobody cares.")
	refused := serve(changed)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // it would serve without end
	defer cancel()
	err = refused.Run(ctx, system{
		env: environment(tokens).get, out: io.Discard, err: io.Discard,
	})
	const named = "playground, version 1 has other words than when these rounds opened: " +
		"matrix2345 (Northshire)"
	if !errors.Is(err, survey.ErrMatrixChanged) || !strings.Contains(err.Error(), named) {
		t.Errorf("changed: %v", err)
	}
	for file, want := range map[string]bool{path: false, changed: true} {
		_, out := checked(t, checkCommand{serveCommand: serve(file)}, tokens)
		if strings.Contains(out, named) != want || strings.Contains(out, "FAIL  matrix") != want {
			t.Errorf("check of %s, want a failure %v:\n%s", file, want, out)
		}
	}
	both := matrixFile(t, "next.yaml",
		"version: 1", "version: 2", "Nobody has taken this up.", "Nobody cares.")
	errs, end = serving(t, serve(both, path), tokens)
	if err := end(); err != nil {
		t.Errorf("with a new version beside it: %v\n%s", err, errs)
	}
}
