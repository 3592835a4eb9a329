package redis

import (
	"context"
	_ "embed" // the scripts are files
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
	"maturitybot/survey/workshop"
)

// The head of each file says what its script does, takes and returns.
var (
	//go:embed lua/add_links.lua
	addLinksSource string
	//go:embed lua/append_entry.lua
	appendEntrySource string
	//go:embed lua/attend.lua
	attendSource string
	//go:embed lua/change_link.lua
	changeLinkSource string
	//go:embed lua/change_member.lua
	changeMemberSource string
	//go:embed lua/close_round.lua
	closeRoundSource string
	//go:embed lua/create_round.lua
	createRoundSource string
	//go:embed lua/end_workshop.lua
	endWorkshopSource string
	//go:embed lua/enqueue.lua
	enqueueSource string
	//go:embed lua/enter_link.lua
	enterLinkSource string
	//go:embed lua/erase_response.lua
	eraseResponseSource string
	//go:embed lua/find_link.lua
	findLinkSource string
	//go:embed lua/forget.lua
	forgetSource string
	//go:embed lua/invite.lua
	inviteSource string
	//go:embed lua/lease.lua
	leaseSource string
	//go:embed lua/ledger.lua
	ledgerSource string
	//go:embed lua/mark_planned.lua
	markPlannedSource string
	//go:embed lua/object.lua
	objectSource string
	//go:embed lua/plan_post.lua
	planPostSource string
	//go:embed lua/raise_schema.lua
	raiseSchemaSource string
	//go:embed lua/replace_entries.lua
	replaceEntriesSource string
	//go:embed lua/restore_list.lua
	restoreListSource string
	//go:embed lua/save_assessment.lua
	saveAssessmentSource string
	//go:embed lua/save_round.lua
	saveRoundSource string
	//go:embed lua/set_next_plan.lua
	setNextPlanSource string
	//go:embed lua/set_role_group.lua
	setRoleGroupSource string
	//go:embed lua/set_round_field.lua
	setRoundFieldSource string
	//go:embed lua/show_ballot.lua
	showBallotSource string
	//go:embed lua/update_contact.lua
	updateContactSource string
	//go:embed lua/vote.lua
	voteSource string
	//go:embed lua/withdraw.lua
	withdrawSource string
	//go:embed lua/write_response.lua
	writeResponseSource string

	addLinksScript       = goredis.NewScript(addLinksSource)
	appendEntryScript    = goredis.NewScript(appendEntrySource)
	attendScript         = goredis.NewScript(attendSource)
	changeLinkScript     = goredis.NewScript(changeLinkSource)
	changeMemberScript   = goredis.NewScript(changeMemberSource)
	closeRoundScript     = goredis.NewScript(closeRoundSource)
	createRoundScript    = goredis.NewScript(createRoundSource)
	endWorkshopScript    = goredis.NewScript(endWorkshopSource)
	enqueueScript        = goredis.NewScript(enqueueSource)
	enterLinkScript      = goredis.NewScript(enterLinkSource)
	eraseResponseScript  = goredis.NewScript(eraseResponseSource)
	findLinkScript       = goredis.NewScript(findLinkSource)
	forgetScript         = goredis.NewScript(ledgerSource + forgetSource)
	inviteScript         = goredis.NewScript(inviteSource)
	leaseScript          = goredis.NewScript(leaseSource)
	markPlannedScript    = goredis.NewScript(markPlannedSource)
	objectScript         = goredis.NewScript(objectSource)
	planPostScript       = goredis.NewScript(planPostSource)
	raiseSchemaScript    = goredis.NewScript(raiseSchemaSource)
	replaceEntriesScript = goredis.NewScript(replaceEntriesSource)
	restoreListScript    = goredis.NewScript(restoreListSource)
	saveAssessmentScript = goredis.NewScript(saveAssessmentSource)
	saveRoundScript      = goredis.NewScript(saveRoundSource)
	setNextPlanScript    = goredis.NewScript(setNextPlanSource)
	setRoleGroupScript   = goredis.NewScript(setRoleGroupSource)
	setRoundFieldScript  = goredis.NewScript(setRoundFieldSource)
	showBallotScript     = goredis.NewScript(showBallotSource)
	updateContactScript  = goredis.NewScript(updateContactSource)
	voteScript           = goredis.NewScript(voteSource)
	withdrawScript       = goredis.NewScript(ledgerSource + withdrawSource)
	writeResponseScript  = goredis.NewScript(writeResponseSource)
)

