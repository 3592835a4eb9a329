package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/redis/redistest"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// benchLinks lets one person in, as cmd/maturitybot does.
type benchLinks struct {
	rounds *survey.Rounds
	bot    *bot.Bot
}

func (l benchLinks) Find(ctx context.Context, round, token string) (Visit, error) {
	found, err := l.rounds.Visiting().Find(ctx, survey.RoundID(round), token)
	if err != nil {
		return Visit{}, err
	}
	who, err := chat.ParsePerson(string(found.Member.Person))
	return Visit{
		Who: who, Language: string(found.Member.Language), Languages: []string{"en", "cy"}, ForReading: found.ForReading,
	}, err
}

func (benchLinks) Enter(context.Context, string, string, string) (string, error) { return "", nil }

func (benchLinks) SetLanguage(context.Context, string, chat.Person, string) error { return nil }

// BenchmarkPages sets the page of a question against a bare handler that reads the session and the answers from Redis at once and
// executes the same template with the same page, in one run:
//
//	go test ./adapters/web -run '^$' -bench Pages -benchtime 1x
//
// ratio is the pages a second of the one over those of the other. p99 is the time of the slowest hundredth of requests, of 64 at a time.
func BenchmarkPages(b *testing.B) {
	const turns = 10
	requests := 40_000
	if testing.Short() {
		requests = 64 * turns
	}
	server := redistest.Start(b, redistest.Options{AOF: true})
	store, err := redis.Open(b.Context(), server.URL())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	full, cookie, keys := benchServer(b, store)
	options, err := goredis.ParseURL(server.URL())
	if err != nil {
		b.Fatal(err)
	}
	client := goredis.NewClient(options)
	b.Cleanup(func() { _ = client.Close() })
	bare := benchBare(b, full, cookie, client, keys)
	contestants := map[string]http.Handler{"bare": bare, "full": full}
	for b.Loop() {
		took, times := map[string]time.Duration{}, map[string][]time.Duration{}
		for range turns { // in turns, so that other work on the machine slows both
			for name, handler := range contestants {
				all, each := load(b, handler, cookie, requests/turns)
				took[name] += all
				times[name] = append(times[name], each...)
			}
		}
		for name, all := range times {
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, name+"-p99-ms")
		}
		b.ReportMetric(float64(len(times["full"]))/took["full"].Seconds(), "pages/s")
		b.ReportMetric(took["bare"].Seconds()/took["full"].Seconds(), "ratio")
	}
}

// benchServer returns a server whose person has answered three questions, their cookie, and the keys that a page needs.
func benchServer(b *testing.B, store *redis.Store) (s *Server, cookie string, keys []string) {
	b.Helper()
	need := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	editions, words := matrix.Editions(), locale.New()
	rounds := survey.NewRounds(store, editions, time.Now)
	linkKeys, err := survey.ParseLinkKeys(strings.Repeat("ab", 32))
	need(err)
	rounds.UseLinkKeys(linkKeys)
	ana := survey.PersonID("slack:T:ANA")
	r, err := rounds.AsCreator(ana).Create(b.Context(), survey.Round{
		ID: "benchbench", Area: "Northshire", Matrix: "england", Languages: []matrix.Lang{"en", "cy"},
		TimeZone: survey.DefaultTimeZone, ClosesAt: time.Now().AddDate(0, 0, 7), Channel: "slack:T:C",
		Coordinators: []survey.PersonID{ana}, MinGroup: results.DefaultMinGroup,
		Consensus: results.Consensus{Percent: results.DefaultConsensusPercent},
	})
	need(err)
	_, _, err = rounds.As(ana).Open(b.Context(), r.ID)
	need(err)
	_, made, err := rounds.LinksAs(ana).MakeLinks(b.Context(), r.ID, survey.LinkRequest{Count: 1, Role: "midwife"})
	need(err)
	visit, err := rounds.Visiting().Find(b.Context(), r.ID, made[0].Token)
	need(err)
	person := rounds.For(visit.Member.Person)
	_, err = person.SetLanguage(b.Context(), r.ID, "en")
	need(err)
	part, err := person.Start(b.Context(), r.ID)
	need(err)
	for i, element := range []string{"vision", "needs", "resources"} {
		_, _, err = person.Answer(b.Context(), r.ID, survey.Operation{
			ID: fmt.Sprint(i), At: time.Now().Add(time.Duration(i-10) * 10 * time.Second),
		}, element, 2)
		need(err)
	}
	log := slog.New(slog.DiscardHandler)
	service := bot.New(bot.Options{Rounds: rounds, Tools: bot.Tools{
		Matrices: editions, Words: words, Claims: store, Log: log, Now: time.Now,
	}})
	address := &url.URL{Scheme: "https", Host: "survey.example.org"}
	s = New(Options{
		URL: address, Responder: service, Links: benchLinks{rounds, service},
		Pages: bot.PageVerbs(), Actions: bot.LinkVerbs(), Home: bot.HomeVerb, Last: bot.LastVerbs(),
		Say: func(lang, key string, facts ...any) string { return words.In(lang).Say(key, facts...) },
		Log: log, Now: time.Now,
	})
	tag := "{" + string(r.ID) + "}"
	return s, string(r.ID) + "." + made[0].Token, []string{"links:" + tag, "response:" + tag + ":" + part.Pseudonym}
}

