package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/alicebob/miniredis/v2"
	"github.com/creack/pty"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/slack/fake"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

const (
	ana = "slack:T1:UANA" // coordinates
	ben = "slack:T1:UBEN" // answers everywhere
	cem = "slack:T1:UCEM" // coordinates with Ana in one round
)

// keptRounds keeps three rounds in a Redis: "open", "shut" and "drafted", with eight people each but the draft. It returns the Redis'
// address, and the rounds.
func keptRounds(t *testing.T) (string, *survey.Rounds) {
	t.Helper()
	url := "redis://" + miniredis.RunT(t).Addr()
	rounds := roundsAt(t, url)
	m := editions()[0]
	for _, id := range []survey.RoundID{"open", "shut", "drafted"} {
		r := survey.Round{
			ID: id, Area: "North\x1bshire", Matrix: m.ID, Languages: []matrix.Lang{matrix.English, matrix.Welsh}, TimeZone: survey.DefaultTimeZone,
			ClosesAt: time.Now().Add(300 * time.Hour), Channel: "slack:T1:C1", Coordinators: []survey.PersonID{ana}, MinGroup: 5, Consensus: results.Consensus{Percent: 70},
		}
		if id == "open" {
			r.Coordinators = append(r.Coordinators, cem)
		}
		need(rounds.AsCreator(ana).Create(t.Context(), r))(t)
		if id == "drafted" {
			continue
		}
		if _, _, err := rounds.As(ana).Open(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		people := []survey.Member{{Person: ben, Role: "midwife"}}
		for i := range 7 {
			people = append(people, survey.Member{Person: survey.PersonID(fmt.Sprint("slack:T1:U", i)), Role: "midwife"})
		}
		if _, _, err := rounds.As(ana).Invite(t.Context(), id, people); err != nil {
			t.Fatal(err)
		}
		for _, p := range people {
			need(rounds.For(p.Person).Start(t.Context(), id))(t)
			if _, _, err := rounds.For(p.Person).Answer(t.Context(), id, survey.Operation{ID: "g"}, "vision", 2); err != nil {
				t.Fatal(err)
			}
			if _, _, err := rounds.For(p.Person).Submit(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, _, err := rounds.As(ana).Close(t.Context(), "shut"); err != nil {
		t.Fatal(err)
	}
	return url, rounds
}

func roundsAt(t *testing.T, url string) *survey.Rounds {
	t.Helper()
	store := need(redis.Open(t.Context(), url))(t)
	t.Cleanup(func() { _ = store.Close() }) // the test is over
	return survey.NewRounds(store, editions(), time.Now)
}

// need fails the test when there is an error, as need(f())(t).
func need[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// works runs the program and wants it to succeed, and each of these in what it says.
func (e environment) works(t *testing.T, args []string, want ...string) string {
	t.Helper()
	return e.says(t, 0, args, want...)
}

// says runs the program and wants an exit code, and each of these in what it says.
func (e environment) says(t *testing.T, code int, args []string, want ...string) string {
	t.Helper()
	got, out, errs := e.exec(t, "", args...)
	if got != code {
		t.Errorf("%v: code %d, want %d: %s%s", args, got, code, out, errs)
	}
	for _, w := range want {
		if !strings.Contains(out+errs, w) {
			t.Errorf("%v: %q is not in\n%s%s", args, w, out, errs)
		}
	}
	return out + errs
}

func TestRounds(t *testing.T) {
	t.Parallel()
	url, _ := keptRounds(t)
	env := environment{"REDIS_URL": url}
	text := env.works(t, []string{"rounds"}, "ROUND    AREA        MATRIX   STATE   WORKSHOP  OPENED", "open     Northshire  england  open    -         ", "drafted  Northshire  england  draft   -         -  ", "  8        8\n")
	if lines := strings.Split(text, "\n"); len(lines) != 5 || !strings.HasPrefix(lines[1], "shut") || strings.Contains(text, "slack") || strings.Contains(text, "\x1b") {
		t.Errorf("got\n%s", text)
	}
	var got []roundLine
	if err := json.Unmarshal([]byte(env.works(t, []string{"rounds", "--format", "json"})), &got); err != nil || len(got) != 3 || got[0].ID != "shut" || got[0].Finished != 8 || got[0].Opened.IsZero() {
		t.Errorf("got %+v, %v", got, err)
	}
	env["REDIS_URL"] = ""
	env.says(t, 1, []string{"rounds"}, "REDIS_URL is missing")
}

func TestExport(t *testing.T) {
	t.Parallel()
	url, rounds := keptRounds(t)
	env := environment{"REDIS_URL": url}
	folder := filepath.Join(t.TempDir(), "new")
	out := env.works(t, []string{"export", "shut", "--out", folder})
	var files []string
	for _, e := range need(os.ReadDir(folder))(t) {
		files = append(files, filepath.Ext(e.Name()))
		if info := need(e.Info())(t); info.Size() < 200 || !strings.Contains(out, e.Name()) {
			t.Errorf("%s has %d bytes, and is told or not:\n%s", e.Name(), info.Size(), out)
		}
	}
	if got := strings.Join(files, " "); got != ".csv .json .png .svg .txt .xlsx .csv .html .xlsx" {
		t.Errorf("got files %s", got)
	}
	text := string(need(os.ReadFile(filepath.Join(folder, strings.TrimSuffix(namesIn(t, folder)[0], ".csv")+".txt")))(t))
	if !strings.Contains(text, "Finished, by role (small numbers hidden): Midwife or other maternity staff 8") || strings.Contains(text, "slack") {
		t.Errorf("the results do not say who was represented, or name somebody:\n%s", text)
	}
	head := need(rounds.As(ana).AuditLog(t.Context(), "shut"))(t).Head()
	names := namesIn(t, folder)
	record := names[slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(name, "record-") })]
	if head.By != audit.Operator || head.Action != audit.Exported || !strings.Contains(string(need(os.ReadFile(filepath.Join(folder, record)))(t)), head.Hash) {
		t.Errorf("the record ends with %+v, and its file with something else", head)
	}
	for _, name := range names {
		if info := need(os.Lstat(filepath.Join(folder, name)))(t); info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v", name, info.Mode())
		}
	}
	env.says(t, 1, []string{"export", "shut", "--out", folder}, "is there already; nothing was written")
	env.says(t, 1, []string{"export", "shut", "--out", filepath.Join(folder, namesIn(t, folder)[0], "in")}, "make the folder")
	taken := filepath.Join(t.TempDir(), namesIn(t, folder)[0])
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	env.says(t, 1, []string{"export", "shut", "--out", filepath.Dir(taken), "--force"}, "is a folder; nothing was written")
	if again := need(rounds.As(ana).AuditLog(t.Context(), "shut"))(t).Head(); again.Seq != head.Seq {
		t.Errorf("the record tells of an export that failed: %+v", again)
	}
	// A link in its place is replaced, and what it leads to stays as it is.
	elsewhere, link := filepath.Join(t.TempDir(), "elsewhere"), filepath.Join(folder, namesIn(t, folder)[0])
	if err := errors.Join(os.WriteFile(elsewhere, []byte("kept"), 0o644), os.Remove(link), os.Symlink(elsewhere, link)); err != nil {
		t.Fatal(err)
	}
	env.works(t, []string{"export", "shut", "--out", folder, "--force", "--lang", "cy"})
	if info := need(os.Lstat(link))(t); !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 || string(need(os.ReadFile(elsewhere))(t)) != "kept" {
		t.Errorf("%v, and what it leads to is %q", info.Mode(), need(os.ReadFile(elsewhere))(t))
	}
	if welsh := string(need(os.ReadFile(filepath.Join(folder, strings.TrimSuffix(namesIn(t, folder)[0], ".csv")+".txt")))(t)); welsh == text {
		t.Error("not replaced by Welsh")
	}

	rates := env.works(t, []string{"export", "open", "--out", folder}, "the survey is open until", "Midwife or other", "everybody", "8        8")
	if strings.Contains(rates, folder) || strings.Contains(rates, "slack") {
		t.Errorf("got\n%s", rates)
	}
	env.says(t, 1, []string{"export", "drafted"}, "has not been opened")
	env.says(t, 1, []string{"export", "nothing"}, `there is no round "nothing"; maturitybot rounds lists them`)
	env.says(t, 1, []string{"export", "../shut"}, `there is no round "../shut"`)
	env.says(t, 1, []string{"export", "shut", "--lang", "fr"}, `not written in "fr"`)
}

func namesIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	for _, e := range need(os.ReadDir(folder))(t) {
		names = append(names, e.Name())
	}
	return names
}

func TestCoordinatorAdd(t *testing.T) {
	t.Parallel()
	url, rounds := keptRounds(t)
	env := environment{"REDIS_URL": url}
	env.says(t, 1, []string{"coordinator", "open", "add", "dee"}, "write platform:workspace:id")
	env.says(t, 1, []string{"coordinator", "nothing", "add", ben}, `there is no round "nothing": maturitybot rounds lists them`)
	env.says(t, 1, []string{"coordinator", "open", "add", "slack:T9:U9"}, "its results would leave that workspace")
	env.says(t, 1, []string{"coordinator", "open", "add", "discord::1100000000000000010"}, "its results would leave that workspace")
	env.says(t, 2, []string{"coordinator", "open", "remove", ben}, "add")
	for _, id := range []string{"open", "shut", "drafted"} {
		env.works(t, []string{"coordinator", id, "add", ben}, ben+" is a coordinator of Northshire ("+id, "now, one of ", "posts this in the round's channel")
		env.works(t, []string{"coordinator", id, "add", ben}, "already")
		round := need(rounds.As(ben).Round(t.Context(), survey.RoundID(id)))(t)
		record := need(rounds.System().AuditLog(t.Context(), round))(t)
		head := record.Head()
		if head.Action != audit.Team || head.By != audit.Operator || len(head.Changes) != 1 || head.Changes[0].New != ben || record.Broken != 0 {
			t.Errorf("the record of %s ends with %+v", id, head)
		}
		names, _, err := rounds.System().Planned(t.Context(), round)
		want := survey.NewCoordinator.On(fmt.Sprintf("%d.%d", head.At.Unix(), round.Version))
		if err != nil || !names[string(want)] {
			t.Errorf("the channel of %s is not told: %v, %v", id, names, err)
		}
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	url, rounds := keptRounds(t)
	journal := filepath.Join(t.TempDir(), "erasures")
	if err := os.WriteFile(journal, []byte(`{"at":"2026-12-01T10:0`), 0o600); err != nil {
		t.Fatal(err)
	}
	env := environment{"REDIS_URL": url, "ERASURES": journal}
	env.says(t, 1, []string{"forget", "ben"}, "write platform:workspace:id")
	env.says(t, 1, []string{"forget", ben}, "there is no terminal to confirm at: give --yes")
	out := env.works(t, []string{"forget", ben, "--yes"},
		"Northshire (open, open): removed from the list of people invited; answers erased; messages waiting for them deleted (1).",
		"Northshire (shut, closed): removed from the list of people invited", "If they answered, the answers stay")
	if strings.Contains(out, "drafted") || strings.Contains(out, ben) {
		t.Errorf("got\n%s", out)
	}
	for _, id := range []survey.RoundID{"open", "shut"} {
		if seat := need(rounds.For(ben).Participation(t.Context(), id))(t); seat.Member.Status != survey.NotInvited {
			t.Errorf("they are still %s in %s", seat.Member.Status, id)
		}
	}
	if p := need(rounds.System().Results(t.Context(), "shut"))(t); p.Respondents != 8 || p.Turnout.Finished.String() != "8" {
		t.Errorf("the results of the closed round have changed: %d of %v", p.Respondents, p.Turnout.Finished)
	}
	env.works(t, []string{"forget", ben, "--yes"}, "No round lists this person. A record may still hold their identifier.")
	if lines := strings.Split(string(need(os.ReadFile(journal))(t)), "\n"); len(lines) < 4 || lines[0] != `{"at":"2026-12-01T10:0` || !strings.Contains(lines[1], `"forgotten"`) {
		t.Errorf("the journal is %q", lines)
	}

	if record := need(rounds.As(ana).AuditLog(t.Context(), "open"))(t); record.Broken != 0 || record.Head().By != audit.Operator || record.Head().Action != audit.Forgotten || len(record.Head().Changes) > 0 {
		t.Errorf("the record ends with %+v", record.Head())
	}
	before := need(rounds.As(ana).AuditLog(t.Context(), "open"))(t).Head().Seq
	env.works(t, []string{"forget", cem, "--yes"}, "Northshire (open, open): no longer a coordinator.")
	env.says(t, 1, []string{"forget", ana, "--yes"}, "Northshire (open, open): STILL its only coordinator", "Northshire (shut, closed): no longer a coordinator.",
		"that is not closed needs a coordinator")
	if r := need(rounds.For(ana).Participation(t.Context(), "shut"))(t).Round; len(r.Coordinators) != 0 {
		t.Errorf("coordinators of the closed round are %v", r.Coordinators)
	}
	env.works(t, []string{"export", "shut", "--out", t.TempDir()}, ".csv")
	env.works(t, []string{"rounds"}, "shut ")
	env.works(t, []string{"backup", filepath.Join(t.TempDir(), "b.age"), "--recipient", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"}, "rounds: 3")
	if head := need(rounds.As(ana).AuditLog(t.Context(), "open"))(t).Head(); head.Seq != before+1 || head.Action != audit.Forgotten || len(head.Changes) > 0 {
		t.Errorf("the record ends with %+v", head)
	}
	if r := need(rounds.For(ana).Participation(t.Context(), "open"))(t).Round; len(r.Coordinators) != 1 {
		t.Errorf("coordinators are %v", r.Coordinators)
	}
	if _, added, err := rounds.As(ana).Invite(t.Context(), "open", []survey.Member{{Person: ben}}); err != nil || len(added) != 1 {
		t.Errorf("they cannot be invited again: %v", err)
	}
}

// keys are those of an operator, in a file as age-keygen writes it.
func keys(t *testing.T) (public, file string) {
	t.Helper()
	identity := need(age.GenerateX25519Identity())(t)
	file = filepath.Join(t.TempDir(), "key.txt")
	if err := os.WriteFile(file, []byte("# created by a test\n"+identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return identity.Recipient().String(), file
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	url, rounds := keptRounds(t)
	public, secret := keys(t)
	second, other := keys(t)
	folder := t.TempDir()
	file, journal := filepath.Join(folder, "backup.age"), filepath.Join(folder, "erasures")
	env := environment{"REDIS_URL": url, "BACKUP_RECIPIENT": public + "," + second}
	journalled := need(openJournal(journal))(t)
	env.works(t, []string{"backup", file}, "rounds: 3, people: 16, responses: 16, assessments: 0", "Rounds that were not closed: 2.")
	raw := need(os.ReadFile(file))(t)
	if info := need(os.Stat(file))(t); info.Mode().Perm() != 0o600 || bytes.Contains(raw, []byte("slack")) || len(namesIn(t, folder)) != 2 {
		t.Errorf("mode %v, or not encrypted, or beside it %v", info.Mode(), namesIn(t, folder))
	}
	env.says(t, 1, []string{"backup", file}, "is there already")
	env.works(t, []string{"backup", file, "--force"})
	if out := env.works(t, []string{"backup", "-"}); !strings.HasPrefix(out, "age-encryption.org/v1\n") {
		t.Errorf("got %.40q", out)
	}
	env.says(t, 1, []string{"backup", filepath.Join(folder, "x"), "--recipient", "age1nobody"}, "--recipient wants public keys")
	key := strings.Split(string(need(os.ReadFile(secret))(t)), "\n")[1]
	if out := env.says(t, 1, []string{"backup", filepath.Join(folder, "x"), "--recipient", key}, "give the public key"); strings.Contains(out, key) {
		t.Error("the secret key is repeated")
	}

	env.works(t, []string{"restore", file, "--check", "--identity", secret}, "is whole. rounds: 3, people: 16, responses: 16, assessments: 0")
	env.works(t, []string{"restore", file, "--check", "--identity", other}, "is whole")
	env.says(t, 1, []string{"restore", file, "--identity", secret}, "the store holds rounds: 3. Nothing was changed.", "--replace")
	_, strangers := keys(t)
	env.says(t, 1, []string{"restore", file, "--check", "--identity", strangers}, "was not made for the key in")
	env.says(t, 1, []string{"restore", file, "--check", "--identity", file}, "holds no secret key")
	env.says(t, 1, []string{"restore", secret, "--check", "--identity", secret}, "is not a backup of maturitybot")
	raw = need(os.ReadFile(file))(t)
	for name, damaged := range map[string][]byte{"cut off": raw[:len(raw)-30], "altered": append(append(bytes.Clone(raw[:len(raw)-20]), raw[len(raw)-20]^1), raw[len(raw)-19:]...)} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"--check"}, {"--replace"}} {
			env.says(t, 1, append([]string{"restore", path, "--identity", secret}, args...), "read the backup")
		}
	}

	// What happens after the backup: one withdraws, one is forgotten, the open round is closed. Then Redis is lost.
	store := need(redis.Open(t.Context(), url))(t)
	store.KeepJournal(journalled)
	later := survey.NewRounds(store, editions(), time.Now)
	need(later.For("slack:T1:U0").Withdraw(t.Context(), "open"))(t)
	env.works(t, []string{"forget", ben, "--yes", "--erasures", journal})
	if _, _, err := later.As(ana).Close(t.Context(), "open"); err != nil {
		t.Fatal(err)
	}
	env.works(t, []string{"forget", "slack:T1:U2", "--yes", "--erasures", journal})
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	lost := "redis://" + miniredis.RunT(t).Addr()
	env["REDIS_URL"] = lost
	env.says(t, 1, []string{"restore", file, "--identity", secret}, "it is not known what was erased", "--without-erasures")
	late := filepath.Join(folder, "late")
	if err := need(openJournal(late))(t).Close(); err != nil {
		t.Fatal(err)
	}
	env.says(t, 1, []string{"restore", file, "--identity", secret, "--erasures", late}, "it is not known what was erased", "begun before the backup")
	env.works(t, []string{"restore", file, "--identity", secret, "--erasures", journal + "," + late}, "Restored rounds: 3",
		"withdrew after the backup (counted in each round): 1.", "forgotten after the backup (counted in each round): 4.", "now closed again, so that nobody can tell whose answers are whose: open.")
	restored := roundsAt(t, lost)
	r := need(restored.For("slack:T1:U1").Participation(t.Context(), "open"))(t)
	if r.Round.State != survey.Closed || !r.Round.Anonymised || r.Member.Role != "" || r.Round.Turnout.Finished != 6 {
		t.Errorf("got %+v of %+v", r.Member, r.Round.Turnout)
	}
	if seat := need(restored.For("slack:T1:U2").Participation(t.Context(), "open"))(t); seat.Member.Status != survey.NotInvited {
		t.Errorf("who was forgotten after the close is there as %s", seat.Member.Status)
	}
	for _, id := range []survey.RoundID{"open", "shut", "drafted"} {
		record := need(restored.System().AuditLog(t.Context(), survey.Round{ID: id}))(t)
		head := record.Head()
		if record.Broken != 0 || head.By != audit.Operator || head.Action != audit.Restored || len(head.Changes) != 1 || head.Changes[0].Field != audit.FieldBackup {
			t.Errorf("the record of %s ends with %+v, broken at %d", id, head, record.Broken)
		} else if at := need(time.Parse(time.RFC3339, head.Changes[0].New))(t); time.Since(at) > time.Hour {
			t.Errorf("the backup of %s is of %v", id, at)
		}
	}
	if p := need(restored.System().Results(t.Context(), "open"))(t); p.Respondents != 6 {
		t.Errorf("%d people answered, want 6", p.Respondents)
	}
	if seat := need(rounds.For(ben).Participation(t.Context(), "open"))(t); seat.Member.Status != survey.NotInvited {
		t.Error("the test forgot nobody")
	}

	env["REDIS_URL"] = "redis://" + miniredis.RunT(t).Addr()
	gone := filepath.Join(folder, "gone")
	env["ERASURES"] = gone
	env.works(t, []string{"restore", file, "--identity", secret, "--check"}, "is whole")
	env.says(t, 1, []string{"restore", file, "--identity", secret}, "the file of erasures "+gone+" is not there: give the copy you kept (--erasures FILE), or --without-erasures")
	env.works(t, []string{"restore", file, "--identity", secret, "--without-erasures"}, "WARNING: for 3 rounds it is not known what was erased")
}

// TestRestoreFromStandardInput: what backup writes to a pipe, restore takes from one, and leaves no copy behind.
func TestRestoreFromStandardInput(t *testing.T) {
	url, _ := keptRounds(t)
	public, secret := keys(t)
	env := environment{"REDIS_URL": url}
	_, backup, _ := env.exec(t, "", "backup", "-", "--recipient", public)
	spool := t.TempDir()
	t.Setenv("TMPDIR", spool)
	if code, out, errs := env.exec(t, backup, "restore", "-", "--identity", secret, "--check"); code != 0 || !strings.HasPrefix(out, "standard input is whole. rounds: 3") {
		t.Errorf("code %d, %s%s", code, out, errs)
	}
	env["REDIS_URL"] = "redis://" + miniredis.RunT(t).Addr()
	if code, out, errs := env.exec(t, backup, "restore", "-", "--identity", secret, "--without-erasures"); code != 0 || !strings.Contains(out, "Restored rounds: 3") {
		t.Errorf("code %d, %s%s", code, out, errs)
	}
	if left := namesIn(t, spool); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	screen, in, err := pty.Open()
	if err != nil {
		t.Skip("no terminal here: ", err)
	}
	defer func() { _, _ = in.Close(), screen.Close() }() // it has served
	var out bytes.Buffer
	if code := run(t.Context(), []string{"restore", "-", "--identity", secret}, system{env: env.get, in: in, out: &out, err: &out}); code != 1 || !strings.Contains(out.String(), "cannot be typed in a terminal") {
		t.Errorf("code %d\n%s", code, out.String())
	}
}

// TestForgetAfterInterruptedClose forgets a person in a round that was closed, but has not counted its people yet. The
// count includes them.
func TestForgetAfterInterruptedClose(t *testing.T) {
	t.Parallel()
	url, rounds := keptRounds(t)
	env := environment{"REDIS_URL": url}
	store := need(redis.Open(t.Context(), url))(t)
	defer func() { _ = store.Close() }() // the test is over
	need(store.CloseRound(t.Context(), "open", time.Now(), audit.Entry{}))(t)
	env.works(t, []string{"forget", ben, "--yes", "--without-erasures"})
	if s := need(rounds.System().Progress(t.Context(), "open"))(t); s.Invited != 8 || s.Finished != 8 || !s.Round.Anonymised {
		t.Errorf("got %+v", s)
	}
}

// TestForgetAsks asks for a confirmation at a terminal, and does nothing without it.
func TestForgetAsks(t *testing.T) {
	t.Parallel()
	url, rounds := keptRounds(t)
	env := environment{"REDIS_URL": url}
	for _, c := range []struct {
		answer, want string
		code         int
		standing     survey.Status
	}{
		{"\n", "nothing was erased", 1, survey.Finished},
		{"\x04", "there is no terminal to confirm at: give --yes", 1, survey.Finished}, // ends the input
		{"yes\n", "answers erased", 0, survey.NotInvited},
	} {
		screen, in, err := pty.Open()
		if err != nil {
			t.Skip("no terminal here: ", err)
		}
		if _, err := screen.WriteString(c.answer); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if code := run(t.Context(), []string{"forget", ben, "--without-erasures"}, system{env: env.get, in: in, out: &out, err: &out}); code != c.code || !strings.Contains(out.String(), "Go on? [y/N]") || !strings.Contains(out.String(), c.want) {
			t.Errorf("%q: code %d\n%s", c.answer, code, out.String())
		}
		if seat := need(rounds.For(ben).Participation(t.Context(), "open"))(t); seat.Member.Status != c.standing {
			t.Errorf("%q: they are %q", c.answer, seat.Member.Status)
		}
		_, _ = in.Close(), screen.Close() // it has served
	}
}

// TestNullDeviceIsNotATerminal, by whatever name it was opened: it answers no question, and takes a backup.
func TestNullDeviceIsNotATerminal(t *testing.T) {
	t.Parallel()
	url, _ := keptRounds(t)
	public, _ := keys(t)
	env := environment{"REDIS_URL": url}
	path := filepath.Join(t.TempDir(), "stdin")
	if err := os.Symlink(os.DevNull, path); err != nil {
		t.Skip("no links here: ", err)
	}
	null := need(os.OpenFile(path, os.O_RDWR, 0))(t)
	defer func() { _ = null.Close() }() // it has served
	var out bytes.Buffer
	if code := run(t.Context(), []string{"forget", ben}, system{env: env.get, in: null, out: &out, err: &out}); code != 1 || out.String() != "maturitybot: there is no terminal to confirm at: give --yes\n" {
		t.Errorf("code %d\n%s", code, out.String())
	}
	if code := run(t.Context(), []string{"backup", "-", "--recipient", public}, system{env: env.get, in: null, out: null, err: &out}); code != 0 {
		t.Errorf("code %d\n%s", code, out.String())
	}
}

// TestServeKeepsTheJournal: what a process erases while it serves, here by closing a round whose time has come, is in the file it was given.
func TestServeKeepsTheJournal(t *testing.T) {
	t.Parallel()
	f := fake.New(t)
	f.AddUser(fake.User{ID: "U0ANA"})
	f.AddUser(fake.User{ID: "U0BEN"})
	f.AddChannel(fake.Channel{ID: "C0TEAM", BotIn: true})
	url, path := "redis://"+miniredis.RunT(t).Addr(), filepath.Join(t.TempDir(), "erasures")
	place := "slack:" + fake.Team + ":"
	invited(t, url, place+"C0TEAM", place+"U0ANA", place+"U0BEN")
	c := serveCommand{
		storeFlag: storeFlag{RedisURL: url}, erasuresFlag: erasuresFlag{Erasures: path}, platformFlags: platformFlags{SlackAPI: fake.URL}, dial: f.Dial,
		now: func() time.Time { return time.Now().Add(301 * time.Hour) },
	}
	errs, end := serving(t, c, map[string]string{"SLACK_BOT_TOKEN": fake.Token, "SLACK_APP_TOKEN": fake.AppToken})
	var raw []byte
	if !f.Until(func() bool {
		raw, _ = os.ReadFile(path) // not there yet, or not yet written
		return strings.Contains(string(raw), `"what":"closed"`)
	}) {
		t.Errorf("nothing was written\n%s", errs)
	}
	if err := end(); err != nil || !strings.Contains(string(raw), `"what":"closed","round":"serve23456"}`) {
		t.Errorf("ended with %v, and the journal is %q", err, raw)
	}
}
