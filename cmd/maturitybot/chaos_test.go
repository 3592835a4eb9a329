package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	osexec "os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	discordfake "maturitybot/adapters/discord/fake"
	"maturitybot/adapters/redis"
	"maturitybot/adapters/redis/redistest"
	slackfake "maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// The chaos test lets people answer the survey on a fake platform while everything under the bot fails, in turn and at random. It is judged by
// what people saw and what the coordinator is given in the end, never by what stands in the store.
const (
	longChaos = "MATURITYBOT_LONG_CHAOS" // how long faults are injected, such as 5m; without it, some seconds
	chaosDial = "MATURITYBOT_CHAOS_DIAL" // makes this program the bot, and says where every platform is reached
	// chaosClock names a file that says how far the bot's clock is ahead of the machine's.
	chaosClock = "MATURITYBOT_CHAOS_CLOCK"
)

// chaosProcess runs serve as a process of the chaos test, configured by its environment, and reaches every platform
// at one address. It returns the exit code.
func chaosProcess() int {
	var c serveCommand
	parser, err := kong.New(&c)
	if err == nil {
		_, err = parser.Parse(nil)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	to := os.Getenv(chaosDial)
	c.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", to)
	}
	c.now = fileClock(os.Getenv(chaosClock))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := c.Run(ctx, streams{out: os.Stdout, err: os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// fileClock returns a clock that is ahead of the machine's by what a file says. It reads the file
// every 20 milliseconds at most: a bot looks at its clock thousands of times a second.
func fileClock(path string) func() time.Time {
	var mu sync.Mutex
	var read time.Time
	var ahead time.Duration
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if now.Sub(read) > 20*time.Millisecond {
			var err error
			if ahead, err = aheadIn(path); err != nil {
				panic(err)
			}
			read = now
		}
		return now.Add(ahead)
	}
}

// aheadIn reads how far a clock is ahead of the machine's.
func aheadIn(path string) (time.Duration, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return time.ParseDuration(string(raw))
}

// setAhead puts the clock of all processes ahead of the machine's.
func (s *chaos) setAhead(ahead time.Duration) {
	s.t.Helper()
	next := s.clock + ".next"
	err := os.WriteFile(next, []byte(ahead.String()), 0o600)
	if err == nil {
		err = os.Rename(next, s.clock) // a process may be reading it
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// faults are the faults that can be injected into a fake platform.
type platformFaults interface {
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	Down(bool)
	Serve(http.Handler)
	Tolerate()
	Cut()
}

// scenario is a platform and its transport.
type scenario struct {
	name     string
	byHTTP   bool
	replicas int
	env      []string
	make     func(t *testing.T) (faked, platformFaults)
	// failCalls makes the platform's next answers to the bot's calls fail: lost after they were done, refused, slowed down.
	failCalls func(f faked, r *rand.Rand)
}

func scenarios() []scenario {
	slackFaults := func(f faked, r *rand.Rand) {
		call := []string{"response_url", "chat.postMessage", "chat.update", "chat.postEphemeral", "views.open"}[r.IntN(5)]
		fault := []slackfake.Fault{{Lose: true}, {Cut: true}, {Status: 500}, {Status: 429, RetryAfter: 1}, {Wait: 2 * time.Second}}[r.IntN(5)]
		f.(onSlack).Fail(call, fault, fault)
	}
	discordFaults := func(f faked, r *rand.Rand) {
		call := []string{"callback", "original", "followup", "send", "edit"}[r.IntN(5)]
		fault := []discordfake.Fault{{Lose: true}, {Cut: true}, {Status: 500}, {Status: 429, After: 0.5}, {Wait: 2 * time.Second}}[r.IntN(5)]
		f.(onDiscord).Fail(call, fault, fault)
	}
	slackOf := func(sockets bool) func(t *testing.T) (faked, platformFaults) {
		return func(t *testing.T) (faked, platformFaults) {
			s := slackfake.New(t)
			return onSlack{Server: s, sockets: sockets}, s
		}
	}
	discordOf := func(gateway bool) func(t *testing.T) (faked, platformFaults) {
		return func(t *testing.T) (faked, platformFaults) {
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
	platform   faked
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

// replica is a process of the bot, started again whenever it ends, as a service manager would.
type replica struct {
	address string // where it takes requests
	ops     string // where it tells how it is
	end     func() // ends it as a service manager does, for good
	mu      sync.Mutex
	process *os.Process
}

func TestChaos(t *testing.T) {
	t.Parallel()
	lasts, people := 9*time.Second, 16
	if s := os.Getenv(longChaos); s != "" {
		var err error
		if lasts, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
		people = 250
	} else if testing.Short() {
		t.Skip("takes some seconds")
	}
	redistest.BearFullDisk()
	for _, c := range scenarios() {
		t.Run(c.name, func(t *testing.T) {
			if os.Getenv(longChaos) == "" {
				t.Parallel()
			}
			newChaos(t, c).run(lasts, people)
		})
	}
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
	editions, err := matrix.Editions()
	if err != nil {
		t.Fatal(err)
	}
	s.matrix = editions[0]
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

// awaitReady waits until every replica serves.
func (s *chaos) awaitReady() {
	s.t.Helper()
	for _, r := range s.replicas {
		s.waitUntil("a replica is ready", func() bool {
			answer, err := http.Get("http://" + r.ops + "/readyz")
			if err != nil {
				return false
			}
			_ = answer.Body.Close() // only the status was asked for
			return answer.StatusCode == http.StatusOK
		})
	}
}

// killAll ends every replica as kill -9 does.
func (s *chaos) killAll() {
	for _, r := range s.replicas {
		r.kill()
	}
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

// bridge lets another process reach the platform.
func bridge(t *testing.T, dial func(ctx context.Context, network, address string) (net.Conn, error)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // it has served
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = near.Close() }()
				far, err := dial(context.Background(), "tcp", "platform:443")
				if err != nil {
					return
				}
				go func() {
					_, _ = io.Copy(far, near) // until one of them ends
					_ = far.Close()
				}()
				_, _ = io.Copy(near, far)
			}()
		}
	}()
	return l.Addr().String()
}

// newBot starts a replica.
func (s *chaos) start() *replica {
	s.t.Helper()
	r := &replica{address: keptPort(s.t), ops: keptPort(s.t)}
	env := append(os.Environ(), append(s.scenario.env, chaosDial+"="+s.bridge, chaosClock+"="+s.clock, "REDIS_URL=redis://"+s.proxy.Addr, "LISTEN="+r.address,
		"OPS_LISTEN="+r.ops, "LOG_FORMAT=json")...)
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	ending := false // with r.mu
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			cmd := osexec.Command(os.Args[0])
			cmd.Env, cmd.Stdout, cmd.Stderr = env, &s.log, &s.log
			r.mu.Lock()
			if ending {
				r.mu.Unlock()
				return
			}
			err := cmd.Start()
			r.process = cmd.Process
			r.mu.Unlock()
			if err != nil {
				s.t.Error(err)
				return
			}
			stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait() // killed, or it could not go on
			stop()
			select {
			case <-time.After(200 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}()
	s.t.Cleanup(func() {
		end()
		<-ended
	})
	r.end = func() {
		r.mu.Lock()
		last := r.process
		ending = true
		r.mu.Unlock()
		_ = last.Signal(syscall.SIGTERM) // it may have ended by itself
		select {
		case <-ended:
		case <-time.After(slowdown * 30 * time.Second):
			s.t.Error("a process does not end when it is told to")
		}
	}
	return r
}

// keptPort is an address that nobody is given by chance while its replica is away: below the ports that systems give out.
func keptPort(t *testing.T) string {
	t.Helper()
	for range 100 {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000))); err == nil {
			defer func() { _ = l.Close() }() // for its replica to take
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// kill ends the process as kill -9 does.
func (r *replica) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process != nil {
		_ = r.process.Kill() // it may have ended by itself
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

// startWeb has a survey made, and a Join button posted where these people are.
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
	for i := range people + people/2 {
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
				s.server.Do(s.t, "CONFIG", "SET", "appendfsync", "always")
				return
			}
			redisAgain()
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

// newUser is a person with a phone, who presses a button, looks whether the press was taken, and presses again when it was not.
type user struct {
	s         *chaos
	name, id  string
	in        string        // the channel they type commands in, and join from
	pause     time.Duration // on average, between gestures
	note      string        // what they write beside one answer
	roles     bool          // they have just said what they do
	submitted bool
	want      map[string]string   // element -> the answer they have decided on
	gave      map[string][]string // element -> the answers they ever pressed, each another, oldest first
	saw       map[string]int      // element -> the number among these of the newest that was shown as saved
	changed   map[string]bool     // elements on which they have changed their mind
	tries     map[string]int      // how often they pressed an answer to an element
	answered  string              // the element that their last tap answered, at the first try
	way       control             // a button that once led to an element
	hurried   bool                // the closing time comes while faults are injected
	closes    time.Time           // it, by the machine's clock
	question  message             // the last card that had answers
	answers   []control           // on that card
	skipped   string              // the element on which their thumb slipped, until that is delivered again
	slip      func()              // delivers it again
	slipped   map[string]bool     // elements on which their thumb slipped, until they answer them
	refused   bool                // they were told that the survey takes no more answers
}

func (s *chaos) newUser(name, channel string) *user {
	return &user{
		s: s, name: name, id: s.platform.person(name).ID, in: s.platform.place(channel).Channel,
		want: map[string]string{}, gave: map[string][]string{}, saw: map[string]int{},
		changed: map[string]bool{}, tries: map[string]int{}, slipped: map[string]bool{},
	}
}

// lastSeen is the newest answer to an element that was shown to them as saved, or empty.
func (w *user) lastSeen(element string) string {
	if n := w.saw[element]; n > 0 {
		return w.gave[element][n-1]
	}
	return ""
}

// notAnswered is where no answer is kept.
const notAnswered = ""

// allowed are the answers to an element that may be kept of them: the newest that they saw saved, and
// those that they gave after it without seeing what came of it.
func (w *user) allowed(element string) []string {
	n := w.saw[element]
	if n == 0 {
		return append([]string{notAnswered}, w.gave[element]...)
	}
	return w.gave[element][n-1:]
}

// control is something to press.
type control struct {
	action  chat.Action
	label   string
	chosen  bool
	options []chat.Option
}

// look is the newest card before the user that has buttons, and what can be pressed on it. What
// it says is saved, is noted.
func (w *user) look() (message, []control, string) {
	all := w.s.platform.messages([]string{w.in}, []string{w.id})
	for _, m := range slices.Backward(all) {
		if !m.bot || m.whispered != "" && m.whispered != w.id {
			continue
		}
		card, err := w.s.platform.card(m)
		if err != nil {
			w.s.t.Errorf("a card that cannot be read: %v", err)
			continue
		}
		var things []control
		heading := ""
		for _, b := range card.Blocks {
			switch b := b.(type) {
			case chat.Text:
				for _, span := range b.Spans {
					if words, ok := span.(chat.Words); ok {
						w.readSaved(string(words))
					}
				}
			case chat.Heading:
				heading = b.Text
			case chat.Choice:
				things = append(things, control{action: b.Button.Action, label: b.Button.Label, chosen: b.Button.Chosen})
			case chat.Menu:
				things = append(things, control{action: b.Action, options: b.Options})
			case chat.Buttons:
				for _, x := range b.Buttons {
					things = append(things, control{action: x.Action, label: x.Label, chosen: x.Chosen})
				}
			}
		}
		if len(things) > 0 {
			return m, things, heading
		}
	}
	return message{}, nil, ""
}

// waitForChange waits up to 4 seconds until the user sees something newer.
func (w *user) waitForChange(since int) bool {
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		all := w.s.platform.messages(nil, []string{w.id})
		if len(all) > 0 && all[len(all)-1].changed > since {
			return true
		}
	}
	return false
}

func (w *user) newest() int {
	all := w.s.platform.messages(nil, []string{w.id})
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].changed
}

func (w *user) tap(m message, on control, picked string) bool {
	before := w.newest()
	action, err := on.action.Encode()
	if err != nil {
		w.s.t.Error(err)
		return false
	}
	w.s.platform.press(w.id, m, true, action, picked)
	return w.waitForChange(before)
}

// maxDelivery is how late a delivery may come.
const maxDeliveryDelay = 3 * time.Second

// releaseLater makes a delivery that is held back, within some time.
func (w *user) releaseLater(release func(), within time.Duration) {
	w.s.deliveries.Go(func() {
		time.Sleep(rand.N(within))
		release()
	})
}

// tapAtRandom is tap, but now and then the press is delivered late, or twice.
func (w *user) tapAtRandom(m message, on control, picked string) bool {
	switch rand.IntN(8) {
	case 0:
		w.s.delayed.Add(1)
		w.releaseLater(w.s.platform.Hold(w.id), maxDeliveryDelay/3)
	case 1, 2:
		w.s.copied.Add(1)
		w.releaseLater(w.s.platform.Copy(w.id), maxDeliveryDelay)
	}
	return w.tap(m, on, picked)
}

// tapTwice presses an answer, changes their mind at once, and presses another. The first press is
// countMessage after the second.
func (w *user) tapTwice(m message, first, second control) bool {
	action, err := first.action.Encode()
	if err != nil {
		w.s.t.Error(err)
		return false
	}
	w.s.overtaken.Add(1)
	release := w.s.platform.Hold(w.id)
	w.s.platform.press(w.id, m, true, action, "")
	moved := w.tap(m, second, "")
	w.releaseLater(release, maxDeliveryDelay)
	return moved
}

// press presses the newest button of a verb, and command types a command; both are for when no faults are injected.
func (w *user) press(verb string) {
	w.s.t.Helper()
	var m message
	var on control
	shown := func() bool {
		var things []control
		m, things, _ = w.look()
		i := slices.IndexFunc(things, func(x control) bool { return x.action.Verb == verb })
		if i >= 0 {
			on = things[i]
		}
		return i >= 0
	}
	found := false
	for i := 0; !found && i < slowdown; i++ {
		found = w.s.platform.until(shown)
	}
	if !found || !w.tap(m, on, "") {
		w.s.t.Fatalf("%s cannot press %q\n%s", w.name, verb, last(w.s.log.String(), 6000))
	}
}

// command is typed again until the bot is there to take it, and returns how often it was.
func (w *user) command(words ...string) int {
	w.s.t.Helper()
	end := time.Now().Add(slowdown * 30 * time.Second)
	for n := 1; ; n++ {
		ack := w.s.platform.command(w.id, w.in, words)
		if ack.why == "" {
			return n
		}
		if time.Now().After(end) {
			w.s.t.Fatalf("%s cannot type %v: %s\n%s", w.name, words, ack.why, last(w.s.log.String(), 6000))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// fill sends the form that opens.
func (w *user) fill(values map[string][]string) {
	w.s.t.Helper()
	if !w.s.platform.until(func() bool { name, _, _ := w.s.platform.form(w.id); return name != "" }) {
		w.s.t.Fatalf("no form opens before %s\n%s", w.name, last(w.s.log.String(), 6000))
	}
	before := w.newest()
	if ack := w.s.platform.submit(w.id, values); ack.why != "" || len(ack.refused) > 0 || !w.waitForChange(before) {
		w.s.t.Fatalf("%s sends a form: %s %v", w.name, ack.why, ack.refused)
	}
}

// answerSurvey answers the whole survey, or until it is enough. Whoever has not come to its end a minute after
// the last fault is stuck.
func (w *user) answerSurvey(over <-chan struct{}, enough func() bool) {
	var deadline <-chan time.Time
	idle := 0 // gestures of which nothing came
	for {
		m, things, heading := w.look()
		w.read(things)
		finished := w.submitted && strings.HasPrefix(heading, "Thank you, you have finished")
		if finished || enough() {
			return
		}
		if w.next(m, things) {
			idle = 0
		} else if idle++; idle >= 3 {
			w.s.platform.command(w.id, w.in, []string{"home"}) // as the card says when a press fails: back to where they were
			w.waitForChange(m.changed)
			idle = 0
		}
		select {
		case <-over:
			if deadline == nil {
				deadline, w.pause = time.After(slowdown*time.Minute), 30*time.Millisecond
			}
		default:
		}
		select {
		case <-deadline:
			w.s.t.Errorf("%s is stuck on %q with %d of %d answers", w.name, heading, len(w.saw), len(w.s.matrix.Elements()))
			return
		case <-time.After(rand.N(2*w.pause + time.Millisecond)):
		}
	}
}

// read notes what the card shows as saved.
func (w *user) read(things []control) {
	shown := ""
	chosen := false
	for _, x := range things {
		if x.action.Verb != "answer" {
			continue
		}
		shown = x.action.Args[1]
		if x.chosen {
			chosen = true
			w.noteSaved(shown, x.action.Args[2])
		}
	}
	if shown != "" && !chosen && w.saw[shown] > 0 {
		w.s.older.Add(1)
	}
}

// noteSaved notes that an answer is shown as saved. It must be one that this person gave. Now and then
// a card is drawn late; in the end the newest that was ever shown must be in the results.
func (w *user) noteSaved(element, answer string) {
	n := slices.Index(w.gave[element], answer) + 1
	switch {
	case n == 0:
		w.s.t.Errorf("%s is shown %s for %s, which they never gave", w.name, answer, element)
	case n < w.saw[element]:
		w.s.older.Add(1)
	default:
		w.saw[element] = n
	}
}

// savedLine is what a card says of the answer before.
var savedLine = regexp.MustCompile(`(?m)^Saved: (.+?)(?:, with your detail,)? for (.+)$`)

// refusal is what a card says once the survey takes no more answers.
var refusal = regexp.MustCompile(`^The time for answers has passed|^This survey closed at`)

// readSaved notes what a card says in words is saved, and that it takes no more.
func (w *user) readSaved(words string) {
	if refusal.MatchString(words) {
		w.refused = true
	}
	said := savedLine.FindStringSubmatch(words)
	if said == nil {
		return
	}
	answer := map[string]string{"Don't know": "dk", "Not applicable to me": "na"}[said[1]]
	for i, level := range w.s.matrix.Levels {
		if level.Name.In(matrix.English) == said[1] {
			answer = strconv.Itoa(i + 1)
		}
	}
	for _, e := range w.s.matrix.Elements() {
		if e.Name.In(matrix.English) == said[2] && answer != "" {
			w.noteSaved(e.ID, answer)
			return
		}
	}
	w.s.t.Errorf("%s cannot read %q", w.name, words)
}

// next does what somebody would do on this card, and says whether anything came of it.
func (w *user) next(m message, things []control) bool {
	has := func(verb string) (control, bool) {
		i := slices.IndexFunc(things, func(x control) bool { return x.action.Verb == verb })
		if i < 0 {
			return control{}, false
		}
		return things[i], true
	}
	if x, ok := has("answer"); ok {
		return w.answer(m, things, x.action.Args[1])
	}
	if x, ok := has("role"); ok {
		if w.roles = !w.roles; w.roles { // whoever comes back here was not heard the first time
			return w.tap(m, x, x.options[rand.IntN(len(x.options))].Value)
		}
	}
	if x, ok := has("submit"); ok {
		// What they have decided on without ever seeing it saved, they look at again first.
		for _, e := range w.s.matrix.Elements() {
			unsure := w.saw[e.ID] == 0 || w.lastSeen(e.ID) != w.want[e.ID]
			if unsure && len(w.way.action.Args) > 1 {
				w.way.action.Args[1] = e.ID
				return w.tap(m, w.way, "")
			}
		}
		if len(w.saw) == len(w.s.matrix.Elements()) {
			w.submitted = true
			return w.tap(m, x, "")
		}
	}
	for _, verb := range []string{"accept", "go", "lang", "begin", "resume", "review", "join"} {
		if x, ok := has(verb); ok {
			return w.tapAtRandom(m, x, "")
		}
	}
	return false
}

// answer gives an answer, which brings the next question; now and then an answer is changed, or
// something is written beside it, or the thumb slips and hits the next question at once.
func (w *user) answer(m message, things []control, element string) bool {
	var answers []control
	var onward, detail, change control
	for _, x := range things {
		switch {
		case x.action.Verb == "answer":
			answers = append(answers, x)
		case x.action.Verb == "detail":
			detail = x
		case x.action.Verb == "change":
			change = x
		case strings.HasPrefix(x.label, "Next"), strings.HasPrefix(x.label, "Skip"), strings.HasPrefix(x.label, "Review"):
			onward = x
		}
	}
	if onward.action.Verb == "at" {
		w.way = onward
	}
	w.question, w.answers = m, answers
	before := w.answered
	w.answered = ""
	if before != "" && before != element && w.lastSeen(before) == w.want[before] && w.gave[element] == nil && rand.IntN(4) == 0 {
		w.s.slips.Add(1)
		w.slipped[element] = true
		w.s.platform.AtOnce(w.id, survey.DoubleTap/3) // nothing is noted: it must not be saved
		if onward.action.Verb == "at" && w.skipped == "" && rand.IntN(2) == 0 {
			// It is delivered again once another question was answered, and this one was not.
			w.s.copied.Add(1)
			w.skipped, w.slip = element, w.s.platform.Copy(w.id)
		}
		return w.tap(m, answers[rand.IntN(len(answers))], "")
	}
	if w.skipped == element && w.want[element] == "" {
		return w.tap(m, onward, "")
	}
	decide := func() { // on another answer than ever before, so that each has a number
		var others []string
		for _, x := range answers {
			given := slices.Contains(w.gave[element], x.action.Args[2])
			if !given && (x.action.Args[2] != lateAnswer || !w.hurried) {
				others = append(others, x.action.Args[2])
			}
		}
		level := func(answer string) bool { return answer != "dk" && answer != "na" }
		if slices.ContainsFunc(others, level) && rand.IntN(5) > 0 { // or too few rate it
			others = slices.DeleteFunc(others, func(answer string) bool { return !level(answer) })
		}
		if len(others) == 0 {
			w.want[element] = w.gave[element][len(w.gave[element])-1]
			return
		}
		w.want[element] = others[rand.IntN(len(others))]
		delete(w.slipped, element)
		w.gave[element] = append(w.gave[element], w.want[element])
	}
	switch {
	// Only the time of the last answer to each element is known, by which a slip is recognised.
	case change.action.Verb != "" && !w.changed[change.action.Args[1]] && len(w.slipped) == 0 && rand.IntN(8) == 0:
		w.changed[change.action.Args[1]] = true
		w.want[change.action.Args[1]] = "" // they decide anew when they see it
		return w.tap(m, change, "")
	case w.note != "" && detail.action.Verb != "" && rand.IntN(10) == 0:
		action, _ := detail.action.Encode()
		w.s.platform.press(w.id, m, true, action, "")
		// The form opens before the press is acknowledged, or just after.
		for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
			if name, _, _ := w.s.platform.form(w.id); name != "" {
				w.s.platform.submit(w.id, map[string][]string{"note": {w.note}})
				w.note = ""
				break
			}
		}
		return true
	case w.want[element] == "":
		decide()
	case w.lastSeen(element) == w.want[element]:
		return w.tap(m, onward, "")
	}
	w.tries[element]++
	wanted := func() control {
		return answers[slices.IndexFunc(answers, func(x control) bool { return x.action.Args[2] == w.want[element] })]
	}
	moved := false
	if first := wanted(); w.tries[element] == 1 && rand.IntN(4) == 0 {
		decide()
		moved = w.tapTwice(m, first, wanted())
	} else {
		moved = w.tapAtRandom(m, first, "")
	}
	if moved && w.tries[element] == 1 {
		w.answered = element
	}
	if moved && w.skipped != "" && w.skipped != element {
		w.releaseLater(w.slip, maxDeliveryDelay/10)
		w.skipped, w.slip = "", nil
	}
	return moved
}

// lateAnswer is what people answer after the closing time, and those of such a survey never before.
const lateAnswer = "na"

// pressLate waits for the closing time, and presses answers after it until they are refused. Whoever
// has not heard of it a minute after the last fault never does.
func (w *user) pressLate(over <-chan struct{}) {
	elements := w.s.matrix.Elements()
	late := func() control {
		x := w.answers[slices.IndexFunc(w.answers, func(x control) bool { return x.action.Args[2] == lateAnswer })]
		x.action.Args = slices.Clone(x.action.Args)
		x.action.Args[1] = elements[rand.IntN(len(elements))].ID
		return x
	}
	if len(w.answers) > 0 { // one is given before the closing time, and comes after it
		release := w.s.platform.Hold(w.id)
		if action, err := late().action.Encode(); err != nil {
			w.s.t.Error(err)
		} else {
			w.s.platform.press(w.id, w.question, true, action, "")
		}
		w.s.deliveries.Go(func() {
			time.Sleep(time.Until(w.closes.Add(rand.N(maxDeliveryDelay / 2))))
			release()
		})
	}
	time.Sleep(time.Until(w.closes))
	var deadline time.Time
	for n := 0; n < 5 || !w.refused; n++ {
		select {
		case <-over:
			if deadline.IsZero() {
				deadline = time.Now().Add(slowdown * time.Minute)
			}
		default:
		}
		if !deadline.IsZero() && time.Now().After(deadline) {
			w.s.t.Errorf("%s is never told that the survey takes no more answers", w.name)
			return
		}
		if len(w.answers) == 0 {
			return // they never came to a question
		}
		w.s.late.Add(1)
		w.tap(w.question, late(), "")
		w.look()
	}
}

// judge closes a survey, if it has not closed by itself, and compares what its coordinator is given
// with what people saw saved.
func (s *chaos) judge(o *chaosRound) {
	ana := o.ana
	state := func() string {
		return strings.TrimSpace(s.server.Do(s.t, "HGET", "round:{"+string(o.id)+"}", "state"))
	}
	if state() != "closed" {
		ana.command("close")
		ana.press("closenow")
	}
	s.waitUntil("the survey is closed", func() bool { return state() == "closed" })
	ana.command("export")
	var raw []byte
	given := s.platform.until(func() bool {
		for _, m := range s.platform.messages([]string{ana.in}, nil) {
			for _, f := range m.files {
				if strings.HasSuffix(f.Name, ".json") {
					raw = f.Data
				}
			}
		}
		return raw != nil
	})
	if !given {
		s.t.Fatalf("there are no results\n%s", last(s.log.String(), 2000))
	}
	var results struct {
		Turnout  struct{ Finished, Respondents int }
		Elements []figuresRead
	}
	if err := json.Unmarshal(raw, &results); err != nil {
		s.t.Fatal(err)
	}
	posts := s.platform.messages([]string{s.platform.place(o.team).Channel}, nil)
	if len(posts) > o.buttons {
		s.t.Errorf("%s: %d Join buttons are posted, %d were asked for", o.area, len(posts), o.buttons)
	}
	all := !o.users[0].hurried // finish it
	n := len(o.users)
	if all && (results.Turnout.Finished != n || results.Turnout.Respondents != n) {
		s.t.Errorf("%s: %+v in the results, want %d of each", o.area, results.Turnout, n)
	}
	if len(results.Elements) != len(s.matrix.Elements()) {
		s.t.Errorf("%s: %d elements in the results", o.area, len(results.Elements))
	}
	shown, sure := 0, 0
	for _, e := range results.Elements {
		least, most := map[string]int{}, map[string]int{} // people, by answer
		for _, w := range o.users {
			may := w.allowed(e.ID)
			for _, answer := range may {
				most[answer]++
			}
			if len(may) == 1 {
				least[may[0]]++
				if may[0] != notAnswered {
					sure++
				}
			}
			if all && (len(may) != 1 || may[0] == notAnswered) {
				s.t.Errorf("%s has finished without seeing what is saved of %q for %s", w.name, may, e.ID)
			}
		}
		if _, hidden := e.Rated.(string); hidden {
			if all {
				s.t.Errorf("%s: %s is hidden: too few rated it", o.area, e.ID)
			}
			continue
		}
		shown++
		got := map[string]int{"dk": number(e.DontKnow), "na": number(e.NotApplicable)}
		for i, level := range s.matrix.Levels {
			got[strconv.Itoa(i+1)] = number(e.Counts[level.ID])
		}
		for answer, n := range got {
			if n < least[answer] || n > most[answer] {
				s.t.Errorf("%s: %s: %d people are counted with %s, %d saw it saved, and %d may have",
					o.area, e.ID, n, answer, least[answer], most[answer])
			}
		}
		if all && number(e.NotAnswered) != 0 {
			s.t.Errorf("%s: %v people are counted as not having answered", e.ID, e.NotAnswered)
		}
	}
	s.t.Logf("%s: %d of %d elements are shown, %d answers are certain",
		o.area, shown, len(results.Elements), sure)
	if shown < 2 || sure == 0 {
		s.t.Errorf("%s: only %d elements are shown: the results say too little", o.area, shown)
	}
}

// readSecrets reads the secrets of surveys, and who has which pseudonym, while they are open: what nobody
// allowed find out after the close.
func (s *chaos) readSecrets(surveys ...*chaosRound) {
	s.t.Helper()
	store, err := redis.Open(s.t.Context(), s.server.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = store.Close() }() // it was only read
	byArea := map[string]survey.RoundID{}
	err = store.Rounds(s.t.Context(), func(r survey.Round) error {
		byArea[r.Area] = r.ID
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range surveys {
		o.id = byArea[o.area]
		o.secret = secretsOf(s.t, s.server.URL(), []survey.RoundID{o.id})[0]
	}
}

// maxLinked is more than a line of attack that knows nothing links: it is right about one person
// lookup each survey on average, however many take part, and about 14 or more of both with a probability
// lookup 1 in 40 million. Of some thousand lines of attack in the four scenarios one is with a probability
// lookup at most 1 in 10,000.
const maxLinked = 14

// attack ends the bot, and tries to link people to responses with all that is left.
func (s *chaos) attack(surveys ...*chaosRound) {
	for _, r := range s.replicas {
		r.end()
	}
	awaitRewrite(s.t, s.server)
	live, slowlog := askRedis(s.t, s.server.URL())
	disk := loaded(s.t, s.server.Dir)
	texts := map[string][]byte{
		"log": []byte(s.log.String()), "slowlog": slowlog, "files": readFiles(s.t, s.server.Dir),
	}
	var told strings.Builder
	for _, k := range []*kept{live, disk} {
		checkKept(s.t, k)
		for key, of := range k.keys {
			fmt.Fprintln(&told, key, of.fields)
		}
	}
	texts["keys"] = []byte(told.String())
	for name, text := range texts {
		for _, o := range surveys {
			if bytes.Contains(text, o.secret) {
				s.t.Errorf("%s: the secret of a closed survey is there", name)
			}
		}
	}
	delete(texts, "keys")                 // where each is on its own below
	people, linked := 0, map[string]int{} // of both, by line of attack
	for _, o := range surveys {
		pseudonyms := map[string]string{} // by person who took part
		e := evidence{texts: texts, presses: map[string][]press{}}
		for _, element := range s.matrix.Elements() {
			e.elements = append(e.elements, element.ID)
		}
		sure := 0
		for _, w := range o.users {
			person := s.platform.person(w.name).String()
			pseudonym := survey.Pseudonym(o.secret, survey.PersonID(person))
			if bytes.Contains(texts["log"], []byte(pseudonym)) {
				s.t.Error("a pseudonym is in the log")
			}
			if len(w.saw) > 0 {
				sure++
			}
			response, answered := live.keys[responsePrefix+string(o.id)+"}:"+pseudonym]
			if !answered {
				continue
			}
			s.checkResponse(w, response.fields)
			pseudonyms[person] = pseudonym
			e.people = append(e.people, person)
			for _, made := range s.platform.Gestures(w.id) {
				e.presses[person] = append(e.presses[person], press{made.Platform, made.Real})
			}
		}
		slices.Sort(e.people)
		if len(e.people) < sure {
			s.t.Errorf("%s: %d responses are kept of %d people: the attack would see nothing",
				o.area, len(e.people), sure)
		}
		e.stores = map[string]*kept{"redis": live.of(o.id, e.people), "files": disk.of(o.id, e.people)}
		for name, k := range e.stores {
			for key, of := range k.keys {
				text := key + " " + strings.Join(of.fields, " ")
				names := func(what string) bool { return strings.Contains(text, what) }
				secrets := slices.Collect(maps.Values(pseudonyms))
				if slices.ContainsFunc(e.people, names) && slices.ContainsFunc(secrets, names) {
					s.t.Errorf("%s: %s has a person and a pseudonym", name, key)
				}
			}
		}
		people += len(e.people)
		for name, g := range attack(e) {
			linked[name] += g.right(pseudonyms)
		}
	}
	s.t.Logf("%d lines of attack", len(linked))
	for name, n := range linked {
		if n >= maxLinked {
			s.t.Errorf("%s: %d of %d people are linked to their responses", name, n, people)
		}
	}
}

// checkResponse compares what is kept of one person with what they saw saved: results are sums, in which
// two errors may hide each other.
func (s *chaos) checkResponse(w *user, fields []string) {
	answers := map[string]string{}
	for i := 0; i+1 < len(fields); i += 2 {
		answers[fields[i]] = fields[i+1]
		switch fields[i+1] {
		case strconv.Itoa(int(matrix.DontKnow)):
			answers[fields[i]] = "dk"
		case strconv.Itoa(int(matrix.NotApplicable)):
			answers[fields[i]] = "na"
		}
	}
	for _, e := range s.matrix.Elements() {
		if got := answers[e.ID]; !slices.Contains(w.allowed(e.ID), got) {
			s.t.Errorf("%s: %s has %q kept, and saw number %d of %q saved", e.ID, w.name, got,
				w.saw[e.ID], w.gave[e.ID])
		}
	}
}

func number(x any) int {
	f, ok := x.(float64)
	if !ok {
		return -1
	}
	return int(f)
}

// searchLogs looks through everything that the processes printed, and tell their operator, for what must never be there.
func (s *chaos) searchLogs(surveys ...*chaosRound) {
	printed, told := s.log.String(), ""
	for _, r := range s.replicas {
		for _, page := range []string{"/metrics", "/readyz"} {
			answer, err := http.Get("http://" + r.ops + page)
			if err != nil {
				s.t.Errorf("nothing at %s: %v", page, err)
				continue
			}
			body, err := io.ReadAll(answer.Body)
			_ = answer.Body.Close() // it was read
			if err != nil || !strings.Contains(string(body), "redis") {
				s.t.Errorf("%s is %q, %v", page, body, err)
			}
			told += string(body)
		}
	}
	if !strings.Contains(printed, `"msg":"event"`) {
		s.t.Error("the log is empty")
	}
	never := []string{slackfake.Token, slackfake.AppToken, slackfake.Secret, discordfake.Token, "canary", "@example.org"}
	for _, o := range surveys {
		never = append(never, o.area)
		never = append(never, o.ids()...)
		for _, w := range o.users {
			never = append(never, `"`+w.name+`"`)
		}
	}
	for _, e := range s.matrix.Elements() {
		never = append(never, ":"+e.ID+":")
	}
	for _, what := range never {
		if strings.Contains(told, what) {
			s.t.Errorf("%q is in what the bot tells its operator:\n%s", what, told)
		}
		if i := strings.Index(printed, what); i >= 0 {
			s.t.Errorf("%q is in the log: %s", what, printed[max(0, i-300):min(len(printed), i+100)])
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(printed), "\n") {
		if !json.Valid([]byte(line)) && !harmless.MatchString(line) {
			s.t.Errorf("a line of the log is no JSON: %s", line)
		}
	}
}

// harmless is what the program prints when it ends by itself.
var harmless = regexp.MustCompile(`^(connect to (Redis|Slack|Discord)|offer the commands)`)
