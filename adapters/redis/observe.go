package redis

import (
	"context"
	"crypto/sha1" // as Redis names scripts
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Option changes how a store is opened.
type Option func(*Store)

// Observed has the store tell of each call it makes, tries made again included: what it was, as the name of a script ("say"), of a command
// ("hmget") or "pipeline"; how long it took; and whether Redis could not do it. It is called from several goroutines, and returns
// at once. It is never told a key.
func Observed(tell func(operation string, took time.Duration, failed bool)) Option {
	return func(s *Store) { s.client.AddHook(&observer{tell, scriptNames()}) }
}

// scriptNames are the scripts by the hash that a command names them by.
func scriptNames() map[string]string {
	return map[string]string{
		appendScript.Hash():   "append",
		closeScript.Hash():    "close",
		createScript.Hash():   "create",
		eraseScript.Hash():    "erase",
		forgetScript.Hash():   "forget",
		inviteScript.Hash():   "invite",
		setFieldScript.Hash(): "setfield",
		memberScript.Hash():   "member",
		nextPlanScript.Hash(): "nextplan",
		noteScript.Hash():     "note",
		oweScript.Hash():      "owe",
		planScript.Hash():     "plan",
		pushScript.Hash():     "push",
		respondScript.Hash():  "respond",
		saveScript.Hash():     "save",
		sayScript.Hash():      "say",
		schemaScript.Hash():   "schema",
		sealScript.Hash():     "seal",
		swapScript.Hash():     "swap",
		takeScript.Hash():     "take",
		withdrawScript.Hash(): "withdraw",
	}
}

// Scripts returns the names of all scripts, as Observed is told of them, sorted.
func Scripts() []string { return slices.Sorted(maps.Values(scriptNames())) }

// observer is a hook that times calls.
type observer struct {
	tell    func(operation string, took time.Duration, failed bool)
	scripts map[string]string
}

// DialHook leaves dialling as it is.
func (o *observer) DialHook(next goredis.DialHook) goredis.DialHook { return next }

// ProcessHook times one command.
func (o *observer) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmd)
		o.tell(o.operation(cmd), time.Since(began), failed(err))
		return err
	}
}

// ProcessPipelineHook times a pipeline as one call, and a transaction as one of its first command.
func (o *observer) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmds)
		operation := "pipeline"
		if cmds[0].Name() == "multi" {
			operation = o.operation(cmds[1])
		}
		// The client introduces a new connection by itself, in words that older servers refuse.
		if cmds[0].Name() != "client" {
			o.tell(operation, time.Since(began), failed(err))
		}
		return err
	}
}

// operation is what a command does, as one of few words. A script goes by its hash, or the first time by its source.
func (o *observer) operation(cmd goredis.Cmder) string {
	name := cmd.Name()
	if args := cmd.Args(); (name == "evalsha" || name == "eval") && len(args) > 1 {
		text, _ := args[1].(string)
		if name == "eval" {
			sum := sha1.Sum([]byte(text))
			text = hex.EncodeToString(sum[:])
		}
		if script, ok := o.scripts[text]; ok {
			return script
		}
	}
	return name
}

// failed says whether Redis could not do what it was asked: it was not reached, or refused. That there is no such value or script is an
// answer, and a context that its owner ended no fault of Redis.
func failed(err error) bool {
	switch {
	case err == nil, errors.Is(err, goredis.Nil), errors.Is(err, context.Canceled):
		return false
	}
	return !goredis.HasErrorPrefix(err, "NOSCRIPT")
}

var _ goredis.Hook = (*observer)(nil)
