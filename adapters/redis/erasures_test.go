package redis

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/results"
)

// journalled returns a journal in a file, opened as the program opens an operator's.
func journalled(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	must(t, err)
	t.Cleanup(func() { _ = f.Close() }) // the test is over
	return f
}

// TestErasedStaysErased checks that a restore brings back nobody who withdrew or was forgotten
// after the backup, and no secret of a round that was closed since. The ledger of the live store
// says so, or a journal when the store is lost.
func TestErasedStaysErased(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"living store", "journal", "two journals"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s, path := embedded(t).Store, filepath.Join(t.TempDir(), "erasures")
			file := journalled(t, path)
			must(t, BeginJournal(file))
			s.KeepJournal(file)
			ctx, now := t.Context(), time.Now()
			// People who withdrew or were forgotten before the backup, and joined again, are unchanged.
			_, open := opened(t, s, "open", "stays", "goes", "forgotten", "back", "anew", "invited")
			must(t, s.Withdraw(ctx, open[3]), errorOf(s.Forget(ctx, "open", "anew")))
			open[3], open[4] = takesPart(t, s, "open", "back"), takesPart(t, s, "open", "anew")
			shut, closing := opened(t, s, "closing", "stays", "goes", "forgotten")
			for _, place := range slices.Concat(open[:5], closing) {
				must(t, errorOf(s.Answer(ctx, place, now, survey.Operation{ID: "o"}, "vision", 2)))
			}
			shut.Coordinators = []survey.PersonID{"forgotten", "slack:T1:UC"}
			must(t, s.SaveRound(ctx, shut, audit.Entry{}))
			shut.Version++
			backup := backedUp(t, s)

			if way == "two journals" {
				s.KeepJournal(journalled(t, path+"2"))
			}
			must(t, s.Withdraw(ctx, open[1]), s.Withdraw(ctx, closing[1]))
			for _, id := range []survey.RoundID{"open", "closing"} {
				must(t, errorOf(s.Forget(ctx, id, "forgotten")))
			}
			shut, err := s.CloseRound(ctx, "closing", now.Add(time.Second+time.Nanosecond), audit.Entry{})
			must(t, err)

			to, o := s, RestoreOptions{Replace: true}
			if way != "living store" {
				to, o = embedded(t).Store, RestoreOptions{}
				if _, err := to.Restore(ctx, again(backup), o); !errors.Is(err, ErrErasuresUnknown) {
					t.Errorf("without a journal: %v", err)
				}
				if left := everything(t, to); len(left) > 0 {
					t.Errorf("refused, and yet there is %v", left)
				}
				o.Journals = []JournalFile{journalled(t, path)}
				if way == "two journals" {
					o.Journals = append([]JournalFile{journalled(t, path+"2")}, o.Journals...)
				}
			}
			r := restoring(t, to, backup, o)
			if r.Withdrawn != 2 || r.Forgotten != 2 || !slices.Equal(r.Closed, []survey.RoundID{"closing"}) || r.Rounds != 2 || r.Unknown != 0 {
				t.Errorf("got %+v", r)
			}
			if got := restoring(t, to, backup, RestoreOptions{Replace: true}); got.Withdrawn != 2 || got.Forgotten != 2 || len(got.Closed) != 1 {
				t.Errorf("from what the restored store knows: %+v", got)
			}
			holdsOnly(t, to, "open", map[survey.PersonID]survey.Status{
				"stays": survey.Started, "goes": survey.Withdrawn, "back": survey.Started, "anew": survey.Started, "invited": survey.Started,
			}, 3)
			holdsOnly(t, to, "closing", map[survey.PersonID]survey.Status{"stays": survey.Started, "goes": survey.Withdrawn}, 1)
			place, err := to.Participation(ctx, "closing", "stays")
			if err != nil || place.Pseudonym != "" || place.Round.State != survey.Closed || !place.Round.ClosedAt.Equal(shut.ClosedAt) ||
				!slices.Equal(place.Round.Coordinators, []survey.PersonID{"slack:T1:UC"}) {
				t.Errorf("got %+v, %v", place, err)
			}
			for key, holds := range everything(t, to) {
				if strings.Contains(key+holds, "forgotten") && !strings.HasPrefix(key, "erased:") {
					t.Errorf("%s: %s", key, holds)
				}
			}
		})
	}
}

