package main

import (
	"io"
	"net/http"
	"os"
	osexec "os/exec"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"maturitybot/adapters/redis/redistest"
)

// How long the soak lasts, such as 1h, and how many answers a second are given in it: about what 2,000 people give who all answer within
// half an hour.
const (
	soak     = "MATURITYBOT_SOAK"
	soakRate = 20
)

// TestSoak lets people answer at a steady rate, and fails when the memory of the bot or of Redis keeps growing. It runs
// only when asked to.
func TestSoak(t *testing.T) {
	told := os.Getenv(soak)
	if told == "" {
		t.Skipf("takes as long as %s says", soak)
	}
	lasts, err := time.ParseDuration(told)
	if err != nil {
		t.Fatal(err)
	}
	program, server, environment, elements := benched(t, "slack:"+benchTeam+":ULEAD", "slack:"+benchTeam+":C1", slackPerson)
	api, _ := slackStub(t)
	address, operation := redistest.FreeAddr(t), redistest.FreeAddr(t)
	cmd := osexec.Command(program, "serve")
	cmd.Env = append(append(environment, onStub(api)...), "LISTEN="+address, "OPS_LISTEN="+operation)
	process(t, address, cmd)
	p := newPressing(slackPress(address, api.URL+"/respond/1", elements))
	p.flood(t, min(30*time.Second, lasts)) // until everybody has answered everything, so that what they change takes no more room

	const samples = 30
	var memory, goroutines, inRedis []float64
	for i := range samples {
		p99 := p.steady(t, soakRate, lasts/samples)
		memory = append(memory, resident(t, cmd.Process.Pid))
		goroutines = append(goroutines, metric(t, operation, "go_goroutines"))
		used := regexp.MustCompile(`used_memory:(\d+)`).FindStringSubmatch(server.Do(t, "INFO", "memory"))
		n, err := strconv.ParseFloat(used[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		inRedis = append(inRedis, n/(1<<20))
		t.Logf("after %v: %.1f MiB resident, %.0f goroutines, %.1f MiB in Redis; 99 of 100 acknowledged within %v",
			(time.Duration(i+1) * lasts / samples).Round(time.Second), memory[i], goroutines[i], inRedis[i], p99.Round(100*time.Microsecond))
	}
	flat := func(what string, all []float64, more, beside float64) {
		third := len(all) / 3
		early, late := slices.Sorted(slices.Values(all[third : 2*third]))[third/2], slices.Sorted(slices.Values(all[2*third:]))[third/2]
		if late > early*more+beside {
			t.Errorf("%s grows: %.1f, then %.1f", what, early, late)
		}
	}
	flat("memory", memory, 1.1, 3)
	flat("goroutines", goroutines, 1.1, 10)
	flat("Redis", inRedis, 1.02, 1)
}

// metric reads one figure from /metrics.
func metric(t testing.TB, address, name string) float64 {
	t.Helper()
	answer, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("no %s in\n%s", name, text)
	}
	value, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
