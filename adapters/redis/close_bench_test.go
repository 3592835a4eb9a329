package redis

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
)

// BenchmarkClosing closes a round of 100,000 people, makes its roster anonymous and publishes its
// results, while people answer in another round:
//
//	go test ./adapters/redis -run '^$' -bench Closing -benchtime 1x
//
// p99-ratio is how long 99% of those answers take at most meanwhile, over the same when nothing is
// closed; s-closing is how long closing and publishing take.
func BenchmarkClosing(b *testing.B) {
	people, alone := 100_000, 5*time.Second
	if testing.Short() {
		people, alone = 1000, 200*time.Millisecond
	}
	const lead = survey.PersonID("lead")
	for b.Loop() {
		b.StopTimer()
		s := open(b, redistest.Start(b, redistest.Options{}).URL())
		m, _ := fill(b, s, people)
		m.ID, m.Version = "m", 1
		rounds := survey.NewRounds(s, matrix.List{m}, time.Now)
		fillRoster(b, s, people, lead)
		_, others := opened(b, s, "other", "p0", "p1", "p2", "p3")
		usual := slowestAnswers(b, s, others, func() { time.Sleep(alone) })
		b.StartTimer()

		var took time.Duration
		closing := slowestAnswers(b, s, others, func() {
			began := time.Now()
			if _, _, err := rounds.As(lead).Close(b.Context(), "r"); err != nil {
				b.Error(err)
			}
			p, err := rounds.System().Results(b.Context(), "r")
			if err != nil || p.Respondents != people {
				b.Errorf("results of %d people: %v", p.Respondents, err)
			}
			took = time.Since(began)
		})
		b.ReportMetric(took.Seconds(), "s-closing")
		b.ReportMetric(float64(usual.Microseconds())/1000, "ms-p99-usual")
		b.ReportMetric(float64(closing)/float64(usual), "p99-ratio")
	}
}

// fillRoster makes the people of fill members of the round who have finished, and gives the round a
// coordinator and a matrix.
func fillRoster(b *testing.B, s *Store, people int, lead survey.PersonID) {
	b.Helper()
	ctx := b.Context()
	r, err := s.Round(ctx, "r")
	if err != nil {
		b.Fatal(err)
	}
	r.Matrix, r.Coordinators, r.MinGroup = "m", []survey.PersonID{lead}, 5
	if err := s.SaveRound(ctx, r, audit.Entry{}); err != nil {
		b.Fatal(err)
	}
	for from := 0; from < people; from += pageSize {
		pipe := s.client.Pipeline()
		for i := from; i < min(from+pageSize, people); i++ {
			id := survey.PersonID(strconv.Itoa(i))
			member := survey.Member{
				Person: id, Status: survey.Finished, Language: "en", Role: "midwife",
				Group: "health", Notice: "2026-11", NoticeAt: time.Now(),
			}
			entry, err := encodeMember(member, "")
			if err != nil {
				b.Fatal(err)
			}
			pipe.HSet(ctx, rosterKey("r"), string(id), entry)
		}
		if err := exec(ctx, pipe); err != nil {
			b.Fatal(err)
		}
	}
}

// slowestAnswers lets each of the people answer again and again until work returns, and returns the
// 99th percentile of how long an answer takes.
func slowestAnswers(
	b *testing.B, s *Store, people []survey.Participation, work func(),
) time.Duration {
	b.Helper()
	done := make(chan struct{})
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	began := time.Now()
	for who, part := range people {
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				at := time.Now()
				op := survey.Operation{
					ID: fmt.Sprint(began.UnixNano(), who, i),
					At: began.Add(time.Duration(i) * survey.DoubleTap), // a faster one is ignored
				}
				_, err := s.Answer(b.Context(), part, at, op, elements[i%len(elements)], 1)
				if err != nil {
					b.Error(err)
					return
				}
				mu.Lock()
				took = append(took, time.Since(at))
				mu.Unlock()
				time.Sleep(2 * time.Millisecond) // the measuring must not take the whole machine
			}
		})
	}
	work()
	close(done)
	all.Wait()
	slices.Sort(took)
	if len(took) == 0 {
		return 0
	}
	return took[len(took)*99/100]
}
