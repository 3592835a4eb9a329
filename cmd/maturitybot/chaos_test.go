package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	discordfake "maturitybot/adapters/discord/fake"
	"maturitybot/adapters/redis/redistest"
	slackfake "maturitybot/adapters/slack/fake"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// The chaos test lets people answer the survey on a fake platform while everything under the bot fails, in turn and at random. It is judged by
// what people saw and what the coordinator is given in the end, never by what stands in the store.
const (
	longChaos = "MATURITYBOT_LONG_CHAOS" // how long faults are injected, such as 5m; without it, some seconds
	// chaosPeople is how many people answer the first survey; without it, a few.
	chaosPeople = "MATURITYBOT_CHAOS_PEOPLE"
	chaosDial   = "MATURITYBOT_CHAOS_DIAL" // makes this program the bot, and says where every platform is reached
	// chaosClock names a file that says how far the bot's clock is ahead of the machine's.
	chaosClock = "MATURITYBOT_CHAOS_CLOCK"
)

// platformFaults are the faults that can be injected into a fake platform.
type platformFaults interface {
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	Down(bool)
	Serve(http.Handler)
	Tolerate()
	Cut()
	Heal(call string)
}

// scenario is a platform and its transport.
type scenario struct {
	name     string
	byHTTP   bool
	replicas int
	env      []string
	make     func(t *testing.T) (fakePlatform, platformFaults)
	// failCalls makes the platform's next answers to the bot's calls fail: lost after they were done, refused, slowed down.
	failCalls func(f fakePlatform, r *rand.Rand)
}

func scenarios() []scenario {
	slackFaults := func(f fakePlatform, r *rand.Rand) {
		call := []string{"response_url", "chat.postMessage", "chat.update", "chat.postEphemeral", "views.open"}[r.IntN(5)]
		fault := []slackfake.Fault{{Lose: true}, {Cut: true}, {Status: 500}, {Status: 429, RetryAfter: 1}, {Wait: 2 * time.Second}}[r.IntN(5)]
		f.(onSlack).Fail(call, fault, fault)
	}
	discordFaults := func(f fakePlatform, r *rand.Rand) {
		call := []string{"callback", "original", "followup", "send", "edit"}[r.IntN(5)]
		fault := []discordfake.Fault{{Lose: true}, {Cut: true}, {Status: 500}, {Status: 429, After: 0.5}, {Wait: 2 * time.Second}}[r.IntN(5)]
		f.(onDiscord).Fail(call, fault, fault)
	}
	slackOf := func(sockets bool) func(t *testing.T) (fakePlatform, platformFaults) {
		return func(t *testing.T) (fakePlatform, platformFaults) {
			s := slackfake.New(t)
			return onSlack{Server: s, sockets: sockets}, s
		}
	}
	discordOf := func(gateway bool) func(t *testing.T) (fakePlatform, platformFaults) {
		return func(t *testing.T) (fakePlatform, platformFaults) {
			d := discordfake.New(t)
			return onDiscord{Server: d, gateway: gateway}, d
		}
	}
	slackEnv := []string{"SLACK_API_URL=" + slackfake.URL, "SLACK_BOT_TOKEN=" + slackfake.Token}
	discordEnv := []string{"DISCORD_API_URL=" + discordfake.URL, "DISCORD_TOKEN=" + discordfake.Token}
	return []scenario{
		{"slack by HTTP", true, 2, append(slackEnv, "SLACK_SIGNING_SECRET="+slackfake.Secret), slackOf(false), slackFaults},
		{"slack by sockets", false, 2, append(slackEnv, "SLACK_APP_TOKEN="+slackfake.AppToken), slackOf(true), slackFaults},
		{"discord by HTTP", true, 2, append(discordEnv, "DISCORD_PUBLIC_KEY="+discordfake.PublicKey), discordOf(false), discordFaults},
		{"discord by the gateway", false, 1, discordEnv, discordOf(true), discordFaults},
	}
}

// chaos is one run of the test, for one scenario.
type chaos struct {
	t          *testing.T
	scenario   scenario
	platform   fakePlatform
	faults     platformFaults
	server     *redistest.Server
	proxy      *redistest.Proxy
	bridge     string // where the bot reaches the platform
	clock      string // the file of chaosClock
	matrix     *matrix.Matrix
	log        locked // of all processes
	replicas   []*replica
	injected   map[string]int // of what was done to it
	slips      atomic.Int64   // taps that hit the question which had just come
	older      atomic.Int64   // cards that showed no answer, or an older one, where one had been shown as saved
	late       atomic.Int64   // presses after the closing time
	copied     atomic.Int64   // deliveries that were made twice
	delayed    atomic.Int64   // deliveries that came late
	overtaken  atomic.Int64   // deliveries that a later one overtook
	deliveries sync.WaitGroup // deliveries that are still to be made
}