// holdsOnly checks who is in a round and how many responses it has.
func holdsOnly(t *testing.T, s *Store, id survey.RoundID, want map[survey.PersonID]survey.Status, answered int) {
	t.Helper()
	got := map[survey.PersonID]survey.Status{}
	must(t, s.Roster(t.Context(), id, func(m survey.Member) error {
		got[m.Person] = m.Status
		return nil
	}))
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", id, got, want)
	}
	keys := 0
	must(t, s.Responses(t.Context(), id, func(r results.Response) error {
		if len(r.Answers) > 0 {
			keys++
		}
		return nil
	}))
	taking := 0
	for _, status := range want {
		if status == survey.Started {
			taking++
		}
	}
	there, listed := len(s.client.Keys(t.Context(), responseKey(id, "*")).Val()), int(s.client.ZCard(t.Context(), responsesKey(id)).Val())
	if keys != answered || there != taking || listed != taking {
		t.Errorf("%s: %d have answered, in %d responses, %d listed; want %d in %d", id, keys, there, listed, answered, taking)
	}
}

// TestJournalIdentifiesNoPerson checks that a line of the journal has the kind of erasure, the
// time, the round, and a hash that only the store can match to a person.
func TestJournalIdentifiesNoPerson(t *testing.T) {
	t.Parallel()
	s, path := embedded(t).Store, filepath.Join(t.TempDir(), "erasures")
	s.KeepJournal(journalled(t, path))
	_, places := opened(t, s, "r1", "slack:T1:ANA", "slack:T1:BEN")
	must(t, s.Withdraw(t.Context(), places[0]), s.Withdraw(t.Context(), places[0]), errorOf(s.Forget(t.Context(), "r1", "slack:T1:BEN")))
	must(t, errorOf(s.CloseRound(t.Context(), "r1", time.Now(), audit.Entry{})))
	raw, err := os.ReadFile(path)
	must(t, err)
	lines := slices.DeleteFunc(strings.Split(string(raw), "\n"), func(l string) bool { return l == "" })
	if len(lines) != 4 || lines[0] != lines[1] || strings.Contains(string(raw), "slack") {
		t.Errorf("got\n%s", raw)
	}
	salt := s.client.HGet(t.Context(), roundKey("r1"), "salt").Val()
	for i, want := range []string{`"what":"withdrawn","round":"r1","mark":"` + markOf(salt, "slack:T1:ANA"), "", `"what":"forgotten","round":"r1","mark":"` + markOf(salt, "slack:T1:BEN"), `"what":"closed","round":"r1"}`} {
		if len(salt) < 20 || !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %s, want %s in it", i+1, lines[i], want)
		}
	}
}

// fullDisk is a journal that cannot be written.
type fullDisk struct{ sync bool }

func (f fullDisk) Write(p []byte) (int, error) {
	if f.sync {
		return len(p), nil
	}
	return 0, errors.New("no space left on device")
}
func (fullDisk) Sync() error { return errors.New("input/output error") }

