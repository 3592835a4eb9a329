package redis

import (
	"context"
	_ "embed" // the scripts are files
	"errors"
	"fmt"

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
	//go:embed lua/backup.lua
	backupSource string
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
	backupScript   = goredis.NewScript(backupSource)
	pushScript     = goredis.NewScript(pushSource)
	takeScript     = goredis.NewScript(takeSource)
	schemaScript   = goredis.NewScript(schemaSource)
	planScript     = goredis.NewScript(planSource)
	appendScript   = goredis.NewScript(appendSource)
)

// run runs a script and returns what came after its first word, when that word is "done". Any other word
// is returned as the error it stands for; changedError and behindError carry what came with "changed" and "behind".
func (s *Store) run(ctx context.Context, script *goredis.Script, keys []string, args ...any) ([]any, error) {
	reply, err := script.Run(ctx, s.client, keys, args...).Slice()
	if err != nil {
		return nil, fault(err)
	}
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
	case "changed":
		return nil, &changedError{rest: reply[1:]}
	case "behind":
		return nil, behind(reply[1:])
	default:
		return nil, fmt.Errorf("the script answered with a word that is not expected: %v", word)
	}
}

// changedError says that what a change was made from is not what is kept any more, and holds what is.
type changedError struct{ rest []any }

func (e *changedError) Error() string { return survey.ErrChanged.Error() }
func (e *changedError) Unwrap() error { return survey.ErrChanged }
