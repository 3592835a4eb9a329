package discord

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"maturitybot/adapters/discord/fake"
	"maturitybot/adapters/platform/platformlaw"
	"maturitybot/adapters/platformtest"
)

// sharedCards is a server with a card that everybody in the channel sees.
type sharedCards struct {
	*world
	t         *testing.T
	processes []*Discord
	card      fake.Message
}

func TestSharedCards(t *testing.T) {
	t.Run("http", func(t *testing.T) {
		platformlaw.RunSharedCards(t, 2, startSharedCards)
	})
	t.Run("gateway", func(t *testing.T) {
		platformlaw.RunSharedCards(t, 1, func(
			t *testing.T, counter *platformlaw.Counter, processes int,
		) platformlaw.SharedCards {
			s := newSharedCards(t, counter, processes)
			s.run(t, s.discord)
			return s
		})
	})
}

// startSharedCards starts processes of the bot to which presses are delivered by HTTP.
func startSharedCards(
	t *testing.T, counter *platformlaw.Counter, processes int,
) platformlaw.SharedCards {
	s := newSharedCards(t, counter, processes)
	s.Deliver(0)
	return s
}

func newSharedCards(t *testing.T, counter *platformlaw.Counter, processes int) *sharedCards {
	s := &sharedCards{
		world: &world{Server: fake.New(t), log: &platformtest.Log{}}, t: t,
	}
	for n := range platformlaw.People {
		s.AddUser(fake.User{ID: s.user(n), Name: fmt.Sprint("person ", n)})
	}
	s.AddChannel(fake.Channel{ID: team})
	for range processes {
		process, err := New(t.Context(), Options{
			Token: fake.Token, PublicKey: fake.PublicKey, APIURL: fake.URL, Dial: s.Dial,
			Responder: counter, Log: slog.New(slog.NewTextHandler(s.log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		s.processes = append(s.processes, process)
	}
	t.Cleanup(func() {
		for n := range processes {
			s.Drain(n)
		}
	})
	s.discord = s.processes[0]
	s.card = s.post(t, counter.Card())
	return s
}

func (s *sharedCards) user(person int) string { return fmt.Sprintf("11000000000000003%02d", person) }

func (s *sharedCards) Press(person int, action string) bool {
	return s.world.Press(s.user(person), s.card, action, "").OK()
}

func (s *sharedCards) PressWhisper(person int, action string) bool {
	all := s.world.Whispers(s.user(person))
	return s.world.Press(s.user(person), all[len(all)-1], action, "").OK()
}

func (s *sharedCards) Again() { s.world.Again() }

func (s *sharedCards) Submit(person int) {
	if a := s.world.Submit(s.user(person), nil); !a.OK() {
		s.t.Errorf("submitted: %+v", a)
	}
}

func (s *sharedCards) Card() string { return texts(s.t, s.Messages(team)) }

func (s *sharedCards) Whispers(person int) []string {
	var all []string
	for _, m := range s.world.Whispers(s.user(person)) {
		all = append(all, texts(s.t, []fake.Message{m}))
	}
	return all
}

func (s *sharedCards) Edits() []time.Time {
	var all []time.Time
	for _, c := range s.Calls("edit") {
		all = append(all, c.At)
	}
	return all
}

func (s *sharedCards) Limit(wait time.Duration) {
	s.Fail("edit", fake.Fault{Status: http.StatusTooManyRequests, After: wait.Seconds()})
}

func (s *sharedCards) Break() {
	s.Fail("edit",
		fake.Fault{Status: http.StatusBadGateway}, fake.Fault{Cut: true}, fake.Fault{Lose: true},
		fake.Fault{Status: http.StatusTooManyRequests, After: 0.5},
		fake.Fault{Status: http.StatusInternalServerError}, fake.Fault{Cut: true},
		fake.Fault{Status: http.StatusServiceUnavailable})
}

func (s *sharedCards) Delay(of func(edit int) time.Duration) {
	edits := 0
	s.Latency(func(op string) time.Duration {
		if op != "edit" {
			return 0
		}
		edits++
		return of(edits)
	})
}

func (s *sharedCards) Delete() { s.Dismiss(s.card) }

func (s *sharedCards) Deliver(process int) { s.Serve(s.processes[process].Handler()) }

func (s *sharedCards) Drain(process int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.processes[process].Drain(ctx); err != nil {
		s.t.Errorf("drain: %v", err)
	}
}

func (s *sharedCards) Log() string { return strings.TrimSpace(s.log.String()) }
