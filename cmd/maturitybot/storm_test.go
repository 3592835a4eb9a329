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

// The storm: people answer the survey on a fake platform while everything under the bot fails, in turn and at random. It is judged by
// what people saw and what the coordinator is given in the end, never by what stands in the store.
const (
	longStorm = "MATURITYBOT_LONG_STORM" // how long it lasts, such as 5m; without it, some seconds
	stormDial = "MATURITYBOT_STORM_DIAL" // makes this program the bot, and says where every platform is reached
)

// storming is the bot as a process of the storm: serve, with what is in its environment, and every platform at one address.
func storming() int {
	var c serveCommand
	parser, err := kong.New(&c)
	if err == nil {
		_, err = parser.Parse(nil)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	to := os.Getenv(stormDial)
	c.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", to)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := c.Run(ctx, streams{out: os.Stdout, err: os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// weather is what can be done to a platform.
type weather interface {
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	Down(bool)
	Serve(http.Handler)
	Tolerate()
	Cut()
}

// climate is one way of the bot to its people.
type climate struct {
	name     string
	byHTTP   bool
	replicas int
	env      []string
	make     func(t *testing.T) (faked, weather)
	// trouble makes the platform's next answers to the bot's calls fail: lost after they were done, refused, slowed down.
	trouble func(f faked, r *rand.Rand)
}

func climates() []climate {
	slackTrouble := func(f faked, r *rand.Rand) {
		call := []string{"response_url", "chat.postMessage", "chat.update", "chat.postEphemeral", "views.open"}[r.IntN(5)]
		fault := []slackfake.Fault{{Lose: true}, {Cut: true}, {Status: 500}, {Status: 429, RetryAfter: 1}, {Wait: 2 * time.Second}}[r.IntN(5)]
		f.(onSlack).Fail(call, fault, fault)
	}
	discordTrouble := func(f faked, r *rand.Rand) {
		call := []string{"callback", "original", "followup", "send", "edit"}[r.IntN(5)]
		fault := []discordfake.Fault{{Lose: true}, {Cut: true}, {Status: 500}, {Status: 429, After: 0.5}, {Wait: 2 * time.Second}}[r.IntN(5)]
		f.(onDiscord).Fail(call, fault, fault)
	}
	slackOf := func(sockets bool) func(t *testing.T) (faked, weather) {
		return func(t *testing.T) (faked, weather) {
			s := slackfake.New(t)
			return onSlack{Server: s, sockets: sockets}, s
		}
	}
	discordOf := func(gateway bool) func(t *testing.T) (faked, weather) {
		return func(t *testing.T) (faked, weather) {
			d := discordfake.New(t)
			return onDiscord{Server: d, gateway: gateway}, d
		}
	}
	slackEnv := []string{"SLACK_API_URL=" + slackfake.URL, "SLACK_BOT_TOKEN=" + slackfake.Token}
	discordEnv := []string{"DISCORD_API_URL=" + discordfake.URL, "DISCORD_TOKEN=" + discordfake.Token}
	return []climate{
		{"slack by HTTP", true, 2, append(slackEnv, "SLACK_SIGNING_SECRET="+slackfake.Secret), slackOf(false), slackTrouble},
		{"slack by sockets", false, 2, append(slackEnv, "SLACK_APP_TOKEN="+slackfake.AppToken), slackOf(true), slackTrouble},
		{"discord by HTTP", true, 2, append(discordEnv, "DISCORD_PUBLIC_KEY="+discordfake.PublicKey), discordOf(false), discordTrouble},
		{"discord by the gateway", false, 1, discordEnv, discordOf(true), discordTrouble},
	}
}

// storm is one run of it.
type storm struct {
	t        *testing.T
	climate  climate
	platform faked
	weather  weather
	server   *redistest.Server
	proxy    *redistest.Proxy
	bridge   string // where the bot reaches the platform
	matrix   *survey.Matrix
	log      locked // of all processes
	replicas []*replica
	count    map[string]int // of what was done to it
	slips    atomic.Int64   // taps that hit the question which had just come
	older    atomic.Int64   // cards that showed no answer where one had been shown as saved
}

// replica is a process of the bot, started again whenever it ends, as a service manager would.
type replica struct {
	address string // where it takes requests
	ops     string // where it tells how it is
	end     func() // ends it as a service manager does, for good
	mu      sync.Mutex
	process *os.Process
}

func TestStorm(t *testing.T) {
	lasts, people := 9*time.Second, 30
	if s := os.Getenv(longStorm); s != "" {
		var err error
		if lasts, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
		people = 250
	} else if testing.Short() {
		t.Skip("takes some seconds")
	}
	redistest.BearFullDisk()
	for _, c := range climates() {
		t.Run(c.name, func(t *testing.T) {
			if os.Getenv(longStorm) == "" {
				t.Parallel()
			}
			newStorm(t, c).rage(lasts, people)
		})
	}
}

func newStorm(t *testing.T, c climate) *storm {
	t.Helper()
	s := &storm{t: t, climate: c, server: redistest.Start(t, redistest.Options{
		AOF: true, Args: []string{"--rdbcompression", "no"}, // so that its files can be searched
	}), count: map[string]int{}}
	s.proxy = redistest.ProxyTo(t, s.server.Addr)
	s.platform, s.weather = c.make(t)
	s.weather.Tolerate()
	s.platform.Pause(2 * time.Second) // by the platform's clock people read each question
	editions, err := matrix.Editions()
	if err != nil {
		t.Fatal(err)
	}
	s.matrix = editions[0]
	s.bridge = bridge(t, s.weather.Dial)
	for range c.replicas {
		s.replicas = append(s.replicas, s.start())
	}
	if c.byHTTP {
		for _, r := range s.replicas {
			s.until("a replica takes requests", func() bool {
				c, err := net.Dial("tcp", r.address)
				if err == nil {
					_ = c.Close() // it was there
				}
				return err == nil
			})
		}
		var turn atomic.Int64
		s.weather.Serve(&httputil.ReverseProxy{ // in front of the replicas, each in turn
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

// until waits until something holds that no change on the platform tells of.
func (s *storm) until(what string, holds func() bool) {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
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

// start starts a replica.
func (s *storm) start() *replica {
	s.t.Helper()
	r := &replica{address: keptPort(s.t), ops: keptPort(s.t)}
	env := append(os.Environ(), append(s.climate.env, stormDial+"="+s.bridge, "REDIS_URL=redis://"+s.proxy.Addr, "LISTEN="+r.address,
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
		case <-time.After(30 * time.Second):
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

// rage lets people answer while the storm lasts, and judges what came of it.
func (s *storm) rage(lasts time.Duration, people int) {
	const lead, team, room = "lead", "#team", "#early-years"
	coordinator := s.platform.person(lead).ID
	s.platform.know(actor{id: coordinator, name: lead, admin: true}, false)
	var names, ids []string
	for i := range people {
		names = append(names, fmt.Sprintf("w%c%cx", 'a'+i/26, 'a'+i%26)) // ids are made of letters
		ids = append(ids, s.platform.person(names[i]).ID)
		s.platform.know(actor{id: ids[i], name: names[i]}, false)
	}
	s.platform.channel(s.platform.place(team).Channel, append([]string{coordinator}, ids...), true, true)
	s.platform.channel(s.platform.place(room).Channel, []string{coordinator}, true, true)
	ana := s.walker(lead, room)
	ana.command("new")
	ana.fill(map[string][]string{"area": {"Northshire"}, "languages": {"en"}, "closes": {time.Now().AddDate(0, 1, 0).Format(time.DateOnly)}})
	ana.press("open")
	ana.in = s.platform.place(team).Channel
	ana.command("button")
	if !s.platform.until(func() bool { return len(s.platform.messages([]string{ana.in}, nil)) > 0 }) {
		s.t.Fatalf("there is no Join button\n%s", s.log.String())
	}

	calm := make(chan struct{})
	var running sync.WaitGroup
	walkers := make([]*walker, people)
	for i, name := range names {
		w := s.walker(name, team)
		walkers[i] = w
		w.pause = lasts / 40
		w.note = fmt.Sprintf("canary%dsings", i)
		running.Go(func() { w.walk(calm) })
	}
	s.blow(lasts)
	close(calm)
	running.Wait()
	s.t.Logf("%d people, %v: %v; %d slips of a thumb, %d cards older than what was seen before", people, lasts, s.count, s.slips.Load(), s.older.Load())
	if s.t.Failed() {
		s.t.Logf("%s", last(s.log.String(), 2000))
		return
	}
	truth := s.readTruth(walkers)
	s.judge(ana, room, walkers)
	s.searchLogs(ids, walkers)
	s.attack(truth)
}

// blow does everything that can be done to the bot, again and again in another order.
func (s *storm) blow(lasts time.Duration) {
	r := rand.New(rand.NewPCG(1, uint64(len(s.climate.name))))
	wait := func(d time.Duration) { time.Sleep(d/2 + rand.N(d)) }
	redisAgain := func() {
		s.server.Kill()
		wait(200 * time.Millisecond)
		s.server.Restart(s.t)
	}
	winds := map[string]func(){
		"bot killed": func() { s.replicas[r.IntN(len(s.replicas))].kill() },
		"all bots killed": func() {
			for _, x := range s.replicas {
				x.kill()
			}
		},
		"redis killed":     redisAgain,
		"redis cut":        s.proxy.Cut,
		"redis reply lost": func() { s.proxy.Drop([]string{"evalsha", "hmget", "set"}[r.IntN(3)], nil) },
		"platform cut": func() {
			s.weather.Down(true)
			wait(200 * time.Millisecond)
			s.weather.Down(false)
		},
		"sockets cut":         s.weather.Cut,
		"platform in trouble": func() { s.climate.trouble(s.platform, r) },
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
	for name := range winds {
		names = append(names, name)
	}
	slices.Sort(names)
	for end := time.Now().Add(lasts); ; {
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			winds[name]()
			s.count[name]++
			wait(400 * time.Millisecond)
		}
		if time.Now().After(end) { // each has been done at least once
			return
		}
	}
}

// walker is somebody with a phone: they press what they see, look whether it was taken, and press again when it was not.
type walker struct {
	s         *storm
	name, id  string
	in        string        // the channel they type commands in, and join from
	pause     time.Duration // on average, between gestures
	note      string        // what they write beside one answer
	roles     bool          // they have just said what they do
	submitted bool
	want      map[string]string          // element -> the answer they have decided on
	gave      map[string]map[string]bool // element -> every answer they ever pressed
	sees      map[string]string          // element -> the answer that their card last showed as saved
	changed   map[string]bool            // elements on which they have changed their mind
	tries     map[string]int             // how often they pressed an answer to an element
	answered  string                     // the element that their last tap answered, at the first try
	way       thing                      // a button that once led to an element
}

func (s *storm) walker(name, channel string) *walker {
	return &walker{
		s: s, name: name, id: s.platform.person(name).ID, in: s.platform.place(channel).Channel,
		want: map[string]string{}, gave: map[string]map[string]bool{}, sees: map[string]string{}, changed: map[string]bool{}, tries: map[string]int{},
	}
}

// thing is something to press.
type thing struct {
	action  chat.Action
	label   string
	chosen  bool
	options []chat.Option
}

// look is the newest thing before the walker that has buttons, and what can be pressed on it. What
// it says is saved, is noted.
func (w *walker) look() (message, []thing, string) {
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
		var things []thing
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
				things = append(things, thing{action: b.Button.Action, label: b.Button.Label, chosen: b.Button.Chosen})
			case chat.Menu:
				things = append(things, thing{action: b.Action, options: b.Options})
			case chat.Buttons:
				for _, x := range b.Buttons {
					things = append(things, thing{action: x.Action, label: x.Label, chosen: x.Chosen})
				}
			}
		}
		if len(things) > 0 {
			return m, things, heading
		}
	}
	return message{}, nil, ""
}

// moved waits until the walker sees something newer, as long as somebody would.
func (w *walker) moved(since int) bool {
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		all := w.s.platform.messages(nil, []string{w.id})
		if len(all) > 0 && all[len(all)-1].changed > since {
			return true
		}
	}
	return false
}

func (w *walker) newest() int {
	all := w.s.platform.messages(nil, []string{w.id})
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].changed
}

func (w *walker) tap(m message, on thing, picked string) bool {
	before := w.newest()
	action, err := on.action.Encode()
	if err != nil {
		w.s.t.Error(err)
		return false
	}
	w.s.platform.press(w.id, m, true, action, picked)
	return w.moved(before)
}

// press presses the newest button of a verb, and command types a command; both are for calm weather.
func (w *walker) press(verb string) {
	w.s.t.Helper()
	var m message
	var on thing
	found := w.s.platform.until(func() bool {
		var things []thing
		m, things, _ = w.look()
		i := slices.IndexFunc(things, func(x thing) bool { return x.action.Verb == verb })
		if i >= 0 {
			on = things[i]
		}
		return i >= 0
	})
	if !found || !w.tap(m, on, "") {
		w.s.t.Fatalf("%s cannot press %q\n%s", w.name, verb, last(w.s.log.String(), 6000))
	}
}

// command is typed again until the bot is there to take it.
func (w *walker) command(words ...string) {
	w.s.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		ack := w.s.platform.command(w.id, w.in, words)
		if ack.why == "" {
			return
		}
		if time.Now().After(end) {
			w.s.t.Fatalf("%s cannot type %v: %s\n%s", w.name, words, ack.why, last(w.s.log.String(), 6000))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// fill sends the form that opens.
func (w *walker) fill(values map[string][]string) {
	w.s.t.Helper()
	if !w.s.platform.until(func() bool { name, _, _ := w.s.platform.form(w.id); return name != "" }) {
		w.s.t.Fatalf("no form opens before %s\n%s", w.name, last(w.s.log.String(), 6000))
	}
	before := w.newest()
	if ack := w.s.platform.submit(w.id, values); ack.why != "" || len(ack.refused) > 0 || !w.moved(before) {
		w.s.t.Fatalf("%s sends a form: %s %v", w.name, ack.why, ack.refused)
	}
}

// walk answers the whole survey. Whoever has not come to its end a minute after the storm is stuck.
func (w *walker) walk(calm <-chan struct{}) {
	var deadline <-chan time.Time
	idle := 0 // gestures of which nothing came
	for {
		m, things, heading := w.look()
		w.read(things)
		if w.submitted && strings.HasPrefix(heading, "Thank you, you have finished") {
			return
		}
		if w.next(m, things) {
			idle = 0
		} else if idle++; idle >= 3 {
			w.s.platform.command(w.id, w.in, []string{"home"}) // as the card says when a press fails: back to where they were
			w.moved(m.changed)
			idle = 0
		}
		select {
		case <-calm:
			if deadline == nil {
				deadline, w.pause = time.After(time.Minute), 100*time.Millisecond
			}
		default:
		}
		select {
		case <-deadline:
			w.s.t.Errorf("%s is stuck on %q with %d of %d answers", w.name, heading, len(w.sees), len(w.s.matrix.Elements()))
			return
		case <-time.After(rand.N(2*w.pause + time.Millisecond)):
		}
	}
}

// read notes what the card shows as saved.
func (w *walker) read(things []thing) {
	shown := ""
	chosen := false
	for _, x := range things {
		if x.action.Verb != "answer" {
			continue
		}
		shown = x.action.Args[1]
		if x.chosen {
			chosen = true
			w.isShown(shown, x.action.Args[2])
		}
	}
	if shown != "" && !chosen && w.sees[shown] != "" {
		w.s.older.Add(1)
	}
}

// isShown notes that an answer is shown as saved. It must be one that this person gave.
func (w *walker) isShown(element, answer string) {
	if !w.gave[element][answer] {
		w.s.t.Errorf("%s is shown %s for %s, which they never gave", w.name, answer, element)
	}
	w.sees[element] = answer
}

// savedLine is what a card says of the answer before.
var savedLine = regexp.MustCompile(`(?m)^Saved: (.+?)(?:, with your detail,)? for (.+)$`)

// readSaved notes what a card says in words is saved.
func (w *walker) readSaved(words string) {
	said := savedLine.FindStringSubmatch(words)
	if said == nil {
		return
	}
	answer := map[string]string{"Don't know": "dk", "Not applicable to me": "na"}[said[1]]
	for i, level := range w.s.matrix.Levels {
		if level.Name.In(survey.English) == said[1] {
			answer = strconv.Itoa(i + 1)
		}
	}
	for _, e := range w.s.matrix.Elements() {
		if e.Name.In(survey.English) == said[2] && answer != "" {
			w.isShown(e.ID, answer)
			return
		}
	}
	w.s.t.Errorf("%s cannot read %q", w.name, words)
}

// next does what somebody would do on this card, and says whether anything came of it.
func (w *walker) next(m message, things []thing) bool {
	has := func(verb string) (thing, bool) {
		i := slices.IndexFunc(things, func(x thing) bool { return x.action.Verb == verb })
		if i < 0 {
			return thing{}, false
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
			unsure := w.sees[e.ID] == "" || w.sees[e.ID] != w.want[e.ID]
			if unsure && len(w.way.action.Args) > 1 {
				w.way.action.Args[1] = e.ID
				return w.tap(m, w.way, "")
			}
		}
		if len(w.sees) == len(w.s.matrix.Elements()) {
			w.submitted = true
			return w.tap(m, x, "")
		}
	}
	for _, verb := range []string{"accept", "go", "lang", "begin", "resume", "review", "join"} {
		if x, ok := has(verb); ok {
			return w.tap(m, x, "")
		}
	}
	return false
}

// answer gives an answer, which brings the next question; now and then an answer is changed, or
// something is written beside it, or the thumb slips and hits the next question at once.
func (w *walker) answer(m message, things []thing, element string) bool {
	var answers []thing
	var onward, detail, change thing
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
	before := w.answered
	w.answered = ""
	if before != "" && before != element && w.sees[before] == w.want[before] && w.gave[element] == nil && rand.IntN(4) == 0 {
		w.s.slips.Add(1)
		w.s.platform.AtOnce(w.id, survey.DoubleTap/3) // nothing is noted: it must not be saved
		return w.tap(m, answers[rand.IntN(len(answers))], "")
	}
	decide := func() {
		x := answers[rand.IntN(len(answers))]
		w.want[element] = x.action.Args[2]
		if w.gave[element] == nil {
			w.gave[element] = map[string]bool{}
		}
	}
	switch {
	case change.action.Verb != "" && !w.changed[change.action.Args[1]] && rand.IntN(8) == 0:
		w.changed[change.action.Args[1]] = true
		w.want[change.action.Args[1]] = "" // they decide anew when they see it
		return w.tap(m, change, "")
	case w.note != "" && detail.action.Verb != "" && rand.IntN(10) == 0:
		before := w.newest()
		action, _ := detail.action.Encode()
		w.s.platform.press(w.id, m, true, action, "")
		if !w.moved(before) {
			if name, _, _ := w.s.platform.form(w.id); name != "" {
				w.s.platform.submit(w.id, map[string][]string{"note": {w.note}})
				w.note = ""
			}
		}
		return true
	case w.want[element] == "":
		decide()
	case w.sees[element] == w.want[element]:
		return w.tap(m, onward, "")
	}
	w.gave[element][w.want[element]] = true
	w.tries[element]++
	i := slices.IndexFunc(answers, func(x thing) bool { return x.action.Args[2] == w.want[element] })
	moved := w.tap(m, answers[i], "")
	if moved && w.tries[element] == 1 {
		w.answered = element
	}
	return moved
}

// judge closes the survey and compares what the coordinator is given with what people saw saved.
func (s *storm) judge(ana *walker, room string, walkers []*walker) {
	ana.in = s.platform.place(room).Channel
	ana.command("close")
	ana.press("closenow")
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
	if results.Turnout.Finished != len(walkers) || results.Turnout.Respondents != len(walkers) {
		s.t.Errorf("%+v in the results, want %d of each", results.Turnout, len(walkers))
	}
	want := map[string]map[string]int{}
	for _, w := range walkers {
		for element, answer := range w.sees {
			if want[element] == nil {
				want[element] = map[string]int{}
			}
			want[element][answer]++
		}
	}
	if len(results.Elements) != len(s.matrix.Elements()) {
		s.t.Errorf("%d elements in the results", len(results.Elements))
	}
	for _, e := range results.Elements {
		if _, hidden := e.Rated.(string); hidden {
			s.t.Errorf("%s is hidden: too few rated it", e.ID)
			continue
		}
		got := map[string]int{"dk": number(e.DontKnow), "na": number(e.NotApplicable)}
		for i, level := range s.matrix.Levels {
			got[strconv.Itoa(i+1)] = number(e.Counts[level.ID])
		}
		for answer, n := range got {
			if n != want[e.ID][answer] {
				s.t.Errorf("%s: %d people are counted with %s, %d saw it saved", e.ID, n, answer, want[e.ID][answer])
			}
		}
		if number(e.NotAnswered) != 0 {
			s.t.Errorf("%s: %v people are counted as not having answered", e.ID, e.NotAnswered)
		}
	}
}

// truth is what nobody may find out after the close: the pseudonyms of people, and secrets.
type truth struct {
	rounds     []survey.RoundID
	secrets    [][]byte
	people     map[survey.RoundID][]string
	pseudonyms map[survey.RoundID]map[string]string // by person
}

// readTruth reads it while the surveys are open.
func (s *storm) readTruth(walkers []*walker) truth {
	s.t.Helper()
	store, err := redis.Open(s.t.Context(), s.server.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = store.Close() }() // it was only read
	all := truth{
		people:     map[survey.RoundID][]string{},
		pseudonyms: map[survey.RoundID]map[string]string{},
	}
	err = store.Rounds(s.t.Context(), func(r survey.Round) error {
		all.rounds = append(all.rounds, r.ID)
		return nil
	})
	if err != nil || len(all.rounds) == 0 {
		s.t.Fatalf("%d rounds are kept, %v", len(all.rounds), err)
	}
	for _, id := range all.rounds {
		all.pseudonyms[id] = map[string]string{}
		for _, w := range walkers {
			person := s.platform.person(w.name).String()
			seat, err := store.Seat(s.t.Context(), id, survey.PersonID(person))
			if err != nil || seat.Pseudonym == "" {
				s.t.Fatalf("%s has no pseudonym: %v", w.name, err)
			}
			all.people[id] = append(all.people[id], person)
			all.pseudonyms[id][person] = seat.Pseudonym
		}
		slices.Sort(all.people[id])
	}
	all.secrets = secretsOf(s.t, s.server.URL(), all.rounds)
	return all
}

// stormChance is more than a line of attack that knows nothing links: it is right about one person
// of a round on average, however many take part, and about eleven or more with a probability of
// 1 in 100 million. Of some thousand lines of attack in the four storms one is with a probability
// of at most 1 in 10,000.
const stormChance = 11

// attack ends the bot, and tries to link people to responses with all that is left.
func (s *storm) attack(all truth) {
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
		for _, secret := range all.secrets {
			if bytes.Contains(text, secret) {
				s.t.Errorf("%s: the secret of a closed survey is there", name)
			}
		}
	}
	delete(texts, "keys") // where each is on its own below
	lines := 0
	for _, id := range all.rounds {
		e := evidence{people: all.people[id], texts: texts, presses: map[string][]press{}}
		for _, element := range s.matrix.Elements() {
			e.elements = append(e.elements, element.ID)
		}
		e.stores = map[string]*kept{"redis": live.of(id, e.people), "files": disk.of(id, e.people)}
		responses := 0
		for person, pseudonym := range all.pseudonyms[id] {
			user := person[strings.LastIndex(person, ":")+1:]
			for _, made := range s.platform.Gestures(user) {
				e.presses[person] = append(e.presses[person], press{made.Platform, made.Real})
			}
			if bytes.Contains(texts["log"], []byte(pseudonym)) {
				s.t.Error("a pseudonym is in the log")
			}
			if _, kept := live.keys[responsePrefix+string(id)+"}:"+pseudonym]; kept {
				responses++
			}
		}
		if responses != len(e.people) {
			s.t.Errorf("%d responses are kept of %d people: the attack would see nothing",
				responses, len(e.people))
		}
		for name, k := range e.stores {
			for key, of := range k.keys {
				text := key + " " + strings.Join(of.fields, " ")
				names := func(what string) bool { return strings.Contains(text, what) }
				pseudonyms := slices.Collect(maps.Values(all.pseudonyms[id]))
				if slices.ContainsFunc(e.people, names) && slices.ContainsFunc(pseudonyms, names) {
					s.t.Errorf("%s: %s has a person and a pseudonym", name, key)
				}
			}
		}
		for name, g := range attack(e) {
			lines++
			if n := g.right(all.pseudonyms[id]); n >= stormChance {
				s.t.Errorf("%s: %d of %d people are linked to their responses",
					name, n, len(e.people))
			}
		}
	}
	s.t.Logf("%d lines of attack", lines)
}

func number(x any) int {
	f, ok := x.(float64)
	if !ok {
		return -1
	}
	return int(f)
}

// searchLogs looks through everything that the processes printed, and tell their operator, for what must never be there.
func (s *storm) searchLogs(ids []string, walkers []*walker) {
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
	never := []string{slackfake.Token, slackfake.AppToken, slackfake.Secret, discordfake.Token, "Northshire", "canary", "@example.org"}
	never = append(never, ids...)
	for _, w := range walkers {
		never = append(never, `"`+w.name+`"`)
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
