package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/reminders"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// recorder is a platform that records what it is sent, and answers as the test says.
type recorder struct {
	noMessenger
	answer error

	mu    sync.Mutex
	sent  []string // the person, or "post", and the first heading
	tried int
}

func (r *recorder) keep(whom string, card chat.Card) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tried++
	if r.answer != nil {
		return r.answer
	}
	for _, b := range card.Blocks {
		if h, ok := b.(chat.Heading); ok {
			r.sent = append(r.sent, whom+" "+h.Text)
			break
		}
	}
	return nil
}

func (r *recorder) Send(_ context.Context, _ string, to chat.Person, card chat.Card) error {
	return r.keep(to.ID, card)
}

func (r *recorder) Post(_ context.Context, _ string, _ chat.Place, card chat.Card, _ []chat.File) error {
	return r.keep("post", card)
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := r.sent
	r.sent = nil
	slices.Sort(sent)
	return sent
}

// season is a bot with a clock to turn, on a platform that keeps what it is sent.
type season struct {
	*embeddedBot
	platform *recorder
	now      time.Time
	log      bytes.Buffer

	mu   sync.Mutex
	came map[string]int // "kind outcome" -> of how many messages
	late []string       // "kind outcome lateness" of each
}

func newSeason(t *testing.T, matrices matrix.List, r survey.Round) *season {
	t.Helper()
	s := &season{platform: &recorder{}, now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), came: map[string]int{}}
	var err error
	s.embeddedBot, err = buildForTest(matrices, s.platform, func() time.Time { return s.now },
		slog.New(slog.NewTextHandler(&s.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s.bot.Delivered = func(came bot.Delivered) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.came[string(came.Kind)+" "+string(came.Outcome)]++
		s.late = append(s.late, fmt.Sprintf("%s %s %v", came.Kind, came.Outcome, came.Late))
	}
	t.Cleanup(func() {
		if err := s.store.Close(); err != nil {
			t.Error(err)
		}
	})
	lead := survey.PersonID(tryPerson("ana").String())
	r.ID, r.Matrix, r.TimeZone, r.ClosesAt = "abcdefgh23", matrices[0].ID, "Europe/London", time.Date(2026, 12, 11, 17, 0, 0, 0, time.UTC)
	r.Channel, r.Coordinators = chat.Place{Platform: tryPlatform, Channel: "#c"}.String(), []survey.PersonID{lead}
	r.MinGroup, r.Consensus = 5, results.Consensus{Percent: 70}
	if _, err := s.rounds.AsCreator(lead).Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.rounds.As(lead).Open(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *season) invite(t *testing.T, names ...string) {
	t.Helper()
	for _, n := range names {
		p := survey.PersonID(tryPerson(n).String())
		if _, _, err := s.rounds.As(survey.PersonID(tryPerson("ana").String())).Invite(t.Context(), "abcdefgh23", []survey.Member{{Person: p}}); err != nil {
			t.Fatal(err)
		}
	}
}

// answer has enough people answer and submit that there are results to show.
func (s *season) answer(t *testing.T) {
	t.Helper()
	for _, p := range answerAll(t, s.embeddedBot, "abcdefgh23") {
		if _, _, err := s.rounds.For(p).Submit(t.Context(), "abcdefgh23"); err != nil {
			t.Fatal(err)
		}
	}
}

// at lets time go by until then, as it would, and returns what was sent meanwhile.
func (s *season) at(t *testing.T, then string) []string {
	t.Helper()
	end, err := time.ParseInLocation("2006-01-02 15:04", then, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&s.log, nil))
	planner := reminders.NewPlanner(s.rounds.System(), defaultSchedule(), func() time.Time { return s.now }, log)
	loop := reminders.NewLoop(s.rounds.System(), s.bot, log)
	step := func() {
		if err := planner.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		loop.Sweep(t.Context())
	}
	for step(); ; step() {
		next, ok, err := planner.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !ok || next.After(end) {
			s.now = end
			step()
			return s.platform.take()
		}
		s.now = next
	}
}

// TestEveryMessageFits: everything that is sent by itself fits both platforms, with texts of every limit's length, in either language.
func TestEveryMessageFits(t *testing.T) {
	t.Parallel()
	for _, languages := range [][]matrix.Lang{{"en", "cy"}, {"cy", "en"}} {
		t.Run(string(languages[0]), func(t *testing.T) {
			t.Parallel()
			s := newSeason(t, matrix.List{widest(t)}, survey.Round{
				Area: strings.Repeat("Ŵ", survey.MaxAreaRunes), Languages: languages,
				Workshop:  survey.Workshop{At: time.Date(2026, 12, 18, 14, 0, 0, 0, time.UTC), Place: strings.Repeat("Ŷ", survey.MaxPlaceRunes)},
				Reminders: survey.DefaultReminders(), Posts: survey.DefaultPosts(),
			})
			s.answer(t)
			s.invite(t, "ben", "cem")
			if _, err := s.rounds.For(survey.PersonID(tryPerson("ben").String())).Start(t.Context(), "abcdefgh23"); err != nil {
				t.Fatal(err)
			}
			all := s.at(t, "2026-12-03 12:00")
			if err := s.rounds.System().Plan(t.Context(), "abcdefgh23", survey.OpenCall.On("2026-12-03")); err != nil {
				t.Fatal(err)
			}
			all = append(all, s.at(t, "2026-12-19 12:00")...)
			// Cem's invitation, since Ben has started; three reminders of each; two of the workshop each, also of the five who have finished; 14 digests, last day, results,
			// table, workshop eve, call.
			if want := 1 + 6 + 4 + 10 + 14 + 5; len(all) != want {
				t.Errorf("%d messages, want %d:\n%s", len(all), want, strings.Join(all, "\n"))
			}
			if log := s.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(strings.Join(all, ""), "⟦") {
				t.Errorf("the log says:\n%s", log)
			}
		})
	}
}

// TestReminderOutcomes: what the platform answers decides whether it is tried again.
func TestReminderOutcomes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		answer      error
		later       int  // messages when the platform is well again, a minute later
		unreachable bool // noted
		call        bool // the channel is asked
		outcome     bot.Outcome
	}{
		{name: "refused for now", answer: errors.New("busy"), later: 1, outcome: bot.Failed},
		{name: "may have been sent", answer: chat.ErrUnsure, outcome: bot.Unsure},
		{name: "cannot be reached", answer: fmt.Errorf("no: %w", chat.ErrUnreachable), unreachable: true, outcome: bot.Unreachable},
		{name: "has not agreed", answer: chat.ErrNoConsent, call: true, outcome: bot.NoConsent},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSeason(t, editions(), survey.Round{Area: "Northshire", Languages: []matrix.Lang{"en"}, Reminders: survey.DefaultReminders(), Posts: survey.ChannelPlan{Disabled: survey.OptionalPosts}})
			s.invite(t, "ben")
			if got := s.at(t, "2026-12-04 09:59"); len(got) != 1 {
				t.Fatal(got)
			}
			s.platform.answer = c.answer
			if got := s.at(t, "2026-12-04 10:00"); len(got) != 0 {
				t.Error(got)
			}
			want := map[string]int{"invitation sent": 1, string(survey.ClosesSoon) + " " + string(c.outcome): 1}
			if c.call {
				want[string(survey.OpenCall)+" failed"] = 1 // this platform takes nothing just now
			}
			if !maps.Equal(s.came, want) {
				t.Errorf("counted %v, not %v", s.came, want)
			}
			s.platform.answer = nil
			got := s.at(t, "2026-12-04 10:02")
			call := slices.ContainsFunc(got, func(m string) bool { return strings.HasPrefix(m, "post ") })
			if call != c.call || !call && len(got) != c.later {
				t.Errorf("later: %v", got)
			}
			seat, err := s.rounds.For(survey.PersonID(tryPerson("ben").String())).Participation(t.Context(), "abcdefgh23")
			if err != nil || seat.Member.Unreachable != c.unreachable {
				t.Errorf("%+v, %v", seat.Member, err)
			}
			if got := s.at(t, "2026-12-08 10:00"); (len(got) == 0) != c.unreachable {
				t.Errorf("the next one: %v", got)
			}
		})
	}
}

