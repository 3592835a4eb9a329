package survey_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// actions returns the entries of a round's audit log as text. The log must be intact.
func (d *testRounds) actions(t *testing.T) (actions []string, r survey.AuditLog) {
	t.Helper()
	r, err := d.As(ana).AuditLog(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range r.Entries {
		said := string(e.By) + " " + string(e.Action)
		for _, c := range e.Changes {
			said += fmt.Sprintf(" %s=%s>%s", c.Field, c.Old, c.New)
		}
		actions = append(actions, said)
	}
	if r.Broken != 0 {
		t.Errorf("broken at %d: %q", r.Broken, actions)
	}
	return actions, r
}

// TestActionsAreRecorded: an action is recorded with the person and with what it changed. An action
// that changes nothing is not.
func TestActionsAreRecorded(t *testing.T) {
	d, ctx := newTestRounds(t), t.Context()
	if _, err := d.AsCreator(ana).Create(ctx, d.proposal()); err != nil {
		t.Fatal(err)
	}
	closes := d.now.AddDate(0, 0, 21)
	both := func(_ any, err error) error { return err }
	third := func(_, _ any, err error) error { return err }
	redraft := func(r *survey.Round) error { r.MinGroup = 6; return nil }
	pause := func(p *survey.ReminderPlan, c *survey.ChannelPlan) error {
		p.Paused, c.Digest = true, "0 9 * * 1"
		return nil
	}
	place := survey.Workshop{At: closes.AddDate(0, 0, 7), Place: "Town\nhall"}
	for range 2 { // the second time, each changes nothing
		if err := both(d.As(ana).Redraft(ctx, "r", redraft)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := third(d.As(ana).Open(ctx, "r")); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := errors.Join(
			both(d.As(ana).AddCoordinators(ctx, "r", []survey.PersonID{ana, ben})),
			third(d.As(ben).Invite(ctx, "r", []survey.Member{{Person: "p:w:cem", Role: "midwife"}, {Person: "p:w:dee"}})),
			both(d.As(ana).AllowSelfJoin(ctx, "r")),
			both(d.For("p:w:eli").Join(ctx, "r")),
			third(d.As(ana).Extend(ctx, "r", closes)),
			both(d.As(ana).SetPlan(ctx, "r", pause)),
			both(d.As(ana).SetWorkshop(ctx, "r", place)),
		); err != nil {
			t.Fatal(err)
		}
	}
	if err := third(d.As(ana).Remind(ctx, "r")); err != nil {
		t.Fatal(err)
	}
	if err := third(d.As(ana).Remind(ctx, "r")); err == nil {
		t.Error("reminded twice")
	}
	// Answers, and how far people are, do not get into the log.
	if err := errors.Join(both(d.For("p:w:cem").Start(ctx, "r")), third(d.For("p:w:cem").Answer(ctx, "r", survey.Operation{ID: "g"}, "one", 1)),
		third(d.For("p:w:cem").Detail(ctx, "r", survey.Operation{ID: "h"}, "one", results.Detail{Note: "private"})), third(d.For("p:w:cem").Submit(ctx, "r")),
		both(d.For("p:w:dee").Decline(ctx, "r")), both(d.For("p:w:cem").Withdraw(ctx, "r")), d.System().Posted(ctx, "r", survey.DigestProgress{Invited: 3})); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(time.Hour)
	for range 2 {
		if err := third(d.As(ben).Close(ctx, "r")); err != nil {
			t.Fatal(err)
		}
		if err := both(d.As(ana).Results(ctx, "r")); err != nil {
			t.Fatal(err)
		}
		p, record, err := d.As(ben).Export(ctx, "r")
		recorded := slices.ContainsFunc(record.Entries, func(e audit.Entry) bool { return e.Action == audit.Exported && e.By == string(ben) })
		if err != nil || p.Context.Area != "Northshire" || !recorded {
			t.Errorf("%+v, %v", record, err)
		}
		if err := errors.Join(d.System().AuditRefused(ctx, "r", "p:w:eve", "close"), d.System().Audit(ctx, "r", audit.Operator, audit.Forgotten)); err != nil {
			t.Fatal(err)
		}
	}
	got, r := d.actions(t)
	want := []string{
		"p:w:ana created area=>Northshire closes=>2027-01-18T09:00:00Z matrix=>m languages=>en min_group=>5 agreed=>70 time_zone=>Europe/London channel=>p:w:c coordinators=>p:w:ana",
		"p:w:ana redrafted min_group=5>6",
		"p:w:ana opened",
		"p:w:ana team coordinators=>p:w:ben",
		"p:w:ben invited people=>2",
		"p:w:ana door join=>yes",
		"p:w:ana extended closes=2027-01-18T09:00:00Z>2027-01-25T09:00:00Z",
		"p:w:ana plan paused=>yes digest=>0 9 * * 1",
		"p:w:ana workshop workshop=>2027-02-01T09:00:00Z place=>Town hall",
		"p:w:ana reminded people=>3",
		"p:w:ben closed closed=>2027-01-04T10:00:00Z",
		"p:w:ana results",
		"p:w:ben exported",
		"p:w:eve refused verb=>close",
		"operator forgotten",
		"operator forgotten", // there is no limit for the operator
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	if e := r.Entries[10]; !e.At.Equal(d.now) {
		t.Errorf("closed at %v, want %v", e.At, d.now)
	}
	if strings.Contains(fmt.Sprint(got), "private") {
		t.Error("the log holds what a person wrote")
	}
}

// TestAutomaticCloseInAuditLog: the entry has no person, the closing time as its change, and the
// time at which it was done.
func TestAutomaticCloseInAuditLog(t *testing.T) {
	d := newTestRounds(t)
	r := d.open(t)
	d.now = r.ClosesAt.Add(3 * time.Hour)
	for range 2 {
		if _, closed, err := d.System().CloseDue(t.Context(), "r"); !closed || err != nil {
			t.Fatal(closed, err)
		}
	}
	got, record := d.actions(t)
	if want := " closed closed=>2027-01-18T09:00:00Z"; len(got) != 3 || got[2] != want || !record.Head().At.Equal(d.now) {
		t.Errorf("got %q at %v", got, record.Head().At)
	}
}

// TestAuditLogForCoordinatorsOnly: nobody else can read the audit log.
func TestAuditLogForCoordinatorsOnly(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	if _, err := d.As(ben).AuditLog(t.Context(), "r"); !errors.Is(err, survey.ErrNotCoordinator) {
		t.Errorf("got %v", err)
	}
	if err := d.System().AuditRefused(t.Context(), "none", ben, "status"); !errors.Is(err, survey.ErrNoRound) {
		t.Errorf("of no round: %v", err)
	}
}

// TestAuditQuota: the same refusal is recorded once an hour. After 200 entries the log says that
// there were more.
func TestAuditQuota(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	note := func(who int, verb string) {
		t.Helper()
		if err := d.System().AuditRefused(t.Context(), "r", survey.PersonID(fmt.Sprint("p:w:", who)), verb); err != nil {
			t.Fatal(err)
		}
	}
	note(0, "status")
	d.now = d.now.Add(audit.DedupWindow - time.Second)
	note(0, "status")
	note(0, "close") // something else
	d.now = d.now.Add(time.Second)
	note(0, "status")
	if got, _ := d.actions(t); len(got) != 5 {
		t.Errorf("within the hour: %q", got)
	}
	for i := range audit.Quota {
		note(i+1, "status")
	}
	d.now = d.now.AddDate(0, 0, 2)
	note(1, "status")
	got, _ := d.actions(t)
	if n := len(got); n != 2+audit.Quota+1 || got[n-1] != " full act=>refused" || got[n-2] != "p:w:197 refused verb=>status" {
		t.Errorf("%d entries, at last %q", n, got[n-2:])
	}
	// Other actions are still recorded.
	if err := d.System().Audit(t.Context(), "r", ana, audit.Exported); err != nil {
		t.Fatal(err)
	}
	if _, r := d.actions(t); r.Head().Action != audit.Exported {
		t.Errorf("the last is %+v", r.Head())
	}
}

// TestRefusedQuota: the refusals of each person are limited, so that a few people cannot use up the
// quota.
func TestRefusedQuota(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	note := func(who, verb string) {
		t.Helper()
		if err := d.System().AuditRefused(t.Context(), "r", survey.PersonID("p:w:"+who), verb); err != nil {
			t.Fatal(err)
		}
	}
	for _, verb := range strings.Fields("redraft rules open invite button status remind reminders plan posts pause goon extend workshop team close results export record") {
		for who := range 15 {
			note(fmt.Sprint(who), verb)
		}
	}
	got, _ := d.actions(t)
	if n := len(got); n != 2+15*(audit.RefusedQuota+1) || got[n-1] != "p:w:14 full act=>refused" {
		t.Errorf("%d entries, at last %q", n, got[n-2:])
	}
	d.now = d.now.AddDate(0, 0, 2)
	note("0", "status")
	note("eve", "close")
	if after, _ := d.actions(t); len(after) != len(got)+1 || after[len(got)] != "p:w:eve refused verb=>close" {
		t.Errorf("afterwards %q", after[len(got):])
	}
}

// TestEveryFieldOfARoundIsRecorded: a change of each field is recorded, or the field is listed here
// with the reason why it is not.
func TestEveryFieldOfARoundIsRecorded(t *testing.T) {
	left := map[string]string{
		"ID": "never changes", "Version": "counts changes", "State": "follows from the action", "OpenedAt": "is the time of the action",
		"RemindedAt": "is the time of the action", "Nudged": "is in the entry itself", "PlannedAt": "is the time of the action", "LastDigest": "saved by the bot for the next digest",
		"Notice": "follows from the action", "MatrixVersion": "is set by the opening", "MatrixFingerprint": "is set by the opening",
		"Turnout": "of who answered", "Anonymised": "saved by the bot after the close",
	}
	at := time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC)
	full := reflect.ValueOf(survey.Round{
		ID: "r", Version: 1, State: survey.Open, Area: "a", Matrix: "m", MatrixVersion: 1, MatrixFingerprint: "f",
		Languages: []matrix.Lang{"en", "cy"}, TimeZone: "UTC", ClosesAt: at,
		Workshop: survey.Workshop{At: at, Place: "p"}, Channel: "c", Coordinators: []survey.PersonID{ana, ben}, MinGroup: 5,
		Consensus: results.Consensus{Percent: 70, AllowFarMinority: true}, OpenedAt: at, ClosedAt: at, RemindedAt: at, Nudged: 1,
		Reminders: survey.ReminderPlan{BeforeClose: []int{7, 3}, BeforeWorkshop: []int{1}, Hour: 9, Minute: 5, Cron: "s", Paused: true},
		Posts:     survey.ChannelPlan{Digest: "d", Disabled: []survey.MessageKind{survey.Opened, survey.LastDay}}, PlannedAt: at,
		LastDigest: &survey.DigestProgress{At: at}, SelfJoin: true, Notice: "1", Turnout: &results.Turnout{}, Anonymised: true,
	})
	// inside is how many values each field holds.
	inside := map[string]int{"Workshop": 2, "Consensus": 2, "Reminders": 5, "Posts": 2}
	var all []audit.Change
	for field, value := range full.Fields() {
		if value.IsZero() {
			t.Errorf("the test forgets %s", field.Name)
		}
		one := reflect.New(full.Type()).Elem()
		one.FieldByIndex(field.Index).Set(value)
		want := max(1, inside[field.Name])
		if left[field.Name] != "" {
			want = 0
		}
		got := survey.Changes(survey.Round{}, one.Interface().(survey.Round))
		if len(got) != want {
			t.Errorf("%s: %d changes, want %d: %v", field.Name, len(got), want, got)
		}
		all = append(all, got...)
	}
	back := survey.Changes(full.Interface().(survey.Round), survey.Round{})
	for _, c := range all {
		if !slices.Contains(back, audit.Change{Field: c.Field, Old: c.New}) {
			t.Errorf("%+v is not recorded when it is removed", c)
		}
	}
	for _, want := range []audit.Change{
		{Field: "languages", New: "en, cy"}, {Field: "before_close", New: "7, 3"}, {Field: "hour", New: "09:05"}, {Field: "posts_off", New: "opened, last"},
		{Field: "coordinators", New: "p:w:ana, p:w:ben"},
	} {
		if !slices.Contains(all, want) {
			t.Errorf("%v lacks %v", all, want)
		}
	}
}
