package redis

import (
	"context"
	_ "embed" // the scripts are files
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
)

// What each script does, takes and returns is said at the head of its file.
var (
	//go:embed lua/create.lua
	createSource string
	//go:embed lua/save.lua
	saveSource string
	//go:embed lua/close.lua
	closeSource string
	//go:embed lua/invite.lua
	inviteSource string
	//go:embed lua/member.lua
	memberSource string
	//go:embed lua/swap.lua
	swapSource string
	//go:embed lua/say.lua
	saySource string
	//go:embed lua/withdraw.lua
	withdrawSource string
	//go:embed lua/take.lua
	takeSource string
	//go:embed lua/plan.lua
	planSource string
	//go:embed lua/append.lua
	appendSource string
	//go:embed lua/erased.lua
	erasedSource string
	//go:embed lua/forget.lua
	forgetSource string
	//go:embed lua/seal.lua
	sealSource string
	//go:embed lua/owe.lua
	oweSource string
	//go:embed lua/note.lua
	noteSource string
	//go:embed lua/nextplan.lua
	nextPlanSource string
	//go:embed lua/setfield.lua
	setFieldSource string
	//go:embed lua/respond.lua
	respondSource string
	//go:embed lua/erase.lua
	eraseSource string
	//go:embed lua/push.lua
	pushSource string
	//go:embed lua/schema.lua
	schemaSource string

	createScript   = goredis.NewScript(createSource)
	saveScript     = goredis.NewScript(saveSource)
	closeScript    = goredis.NewScript(closeSource)
	inviteScript   = goredis.NewScript(inviteSource)
	memberScript   = goredis.NewScript(memberSource)
	swapScript     = goredis.NewScript(swapSource)
	sayScript      = goredis.NewScript(saySource)
	withdrawScript = goredis.NewScript(erasedSource + withdrawSource)
	forgetScript   = goredis.NewScript(erasedSource + forgetSource)
	sealScript     = goredis.NewScript(sealSource)
	oweScript      = goredis.NewScript(oweSource)
	noteScript     = goredis.NewScript(noteSource)
	nextPlanScript = goredis.NewScript(nextPlanSource)
	setFieldScript = goredis.NewScript(setFieldSource)
	respondScript  = goredis.NewScript(respondSource)
	eraseScript    = goredis.NewScript(eraseSource)
	pushScript     = goredis.NewScript(pushSource)
	takeScript     = goredis.NewScript(takeSource)
	schemaScript   = goredis.NewScript(schemaSource)
	planScript     = goredis.NewScript(planSource)
	appendScript   = goredis.NewScript(appendSource)
)

// run runs a script and returns what came after its first word, when that word is "done". Any other word
// is returned as the error it stands for; changedError and behindError carry what came with
// "changed" and "behind", and what came with "soon" is returned beside errTooSoon.
func (s *Store) run(ctx context.Context, script *goredis.Script, keys []string, args ...any) ([]any, error) {
	reply, err := script.Run(ctx, s.client, keys, args...).Slice()
	if err != nil {
		return nil, fault(err)
	}
	return outcome(reply)
}

// call is a script with its keys and arguments.
type call struct {
	script *goredis.Script
	keys   []string
	args   []any
}

// runBoth runs a script about a person, and after it one about their response, in one transaction. No script takes
// both the person and the pseudonym: Redis remembers the arguments of slow commands, and shows those of all to
// whoever asks it to, so that one entry with both would tell whose response is whose. The first sets the field
// "step" of the round when the second is to do its part; the second takes it away. Nothing comes between the two.
// Where no reply comes it is sent again, as the client does with other commands but not with transactions.
func (s *Store) runBoth(ctx context.Context, person, response call) (ofPerson, ofResponse []any, err error) {
	for try := range retries + 1 {
		ofPerson, ofResponse, err = s.transact(ctx, person, response)
		var reply goredis.Error
		if err == nil || errors.As(err, &reply) || !errors.Is(err, survey.ErrUnavailable) || try == retries {
			return ofPerson, ofResponse, err
		}
		select {
		case <-time.After(retryDelay << try):
		case <-ctx.Done():
			return nil, nil, err
		}
	}
	return ofPerson, ofResponse, err
}

const (
	retries    = 3 // of a transaction, as many as the client makes of a command
	retryDelay = 10 * time.Millisecond
)

// transact sends both scripts once.
func (s *Store) transact(ctx context.Context, person, response call) (ofPerson, ofResponse []any, err error) {
	pipe := s.client.TxPipeline()
	// Not EVALSHA: where the server knows only the first, only the first would be done.
	first := person.script.Eval(ctx, pipe, person.keys, person.args...)
	second := response.script.Eval(ctx, pipe, response.keys, response.args...)
	if err := exec(ctx, pipe); err != nil {
		return nil, nil, err
	}
	replies := make([][]any, 2)
	for i, cmd := range []*goredis.Cmd{first, second} {
		if replies[i], err = cmd.Slice(); err != nil {
			return nil, nil, fault(err)
		}
	}
	if ofPerson, err = outcome(replies[0]); err != nil {
		return nil, nil, err
	}
	ofResponse, err = outcome(replies[1])
	return ofPerson, ofResponse, err
}

// outcome reads the reply of a script, as run returns it.
func outcome(reply []any) ([]any, error) {
	if len(reply) == 0 {
		return nil, errors.New("the script answered nothing")
	}
	switch word := reply[0]; word {
	case "done":
		return reply[1:], nil
	case "gone":
		return nil, survey.ErrNoRound
	case "draft":
		return nil, survey.ErrNotOpen
	case "closed":
		return nil, survey.ErrClosed
	case "absent":
		return nil, survey.ErrNotTakingPart
	case "soon":
		return reply[1:], errTooSoon
	case "changed":
		return nil, &changedError{rest: reply[1:]}
	case "behind":
		return nil, behind(reply[1:])
	default:
		return nil, fmt.Errorf("the script answered with a word that is not expected: %v", word)
	}
}

// errTooSoon says that a script kept nothing, since the operation came too soon after the one that
// it names last.
var errTooSoon = errors.New("too soon after another operation")

// changedError says that what a change was made from is not what is kept any more, and holds what is.
type changedError struct{ rest []any }

func (e *changedError) Error() string { return survey.ErrChanged.Error() }
func (e *changedError) Unwrap() error { return survey.ErrChanged }
