package main

import (
	"context"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
)

// webUser is a person with a browser while everything under the pages fails. They send a page again until it is taken, now and then
// twice at once.
type webUser struct {
	t        *testing.T
	name     string
	replicas []*replica
	link     string
	cookie   string
	page     string
	path     string         // of the page
	saved    map[string]int // element -> the level that a page showed as saved
	refusals int            // answers of a process that could not serve
	retry    time.Time      // until when they try again before they are stuck
}

// do sends a request to a replica until one answers it, and follows where it leads.
func (u *webUser) do(method, path string, values url.Values) {
	for u.t.Context().Err() == nil {
		status, to, page, err := u.once(method, path, values)
		switch {
		case err == nil && to != "":
			method, path, values = http.MethodGet, to, nil
			continue
		case err == nil && status < 500:
			u.page, u.path = page, path
			return
		}
		u.refusals++
		if time.Now().After(u.retry) {
			u.t.Fatalf("%s is stuck at %s %s: %d %v", u.name, method, path, status, err)
		}
		time.Sleep(50*time.Millisecond + rand.N(100*time.Millisecond))
	}
}

// once sends a request to one of the replicas.
func (u *webUser) once(method, path string, values url.Values) (status int, to, page string, err error) {
	ctx, cancel := context.WithTimeout(u.t.Context(), 10*time.Second)
	defer cancel()
	replica := u.replicas[rand.IntN(len(u.replicas))].address
	return askPages(ctx, replica, &u.cookie, method, path, values)
}

// send sends the form of the page, now and then twice at once.
func (u *webUser) send(path string, pairs ...string) {
	values := hidden(parse(u.t, u.page))
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	var twice sync.WaitGroup
	if rand.IntN(4) == 0 {
		copied := *u // it has a page and a cookie of its own
		twice.Go(func() { _, _, _, _ = copied.once(http.MethodPost, path, values) })
	}
	u.do(http.MethodPost, path, values)
	twice.Wait()
}

// begin opens the link, and goes on to the role.
func (u *webUser) begin() {
	u.do(http.MethodGet, u.link, nil)
	u.send(u.link, "me", "yes")
	for !strings.Contains(u.page, "What is your role?") {
		round, _, _ := strings.Cut(strings.TrimPrefix(u.link, "/"), "/")
		if strings.Contains(u.page, "I have read this, start") {
			u.send("/survey", "action", "accept:"+round)
		} else {
			u.do(http.MethodGet, "/survey", nil)
		}
	}
}

// chosenLevel is the button of the level that is saved, on the page of an element.
var chosenLevel = regexp.MustCompile(`class="[^"]*chosen"[^>]* value="answer:\w+:([\w-]+):(\d)"`)

// look notes what the page of an element shows as saved.
func (u *webUser) look(round survey.RoundID, element string) {
	u.do(http.MethodGet, "/survey/at:"+string(round)+":"+element, nil)
	m := chosenLevel.FindStringSubmatch(html.UnescapeString(u.page))
	if m == nil || m[1] != element {
		return
	}
	level, err := strconv.Atoi(m[2])
	if err != nil {
		u.t.Error(err)
	}
	u.saved[element] = level
}

// answer answers an element until its page shows the level as saved.
func (u *webUser) answer(round survey.RoundID, element string, level int) {
	for range 20 {
		u.do(http.MethodGet, "/survey/at:"+string(round)+":"+element, nil)
		u.send("/survey", "action", fmt.Sprintf("answer:%s:%s:%d", round, element, level))
		if u.look(round, element); u.saved[element] == level {
			return
		}
		time.Sleep(survey.DoubleTap / 2) // the answer before was given just now
	}
	u.t.Errorf("%s cannot save %d for %s:\n%s", u.name, level, element, u.page)
}

// TestChaosWeb lets people answer by link while the processes and Redis fail. What a page showed as saved must be in the results.
func TestChaosWeb(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	s := &chaos{
		t: t, server: redistest.Start(t, redistest.Options{AOF: true}), injected: map[string]int{},
		bridge:   "127.0.0.1:1", // no platform is connected
		clock:    filepath.Join(t.TempDir(), "ahead"),
		scenario: scenario{name: "web", env: []string{"WEB_URL=https://survey.example.org", "LINK_KEYS=" + testLinkKey}},
	}
	s.setAhead(0)
	s.proxy = redistest.ProxyTo(t, s.server.Addr)
	round, _, ana := webRound(t, s.server.URL())
	_, made, err := ana.MakeLinks(t.Context(), round.ID, survey.LinkRequest{Count: 6})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.replicas = append(s.replicas, s.start())
	}
	s.awaitReady()

	elements := []string{"vision", "needs", "resources"}
	var users []*webUser
	for _, link := range made {
		users = append(users, &webUser{
			t: t, name: fmt.Sprint("person ", link.Number), replicas: s.replicas,
			link: "/" + string(round.ID) + "/" + link.Token, saved: map[string]int{}, retry: time.Now().Add(slowdown * time.Minute),
		})
	}
	over := make(chan struct{})
	var answering sync.WaitGroup
	for _, u := range users {
		answering.Go(func() {
			u.begin()
			for {
				for _, element := range elements {
					u.answer(round.ID, element, 1+rand.IntN(4))
				}
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	s.injectUnderPages()
	close(over)
	answering.Wait()
	if t.Failed() {
		t.Logf("%s", last(s.log.String(), 2000))
		return
	}
	refusals := 0
	want := map[string]map[int]int{} // element -> level -> people
	for _, u := range users {
		refusals += u.refusals
		for element, level := range u.saved {
			if want[element] == nil {
				want[element] = map[int]int{}
			}
			want[element][level]++
		}
		if strings.Contains(s.log.String(), strings.SplitN(u.link, "/", 3)[2]) {
			t.Error("the log holds a token")
		}
	}
	if _, _, err := ana.Close(t.Context(), round.ID); err != nil {
		t.Fatal(err)
	}
	published, err := ana.Results(t.Context(), round.ID)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v; %d requests were not served", s.injected, refusals)
	if refusals == 0 {
		t.Error("nobody noticed a fault")
	}
	for i, e := range published.Matrix.Elements() {
		if !slices.Contains(elements, e.ID) {
			continue
		}
		for k := range published.Matrix.Levels {
			if got := published.Elements[i].Groups[0].Counts[k].String(); got != strconv.Itoa(want[e.ID][k+1]) {
				t.Errorf("%s: %s people on level %d, %d saw it saved", e.ID, got, k+1, want[e.ID][k+1])
			}
		}
	}
}

// injectUnderPages injects each fault that can happen under the pages, in random order.
func (s *chaos) injectUnderPages() {
	faults := []struct {
		name string
		do   func()
	}{
		{"bot killed", func() { s.replicas[rand.IntN(len(s.replicas))].kill() }},
		{"all bots killed", s.killAll},
		{"redis killed", func() {
			s.server.Kill()
			time.Sleep(200 * time.Millisecond)
			s.server.Restart(s.t)
		}},
		{"redis cut", s.proxy.Cut},
		{"reply lost", func() { s.proxy.Drop("evalsha", nil) }},
		{"redis paused", func() {
			resume := s.server.Pause(s.t)
			time.Sleep(time.Second)
			resume()
		}},
	}
	rand.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	for _, fault := range faults {
		fault.do()
		s.injected[fault.name]++
		time.Sleep(300*time.Millisecond + rand.N(500*time.Millisecond))
	}
}
