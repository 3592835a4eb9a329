package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	osexec "os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/redis/redistest"
	"maturitybot/adapters/resultfiles"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/reminders"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// The environment of a process of the fault test, and what makes the test long.
const (
	faultRedis    = "MATURITYBOT_FAULT_REDIS"
	faultPlatform = "MATURITYBOT_FAULT_PLATFORM"
	faultBegan    = "MATURITYBOT_FAULT_BEGAN" // when the fast clock began, unix nanoseconds
	longFaults    = "MATURITYBOT_LONG_FAULTS" // how many people; a minute for every few thousand
)

// The clock of the fault test begins just before a reminder is due, and is fast: ten minutes, after which what a dead process held
// is handed out again, are five seconds.
const fast = 120

var faultNoon = time.Date(2027, 1, 12, 9, 59, 0, 0, time.UTC)

func fastClock(began time.Time) func() time.Time {
	return func() time.Time { return faultNoon.Add(fast * time.Since(began)) }
}

// remotePlatform is a platform in another process. It accepts messages, refuses some, and records what it accepted.
type remotePlatform struct {
	noMessenger
	url string
	pid string
}

var errRefused = errors.New("the platform refuses")

func (f remotePlatform) post(ctx context.Context, what, whom string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+"/"+what, bytes.NewReader([]byte(whom)))
	if err != nil {
		return fmt.Errorf("tell the platform: %w", err)
	}
	req.Header.Set("Process", f.pid)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", chat.ErrUnsure, err) // the connection broke: it may have arrived
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("%w: %w", chat.ErrUnsure, err)
	}
	if resp.StatusCode != http.StatusOK {
		return errRefused
	}
	return nil
}

func (f remotePlatform) Send(ctx context.Context, _ string, to chat.Person, _ chat.Card) error {
	return f.post(ctx, "message", to.String())
}

func (f remotePlatform) Post(ctx context.Context, id string, _ chat.Place, _ chat.Card, _ []chat.File) error {
	return f.post(ctx, "message", "post "+id)
}

// reportingSystem reports each acknowledged message to the platform.
type reportingSystem struct {
	survey.System
	platform remotePlatform
}

func (n reportingSystem) Ack(ctx context.Context, d survey.Delivery) error {
	if err := n.System.Ack(ctx, d); err != nil {
		return err
	}
	return n.platform.post(ctx, "noted", string(d.Person))
}

