package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

// workshopRuns is the environment variable for the number of workshops that TestWorkshopInvariants
// tries.
const workshopRuns = "MATURITYBOT_WORKSHOP_RUNS"

// killHook makes commands fail at random, before they are sent or after the server has carried them
// out, as when a process is killed.
type killHook struct{ passHook }

var errKilled = errors.New("killed")

func (killHook) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		return killing(func() error { return next(ctx, cmd) }, cmd)
	}
}

func (killHook) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		return killing(func() error { return next(ctx, cmds) }, cmds...)
	}
}

func killing(send func() error, cmds ...goredis.Cmder) error {
	when := rand.IntN(20)
	if when > 1 {
		return send()
	}
	if when == 1 {
		_ = send() // the reply is lost
	}
	for _, cmd := range cmds {
		cmd.SetErr(errKilled)
	}
	return errKilled
}

// workshopRun is one workshop with people and coordinators who act at the same time, and what each
// of them was told.
type workshopRun struct {
	*testing.T
	store  *Store   // of a process that is not killed
	killed []*Store // of several that are
	id     survey.RoundID
	people []*voter

	mu         sync.Mutex
	pending    map[int]int // by ballot, how many operations have no definite outcome yet
	settled    *sync.Cond
	showers    map[int]int // by ballot, how many coordinators were told that they showed it
	pseudonyms map[string]bool
}

// voter is one person, and what was confirmed to them.
type voter struct {
	id       survey.PersonID
	role     string        // as it was last confirmed; empty after being forgotten
	accepted map[int]*cast // by ballot
}

// cast is what a person did in one ballot.
type cast struct {
	rating, maybe matrix.Rating // the vote that must be counted, and one that was perhaps erased
	at            time.Time
}

// until calls do, each time as in a new process, until it has a definite outcome.
func (w *workshopRun) until(random *rand.Rand, do func(context.Context, *Store) error) error {
	for {
		err := do(w.Context(), w.killed[random.IntN(len(w.killed))])
		if !errors.Is(err, survey.ErrUnavailable) {
			return err
		}
	}
}

// begin notes an operation in a ballot that has no outcome yet, and returns a function that removes
// the note.
func (w *workshopRun) begin(ballot int) (settle func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending[ballot]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.pending[ballot]--
		w.settled.Broadcast()
	}
}

// await returns when no operation in an earlier ballot is without an outcome. The store recognises
// what is sent again only until the next ballot is shown.
func (w *workshopRun) await(ballot int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		earlier := 0
		for b, n := range w.pending {
			if b < ballot {
				earlier += n
			}
		}
		if earlier == 0 {
			return
		}
		w.settled.Wait()
	}
}

// act makes a person do something.
func (w *workshopRun) act(v *voter, random *rand.Rand, step int) {
	if v.role == "" || random.IntN(6) == 0 {
		role := []string{"midwife", "parent"}[random.IntN(2)]
		err := w.until(random, func(ctx context.Context, s *Store) error {
			return s.Attend(ctx, w.id, v.id, workshop.Attendee{Role: role})
		})
		if err == nil {
			v.role = role
		} else if !errors.Is(err, workshop.ErrStage) {
			w.Errorf("attend: %v", err)
		}
		return
	}
	switch random.IntN(12) {
	case 0:
		if err := w.until(random, func(ctx context.Context, s *Store) error {
			return errorOf(s.Forget(ctx, w.id, v.id))
		}); err != nil {
			w.Errorf("forget: %v", err)
		}
		v.role = ""
		for _, c := range v.accepted { // the ballot was shown before or was not
			if c.rating != matrix.NotAnswered {
				c.maybe = c.rating
			}
			c.rating, c.at = matrix.NotAnswered, time.Time{}
		}
	case 1:
		err := w.until(random, func(ctx context.Context, s *Store) error {
			return s.Object(ctx, w.id, "needs", v.id, random.IntN(2) == 0)
		})
		if err != nil && !errors.Is(err, workshop.ErrStage) {
			w.Errorf("object: %v", err)
		}
	default:
		w.vote(v, random, step)
	}
}

