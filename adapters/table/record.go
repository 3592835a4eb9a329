package table

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/rows"
)

// Record writes a round's audit log as CSV, oldest entry first. An entry has a row for each of its
// changes, or one row if it has none. The columns are the fields of audit.Entry, whose comment says
// what the hash covers, so that a reader can check the chain from this file alone. A cell that
// begins with an apostrophe has one more than the entry.
func Record(record survey.AuditLog) ([]byte, error) {
	var b bytes.Buffer
	records := [][]string{{"round", "seq", "at", "by", "act", "field", "old", "new", "hash"}}
	for _, e := range record.Entries {
		changes := e.Changes
		if len(changes) == 0 {
			changes = []audit.Change{{}}
		}
		for _, c := range changes {
			records = append(records, []string{
				string(record.Round.ID),
				strconv.Itoa(e.Seq),
				e.At.Format(time.RFC3339),
				marked(string(e.By)),
				marked(string(e.Action)),
				marked(c.Field),
				marked(c.Old),
				marked(c.New),
				marked(e.Hash),
			})
		}
	}
	if err := rows.WriteCSV(&b, records); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return b.Bytes(), nil
}

// marked is like rows.Mark but reversible: a text that begins with an apostrophe gets another one.
// It does not clean the text, which would change the hashes of older entries; survey has cleaned
// it.
func marked(text string) string {
	if strings.HasPrefix(text, "'") {
		return "'" + text
	}
	return rows.Mark(text)
}