// TestErasureFailsWithoutJournalEntry checks that an erasure whose journal entry cannot be written
// is not reported as done, and that trying it again writes the entry.
func TestErasureFailsWithoutJournalEntry(t *testing.T) {
	t.Parallel()
	for _, disk := range []fullDisk{{}, {sync: true}} {
		s := embedded(t).Store
		_, places := opened(t, s, "r1", "p1", "p2")
		s.KeepJournal(disk)
		ways := map[string]func() error{
			"withdraw": func() error { return s.Withdraw(t.Context(), places[0]) },
			"forget":   func() error { return errorOf(s.Forget(t.Context(), "r1", "p2")) },
			"close":    func() error { return errorOf(s.CloseRound(t.Context(), "r1", time.Now(), audit.Entry{})) },
		}
		for _, way := range []string{"withdraw", "forget", "close"} {
			s.KeepJournal(disk)
			if err := ways[way](); !errors.Is(err, survey.ErrUnavailable) {
				t.Errorf("%s: got %v", way, err)
			}
			var kept notes
			s.KeepJournal(&kept)
			if err := ways[way](); err != nil || kept.Len() == 0 {
				t.Errorf("%s, again: %v, and noted is %q", way, err, kept.String())
			}
		}
	}
}

// TestAnonymisingRecordsTheClose checks that a close whose journal entry could not be written is
// recorded when the roster is anonymised, or later.
func TestAnonymisingRecordsTheClose(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	opened(t, s, "r1", "p1")
	s.KeepJournal(fullDisk{})
	if err := errorOf(s.CloseRound(t.Context(), "r1", time.Now(), audit.Entry{})); !errors.Is(err, survey.ErrUnavailable) {
		t.Errorf("close: got %v", err)
	}
	if err := s.AnonymiseRoster(t.Context(), "r1", results.Turnout{Invited: 1}); !errors.Is(err, survey.ErrUnavailable) {
		t.Errorf("anonymise: got %v", err)
	}
	var kept notes
	s.KeepJournal(&kept)
	must(t, s.AnonymiseRoster(t.Context(), "r1", results.Turnout{Invited: 1}))
	r, err := s.Round(t.Context(), "r1")
	must(t, err)
	known := map[survey.RoundID]ledger{"r1": {}}
	must(t, errorOf(readJournal("journal", &kept.Buffer, time.Now(), known)))
	if at := r.ClosedAt.Format(time.RFC3339Nano); !r.Anonymised || known["r1"][closed] != at {
		t.Errorf("the journal has %v, want the close at %s; anonymised: %v", known, at, r.Anonymised)
	}
}

// notes is a journal in memory.
type notes struct{ bytes.Buffer }

func (*notes) Sync() error { return nil }

// TestForgetAfterClose checks that the answers of people who are forgotten after the close stay in
// the round and are counted, as in the store where it was closed, unless the backup was made
// before the close.
func TestForgetAfterClose(t *testing.T) {
	t.Parallel()
	ctx, now := t.Context(), time.Now()
	for name, c := range map[string]struct {
		before     func(s *Store, place survey.Participation) error // the close
		anonymised bool                                             // already in the backup
		answered   int
		uncounted  bool
	}{
		"only after":               {func(*Store, survey.Participation) error { return nil }, false, 2, true},
		"anonymised in the backup": {func(*Store, survey.Participation) error { return nil }, true, 2, false},
		"withdrawn before":         {func(s *Store, place survey.Participation) error { return s.Withdraw(ctx, place) }, false, 1, true},
		"forgotten before":         {func(s *Store, place survey.Participation) error { return errorOf(s.Forget(ctx, "r1", "goes")) }, false, 1, false},
	} {
		for _, way := range []string{"living store", "journal"} {
			s := embedded(t).Store
			path := filepath.Join(t.TempDir(), "erasures")
			file := journalled(t, path)
			must(t, BeginJournal(file))
			s.KeepJournal(file)
			_, places := opened(t, s, "r1", "goes", "stays")
			for _, place := range places {
				must(t, errorOf(s.Answer(ctx, place, now, survey.Operation{ID: "o"}, "vision", 2)))
			}
			var backup []byte
			closing := func() {
				must(t, errorOf(s.CloseRound(ctx, "r1", now, audit.Entry{})), s.AnonymiseRoster(ctx, "r1", results.Turnout{Invited: 2}))
			}
			if c.anonymised {
				closing()
				backup = backedUp(t, s)
			} else {
				backup = backedUp(t, s)
				must(t, c.before(s, places[0]))
				closing()
			}
			must(t, errorOf(s.Forget(ctx, "r1", "goes")))
			to, o := s, RestoreOptions{Replace: true}
			if way == "journal" {
				to, o = embedded(t).Store, RestoreOptions{Journals: []JournalFile{journalled(t, path)}}
			}
			r := restoring(t, to, backup, o)
			if r.Forgotten != 1 || r.Withdrawn != 0 || (len(r.Uncounted["r1"]) == 1) != c.uncounted {
				t.Errorf("%s, %s: got %+v", name, way, r)
			}
			roster, answered := map[survey.PersonID]survey.Status{}, 0
			must(t, to.Roster(ctx, "r1", func(m survey.Member) error { roster[m.Person] = m.Status; return nil }),
				to.Responses(ctx, "r1", func(results.Response) error { answered++; return nil }))
			want := survey.NotInvited
			if c.uncounted {
				want = survey.Started
			}
			if name == "withdrawn before" {
				want = survey.Withdrawn
			}
			if roster["goes"] != want || answered != c.answered {
				t.Errorf("%s, %s: %d have answered, in the roster are %v", name, way, answered, roster)
			}
		}
	}
}

