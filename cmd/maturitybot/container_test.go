package main

import (
	"net"
	"os"
	osexec "os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/redis/redistest"
)

// TestComposeRedis runs Redis by the command in compose.yaml, with a folder and a port of its own: it asks for the password, and has no setting
// that puts answers at risk.
func TestComposeRedis(t *testing.T) {
	t.Parallel()
	redistest.Start(t, redistest.Options{}) // or skip
	raw, err := os.ReadFile("../../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services struct {
			Redis struct{ Command []string }
		}
	}
	if err := yaml.Unmarshal(raw, &compose); err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(redistest.FreeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	command := compose.Services.Redis.Command
	for i, word := range command {
		if strings.HasPrefix(word, "${REDIS_PASSWORD") {
			command[i] = "s3cret"
		}
	}
	if len(command) == 0 || command[0] != "redis-server" {
		t.Fatalf("the command is %q", command)
	}
	server := osexec.Command(command[0], append(command[1:], "--dir", t.TempDir(), "--bind", host, "--port", port)...)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = server.Process.Kill() // it may have ended by itself
		_ = server.Wait()         // by being killed
	}()
	url := "redis://:s3cret@" + net.JoinHostPort(host, port)
	var store *redis.Store
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); store == nil; <-tick.C {
		if store, err = redis.Open(t.Context(), url); err != nil && time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	defer store.Close()
	lines, warnings, err := store.Describe(t.Context())
	if err != nil || len(warnings) > 0 || len(lines) != 1 || !strings.Contains(lines[0], "appendfsync always") || !strings.Contains(lines[0], "of 256.00M") {
		t.Errorf("described as %q with warnings %q", lines, warnings)
	}
	if _, err := redis.Open(t.Context(), strings.Replace(url, ":s3cret@", "", 1)); err == nil || !strings.Contains(err.Error(), "NOAUTH") {
		t.Errorf("without the password: %v", err)
	}
}

// TestDockerfileGo: the image is built with the Go that go.mod asks for.
func TestDockerfileGo(t *testing.T) {
	module, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	dockerfile, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(module))
	if want == nil || !strings.Contains(string(dockerfile), "\nFROM golang:"+want[1]+"-") {
		t.Errorf("go.mod asks for %v", want)
	}
}