func TestChaos(t *testing.T) {
	t.Parallel()
	lasts, people := 9*time.Second, 10
	if s := os.Getenv(longChaos); s != "" {
		var err error
		if lasts, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
		people = 250
	} else if testing.Short() {
		t.Skip("takes some seconds")
	}
	if s := os.Getenv(chaosPeople); s != "" {
		var err error
		if people, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	redistest.BearFullDisk()
	// The scenarios mostly wait. As parallel subtests they would begin after those of all other tests.
	var running errgroup.Group
	switch {
	case os.Getenv(longChaos) != "":
		running.SetLimit(1)
	case racing:
		running.SetLimit(2)
	}
	for _, c := range scenarios() {
		running.Go(func() error {
			t.Run(c.name, func(t *testing.T) { newChaos(t, c).run(lasts, people) })
			return nil
		})
	}
	_ = running.Wait() // each has reported its own errors
}

func newChaos(t *testing.T, c scenario) *chaos {
	t.Helper()
	s := &chaos{t: t, scenario: c, server: redistest.Start(t, redistest.Options{
		AOF: true, Args: []string{"--rdbcompression", "no"}, // so that its files can be searched
	}), injected: map[string]int{}, clock: filepath.Join(t.TempDir(), "ahead")}
	s.setAhead(0)
	s.proxy = redistest.ProxyTo(t, s.server.Addr)
	s.platform, s.faults = c.make(t)
	s.faults.Tolerate()
	s.platform.Pause(2 * time.Second) // by the platform's clock people read each question
	s.matrix = editions()[0]
	s.bridge = bridge(t, s.faults.Dial)
	for range c.replicas {
		s.replicas = append(s.replicas, s.start())
	}
	s.awaitReady()
	if c.byHTTP {
		var turn atomic.Int64
		s.faults.Serve(&httputil.ReverseProxy{ // in front of the replicas, each in turn
			Rewrite: func(r *httputil.ProxyRequest) {
				n := int(turn.Add(1))
				r.SetURL(&url.URL{Scheme: "http", Host: s.replicas[n%len(s.replicas)].address})
			},
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
			ErrorLog:     log.New(io.Discard, "", 0), // of connections that end midway, as they are to
		})
	}
	return s
}

// waitUntil waits until something holds that no change on the platform tells of.
func (s *chaos) waitUntil(what string, holds func() bool) {
	s.t.Helper()
	for end := time.Now().Add(slowdown * 30 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("in vain: %s\n%s", what, last(s.log.String(), 2000))
		}
	}
}

// chaosRound is a survey that users answer during the test.
type chaosRound struct {
	area, lead string // lead coordinates it
	room, team string // the channels of its coordinator and of its Join button
	closes     time.Time
	ana        *user
	users      []*user
	repeat     func() // delivers again that the coordinator asked for a Join button
	buttons    int    // how often they asked
	id         survey.RoundID
	secret     []byte
}

// minOpenTime is a little more than a new survey must be open.
const minOpenTime = 62 * time.Minute

// ids returns the platform's ids of those who answer.
func (o *chaosRound) ids() []string {
	var ids []string
	for _, w := range o.users {
		ids = append(ids, w.id)
	}
	return ids
}

// open has a survey made, and a Join button posted where these people are.
func (s *chaos) open(o *chaosRound, names []string) {
	s.t.Helper()
	for _, name := range names {
		w := s.newUser(name, o.team)
		w.note = fmt.Sprintf("canary%ssings", name)
		s.platform.know(actor{id: w.id, name: name}, false)
		o.users = append(o.users, w)
	}
	coordinator := s.platform.person(o.lead).ID
	s.platform.know(actor{id: coordinator, name: o.lead, admin: true}, false)
	team := s.platform.place(o.team).Channel
	s.platform.channel(team, append([]string{coordinator}, o.ids()...), true, true)
	s.platform.channel(s.platform.place(o.room).Channel, []string{coordinator}, true, true)
	o.ana = s.newUser(o.lead, o.room)
	o.ana.command("new")
	o.ana.fill(map[string][]string{
		"area": {o.area}, "languages": {"en"},
		"closes": {o.closes.Format(time.DateOnly)}, "closes_time": {o.closes.Format("15:04")},
	})
	o.ana.press("open")
	o.ana.in = team
	o.repeat = s.platform.Copy(coordinator)
	o.buttons = o.ana.command("button")
	posted := func() bool { return len(s.platform.messages([]string{team}, nil)) > 0 }
	if !s.platform.until(posted) {
		s.t.Fatalf("there is no Join button\n%s", s.log.String())
	}
	o.ana.in = s.platform.place(o.room).Channel
}

