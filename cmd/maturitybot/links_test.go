package main

import (
	"bytes"
	"encoding/csv"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"maturitybot/bot/chat"
	"maturitybot/survey"
)

// TestPeopleByLinkStartNothing checks that the configuration and the operator's command refuse people who take part by link,
// and that the bot lets none of them start a round, whatever an adapter says.
func TestPeopleByLinkStartNothing(t *testing.T) {
	t.Parallel()
	c := serveCommand{Creators: []string{"web::p1"}}
	if _, err := c.config(func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), `CREATORS: "web::p1" takes part by a link`) {
		t.Errorf("CREATORS: %v", err)
	}
	err := coordinatorCommand{Round: "r", Do: "add", Person: "web::p1"}.Run(t.Context(), system{})
	if err == nil || !strings.Contains(err.Error(), "cannot coordinate") {
		t.Errorf("coordinator add: %v", err)
	}
	b, _, _ := open(t, editions(), "en")
	who := chat.Person{Platform: survey.WebPlatform, ID: "p1"}
	replies := b.bot.Handle(t.Context(), chat.Event{
		ID: "e", Kind: chat.Command, Who: who, Admin: true, Where: chat.Place{Platform: tryPlatform, Channel: "#c"}, Action: chat.NewAction("new"),
	})
	if w, ok := replies[0].(chat.Whisper); !ok || !strings.Contains(w.Card.String(), "can start a round") {
		t.Errorf("new: %v", replies)
	}
}

// TestLinksFile checks the file that a coordinator gets: its columns, a link that works, cells that no spreadsheet takes for
// formulas, and that no line of the log has a link.
func TestLinksFile(t *testing.T) {
	t.Parallel()
	b, round, _ := open(t, editions(), "en")
	var log bytes.Buffer
	b.bot.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	file := func(verb string, values map[string][]string) [][]string {
		t.Helper()
		kind := chat.Submit
		if values == nil {
			kind = chat.Press
		}
		replies := b.bot.Handle(t.Context(), chat.Event{
			ID: verb, Kind: kind, Who: tryPerson("ana"), Where: chat.Place{Platform: tryPlatform, Channel: "#c"},
			Action: chat.NewAction(verb, string(round), "en"), Values: values,
		})
		w, ok := replies[0].(chat.Whisper)
		if !ok || len(w.Files) != 1 || len(replies) != 1 {
			t.Fatalf("%s: %v", verb, replies)
		}
		records, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(w.Files[0].Data, []byte("\ufeff")))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return records
	}
	made := file("savelinks", map[string][]string{"labels": {"=HYPERLINK(1)\n\u202eNursery\t2 \n\n-3"}, "role": {"parent"}, "number": {""}})
	if strings.Join(made[0], ",") != "link,label,role,number" || len(made) != 4 {
		t.Fatalf("got %q", made)
	}
	for i, label := range []string{"'=HYPERLINK(1)", "Nursery 2", "'-3"} {
		if r := made[i+1]; r[1] != label || !strings.HasPrefix(r[2], "Parent") || r[3] != strconv.Itoa(i+1) {
			t.Errorf("got %q, want the label %q", r, label)
		}
	}
	for _, r := range made[1:3] {
		if can, err := b.visit(t.Context(), r[0], "visit"); err != nil || !can {
			t.Errorf("the person of the link finished: %v, %v", can, err)
		}
	}
	if left := file("duelinks", nil); len(left) != 2 || left[1][0] != made[3][0] {
		t.Errorf("got %q", left)
	}
	for _, r := range made[1:] {
		if token := r[0][strings.LastIndex(r[0], "/")+1:]; len(token) != 43 || strings.Contains(log.String(), token) {
			t.Errorf("the token %q is in the log, or is no token", token)
		}
	}
}
