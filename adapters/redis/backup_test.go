package redis

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
	"maturitybot/survey/workshop"
)

// again is a backup that can be read from its beginning any number of times.
func again(backup []byte) func() (io.Reader, error) {
	return func() (io.Reader, error) { return bytes.NewReader(backup), nil }
}

func backedUp(t testing.TB, s *Store) []byte {
	t.Helper()
	var b bytes.Buffer
	wrote, err := s.Backup(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	read, err := CheckBackup(bytes.NewReader(b.Bytes()))
	if err != nil || read != wrote {
		t.Fatalf("it wrote %+v, and reads %+v, %v", wrote, read, err)
	}
	return b.Bytes()
}

func restoring(t testing.TB, s *Store, backup []byte, o RestoreOptions) Restored {
	t.Helper()
	r, err := s.Restore(t.Context(), again(backup), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// everything returns the value and the expiry of each key of the store, without the keys that
// backups leave out. Of a list of rounds it returns the rounds only, because a restore builds the
// list anew.
func everything(t testing.TB, s *Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	var mu sync.Mutex
	read := func(ctx context.Context, node *goredis.Client) error {
		keys, err := node.Keys(ctx, "*").Result()
		if err != nil {
			return err
		}
		keys = slices.DeleteFunc(keys, func(key string) bool {
			return strings.HasPrefix(key, "operation_times:") || strings.HasPrefix(key, "event:") || key == dueKey || key == plansKey
		})
		types := make([]*goredis.StatusCmd, len(keys))
		expiries := make([]*goredis.DurationCmd, len(keys))
		pipe := node.Pipeline()
		for i, key := range keys {
			types[i], expiries[i] = pipe.Type(ctx, key), pipe.ExpireTime(ctx, key)
		}
		if err := exec(ctx, pipe); err != nil {
			return err
		}
		texts := make([]func() string, len(keys))
		for i, key := range keys {
			texts[i] = holds(ctx, pipe, key, types[i].Val(), expiries[i].Val())
		}
		if err := exec(ctx, pipe); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for i, key := range keys {
			all[key] = texts[i]()
		}
		return nil
	}
	var err error
	if cluster, ok := s.client.(*goredis.ClusterClient); ok {
		err = cluster.ForEachMaster(t.Context(), read)
	} else {
		err = read(t.Context(), s.client.(*goredis.Client))
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// holds adds the command that reads a key to the pipeline, and returns a function that returns the
// value once the pipeline was sent.
func holds(ctx context.Context, pipe goredis.Pipeliner, key, kind string, expires time.Duration) func() string {
	until := func(holds any) string { return fmt.Sprintf("%q until %v", holds, expires) }
	switch kind {
	case "string":
		value := pipe.Get(ctx, key)
		return func() string { return until(value.Val()) }
	case "hash":
		fields := pipe.HGetAll(ctx, key)
		return func() string { return until(fields.Val()) }
	case "set":
		members := pipe.SMembers(ctx, key)
		return func() string { return until(slices.Sorted(slices.Values(members.Val()))) }
	case "list":
		entries := pipe.LRange(ctx, key, 0, -1)
		return func() string { return until(entries.Val()) }
	case "zset":
		members := pipe.ZRangeWithScores(ctx, key, 0, -1)
		return func() string {
			switch {
			case key == roundsKey:
				return fmt.Sprint(members.Val())
			case strings.HasPrefix(key, "person:") || strings.HasPrefix(key, "channel:"):
				var rounds []string
				for _, z := range members.Val() {
					rounds = append(rounds, fmt.Sprint(z.Member))
				}
				return fmt.Sprint(slices.Sorted(slices.Values(rounds)))
			}
			return until(members.Val())
		}
	}
	return func() string { return "a value of type " + kind }
}

func differences(t *testing.T, got, want map[string]string) {
	t.Helper()
	for key := range maps.Keys(want) {
		if got[key] != want[key] {
			t.Errorf("%s\ngot  %s\nwant %s", key, got[key], want[key])
		}
	}
	for key := range got {
		if want[key] == "" {
			t.Errorf("%s is there too: %s", key, got[key])
		}
	}
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// peopled keeps an open round with members of every status, a draft, and a closed round whose
// roster is anonymised.
func peopled(t testing.TB, s *Store) {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	var names []string
	for i := range 150 { // more than one page, and than Redis keeps in one piece
		names = append(names, fmt.Sprintf("slack:T1:U%03d", i))
	}
	_, places := opened(t, s, "open", names...)
	for i, place := range places {
		must(t, errorOf(s.Answer(ctx, place, now, survey.Operation{ID: "o", At: now}, elements[i%len(elements)], matrix.Rating(1+i%4))))
		must(t, errorOf(s.ChangeMember(ctx, place, now, func(m *survey.Member) error {
			m.Status, m.Role, m.Group, m.Language, m.TimeZone = survey.Finished, "midwife", "health", "cy", "Asia/Tokyo"
			return nil
		})))
	}
	must(t, errorOf(s.Detail(ctx, places[0], now, survey.Operation{ID: "d"}, "vision", results.Detail{Information: []string{"audit"}, Note: "nodyn\u0000ŵ\"<&>"})))
	must(t, errorOf(s.Invite(ctx, "open", []survey.Member{{Person: "slack:T1:UINVITED"}}, survey.Invitation, now, nil)))
	must(t, s.Withdraw(ctx, places[1]), errorOf(s.Forget(ctx, "open", places[2].Member.Person)))
	must(t, s.Plan(ctx, "open", "digest@2026-12-04", now), s.MarkPlanned(ctx, "open", []string{"nudge Asia/Tokyo"}))
	for range 3 {
		must(t, s.AppendEntry(ctx, "open", func([]audit.Entry) (audit.Entry, bool) {
			return audit.Entry{Action: audit.Results}, true
		}))
	}

	draft, _ := opened(t, s, "later")
	draft.ID, draft.State = "draft", survey.Draft
	must(t, s.CreateRound(ctx, draft, audit.Entry{}))

	_, places = opened(t, s, "closed", names[:7]...)
	a := meetingOf(t, s, "closed")
	for _, person := range names[:7] {
		takesPartInWorkshop(t, s, a, survey.PersonID(person))
	}
	must(t, errorOf(s.EndWorkshop(ctx, a, now, audit.Entry{})))
	a = assessmentOf(t, s, "closed") // what was kept beside the body is in it from the next change on
	must(t, a.Change("vision", workshop.Rating{Level: 2, How: workshop.AllAgreed, Reason: "r"}), s.SaveAssessment(ctx, a, audit.Entry{}))
	for _, place := range places {
		must(t, errorOf(s.Answer(ctx, place, now, survey.Operation{ID: "o"}, "vision", 2)))
	}
	must(t, errorOf(s.CloseRound(ctx, "closed", now, audit.Entry{})), s.AnonymiseRoster(ctx, "closed", results.Turnout{Invited: 7, Started: 7}))
}

// peopledBackup returns a backup of an embedded store with the rounds of peopled, and what
// everything returns for that store. Both are made once for all tests.
func peopledBackup(t testing.TB) (backup []byte, holds map[string]string) {
	t.Helper()
	peopledStore.once.Do(func() {
		s := embedded(t).Store
		peopled(t, s)
		peopledStore.backup, peopledStore.holds = backedUp(t, s), everything(t, s)
	})
	return peopledStore.backup, peopledStore.holds
}

var peopledStore struct {
	once   sync.Once
	backup []byte
	holds  map[string]string
}

// TestBackupAndRestore restores a backup from each kind of store into another, and compares every
// byte and every expiry.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	kinds := map[string]func(*testing.T) *Store{
		"embedded": func(t *testing.T) *Store { return embedded(t).Store },
		"server": func(t *testing.T) *Store {
			return open(t, redistest.Start(t, redistest.Options{}).URL())
		},
		"cluster": func(t *testing.T) *Store {
			return open(t, redistest.StartCluster(t, redistest.Options{}))
		},
	}
	for from, to := range map[string]string{"embedded": "server", "server": "cluster", "cluster": "embedded"} {
		t.Run(from+" to "+to, func(t *testing.T) {
			a, b := kinds[from](t), kinds[to](t)
			peopled(t, a)
			backup := backedUp(t, a)
			r := restoring(t, b, backup, RestoreOptions{WithoutErasures: true})
			want := Contents{At: r.Backup.At, Rounds: 4, Open: 3, People: 150 - 1 + 1 + 7, Responses: 150 - 2 + 7, Assessments: 1}
			if r.Backup != want || r.Rounds != 4 || r.Withdrawn+r.Forgotten+len(r.Closed)+len(r.CoordinatorKept)+r.Expired != 0 {
				t.Errorf("got %+v\nwant %+v", r, want)
			}
			differences(t, everything(t, b), everything(t, a))

			// People continue where they stopped, and can be forgotten.
			place, err := b.Participation(t.Context(), "open", "slack:T1:U000")
			must(t, err)
			said, err := b.Answer(t.Context(), place, time.Now(), survey.Operation{ID: "new"}, "needs", 3)
			if err != nil || said.Answers["needs"].Rating != 3 || said.Answers["vision"].Detail.Note == "" {
				t.Errorf("got %+v, %v", said, err)
			}
			due, err := b.Due(t.Context(), time.Now().Add(time.Second))
			if want, _ := a.Due(t.Context(), time.Now().Add(time.Second)); err != nil || due != want || due == 0 {
				t.Errorf("%d messages are due, %v; want %d", due, err, want)
			}
			of, err := b.RoundsOf(t.Context(), "slack:T1:U000")
			if err != nil || len(of) != 2 {
				t.Errorf("they are in %v, %v", of, err)
			}
			f, err := b.Forget(t.Context(), "open", "slack:T1:U000")
			if err != nil || !f.Answers {
				t.Errorf("got %+v, %v", f, err)
			}
		})
	}
}

// TestEveryKeyIsBackedUp checks that each key of a round in the schema is in keysOf, which backups
// follow, or is listed here with the reason why not.
func TestEveryKeyIsBackedUp(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "keys.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	apart := map[string]string{
		"responseKey":        "read with its person, or by the list of responses",
		"operationTimesKeys": "over in half an hour",
		"erasedKey":          "read first, as the ledger",
		"assessmentKey":      "read last: most are of rounds that have expired",
		"ballotKey":          "people vote again after a restore",
		"votesKey":           "people vote again after a restore",
		"attendanceKey":      "people give their role again after a restore",
		"objectionsKey":      "people object again after a restore",
	}
	listed := map[string]bool{}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != "keysOf" {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if name, ok := call.Fun.(*ast.Ident); ok {
					listed[name.Name] = true
				}
			}
			return true
		})
	}
	found := 0
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasSuffix(f.Name.Name, "Key") {
			continue
		}
		found++
		if of, ok := f.Type.Params.List[0].Type.(*ast.SelectorExpr); !ok || of.Sel.Name != "RoundID" {
			continue // not of a round
		}
		if !listed[f.Name.Name] && apart[f.Name.Name] == "" {
			t.Errorf("%s is neither in keysOf nor listed here: a backup would not hold it", f.Name.Name)
		}
	}
	if found < 10 {
		t.Errorf("found only %d functions that make keys", found)
	}
}

