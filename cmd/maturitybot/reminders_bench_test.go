package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/redis/redistest"
	"maturitybot/adapters/resultfiles"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/reminders"
	"maturitybot/survey"
)

// benchPace is how many messages a second the platform of BenchmarkReminders takes: far more than a real one does.
const benchPace = 500

// paced is a platform that takes so many messages a second.
type paced struct {
	noMessenger
	turn <-chan time.Time

	mu   sync.Mutex
	sent map[chat.Person]int
}

func (p *paced) Send(ctx context.Context, _ string, to chat.Person, _ chat.Card) error {
	select {
	case <-p.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[to]++
	return nil
}

// BenchmarkReminders has 100,000 people due at one minute, on a real Redis: how long planning takes, what it adds to the live heap, the longest
// that Redis was busy with one command, and how much longer answers take meanwhile (99th percentile, against the same without it).
func BenchmarkReminders(b *testing.B) {
	people := 100_000
	measured := 5 * time.Second
	if testing.Short() {
		people, measured = 1000, time.Second
	}
	server := redistest.Start(b, redistest.Options{})
	now := func() time.Time { return faultNoon.Add(2 * time.Minute) }
	id := faultyRound(b, server.URL(), now, people)
	store, err := redis.Open(b.Context(), server.URL())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() }) // the benchmark is over
	matrices := editions()
	words := sentences()
	rounds := survey.NewRounds(store, matrices, now)
	const answering = 200
	for i := range answering {
		if _, err := rounds.For(survey.PersonID(faultyPerson(i))).Start(b.Context(), id); err != nil {
			b.Fatal(err)
		}
	}
	turn := time.NewTicker(time.Second / benchPace)
	defer turn.Stop()
	platform := &paced{turn: turn.C, sent: map[chat.Person]int{}}
	log := slog.New(slog.DiscardHandler)
	messenger := bot.New(bot.Options{Rounds: rounds, Tools: bot.Tools{
		Matrices: matrices, Words: words, Renderer: resultfiles.New(words), Directory: platform, Sender: platform,
		Claims: store, Schedule: defaultSchedule(), Log: log, Now: now,
	}})
	client := goredis.NewClient(&goredis.Options{Addr: server.Addr})
	b.Cleanup(func() { _ = client.Close() }) // the benchmark is over

	presses := 0
	// answers lets four people press at once, again and again until the work is done, and returns the 99th percentile.
	answers := func(done <-chan struct{}) time.Duration {
		var mu sync.Mutex
		var took []time.Duration
		var all sync.WaitGroup
		presses++
		run := presses
		for g := range 4 {
			all.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-done:
						return
					default:
					}
					began := time.Now()
					who := survey.PersonID(faultyPerson((i*4 + g) % answering))
					// A second answer within survey.DoubleTap is ignored.
					at := began.Add(time.Duration(i) * survey.DoubleTap)
					operation := survey.Operation{ID: fmt.Sprint(run, " ", g, " ", i), At: at}
					if _, _, err := rounds.For(who).Answer(b.Context(), id, operation, matrices[0].Elements()[i%17].ID, 1); err != nil {
						b.Error(err)
						return
					}
					mu.Lock()
					took = append(took, time.Since(began))
					mu.Unlock()
					time.Sleep(2 * time.Millisecond) // people do not press without pause: the machine is not to be saturated by the measuring
				}
			})
		}
		all.Wait()
		slices.Sort(took)
		if len(took) == 0 {
			return 0
		}
		return took[len(took)*99/100]
	}
	during := func(work func()) time.Duration {
		done := make(chan struct{})
		go func() {
			work()
			close(done)
		}()
		return answers(done)
	}

	for b.Loop() {
		alone := during(func() { time.Sleep(measured) })
		if err := client.ConfigSet(b.Context(), "slowlog-log-slower-than", "200").Err(); err != nil {
			b.Fatal(err)
		}
		client.Do(b.Context(), "SLOWLOG", "RESET")
		runtime.GC()
		before, most, watched := live(), uint64(0), make(chan struct{})
		go func() {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-watched:
					return
				case <-tick.C:
					most = max(most, live())
				}
			}
		}()
		var planning time.Duration
		planned := during(func() {
			began := time.Now()
			if err := reminders.NewPlanner(rounds.System(), defaultSchedule(), now, log).Sweep(b.Context()); err != nil {
				b.Error(err)
			}
			planning = time.Since(began)
		})
		owed := client.ZCard(b.Context(), "owed:{"+string(id)+"}").Val()
		ctx, cancel := context.WithTimeout(b.Context(), 2*measured)
		sending := during(func() { reminders.NewLoop(rounds.System(), messenger, log).Sweep(ctx) })
		cancel()
		watched <- struct{}{}
		longest := time.Duration(0)
		slow, err := client.SlowLogGet(b.Context(), 100).Result()
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range slow {
			longest = max(longest, s.Duration)
		}
		for p, n := range platform.sent {
			if n > 1 {
				b.Errorf("%v was sent %d messages", p, n)
			}
		}
		if int(owed) != people {
			b.Errorf("%d were owed a reminder, want %d", owed, people)
		}
		grown := float64(0)
		if most > before {
			grown = float64(most-before) / (1 << 20)
		}
		b.ReportMetric(planning.Seconds(), "s-planning")
		b.ReportMetric(grown, "MiB-more")
		b.ReportMetric(milliseconds(longest), "ms-longest-command")
		b.ReportMetric(float64(len(platform.sent))/(2*measured.Seconds()), "sent/s")
		b.ReportMetric(milliseconds(alone), "ms-p99-alone")
		b.ReportMetric(float64(planned)/float64(alone), "p99-ratio-planning")
		b.ReportMetric(float64(sending)/float64(alone), "p99-ratio-sending")
	}
}

// live is what the last garbage collection found in use.
func live() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