// vote makes a person vote in the open ballot, or in one that was open a moment ago. Some votes are
// delivered twice, and some after a later one.
func (w *workshopRun) vote(v *voter, random *rand.Rand, step int) {
	a, err := w.store.Assessment(w.Context(), w.id)
	if err != nil || a.Open == nil {
		return
	}
	ballot := a.Open.Number
	defer w.begin(ballot)()
	c := v.accepted[ballot]
	if c == nil {
		c = &cast{}
		v.accepted[ballot] = c
	}
	now := time.Now().Truncate(time.Microsecond)
	presses := []time.Time{now}
	if random.IntN(3) == 0 { // two presses, the later one delivered first
		presses = []time.Time{now.Add(time.Millisecond), now}
	}
	for i, at := range presses {
		rating := matrix.Rating(1 + random.IntN(4))
		if random.IntN(8) == 0 {
			rating = matrix.DontKnow
		}
		op := survey.Operation{ID: fmt.Sprint(v.id, " ", step, " ", i), At: at}
		cast := func(ctx context.Context, s *Store) error { return s.Vote(ctx, w.id, ballot, v.id, op, rating) }
		err := w.until(random, cast)
		if random.IntN(4) == 0 {
			if again := w.until(random, cast); err != nil && again == nil {
				w.Errorf("a vote was refused with %v, and then accepted", err)
			}
		}
		switch {
		case err == nil && !at.Before(c.at):
			c.rating, c.at = rating, at
		case err != nil && !errors.Is(err, workshop.ErrNoBallot):
			w.Errorf("vote: %v", err)
		}
	}
}

// coordinate makes a coordinator do something.
func (w *workshopRun) coordinate(random *rand.Rand, step string) {
	a, err := w.store.Assessment(w.Context(), w.id)
	if err != nil || a.Stage != workshop.Meeting {
		return
	}
	if a.Open != nil && random.IntN(4) > 0 {
		ballot := a.Open.Number
		w.await(ballot)
		defer w.begin(ballot)()
		show := func(ctx context.Context, s *Store) error {
			return errorOf(s.ShowBallot(ctx, a, ballot, survey.Operation{ID: step}, audit.Entry{Action: audit.Shown}))
		}
		err := w.until(random, show)
		if err == nil {
			err = w.until(random, show) // delivered again
			w.mu.Lock()
			w.showers[ballot]++
			w.mu.Unlock()
		}
		if err != nil && !errors.Is(err, workshop.ErrNoBallot) && !errors.Is(err, workshop.ErrTooFew) {
			w.Errorf("show: %v", err)
		}
		return
	}
	element := a.Agenda[random.IntN(len(a.Agenda))]
	if random.IntN(4) == 0 {
		err = a.Postpone(element)
	} else {
		err = a.Begin(element)
	}
	if errors.Is(err, workshop.ErrAgain) {
		return
	}
	must(w, err)
	err = w.until(random, func(ctx context.Context, s *Store) error {
		return s.SaveAssessment(ctx, a, audit.Entry{Action: audit.Rated})
	})
	if err != nil && !errors.Is(err, survey.ErrChanged) {
		w.Errorf("save: %v", err)
	}
	b, err := w.store.readBallot(w.Context(), w.id)
	must(w, err)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, v := range w.people {
		w.pseudonyms[survey.Pseudonym(b.secret, v.id)] = true
		w.pseudonyms[survey.Pseudonym(b.objections, v.id)] = true
	}
}

// end makes a coordinator end the workshop.
func (w *workshopRun) end(random *rand.Rand) {
	for {
		a, err := w.store.Assessment(w.Context(), w.id)
		must(w, err)
		if a.Stage == workshop.Agreed {
			return
		}
		err = w.until(random, func(ctx context.Context, s *Store) error {
			return errorOf(s.EndWorkshop(ctx, a, time.Now(), audit.Entry{Action: audit.Stage}))
		})
		if err != nil && !errors.Is(err, survey.ErrChanged) {
			w.Errorf("end: %v", err)
		}
	}
}