// TestBackupCopiesKeysOfAnyType checks that a key that is new in the schema is backed up without
// further code.
func TestBackupCopiesKeysOfAnyType(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx := t.Context()
	var long []any
	for i := range 3 * pageSize {
		long = append(long, fmt.Sprintf("%04d\xff\n", i))
	}
	must(t, s.client.RPush(ctx, "l", long...).Err(), s.client.SAdd(ctx, "s", long...).Err(), s.client.Set(ctx, "t", long[0], 0).Err(),
		s.client.HSet(ctx, "h", long...).Err(), s.client.ZAdd(ctx, "z", goredis.Z{Score: 1772640000000001, Member: "m"}, goredis.Z{Score: -0.25, Member: "n"}).Err())
	want := everything(t, s)
	for _, key := range []string{"l", "s", "t", "h", "z", "nothing"} {
		var b bytes.Buffer
		w := &backup{Store: s}
		w.to = bufio.NewWriter(&b)
		must(t, w.write(backupRecord{Format: backupFormat, Version: backupVersion}), w.write(backupRecord{Round: "r"}), w.copyKey(ctx, key, nil),
			w.write(backupRecord{Records: w.records}), w.to.Flush())
		must(t, s.client.Del(ctx, key).Err())
		r := &restore{Store: s}
		pipe := s.client.Pipeline()
		restored := &restoredRound{backupRound: &backupRound{round: survey.Round{ID: "r", ClosesAt: time.Now()}}, pushed: map[string]int{}}
		for line := range bytes.Lines(b.Bytes()) {
			rec := decoded(t, line)
			if rec.Key != "" {
				must(t, r.writeRecord(ctx, pipe, restored, rec))
			}
		}
		must(t, exec(ctx, pipe))
		if key != "nothing" {
			must(t, s.client.Persist(ctx, key).Err())
		}
	}
	differences(t, everything(t, s), want)
}