// filling is a journal whose disk becomes full in the middle of the first line.
type filling struct {
	notes
	full bool
}

func (f *filling) Write(p []byte) (int, error) {
	if !f.full {
		f.full = true
		n, _ := f.notes.Write(p[:len(p)/2])
		return n, errors.New("no space left on device")
	}
	return f.notes.Write(p)
}

// TestJournalTornLine checks that an entry after a line that was written in part begins a new
// line.
func TestJournalTornLine(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	_, places := opened(t, s, "r1", "p1")
	var kept filling
	s.KeepJournal(&kept)
	if err := s.Withdraw(t.Context(), places[0]); !errors.Is(err, survey.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	must(t, s.Withdraw(t.Context(), places[0]))
	known := map[survey.RoundID]ledger{"r1": {}}
	if _, err := readJournal("journal", strings.NewReader(kept.String()), time.Now(), known); err == nil || !strings.Contains(err.Error(), "journal:2: ") {
		t.Errorf("the half line: %v", err)
	}
	_, after, _ := strings.Cut(strings.TrimSpace(kept.String()), "\n") // as the error says, it is taken out
	if _, err := readJournal("journal", strings.NewReader(after), time.Now(), known); err != nil || len(known["r1"]) != 1 {
		t.Errorf("after it: %v, %v, of\n%s", known, err, kept.String())
	}
}

// TestJournalBegunLater checks that a journal that was begun after the backup does not count as
// complete.
func TestJournalBegunLater(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	opened(t, s, "r1", "p1")
	var before notes
	must(t, BeginJournal(&before))
	backup := backedUp(t, s)
	var after notes
	must(t, BeginJournal(&after))
	s.KeepJournal(&after)
	must(t, errorOf(s.Forget(t.Context(), "r1", "p2")))
	erasedBefore := `{"at":"2020-12-01T10:00:00Z","what":"withdrawn","round":"another","mark":"ab"}` + "\n"
	for name, c := range map[string]struct {
		journals []string
		known    bool
	}{
		"empty":                       {[]string{""}, false},
		"begun after":                 {[]string{after.String()}, false},
		"begun before":                {[]string{before.String()}, true},
		"one begun before":            {[]string{after.String(), before.String(), ""}, true},
		"with another line":           {[]string{erasedBefore + after.String()}, true},
		"with another line, unsorted": {[]string{after.String() + erasedBefore}, true},
	} {
		var o RestoreOptions
		for i, text := range c.journals {
			path := filepath.Join(t.TempDir(), fmt.Sprint(i))
			must(t, os.WriteFile(path, []byte(text), 0o600))
			o.Journals = append(o.Journals, journalled(t, path))
		}
		to := embedded(t).Store
		r, err := to.Restore(t.Context(), again(backup), o)
		if c.known != (err == nil) || !c.known && (!errors.Is(err, ErrErasuresUnknown) || len(everything(t, to)) > 0) {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
	}
}

// TestJournalMalformed checks that the error names the malformed line, and that nothing is
// restored.
func TestJournalMalformed(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	opened(t, s, "r1", "p1")
	backup := backedUp(t, s)
	good := `{"at":"2026-12-01T10:00:00Z","what":"withdrawn","round":"r1","mark":"ab"}` + "\n"
	for name, line := range map[string]string{
		"torn":          `{"at":"2026-12-01T10:0`,
		"no time":       `{"what":"closed","round":"r1"}`,
		"no round":      `{"at":"2026-12-01T10:00:00Z","what":"closed"}`,
		"another word":  `{"at":"2026-12-01T10:00:00Z","what":"moved","round":"r1","mark":"ab"}`,
		"nobody":        `{"at":"2026-12-01T10:00:00Z","what":"withdrawn","round":"r1"}`,
		"begun of one":  `{"at":"2026-12-01T10:00:00Z","what":"begun","round":"r1"}`,
		"begun by one":  `{"at":"2026-12-01T10:00:00Z","what":"begun","mark":"ab"}`,
		"other round's": `{"at":"2026-12-01T10:00:00Z","what":"withdrawn","round":"r9"}`,
		"long":          strings.Repeat("x", 2*maxJournalLine),
	} {
		path := filepath.Join(t.TempDir(), "journal")
		must(t, os.WriteFile(path, []byte(good+"\n"+line+"\n"), 0o600))
		to := embedded(t).Store
		_, err := to.Restore(t.Context(), again(backup), RestoreOptions{Journals: []JournalFile{journalled(t, path)}})
		if err == nil || !strings.Contains(err.Error(), "journal:3: ") {
			t.Errorf("%s: got %v", name, err)
		}
		if left := everything(t, to); len(left) > 0 {
			t.Errorf("%s: refused, and yet there is %v", name, left)
		}
	}
}

// TestLedgersTakeTheLatest checks that the second of two erasures has the later time, although the
// clocks of the processes differ.
func TestLedgersTakeTheLatest(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx := t.Context()
	_, places := opened(t, s, "r1", "p1")
	must(t, s.Withdraw(ctx, places[0]))
	first := ledger(s.client.HGetAll(ctx, erasedKey("r1")).Val())
	takesPart(t, s, "r1", "p1")
	s.now = func() time.Time { return time.Now().Add(-time.Hour) }
	must(t, s.Withdraw(ctx, places[0]))
	second := ledger(s.client.HGetAll(ctx, erasedKey("r1")).Val())
	if got := second.after(first); len(got) != 1 || len(first.after(second)) != 0 || len(second.after(second)) != 0 {
		t.Errorf("first %v, then %v: later is %v", first, second, got)
	}
}

// TestLastCoordinatorStaysForgotten checks that a closed round whose only coordinator was
// forgotten is backed up and restored like any other.
func TestLastCoordinatorStaysForgotten(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx, now := t.Context(), time.Now()
	opened(t, s, "shut", "stays")
	shut, err := s.CloseRound(ctx, "shut", now, audit.Entry{})
	must(t, err)
	before := backedUp(t, s)
	lead := shut.Coordinators[0]
	must(t, errorOf(s.Forget(ctx, "shut", lead)))
	shut.Coordinators = nil
	must(t, s.SaveRound(ctx, shut, audit.Entry{}))
	for what, backup := range map[string][]byte{"made before": before, "made after": backedUp(t, s)} {
		r := restoring(t, s, backup, RestoreOptions{Replace: true})
		if got, err := s.Round(ctx, "shut"); err != nil || len(got.Coordinators) > 0 || r.Rounds != 1 {
			t.Errorf("%s: coordinators are %v, %v; %+v", what, got.Coordinators, err, r)
		}
	}
}