// TestMessageLateness: it counts from when a message was first to be sent, by the plan, whatever was tried since.
func TestMessageLateness(t *testing.T) {
	t.Parallel()
	s := newSeason(t, editions(), survey.Round{Area: "Northshire", Languages: []matrix.Lang{"en"}, Reminders: survey.DefaultReminders(), Posts: survey.DefaultPosts()})
	s.answer(t)
	s.invite(t, "ben")
	s.at(t, "2026-12-09 12:00")
	s.late = nil
	s.platform.answer = errors.New("away")
	s.at(t, "2026-12-10 10:00")
	s.platform.answer = nil
	s.at(t, "2026-12-10 11:30")
	s.at(t, "2026-12-11 17:00")
	var sent []string
	for _, l := range s.late {
		if !strings.Contains(l, " failed ") {
			sent = append(sent, l)
		}
	}
	slices.Sort(sent)
	want := []string{"close closed 0s", "closes sent 1h30m0s", "digest sent 0s", "digest sent 2h30m0s", "last sent 1h30m0s", "results sent 0s", "table sent 0s"}
	if !slices.Equal(sent, want) {
		t.Errorf("got  %q\nwant %q", sent, want)
	}
	s.late = nil
	if err := s.bot.Deliver(t.Context(), survey.Delivery{Round: "abcdefgh23", Kind: survey.OpenCall.On("2026-12-11")}); err != nil || !slices.Equal(s.late, []string{"call dropped -1ns"}) {
		t.Errorf("not known: %q, %v", s.late, err)
	}
	for kind, want := range map[survey.MessageKind]string{survey.Closing: "close dropped", survey.NudgesSent: "nudged done"} {
		s.late = nil
		if err := s.bot.Deliver(t.Context(), survey.Delivery{Round: "norounds23", Kind: kind.On("2026-12-11")}); err != nil || !strings.HasPrefix(s.late[0], want+" ") {
			t.Errorf("%s of a round that is gone: %q, %v", kind, s.late, err)
		}
	}
}

