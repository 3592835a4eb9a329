package platformtest

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPIFaultsInOrder(t *testing.T) {
	var api API[int, string]
	api.Fail("send", "first", "second")
	api.Fail("edit", "other")
	api.Latency(func(name string) time.Duration { return time.Duration(len(name)) })
	for i, want := range []string{"first", "second", ""} {
		if got, took := api.Begin("send", i); got != want || took != 4 {
			t.Errorf("call %d: fault %q after %d, want %q after 4", i, got, took, want)
		}
	}
	api.Heal("edit")
	if got, _ := api.Begin("edit", 3); got != "" {
		t.Errorf("fault %q after Heal", got)
	}
	api.Fail("send", "again")
	api.Heal("")
	if got, _ := api.Begin("send", 4); got != "" {
		t.Errorf("fault %q after Heal of all", got)
	}
	if got := api.Calls("send"); !slices.Equal(got, []int{0, 1, 2, 4}) {
		t.Errorf("calls of send: %v", got)
	}
	if got := api.Calls(""); !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
		t.Errorf("all calls: %v", got)
	}
}

func TestSleepEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		began := time.Now()
		if !Sleep(time.Second, ended) || time.Since(began) != time.Second {
			t.Errorf("slept %v, want 1s", time.Since(began))
		}
		close(ended)
		if Sleep(time.Second, ended) {
			t.Error("slept on after the end")
		}
	})
}