// run runs a script and returns what followed the word "done" in its reply. For any other word it
// returns the error that parseReply gives.
func (s *Store) run(
	ctx context.Context, script *goredis.Script, keys []string, args ...any,
) ([]any, error) {
	return scriptReply(script.Run(ctx, s.client, keys, args...))
}

// scriptReply returns what run does, once the script has run.
func scriptReply(cmd *goredis.Cmd) ([]any, error) {
	reply, err := cmd.Slice()
	if err != nil {
		return nil, translate(err)
	}
	return parseReply(reply)
}

// call is a script with its keys and arguments.
type call struct {
	script *goredis.Script
	keys   []string
	args   []any
}

// runBoth runs a script about a person and then one about their response, in one transaction. No
// script takes both the person and the pseudonym: Redis keeps the arguments of slow commands in a
// log, and an entry with both would show whose response it is. The first script sets the field
// "step" of the round when the second is to do its part, and the second deletes it.
//
// When no reply comes, runBoth sends the transaction again, as the client does with commands but
// not with transactions.
func (s *Store) runBoth(
	ctx context.Context, person, response call,
) (personReply, responseReply []any, err error) {
	for attempt := range maxRetries + 1 {
		personReply, responseReply, err = s.transact(ctx, person, response)
		var refusal goredis.Error
		unanswered := errors.Is(err, survey.ErrUnavailable) && !errors.As(err, &refusal)
		if !unanswered || attempt == maxRetries {
			break
		}
		select {
		case <-time.After(retryDelay << attempt):
		case <-ctx.Done():
			return nil, nil, err
		}
	}
	return personReply, responseReply, err
}

const (
	// maxRetries is how often a transaction is sent again, as often as the client sends a command.
	maxRetries = 3
	// retryDelay is the delay before the first retry. It doubles with each.
	retryDelay = 10 * time.Millisecond
)

// transact sends both scripts once.
func (s *Store) transact(
	ctx context.Context, person, response call,
) (personReply, responseReply []any, err error) {
	pipe := s.client.TxPipeline()
	// EVAL, not EVALSHA: a server that knows only the first script would run only that.
	first := person.script.Eval(ctx, pipe, person.keys, person.args...)
	second := response.script.Eval(ctx, pipe, response.keys, response.args...)
	if err := exec(ctx, pipe); err != nil {
		return nil, nil, err
	}
	replies := make([][]any, 2)
	for i, cmd := range []*goredis.Cmd{first, second} {
		if replies[i], err = cmd.Slice(); err != nil {
			return nil, nil, translate(err)
		}
	}
	if personReply, err = parseReply(replies[0]); err != nil {
		return nil, nil, err
	}
	responseReply, err = parseReply(replies[1])
	return personReply, responseReply, err
}

// parseReply returns what follows the word "done" in a script's reply. For any other word it
// returns the error that the word stands for. A changedError and a staleEntryError hold what
// followed the word; what followed "soon" is returned beside errTooSoon.
func parseReply(reply []any) ([]any, error) {
	if len(reply) == 0 {
		return nil, errors.New("the script returned nothing")
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
	case "none":
		return nil, survey.ErrNoAssessment
	case "stage":
		return nil, workshop.ErrStage
	case "over":
		return nil, workshop.ErrNoBallot
	case "few":
		return nil, workshop.ErrTooFew
	case "unlinked":
		return nil, survey.ErrNoLink
	case "full":
		return nil, survey.ErrLinkFull
	case "crowd":
		return nil, &survey.InputError{Field: "number", Reason: "full", Limit: survey.MaxLinks}
	case "changed":
		return nil, &changedError{rest: reply[1:]}
	case "behind":
		return nil, staleEntry(reply[1:])
	default:
		return nil, fmt.Errorf("the script returned an unknown word: %v", word)
	}
}

// errTooSoon says that a script kept nothing because the operation came too soon after another. The
// script's reply names that operation last.
var errTooSoon = errors.New("too soon after another operation")

// changedError says that the value a change was made from is no longer the one kept. rest holds the
// current one.
type changedError struct{ rest []any }

func (e *changedError) Error() string { return survey.ErrChanged.Error() }
func (e *changedError) Unwrap() error { return survey.ErrChanged }
