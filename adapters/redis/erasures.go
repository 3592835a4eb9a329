package redis

import (
	"bufio"
	"crypto/sha1" // the hash that scripts of Redis have; see keys.go
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"maturitybot/survey"
)

// What can be erased for good. The words are kept, in ledgers and journals.
const (
	withdrawn = "withdrawn" // a person withdrew from a round
	forgotten = "forgotten" // a person was taken out of a round, altogether
	left      = "left"      // a person was taken out of a round that had closed: what they said stays in it, nobody can tell which it is
	closed    = "closed"    // a round was closed, which destroys its secret; also the field of the ledger
)

// begun is the word of the line that a journal begins with.
const begun = "begun"

// outlives is how much longer than its round a ledger is kept: the longest that a copy of the round, made before it was closed, may
// think that the round is kept.
const outlives = survey.MaxOpen

// Journal is a file to which each erasure is added as one line, before it counts as done: with it, a backup can be restored
// without what was erased since, also when the store is lost together with its ledgers. Write must add a line whole, whoever
// else writes to the file; one opened with os.O_APPEND does.
type Journal interface {
	io.Writer
	Sync() error
}

// KeepJournal makes the store write every erasure to the journal from then on. It is called before the store is used.
func (s *Store) KeepJournal(j Journal) { s.erased = j }

// BeginJournal writes the first line of an empty journal: from then on erasures are added to it. Without one, a journal in which
// nothing stands would not tell whether nothing was erased, or nothing noted.
func BeginJournal(j Journal) error { return add(j, erasure{At: time.Now(), What: begun}) }

// erasure is one line of a journal.
type erasure struct {
	At    time.Time      `json:"at"`
	What  string         `json:"what"`
	Round survey.RoundID `json:"round,omitempty"` // of none, when the journal was begun
	Mark  string         `json:"mark,omitempty"`  // who, as the round's ledger has it
}

// journal writes an erasure that is in the store's own ledger. An error means that it may not be told as done; again, it makes
// a line that says the same.
func (s *Store) journal(e erasure) error {
	if s.erased == nil {
		return nil
	}
	return add(s.erased, e)
}

// add writes a line of a journal. It begins a new one first: the disk may have been full in the middle of the last.
func add(j Journal, e erasure) error {
	e.At = e.At.UTC()
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode an erasure: %w", err)
	}
	if _, err := j.Write(slices.Concat([]byte{'\n'}, line, []byte{'\n'})); err != nil {
		return fmt.Errorf("%w: write the journal of erasures: %w", survey.ErrUnavailable, err)
	}
	if err := j.Sync(); err != nil {
		return fmt.Errorf("%w: write the journal of erasures: %w", survey.ErrUnavailable, err)
	}
	return nil
}

// journalNote writes what a script noted in the ledger: a mark and its note.
func (s *Store) journalNote(id survey.RoundID, noted []any) error {
	if len(noted) < 2 || noted[1] == nil { // withdrawn long ago
		return nil
	}
	mark, _ := noted[0].(string)
	text, _ := noted[1].(string)
	what, at, err := readNote(text)
	if err != nil {
		return err
	}
	return s.journal(erasure{At: time.UnixMicro(at), What: what, Round: id, Mark: mark})
}

// markOf is how a ledger names a person; see keys.go.
func markOf(salt string, person survey.PersonID) string {
	sum := sha1.Sum([]byte(salt + string(person)))
	return hex.EncodeToString(sum[:])
}

// readNote reads what a ledger says of a mark: what was done, and when, in unix microseconds.
func readNote(note string) (what string, at int64, err error) {
	what, when, _ := strings.Cut(note, " ")
	at, err = strconv.ParseInt(when, 10, 64)
	if err != nil || at <= 0 || what != withdrawn && what != forgotten && what != left {
		return "", 0, errors.New("a note in a ledger cannot be read")
	}
	return what, at, nil
}

// fieldOf is where a ledger keeps what was done: that somebody left a closed round does not take the place of what was erased before.
func fieldOf(what, mark string) string {
	if what == left {
		return left + " " + mark
	}
	return mark
}

// ledger is what was erased of one round: of each mark the latest note, and when the round was closed.
type ledger map[string]string

// add takes a note, unless there is a later one.
func (l ledger) add(field, note string) error {
	if field == closed {
		if _, err := time.Parse(time.RFC3339Nano, note); err != nil {
			return errors.New("the closing in a ledger cannot be read")
		}
		if l[closed] == "" { // of a round that was closed twice, by way of an old backup, the first is the one people were told
			l[closed] = note
		}
		return nil
	}
	_, at, err := readNote(note)
	if err != nil {
		return err
	}
	if _, had, err := readNote(l[field]); err != nil || at > had {
		l[field] = note
	}
	return nil
}

// after returns what has been noted since an earlier state of the ledger; never a closing, which stands whenever it was.
func (l ledger) after(earlier ledger) ledger {
	later := ledger{}
	for field, note := range l {
		if field == closed {
			continue
		}
		_, at, err := readNote(note)
		_, had, missing := readNote(earlier[field])
		if err == nil && (missing != nil || at > had) {
			later[field] = note
		}
	}
	return later
}

// maxJournalLine is more than any line of a journal has, in bytes.
const maxJournalLine = 4096

// readJournal adds to the ledgers what a journal says of their rounds, and leaves out what it says of others. It returns whether the
// journal was kept at a time: it has a line, of whatever, that is no later.
func readJournal(name string, r io.Reader, at time.Time, ledgers map[survey.RoundID]ledger) (kept bool, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxJournalLine)
	n := 0
	for lines.Scan() {
		n++
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		e, err := readErasure(lines.Bytes(), ledgers)
		if err != nil {
			return false, fmt.Errorf("%s:%d: %w; if the machine went down, or its disk was full, while this line was being written, take the line out: nobody was told that it is done", name, n, err)
		}
		kept = kept || !e.At.After(at)
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	return kept, nil
}

func readErasure(line []byte, ledgers map[survey.RoundID]ledger) (e erasure, err error) {
	if json.Unmarshal(line, &e) != nil || e.At.IsZero() || (e.Round == "") != (e.What == begun) || (e.Mark == "") != (e.What == closed || e.What == begun) {
		return e, errors.New("not a whole line of a journal of erasures")
	}
	if e.What == begun {
		return e, nil
	}
	l := ledgers[e.Round]
	if l == nil {
		l = ledger{} // read to be checked
	}
	if e.What == closed {
		return e, l.add(closed, e.At.UTC().Format(time.RFC3339Nano))
	}
	return e, l.add(fieldOf(e.What, e.Mark), e.What+" "+strconv.FormatInt(e.At.UnixMicro(), 10))
}
