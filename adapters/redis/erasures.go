package redis

import (
	"bufio"
	"crypto/sha1" // the hash that Redis scripts have; see keys.go
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

// The kinds of erasure, as ledgers and journals store them.
const (
	// withdrawn: a person withdrew from a round.
	withdrawn = "withdrawn"
	// forgotten: a person was removed from a round altogether.
	forgotten = "forgotten"
	// left: a person was removed from a closed round. Their response stays, because nothing says
	// which it is.
	left = "left"
	// closed: a round was closed, which destroys its secret. It is also the field of the ledger.
	closed = "closed"
)

// begun is what the first line of a journal says.
const begun = "begun"

// ledgerGrace is how much longer than its round a ledger is kept. A copy of the round that was made
// before the close may expire that much later.
const ledgerGrace = survey.MaxOpen

// Journal is a file to which the store adds each erasure as one line before the erasure counts as
// done. With it a backup can be restored without what was erased since, even when the store is lost
// together with its ledgers. Write must append a line whole even when others write to the file, as
// a file opened with os.O_APPEND does.
type Journal interface {
	io.Writer
	Sync() error
}

// KeepJournal makes the store write every later erasure to the journal. It must be called before
// the store is used.
func (s *Store) KeepJournal(j Journal) { s.journal = j }

// BeginJournal writes the first line of an empty journal: erasures are added from then on. An empty
// journal would not show whether nothing was erased or nothing was written.
func BeginJournal(j Journal) error { return appendErasure(j, erasure{At: time.Now(), What: begun}) }

// erasure is one line of a journal.
type erasure struct {
	At    time.Time      `json:"at"`
	What  string         `json:"what"`
	Round survey.RoundID `json:"round,omitempty"` // empty in the first line
	Mark  string         `json:"mark,omitempty"`  // of the person in the round's ledger
}

// writeJournal adds an erasure that is already in the ledger. When it fails, the caller must not
// report the erasure as done. Another call adds an equal line.
func (s *Store) writeJournal(e erasure) error {
	if s.journal == nil {
		return nil
	}
	return appendErasure(s.journal, e)
}

// appendErasure adds a line to a journal. It begins with a line break, because the disk may have
// been full in the middle of the last line.
func appendErasure(j Journal, e erasure) error {
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

// journalScriptNote writes to the journal what a script has noted in the ledger: a mark and its
// note.
func (s *Store) journalScriptNote(id survey.RoundID, noted []any) error {
	if len(noted) < 2 || noted[1] == nil { // withdrawn before there were ledgers
		return nil
	}
	mark, _ := noted[0].(string)
	text, _ := noted[1].(string)
	what, at, err := readNote(text)
	if err != nil {
		return err
	}
	return s.writeJournal(erasure{At: time.UnixMicro(at), What: what, Round: id, Mark: mark})
}

// markOf returns the mark of a person in a ledger; see keys.go.
func markOf(salt string, person survey.PersonID) string {
	sum := sha1.Sum([]byte(salt + string(person)))
	return hex.EncodeToString(sum[:])
}

// readNote reads the note of a mark in a ledger: what was erased, and when, in unix microseconds.
func readNote(note string) (what string, at int64, err error) {
	what, when, _ := strings.Cut(note, " ")
	at, err = strconv.ParseInt(when, 10, 64)
	known := what == withdrawn || what == forgotten || what == left
	if err != nil || at <= 0 || !known {
		return "", 0, errors.New("a note in a ledger cannot be read")
	}
	return what, at, nil
}

// ledgerField returns the field of the ledger for a kind of erasure. That a person left a closed
// round does not replace an earlier erasure.
func ledgerField(what, mark string) string {
	if what == left {
		return left + " " + mark
	}
	return mark
}

// ledger says what was erased of one round: the latest note of each mark, and when the round was
// closed.
type ledger map[string]string

// add adds a note, unless there is a later one of the same field.
func (l ledger) add(field, note string) error {
	if field == closed {
		if _, err := time.Parse(time.RFC3339Nano, note); err != nil {
			return errors.New("the closing in a ledger cannot be read")
		}
		// A round may be closed twice, through an old backup. The channel was given the first time.
		if l[closed] == "" {
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

// after returns the notes that were added since an earlier state of the ledger. It leaves out the
// close, which counts whenever it was.
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

// maxJournalLine is the length limit of a line of a journal, in bytes. No line comes near it.
const maxJournalLine = 4096

// readJournal adds to the ledgers what a journal says of their rounds, and checks its lines about
// others. It returns whether the journal covers the time since at: it has a line that is no later.
func readJournal(
	name string, r io.Reader, at time.Time, ledgers map[survey.RoundID]ledger,
) (covers bool, err error) {
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
			return false, fmt.Errorf("%s:%d: %w; if the machine went down, or its disk was full, "+
				"while this line was being written, delete the line: "+
				"its erasure was not confirmed to anyone", name, n, err)
		}
		covers = covers || !e.At.After(at)
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	return covers, nil
}

// readErasure adds one line of a journal to the ledgers.
func readErasure(line []byte, ledgers map[survey.RoundID]ledger) (e erasure, err error) {
	err = json.Unmarshal(line, &e)
	hasRound := e.What != begun
	hasMark := hasRound && e.What != closed
	if err != nil || e.At.IsZero() || (e.Round != "") != hasRound || (e.Mark != "") != hasMark {
		return e, errors.New("not a whole line of a journal of erasures")
	}
	if e.What == begun {
		return e, nil
	}
	l := ledgers[e.Round]
	if l == nil {
		l = ledger{} // only to check the line
	}
	if e.What == closed {
		return e, l.add(closed, e.At.UTC().Format(time.RFC3339Nano))
	}
	note := e.What + " " + strconv.FormatInt(e.At.UnixMicro(), 10)
	return e, l.add(ledgerField(e.What, e.Mark), note)
}
