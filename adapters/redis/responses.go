package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// Response returns the participation's response so far: empty when there is none. Once the round is
// closed it returns ErrClosed, because nothing says which response it is.
func (s *Store) Response(
	ctx context.Context, part survey.Participation,
) (_ results.Response, err error) {
	defer attempt(&err, "read a response of round %s", part.Round.ID)
	if part.Pseudonym == "" {
		return results.Response{}, survey.ErrClosed
	}
	pipe := s.client.Pipeline()
	fields := pipe.HGetAll(ctx, responseKey(part.Round.ID, part.Pseudonym))
	if err := s.batches.exec(ctx, pipe); err != nil {
		return results.Response{}, err
	}
	return decodeResponse(fields.Val(), map[string]results.Answer{})
}

// Answer keeps a rating, or removes it for NotAnswered, and returns the whole response, in one
// round trip. The same operation on the same element again changes nothing. The store remembers the
// last four operations of a person, and for at least ten minutes when the last one on each element
// was made, so that an older one that arrives later does not undo it. Answer does not keep an
// answer to an unanswered element that was made within survey.DoubleTap of the answer to another:
// it returns a *survey.TooSoonError beside the response.
func (s *Store) Answer(
	ctx context.Context, part survey.Participation, now time.Time, op survey.Operation,
	element string, rating matrix.Rating,
) (_ results.Response, err error) {
	defer attempt(&err, "keep an answer in round %s", part.Round.ID)
	value := ""
	if rating != matrix.NotAnswered {
		value = strconv.Itoa(int(rating))
	}
	return s.writeResponse(ctx, part, now, answerVerb, op, element, element, value)
}

// Detail replaces what was added to an element, under the same conditions as Answer.
func (s *Store) Detail(
	ctx context.Context, part survey.Participation, now time.Time, op survey.Operation,
	element string, d results.Detail,
) (_ results.Response, err error) {
	defer attempt(&err, "keep a detail in round %s", part.Round.ID)
	information := ""
	if len(d.Information) > 0 {
		raw, err := json.Marshal(d.Information)
		if err != nil {
			return results.Response{}, errResponse
		}
		information = string(raw)
	}
	return s.writeResponse(ctx, part, now, detailVerb, op, element,
		informationPrefix+element, information,
		notePrefix+element, d.Note,
		barrierPrefix+element, d.Barrier)
}

// writeResponse sets fields of a response. The verb and the element are part of the operation, so
// that one operation may set several things, each once.
func (s *Store) writeResponse(
	ctx context.Context, part survey.Participation, now time.Time, verb string,
	op survey.Operation, element string, fieldsAndValues ...string,
) (results.Response, error) {
	switch {
	case element == "" || strings.HasPrefix(element, "."): // it would be another field
		return results.Response{}, matrix.ErrNoElement
	case part.Pseudonym == "":
		return results.Response{}, survey.ErrClosed
	}
	keys, args := responseArguments(part, now, verb, op, element, fieldsAndValues...)
	rest, err := s.runBatched(ctx, writeResponseScript, keys, args...)
	soon := errors.Is(err, errTooSoon)
	if err != nil && !soon {
		return results.Response{}, err
	}
	flat, _ := rest[0].([]any)
	fields := make(map[string]string, len(flat)/2)
	for i := 0; i+1 < len(flat); i += 2 {
		field, _ := flat[i].(string)
		fields[field], _ = flat[i+1].(string)
	}
	r, err := decodeResponse(fields, map[string]results.Answer{})
	if err == nil && soon {
		before, _ := rest[1].(string)
		err = &survey.TooSoonError{Before: strings.TrimPrefix(before, verb)}
	}
	return r, err
}

// The verbs of operations on a response. The id of an element follows.
const (
	answerVerb = "answer "
	detailVerb = "detail "
)

// Current reports whether a person's roster entry and their response are unchanged since they were
// read. For a response without answers it compares the entry alone. In a closed round it returns
// false and does not read the response: a command that names the response, beside one that names
// the person, would connect the two in the log of slow commands.
func (s *Store) Current(
	ctx context.Context, part survey.Participation, r results.Response,
) (same bool, err error) {
	defer attempt(&err, "compare a response of round %s", part.Round.ID)
	id := part.Round.ID
	pipe := s.client.Pipeline()
	open := pipe.Exists(ctx, secretKey(id))
	entry := pipe.HGet(ctx, rosterKey(id), string(part.Member.Person))
	if err := s.batches.exec(ctx, pipe); err != nil {
		return false, err
	}
	if open.Val() == 0 || entry.Val() == "" { // closed, or forgotten
		return false, nil
	}
	m, err := decodeMember(part.Member.Person, entry.Val())
	if err != nil || m != part.Member || r.Answers == nil {
		return err == nil && m == part.Member, err
	}
	// Not in the same pipeline, which would always have the two beside each other.
	pipe = s.client.Pipeline()
	version := pipe.HGet(ctx, responseKey(id, part.Pseudonym), operationsField)
	if err := s.batches.exec(ctx, pipe); err != nil {
		return false, err
	}
	return version.Val() == r.Version, nil
}