// TestBackupWhilePeopleAnswer checks that a backup holds every answer that was confirmed before it
// began, and that a person's roster entry and answers are of the same moment.
func TestBackupWhilePeopleAnswer(t *testing.T) {
	t.Parallel()
	const people = 400
	s := open(t, redistest.Start(t, redistest.Options{}).URL())
	ctx := t.Context()
	opened(t, s, "r1")
	var names []survey.Member
	for i := range people {
		names = append(names, survey.Member{Person: survey.PersonID(fmt.Sprint("p", i))})
	}
	must(t, errorOf(s.Invite(ctx, "r1", names, "", time.Time{}, nil)))
	for i := range people / 2 {
		place := takesPart(t, s, "r1", names[i].Person)
		must(t, errorOf(s.Answer(ctx, place, time.Now(), survey.Operation{ID: "a"}, "vision", 2)))
	}
	stop := make(chan struct{})
	var busy sync.WaitGroup
	for w := range 4 { // each keeps inviting, answering for and withdrawing people of its own
		busy.Go(func() {
			for i := w; ; i = (i + 4) % people {
				select {
				case <-stop:
					return
				default:
				}
				place, err := s.Participation(ctx, "r1", names[i].Person)
				if err == nil && i%5 == 4 && place.Member.TakesPart() {
					err = s.Withdraw(ctx, place)
				} else if err == nil {
					place, err = s.ChangeMember(ctx, place, time.Now(), func(m *survey.Member) error { m.Status = survey.Finished; return nil })
					if err == nil {
						_, err = s.Answer(ctx, place, time.Now(), survey.Operation{ID: fmt.Sprint(i)}, "needs", 3)
					}
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var backups [][]byte
	for range 5 {
		backups = append(backups, backedUp(t, s))
	}
	close(stop)
	busy.Wait()
	for _, b := range backups {
		to := embedded(t).Store
		restoring(t, to, b, RestoreOptions{WithoutErasures: true})
		taking := 0
		must(t, to.Roster(ctx, "r1", func(m survey.Member) error {
			place, err := to.Participation(ctx, "r1", m.Person)
			must(t, err)
			said, err := to.Response(ctx, place)
			must(t, err)
			var i int
			_, err = fmt.Sscanf(string(m.Person), "p%d", &i)
			must(t, err)
			switch {
			case m.TakesPart():
				taking++
				if there, err := to.client.Exists(ctx, responseKey("r1", place.Pseudonym)).Result(); err != nil || there == 0 {
					t.Errorf("%s takes part, and has no response", m.Person)
				}
			case len(said.Answers) > 0:
				t.Errorf("%s is %s, and has answers", m.Person, m.Status)
			}
			if i < people/2 && i%5 != 4 && said.Answers["vision"].Rating != 2 {
				t.Errorf("what %s had said before is not there", m.Person)
			}
			return nil
		}))
		if n, err := to.client.ZCard(ctx, responsesKey("r1")).Result(); err != nil || int(n) != taking {
			t.Errorf("%d responses of %d people, %v", n, taking, err)
		}
	}
}

// TestBackupWhileClosing checks that a round that is closed while it is read is backed up as
// closed, although its secret and some of its people had been read before.
func TestBackupWhileClosing(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx := t.Context()
	var names []string
	for i := range peoplePerTransaction + peoplePerTransaction/2 { // two transactions
		names = append(names, fmt.Sprintf("p%03d", i))
	}
	_, places := opened(t, s, "r1", names...)
	must(t, errorOf(s.Answer(ctx, places[0], time.Now(), survey.Operation{ID: "a"}, "vision", 2)))
	s.client.AddHook(&interruptHook{transaction: "exists", skip: 1, do: func() {
		must(t, errorOf(s.Forget(ctx, "r1", "p000")), errorOf(s.CloseRound(ctx, "r1", time.Now(), audit.Entry{})))
	}})
	backup := backedUp(t, s)
	want := Contents{Rounds: 1, Open: 1, People: len(names) - 1, Responses: len(names) - 1}
	if c, err := CheckBackup(bytes.NewReader(backup)); err != nil || c.Rounds != want.Rounds || c.Open != want.Open || c.People != want.People || c.Responses != want.Responses {
		t.Errorf("got %+v, %v; want %+v: one round, whose secret is in the file", c, err, want)
	}
	to := embedded(t).Store
	restoring(t, to, backup, RestoreOptions{WithoutErasures: true})
	differences(t, everything(t, to), everything(t, s))
}

// TestBackupOfIncompleteRound checks that a round that is open and has no secret is not written as
// if it were complete.
func TestBackupOfIncompleteRound(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	opened(t, s, "r1")
	must(t, s.client.Del(t.Context(), secretKey("r1")).Err())
	if _, err := s.Backup(t.Context(), io.Discard); !errors.Is(err, survey.ErrChanged) {
		t.Errorf("got %v", err)
	}
}

// TestBackupWhileAnonymising checks that a backup does not hold a roster that is anonymised in
// part.
func TestBackupWhileAnonymising(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx := t.Context()
	_, places := opened(t, s, "r1", "p1")
	must(t, errorOf(s.ChangeMember(ctx, places[0], time.Now(), func(m *survey.Member) error { m.Role = "midwife"; return nil })),
		errorOf(s.CloseRound(ctx, "r1", time.Now(), audit.Entry{})))
	s.client.AddHook(&interruptHook{key: rosterKey("r1"), do: func() { must(t, s.AnonymiseRoster(ctx, "r1", results.Turnout{Invited: 1, Started: 1})) }})
	backup := backedUp(t, s)
	to := embedded(t).Store
	restoring(t, to, backup, RestoreOptions{WithoutErasures: true})
	differences(t, everything(t, to), everything(t, s))
}

// TestUnusableBackups checks that every error in a backup is reported before anything is written.
func TestUnusableBackups(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	opened(t, s, "r1", "p1")
	whole := string(backedUp(t, s))
	lines := strings.SplitAfter(whole, "\n")
	lines = lines[:len(lines)-1]
	last := len(lines) - 1
	without := func(i int) string { return strings.Join(append(slices.Clone(lines[:i]), lines[i+1:]...), "") }
	at := func(key string) int {
		i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, `"`+key) })
		if i < 0 {
			t.Fatalf("no record of %s", key)
		}
		return i
	}
	altered := func(i int, line string) string {
		c := slices.Clone(lines)
		c[i] = line + "\n"
		return strings.Join(c, "")
	}
	body := func(old, new string) string {
		i := at(roundKey("r1"))
		return altered(i, withBody(t, lines[i], old, new))
	}
	to := embedded(t).Store
	opened(t, to, "living", "p9")
	before := everything(t, to)
	for name, c := range map[string]struct{ backup, want string }{
		"empty":                      {"", "not a backup of maturitybot"},
		"something else":             {"PK\x03\x04", "not a backup of maturitybot"},
		"other JSON":                 {`{"format":"tar"}` + "\n", "not a backup of maturitybot"},
		"newer":                      {altered(0, `{"format":"maturitybot backup","version":2,"new":[]}`), "of version 2, and this program reads version 1"},
		"cut off":                    {strings.Join(lines[:last], ""), "in the middle"},
		"cut in a line":              {whole[:len(whole)/2], "cannot be read"},
		"one taken out":              {without(at("roster:")), "records, and has"},
		"one more":                   {whole + lines[last], "after the last one"},
		"foreign key":                {altered(at("roster:"), `{"key":"roster:{r2}","type":"hash","values":["YQ==","Yg=="]}`), "an unexpected key"},
		"no round":                   {altered(at("r1\""), `{"key":"roster:{}","type":"hash"}`), "an unexpected key"},
		"wrong type":                 {altered(at("roster:"), `{"key":"roster:{r1}","type":"set","values":["YQ=="]}`), "is to be a hash"},
		"no record":                  {altered(at("owed:"), `{"key":"audit:{r1}","type":"set","values":["YQ=="]}`), "is to be a list"},
		"odd values":                 {altered(at("roster:"), `{"key":"roster:{r1}","type":"hash","values":["YQ=="]}`), "do not make a key"},
		"no entry":                   {altered(at("roster:"), `{"key":"roster:{r1}","type":"hash","values":["YQ==","Yg=="]}`), "decode entry"},
		"no answers":                 {altered(at("response:"), `{"key":"response:{r1}:x","type":"hash","values":["YQ==","Yg=="]}`), "a field that cannot be read"},
		"no secret":                  {strings.Replace(without(at("secret:")), fmt.Sprint(`"records":`, last), fmt.Sprint(`"records":`, last-1), 1), "the secret of round r1 is missing"},
		"short secret":               {altered(at("secret:"), `{"key":"secret:{r1}","type":"string","values":["YQ=="]}`), "the secret of round r1"},
		"no score":                   {altered(at("owed:"), `{"key":"owed:{r1}","type":"zset","values":["ZGlnZXN0IA==","Yg=="]}`), "a score that is not a number"},
		"no languages":               {body(`"languages":["en"]`, `"languages":[]`), "no languages, no coordinators"},
		"no coordinators":            {body(`"coordinators":["slack:T1:UC"]`, `"coordinators":null`), "no languages, no coordinators"},
		"no channel":                 {body(`"channel":"slack:T1:C1"`, `"channel":""`), "or no channel"},
		"a path in an id":            {altered(at("r1\""), `{"round":"a/../../../evil"}`), "a round of no proper name"},
		"a brace in an id":           {altered(at("r1\""), `{"round":"a}"}`), "a round of no proper name"},
		"a long id":                  {altered(at("r1\""), `{"round":"`+strings.Repeat("a", 65)+`"}`), "a round of no proper name"},
		"a line in a person":         {altered(at("roster:"), `{"key":"roster:{r1}","type":"hash","values":["cAox","Yg=="]}`), "a person or a pseudonym of no proper name"},
		"a space in a recipient":     {altered(at("owed:"), `{"key":"owed:{r1}","type":"zset","values":["bnVkZ2UgcCAx","MQ=="]}`), "a person or a pseudonym of no proper name"},
		"no kind of message":         {altered(at("owed:"), `{"key":"owed:{r1}","type":"zset","values":["YQ==","MQ=="]}`), "a person or a pseudonym of no proper name"},
		"a path in a pseudonym":      {altered(at("response:"), `{"key":"response:{r1}:../x","type":"hash","values":["YQ==","Yg=="]}`), "a person or a pseudonym of no proper name"},
		"a listed path":              {altered(at("responses:"), `{"key":"responses:{r1}","type":"zset","values":["Li4veA==","MA=="]}`), "a person or a pseudonym of no proper name"},
		"a coordinator of two words": {body(`"coordinators":["slack:T1:UC"]`, `"coordinators":["slack:T1:U C"]`), "a coordinator of no proper name"},
		"a channel of two lines":     {body(`"channel":"slack:T1:C1"`, `"channel":"slack\n:T1:C1"`), "a channel of no proper name"},
		"odd ledger":                 {altered(at("owed:"), `{"key":"erased:{r1}","type":"hash","values":["YQ==","Yg=="]}`), "a note in a ledger"},
	} {
		_, err := to.Restore(t.Context(), again([]byte(c.backup)), RestoreOptions{Replace: true, WithoutErasures: true})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q in it", name, err, c.want)
		}
	}
	differences(t, everything(t, to), before)
}

// TestRestoreStopped checks that a restore that is interrupted shows no round, and can be run
// again.
func TestRestoreStopped(t *testing.T) {
	t.Parallel()
	backup, want := peopledBackup(t)
	to := embedded(t).Store
	times := 0
	_, err := to.Restore(t.Context(), func() (io.Reader, error) {
		if times++; times == 2 {
			return bytes.NewReader(backup[:len(backup)*9/10]), nil
		}
		return bytes.NewReader(backup), nil
	}, RestoreOptions{WithoutErasures: true})
	if err == nil {
		t.Fatal("it was not stopped")
	}
	must(t, to.Rounds(t.Context(), func(r survey.Round) error {
		t.Errorf("round %s is there", r.ID)
		return nil
	}))
	if len(everything(t, to)) < 10 {
		t.Error("it was stopped before it wrote anything")
	}
	restoring(t, to, backup, RestoreOptions{WithoutErasures: true})
	differences(t, everything(t, to), want)
}

// TestRestoreLosesReplies checks that what is written again after a lost reply is there once.
func TestRestoreLosesReplies(t *testing.T) {
	t.Parallel()
	backup, want := peopledBackup(t)
	for _, word := range []string{"RPUSH", "hset", "zadd", "sadd", "set"} {
		server := redistest.Start(t, redistest.Options{})
		p := redistest.ProxyTo(t, server.Addr)
		to := open(t, "redis://"+p.Addr)
		p.Drop(word, nil)
		restoring(t, to, backup, RestoreOptions{WithoutErasures: true})
		if p.Losses() != 1 {
			t.Errorf("%s: no reply was lost", word)
		}
		differences(t, everything(t, to), want)
	}
}

// TestRestoreReplaces checks that existing rounds make a restore fail, and that with Replace
// nothing of them is left.
func TestRestoreReplaces(t *testing.T) {
	t.Parallel()
	backup, want := peopledBackup(t)
	to := embedded(t).Store
	_, places := opened(t, to, "other", "slack:T1:U000", "slack:T1:ELSEWHERE")
	must(t, errorOf(to.Answer(t.Context(), places[0], time.Now(), survey.Operation{ID: "o", At: time.Now()}, "vision", 1)))
	before := everything(t, to)
	if _, err := to.Restore(t.Context(), again(backup), RestoreOptions{WithoutErasures: true}); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("got %v", err)
	}
	differences(t, everything(t, to), before)
	if r := restoring(t, to, backup, RestoreOptions{Replace: true, WithoutErasures: true}); r.Replaced != 1 || r.Unknown != 4 {
		t.Errorf("got %+v", r)
	}
	differences(t, everything(t, to), want)
	if left := to.client.Keys(t.Context(), "operation_times:*").Val(); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}