// TestPostOutcomes checks the same for the coordinator's channel. Results that may have been posted are followed by
// their table. If results cannot be posted, the coordinators get a message.
func TestPostOutcomes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer error
		later  []string // beginnings of what is posted when the platform is well again
		log    string
		came   bot.Outcome
	}{
		{"refused for now", errors.New("busy"), []string{"post Results", "post Table and files"}, "", bot.Failed},
		{"may have been sent", chat.ErrUnsure, []string{"post Table and files"}, "post may not have been sent", bot.Unsure},
		{"cannot be reached", fmt.Errorf("no: %w", chat.ErrUnreachable), []string{"ana Northshire: I could not post the results"}, "the coordinator's channel cannot be reached", bot.Unreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSeason(t, editions(), survey.Round{Area: "Northshire", Languages: []matrix.Lang{"en"}, Posts: survey.DefaultPosts()})
			s.answer(t)
			s.at(t, "2026-12-11 16:59")
			s.platform.answer = errors.New("away")
			s.at(t, "2026-12-11 17:00")
			s.platform.answer = c.answer
			clear(s.came)
			err := s.bot.Deliver(t.Context(), survey.Delivery{Round: "abcdefgh23", Kind: survey.ResultsPost})
			if want := map[string]int{string(survey.ResultsPost) + " " + string(c.came): 1}; !maps.Equal(s.came, want) {
				t.Errorf("counted %v, not %v", s.came, want)
			}
			if again := len(c.later) == 2; (err != nil) != again {
				t.Errorf("tried again: %v", err)
			} else if !again {
				if err := s.rounds.System().Ack(t.Context(), survey.Delivery{Round: "abcdefgh23", Kind: survey.ResultsPost}); err != nil {
					t.Fatal(err)
				}
			}
			s.platform.answer = nil
			got := s.at(t, "2026-12-11 17:02")
			if !slices.EqualFunc(got, c.later, strings.HasPrefix) {
				t.Errorf("later: %v", got)
			}
			if err == nil && !strings.Contains(s.log.String(), c.log) {
				t.Errorf("the log says:\n%s", s.log.String())
			}
		})
	}
}

// TestReasonsAreSentences checks that a coordinator reads why a cron expression was refused.
func TestReasonsAreSentences(t *testing.T) {
	s := newSeason(t, editions(), survey.Round{Area: "Northshire", Languages: []matrix.Lang{"en"}})
	for _, lang := range []string{"en", "cy"} {
		for _, field := range []string{"spec", "digest"} {
			for _, reason := range reminders.Reasons {
				if field == "digest" && reason == reminders.Weekend {
					continue
				}
				for _, part := range []string{"", "_minute", "_hour", "_day", "_month", "_weekday"} {
					key := "input." + field + "." + string(reason) + part
					if part != "" && reason != reminders.Malformed {
						continue
					}
					if said := s.words.In(lang).Say(key); strings.Contains(said, "⟦") {
						t.Errorf("%s: nothing is said for %s", lang, key)
					}
				}
			}
		}
		for _, kind := range survey.OptionalPosts {
			if said := s.words.In(lang).Say("posts.name_" + string(kind)); strings.Contains(said, "⟦") || len([]rune(said)) > chat.MaxOption {
				t.Errorf("%s: %s is named %q", lang, kind, said)
			}
		}
	}
}

