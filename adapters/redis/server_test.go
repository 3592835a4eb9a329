package redis

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
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
)

// elements has as many ids as the editions in the product, and as long ones.
var elements = []string{
	"vision", "needs", "assets", "outcomes", "resources", "leadership", "partnership", "workforce", "joint-working",
	"data-sharing", "engagement", "family-info", "experience", "evaluation", "programmes", "quality", "using-evidence",
}

// tripCounter is a hook that counts round trips: each command or pipeline is one.
type tripCounter struct {
	passHook
	trips atomic.Int64
}

func (h *tripCounter) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		h.trips.Add(1)
		return next(ctx, cmd)
	}
}

func (h *tripCounter) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		h.trips.Add(1)
		return next(ctx, cmds)
	}
}

// TestAnswerTakesTwoRoundTrips counts in three ways: the commands and pipelines that the client
// sends; total_reads_processed, how often the server read from a connection, where a pipeline this
// small arrives in one piece and the server's own INFO is one more; and the calls of EVALSHA and
// EVAL in commandstats, because other commands are also counted inside scripts. The connection of
// INFO stays open, because the end of a connection is a read as well.
func TestAnswerTakesTwoRoundTrips(t *testing.T) {
	t.Parallel()
	const answers = 50
	server := redistest.Start(t, redistest.Options{})
	s, observer := open(t, server.URL()), open(t, server.URL()).client
	opened(t, s, "r1", "p1")
	give := func(i int) {
		t.Helper()
		place, err := s.Participation(t.Context(), "r1", "p1")
		if err == nil {
			_, err = s.Answer(t.Context(), place, time.Now(), survey.Operation{ID: fmt.Sprint("o", i)}, elements[i%len(elements)], 2)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	give(0) // the script is loaded, both connections are made
	counter := &tripCounter{}
	s.client.AddHook(counter)
	if err := observer.ConfigResetStat(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	before := stat(t, observer, "stats", "total_reads_processed")
	for i := range answers {
		give(1 + i)
	}
	reads := stat(t, observer, "stats", "total_reads_processed") - before - 1
	if trips := int(counter.trips.Load()); trips != 2*answers || reads != 2*answers {
		t.Errorf("%d answers took %d round trips by the client's count, %d by the server's; want %d", answers, trips, reads, 2*answers)
	}
	commands := observer.Info(t.Context(), "commandstats").Val()
	if !strings.Contains(commands, fmt.Sprintf("cmdstat_evalsha:calls=%d,", answers)) || strings.Contains(commands, "cmdstat_eval:") {
		t.Errorf("%d answers are not as many EVALSHA:\n%s", answers, commands)
	}
}

// stat returns a number from the server's INFO.
func stat(t testing.TB, server goredis.UniversalClient, section, name string) int {
	t.Helper()
	return number(t, server.Info(t.Context(), section).Val(), name)
}

// number returns a number from a reply to INFO.
func number(t testing.TB, info, name string) int {
	t.Helper()
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("INFO has no %s", name)
	return 0
}

// TestMemory measures what a finished survey takes of the server's memory: less than 1 KB by what the
// server says of each key, and little more by what the server uses in all, which includes the hash
// tables that lead to the keys. Discord's ids of people are the longest.
func TestMemory(t *testing.T) {
	t.Parallel()
	const people, limitOfKeys, limit = 1000, 1024, 1200
	server := redistest.Start(t, redistest.Options{})
	observer := open(t, server.URL()).client
	warm := open(t, server.URL())
	ctx := t.Context()
	_, places := opened(t, warm, "warm", "slack:T0123456789:UWARM")
	op := survey.Operation{ID: "o"}
	must(t, errorOf(warm.Answer(ctx, places[0], time.Now(), op, "vision", 1)))
	// usedBy closes a store and returns the memory that the server then uses. The buffers of the
	// store's connections would be counted as well, and their size depends on how fast it writes.
	usedBy := func(s *Store) int {
		must(t, s.Close())
		for stat(t, observer, "clients", "connected_clients") > 1 {
			runtime.Gosched()
		}
		return stat(t, observer, "memory", "used_memory")
	}
	before := usedBy(warm)

	s := open(t, server.URL())
	const id = "k3v9x2m7q4pd"
	opened(t, s, id)
	for i := range people {
		person := survey.PersonID(fmt.Sprintf("discord:1234567890123456789:12345678901%08d", i))
		place := takesPart(t, s, id, person)
		if err := s.Ack(ctx, survey.Delivery{Round: id, Person: person, Kind: survey.Invitation}); err != nil {
			t.Fatal(err)
		}
		place, err := s.ChangeMember(ctx, place, time.Now(), func(m *survey.Member) error {
			m.Status, m.Language, m.Role, m.Group = survey.Finished, matrix.English, "health-visitor", "health"
			m.Notice, m.NoticeAt = "1", time.Now()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		pipe := s.client.Pipeline() // as many calls of the store would do, in one round trip
		for e, element := range elements {
			op := survey.Operation{ID: fmt.Sprint(i, e)}
			keys, args := responseArguments(place, time.Now(), answerVerb, op, element, element, strconv.Itoa(1+(i+e)%4))
			writeResponseScript.EvalSha(ctx, pipe, keys, args...)
		}
		must(t, exec(ctx, pipe))
	}
	each := (usedBy(s) - before) / people

	keys, err := observer.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	var byKey int64
	for _, k := range keys {
		if !strings.Contains(k, "warm") && !strings.Contains(k, "WARM") {
			n, err := observer.MemoryUsage(ctx, k, 0).Result()
			if err != nil {
				t.Fatal(err)
			}
			byKey += n
		}
	}
	byKey /= people
	t.Logf("a finished survey of %d answers takes %d bytes of the server's memory, %d by its keys", len(elements), each, byKey)
	if each >= limit || byKey >= limitOfKeys {
		t.Errorf("want less than %d, and %d by its keys", limit, limitOfKeys)
	}
}

// TestEveryKeyExpires checks the expiry of each key after the round was made, its closing date
// moved, and the round closed.
func TestEveryKeyExpires(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) { everyKeyExpires(t, embedded(t).Store) })
	t.Run("server", func(t *testing.T) {
		everyKeyExpires(t, open(t, redistest.Start(t, redistest.Options{}).URL()))
	})
}

func everyKeyExpires(t *testing.T, s *Store) {
	ctx := t.Context()
	r, places := opened(t, s, "r1", "p1", "p2", "p3")
	for _, place := range places {
		if _, err := s.Answer(ctx, place, time.Now(), survey.Operation{ID: "o"}, "vision", 1); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, wantKeys int, own, lists time.Time) {
		t.Helper()
		keys, err := s.client.Keys(ctx, "*").Result()
		if err != nil || len(keys) != wantKeys {
			t.Errorf("%s: %d keys, %v; want %d", when, len(keys), err, wantKeys)
		}
		for _, k := range keys {
			want := own
			if strings.HasPrefix(k, "person:") || strings.HasPrefix(k, "channel:") || k == roundsKey {
				want = lists
			}
			if k == dueKey || k == plansKey {
				want = time.Now().Add(indexTTL)
			}
			if k == erasedKey("r1") {
				want = own.Add(ledgerGrace)
			}
			got, err := s.client.ExpireTime(ctx, k).Result()
			if at := time.Unix(0, 0).Add(got); err != nil || at.Sub(want).Abs() > 2*time.Second { // miniredis rounds
				t.Errorf("%s: %s expires at %v, %v; want %v", when, k, at, err, want)
			}
		}
	}
	const all = 5 + 3 + 4 + 1 + 1 + 2 // of the round, responses, people, channel, list of rounds, indexes
	check("made", all, r.ExpiresAt(), r.ExpiresAt())
	r.ClosesAt = r.ClosesAt.Add(30 * 24 * time.Hour)
	if err := s.SaveRound(ctx, r, audit.Entry{}); err != nil {
		t.Fatal(err)
	}
	check("extended", all, r.ExpiresAt(), r.ExpiresAt())
	closed, err := s.CloseRound(ctx, "r1", time.Now(), audit.Entry{})
	if err != nil {
		t.Fatal(err)
	}
	check("closed early", all-1+1, closed.ExpiresAt(), r.ExpiresAt()) // no secret, but a ledger
}

// TestWithdrawingLeavesNoPseudonym checks that the pseudonym is neither in a key nor in the list
// of responses.
func TestWithdrawingLeavesNoPseudonym(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	_, places := opened(t, s, "r1", "p1", "p2")
	if _, err := s.Answer(t.Context(), places[0], time.Now(), survey.Operation{ID: "o", At: time.Now()}, "vision", 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Withdraw(t.Context(), places[0]); err != nil {
		t.Fatal(err)
	}
	if left := s.client.Keys(t.Context(), "operation_times:*").Val(); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
	listed := s.client.ZRange(t.Context(), responsesKey("r1"), 0, -1).Val()
	keys := s.client.Keys(t.Context(), "response:*").Val()
	if !slices.Equal(listed, []string{places[1].Pseudonym}) || !slices.Equal(keys, []string{responseKey("r1", places[1].Pseudonym)}) {
		t.Errorf("left are %v and %v", listed, keys)
	}
}

// TestIndexesArePruned checks that a round that no longer exists is removed from the lists, and
// that one that is being created is not.
func TestIndexesArePruned(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx := t.Context()
	r, _ := opened(t, s, "r1", "p1")
	for _, gone := range []survey.RoundID{"old", "young"} {
		other := r
		other.ID = gone
		s.now = func() time.Time {
			if gone == "old" {
				return time.Now().Add(-2 * orphanAge)
			}
			return time.Now()
		}
		if err := s.indexRound(ctx, other); err != nil {
			t.Fatal(err)
		}
	}
	in, err := s.RoundsIn(ctx, r.Channel)
	of, err2 := s.RoundsOf(ctx, "slack:T1:UC")
	if err := errors.Join(err, err2); err != nil || !slices.Equal(in, []survey.RoundID{"r1"}) || !slices.Equal(of, in) {
		t.Errorf("got %v and %v, %v", in, of, err)
	}
	for _, key := range []string{channelKey(r.Channel), personKey("slack:T1:UC")} {
		if left := s.client.ZRange(ctx, key, 0, -1).Val(); !slices.Equal(left, []string{"r1", "young"}) {
			t.Errorf("%s holds %v", key, left)
		}
	}
}

// TestCheck checks that the warnings name every setting that puts answers at risk, and nothing
// else.
func TestCheck(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{AOF: true, Password: "s3cret"})
	s := open(t, server.URL())
	lines, got, err := s.Describe(t.Context())
	if err != nil || len(got) != 0 || !slices.Equal(got, s.Check(t.Context())) {
		t.Errorf("got %q, want nothing", got)
	}
	if len(lines) != 1 || !regexp.MustCompile(`^redis \d+\.\d+\.\d+, master, appendonly yes, appendfsync always, `+
		`maxmemory-policy noeviction, memory used [\d.]+[KM] of no limit, clock [+-]0\.\d\d\d s$`).MatchString(lines[0]) {
		t.Errorf("described as %q", lines)
	}
	server.Do(t, "CONFIG", "SET", "appendfsync", "no")
	if got := s.Check(t.Context()); len(got) != 1 || !strings.Contains(string(got[0]), "appendfsync everysec") {
		t.Errorf("got %q", got)
	}
	server.Do(t, "CONFIG", "SET", "appendfsync", "always")
	server.Do(t, "CONFIG", "SET", "slowlog-log-slower-than", "10000")
	must(t, s.client.ConfigSet(t.Context(), "save", "3600 1").Err())
	if got := s.Check(t.Context()); len(got) != 2 || !strings.Contains(string(got[0]), "slowlog-log-slower-than is 10000") ||
		!strings.Contains(string(got[1]), "save is 3600 1") {
		t.Errorf("got %q", got)
	}
	server.Do(t, "CONFIG", "SET", "slowlog-log-slower-than", "-1")
	must(t, s.client.ConfigSet(t.Context(), "save", "").Err())
	open := open(t, redistest.Start(t, redistest.Options{AOF: true}).URL())
	if got := open.Check(t.Context()); len(got) != 1 || !strings.Contains(string(got[0]), "no password") {
		t.Errorf("got %q", got)
	}
	server.Do(t, "CONFIG", "SET", "appendonly", "no")
	server.Do(t, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	got = s.Check(t.Context())
	if len(got) != 2 || !strings.Contains(string(got[0]), "appendonly yes") || !strings.Contains(string(got[1]), "allkeys-lru") {
		t.Errorf("got %q", got)
	}
	if got := settingWarnings(map[string]string{"redis_version": "6.2.7", "aof_enabled": "1", "maxmemory_policy": "noeviction"}, nil); len(got) != 1 || !strings.Contains(string(got[0]), "6.2.7") {
		t.Errorf("got %q", got)
	}
	if got := settingWarnings(nil, nil); len(got) != 3 {
		t.Errorf("got %q", got)
	}
	if got := settingWarnings(nil, reply("NOPERM this user has no permissions to run the 'info' command")); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

// TestWrongServer connects to a replica, which accepts no writes. TestLawsCluster and TestFailover
// try the other kinds of wrong server.
func TestWrongServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{AOF: true})
	server.Do(t, "REPLICAOF", "127.0.0.1", "1")
	wrongServer(t, server.URL(), "is a replica")
}

// wrongServer checks that both Describe and Check say what is wrong with the server at an address.
func wrongServer(t *testing.T, address, want string) {
	t.Helper()
	s := open(t, address)
	if _, _, err := s.Describe(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want %q in it", err, want)
	}
	if got := s.Check(t.Context()); !slices.ContainsFunc(got, func(w Warning) bool { return strings.Contains(string(w), want) }) {
		t.Errorf("got %q, want %q in it", got, want)
	}
}

// TestCheckClock checks the warning about clocks that differ: the processes would not agree on
// when a round is closed.
func TestCheckClock(t *testing.T) {
	t.Parallel()
	e := embedded(t)
	e.SetTime(time.Now().Add(-time.Minute))
	if got := e.Check(t.Context()); !slices.ContainsFunc(got, func(w Warning) bool { return strings.Contains(string(w), "is 1m0s off") }) {
		t.Errorf("got %q", got)
	}
}

// TestSocket connects to a server by its Unix socket.
func TestSocket(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	redistest.Start(t, redistest.Options{Args: []string{"--unixsocket", socket}})
	opened(t, open(t, "unix://"+socket), "r1", "p1")
}

// The benchmarks compare an answer with the script that it runs, both on a private server:
//
//	go test ./adapters/redis -run '^$' -bench 'Answer|BareScript' -count 5
//
// An answer is two round trips, and the decoding of a round, an entry and a response; expect 1.5 to 2 times
// the time of the bare script.

// BenchmarkAnswer alternates an answer, which reads the participation and then runs a script, with
// the script alone, so that other load on the machine slows both alike. The ratio is the time of
// the one over that of the other.
func BenchmarkAnswer(b *testing.B) {
	s := open(b, redistest.Start(b, redistest.Options{}).URL())
	_, places := opened(b, s, "r1", "p1")
	if err := writeResponseScript.Load(b.Context(), s.client).Err(); err != nil {
		b.Fatal(err)
	}
	hash := writeResponseScript.Hash()
	answer := func(now time.Time, g survey.Operation, element string) error {
		place, err := s.Participation(b.Context(), "r1", "p1")
		if err == nil {
			_, err = s.Answer(b.Context(), place, now, g, element, 2)
		}
		return err
	}
	bare := func(now time.Time, g survey.Operation, element string) error {
		keys, args := responseArguments(places[0], now, "answer ", g, element, element, "2")
		reply, err := s.client.EvalSha(b.Context(), hash, keys, args...).Slice()
		if err == nil && reply[0] != "done" {
			err = fmt.Errorf("the script answered %v", reply)
		}
		return err
	}
	var n, answering, running atomic.Int64
	// made is when the i-th press is made by the platform's clock: people leave time between two.
	start := time.Now()
	made := func(i int) time.Time { return start.Add(time.Duration(i) * 2 * survey.DoubleTap) }
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := int(n.Add(2))
			element := elements[i%len(elements)]
			began := time.Now()
			err := answer(began, survey.Operation{ID: strconv.Itoa(i), At: made(i)}, element)
			between := time.Now()
			err = errors.Join(err, bare(between, survey.Operation{ID: strconv.Itoa(i + 1), At: made(i + 1)}, element))
			answering.Add(int64(between.Sub(began)))
			running.Add(int64(time.Since(between)))
			if err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(answering.Load())/float64(running.Load()), "ratio")
	b.ReportMetric(float64(answering.Load())/float64(b.N), "ns/answer")
	b.ReportMetric(0, "ns/op")
}

// TestClaims checks that one of many callers claims an event, that it can be claimed again only
// after it was released, and that a claim expires.
func TestClaims(t *testing.T) {
	t.Parallel()
	s := open(t, redistest.Start(t, redistest.Options{}).URL())
	var first atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			fresh, err := s.Claim(t.Context(), "e1")
			if err != nil {
				t.Error(err)
			}
			if fresh {
				first.Add(1)
			}
		})
	}
	all.Wait()
	if first.Load() != 1 {
		t.Errorf("%d of 20 claimed the event", first.Load())
	}
	if ttl := s.client.TTL(t.Context(), eventKey("e1")).Val(); ttl <= 0 || ttl > claimTTL {
		t.Errorf("a claim lives %v", ttl)
	}
	if done, err := s.Finished(t.Context(), "e1"); err != nil || done {
		t.Errorf("finished before it was: %v", err)
	}
	if err := s.Finish(t.Context(), "e1"); err != nil {
		t.Fatal(err)
	}
	if done, err := s.Finished(t.Context(), "e1"); err != nil || !done {
		t.Errorf("not finished: %v", err)
	}
	if ttl := s.client.TTL(t.Context(), eventKey("e1")).Val(); ttl <= claimTTL || ttl > finishedTTL {
		t.Errorf("a finished event is remembered for %v", ttl)
	}
	if err := s.Release(t.Context(), "e1"); err != nil {
		t.Fatal(err)
	}
	if fresh, err := s.Claim(t.Context(), "e1"); err != nil || !fresh {
		t.Errorf("after its release: %v, %v", fresh, err)
	}
}
