package redis

import (
	"context"
	"errors"
	"strings"

	"maturitybot/survey"
)

// Forget erases everything that is kept about a person in a round, in any state of it, except that
// they coordinate it, and notes that in the ledger and the journal. That includes their link, and their
// role, their open vote and their objections in a workshop that goes on. Their response in a closed round and
// their votes in ballots that were shown stay, because nothing says which they are. Another call
// erases what has come since. They can be invited again.
func (s *Store) Forget(
	ctx context.Context, id survey.RoundID, person survey.PersonID,
) (f survey.Forgotten, err error) {
	defer attempt(&err, "forget a person in round %s", id)
	part, err := s.participation(ctx, id, person)
	if err != nil {
		return f, err
	}
	// First, so that the ledger notes the erasure when all of it is done.
	if f.Attended, err = s.forgetInWorkshop(ctx, id, person); err != nil {
		return f, err
	}
	rest, erased, err := s.runForget(ctx, part)
	if errors.Is(err, survey.ErrClosed) { // closed since the participation was read
		part.Pseudonym = ""
		rest, erased, err = s.runForget(ctx, part)
	}
	f.Answers = erased
	if err != nil {
		return f, err
	}
	s.requestRewrite(id)
	// Where the reply was lost, the client has run the script again, and the entry was gone.
	f.Invited = rest[2] == int64(1) || part.Member.Status != survey.NotInvited
	if f.Messages, err = s.removeQueued(ctx, id, person); err != nil {
		return f, err
	}
	r, err := s.round(ctx, id)
	if err != nil {
		return f, err
	}
	if !isCoordinator(r, person) {
		if err := s.client.ZRem(ctx, personKey(person), string(id)).Err(); err != nil {
			return f, translate(err)
		}
	}
	return f, s.journalScriptNote(id, rest)
}

// runForget runs the script that erases the entry, and the one that erases the response when the
// participation has a pseudonym. It reports whether a response was erased.
func (s *Store) runForget(
	ctx context.Context, part survey.Participation,
) (rest []any, erased bool, err error) {
	id := part.Round.ID
	forget := call{
		forgetScript,
		[]string{roundKey(id), erasedKey(id), rosterKey(id), linksKey(id), linkIndexKey(id)},
		[]any{string(part.Member.Person), s.now().UnixMicro(), int64(ledgerGrace.Seconds())},
	}
	if part.Pseudonym == "" {
		rest, err = s.run(ctx, forget.script, forget.keys, append(forget.args, "0")...)
	} else {
		var responseReply []any
		forget.args = append(forget.args, "1")
		rest, responseReply, err = s.runBoth(ctx, forget, eraseCall(part))
		erased = len(responseReply) == 1 && responseReply[0] == int64(1)
	}
	if err == nil && len(rest) != 3 {
		err = errors.New("the script did not return what it erased")
	}
	return rest, erased, err
}

// escapePattern escapes a text so that a pattern of Redis matches it literally.
var escapePattern = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

// removeQueued removes the queued messages to a person and returns how many there were. Messages
// that are enqueued later are dropped when they are due, because the person is not in the roster.
func (s *Store) removeQueued(
	ctx context.Context, id survey.RoundID, person survey.PersonID,
) (int, error) {
	pattern := "* " + escapePattern.Replace(string(person))
	removed := 0
	for cursor := uint64(0); ; {
		some, next, err := s.client.ZScan(ctx, queueKey(id), cursor, pattern, pageSize).Result()
		if err != nil {
			return removed, translate(err)
		}
		for i := 0; i+1 < len(some); i += 2 { // message, due
			n, err := s.client.ZRem(ctx, queueKey(id), some[i]).Result()
			if err != nil {
				return removed, translate(err)
			}
			removed += int(n)
		}
		if cursor = next; cursor == 0 {
			return removed, nil
		}
	}
}
