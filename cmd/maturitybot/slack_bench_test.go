package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// serveProcess makes the test's own program a bot that serves.
const serveProcess = "MATURITYBOT_TEST_SERVE"

const (
	benchSecret = "0123456789abcdef0123456789abcdef"
	benchRound  = "bench23456"
	benchTeam   = "T0BENCH"
	callers     = 64
	// active is how many of the people press.
	active = 4000
)

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// stub answers like a platform, at once and always the same.
func stub(b testing.TB, answer func(path string) string) (*httptest.Server, *atomic.Int64) {
	var updates atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if strings.HasPrefix(r.URL.Path, "/respond") {
			updates.Add(1)
		}
		_, _ = io.WriteString(w, answer(r.URL.Path))
	}))
	b.Cleanup(s.Close)
	return s, &updates
}

// slackStub answers as Slack does.
func slackStub(b testing.TB) (*httptest.Server, *atomic.Int64) {
	return stub(b, func(path string) string {
		if strings.HasSuffix(path, "auth.test") {
			return `{"ok":true,"team_id":"` + benchTeam + `","user_id":"UBOT","bot_id":"B1"}`
		}
		return `{"ok":true,"bot":{"app_id":"A1"},"user":{"id":"U","team_id":"` + benchTeam + `","tz":"Europe/London"}}`
	})
}

// onStub is the environment of a bot on such a Slack.
func onStub(api *httptest.Server) []string {
	return []string{"SLACK_BOT_TOKEN=xoxb-bench", "SLACK_SIGNING_SECRET=" + benchSecret, "SLACK_API_URL=" + api.URL + "/"}
}

// process starts a program and waits until something listens at the address; it returns how long that took.
func process(b testing.TB, address string, cmd *osexec.Cmd) time.Duration {
	b.Helper()
	cmd.Stderr = os.Stderr
	if strings.HasSuffix(cmd.Path, "maturitybot") {
		cmd.Stderr = nil // a line an answer
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
	})
	for time.Since(began) < 20*time.Second {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			return time.Since(began)
		}
		time.Sleep(time.Millisecond)
	}
	b.Fatal("it does not listen")
	return 0
}

// pressing sends signed presses.
type pressing struct {
	make   func(n int64) (*http.Request, error)
	client *http.Client
	serial atomic.Int64
	// changed counts the cards that were changed. It is nil where the acknowledgement changes the
	// card, or nothing does.
	changed *atomic.Int64
}

func newPressing(make func(n int64) (*http.Request, error)) *pressing {
	return &pressing{make: make, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * callers}}}
}

func (p *pressing) one() (time.Duration, error) {
	r, err := p.make(p.serial.Add(1))
	if err != nil {
		return 0, err
	}
	began := time.Now()
	answer, err := p.client.Do(r)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("answered with %s", answer.Status)
	}
	return time.Since(began), nil
}

// pressedAt is when the n-th press is made by the platform's clock. Each person leaves time between
// two of theirs, as people do, however fast the presses come.
func pressedAt(began time.Time, n int64) time.Time {
	return began.Add(time.Duration(n/active) * 20 * time.Second).Add(time.Duration(n%active) * time.Microsecond)
}

// slackPress makes signed presses.
func slackPress(address, respond string, elements []string) func(n int64) (*http.Request, error) {
	began := time.Now()
	// What all presses have alike is escaped once: the callers have the bot's two processors.
	message := url.QueryEscape(fmt.Sprintf(`"message":{"user":"UBOT","type":"message","ts":"1700000000.000100","bot_id":"B1",`+
		`"app_id":"A1","text":%q,"team":%q,"blocks":[%s]},`, strings.Repeat("text ", 300), benchTeam, pressedBlocks))
	return func(n int64) (*http.Request, error) {
		before := fmt.Sprintf(`{"type":"block_actions","user":{"id":"U%06d","username":"u","name":"u","team_id":%q},"api_app_id":"A1","token":"v",`+
			`"container":{"type":"message","message_ts":"1700000000.000100","channel_id":"D%06d","is_ephemeral":false},"trigger_id":"%d.%d.a",`+
			`"team":{"id":%q,"domain":"bench"},"enterprise":null,"is_enterprise_install":false,"channel":{"id":"D%06d","name":"directmessage"},`,
			n%active, benchTeam, n%active, n, began.UnixNano(), benchTeam, n%active)
		after := fmt.Sprintf(`"state":{"values":{}},"response_url":%q,"actions":[{"action_id":"answer:%s:%s:%d","block_id":"b",`+
			`"text":{"type":"plain_text","text":"Early","emoji":false},"value":"x","type":"button","action_ts":"%.6f"}]}`,
			respond, benchRound, elements[int(n/active)%len(elements)], 1+n%4, float64(pressedAt(began, n).UnixMicro())/1e6)
		return signedPress(address, "payload="+url.QueryEscape(before)+message+url.QueryEscape(after))
	}
}

// signedPress returns a request of Slack's with a body.
func signedPress(address, body string) (*http.Request, error) {
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(benchSecret))
	_, _ = io.WriteString(mac, "v0:"+stamp+":"+body)
	r, err := http.NewRequest(http.MethodPost, "http://"+address+"/slack", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return r, nil
}

// pressedBlocks are what Slack sends back of the card that was pressed: about as much as a real one.
var pressedBlocks = strings.TrimSuffix(strings.Repeat(`{"type":"section","block_id":"abc","text":{"type":"mrkdwn","text":"*Early*\n`+strings.Repeat("word ", 30)+`"},`+
	`"accessory":{"type":"button","action_id":"x","text":{"type":"plain_text","text":"Early"},"value":"y"}},`, 6), ",")

