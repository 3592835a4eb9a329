package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// opened keeps an open round in the store, and makes the given people take part in it.
func opened(t testing.TB, s survey.Store, id survey.RoundID, people ...string) (survey.Round, []survey.Participation) {
	t.Helper()
	r := survey.Round{
		ID: id, State: survey.Open, Area: "Ashford", Matrix: "england", Languages: []matrix.Lang{matrix.English},
		TimeZone: survey.DefaultTimeZone, ClosesAt: time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second), Channel: "slack:T1:C1",
		Coordinators: []survey.PersonID{"slack:T1:UC"}, MinGroup: results.DefaultMinGroup,
	}
	if err := s.CreateRound(t.Context(), r, audit.Entry{}); err != nil {
		t.Fatal(err)
	}
	var places []survey.Participation
	for _, p := range people {
		places = append(places, takesPart(t, s, id, survey.PersonID(p)))
	}
	return r, places
}

func takesPart(t testing.TB, s survey.Store, id survey.RoundID, person survey.PersonID) survey.Participation {
	t.Helper()
	if _, err := s.Invite(t.Context(), id, []survey.Member{{Person: person}}, survey.Invitation, time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	place, err := s.Participation(t.Context(), id, person)
	if err == nil {
		place, err = s.ChangeMember(t.Context(), place, time.Now(), func(m *survey.Member) error {
			m.Status = survey.Started
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return place
}

// setUnreachable returns a change of whether messages reach a member.
func setUnreachable(unreachable bool) func(*survey.Member) {
	return func(m *survey.Member) { m.Unreachable = unreachable }
}

// TestLostReplies checks that each write whose reply is lost is done once and reported as done.
func TestLostReplies(t *testing.T) {
	t.Parallel()
	addr := redistest.Start(t, redistest.Options{}).Addr
	direct := open(t, "redis://"+addr)
	p := redistest.ProxyTo(t, addr)
	s := open(t, "redis://"+p.Addr)
	// By now each script is known to the server, so that EVALSHA does what it asks for.
	warm, places := opened(t, s, "warm", "p1")
	ctx := t.Context()
	now := time.Now()
	for _, err := range []error{
		s.SaveRound(ctx, warm, audit.Entry{}), s.UpdateContact(ctx, "warm", "p1", setUnreachable(true)),
		errorOf(s.Answer(ctx, places[0], now, survey.Operation{ID: "o"}, "e", 1)), s.Plan(ctx, "warm", "digest@d", now),
		s.Enqueue(ctx, "warm", survey.Nudge, now, []survey.PersonID{"p1"}), s.MarkPlanned(ctx, "warm", []string{"a"}), s.Withdraw(ctx, places[0]), errorOf(s.CloseRound(ctx, "warm", now, audit.Entry{})),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	word := "evalsha"
	lose := func(what string, then func(), write func() error) {
		t.Helper()
		before := p.Losses()
		p.Drop(word, then)
		if err := write(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if p.Losses() != before+1 {
			t.Errorf("%s: no reply was lost", what)
		}
	}
	r, _ := opened(t, direct, "r1")

	lose("create", nil, func() error {
		other := r
		other.ID = "r2"
		return s.CreateRound(ctx, other, audit.Entry{Action: audit.Created})
	})
	lose("save", nil, func() error { return s.SaveRound(ctx, r, audit.Entry{Action: audit.Created}) })
	if got, err := direct.Round(ctx, "r1"); err != nil || got.Version != 1 {
		t.Errorf("saved as version %d, %v", got.Version, err)
	}
	people := []survey.Member{{Person: "ana"}, {Person: "ben"}}
	lose("invite", nil, func() error {
		added, err := s.Invite(ctx, "r1", people, survey.Invitation, time.Now(), func(int) audit.Entry { return audit.Entry{Action: audit.Invited} })
		if len(added) != len(people) {
			t.Errorf("invite: %d reported as added, want %d", len(added), len(people))
		}
		return err
	})
	if again, err := s.Invite(ctx, "r1", people, survey.Invitation, time.Now(), nil); err != nil || len(again) != 0 {
		t.Errorf("pressed again: %d invited, %v", len(again), err)
	}
	note := func([]audit.Entry) (audit.Entry, bool) {
		return audit.Entry{Action: audit.Results}, true
	}
	lose("append", nil, func() error { return s.AppendEntry(ctx, "r1", note) })
	lose("append, and another in between", func() {
		if err := direct.AppendEntry(ctx, "r1", note); err != nil {
			t.Error(err)
		}
	}, func() error { return s.AppendEntry(ctx, "r1", note) })
	recorded(t, direct, "r1", audit.Created, audit.Invited, audit.Results, audit.Results, audit.Results)
	lose("enqueue", nil, func() error { return s.Enqueue(ctx, "r1", survey.Nudge, now, []survey.PersonID{"ana"}) })
	if n := direct.client.ZCard(ctx, queueKey("r1")).Val(); n != 3 {
		t.Errorf("%d messages are queued, want 3", n)
	}
	word = "set"
	lose("claim", nil, func() error {
		if fresh, err := s.Claim(ctx, "e1"); err != nil || !fresh {
			return fmt.Errorf("not its own: %v, %w", fresh, err)
		}
		return nil
	})
	word = "evalsha"
	lose("plan", nil, func() error { return s.Plan(ctx, "r1", survey.Digest.On("2026-12-04"), now) })
	if n := direct.client.ZCard(ctx, queueKey("r1")).Val(); n != 4 {
		t.Errorf("%d messages are queued, want 4", n)
	}
	lose("note", nil, func() error { return s.MarkPlanned(ctx, "r1", []string{"a", "b"}) })
	lose("unreachable", nil, func() error { return s.UpdateContact(ctx, "r1", "ana", setUnreachable(true)) })
	place, err := s.Participation(ctx, "r1", "ana")
	if err != nil || !place.Member.Unreachable {
		t.Fatal(place.Member, err)
	}
	word = "exec"
	lose("change", nil, func() error {
		var err error
		place, err = s.ChangeMember(ctx, place, now, func(m *survey.Member) error {
			m.Status, m.Role = survey.Started, m.Role+"+"
			return nil
		})
		return err
	})
	if got, err := direct.Participation(ctx, "r1", "ana"); err != nil || got.Member.Role != "+" || got.Member != place.Member {
		t.Errorf("changed to %+v, %v", got.Member, err)
	}

	word = "evalsha"
	lose("answer", nil, func() error { return errorOf(s.Answer(ctx, place, now, survey.Operation{ID: "o1"}, "vision", 1)) })
	var resp results.Response
	lose("answer, and another in between", func() {
		if _, err := direct.Answer(ctx, place, now, survey.Operation{ID: "o3"}, "vision", 3); err != nil {
			t.Error(err)
		}
	}, func() error {
		var err error
		resp, err = s.Answer(ctx, place, now, survey.Operation{ID: "o2"}, "vision", 2)
		return err
	})
	if got := resp.Answers["vision"].Rating; got != 3 {
		t.Errorf("the answer given last was 3, and is now %d", got)
	}
	lose("detail", nil, func() error {
		return errorOf(s.Detail(ctx, place, now, survey.Operation{ID: "o4"}, "vision", results.Detail{Note: "n"}))
	})
	n := 0
	if err := direct.Responses(ctx, "r1", func(r results.Response) error {
		n++
		if got := r.Answers["vision"]; got.Rating != 3 || got.Detail.Note != "n" || len(r.Answers) != 1 {
			t.Errorf("kept %+v", r)
		}
		return nil
	}); err != nil || n != 1 {
		t.Errorf("%d responses, %v", n, err)
	}
	word = "exec"
	lose("withdraw, and the close in between", func() {
		if _, err := direct.CloseRound(ctx, "r1", now, audit.Entry{}); err != nil {
			t.Error(err)
		}
	}, func() error { return s.Withdraw(ctx, place) })
	word = "evalsha"
	lose("close", nil, func() error {
		closed, err := s.CloseRound(ctx, "r2", now, audit.Entry{Action: audit.Closed})
		if closed.Version != 1 {
			t.Errorf("closed as version %d", closed.Version)
		}
		return err
	})
	recorded(t, direct, "r2", audit.Created, audit.Closed)
}

// recorded fails the test unless the round's audit log has these actions.
func recorded(t *testing.T, s *Store, id survey.RoundID, want ...audit.Action) {
	t.Helper()
	entries, err := s.AuditLog(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var got []audit.Action
	for _, e := range entries {
		got = append(got, e.Action)
	}
	if broken := audit.Verify(string(id), entries); !slices.Equal(got, want) || broken != 0 {
		t.Errorf("the record has %v, broken at %d; want %v", got, broken, want)
	}
}

// TestAuditTamperingDetected checks that a change of the audit log in Redis is detected, and that
// the round goes on.
func TestAuditTamperingDetected(t *testing.T) {
	t.Parallel()
	e := embedded(t)
	ctx, act := t.Context(), func(a audit.Action) audit.Entry { return audit.Entry{Action: a, By: "slack:T1:UC"} }
	for what, tamper := range map[string]struct {
		with func(key string) error
		seen int
	}{
		"an entry is altered":   {func(key string) error { return e.client.LSet(ctx, key, 1, `{"t":0,"a":"opened","h":"00"}`).Err() }, 2},
		"an entry is taken out": {func(key string) error { return e.client.LRem(ctx, key, 1, e.client.LIndex(ctx, key, 1).Val()).Err() }, 2},
		"one is put in":         {func(key string) error { return e.client.LPush(ctx, key, "x").Err() }, 1},
		"the last is no entry":  {func(key string) error { return e.client.LSet(ctx, key, -1, "x").Err() }, 3},
		"all are gone":          {func(key string) error { return e.client.Del(ctx, key).Err() }, 1},
	} {
		id := survey.RoundID("r" + strings.ReplaceAll(what, " ", ""))
		r := survey.Round{ID: id, State: survey.Draft, ClosesAt: time.Now().Add(time.Hour), Channel: "c"}
		err := errors.Join(e.CreateRound(ctx, r, act(audit.Created)), e.SaveRound(ctx, r, act(audit.Redrafted)))
		r.Version++
		err = errors.Join(err, e.SaveRound(ctx, r, act(audit.Opened)))
		r.Version++
		err = errors.Join(err, tamper.with(auditKey(id)), e.SaveRound(ctx, r, act(audit.Workshop)),
			e.AppendEntry(ctx, id, func([]audit.Entry) (audit.Entry, bool) { return act(audit.Results), true }))
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		entries, err := e.AuditLog(ctx, id)
		if seen := audit.Verify(string(id), entries); err != nil || seen != tamper.seen {
			t.Errorf("%s: broken at %d, want %d; %v", what, seen, tamper.seen, err)
		}
	}
}

func errorOf[T any](_ T, err error) error { return err }

// TestKilledServer checks that acknowledged writes are there after the server is killed and
// restarted.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{AOF: true})
	s := open(t, server.URL())
	_, places := opened(t, s, "r1", "p1", "p2", "p3", "p4")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	acknowledged := make([]int, len(places))
	var total atomic.Int64
	enough := make(chan struct{})
	var wg sync.WaitGroup
	for i, place := range places {
		wg.Go(func() {
			for ctx.Err() == nil {
				next := fmt.Sprint("e", acknowledged[i])
				if _, err := s.Answer(ctx, place, time.Now(), survey.Operation{ID: next}, next, matrix.Rating(1+acknowledged[i]%4)); err != nil {
					return
				}
				acknowledged[i]++
				if total.Add(1) == 300 {
					close(enough)
				}
			}
		})
	}
	<-enough
	server.Kill()
	cancel()
	wg.Wait()
	server.Restart(t)
	for i, place := range places {
		resp, err := s.Response(t.Context(), place)
		if err != nil {
			t.Fatal(err)
		}
		for e := range acknowledged[i] {
			if got := resp.Answers[fmt.Sprint("e", e)].Rating; got != matrix.Rating(1+e%4) {
				t.Fatalf("answer %d of person %d was acknowledged and is now %d", e, i, got)
			}
		}
	}
	t.Log("acknowledged before the kill: ", acknowledged)
}

// TestCloseRemovesSecretFromAOF checks that a close removes the secret from memory, and soon after
// from the append-only file.
func TestCloseRemovesSecretFromAOF(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{AOF: true})
	s := open(t, server.URL())
	_, _ = opened(t, s, "r1", "p1")
	secret, err := s.client.Get(t.Context(), secretKey("r1")).Bytes()
	if err != nil || len(secret) != survey.SecretBytes {
		t.Fatal(len(secret), err)
	}
	onDisk := func() bool {
		files, err := filepath.Glob(filepath.Join(server.Dir, "appendonlydir", "*"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if bytes.Contains(raw, secret) {
				return true
			}
		}
		return false
	}
	if !onDisk() {
		t.Fatal("the test looks in the wrong place")
	}
	if _, err := s.CloseRound(t.Context(), "r1", time.Now(), audit.Entry{}); err != nil {
		t.Fatal(err)
	}
	if n := s.client.Exists(t.Context(), secretKey("r1")).Val(); n != 0 {
		t.Error("the secret is still kept")
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); onDisk(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("the secret is still in the append-only file")
		}
	}
}

// TestSleep checks that every call of a store that is switched off returns ErrUnavailable, and
// that afterwards everything is there.
func TestSleep(t *testing.T) {
	t.Parallel()
	e := embedded(t)
	r, places := opened(t, e, "r1", "p1")
	ctx, place, now := t.Context(), places[0], time.Now()
	const private = "private words"
	e.Sleep()
	for what, err := range map[string]error{
		"create": e.CreateRound(ctx, r, audit.Entry{}), "round": errorOf(e.Round(ctx, "r1")), "save": e.SaveRound(ctx, r, audit.Entry{}),
		"close": errorOf(e.CloseRound(ctx, "r1", now, audit.Entry{})), "rounds in": errorOf(e.RoundsIn(ctx, r.Channel)),
		"invite": errorOf(e.Invite(ctx, "r1", []survey.Member{{Person: "p2"}}, survey.Invitation, time.Now(), nil)), "participation": errorOf(e.Participation(ctx, "r1", "p1")),
		"change":      errorOf(e.ChangeMember(ctx, place, now, func(*survey.Member) error { return nil })),
		"unreachable": e.UpdateContact(ctx, "r1", "p1", setUnreachable(true)), "roster": e.Roster(ctx, "r1", func(survey.Member) error { return nil }),
		"rounds of": errorOf(e.RoundsOf(ctx, "p1")), "response": errorOf(e.Response(ctx, place)),
		"answer":   errorOf(e.Answer(ctx, place, now, survey.Operation{ID: "o"}, "vision", 1)),
		"detail":   errorOf(e.Detail(ctx, place, now, survey.Operation{ID: "o"}, "vision", results.Detail{Note: private})),
		"withdraw": e.Withdraw(ctx, place), "responses": e.Responses(ctx, "r1", func(results.Response) error { return nil }),
	} {
		if !errors.Is(err, survey.ErrUnavailable) || strings.Contains(err.Error(), private) || strings.Contains(err.Error(), "p1") {
			t.Errorf("%s: got error %v", what, err)
		}
	}
	asleep := embedded(t)
	asleep.Sleep()
	if err := asleep.CreateRound(ctx, r, audit.Entry{}); !errors.Is(err, survey.ErrUnavailable) {
		t.Errorf("asleep before the first call: got error %v", err)
	}
	e.Wake()
	if got, err := e.Participation(ctx, "r1", "p1"); err != nil || got.Member != place.Member || got.Pseudonym != place.Pseudonym {
		t.Errorf("after waking: %+v, %v", got, err)
	}
}

// reply is a refusal by a server.
type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err         error
		unavailable bool
	}{
		{reply("LOADING Redis is loading the dataset in memory"), true},
		{reply("READONLY You can't write against a read only replica."), true},
		{reply("OOM command not allowed when used memory > 'maxmemory'."), true},
		{reply("CLUSTERDOWN The cluster is down"), true},
		{reply("NOAUTH Authentication required."), true},
		{reply("ERR max number of clients reached"), true},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, true},
		{context.DeadlineExceeded, true},
		{context.Canceled, false},
		{reply("WRONGTYPE Operation against a key holding the wrong kind of value"), false},
		{reply("ERR user_script:3: attempt to compare nil with number"), false},
	} {
		got := translate(c.err)
		if errors.Is(got, survey.ErrUnavailable) != c.unavailable || !errors.Is(got, c.err) {
			t.Errorf("%v: got %v", c.err, got)
		}
	}
	if got := translate(reply("ERR unknown command 'EVALSHA', with args beginning with: 'private words'")).Error(); strings.Contains(got, "private") {
		t.Errorf("got %s", got)
	}
	if translate(nil) != nil {
		t.Error("an error came from nothing")
	}
}

// TestRefusals checks that a server that is full, or has become a replica, counts as unavailable.
func TestRefusals(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	s := open(t, server.URL())
	_, places := opened(t, s, "r1", "p1")
	write := func() error {
		return errorOf(s.Answer(t.Context(), places[0], time.Now(), survey.Operation{ID: "o"}, "vision", 1))
	}
	server.Do(t, "CONFIG", "SET", "maxmemory", "1")
	if err := write(); !errors.Is(err, survey.ErrUnavailable) {
		t.Errorf("full: got error %v", err)
	}
	server.Do(t, "CONFIG", "SET", "maxmemory", "0")
	server.Do(t, "REPLICAOF", "127.0.0.1", "1")
	if err := write(); !errors.Is(err, survey.ErrUnavailable) {
		t.Errorf("replica: got error %v", err)
	}
	server.Do(t, "REPLICAOF", "NO", "ONE")
	if err := write(); err != nil {
		t.Error(err)
	}
	server.Do(t, "SET", responseKey("r1", places[0].Pseudonym), "odd")
	if err := write(); err == nil || errors.Is(err, survey.ErrUnavailable) {
		t.Errorf("another kind of value: got error %v", err)
	}
}

// twiceHook runs each pipeline twice, as the client does when the first reply is lost.
type twiceHook struct{ passHook }

func (twiceHook) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		_ = next(ctx, cmd)
		return next(ctx, cmd)
	}
}

func (twiceHook) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		_ = next(ctx, cmds)
		return next(ctx, cmds)
	}
}

// TestForgetAfterLostReply checks that an erasure is reported although only the second reply arrived.
func TestForgetAfterLostReply(t *testing.T) {
	t.Parallel()
	for _, state := range []survey.State{survey.Open, survey.Closed} {
		s := embedded(t)
		opened(t, s.Store, "r1", "p1")
		if state == survey.Closed {
			must(t, errorOf(s.CloseRound(t.Context(), "r1", time.Now(), audit.Entry{})))
		}
		s.client.AddHook(twiceHook{})
		f, err := s.Forget(t.Context(), "r1", "p1")
		if err != nil || !f.Found() {
			t.Errorf("%s: %+v, %v", state, f, err)
		}
	}
}
