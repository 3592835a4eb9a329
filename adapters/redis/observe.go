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

// Observed makes the store call observe after each call of Redis, retries included. The operation
// is the name of a script ("write_response") or of a command ("hmget"), or "pipeline"; took is the
// duration of the call; failed says that Redis could not carry it out. A script in a pipeline is
// observed too, with the duration of the pipeline. An operation never holds a key. The store calls
// observe from several goroutines, and observe must return at once.
func Observed(observe func(operation string, took time.Duration, failed bool)) Option {
	return func(s *Store) { s.client.AddHook(&observer{observe, scriptNames()}) }
}

// scriptNames returns the names of the scripts by the hash that EVALSHA names them by.
func scriptNames() map[string]string {
	return map[string]string{
		addLinksScript.Hash():       "add_links",
		changeLinkScript.Hash():     "change_link",
		enterLinkScript.Hash():      "enter_link",
		findLinkScript.Hash():       "find_link",
		appendEntryScript.Hash():    "append_entry",
		attendScript.Hash():         "attend",
		changeMemberScript.Hash():   "change_member",
		closeRoundScript.Hash():     "close_round",
		createRoundScript.Hash():    "create_round",
		endWorkshopScript.Hash():    "end_workshop",
		enqueueScript.Hash():        "enqueue",
		eraseResponseScript.Hash():  "erase_response",
		forgetScript.Hash():         "forget",
		inviteScript.Hash():         "invite",
		leaseScript.Hash():          "lease",
		markPlannedScript.Hash():    "mark_planned",
		objectScript.Hash():         "object",
		planPostScript.Hash():       "plan_post",
		raiseSchemaScript.Hash():    "raise_schema",
		replaceEntriesScript.Hash(): "replace_entries",
		restoreListScript.Hash():    "restore_list",
		saveAssessmentScript.Hash(): "save_assessment",
		saveRoundScript.Hash():      "save_round",
		setNextPlanScript.Hash():    "set_next_plan",
		setRoleGroupScript.Hash():   "set_role_group",
		setRoundFieldScript.Hash():  "set_round_field",
		showBallotScript.Hash():     "show_ballot",
		updateContactScript.Hash():  "update_contact",
		voteScript.Hash():           "vote",
		withdrawScript.Hash():       "withdraw",
		writeResponseScript.Hash():  "write_response",
	}
}

// Scripts returns the names of all scripts, as Observed passes them, sorted.
func Scripts() []string { return slices.Sorted(maps.Values(scriptNames())) }

// observer is a hook that times calls.
type observer struct {
	observe func(operation string, took time.Duration, failed bool)
	scripts map[string]string
}

// DialHook returns next.
func (o *observer) DialHook(next goredis.DialHook) goredis.DialHook { return next }

// ProcessHook times one command.
func (o *observer) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmd)
		o.observe(o.operation(cmd), time.Since(began), failed(err))
		return err
	}
}

// ProcessPipelineHook times a pipeline as one call, and each script in it as a call of its own. It
// times a transaction as a call of its first command.
func (o *observer) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmds)
		took := time.Since(began)
		switch cmds[0].Name() {
		case "multi":
			o.observe(o.operation(cmds[1]), took, failed(err))
			return err
		case "client": // it names itself on a new connection, with commands that older servers refuse
			return err
		}
		refused := func(c goredis.Cmder) bool { return failed(c.Err()) }
		o.observe("pipeline", took, failed(err) || slices.ContainsFunc(cmds, refused))
		for _, c := range cmds {
			if name := o.operation(c); name != c.Name() {
				o.observe(name, took, failed(c.Err()))
			}
		}
		return err
	}
}

// operation returns the name of a command, or of its script. A script is recognised by its hash, or
// by its source when it is sent whole.
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

// failed reports whether Redis could not be reached or refused a call. A missing value, a script
// that is not loaded yet and a cancelled context do not count.
func failed(err error) bool {
	switch {
	case err == nil, errors.Is(err, goredis.Nil), errors.Is(err, context.Canceled):
		return false
	}
	return !goredis.HasErrorPrefix(err, "NOSCRIPT")
}

var _ goredis.Hook = (*observer)(nil)
