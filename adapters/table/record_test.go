package table

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
)

// chained is the record of a round in which these were done.
func chained(entries ...audit.Entry) survey.AuditLog {
	r := survey.AuditLog{Round: survey.Round{ID: "abc"}}
	for _, e := range entries {
		r.Entries = append(r.Entries, e.Chain(string(r.Round.ID), r.Head()))
	}
	return r
}

// TestAuditLogVerifiesFromFile by what the comments of audit.Entry and Record say, and nothing else of ours.
func TestAuditLogVerifiesFromFile(t *testing.T) {
	t.Parallel()
	at := time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC)
	created := audit.Entry{At: at, By: "slack:T1:U1", Action: audit.Created, Changes: []audit.Change{{Field: "area", New: "Ynys Môn, \"<&>\""}}}
	for i, text := range append(formulas, "'", "'=1", "''", "'plain", "two\nlines\r\n", "a, \"b\"; c") {
		created.Changes = append(created.Changes, audit.Change{Field: fmt.Sprint("f", i), Old: text, New: "x"})
	}
	data, err := Record(chained(created, audit.Entry{At: at.Add(time.Hour), Action: audit.Closed}, audit.Entry{At: at, By: audit.Operator, Action: audit.Forgotten}))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff")))).ReadAll()
	if err != nil || strings.Join(rows[0], ",") != "round,seq,at,by,act,field,old,new,hash" {
		t.Fatalf("%v, %v", rows[0], err)
	}
	before, entries := rows[1][0], 0
	for rows = rows[1:]; len(rows) > 0; entries++ {
		first := rows[0]
		lines := append([]string{before}, first[1:5]...)
		for len(rows) > 0 && rows[0][1] == first[1] {
			for _, cell := range rows[0] {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
					t.Errorf("a spreadsheet takes %q for a formula", cell)
				}
			}
			for _, cell := range rows[0][5:8] {
				if rows[0][5] != "" {
					lines = append(lines, strings.TrimPrefix(cell, "'"))
				}
			}
			rows = rows[1:]
		}
		before = fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(lines, "\n")+"\n")))
		if before != first[8] {
			t.Errorf("entry %s has the hash %s in the file, and by its cells %s", first[1], first[8], before)
		}
	}
	if entries != 3 {
		t.Errorf("%d entries", entries)
	}
}
