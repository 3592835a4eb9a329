package redis

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// TestOperationTimesRotate checks that the times of operations are kept for at least ten minutes
// and at most half an hour after a hash was begun, and that the last time of an active person is
// carried over.
func TestOperationTimesRotate(t *testing.T) {
	t.Parallel()
	e := embedded(t)
	ctx, start := t.Context(), time.Now().UTC().Truncate(time.Second)
	e.SetTime(start)
	_, places := opened(t, e.Store, "r1", "ana", "ben")
	operations := 0
	answer := func(place survey.Participation, made time.Time, element string, rating matrix.Rating) results.Response {
		t.Helper()
		operations++
		r, err := e.Answer(ctx, place, start, survey.Operation{ID: string(rune('a' + operations)), At: made}, element, rating)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	lengths := func(when string, want ...int64) {
		t.Helper()
		var got []int64
		for _, key := range operationTimesKeys("r1") {
			got = append(got, e.client.HLen(ctx, key).Val())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: times of %v people, want %v", when, got, want)
		}
	}
	ana, ben := places[0], places[1]
	answer(ana, start, "vision", 2)
	answer(ben, start, "vision", 2)
	e.SetTime(start.Add(9 * time.Minute))
	answer(ana, start.Add(9*time.Minute), "needs", 2)
	lengths("within ten minutes", 2, 0)
	e.SetTime(start.Add(11 * time.Minute))
	answer(ana, start.Add(11*time.Minute), "resources", 2)
	lengths("after ten minutes", 1, 2)
	if r := answer(ana, start.Add(-time.Second), "vision", 4); r.Answers["vision"].Rating != 2 {
		t.Error("a late operation counted, though the time of the last one had been carried over")
	}
	if r := answer(ben, start.Add(-time.Second), "vision", 4); r.Answers["vision"].Rating != 2 {
		t.Error("a late operation counted, though the last one was made eleven minutes ago")
	}
	e.SetTime(start.Add(31 * time.Minute))
	lengths("after half an hour", 1, 0)
	answer(ana, start.Add(31*time.Minute), "needs", 2)
	lengths("then", 1, 1)
	e.SetTime(start.Add(90 * time.Minute))
	lengths("when nobody has answered for long", 0, 0)
}

// TestLatestAnswerIsRemembered checks that the times also say which answer a person gave last.
func TestLatestAnswerIsRemembered(t *testing.T) {
	t.Parallel()
	s := embedded(t).Store
	ctx, start := t.Context(), time.Now()
	_, places := opened(t, s, "r1", "ana")
	made := func(n int) survey.Operation {
		return survey.Operation{ID: string(rune('a' + n)), At: start.Add(time.Duration(n) * 2 * time.Second)}
	}
	must(t, errorOf(s.Answer(ctx, places[0], start, made(1), "vision", 1)))
	must(t, errorOf(s.Answer(ctx, places[0], start, made(3), "needs", 1)))
	must(t, errorOf(s.Detail(ctx, places[0], start, made(4), "vision", results.Detail{Note: "n"})))
	must(t, errorOf(s.Answer(ctx, places[0], start, made(2), "resources", 1))) // arrives late
	kept, err := s.client.HVals(ctx, operationTimesKeys("r1")[0]).Result()
	if err != nil || len(kept) != 1 {
		t.Fatalf("got %q, %v", kept, err)
	}
	times := map[string]string{}
	if err := json.Unmarshal([]byte(kept[0]), &times); err != nil {
		t.Fatal(err)
	}
	if times["last answer"] != "answer needs" || len(times) != 5 || len(times["detail vision"]) != 16 {
		t.Errorf("got %q", times)
	}
}

// TestClosingDeletesOperationTimes checks that a close deletes the times with the secret,
// including those older than ten minutes.
func TestClosingDeletesOperationTimes(t *testing.T) {
	t.Parallel()
	e := embedded(t)
	ctx, start := t.Context(), time.Now().UTC().Truncate(time.Second)
	e.SetTime(start)
	_, places := opened(t, e.Store, "r1", "ana")
	must(t, errorOf(e.Answer(ctx, places[0], start, survey.Operation{ID: "a", At: start}, "vision", 1)))
	e.SetTime(start.Add(11 * time.Minute))
	must(t, errorOf(e.Answer(ctx, places[0], start, survey.Operation{ID: "b", At: start}, "vision", 2)))
	if n := e.client.Exists(ctx, operationTimesKeys("r1")...).Val(); n != 2 {
		t.Fatalf("there are %d hashes of times", n)
	}
	must(t, errorOf(e.CloseRound(ctx, "r1", start, audit.Entry{})))
	left, err := e.client.Keys(ctx, "*").Result()
	must(t, err)
	for _, key := range left {
		if strings.HasPrefix(key, "operation_times:") || strings.HasPrefix(key, "secret:") {
			t.Errorf("left is %s", key)
		}
	}
}
