package main

import (
	"math/rand/v2"
	"slices"
	"testing"

	"maturitybot/survey/results"
)

// TestAgendaSortsInventedAreas: of 100 invented areas, fewer than half of the elements are split at
// the median, so that the agenda tells a workshop what to discuss. The report has no answers of
// single surveys, so the invented ones stand for them: as many people as in the report's surveys,
// 679 in 20 areas, whose ratings spread as invent makes them.
func TestAgendaSortsInventedAreas(t *testing.T) {
	const areas, people = 100, 34
	for _, m := range editions() {
		var splits, close, consensus []int
		for seed := range uint64(areas) {
			o := newOpinions(seed, m)
			rng := rand.New(rand.NewPCG(seed, 23))
			tally := results.NewTally(m)
			for range people {
				bias := 0.4 * rng.NormFloat64()
				answers := map[string]results.Answer{}
				for _, e := range m.Elements() {
					answers[e.ID] = results.Answer{Rating: o.rate(e.ID, bias)}
				}
				tally.Add(results.Response{Answers: answers})
			}
			p := results.Publish(tally, results.Context{MinGroup: results.DefaultMinGroup})
			in := map[results.AgendaGroup]int{}
			for _, e := range p.Elements {
				in[e.Everyone().AgendaGroup()]++
			}
			splits = append(splits, in[results.Split])
			close = append(close, in[results.Close])
			consensus = append(consensus, in[results.InConsensus])
			if in[results.NotShown] > 0 {
				t.Errorf("%s, seed %d: %d elements are not shown", m.ID, seed, in[results.NotShown])
			}
		}
		for _, group := range [][]int{splits, close, consensus} {
			slices.Sort(group)
		}
		median := splits[areas/2]
		t.Logf("%s: of %d elements split %d (%d to %d), close %d (%d to %d), consensus %d (%d to %d)",
			m.ID, len(m.Elements()), median, splits[0], splits[areas-1],
			close[areas/2], close[0], close[areas-1],
			consensus[areas/2], consensus[0], consensus[areas-1])
		if 2*median >= len(m.Elements()) {
			t.Errorf("%s: %d of %d elements are split at the median", m.ID, median, len(m.Elements()))
		}
	}
}
