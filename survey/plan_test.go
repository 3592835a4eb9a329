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

// asked opens a round to which these people are invited, and settles their invitations.
func (d *desk) asked(t *testing.T, people ...survey.PersonID) survey.Round {
	t.Helper()
	r := d.open(t)
	var members []survey.Member
	for _, p := range people {
		members = append(members, survey.Member{Person: p})
	}
	if _, _, err := d.As(ana).Invite(t.Context(), "r", members); err != nil {
		t.Fatal(err)
	}
	d.taken(t)
	return r
}

// taken takes and settles all that is owed, as "KIND PERSON".
func (d *desk) taken(t *testing.T) []string {
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

func (d *desk) seat(t *testing.T, p survey.PersonID) survey.Participation {
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

// TestWhoIsReminded: who has not finished and can be reached and wants it, once a day; of the
// workshop who has finished as well.
func TestWhoIsReminded(t *testing.T) {
	d := newDesk(t)
	names := []survey.PersonID{"invited", "started", "finished", "declined", "withdrawn", "unreachable", "quiet", "reminded"}
	r := d.asked(t, names...)
	ctx := t.Context()
	for _, p := range []survey.PersonID{"started", "finished", "withdrawn"} {
		must(t, errorOf(d.For(p).Start(ctx, "r", "1")))
	}
	_, _, err := d.For("finished").Answer(ctx, "r", survey.Operation{ID: "a"}, "one", 1)
	must(t, err)
	_, _, err = d.For("finished").Submit(ctx, "r")
	must(t, err, errorOf(d.For("declined").Decline(ctx, "r")), errorOf(d.For("withdrawn").Withdraw(ctx, "r")),
		d.System().SetUnreachable(ctx, "r", "unreachable", true), errorOf(d.For("quiet").SetRemindersOff(ctx, "r", true)),
		d.System().Reminded(ctx, survey.Delivery{Round: "r", Person: "reminded"}, "2027-01-11"))
	closes, workshop := survey.ClosesSoon.On("2027-01-11"), survey.WorkshopSoon.On("2027-01-11")
	owe := func(kinds ...survey.MessageKind) []string {
		t.Helper()
		var all []survey.Moment
		for _, k := range kinds {
			all = append(all, survey.Moment{Kind: k, At: d.now})
		}
		n, err := d.System().EnqueueReminders(ctx, r, map[string][]survey.Moment{r.TimeZone: all})
		must(t, err)
		got := d.taken(t)
		if n != len(got) {
			t.Errorf("%d counted, %d owed", n, len(got))
		}
		return got
	}
	same(t, owe(closes), []string{"closes@2027-01-11 invited", "closes@2027-01-11 started"})
	same(t, owe(workshop), []string{"workshop@2027-01-11 finished", "workshop@2027-01-11 invited", "workshop@2027-01-11 started"})
	same(t, owe(closes, workshop), []string{"closes@2027-01-11 invited", "closes@2027-01-11 started", "workshop@2027-01-11 finished"})
	same(t, owe(survey.ClosesSoon.On("2027-01-12")), []string{"closes@2027-01-12 invited", "closes@2027-01-12 reminded", "closes@2027-01-12 started"})
	_, n, err := d.As(ana).Remind(ctx, "r")
	must(t, err)
	if got := d.taken(t); n != 2 || len(got) != 2 || got[1] != "nudge@2027-01-04 started" { // who was reminded since gets no second one
		t.Errorf("by hand: %d, %v", n, got)
	}
	counts, err := d.As(ana).CountRecipients(ctx, "r", survey.ClosesSoon, survey.WorkshopSoon)
	if err != nil || counts[survey.ClosesSoon] != 3 || counts[survey.WorkshopSoon] != 4 {
		t.Errorf("awaiting: %v, %v", counts, err)
	}
	if _, err := d.As(ben).CountRecipients(ctx, "r", survey.ClosesSoon); !errors.Is(err, survey.ErrNotCoordinator) {
		t.Errorf("a stranger: %v", err)
	}
	// Checked again when it is sent.
	for p, want := range map[survey.PersonID]bool{"invited": true, "finished": false, "reminded": false, "quiet": false, "unreachable": false} {
		if _, got, err := d.System().StillWanted(ctx, survey.Delivery{Round: "r", Person: p, Kind: closes}); err != nil || got != want {
			t.Errorf("%s: %v, %v", p, got, err)
		}
	}
	d.now = r.ClosesAt
	if _, got, _ := d.System().StillWanted(ctx, survey.Delivery{Round: "r", Person: "invited", Kind: closes}); got {
		t.Error("awaited after the closing time")
	}
}

// TestRemindersByZone: each person by the zone that is known of them, else the round's.
func TestRemindersByZone(t *testing.T) {
	d := newDesk(t)
	r := d.asked(t, "here", "there", "nowhere")
	for p, zone := range map[survey.PersonID]string{"there": "Asia/Tokyo", "nowhere": "No/Such"} {
		seat, err := d.For(p).Start(t.Context(), "r", "1")
		must(t, err, errorOf(d.For(seat.Member.Person).SetTimeZone(t.Context(), seat, zone)))
	}
	must(t, errorOf(d.For(d.seat(t, "here").Member.Person).SetTimeZone(t.Context(), d.seat(t, "here"), "Asia/Tokyo"))) // has not started: no part of the round's business
	_, zones, err := d.System().Planned(t.Context(), r)
	must(t, err)
	slices.Sort(zones)
	same(t, zones, []string{"Asia/Tokyo", "Europe/London"})
	due := map[string][]survey.Moment{"Asia/Tokyo": {{Kind: survey.ClosesSoon.On("2027-01-11"), At: d.now}}}
	must(t, errorOf(d.System().EnqueueReminders(t.Context(), r, due)))
	same(t, d.taken(t), []string{"closes@2027-01-11 there"})
	if got := d.seat(t, "there"); got.Round.ZoneOf(got.Member).String() != "Asia/Tokyo" || got.Round.ZoneOf(survey.Member{TimeZone: "x"}).String() != r.TimeZone {
		t.Error("zones are mistaken")
	}
}

// TestManyAreOwedInPages: thousands are owed a reminder each, and doing it again after half of it
// has gone gives nobody two.
func TestManyAreOwedInPages(t *testing.T) {
	d := newDesk(t)
	var people []survey.PersonID
	for i := range 1700 {
		people = append(people, survey.PersonID(fmt.Sprint("p", i)))
	}
	r := d.asked(t, people...)
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

// TestRemindLater: what a person asked for is owed to them, until they want none.
func TestRemindLater(t *testing.T) {
	d := newDesk(t)
	d.asked(t, ben, "cem")
	at := survey.Moment{Kind: survey.ClosesSoon.On("2027-01-05"), At: d.now.Add(24 * time.Hour)}
	for _, p := range []survey.PersonID{ben, "cem"} {
		seat, err := d.For(p).RemindLater(t.Context(), "r", at)
		if err != nil || seat.Member.RemindOnDate != "2027-01-05" {
			t.Fatal(seat.Member, err)
		}
	}
	must(t, errorOf(d.For("cem").SetRemindersOff(t.Context(), "r", true)))
	same(t, d.taken(t), nil)
	if m := d.seat(t, "cem").Member; m.RemindOnDate != "" || !m.RemindersOff {
		t.Errorf("%+v", m)
	}
	d.now = at.At
	if _, awaited, err := d.System().StillWanted(t.Context(), survey.Delivery{Round: "r", Person: "cem", Kind: at.Kind}); awaited || err != nil {
		t.Error(awaited, err)
	}
	must(t, d.System().Reminded(t.Context(), survey.Delivery{Round: "r", Person: ben}, "2027-01-05"))
	if m := d.seat(t, ben).Member; m.RemindOnDate != "" || m.LastRemindedDate != "2027-01-05" {
		t.Errorf("%+v", m)
	}
	if _, err := d.For("stranger").RemindLater(t.Context(), "r", at); !errors.Is(err, survey.ErrNotTakingPart) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := d.For("stranger").SetRemindersOff(t.Context(), "r", true); !errors.Is(err, survey.ErrNotTakingPart) {
		t.Errorf("a stranger: %v", err)
	}
}

// TestCloseDue: the survey closes by itself at its time and not before, as of that time however
// late it is, and once; what a coordinator closed is not closed by itself.
func TestCloseDue(t *testing.T) {
	d := newDesk(t)
	r := d.asked(t, ben)
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
	if err != nil || p.Context.Invited != 1 {
		t.Errorf("%+v, %v", p.Context, err)
	}
	if _, closed, err := d.System().CloseDue(t.Context(), "none"); closed || err != nil {
		t.Error("no such round:", closed, err)
	}

	d = newDesk(t)
	r = d.asked(t, ben)
	d.now = r.ClosesAt.Add(time.Second)
	must(t, errorOf(d.For(ben).Participation(t.Context(), "r")))
	if _, closed, err := d.As(ana).Close(t.Context(), "r"); !closed || err != nil {
		t.Fatal(closed, err)
	}
	if _, closed, err := d.System().CloseDue(t.Context(), "r"); closed || err != nil {
		t.Error("closed by a coordinator:", closed, err)
	}
}

// TestPlanIsKept: who may change it, when, and from when on it counts.
func TestPlanIsKept(t *testing.T) {
	d := newDesk(t)
	d.asked(t, ben)
	d.now = d.now.Add(time.Hour)
	change := func(p *survey.ReminderPlan, c *survey.ChannelPlan) error {
		p.Hour, c.Digest = 9, "0 9 * * 1"
		return nil
	}
	if _, err := d.As(ben).SetPlan(t.Context(), "r", change); !errors.Is(err, survey.ErrNotCoordinator) {
		t.Errorf("a stranger: %v", err)
	}
	r, err := d.As(ana).SetPlan(t.Context(), "r", change)
	if err != nil || r.Reminders.Hour != 9 || r.Posts.Digest != "0 9 * * 1" || !r.PlannedAt.Equal(d.now) {
		t.Fatalf("%+v, %v", r, err)
	}
	since := d.now
	d.now = d.now.Add(time.Hour)
	// What the channel gets does not touch what people are owed; the same again changes nothing.
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
	if got := d.seat(t, ben).Round; got.LastDigest == nil || got.LastDigest.Finished != 1 || got.Reminders.Hour != 9 {
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

// TestEachRoundThatHasSomethingAhead: open ones, and closed ones before their workshop.
func TestEachRoundThatHasSomethingAhead(t *testing.T) {
	d := newDesk(t)
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

// TestWorkshopIsPutOff: after the close as well, and what is due is planned from then on; nothing
// else of a closed round changes.
func TestWorkshopIsPutOff(t *testing.T) {
	d := newDesk(t)
	d.asked(t, ben)
	d.now = d.now.Add(time.Hour)
	_, _, err := d.As(ana).Close(t.Context(), "r")
	must(t, err)
	closed := d.seat(t, ben).Round
	d.now = d.now.Add(time.Hour)
	var refused *survey.InputError
	if _, err := d.As(ana).SetWorkshop(t.Context(), "r", survey.Workshop{At: closed.ClosedAt.Add(-time.Minute)}); !errors.As(err, &refused) || refused.Reason != "early" {
		t.Errorf("before the close: %v", err)
	}
	if _, err := d.As(ben).SetWorkshop(t.Context(), "r", survey.Workshop{}); !errors.Is(err, survey.ErrNotCoordinator) {
		t.Errorf("a stranger: %v", err)
	}
	// Before the time at which it would have closed by itself.
	want := closed
	want.Workshop, want.PlannedAt, want.Version = survey.Workshop{At: closed.ClosedAt.Add(2 * time.Hour), Place: "Library"}, d.now, closed.Version+1
	got, err := d.As(ana).SetWorkshop(t.Context(), "r", want.Workshop)
	must(t, err)
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(d.seat(t, ben).Round.Workshop, want.Workshop) {
		t.Errorf("%+v, not %+v", got, want)
	}
}