// TestRestoreSkipsExpiredRounds checks that a round that has expired since the backup is not
// restored.
func TestRestoreSkipsExpiredRounds(t *testing.T) {
	t.Parallel()
	backup, _ := peopledBackup(t)
	to := embedded(t).Store
	to.now = func() time.Time { return time.Now().Add(survey.Retention + time.Hour) }
	if r := restoring(t, to, backup, RestoreOptions{WithoutErasures: true}); r.Expired != 1 || r.Rounds != 3 {
		t.Errorf("got %+v, want the closed round left out, and the others back", r)
	}
}

// TestBackupMemory checks that a large round takes no more memory than a small one. It measures
// the heap of the process, so no other test may run beside it.
func TestBackupMemory(t *testing.T) {
	const people, limit = 20_000, 24 << 20
	s := open(t, redistest.Start(t, redistest.Options{}).URL())
	opened(t, s, "r1")
	crowd(t, s, people)
	r, w := io.Pipe()
	done := make(chan Contents, 1)
	go func() {
		c, err := CheckBackup(r)
		_ = r.CloseWithError(err) // the writer gets it
		done <- c
	}()
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak := uint64(0)
	began := time.Now()
	_, err := s.Backup(t.Context(), &watching{to: w, look: func() {
		runtime.ReadMemStats(&during)
		peak = max(peak, during.HeapAlloc)
	}})
	must(t, err, w.Close())
	if c := <-done; c.People != people || c.Responses != people {
		t.Errorf("got %+v", c)
	}
	t.Logf("%d people in %v, %d MiB more in the heap", people, time.Since(began), (peak-before.HeapAlloc)>>20)
	if peak-before.HeapAlloc > limit {
		t.Errorf("it took %d MiB more", (peak-before.HeapAlloc)>>20)
	}
}

