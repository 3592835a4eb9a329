package table

import (
	"bytes"
	"fmt"
	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/rows"
	"strconv"
	"strings"
	"time"
)

// Record writes a round's record as CSV, oldest entry first: a row for each change of an entry, and one for an entry without changes. The
// fields of an entry are those of survey.Entry, whose comment says what hash is of: with this file alone anybody can make the chain
// again. A cell that begins with an apostrophe has one more than the entry.
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
				string(record.Round.ID), strconv.Itoa(e.Seq), e.At.Format(time.RFC3339), marked(string(e.By)), marked(string(e.Action)),
				marked(c.Field), marked(c.Old), marked(c.New), marked(e.Hash),
			})
		}
	}
	if err := rows.WriteCSV(&b, records); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return b.Bytes(), nil
}

// marked is rows.Mark for a text that must be told back from it: one that has an apostrophe of its own gets another. It is
// not cleaned again, which survey has done, so that the hashes of older records still match.
func marked(text string) string {
	if strings.HasPrefix(text, "'") {
		return "'" + text
	}
	return rows.Mark(text)
}
