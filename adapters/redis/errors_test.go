package redis

import (
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// failAfter is a hook that fails every call after the first few. The store asks for rewrites of
// the append-only file in the background, so the count is atomic.
type failAfter struct {
	passHook
	left atomic.Int64
}

func (c *failAfter) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		if err := c.count(); err != nil {
			cmd.SetErr(err)
			return err
		}
		return next(ctx, cmd)
	}
}

func (c *failAfter) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		if err := c.count(); err != nil {
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
			return err
		}
		return next(ctx, cmds)
	}
}

func (c *failAfter) count() error {
	if c.left.Add(-1) < 0 {
		return &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no route")}
	}
	return nil
}

// state is the content of a store with a round and a person who takes part in it.
type state struct {
	round    survey.Round
	place    survey.Participation
	commands [][]any // that make it of an empty store
}

// stateOf returns what the store holds.
func stateOf(t *testing.T, s *Store, round survey.Round, place survey.Participation) state {
	t.Helper()
	ctx := t.Context()
	st := state{round: round, place: place, commands: [][]any{{"flushall"}}}
	for _, key := range s.client.Keys(ctx, "*").Val() {
		command := []any{nil, key}
		switch s.client.Type(ctx, key).Val() {
		case "string":
			command[0] = "set"
			command = append(command, s.client.Get(ctx, key).Val())
		case "hash":
			command[0] = "hset"
			for field, value := range s.client.HGetAll(ctx, key).Val() {
				command = append(command, field, value)
			}
		case "zset":
			command[0] = "zadd"
			for _, z := range s.client.ZRangeWithScores(ctx, key, 0, -1).Val() {
				command = append(command, z.Score, z.Member)
			}
		default:
			t.Fatalf("%s is of a type that is not restored", key)
		}
		st.commands = append(st.commands, command, []any{"expireat", key, int64(s.client.ExpireTime(ctx, key).Val().Seconds())})
	}
	return st
}

// restore makes the store hold the state and nothing else.
func (st state) restore(t *testing.T, s *Store) {
	t.Helper()
	pipe := s.client.Pipeline()
	for _, command := range st.commands {
		pipe.Do(t.Context(), command...)
	}
	must(t, exec(t.Context(), pipe))
}

// TestErrorsNameTheAttemptOnce calls every method of the store, of a coordinator, a participant
// and the system, with a Redis that fails from the first call on, from the second, and so on.
// Every error names what was attempted, and no two layers name the same.
func TestErrorsNameTheAttemptOnce(t *testing.T) {
	t.Parallel()
	store := embedded(t)
	editions := matrix.Editions()
	const id = "r1"
	round, places := opened(t, store.Store, id, "slack:T1:UA")
	states := []state{stateOf(t, store.Store, round, places[0])}
	closed, err := store.CloseRound(t.Context(), id, time.Now(), audit.Entry{})
	if err != nil {
		t.Fatal(err)
	}
	states = append(states, stateOf(t, store.Store, closed, places[0]))

	fault := &failAfter{}
	fault.left.Store(1 << 30)
	store.client.AddHook(fault)
	rounds := survey.NewRounds(store, editions, time.Now)
	rounds.UseLinkKeys(survey.LinkKeys{linkKey("a")})
	failed := map[string]bool{}
	const most = 25 // calls of one method
	// Restore needs a file, and Describe reports errors as text.
	others := []string{"*redis.Store.Close", "*redis.Store.Restore", "*redis.Store.Describe"}
	for _, as := range []func(survey.PersonID) any{
		func(survey.PersonID) any { return store.Store },
		func(person survey.PersonID) any { return rounds.LinksAs(person) },
		func(survey.PersonID) any { return rounds.Visiting() },
		func(person survey.PersonID) any { return rounds.For(person) },
		func(survey.PersonID) any { return rounds.System() },
	} {
		all := reflect.TypeOf(as(""))
		for i := range all.NumMethod() {
			method := all.Method(i)
			name, out := all.String()+"."+method.Name, method.Type.NumOut()
			if slices.Contains(others, name) || out == 0 || !method.Type.Out(out-1).Implements(reflect.TypeFor[error]()) {
				continue
			}
			for _, st := range states {
				for _, person := range []survey.PersonID{"slack:T1:UC", "slack:T1:UA"} {
					for calls := range most {
						st.restore(t, store.Store)
						args := []reflect.Value{reflect.ValueOf(as(person))}
						for j := 1; j < method.Type.NumIn(); j++ {
							args = append(args, argument(t, method.Type.In(j), st.round, st.place, person))
							if method.Name == "SetTimeZone" && j == 3 {
								args[j] = reflect.ValueOf("Europe/Paris")
							}
						}
						call := method.Func.Call
						if method.Type.IsVariadic() {
							call = method.Func.CallSlice
						}
						fault.left.Store(int64(calls))
						results := call(args)
						cutOff := fault.left.Load() < 0
						fault.left.Store(1 << 30)
						if err, ok := results[out-1].Interface().(error); ok {
							failed[name] = true
							said(t, name, err)
						}
						if !cutOff {
							break
						}
					}
				}
			}
			if !failed[name] {
				t.Errorf("%s never failed", name)
			}
		}
	}
	if len(failed) < 60 {
		t.Errorf("%d methods tried", len(failed))
	}
}