// run lets users answer two surveys while faults are injected, and checks the results. The closing time
// of one survey comes while faults are injected; all users finish the other.
func (s *chaos) run(lasts time.Duration, people int) {
	london, err := time.LoadLocation(survey.DefaultTimeZone)
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	const fewest = 8 // of whom some must rate an element before the closing time
	for i := range people + max(people/2, fewest) {
		names = append(names, fmt.Sprintf("w%c%cx", 'a'+i/26, 'a'+i%26)) // ids are made of letters
	}
	now := time.Now().In(london)
	whole := &chaosRound{
		area: "Northshire", lead: "lead", room: "#early-years", team: "#team", closes: now.AddDate(0, 1, 0),
	}
	short := &chaosRound{
		area: "Southshire", lead: "chief", room: "#first-years", team: "#crew",
		closes: now.Add(minOpenTime + time.Minute).Truncate(time.Minute),
	}
	s.open(whole, names[:people])
	s.open(short, names[people:])
	s.readSecrets(whole, short)
	// What is done once is not done again by processes that know nothing of the first time.
	s.killAll()
	s.awaitReady()
	whole.repeat()
	short.repeat()

	over := make(chan struct{})
	var running sync.WaitGroup
	before := make(chan struct{})
	close(before)
	for _, w := range short.users { // so that there are answers to lose
		w.hurried = true
		running.Go(func() { w.answerSurvey(before, func() bool { return len(w.saw) >= 5 }) })
	}
	running.Wait()
	began := time.Now()
	closes := began.Add(lasts * 4 / 5)
	s.setAhead(short.closes.Sub(closes))
	for _, w := range whole.users {
		w.pause = lasts / 40
		running.Go(func() { w.answerSurvey(over, func() bool { return false }) })
	}
	for _, w := range short.users {
		w.pause, w.closes = lasts/80, closes
		running.Go(func() {
			soon := closes.Add(-rand.N(lasts / 20))
			w.answerSurvey(over, func() bool { return time.Now().After(soon) })
			w.pressLate(over)
		})
	}
	s.inject(lasts)
	s.faults.Heal("") // calls that nobody made until now would fail the coordinators
	injected := time.Since(began)
	close(over)
	running.Wait()
	s.deliveries.Wait()
	finished := time.Since(began)
	s.t.Logf("%d people, %v: %v; %d slips of a thumb, %d cards older than what was seen before, "+
		"%d presses after the closing time; %d deliveries made twice, %d late, %d overtaken",
		len(names), lasts, s.injected, s.slips.Load(), s.older.Load(), s.late.Load(),
		s.copied.Load(), s.delayed.Load(), s.overtaken.Load())
	if s.t.Failed() {
		s.t.Logf("%s", last(s.log.String(), 2000))
		return
	}
	s.judge(whole)
	s.judge(short)
	s.searchLogs(whole, short)
	s.attack(whole, short)
	s.t.Logf("faults were injected for %v, all had finished after %v, %v in all",
		injected, finished, time.Since(began))
}

// inject injects each fault at least once, in random order, until the time is over.
func (s *chaos) inject(lasts time.Duration) {
	r := rand.New(rand.NewPCG(1, uint64(len(s.scenario.name))))
	wait := func(d time.Duration) { time.Sleep(d/2 + rand.N(d)) }
	redisAgain := func() {
		s.server.Kill()
		wait(200 * time.Millisecond)
		s.server.Restart(s.t)
	}
	faults := map[string]func(){
		"bot killed":       func() { s.replicas[r.IntN(len(s.replicas))].kill() },
		"all bots killed":  s.killAll,
		"redis killed":     redisAgain,
		"redis cut":        s.proxy.Cut,
		"redis reply lost": func() { s.proxy.Drop([]string{"evalsha", "hmget", "set"}[r.IntN(3)], nil) },
		"platform cut": func() {
			s.faults.Down(true)
			wait(200 * time.Millisecond)
			s.faults.Down(false)
		},
		"sockets cut":         s.faults.Cut,
		"platform in trouble": func() { s.scenario.failCalls(s.platform, r) },
		"memory limit": func() {
			s.server.Do(s.t, "CONFIG", "SET", "maxmemory", "1")
			wait(600 * time.Millisecond)
			s.server.Do(s.t, "CONFIG", "SET", "maxmemory", "0")
		},
		"disk full": func() {
			// A server that writes before it answers ends when it cannot; one that writes each second refuses.
			s.server.Do(s.t, "CONFIG", "SET", "appendfsync", []string{"always", "everysec"}[r.IntN(2)])
			empty, ok := s.server.FillDisk(s.t)
			if !ok {
				return
			}
			wait(time.Second)
			if s.server.Running() {
				empty()
				wait(1500 * time.Millisecond) // until it has written what it holds
			}
			if !s.server.Running() {
				redisAgain()
				return
			}
			s.server.Do(s.t, "CONFIG", "SET", "appendfsync", "always")
		},
		"redis paused": func() {
			resume := s.server.Pause(s.t)
			time.Sleep(min(5*time.Second, lasts/3))
			resume()
		},
	}
	var names []string
	for name := range faults {
		names = append(names, name)
	}
	slices.Sort(names)
	for end := time.Now().Add(lasts); ; {
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			if s.injected[name] > 0 && time.Now().After(end) {
				return // each has been done at least once
			}
			faults[name]()
			s.injected[name]++
			wait(400 * time.Millisecond)
		}
	}
}