// responseArguments returns the keys and arguments of write_response.lua.
func responseArguments(
	part survey.Participation, now time.Time, verb string, op survey.Operation, element string,
	fieldsAndValues ...string,
) (keys []string, args []any) {
	id := part.Round.ID
	made := int64(0)
	if !op.At.IsZero() {
		made = op.At.UnixMicro()
	}
	tooSoon := time.Duration(0)
	if verb == answerVerb {
		tooSoon = survey.DoubleTap
	}
	subject := verb + element
	args = []any{now.Unix(), subject + " " + op.ID, subject, made, tooSoon.Microseconds()}
	for _, a := range fieldsAndValues {
		args = append(args, a)
	}
	keys = []string{roundKey(id), secretKey(id), responseKey(id, part.Pseudonym)}
	return append(keys, operationTimesKeys(id)...), args
}

// Withdraw erases the response and everything of the member except that they withdrew, and notes
// that in the ledger and the journal. It works until the round is closed. It returns
// ErrNotTakingPart for a person who is not in the roster.
func (s *Store) Withdraw(ctx context.Context, part survey.Participation) (err error) {
	defer attempt(&err, "withdraw from round %s", part.Round.ID)
	if part.Pseudonym == "" {
		return survey.ErrClosed
	}
	id, person := part.Round.ID, part.Member.Person
	entry, err := encodeMember(survey.Member{Person: person, Status: survey.Withdrawn}, "")
	if err != nil {
		return err
	}
	withdraw := call{
		withdrawScript, []string{roundKey(id), rosterKey(id), erasedKey(id)},
		[]any{string(person), entry, s.now().UnixMicro(), int64(ledgerGrace.Seconds())},
	}
	noted, _, err := s.runBoth(ctx, withdraw, eraseCall(part))
	if err != nil {
		return err
	}
	s.requestRewrite(id)
	return s.journalScriptNote(id, noted)
}

// eraseCall erases the response of a participation, if the script before it in the transaction asks
// for it.
func eraseCall(part survey.Participation) call {
	id := part.Round.ID
	keys := []string{
		roundKey(id), responsesKey(id), responseKey(id, part.Pseudonym), secretKey(id),
	}
	keys = append(keys, operationTimesKeys(id)...)
	return call{eraseResponseScript, keys, []any{part.Pseudonym}}
}

// pagesAhead is how many pages of responses are read or wait while one is visited.
const pagesAhead = 2

// Responses calls visit for each response of the round, a few hundred in memory at a time, in the
// order of their pseudonyms, which says nothing about who gave a response or when.
func (s *Store) Responses(
	ctx context.Context, id survey.RoundID, visit func(results.Response) error,
) error {
	if err := s.requireRound(ctx, id); err != nil {
		return fmt.Errorf("read the responses of round %s: %w", id, err)
	}
	// Pages are read while one is visited: reading and counting take about as long.
	ctx, cancel := context.WithCancel(ctx)
	pages, failed := make(chan chan responsePage, pagesAhead), make(chan error, 1)
	go func() {
		defer close(pages)
		failed <- s.eachPseudonymPage(ctx, id, func(some []string) error {
			page := make(chan responsePage, 1)
			select {
			case pages <- page:
			case <-ctx.Done():
				return ctx.Err()
			}
			read := func() { page <- s.readResponses(ctx, id, some) }
			if len(some) <= smallPage {
				read() // the pacer pauses for as long as this takes
			} else {
				go read()
			}
			return nil
		})
	}()
	defer func() { // stop reading before this returns, however it returns
		cancel()
		for page := range pages {
			<-page
		}
	}()
	answers := map[string]results.Answer{} // reused: allocation would take longer than reading
	for next := range pages {
		page := <-next
		if page.err != nil {
			return fmt.Errorf("read the responses of round %s: %w", id, page.err)
		}
		for _, fields := range page.fields {
			if len(fields.Val()) == 0 { // withdrawn since the page was read
				continue
			}
			r, err := decodeResponse(fields.Val(), answers)
			if err != nil {
				return fmt.Errorf("read the responses of round %s: %w", id, err)
			}
			if err := visit(r); err != nil {
				return err
			}
		}
	}
	err := <-failed
	attempt(&err, "read the responses of round %s", id)
	return err
}

// responsePage is a page of responses, or why it could not be read.
type responsePage struct {
	fields []*goredis.MapStringStringCmd
	err    error
}

// readResponses reads a page of responses.
func (s *Store) readResponses(
	ctx context.Context, id survey.RoundID, pseudonyms []string,
) responsePage {
	pipe := s.client.Pipeline()
	fields := make([]*goredis.MapStringStringCmd, len(pseudonyms))
	for i, pseudonym := range pseudonyms {
		fields[i] = pipe.HGetAll(ctx, responseKey(id, pseudonym))
	}
	return responsePage{fields, exec(ctx, pipe)}
}

// eachPseudonymPage calls visit with pages of the pseudonyms of a round, in their order.
func (s *Store) eachPseudonymPage(
	ctx context.Context, id survey.RoundID, visit func([]string) error,
) error {
	pace, size := s.newPacer(), int64(pageSize)
	for after := "-"; ; {
		next := &goredis.ZRangeBy{Min: after, Max: "+", Count: size}
		some, err := s.client.ZRangeByLex(ctx, responsesKey(id), next).Result()
		if err != nil {
			return translate(err)
		}
		if len(some) == 0 {
			return nil
		}
		if err := visit(some); err != nil {
			return err
		}
		after = "(" + some[len(some)-1]
		if size, err = pace.next(ctx); err != nil {
			return err
		}
	}
}