// said fails the test if an error says something twice, or does not say what was attempted.
func said(t *testing.T, method string, err error) {
	t.Helper()
	text := err.Error()
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ' ' || r == ':' || r == ',' })
	words = slices.DeleteFunc(words, func(w string) bool {
		return slices.Contains([]string{"a", "an", "the", "of", "in", "is", "to", "not", "that"}, w)
	})
	seen := map[string]bool{}
	for i := 1; i < len(words); i++ {
		phrase := words[i-1] + " " + words[i]
		if seen[phrase] {
			t.Errorf("%s: %q says %q twice", method, text, phrase)
			return
		}
		seen[phrase] = true
	}
	if strings.HasPrefix(text, survey.ErrUnavailable.Error()) || strings.HasPrefix(text, "dial") {
		t.Errorf("%s: %q does not say what was attempted", method, text)
	}
}

// argument returns a value for a parameter of a method.
func argument(t *testing.T, of reflect.Type, round survey.Round, place survey.Participation, person survey.PersonID) reflect.Value {
	later := round.ClosesAt.Add(time.Hour)
	moment := survey.Moment{Kind: "reminder/2026-12-04", At: time.Now()}
	for _, v := range []any{
		round, round.ID, place, person, survey.PersonID("slack:T1:UC"), later, time.Hour, 10, true, "vision", []string{"vision"},
		survey.Delivery{Round: round.ID, Person: person, Kind: "reminder"}, survey.MessageKind("reminder"),
		[]survey.MessageKind{"reminder"}, []survey.PersonID{"slack:T1:UNEW"}, []survey.Member{{Person: "slack:T1:UNEW"}},
		matrix.Rating(2), survey.Operation{ID: "g"}, results.Detail{Note: "a note"}, matrix.English, moment,
		map[string][]survey.Moment{round.TimeZone: {moment}}, survey.Workshop{At: later}, audit.Results,
	} {
		if reflect.TypeOf(v) == of {
			return reflect.ValueOf(v)
		}
	}
	switch {
	case of == reflect.TypeFor[io.Writer]():
		return reflect.ValueOf(io.Discard)
	case of == reflect.TypeFor[context.Context]():
		return reflect.ValueOf(t.Context())
	case of.Kind() == reflect.Func:
		return reflect.MakeFunc(of, func(args []reflect.Value) []reflect.Value {
			var out []reflect.Value
			for i := range of.NumOut() {
				if of.Out(i) == reflect.TypeFor[bool]() {
					out = append(out, reflect.ValueOf(true))
					continue
				}
				out = append(out, reflect.Zero(of.Out(i)))
			}
			return out
		})
	}
	return reflect.Zero(of)
}