// watching calls look at every twentieth write.
type watching struct {
	to   io.Writer
	look func()
	n    int
}

func (w *watching) Write(p []byte) (int, error) {
	if w.n++; w.n%20 == 0 {
		w.look()
	}
	return w.to.Write(p)
}

// crowd adds people who have answered every question to a round, in pipelines.
func crowd(t testing.TB, s *Store, people int) {
	t.Helper()
	ctx := t.Context()
	secret, err := s.client.Get(ctx, secretKey("r1")).Result()
	must(t, err)
	for some := range slices.Chunk(slices.Collect(func(yield func(int) bool) {
		for i := range people {
			if !yield(i) {
				return
			}
		}
	}), pageSize) {
		pipe := s.client.Pipeline()
		for _, i := range some {
			person := survey.PersonID(fmt.Sprintf("slack:T0123456789:U%09d", i))
			entry, err := encodeMember(survey.Member{Person: person, Status: survey.Finished, Role: "midwife", Group: "health", Language: "en"}, "")
			must(t, err)
			pseudonym := survey.Pseudonym([]byte(secret), person)
			pipe.HSet(ctx, rosterKey("r1"), string(person), entry)
			pipe.ZAdd(ctx, responsesKey("r1"), goredis.Z{Member: pseudonym})
			fields := []any{groupField, "health"}
			for _, e := range elements {
				fields = append(fields, e, "3")
			}
			pipe.HSet(ctx, responseKey("r1", pseudonym), fields...)
		}
		must(t, exec(ctx, pipe))
	}
}

