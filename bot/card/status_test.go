package card

import (
	"strings"
	"testing"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/survey"
)

// The label of a round's button fits the platforms in every month, and tells the day and as much of
// the area as there is room for.
func TestRoundChoice(t *testing.T) {
	f := setUp(t)
	for _, lang := range []string{"en", "cy"} {
		v := f.words.In(lang)
		for month := time.January; month <= time.December; month++ {
			r := survey.Round{
				ID: "abcdefghij", State: survey.Open, TimeZone: "Europe/London",
				Area:     "Bournemouth, Christchurch and Poole, and " + strings.Repeat("ŵ", 19),
				ClosesAt: time.Date(2026, month, 28, 17, 0, 0, 0, time.UTC),
			}
			offer := roundChoice(v, r, r.ClosesAt.Add(-time.Hour), chat.NewAction("status"))
			if err := Of(Row(offer.Button)).Check(); err != nil {
				t.Errorf("%s: %q: %v", lang, offer.Button.Label, err)
			}
			day, area, _ := strings.Cut(offer.Button.Label, ", ")
			if day != v.ShortDay(r.ClosesAt) || !strings.HasPrefix(area, "Bournemouth") {
				t.Errorf("%s: the label %q does not tell day and area", lang, offer.Button.Label)
			}
			if offer.Title != r.Area {
				t.Errorf("%s: beside the button stands %q, want the whole area", lang, offer.Title)
			}
		}
	}
}

// progress returns the progress of a round in which one of two people has finished.
func (f fixture) progress() survey.Progress {
	s := survey.Progress{Round: f.part.Round, Waiting: []survey.PersonID{"slack:T1:U1"}}
	s.Invited, s.Started, s.Finished = 2, 1, 1
	return s
}

func TestStatusOffersNothingTooLate(t *testing.T) {
	f := setUp(t)
	v, s := f.words.In("en"), f.progress()
	remind := "[" + v.Say("button.remind") + "]"
	for after, want := range map[time.Duration]bool{-time.Hour: true, time.Hour: false} {
		c := Status(v, f.m, s, nil, s.Round.ClosesAt.Add(after))
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(c.String(), remind); got != want {
			t.Errorf("%v after the close: the card offers a reminder: %v\n%s", after, got, c)
		}
	}
	s.Round.State, s.Round.OpenedAt = survey.Closed, s.Round.ClosesAt.AddDate(0, 0, -14)
	c := Status(v, f.m, s, nil, s.Round.ClosesAt)
	if !strings.Contains(c.String(), "["+v.Say("button.results")+"]") {
		t.Errorf("a closed round without results:\n%s", c)
	}
}

func TestPlanCountsWhatItDoesNotList(t *testing.T) {
	f := setUp(t)
	v, r := f.words.In("en"), f.part.Round
	var ahead []survey.Moment
	for i := range maxMoments + 2 {
		at := r.ClosesAt.AddDate(0, 0, -i)
		ahead = append(ahead, survey.Moment{At: at, Kind: survey.ClosesSoon.On(at.String())})
	}
	now := r.ClosesAt.Add(-time.Hour)
	got := Plan(v, r, map[survey.MessageKind]int{survey.ClosesSoon: 3}, ahead, nil, now).String()
	if n := strings.Count(got, "\n• "); n != maxMoments {
		t.Errorf("the card lists %d moments, want %d:\n%s", n, maxMoments, got)
	}
	for _, want := range []string{v.Count("status.more", 2), v.Say("reminders.none_ahead")} {
		if !strings.Contains(got, want) {
			t.Errorf("the card does not say %q:\n%s", want, got)
		}
	}
}

func TestAskToClose(t *testing.T) {
	f := setUp(t)
	v, s := f.words.In("en"), f.progress()
	to := chat.Place{Platform: "slack", Workspace: "T1", Channel: "C1"}
	for verb, why := range map[string]*chat.CannotPostError{
		"closenow": nil, "closeonly": {Reason: chat.Archived},
	} {
		c := AskToClose(v, s, to, why, s.Round.ClosesAt.Add(-time.Hour))
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		row := c.Blocks[len(c.Blocks)-1].(chat.Buttons)
		if got := row.Buttons[0].Action.Verb; got != verb || row.Buttons[0].Confirm == nil {
			t.Errorf("%v: the button asks for %s, want %s with a question", why, got, verb)
		}
	}
}

// Cards for those who are not in the survey yet are in each of the round's languages.
func TestInvitationsInEachLanguage(t *testing.T) {
	f := setUp(t)
	r := f.part.Round
	r.Coordinators = []survey.PersonID{"slack:T1:U1"}
	f.part.Member.Language = ""
	f.part.Round = r
	for name, c := range map[string]chat.Card{
		"invitation": Invitation(f.words, r, f.m),
		"reminder":   InvitationReminder(f.words, f.part, f.m),
		"join":       JoinPost(f.words, r, f.m),
		"call":       OpenCall(f.words, r),
	} {
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, lang := range []string{"en", "cy"} {
			title := f.words.In(lang).Say("invitation.title", "area", r.Area)
			if !strings.Contains(c.String(), title) {
				t.Errorf("%s: not in %s:\n%s", name, lang, c)
			}
		}
	}
}

func TestHomeShowsStateOfRounds(t *testing.T) {
	f := setUp(t)
	v, r := f.words.In("en"), f.part.Round
	now := r.ClosesAt.Add(-time.Hour)
	for status, key := range map[survey.Status]string{
		survey.Invited: "button.start", survey.Started: "button.continue",
		survey.Finished: "button.change",
	} {
		f.part.Member.Status = status
		c := Of(OwnRound(v, f.part, "3 of 17", now)...)
		if !strings.Contains(c.String(), "["+v.Say(key)+"]") {
			t.Errorf("%v: no button %s:\n%s", status, key, c)
		}
	}
	draft := r
	draft.State = survey.Draft
	if c := Of(CoordinatedRound(v, draft, survey.Progress{}, now)...); !strings.Contains(
		c.String(), v.Say("draft.waiting"),
	) {
		t.Errorf("a draft:\n%s", c)
	}
	if err := Draft(v, draft, nil).Check(); err != nil {
		t.Errorf("a draft without its matrix: %v", err)
	}
}