// TestReminderProcess is a process of the bot that sends reminders, started by TestRemindersSurviveKills and killed by it.
func TestReminderProcess(t *testing.T) {
	address := os.Getenv(faultRedis)
	if address == "" {
		t.Skip("runs as a process of TestRemindersSurviveKills")
	}
	began, err := strconv.ParseInt(os.Getenv(faultBegan), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	now := fastClock(time.Unix(0, began))
	store, err := redis.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	matrices := editions()
	words := sentences()
	people := remotePlatform{url: os.Getenv(faultPlatform), pid: strconv.Itoa(os.Getpid())}
	rounds := survey.NewRounds(store, matrices, now)
	log := slog.New(slog.DiscardHandler)
	b := bot.New(bot.Options{Rounds: rounds, Tools: bot.Tools{
		Matrices: matrices, Words: words, Renderer: resultfiles.New(words), Directory: people, Sender: people,
		Claims: store, Schedule: defaultSchedule(), Log: log, Now: now,
	}})
	loop := reminders.NewLoop(reportingSystem{rounds.System(), people}, b, log).Planning(reminders.NewPlanner(rounds.System(), defaultSchedule(), now, log))
	if err := loop.Run(t.Context()); err != nil { // until it is killed
		t.Fatal(err)
	}
}

// farPlatform counts what it takes, by whom, and refuses one message in ten.
type farPlatform struct {
	mu       sync.Mutex
	taken    map[string][]string // message -> the processes it was taken from
	noted    map[string]string   // message -> the process that noted it
	refused  int
	twice    int // sent again though it had been noted
	unproven int // sent again though the first sender lives
	killed   map[string]bool
}

func (p *farPlatform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return // the process was killed while it spoke
	}
	what, process := string(raw), r.Header.Get("Process")
	if r.URL.Path == "/message" {
		time.Sleep(time.Duration(1+rand.IntN(8)) * time.Millisecond) // a platform takes its time, and may be left alone meanwhile
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.URL.Path == "/noted" {
		p.noted[what] = process
		return
	}
	if rand.IntN(10) == 0 {
		p.refused++
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if before := p.taken[what]; len(before) > 0 {
		if p.noted[what] != "" {
			p.twice++
		}
		for _, b := range before {
			if !p.killed[b] {
				p.unproven++
			}
		}
	}
	p.taken[what] = append(p.taken[what], process)
}

// TestRemindersSurviveKills kills processes of the bot at random moments while they plan and send thousands of reminders to a platform
// that fails at random: everybody who is due gets one, and two only who was sent one by a process that died before noting it.
func TestRemindersSurviveKills(t *testing.T) {
	people := 1200
	if s := os.Getenv(longFaults); s != "" {
		var err error
		if people, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	} else if testing.Short() {
		t.Skip("takes some seconds")
	}
	t.Parallel()
	server := redistest.Start(t, redistest.Options{AOF: people <= 5000})
	began := time.Now()
	round := faultyRound(t, server.URL(), fastClock(began), people)
	platform := &farPlatform{taken: map[string][]string{}, noted: map[string]string{}, killed: map[string]bool{}}
	web := httptest.NewServer(platform)
	defer web.Close()

	const processes = 3
	var running [processes]*osexec.Cmd
	start := func(i int) {
		cmd := osexec.Command(os.Args[0], "-test.run=^TestReminderProcess$", "-test.timeout=0")
		cmd.Env = append(os.Environ(), faultRedis+"="+server.URL(), faultPlatform+"="+web.URL, fmt.Sprint(faultBegan, "=", began.UnixNano()))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running[i] = cmd
	}
	kill := func(i int) {
		platform.mu.Lock()
		platform.killed[strconv.Itoa(running[i].Process.Pid)] = true
		platform.mu.Unlock()
		_ = running[i].Process.Kill() // kill -9
		_ = running[i].Wait()         // it ends by being killed
	}
	for i := range processes {
		start(i)
	}
	kills := 0
	deadline := time.After(time.Minute + time.Duration(people/100)*time.Second)
	for done := false; !done; {
		select {
		case <-deadline:
			t.Fatal("not everybody was reminded in time")
		case <-time.After(time.Duration(200+rand.IntN(800)) * time.Millisecond):
		}
		platform.mu.Lock()
		got := len(platform.taken)
		platform.mu.Unlock()
		done = got >= people && server.Do(t, "ZCARD", "owed:{"+string(round)+"}") == "0"
		if got < people {
			i := rand.IntN(processes)
			kill(i)
			kills++
			start(i)
		}
	}
	for i := range processes {
		kill(i)
	}
	platform.mu.Lock()
	defer platform.mu.Unlock()
	twice := 0
	for _, processes := range platform.taken {
		twice += len(processes) - 1
	}
	for i := range people {
		if n := len(platform.taken[faultyPerson(i)]); n == 0 {
			t.Errorf("%s got none", faultyPerson(i))
		}
	}
	t.Logf("%d people were reminded, with %d kills and %d refusals: %d got a second message, each of a process that died before it had noted the first",
		len(platform.taken), kills, platform.refused, twice)
	if platform.twice > 0 || platform.unproven > 0 || kills == 0 {
		t.Errorf("%d were sent again though noted, %d though their sender lived; %d kills", platform.twice, platform.unproven, kills)
	}
	if len(platform.taken) != people {
		t.Errorf("%d messages, want %d", len(platform.taken), people)
	}
}

func faultyPerson(i int) string { return fmt.Sprintf("far:w:p%d", i) }

// faultyRound is an open round with so many people, who are due to be reminded a minute after its clock began.
func faultyRound(t testing.TB, address string, now func() time.Time, people int) survey.RoundID {
	t.Helper()
	store, err := redis.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }() // everything was written
	matrices := editions()
	const id, lead = survey.RoundID("faultyrnd2"), survey.PersonID("far:w:lead")
	at := now().Add(-24 * time.Hour)
	rounds := survey.NewRounds(store, matrices, func() time.Time { return at })
	_, err = rounds.AsCreator(lead).Create(t.Context(), survey.Round{
		ID: id, Area: "Northshire", Matrix: "england", Languages: []matrix.Lang{"en"}, TimeZone: "Europe/London",
		ClosesAt: time.Date(2027, 1, 13, 17, 0, 0, 0, time.UTC), Channel: "far:w:c", Coordinators: []survey.PersonID{lead},
		MinGroup: 5, Consensus: results.Consensus{Percent: 70},
		Reminders: survey.DefaultReminders(), Posts: survey.ChannelPlan{Disabled: survey.OptionalPosts},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := rounds.As(lead).Open(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	var all []survey.Member
	for i := range people {
		all = append(all, survey.Member{Person: survey.PersonID(faultyPerson(i)), Status: survey.Invited})
	}
	if _, err := store.Invite(t.Context(), id, all, "", time.Time{}, nil); err != nil {
		t.Fatal(err)
	}
	return id
}