// flood lets so many callers press for a while, and returns how many presses a second were answered:
// acknowledged, and their cards changed.
func (p *pressing) flood(b testing.TB, d time.Duration) float64 {
	b.Helper()
	var n, before atomic.Int64
	if p.changed != nil {
		before.Store(p.changed.Load())
	}
	var all sync.WaitGroup
	began := time.Now()
	for range callers {
		all.Go(func() {
			for time.Since(began) < d {
				if _, err := p.one(); err != nil {
					b.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	all.Wait()
	for p.changed != nil && p.changed.Load()-before.Load() < n.Load() {
		if time.Since(began) > d+20*time.Second {
			b.Fatalf("%d of %d cards were changed", p.changed.Load()-before.Load(), n.Load())
		}
		time.Sleep(time.Millisecond)
	}
	return float64(n.Load()) / time.Since(began).Seconds()
}

// steady presses at a rate, and returns the 99th percentile of how long an acknowledgement took.
func (p *pressing) steady(b testing.TB, rate float64, d time.Duration) time.Duration {
	b.Helper()
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); <-tick.C {
		all.Go(func() {
			t, err := p.one()
			if err != nil {
				b.Error(err)
				return
			}
			mu.Lock()
			took = append(took, t)
			mu.Unlock()
		})
	}
	all.Wait()
	slices.Sort(took)
	return took[len(took)*99/100]
}

// buildProgram builds the bot, and returns its path.
func buildProgram(b testing.TB) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "maturitybot")
	build := osexec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, ".") // as the Makefile does
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return program
}

// benched builds the bot, and starts a Redis with a crowd in it; it returns the program, the Redis, an environment that leads there, and the ids of
// the elements that the crowd is asked about.
func benched(b testing.TB, coordinator, channel string, person func(i int) string) (program string, server *redistest.Server, environment, elements []string) {
	b.Helper()
	program = buildProgram(b)
	server = redistest.Start(b, redistest.Options{AOF: true, Args: []string{"--appendfsync", "everysec"}})
	store, err := redis.Open(b.Context(), server.URL())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	crowd(b, store, editions(), coordinator, channel, person)
	for _, e := range editions()[0].Elements() {
		elements = append(elements, e.ID)
	}
	return program, server, append(os.Environ(), "REDIS_URL="+server.URL()), elements
}

// BenchmarkSlack measures the whole bot, a process of its own, answering signed presses by HTTP, in
// turn with bare handlers, on one real Redis that writes to disk each second, with 100,000 people in
// the round. An answer counts once its card has changed, except with the handler "bare", which changes
// none. The figures are those of the last run of its loop.
func BenchmarkSlack(b *testing.B) {
	program, _, environment, elements := benched(b, "slack:"+benchTeam+":ULEAD", "slack:"+benchTeam+":C1", slackPerson)
	api, updates := slackStub(b)
	press := func(address string) *pressing {
		return newPressing(slackPress(address, api.URL+"/respond/1", elements))
	}
	bare := startBare(b, "bare", bareSlack, environment, press)
	updating := startBare(b, "bare+update", bareSlack, append(environment, bareUpdates+"=1"), press)
	lean := startBare(b, "lean", leanSlack, environment, press)
	bot, listening := startBot(b, program, append(environment, onStub(api)...), press)
	for _, c := range []*contestant{updating, lean, bot} {
		c.changed = updates
	}
	first, err := bot.one()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		contest(b, bot, bare, updating, lean)
		b.ReportMetric(milliseconds(listening+first), "ms-to-first-ack")
	}
}

// slackPerson returns the i-th of the people.
func slackPerson(i int) string { return fmt.Sprintf("slack:%s:U%06d", benchTeam, i) }

// floods is how long a benchmark lets people press without pause, at a time.
func floods() time.Duration {
	if testing.Short() {
		return 200 * time.Millisecond
	}
	return 3 * time.Second
}

// crowd makes a round of 100,000 people, some of whom have started.
func crowd(b testing.TB, store *redis.Store, editions matrix.List, coordinator, channel string, person func(i int) string) {
	b.Helper()
	rounds := survey.NewRounds(store, editions, time.Now)
	lead := survey.PersonID(coordinator)
	r, err := rounds.AsCreator(lead).Create(b.Context(), survey.Round{
		ID: benchRound, Area: "Northshire", Matrix: editions[0].ID, Languages: []matrix.Lang{matrix.English, matrix.Welsh}, TimeZone: survey.DefaultTimeZone,
		ClosesAt: time.Now().Add(200 * time.Hour), Channel: channel, Coordinators: []survey.PersonID{lead}, MinGroup: 5,
		Consensus: results.Consensus{Percent: 70},
	})
	if err == nil {
		_, _, err = rounds.As(lead).Open(b.Context(), r.ID)
	}
	if err != nil {
		b.Fatal(err)
	}
	var people []survey.Member
	size := 100_000
	if testing.Short() {
		size = 5000
	}
	for i := range size {
		people = append(people, survey.Member{Person: survey.PersonID(person(i)), Status: survey.Invited})
	}
	if _, err := store.Invite(b.Context(), r.ID, people, "", time.Time{}, nil); err != nil {
		b.Fatal(err)
	}
	for i := range active {
		if _, err := rounds.For(people[i].Person).Start(b.Context(), r.ID); err != nil {
			b.Fatal(err)
		}
	}
}

// resident is how much memory a process holds, in MiB.
func resident(b testing.TB, pid int) float64 { return memory(b, pid, "VmRSS:") }

// memory is a figure of a process' memory, in MiB: VmRSS, what it holds, or VmHWM, the most that it has held.
func memory(b testing.TB, pid int, figure string) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0 // not Linux
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, figure); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib / 1024
		}
	}
	return 0
}