// check compares what is kept at the end with what everybody was told.
func (w *workshopRun) check(endedEarly bool) {
	a := assessmentOf(w, w.store, w.id)
	shown := map[int]bool{}
	for _, b := range a.Ballots {
		shown[b.Number] = true
		surely, perhaps := make([]int, 5), make([]int, 5) // by level; 0 stands for don't know
		for _, v := range w.people {
			c := v.accepted[b.Number]
			switch {
			case c == nil:
			case c.rating != matrix.NotAnswered:
				surely[max(0, int(c.rating))]++
			case c.maybe != matrix.NotAnswered:
				perhaps[max(0, int(c.maybe))]++
			}
		}
		for level, n := range append([]int{b.DontKnow}, b.Counts...) {
			if n < surely[level] || n > surely[level]+perhaps[level] {
				w.Errorf("ballot %d: %d ratings on level %d; confirmed were %d, and %d of people who were then forgotten",
					b.Number, n, level, surely[level], perhaps[level])
			}
		}
		if workshop.Sum(b.Counts) < a.MinGroup {
			w.Errorf("ballot %d was shown with %v", b.Number, b.Counts)
		}
	}
	for ballot, n := range w.showers {
		if n != 1 || !shown[ballot] {
			w.Errorf("%d coordinators were told that they showed ballot %d", n, ballot)
		}
	}
	if len(w.showers) != len(a.Ballots) {
		w.Errorf("%d ballots were shown, and of %d somebody was told", len(a.Ballots), len(w.showers))
	}
	attendance := map[string]int{}
	for _, v := range w.people {
		if v.role != "" {
			attendance[v.role]++
		}
	}
	if !endedEarly && fmt.Sprint(a.Attendance) != fmt.Sprint(attendance) {
		w.Errorf("the attendance is %v, want %v", a.Attendance, attendance)
	}
	log, err := w.store.AuditLog(w.Context(), w.id)
	must(w, err)
	entries := map[audit.Action]int{}
	for _, e := range log {
		entries[e.Action]++
	}
	if entries[audit.Shown] != len(a.Ballots) || entries[audit.Stage] != 1 || audit.Verify(string(w.id), log) != 0 {
		w.Errorf("the audit log has %v, for %d ballots", entries, len(a.Ballots))
	}
	for key, holds := range everything(w, w.store) {
		if strings.HasPrefix(key, "ballot:") || strings.HasPrefix(key, "votes:") {
			w.Errorf("%s is left: %s", key, holds)
		}
		for _, v := range w.people {
			if strings.Contains(key+holds, string(v.id)) {
				w.Errorf("%s names %s: %s", key, v.id, holds)
			}
		}
		for pseudonym := range w.pseudonyms {
			if strings.Contains(key+holds, pseudonym) {
				w.Errorf("%s has a pseudonym: %s", key, holds)
			}
		}
	}
}

// TestWorkshopInvariants tries workshops in which people and coordinators act at the same time while
// processes are killed. Whatever happens, each vote that was confirmed is counted in the ballot when
// it is shown, each that was refused is not, one coordinator shows a ballot, and at the end nothing
// leads to a person.
func TestWorkshopInvariants(t *testing.T) {
	t.Parallel()
	runs := 15
	if text := os.Getenv(workshopRuns); text != "" {
		n, err := strconv.Atoi(text)
		must(t, err)
		runs = n
	}
	server := redistest.Start(t, redistest.Options{})
	store := open(t, server.URL())
	var killed []*Store
	for range 2 {
		s := open(t, server.URL())
		s.client.AddHook(killHook{})
		killed = append(killed, s)
	}
	ballots := 0
	for i := range runs {
		must(t, store.client.FlushDB(t.Context()).Err())
		seed := rand.Uint64()
		w := &workshopRun{
			T: t, store: store, killed: killed, id: survey.RoundID(fmt.Sprint("r", i)),
			pending: map[int]int{}, showers: map[int]int{}, pseudonyms: map[string]bool{},
		}
		w.settled = sync.NewCond(&w.mu)
		r := survey.Round{
			ID: w.id, State: survey.Open, Matrix: "england", Channel: "c", Languages: []matrix.Lang{matrix.English},
			Coordinators: []survey.PersonID{"slack:T1:UC"}, ClosesAt: time.Now().Add(time.Hour),
		}
		must(t, store.CreateRound(t.Context(), r, audit.Entry{Action: audit.Created}))
		meetingOf(t, store, w.id)
		for n := range 9 {
			person := survey.PersonID(fmt.Sprint("slack:T1:UPERSON", n))
			w.people = append(w.people, &voter{id: person, accepted: map[int]*cast{}})
		}
		early := i%8 == 7
		var all, actors sync.WaitGroup
		for n, v := range w.people {
			random := rand.New(rand.NewPCG(seed, uint64(n)))
			actors.Go(func() {
				for step := range 14 {
					w.act(v, random, step)
				}
			})
		}
		for n := range 2 {
			random := rand.New(rand.NewPCG(seed, uint64(100+n)))
			all.Go(func() {
				for step := range 16 {
					w.coordinate(random, fmt.Sprint("coordinator ", n, " ", step))
				}
				if !early {
					actors.Wait()
				}
				w.end(random)
			})
		}
		all.Wait()
		actors.Wait()
		w.check(early)
		ballots += len(w.showers)
		if t.Failed() {
			t.Fatalf("workshop %d failed", i)
		}
	}
	t.Logf("%d ballots were shown in %d workshops", ballots, runs)
	if ballots < runs/2 {
		t.Errorf("only %d ballots were shown in %d workshops", ballots, runs)
	}
}