const benchPath = "/survey/at:benchbench:partnership"

// benchBare returns a handler that executes the template with the page as the server has drawn it once.
func benchBare(b *testing.B, full *Server, cookie string, client *goredis.Client, keys []string) http.Handler {
	b.Helper()
	r := httptest.NewRequest(http.MethodGet, benchPath, nil)
	r.AddCookie(&http.Cookie{Name: "__Host-session", Value: cookie})
	person, ok := full.readCookie(r)
	if !ok {
		b.Fatal("the cookie cannot be read")
	}
	var err error
	if person.Visit, err = full.Links.Find(b.Context(), person.round, person.token); err != nil {
		b.Fatal(err)
	}
	drawn := full.newPage(r, "en", &person)
	drawn.Action = surveyPath
	a, _ := action(strings.TrimPrefix(benchPath, surveyPath+"/"), full.Pages)
	replies := full.Responder.Handle(b.Context(), full.event(r, person, chat.Press, a, nil))
	drawn.Title, drawn.Blocks = full.renderer(drawn).card(cardsOf(replies)[0])
	if !strings.HasPrefix(drawn.Title, "Partnership") {
		b.Fatalf("the page is %q", drawn.Title)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("__Host-session"); err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		pipe := client.Pipeline()
		pipe.HGet(r.Context(), keys[0], "open")
		pipe.HGetAll(r.Context(), keys[1])
		_, _ = pipe.Exec(r.Context()) // there is no open link
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := templates.ExecuteTemplate(w, "page.html", drawn); err != nil {
			b.Error(err)
		}
	})
}

// load sends requests for the page, 64 at a time, and returns how long they took and each of them took.
func load(b *testing.B, handler http.Handler, cookie string, requests int) (took time.Duration, each []time.Duration) {
	b.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	request := []byte("GET " + benchPath + " HTTP/1.1\r\nHost: survey.example.org\r\nCookie: __Host-session=" + cookie + "\r\n\r\n")
	const callers = 64
	times := make([][]time.Duration, callers)
	began := time.Now()
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			answers := bufio.NewReader(conn)
			for range requests / callers {
				sent := time.Now()
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
					return
				}
				answer, err := http.ReadResponse(answers, nil)
				if err == nil {
					_, err = io.Copy(io.Discard, answer.Body)
				}
				if err != nil || answer.StatusCode != http.StatusOK {
					b.Errorf("%v, %v", answer, err)
					return
				}
				times[i] = append(times[i], time.Since(sent))
			}
		})
	}
	group.Wait()
	return time.Since(began), slices.Concat(times...)
}
