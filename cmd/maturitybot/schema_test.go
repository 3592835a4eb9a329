package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"

	"maturitybot/adapters/redis"
)

// TestNewerSchema makes sure that no command works on the data of a newer program.
func TestNewerSchema(t *testing.T) {
	t.Parallel()
	store := miniredis.RunT(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	public, secret := keys(t)
	env := environment{"REDIS_URL": "redis://" + store.Addr(), "DISCORD_TOKEN": "token", "DISCORD_API_URL": "http://127.0.0.1:1/", "OPS_LISTEN": "off"}
	backup := filepath.Join(t.TempDir(), "backup")
	env.works(t, []string{"backup", backup, "--recipient", public})
	newer := strconv.Itoa(redis.Schema + 1)
	must(store.Set("schema", newer))
	arguments := map[string][]string{
		"coordinator": {"open", "add", cem},
		"backup":      {filepath.Join(t.TempDir(), "b.age"), "--recipient", public},
		"check":       {},
		"export":      {"open"},
		"forget":      {ben, "--yes"},
		"restore":     {backup, "--identity", secret, "--replace", "--without-erasures"},
		"rounds":      {},
		"serve":       {},
	}
	for _, command := range leaves(t) {
		if !slices.ContainsFunc(command.Flags, func(f *kong.Flag) bool { return f.Name == "redis-url" }) {
			continue
		}
		args, ok := arguments[command.Path()]
		if !ok {
			t.Errorf("%s works on the store and is not tried here", command.Path())
		}
		env.says(t, 1, append(strings.Fields(command.Path()), args...), "newer version of maturitybot", "Go back to an older version")
	}
	if got, err := store.Get("schema"); err != nil || got != newer {
		t.Errorf("the schema is %q, %v", got, err)
	}
}

// TestReadingKeepsSchema lets a newer program look at the data of an older one that serves.
func TestReadingKeepsSchema(t *testing.T) {
	t.Parallel()
	url, _ := keptRounds(t)
	public, _ := keys(t)
	env := environment{"REDIS_URL": url}
	client := goredis.NewClient(need(goredis.ParseURL(url))(t))
	defer func() { _ = client.Close() }() // the test is over
	marked := func() bool { return client.Exists(t.Context(), "schema").Val() == 1 }
	env.works(t, []string{"rounds"})
	env.works(t, []string{"backup", filepath.Join(t.TempDir(), "b.age"), "--recipient", public})
	if marked() {
		t.Error("reading raised the schema")
	}
	env.works(t, []string{"export", "shut", "--out", t.TempDir()})
	if !marked() {
		t.Error("writing did not raise the schema")
	}
}

// TestForgetRequiresJournal checks that forget promises that a restore leaves a person out only if
// the journal says so.
func TestForgetRequiresJournal(t *testing.T) {
	t.Parallel()
	url, rounds := keptRounds(t)
	env := environment{"REDIS_URL": url}
	still := func(why string) {
		t.Helper()
		if seat := need(rounds.For(ben).Participation(t.Context(), "open"))(t); seat.Pseudonym == "" || seat.Member.Person == "" || seat.Member.Role == "" {
			t.Errorf("%s: erased all the same", why)
		}
	}
	folder := t.TempDir()
	served, other := filepath.Join(folder, "served"), filepath.Join(folder, "other")
	env.says(t, 1, []string{"forget", ben, "--yes"}, "nothing was erased: ERASURES is not set, neither here nor where serve runs")
	still("no journal at all")

	store := need(redis.Open(t.Context(), url))(t)
	defer func() { _ = store.Close() }() // the test is over
	if err := need(openJournal(served))(t).Close(); err != nil {
		t.Fatal(err)
	}
	if err := store.RegisterJournal(t.Context(), need(journalName(served))(t)); err != nil {
		t.Fatal(err)
	}
	env.says(t, 1, []string{"forget", ben, "--yes"}, "nothing was erased: serve adds erasures to a file, and ERASURES does not name it here")
	env.says(t, 1, []string{"forget", ben, "--yes", "--erasures", other}, "nothing was erased: "+other+" is not the file that serve adds erasures to")
	if _, err := os.Stat(other); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it made a file: %v", err)
	}
	if err := need(openJournal(other))(t).Close(); err != nil {
		t.Fatal(err)
	}
	env.says(t, 1, []string{"forget", ben, "--yes", "--erasures", other}, "is not the file that serve adds erasures to")
	env.says(t, 1, []string{"forget", ben, "--yes", "--erasures", folder}, "nothing was erased: ", "--without-erasures goes on without it")
	still("another journal")
	env.says(t, 1, []string{"forget", "slack::U1", "--yes", "--erasures", served}, `"slack::U1" is no person`)
	env.works(t, []string{"forget", "slack:T1:U7", "--yes", "--without-erasures", "--erasures", folder}, "No round lists this person")
	env.works(t, []string{"forget", "slack:T1:U1", "--yes", "--without-erasures"}, "answers erased", "a restore brings it back, and you must run this again")
	env.works(t, []string{"forget", ben, "--yes", "--erasures", served}, "answers erased", "a restore with the file of erasures leaves it out")
	if raw := need(os.ReadFile(served))(t); strings.Count(string(raw), `"forgotten"`) == 0 {
		t.Errorf("the journal is %q", raw)
	}
}