// BenchmarkBackup writes, and restores, a round of 100,000 people on private servers:
//
//	go test ./adapters/redis -run '^$' -bench Backup -benchtime 1x
func BenchmarkBackup(b *testing.B) {
	s := open(b, redistest.Start(b, redistest.Options{}).URL())
	opened(b, s, "r1")
	people := 100_000
	if testing.Short() {
		people = 1000
	}
	crowd(b, s, people)
	var backup bytes.Buffer
	b.Run("backup", func(b *testing.B) {
		for b.Loop() {
			backup.Reset()
			must(b, errorOf(s.Backup(b.Context(), &backup)))
		}
		b.ReportMetric(float64(backup.Len())/(1<<20), "MiB")
	})
	b.Run("restore", func(b *testing.B) {
		to := open(b, redistest.Start(b, redistest.Options{}).URL())
		for b.Loop() {
			if r := restoring(b, to, backup.Bytes(), RestoreOptions{Replace: true, WithoutErasures: true}); r.Backup.People != people {
				b.Errorf("got %+v", r)
			}
		}
	})
}

// FuzzRestore checks that any input is either refused, and nothing written, or restored so that it
// can be backed up again.
func FuzzRestore(f *testing.F) {
	s := embedded(f).Store
	opened(f, s, "r1", "p1")
	must(f, errorOf(s.Forget(f.Context(), "r1", "nobody")))
	whole := backedUp(f, s)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(`{"format":"maturitybot backup","version":1}` + "\n" + `{"records":1}`))
	for line := range strings.Lines(string(whole)) {
		if strings.Contains(line, `"`+roundKey("r1")) {
			f.Add([]byte(strings.Replace(string(whole), line, withBody(f, line, `"languages":["en"]`, `"languages":[]`)+"\n", 1)))
		}
	}
	to := embedded(f).Store
	f.Fuzz(func(t *testing.T, backup []byte) {
		before := everything(t, to)
		r, err := to.Restore(t.Context(), again(backup), RestoreOptions{Replace: true, WithoutErasures: true})
		if err != nil {
			if _, unread := CheckBackup(bytes.NewReader(backup)); unread != nil && !reflect.DeepEqual(everything(t, to), before) {
				t.Error("refused, and yet something was written")
			} else if unread == nil {
				t.Errorf("checked, and yet not restored: %v", err)
			}
			return
		}
		if got := backedUp(t, to); r.Rounds > 0 && len(got) == 0 {
			t.Error("no backup of what was restored")
		}
	})
}

// withBody returns the record of a round with another body.
func withBody(t testing.TB, line, old, new string) string {
	t.Helper()
	var rec backupRecord
	must(t, json.Unmarshal([]byte(line), &rec))
	found := false
	for i, v := range rec.Values {
		if bytes.Contains(v, []byte(old)) {
			rec.Values[i], found = bytes.Replace(v, []byte(old), []byte(new), 1), true
		}
	}
	if !found {
		t.Fatalf("no %s in it", old)
	}
	raw, err := json.Marshal(rec)
	must(t, err)
	return string(raw)
}

func decoded(t *testing.T, line []byte) (rec backupRecord) {
	t.Helper()
	must(t, json.Unmarshal(line, &rec))
	return rec
}