// TestForgetClosedRound: what stops the bot between closing and posting does not lose the results.
func TestForgetClosedRound(t *testing.T) {
	t.Parallel()
	s := newSeason(t, editions(), survey.Round{Area: "Northshire", Languages: []matrix.Lang{"en"}, Posts: survey.DefaultPosts()})
	s.answer(t)
	s.at(t, "2026-12-11 16:59")
	s.platform.answer = errors.New("away")
	s.at(t, "2026-12-11 17:00")
	if seat, err := s.rounds.For("").Participation(t.Context(), "abcdefgh23"); err != nil || seat.Round.State != survey.Closed {
		t.Errorf("%v, %v", seat.Round.State, err)
	}
	s.platform.answer = nil
	// A process died after closing, before it noted what follows: the closing is handed out again.
	if err := s.bot.Deliver(t.Context(), survey.Delivery{Round: "abcdefgh23", Kind: survey.Closing.On("1")}); err != nil {
		t.Error(err)
	}
	if got := s.at(t, "2026-12-11 17:02"); len(got) != 2 || !strings.HasPrefix(got[0], "post Results") || !strings.HasPrefix(got[1], "post Table and files") {
		t.Errorf("posted %v", got)
	}
}

// TestReminderRecheckedBeforeSending checks that a reminder which was delayed is not sent once it is not wanted any
// more.
func TestReminderRecheckedBeforeSending(t *testing.T) {
	t.Parallel()
	lead, ben := survey.PersonID(tryPerson("ana").String()), survey.PersonID(tryPerson("ben").String())
	for name, change := range map[string]func(*testing.T, *season) error{
		"paused": func(t *testing.T, s *season) error {
			_, err := s.rounds.As(lead).SetPlan(t.Context(), "abcdefgh23", func(p *survey.ReminderPlan, _ *survey.ChannelPlan) error {
				p.Paused = true
				return nil
			})
			return err
		},
		"moved": func(t *testing.T, s *season) error {
			_, _, err := s.rounds.As(lead).Extend(t.Context(), "abcdefgh23", s.now.AddDate(0, 0, 30))
			return err
		},
		"closed": func(t *testing.T, s *season) error {
			_, _, err := s.rounds.As(lead).Close(t.Context(), "abcdefgh23")
			return err
		},
		"no more reminders": func(t *testing.T, s *season) error {
			_, err := s.rounds.For(ben).SetRemindersOff(t.Context(), "abcdefgh23", true)
			return err
		},
		"declined": func(t *testing.T, s *season) error {
			_, err := s.rounds.For(ben).Decline(t.Context(), "abcdefgh23")
			return err
		},
		"withdrawn": func(t *testing.T, s *season) error {
			_, err := s.rounds.For(ben).Withdraw(t.Context(), "abcdefgh23")
			return err
		},
		"too late": func(t *testing.T, s *season) error {
			s.platform.answer = errors.New("still away")
			s.at(t, "2026-12-07 18:00")
			s.platform.answer = nil
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSeason(t, editions(), survey.Round{Area: "Northshire", Languages: []matrix.Lang{"en"}, Reminders: survey.DefaultReminders(), Posts: survey.ChannelPlan{Disabled: survey.OptionalPosts}})
			s.invite(t, "ben")
			s.at(t, "2026-12-04 09:59")
			s.platform.answer = errors.New("away")
			if s.at(t, "2026-12-04 10:00"); s.platform.tried != 2 {
				t.Errorf("tried %d times, with the invitation", s.platform.tried)
			}
			s.platform.answer = nil
			if err := change(t, s); err != nil {
				t.Fatal(err)
			}
			end := s.now.Add(2 * time.Minute).Format("2006-01-02 15:04")
			if got := s.at(t, end); len(got) != 0 {
				t.Errorf("sent %v", got)
			}
		})
	}
}
