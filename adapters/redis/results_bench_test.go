package redis

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/adapters/redis/redistest"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// BenchmarkResults sets the tally of a round against bare pipelined reads of the same keys, in one run:
//
//	go test ./adapters/redis -run '^$' -bench Results -benchtime 3x
//
// ratio is the time of the bare reads over that of the results (1 would be no cost at all beside reading); MiB is how
// much more the heap holds half-way through the larger of the two.
func BenchmarkResults(b *testing.B) {
	for _, people := range []int{1_000, 10_000, 100_000} {
		if testing.Short() && people > 1_000 {
			break
		}
		b.Run(strconv.Itoa(people), func(b *testing.B) {
			s := open(b, redistest.Start(b, redistest.Options{}).URL())
			m, keys := fill(b, s, people)
			var bare, full time.Duration
			var heap uint64
			for b.Loop() {
				began := time.Now()
				for from := 0; from < len(keys); from += pageSize {
					pipe := s.client.Pipeline()
					for _, key := range keys[from:min(from+pageSize, len(keys))] {
						pipe.HGetAll(b.Context(), key)
					}
					if _, err := pipe.Exec(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				bare += time.Since(began)

				before := inUse()
				began = time.Now()
				tally, n := results.NewTally(m), 0
				err := s.Responses(b.Context(), "r", func(r results.Response) error {
					tally.Add(r)
					if n++; n == people/2 {
						pause := time.Now()
						heap = max(heap, inUse()-min(before, inUse()))
						began = began.Add(time.Since(pause))
					}
					return nil
				})
				p := results.Publish(tally, results.Context{MinGroup: 5})
				full += time.Since(began)
				if err != nil || n != people || p.Respondents != people {
					b.Fatalf("%d of %d responses, %d published: %v", n, people, p.Respondents, err)
				}
			}
			b.ReportMetric(bare.Seconds()/full.Seconds(), "ratio")
			b.ReportMetric(float64(heap)/(1<<20), "MiB")
		})
	}
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// fill writes a round with so many responses of 17 answers, and returns its matrix and the responses' keys.
func fill(b *testing.B, s *Store, people int) (*matrix.Matrix, []string) {
	b.Helper()
	m := &matrix.Matrix{Levels: make([]matrix.Level, 4), RoleGroups: []matrix.RoleGroup{{ID: "health"}, {ID: "council"}, {ID: "education"}, {ID: "community"}}}
	var all []matrix.Element
	for i := range 17 {
		all = append(all, matrix.Element{ID: fmt.Sprintf("element-%d", i), Descriptors: make([]matrix.Text, 4)})
	}
	m.Dimensions = []matrix.Dimension{{ID: "d", CoreElements: []matrix.CoreElement{{Elements: all}}}}
	now := time.Now()
	r := survey.Round{ID: "r", State: survey.Open, Channel: "c", ClosesAt: now.Add(time.Hour)}
	if err := s.CreateRound(b.Context(), r, audit.Entry{}); err != nil {
		b.Fatal(err)
	}
	keys := make([]string, 0, people)
	for from := 0; from < people; from += pageSize {
		pipe := s.client.Pipeline()
		for i := from; i < min(from+pageSize, people); i++ {
			pseudonym := survey.Pseudonym([]byte("secret"), survey.PersonID(strconv.Itoa(i)))
			keys = append(keys, responseKey("r", pseudonym))
			values := []any{groupField, m.RoleGroups[i%4].ID, operationsField, "0123456789abcdef0123456789abcdef"}
			for k, e := range all {
				values = append(values, e.ID, 1+(i+k)%4)
			}
			pipe.HSet(b.Context(), keys[len(keys)-1], values...)
			pipe.ZAdd(b.Context(), responsesKey("r"), goredis.Z{Member: pseudonym})
		}
		if err := exec(b.Context(), pipe); err != nil {
			b.Fatal(err)
		}
	}
	return m, keys
}
