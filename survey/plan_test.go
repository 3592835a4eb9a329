package survey_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"maturitybot/survey"
)

// invite opens a round, invites these people, and acknowledges their invitations.
func (d *testRounds) invite(t *testing.T, people ...survey.PersonID) survey.Round {
	t.Helper()
	r := d.open(t)
	var members []survey.Member
	for _, p := range people {
		members = append(members, survey.Member{Person: p})
	}
	if _, _, err := d.As(ana).Invite(t.Context(), "r", members); err != nil {
		t.Fatal(err)
	}
	d.sendAll(t)
	return r
}

// sendAll leases and acknowledges every message that is due, and returns them as "KIND PERSON".
func (d *testRounds) sendAll(t *testing.T) []string {
	t.Helper()
	var all []string
	for {
		due, err := d.System().LeaseDue(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(due) == 0 {
			slices.Sort(all)
			return all
		}
		for _, m := range due {
			all = append(all, fmt.Sprint(m.Kind, " ", m.Person))
			if err := d.System().Ack(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (d *testRounds) participation(t *testing.T, p survey.PersonID) survey.Participation {
	t.Helper()
	s, err := d.For(p).Participation(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func errorOf[A any](_ A, err error) error { return err }

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestReminderRecipients: reminders of the close go once a day to people who have not finished, can
// be reached and want reminders. Those of the workshop also go to people who have finished.
func TestReminderRecipients(t *testing.T) {
	d := newTestRounds(t)
	names := []survey.PersonID{"invited", "started", "finished", "declined", "withdrawn", "unreachable", "quiet", "reminded"}
	r := d.invite(t, names...)
	ctx := t.Context()
	for _, p := range []survey.PersonID{"started", "finished", "withdrawn"} {
		must(t, errorOf(d.For(p).Start(ctx, "r")))
	}
	_, _, err := d.For("finished").Answer(ctx, "r", survey.Operation{ID: "a"}, "one", 1)
	must(t, err)
	_, _, err = d.For("finished").Submit(ctx, "r")
	must(t, err, errorOf(d.For("declined").Decline(ctx, "r")), errorOf(d.For("withdrawn").Withdraw(ctx, "r")),
		d.System().SetUnreachable(ctx, "r", "unreachable", true), errorOf(d.For("quiet").SetRemindersOff(ctx, "r", true)),
		d.System().Reminded(ctx, survey.Delivery{Round: "r", Person: "reminded"}, "2027-01-11"))
	closes, workshop := survey.ClosesSoon.On("2027-01-11"), survey.WorkshopSoon.On("2027-01-11")
	enqueue := func(kinds ...survey.MessageKind) []string {
		t.Helper()
		var all []survey.Moment
		for _, k := range kinds {
			all = append(all, survey.Moment{Kind: k, At: d.now})
		}
		n, err := d.System().EnqueueReminders(ctx, r, map[string][]survey.Moment{r.TimeZone: all})
		must(t, err)
		got := d.sendAll(t)
		if n != len(got) {
			t.Errorf("%d counted, %d queued", n, len(got))
		}
		return got
	}
	same(t, enqueue(closes), []string{"closes@2027-01-11 invited", "closes@2027-01-11 started"})
	same(t, enqueue(workshop), []string{"workshop@2027-01-11 finished", "workshop@2027-01-11 invited", "workshop@2027-01-11 started"})
	same(t, enqueue(closes, workshop), []string{"closes@2027-01-11 invited", "closes@2027-01-11 started", "workshop@2027-01-11 finished"})
	same(t, enqueue(survey.ClosesSoon.On("2027-01-12")), []string{"closes@2027-01-12 invited", "closes@2027-01-12 reminded", "closes@2027-01-12 started"})
	_, n, err := d.As(ana).Remind(ctx, "r")
	must(t, err)
	if got := d.sendAll(t); n != 2 || len(got) != 2 || got[1] != "nudge@2027-01-04 started" { // not those reminded since
		t.Errorf("by hand: %d, %v", n, got)
	}
	counts, err := d.As(ana).CountRecipients(ctx, "r", survey.ClosesSoon, survey.WorkshopSoon)
	if err != nil || counts[survey.ClosesSoon] != 3 || counts[survey.WorkshopSoon] != 4 {
		t.Errorf("recipients: %v, %v", counts, err)
	}
	if _, err := d.As(ben).CountRecipients(ctx, "r", survey.ClosesSoon); !errors.Is(err, survey.ErrNotCoordinator) {
		t.Errorf("another person: %v", err)
	}
	// The same is checked when a message is sent.
	for p, want := range map[survey.PersonID]bool{"invited": true, "finished": false, "reminded": false, "quiet": false, "unreachable": false} {
		if _, got, err := d.System().StillWanted(ctx, survey.Delivery{Round: "r", Person: p, Kind: closes}); err != nil || got != want {
			t.Errorf("%s: %v, %v", p, got, err)
		}
	}
	d.now = r.ClosesAt
	if _, got, _ := d.System().StillWanted(ctx, survey.Delivery{Round: "r", Person: "invited", Kind: closes}); got {
		t.Error("still wanted after the closing time")
	}
}

// TestRemindersByZone: the time zone of each person counts, or the round's where it is not known.
func TestRemindersByZone(t *testing.T) {
	d := newTestRounds(t)
	r := d.invite(t, "here", "there", "nowhere")
	for p, zone := range map[survey.PersonID]string{"there": "Asia/Tokyo", "nowhere": "No/Such"} {
		part, err := d.For(p).Start(t.Context(), "r")
		must(t, err, errorOf(d.For(p).SetTimeZone(t.Context(), part, zone)))
	}
	// A person who has not started has agreed to nothing, so that their zone is not saved.
	must(t, errorOf(d.For("here").SetTimeZone(t.Context(), d.participation(t, "here"), "Asia/Tokyo")))
	_, zones, err := d.System().Planned(t.Context(), r)
	must(t, err)
	slices.Sort(zones)
	same(t, zones, []string{"Asia/Tokyo", "Europe/London"})
	due := map[string][]survey.Moment{"Asia/Tokyo": {{Kind: survey.ClosesSoon.On("2027-01-11"), At: d.now}}}
	must(t, errorOf(d.System().EnqueueReminders(t.Context(), r, due)))
	same(t, d.sendAll(t), []string{"closes@2027-01-11 there"})
	if got := d.participation(t, "there"); got.Round.ZoneOf(got.Member).String() != "Asia/Tokyo" || got.Round.ZoneOf(survey.Member{TimeZone: "x"}).String() != r.TimeZone {
		t.Error("the zone of a person is wrong")
	}
}

// TestEnqueueThousandsOnce: reminders for thousands of people are queued once, also when some were
// sent before they are queued again.
func TestEnqueueThousandsOnce(t *testing.T) {
	d := newTestRounds(t)
	var people []survey.PersonID
	for i := range 1700 {
		people = append(people, survey.PersonID(fmt.Sprint("p", i)))
	}
	r := d.invite(t, people...)
	due := map[string][]survey.Moment{r.TimeZone: {{Kind: survey.ClosesSoon.On("2027-01-11"), At: d.now}}}
	sent := map[survey.PersonID]int{}
	for range 3 {
		must(t, errorOf(d.System().EnqueueReminders(t.Context(), r, due)))
		some, err := d.System().LeaseDue(t.Context(), 600)
		must(t, err)
		for _, m := range some {
			sent[m.Person]++
			must(t, d.System().Reminded(t.Context(), m, "2027-01-11"), d.System().Ack(t.Context(), m))
		}
	}
	if len(sent) != 1700 {
		t.Errorf("%d were reminded", len(sent))
	}
	for p, n := range sent {
		if n != 1 {
			t.Errorf("%s was reminded %d times", p, n)
		}
	}
}

// TestRemindLater: a reminder that a person asked for is queued, and dropped when they turn
// reminders off.
func TestRemindLater(t *testing.T) {
	d := newTestRounds(t)
	d.invite(t, ben, "cem")
	at := survey.Moment{Kind: survey.ClosesSoon.On("2027-01-05"), At: d.now.Add(24 * time.Hour)}
	for _, p := range []survey.PersonID{ben, "cem"} {
		part, err := d.For(p).RemindLater(t.Context(), "r", at)
		if err != nil || part.Member.RemindOnDate != "2027-01-05" {
			t.Fatal(part.Member, err)
		}
	}
	must(t, errorOf(d.For("cem").SetRemindersOff(t.Context(), "r", true)))
	same(t, d.sendAll(t), nil)
	if m := d.participation(t, "cem").Member; m.RemindOnDate != "" || !m.RemindersOff {
		t.Errorf("%+v", m)
	}
	d.now = at.At
	if _, wanted, err := d.System().StillWanted(t.Context(), survey.Delivery{Round: "r", Person: "cem", Kind: at.Kind}); wanted || err != nil {
		t.Error(wanted, err)
	}
	must(t, d.System().Reminded(t.Context(), survey.Delivery{Round: "r", Person: ben}, "2027-01-05"))
	if m := d.participation(t, ben).Member; m.RemindOnDate != "" || m.LastRemindedDate != "2027-01-05" {
		t.Errorf("%+v", m)
	}
	if _, err := d.For("stranger").RemindLater(t.Context(), "r", at); !errors.Is(err, survey.ErrNotTakingPart) {
		t.Errorf("another person: %v", err)
	}
	if _, err := d.For("stranger").SetRemindersOff(t.Context(), "r", true); !errors.Is(err, survey.ErrNotTakingPart) {
		t.Errorf("another person: %v", err)
	}
}

// TestCloseDue: a survey closes automatically once, as of its closing time, however late that is
// done. A round that a coordinator closed does not close automatically.
func TestCloseDue(t *testing.T) {
	d := newTestRounds(t)
	r := d.invite(t, ben)
	if _, closed, err := d.System().CloseDue(t.Context(), "r"); closed || err != nil {
		t.Error("too early:", closed, err)
	}
	d.now = r.ClosesAt.Add(-time.Hour)
	r, _, err := d.As(ana).Extend(t.Context(), "r", r.ClosesAt.Add(time.Hour))
	must(t, err)
	d.now = r.ClosesAt.Add(-time.Second)
	if _, closed, err := d.System().CloseDue(t.Context(), "r"); closed || err != nil {
		t.Error("before the new time:", closed, err)
	}
	d.now = r.ClosesAt.Add(72 * time.Hour)
	for range 2 {
		got, closed, err := d.System().CloseDue(t.Context(), "r")
		if err != nil || !closed || got.State != survey.Closed || !got.ClosedAt.Equal(r.ClosesAt) {
			t.Fatalf("%v, closed by itself: %v, %v", got, closed, err)
		}
	}
	p, err := d.System().Results(t.Context(), "r")
	if err != nil || p.Turnout.Invited.String() != "1" {
		t.Errorf("%+v, %v", p.Context, err)
	}
	if _, closed, err := d.System().CloseDue(t.Context(), "none"); closed || err != nil {
		t.Error("no such round:", closed, err)
	}

	d = newTestRounds(t)
	r = d.invite(t, ben)
	d.now = r.ClosesAt.Add(time.Second)
	must(t, errorOf(d.For(ben).Participation(t.Context(), "r")))
	if _, closed, err := d.As(ana).Close(t.Context(), "r"); !closed || err != nil {
		t.Fatal(closed, err)
	}
	if _, closed, err := d.System().CloseDue(t.Context(), "r"); closed || err != nil {
		t.Error("closed by a coordinator:", closed, err)
	}
}

// TestSetPlan: who may change the plan, in which states, and from when the change counts.
func TestSetPlan(t *testing.T) {
	d := newTestRounds(t)
	d.invite(t, ben)
	d.now = d.now.Add(time.Hour)
	change := func(p *survey.ReminderPlan, c *survey.ChannelPlan) error {
		p.Hour, c.Digest = 9, "0 9 * * 1"
		return nil
	}
	if _, err := d.As(ben).SetPlan(t.Context(), "r", change); !errors.Is(err, survey.ErrNotCoordinator) {
		t.Errorf("another person: %v", err)
	}
	r, err := d.As(ana).SetPlan(t.Context(), "r", change)
	if err != nil || r.Reminders.Hour != 9 || r.Posts.Digest != "0 9 * * 1" || !r.PlannedAt.Equal(d.now) {
		t.Fatalf("%+v, %v", r, err)
	}
	since := d.now
	d.now = d.now.Add(time.Hour)
	// A change of the channel's posts does not change the reminders. The same call again changes
	// nothing.
	for range 2 {
		r, err = d.As(ana).SetPlan(t.Context(), "r", func(_ *survey.ReminderPlan, c *survey.ChannelPlan) error {
			c.Disabled = []survey.MessageKind{survey.LastDay}
			return nil
		})
		if err != nil || !r.PlannedAt.Equal(since) || r.Posts.Enabled(survey.LastDay) || !r.Posts.Enabled(survey.Digest) {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	refusal := errors.New("no")
	if _, err := d.As(ana).SetPlan(t.Context(), "r", func(*survey.ReminderPlan, *survey.ChannelPlan) error { return refusal }); !errors.Is(err, refusal) {
		t.Error(err)
	}
	must(t, d.System().Posted(t.Context(), "r", survey.DigestProgress{At: d.now, Invited: 3, Finished: 1}))
	if got := d.participation(t, ben).Round; got.LastDigest == nil || got.LastDigest.Finished != 1 || got.Reminders.Hour != 9 {
		t.Errorf("%+v", got)
	}
	if _, _, err := d.As(ana).Close(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.As(ana).SetPlan(t.Context(), "r", change); !errors.Is(err, survey.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	must(t, d.System().Posted(t.Context(), "r", survey.DigestProgress{}))
}

// TestEachRoundWithPlan: Each visits open rounds, and closed ones before their workshop.
func TestEachRoundWithPlan(t *testing.T) {
	d := newTestRounds(t)
	each := func() (ids []string) {
		must(t, d.System().Each(t.Context(), func(r survey.Round) error {
			ids = append(ids, string(r.ID))
			return nil
		}))
		return ids
	}
	must(t, errorOf(d.AsCreator(ana).Create(t.Context(), d.proposal())))
	same(t, each(), nil)
	r, _, err := d.As(ana).Open(t.Context(), "r")
	must(t, err)
	same(t, each(), []string{"r"})
	workshop := survey.Workshop{At: r.ClosesAt.Add(24 * time.Hour)}
	must(t, errorOf(d.As(ana).SetWorkshop(t.Context(), "r", workshop)))
	_, _, err = d.As(ana).Close(t.Context(), "r")
	must(t, err)
	same(t, each(), []string{"r"})
	d.now = workshop.At
	same(t, each(), nil)
}

// TestSetWorkshopAfterClose: the workshop can move after the close. Nothing else of the round
// changes.
func TestSetWorkshopAfterClose(t *testing.T) {
	d := newTestRounds(t)
	d.invite(t, ben)
	d.now = d.now.Add(time.Hour)
	_, _, err := d.As(ana).Close(t.Context(), "r")
	must(t, err)
	closed := d.participation(t, ben).Round
	d.now = d.now.Add(time.Hour)
	var refused *survey.InputError
	if _, err := d.As(ana).SetWorkshop(t.Context(), "r", survey.Workshop{At: closed.ClosedAt.Add(-time.Minute)}); !errors.As(err, &refused) || refused.Reason != "early" {
		t.Errorf("before the close: %v", err)
	}
	if _, err := d.As(ben).SetWorkshop(t.Context(), "r", survey.Workshop{}); !errors.Is(err, survey.ErrNotCoordinator) {
		t.Errorf("another person: %v", err)
	}
	// The workshop may be earlier than the planned closing time.
	want := closed
	want.Workshop, want.PlannedAt, want.Version = survey.Workshop{At: closed.ClosedAt.Add(2 * time.Hour), Place: "Library"}, d.now, closed.Version+1
	got, err := d.As(ana).SetWorkshop(t.Context(), "r", want.Workshop)
	must(t, err)
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(d.participation(t, ben).Round.Workshop, want.Workshop) {
		t.Errorf("%+v, not %+v", got, want)
	}
}
