package survey_test

import (
	"testing"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
)

// setNotice stores another version of the notice with the round, as another release would have.
func (d *testRounds) setNotice(t *testing.T, version string) survey.Round {
	t.Helper()
	r, err := d.store.Round(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	r.Notice = version
	if err := d.store.SaveRound(t.Context(), r, audit.Entry{}); err != nil {
		t.Fatal(err)
	}
	if r, err = d.store.Round(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	return r
}

// accept lets ben take part, and returns the version of the notice that he accepted.
func (d *testRounds) accept(t *testing.T) string {
	t.Helper()
	d.takePart(t, ben, "parent")
	part, err := d.For(ben).Participation(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	return part.Member.Notice
}

// A round keeps the notice that it was opened with, and its participants accept that one.
func TestRoundKeepsItsNotice(t *testing.T) {
	d := newTestRounds(t)
	r := d.open(t)
	if r.Notice != survey.NoticeVersion || r.NoticeVersion() != r.Notice || !r.NoticeNamesPanel() {
		t.Errorf("opened with notice %q", r.Notice)
	}
	if got := d.accept(t); got != survey.NoticeVersion {
		t.Errorf("accepted %q", got)
	}
}

// TestFormerNoticeStaysAsItWas: what a later version adds is not said in a round that was opened
// before it.
func TestFormerNoticeStaysAsItWas(t *testing.T) {
	for version, want := range map[string][2]bool{ // names the panel, states the limits
		"":                   {false, false},
		"2026-11.4":          {true, false},
		survey.NoticeVersion: {true, true},
	} {
		r := survey.Round{State: survey.Open, Notice: version}
		if got := [2]bool{r.NoticeNamesPanel(), r.NoticeStatesLimits()}; got != want {
			t.Errorf("%q: %v, want %v", version, got, want)
		}
	}
}

// A round that was opened before rounds kept the version has the notice that does not name the
// panel, whatever was done with it since.
func TestRoundWithoutNoticeVersion(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	r := d.setNotice(t, "")
	if r.NoticeVersion() != "2026-11.3" || r.NoticeNamesPanel() {
		t.Errorf("it has notice %q, which names the panel: %v", r.NoticeVersion(), r.NoticeNamesPanel())
	}
	if got := d.accept(t); got != "2026-11.3" {
		t.Errorf("accepted %q", got)
	}
	r, _, err := d.As(ana).Extend(t.Context(), "r", r.ClosesAt.Add(time.Hour))
	if err != nil || r.NoticeNamesPanel() {
		t.Errorf("extended: notice %q, %v", r.NoticeVersion(), err)
	}
}

// TestNewNoticeVersion: the version and the time of the last acceptance are saved. A person who has
// finished stays finished.
func TestNewNoticeVersion(t *testing.T) {
	d := newTestRounds(t)
	d.open(t)
	d.takePart(t, ben, "parent")
	op := survey.Operation{ID: "op"}
	if _, _, err := d.For(ben).Answer(t.Context(), "r", op, "one", 2); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.For(ben).Submit(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	d.setNotice(t, "2")
	d.now = d.now.Add(time.Hour)
	part, err := d.For(ben).Start(t.Context(), "r")
	m := part.Member
	if err != nil || m.Notice != "2" || !m.NoticeAt.Equal(d.now) || m.Status != survey.Finished {
		t.Errorf("%+v, %v", m, err)
	}
}
