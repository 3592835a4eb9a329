// Package storetest says what a survey.Store must do, one function a law. It knows the interface only, and
// is imported by tests only.
package storetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// Run tries every law on the stores that fresh returns. Each law uses rounds, people and channels of its own,
// so they may all be given the same store, and run side by side; but a store that has the method
// SetTime(time.Time), by which it expires things, must be a new one each time. For others the laws of expiry
// wait three seconds.
func Run(t *testing.T, fresh func(t *testing.T) survey.Store) {
	alone(t, fresh)
	for _, law := range []struct {
		name string
		hold func(*world)
	}{
		{"round-whole", roundWhole},
		{"create-twice", createTwice},
		{"missing-round", missingRound},
		{"stale-save", staleSave},
		{"save-replayed", saveReplayed},
		{"save-never-closes", saveNeverCloses},
		{"rounds-in", roundsIn},
		{"every-round", everyRound},
		{"zones", zones},
		{"scan-pages", scanPages},
		{"rounds-of", roundsOf},
		{"invite-once", inviteOnce},
		{"invite-same-twice-in-one", inviteSameTwiceInOne},
		{"member-whole", memberWhole},
		{"stranger", stranger},
		{"change-from-stale-seat", changeFromStaleSeat},
		{"change-refused", changeRefused},
		{"change-crowd", changeCrowd},
		{"unreachable", unreachable},
		{"role-group-follows-role", roleGroupFollowsRole},
		{"roster-pages", rosterPages},
		{"answer", answer},
		{"answer-twice", answerTwice},
		{"answer-replayed-after-newer", answerReplayedAfterNewer},
		{"one-gesture-many-elements", oneGestureManyElements},
		{"take-back", takeBack},
		{"detail", detail},
		{"detail-replayed-after-newer", detailReplayedAfterNewer},
		{"free-text-survives", freeTextSurvives},
		{"odd-element", oddElement},
		{"not-taking-part", notTakingPart},
		{"draft-refuses", draftRefuses},
		{"late-refuses", lateRefuses},
		{"closed-refuses", closedRefuses},
		{"seat-from-before-the-close", seatFromBeforeTheClose},
		{"close-twice", closeTwice},
		{"close-destroys-secret", closeDestroysSecret},
		{"close-due-unless-moved", closeDueUnlessMoved},
		{"seal-forgets", sealForgets},
		{"withdraw-erases", withdrawErases},
		{"withdraw-and-return", withdrawAndReturn},
		{"forget-open", forgetOpen},
		{"forget-closed", forgetClosed},
		{"forget-in-the-middle", forgetInTheMiddle},
		{"responses-pages", responsesPages},
		{"responses-unlinkable-order", responsesUnlinkableOrder},
		{"crowd", crowd},
		{"late-gesture", lateGesture},
		{"too-soon", tooSoon},
		{"current", current},
		{"expires", expires},
		{"extend-moves-expiry", extendMovesExpiry},
		{"record-whole", recordWhole},
		{"record-with-each-change", recordWithEachChange},
		{"record-of-nothing", recordOfNothing},
		{"record-crowd", recordCrowd},
	} {
		t.Run(law.name, func(t *testing.T) {
			t.Parallel() // they begin when this function has returned
			law.hold(&world{T: t, store: fresh(t), name: strings.ToLower(rand.Text()[:10])})
		})
	}
}

// alone are the laws of what is owed: it is handed out whichever round it is of, so these are tried one after another.
func alone(t *testing.T, fresh func(t *testing.T) survey.Store) {
	for _, law := range []struct {
		name string
		hold func(*world)
	}{
		{"owed-once", owedOnce},
		{"taken-once", takenOnce},
		{"lease-ends", leaseEnds},
		{"postponed", postponed},
		{"large-round-holds-up-none", largeRoundHoldsUpNone},
		{"long-row-holds-up-none", longRowHoldsUpNone},
		{"planned-once", plannedOnce},
		{"plan-what-is-due", planWhatIsDue},
		{"plan-what-has-changed", planWhatHasChanged},
		{"plan-all", planAll},
	} {
		t.Run(law.name, func(t *testing.T) {
			law.hold(&world{T: t, store: fresh(t), name: strings.ToLower(rand.Text()[:10])})
		})
	}
}

// world is where a law is tried: a store, and the time.
type world struct {
	*testing.T
	store  survey.Store
	name   string // makes ids of this law's own
	rounds int
}

// now is the time of day in every law but those of expiry; open rounds close ten days later.
var now = time.Now().UTC().Truncate(time.Second)

func (w *world) person(name string) survey.PersonID {
	return survey.PersonID("test:" + w.name + ":" + name)
}

func (w *world) channel() string { return "channel-" + w.name }

// draft returns a round that is not kept yet.
func (w *world) draft() survey.Round {
	w.rounds++
	return survey.Round{
		ID: survey.RoundID(fmt.Sprintf("%s%d", w.name, w.rounds)), State: survey.Draft, Area: "Ashford", Matrix: "england",
		Languages: []matrix.Lang{matrix.English}, TimeZone: survey.DefaultTimeZone, ClosesAt: now.Add(10 * 24 * time.Hour),
		Channel: w.channel(), Coordinators: []survey.PersonID{w.person("cora")}, MinGroup: results.DefaultMinGroup,
		Consensus: results.Consensus{Percent: results.DefaultAgreedPercent},
	}
}

// open keeps an open round.
func (w *world) open() survey.Round {
	w.Helper()
	r := w.draft()
	r.State, r.OpenedAt = survey.Open, now
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	return r
}

// invite puts people into the roster.
func (w *world) invite(id survey.RoundID, names ...string) {
	w.Helper()
	var people []survey.Member
	for _, n := range names {
		people = append(people, survey.Member{Person: w.person(n), Status: survey.Invited})
	}
	_, err := w.store.Invite(w.Context(), id, people, survey.Invitation, time.Now(), nil)
	w.must(err)
}

func (w *world) seat(id survey.RoundID, name string) survey.Participation {
	w.Helper()
	s, err := w.store.Participation(w.Context(), id, w.person(name))
	w.must(err)
	return s
}

// start makes somebody take part, invited before or not.
func (w *world) start(r survey.Round, name string) survey.Participation {
	w.Helper()
	w.invite(r.ID, name)
	s, err := w.store.ChangeMember(w.Context(), w.seat(r.ID, name), r.ClosesAt.Add(-time.Hour), starts)
	w.must(err)
	return s
}

func starts(m *survey.Member) error {
	m.Status = survey.Started
	return nil
}

func (w *world) answer(s survey.Participation, operation, element string, rating matrix.Rating) results.Response {
	w.Helper()
	resp, err := w.store.Answer(w.Context(), s, s.Round.ClosesAt.Add(-time.Hour), survey.Operation{ID: operation}, element, rating)
	w.must(err)
	resp.Version = ""
	return resp
}

func (w *world) response(s survey.Participation) results.Response {
	w.Helper()
	resp := w.versioned(s)
	resp.Version = ""
	return resp
}

// versioned is a response with its version, which no law but that of Current looks at.
func (w *world) versioned(s survey.Participation) results.Response {
	w.Helper()
	resp, err := w.store.Response(w.Context(), s)
	w.must(err)
	return resp
}

func (w *world) responses(id survey.RoundID) []results.Response {
	w.Helper()
	var all []results.Response
	w.must(w.store.Responses(w.Context(), id, func(r results.Response) error {
		r.Answers, r.Version = maps.Clone(r.Answers), ""
		all = append(all, r)
		return nil
	}))
	return all
}

func (w *world) roster(id survey.RoundID) map[survey.PersonID]survey.Member {
	w.Helper()
	all := map[survey.PersonID]survey.Member{}
	w.must(w.store.Roster(w.Context(), id, func(m survey.Member) error {
		if _, twice := all[m.Person]; twice {
			w.Errorf("somebody is visited twice")
		}
		all[m.Person] = m
		return nil
	}))
	return all
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) want(err, wanted error) {
	w.Helper()
	if !errors.Is(err, wanted) {
		w.Errorf("got error %v, want %v", err, wanted)
	}
}

func (w *world) equal(got, want any) {
	w.Helper()
	if !reflect.DeepEqual(got, want) {
		w.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// full fails the law when a field of the struct is zero: it would not be seen to survive.
func (w *world) full(v any) {
	w.Helper()
	for field, value := range reflect.ValueOf(v).Fields() {
		if value.IsZero() {
			w.Errorf("the law forgets the field %s", field.Name)
		}
	}
}

// until asks again and again, for up to ten seconds, or ten seconds ahead at once where time can be made to pass.
func (w *world) until(what string, done func() bool) {
	w.Helper()
	if clock, ok := w.store.(interface{ SetTime(time.Time) }); ok {
		clock.SetTime(time.Now().Add(10 * time.Second))
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			w.Fatalf("not after ten seconds: %s", what)
		}
	}
}

func rated(ratings map[string]matrix.Rating) map[string]results.Answer {
	answers := map[string]results.Answer{}
	for element, r := range ratings {
		answers[element] = results.Answer{Rating: r}
	}
	return answers
}

// A round comes back as it was kept, every field of it.
func roundWhole(w *world) {
	r := w.draft()
	r.Version, r.State = 3, survey.Open
	r.Area, r.Languages = "Ynys Môn \"<&>\"", []matrix.Lang{matrix.Welsh, matrix.English}
	r.Workshop = survey.Workshop{At: now.Add(20 * 24 * time.Hour), Place: "Neuadd y Dref"}
	r.Coordinators = append(r.Coordinators, w.person("carl"))
	r.Consensus.AllowFarMinority = true
	r.OpenedAt, r.RemindedAt, r.SelfJoin = now, now.Add(123*time.Millisecond), true
	r.Nudged = 3
	r.Reminders, r.PlannedAt = survey.ReminderPlan{BeforeClose: []int{3, 0}, BeforeWorkshop: []int{1}, Hour: 9, Minute: 30, Cron: "0 9 * * 1", Paused: true}, now
	r.Posts = survey.ChannelPlan{Digest: "0 9 * * 1", Disabled: []survey.MessageKind{survey.LastDay}}
	r.LastDigest = &survey.DigestProgress{At: now, Invited: 3, Finished: 1}
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	closed := now.Add(time.Hour + time.Nanosecond)
	_, err := w.store.CloseRound(w.Context(), r.ID, closed, audit.Entry{})
	w.must(err)
	r.Turnout, r.Anonymised = &results.Turnout{Invited: 1}, true
	w.must(w.store.AnonymiseRoster(w.Context(), r.ID, *r.Turnout))
	got, err := w.store.CloseRound(w.Context(), r.ID, closed.Add(time.Hour), audit.Entry{})
	w.must(err)
	w.full(got)
	r.Version, r.State, r.ClosedAt = 4, survey.Closed, now.Add(time.Hour+time.Nanosecond)
	w.equal(got, r)
	got, err = w.store.Round(w.Context(), r.ID)
	w.must(err)
	w.equal(got, r)
}

// Creating a round again changes nothing: not its fields, not its secret.
func createTwice(w *world) {
	r := w.open()
	s := w.start(r, "ana")
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	w.equal(w.seat(r.ID, "ana"), s)
	changed := r
	changed.Area = "Elsewhere"
	w.must(w.store.CreateRound(w.Context(), changed, audit.Entry{}))
	got, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	w.equal(got, r)
}

// What is asked of a round that is not there is refused as just that.
func missingRound(w *world) {
	there := w.open()
	seat := w.start(there, "ana")
	seat.Round.ID = "nosuchround" + seat.Round.ID
	id, ctx := seat.Round.ID, w.Context()
	for what, err := range map[string]error{
		"round":     second(w.store.Round(ctx, id)),
		"save":      w.store.SaveRound(ctx, seat.Round, audit.Entry{}),
		"close":     second(w.store.CloseRound(ctx, id, now, audit.Entry{})),
		"invite":    second(w.store.Invite(ctx, id, []survey.Member{{Person: w.person("ana")}}, survey.Invitation, time.Now(), nil)),
		"seat":      second(w.store.Participation(ctx, id, w.person("ana"))),
		"change":    second(w.store.ChangeMember(ctx, seat, now, starts)),
		"note":      w.store.UpdateContact(ctx, id, w.person("ana"), reach(true)),
		"roster":    w.store.Roster(ctx, id, func(survey.Member) error { return nil }),
		"answer":    second(w.store.Answer(ctx, seat, now, survey.Operation{ID: "o1"}, "vision", 1)),
		"detail":    second(w.store.Detail(ctx, seat, now, survey.Operation{ID: "o1"}, "vision", results.Detail{Note: "x"})),
		"withdraw":  w.store.Withdraw(ctx, seat),
		"forget":    second(w.store.Forget(ctx, id, w.person("ana"))),
		"responses": w.store.Responses(ctx, id, func(results.Response) error { return nil }),
		"record":    second(w.store.AuditLog(ctx, id)),
		"append":    w.store.AppendEntry(ctx, id, always(act(audit.Results))),
	} {
		if !errors.Is(err, survey.ErrNoRound) {
			w.Errorf("%s: got error %v, want %v", what, err, survey.ErrNoRound)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A change made from an older version is refused, and changes nothing.
func staleSave(w *world) {
	r := w.open()
	first, other := r, r
	first.Area, other.Area = "First", "Other"
	w.must(w.store.SaveRound(w.Context(), first, audit.Entry{}))
	w.want(w.store.SaveRound(w.Context(), other, audit.Entry{}), survey.ErrChanged)
	got, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	first.Version++
	w.equal(got, first)
}

// The same change again, its reply lost, is made once.
func saveReplayed(w *world) {
	r := w.open()
	r.Area = "First"
	w.must(w.store.SaveRound(w.Context(), r, audit.Entry{}))
	w.must(w.store.SaveRound(w.Context(), r, audit.Entry{}))
	got, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	w.equal(got.Version, r.Version+1)
}

// Nothing but CloseRound makes a round closed, since it is what destroys the secret.
func saveNeverCloses(w *world) {
	r := w.open()
	closed := r
	closed.State = survey.Closed
	for range 2 {
		if w.store.SaveRound(w.Context(), closed, audit.Entry{}) == nil {
			w.Error("a save closed a round")
		}
		closed.ClosedAt = now
	}
	created := w.draft()
	created.State, created.ClosedAt = survey.Closed, now
	if w.store.CreateRound(w.Context(), created, audit.Entry{}) == nil {
		w.Error("a round was made closed")
	}
	got, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	w.equal(got, r)
}

// A channel has its rounds, newest first, whatever their state, and no other's.
func roundsIn(w *world) {
	got, err := w.store.RoundsIn(w.Context(), w.channel())
	w.must(err)
	w.equal(len(got), 0)
	a, b, c := w.open(), w.draft(), w.draft()
	c.Channel += "-other"
	w.must(w.store.CreateRound(w.Context(), b, audit.Entry{}))
	w.must(w.store.CreateRound(w.Context(), c, audit.Entry{}))
	w.must(w.store.CreateRound(w.Context(), a, audit.Entry{})) // again: it is not newer for that
	_, err = w.store.CloseRound(w.Context(), a.ID, now, audit.Entry{})
	w.must(err)
	got, err = w.store.RoundsIn(w.Context(), w.channel())
	w.must(err)
	w.equal(got, []survey.RoundID{b.ID, a.ID})
	b.Channel = c.Channel
	w.must(w.store.SaveRound(w.Context(), b, audit.Entry{}))
	got, err = w.store.RoundsIn(w.Context(), w.channel())
	w.must(err)
	w.equal(got, []survey.RoundID{a.ID})
	got, err = w.store.RoundsIn(w.Context(), c.Channel)
	w.must(err)
	w.equal(got, []survey.RoundID{b.ID, c.ID})
}

// A person has the rounds they were invited to or coordinate, newest first, those they left too.
func roundsOf(w *world) {
	a, b, _ := w.open(), w.open(), w.open()
	seat := w.start(a, "ana")
	w.invite(b.ID, "ana", "ben")
	w.invite(a.ID, "ana")
	w.must(w.store.Withdraw(w.Context(), seat))
	for name, want := range map[string][]survey.RoundID{"ana": {b.ID, a.ID}, "ben": {b.ID}, "eve": nil} {
		got, err := w.store.RoundsOf(w.Context(), w.person(name))
		w.must(err)
		w.equal(got, want)
	}
	got, err := w.store.RoundsOf(w.Context(), w.person("cora"))
	w.must(err)
	w.equal(len(got), 3)
	b.Coordinators = append(b.Coordinators, w.person("carl"))
	w.must(w.store.SaveRound(w.Context(), b, audit.Entry{}))
	got, err = w.store.RoundsOf(w.Context(), w.person("carl"))
	w.must(err)
	w.equal(got, []survey.RoundID{b.ID})
}

// Somebody is invited once, whoever presses how often; an entry that is there is left as it is.
func inviteOnce(w *world) {
	r := w.open()
	ana := survey.Member{Person: w.person("ana"), Status: survey.Invited, Role: "midwife", Group: "health"}
	ben := survey.Member{Person: w.person("ben"), Status: survey.Invited}
	added, err := w.store.Invite(w.Context(), r.ID, []survey.Member{ana}, survey.Invitation, time.Now(), nil)
	w.must(err)
	w.equal(added, []survey.Member{ana})
	added, err = w.store.Invite(w.Context(), r.ID, []survey.Member{ana}, survey.Invitation, time.Now(), nil)
	w.must(err)
	w.equal(len(added), 0)
	other := ana
	other.Role = "parent"
	added, err = w.store.Invite(w.Context(), r.ID, []survey.Member{other, ben}, survey.Invitation, time.Now(), nil)
	w.must(err)
	w.equal(added, []survey.Member{ben})
	w.equal(w.roster(r.ID), map[survey.PersonID]survey.Member{ana.Person: ana, ben.Person: ben})
}

// Somebody named twice in one call is added once, as named first; no standing means invited.
func inviteSameTwiceInOne(w *world) {
	r := w.open()
	first := survey.Member{Person: w.person("ana"), Role: "midwife"}
	added, err := w.store.Invite(w.Context(), r.ID, []survey.Member{first, first, {Person: first.Person, Role: "parent"}}, survey.Invitation, time.Now(), nil)
	w.must(err)
	first.Status = survey.Invited
	w.equal(added, []survey.Member{first})
	w.equal(w.seat(r.ID, "ana").Member, first)
}

// An entry in the roster comes back as it was kept, every field of it.
func memberWhole(w *world) {
	r := w.open()
	w.invite(r.ID, "ana")
	want := survey.Member{
		Person: w.person("ana"), Status: survey.Finished, Language: matrix.Welsh, Role: "midwife", Group: "health",
		Organisation: "Bwrdd \"Iechyd\" <&>", Scope: survey.ScopeArea, Notice: "2", NoticeAt: now, Unreachable: true,
		TimeZone: "Asia/Tokyo", RemindersOff: true, RemindOnDate: "2026-12-04", LastRemindedDate: "2026-12-03", LastNudgedDate: "2026-12-02",
	}
	w.full(want)
	seat, err := w.store.ChangeMember(w.Context(), w.seat(r.ID, "ana"), now, func(m *survey.Member) error {
		*m = want
		return nil
	})
	w.must(err)
	w.equal(seat.Member, want)
	w.equal(w.seat(r.ID, "ana"), seat)
	w.equal(w.roster(r.ID), map[survey.PersonID]survey.Member{want.Person: want})
}

// Somebody who is not in the roster has a seat without a standing, and nothing can be done from it.
func stranger(w *world) {
	r := w.open()
	seat := w.seat(r.ID, "eve")
	w.equal(seat.Member, survey.Member{Person: w.person("eve")})
	w.want(second(w.store.ChangeMember(w.Context(), seat, now, starts)), survey.ErrNotTakingPart)
	w.want(second(w.store.Answer(w.Context(), seat, now, survey.Operation{ID: "o1"}, "vision", 1)), survey.ErrNotTakingPart)
	w.want(w.store.Withdraw(w.Context(), seat), survey.ErrNotTakingPart)
	w.must(w.store.UpdateContact(w.Context(), r.ID, seat.Member.Person, reach(true)))
	w.equal(len(w.roster(r.ID)), 0)
}

// A change is made to the entry as it is, not as it was when the seat was found.
func changeFromStaleSeat(w *world) {
	r := w.open()
	w.invite(r.ID, "ana")
	stale := w.seat(r.ID, "ana")
	w.start(r, "ana")
	seat, err := w.store.ChangeMember(w.Context(), stale, now, func(m *survey.Member) error {
		m.Language = matrix.Welsh
		return nil
	})
	w.must(err)
	w.equal(seat.Member, survey.Member{Person: w.person("ana"), Status: survey.Started, Language: matrix.Welsh})
	w.equal(w.seat(r.ID, "ana").Member, seat.Member)
}

// An error of the change is returned, and nothing is kept.
func changeRefused(w *world) {
	r := w.open()
	w.invite(r.ID, "ana")
	before := w.seat(r.ID, "ana")
	refusal := errors.New("no")
	w.want(second(w.store.ChangeMember(w.Context(), before, now, func(m *survey.Member) error {
		m.Status = survey.Declined
		return refusal
	})), refusal)
	w.equal(w.seat(r.ID, "ana"), before)
}

// Of changes to one entry made at once, none is lost.
func changeCrowd(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			if _, err := w.store.ChangeMember(w.Context(), seat, now, func(m *survey.Member) error {
				m.Organisation += fmt.Sprint(i)
				return nil
			}); err != nil {
				w.Error(err)
			}
		})
	}
	wg.Wait()
	letters := strings.Split(w.seat(r.ID, "ana").Member.Organisation, "")
	slices.Sort(letters)
	w.equal(letters, []string{"0", "1", "2", "3", "4"})
}

// reach is a change of whether somebody cannot be reached.
func reach(unreachable bool) func(*survey.Member) {
	return func(m *survey.Member) { m.Unreachable = unreachable }
}

// Whether somebody can be reached is noted in any state of the round, beside whatever else is in the entry.
func unreachable(w *world) {
	r := w.open()
	started := w.start(r, "ana").Member
	for _, want := range []bool{true, true, false, true} {
		w.must(w.store.UpdateContact(w.Context(), r.ID, started.Person, reach(want)))
		started.Unreachable = want
		w.equal(w.seat(r.ID, "ana").Member, started)
	}
	_, err := w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	w.must(w.store.UpdateContact(w.Context(), r.ID, started.Person, reach(false)))
	started.Unreachable = false
	w.equal(w.seat(r.ID, "ana").Member, started)
}

// The response carries the group of the role the person last gave.
func roleGroupFollowsRole(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	w.answer(seat, "o1", "vision", 2)
	for _, group := range []string{"health", "council", ""} {
		var err error
		seat, err = w.store.ChangeMember(w.Context(), seat, now, func(m *survey.Member) error {
			m.Group = group
			return nil
		})
		w.must(err)
		w.equal(w.responses(r.ID), []results.Response{{Group: group, Answers: rated(map[string]matrix.Rating{"vision": 2})}})
	}
}

// Every member of a large roster is visited, once.
func rosterPages(w *world) {
	const people = 1020
	r := w.open()
	var all []survey.Member
	want := map[survey.PersonID]survey.Member{}
	for i := range people {
		m := survey.Member{Person: w.person(fmt.Sprint(i)), Status: survey.Invited}
		all, want[m.Person] = append(all, m), m
	}
	added, err := w.store.Invite(w.Context(), r.ID, all, survey.Invitation, time.Now(), nil)
	w.must(err)
	w.equal(added, all)
	w.equal(w.roster(r.ID), want)
	stop := errors.New("enough")
	w.want(w.store.Roster(w.Context(), r.ID, func(survey.Member) error { return stop }), stop)
}

// An answer is kept, and the whole response comes back.
func answer(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	w.equal(w.response(seat), results.Response{Answers: rated(nil)})
	w.equal(w.answer(seat, "o1", "vision", 2).Answers, rated(map[string]matrix.Rating{"vision": 2}))
	want := rated(map[string]matrix.Rating{"vision": 2, "needs": matrix.DontKnow})
	w.equal(w.answer(seat, "o2", "needs", matrix.DontKnow).Answers, want)
	w.equal(w.response(seat).Answers, want)
	w.equal(w.answer(seat, "o3", "vision", matrix.NotApplicable).Answers["vision"].Rating, matrix.NotApplicable)
}

// The same gesture twice is one answer, also when it says something else the second time.
func answerTwice(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	want := w.answer(seat, "o1", "vision", 2)
	w.equal(w.answer(seat, "o1", "vision", 2), want)
	w.equal(w.answer(seat, "o1", "vision", 4), want)
	w.equal(w.responses(r.ID), []results.Response{want})
}

// A gesture that is sent again, its reply lost, does not undo what was answered since.
func answerReplayedAfterNewer(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	w.answer(seat, "o1", "vision", 1)
	w.answer(seat, "o2", "vision", 2)
	w.answer(seat, "o3", "needs", 3)
	newest := w.answer(seat, "o4", "vision", 4)
	w.equal(newest.Answers, rated(map[string]matrix.Rating{"vision": 4, "needs": 3}))
	for _, replayed := range []string{"o1", "o2"} {
		w.equal(w.answer(seat, replayed, "vision", 1), newest)
		w.equal(w.response(seat), newest)
	}
	ben := w.start(r, "ben")
	w.equal(w.answer(ben, "o4", "vision", 1).Answers, rated(map[string]matrix.Rating{"vision": 1}))
}

// One gesture, such as a form, may set several things, each once.
func oneGestureManyElements(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	for range 2 {
		w.answer(seat, "o1", "vision", 1)
		w.answer(seat, "o1", "needs", 2)
		resp, err := w.store.Detail(w.Context(), seat, now, survey.Operation{ID: "o1"}, "needs", results.Detail{Note: "n"})
		w.must(err)
		w.equal(resp.Answers, map[string]results.Answer{"vision": {Rating: 1}, "needs": {Rating: 2, Detail: results.Detail{Note: "n"}}})
	}
}

// A rating that is taken back is gone; the person still takes part, and what they added stays.
func takeBack(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	w.answer(seat, "o1", "vision", 2)
	w.equal(w.answer(seat, "o2", "vision", matrix.NotAnswered), results.Response{Answers: rated(nil)})
	w.equal(len(w.responses(r.ID)), 1)
	w.answer(seat, "o3", "vision", 3)
	_, err := w.store.Detail(w.Context(), seat, now, survey.Operation{ID: "o4"}, "vision", results.Detail{Note: "n"})
	w.must(err)
	w.equal(w.answer(seat, "o5", "vision", matrix.NotAnswered).Answers,
		map[string]results.Answer{"vision": {Detail: results.Detail{Note: "n"}}})
}

// A detail replaces the one before, beside the rating; an empty one takes it away.
func detail(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	w.answer(seat, "o1", "vision", 2)
	for i, d := range []results.Detail{
		{Information: []string{"audit", "survey, local"}, Note: "a note", Barrier: "a barrier"},
		{Note: "another"},
		{Information: []string{"audit"}},
		{},
	} {
		resp, err := w.store.Detail(w.Context(), seat, now, survey.Operation{ID: fmt.Sprint("d", i)}, "vision", d)
		w.must(err)
		want := map[string]results.Answer{"vision": {Rating: 2, Detail: d}}
		w.equal(resp.Answers, want)
		w.equal(w.response(seat).Answers, want)
	}
}

// Neither does a detail that is sent again.
func detailReplayedAfterNewer(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	var newest results.Response
	for _, note := range []string{"old", "new", "old"} {
		var err error
		newest, err = w.store.Detail(w.Context(), seat, now, survey.Operation{ID: note}, "vision", results.Detail{Note: note})
		w.must(err)
	}
	w.equal(newest.Answers["vision"].Detail.Note, "new")
}

// Free text comes back as it was written.
func freeTextSurvives(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	for i, text := range []string{
		strings.Repeat("ŵ", matrix.MaxNoteRunes), strings.Repeat("👩🏽‍🍼", matrix.MaxNoteRunes/4), "one\ntwo\r\n\tthree",
		"nul \x00 and \x7f", `quotes " ' \ {braces} [[ ]] -- KEYS[1]`, "0", " ", "\u202eright to left", "<!everyone> *x* @here",
	} {
		want := results.Detail{Note: text, Barrier: text}
		resp, err := w.store.Detail(w.Context(), seat, now, survey.Operation{ID: fmt.Sprint("o", i)}, "vision", want)
		w.must(err)
		w.equal(resp.Answers["vision"].Detail, want)
		w.equal(w.responses(r.ID)[0].Answers["vision"].Detail, want)
	}
}

// An element that could not be told from what else a response holds is refused.
func oddElement(w *world) {
	seat := w.start(w.open(), "ana")
	for _, element := range []string{"", ".g", ".o", ".n:vision"} {
		w.want(second(w.store.Answer(w.Context(), seat, now, survey.Operation{ID: "o1"}, element, 1)), matrix.ErrNoElement)
		w.want(second(w.store.Detail(w.Context(), seat, now, survey.Operation{ID: "o1"}, element, results.Detail{Note: "n"})), matrix.ErrNoElement)
	}
	w.equal(w.response(seat), results.Response{Answers: rated(nil)})
}

// Who has not started, or declined, has no response and cannot answer.
func notTakingPart(w *world) {
	r := w.open()
	w.invite(r.ID, "ana")
	seat := w.seat(r.ID, "ana")
	w.want(second(w.store.Answer(w.Context(), seat, now, survey.Operation{ID: "o1"}, "vision", 1)), survey.ErrNotTakingPart)
	w.want(second(w.store.Detail(w.Context(), seat, now, survey.Operation{ID: "o1"}, "vision", results.Detail{Note: "n"})), survey.ErrNotTakingPart)
	seat, err := w.store.ChangeMember(w.Context(), seat, now, func(m *survey.Member) error {
		m.Status = survey.Declined
		return nil
	})
	w.must(err)
	w.want(second(w.store.Answer(w.Context(), seat, now, survey.Operation{ID: "o1"}, "vision", 1)), survey.ErrNotTakingPart)
	w.equal(len(w.response(seat).Answers), 0)
	w.equal(len(w.responses(r.ID)), 0)
}

// Before a round is open nobody can start or answer; people may be invited.
func draftRefuses(w *world) {
	r := w.draft()
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	w.invite(r.ID, "ana")
	seat := w.seat(r.ID, "ana")
	w.want(second(w.store.ChangeMember(w.Context(), seat, now, starts)), survey.ErrNotOpen)
	w.want(second(w.store.Answer(w.Context(), seat, now, survey.Operation{ID: "o1"}, "vision", 1)), survey.ErrNotOpen)
	w.want(second(w.store.Detail(w.Context(), seat, now, survey.Operation{ID: "o1"}, "vision", results.Detail{Note: "n"})), survey.ErrNotOpen)
	w.equal(w.seat(r.ID, "ana"), seat)
}

// From the closing time on nothing counts, though nobody has closed the round yet; it may be extended.
func lateRefuses(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	want := w.answer(seat, "o1", "vision", 2)
	for _, late := range []time.Time{r.ClosesAt, r.ClosesAt.Add(time.Hour)} {
		w.want(second(w.store.Answer(w.Context(), seat, late, survey.Operation{ID: "o2"}, "vision", 3)), survey.ErrClosed)
		w.want(second(w.store.Detail(w.Context(), seat, late, survey.Operation{ID: "o3"}, "vision", results.Detail{Note: "n"})), survey.ErrClosed)
		w.want(second(w.store.ChangeMember(w.Context(), seat, late, func(m *survey.Member) error {
			m.Status = survey.Finished
			return nil
		})), survey.ErrClosed)
		w.want(second(w.store.ChangeMember(w.Context(), seat, late, starts)), survey.ErrClosed)
	}
	w.equal(w.response(seat), want)
	w.equal(w.seat(r.ID, "ana").Member, seat.Member)
	extended := r
	extended.ClosesAt = r.ClosesAt.Add(2 * time.Hour)
	w.must(w.store.SaveRound(w.Context(), extended, audit.Entry{}))
	_, err := w.store.Answer(w.Context(), seat, r.ClosesAt.Add(time.Hour), survey.Operation{ID: "o4"}, "vision", 4)
	w.must(err)
}

// After the close no answer and nobody's place is changed, by nobody, and the round stays closed.
func closedRefuses(w *world) {
	r := w.open()
	want := w.answer(w.start(r, "ana"), "o1", "vision", 2)
	closed, err := w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	seat := w.seat(r.ID, "ana")
	w.want(second(w.store.ChangeMember(w.Context(), seat, now, starts)), survey.ErrClosed)
	w.want(second(w.store.Answer(w.Context(), seat, now, survey.Operation{ID: "o2"}, "vision", 3)), survey.ErrClosed)
	w.want(second(w.store.Detail(w.Context(), seat, now, survey.Operation{ID: "o3"}, "vision", results.Detail{Note: "n"})), survey.ErrClosed)
	w.want(w.store.Withdraw(w.Context(), seat), survey.ErrClosed)
	w.want(second(w.store.Response(w.Context(), seat)), survey.ErrClosed)
	w.want(second(w.store.Invite(w.Context(), r.ID, []survey.Member{{Person: w.person("ben")}}, survey.Invitation, time.Now(), nil)), survey.ErrClosed)
	r.Version = closed.Version
	w.want(w.store.SaveRound(w.Context(), r, audit.Entry{}), survey.ErrClosed)
	moved := closed
	moved.Workshop.At = now.Add(48 * time.Hour)
	w.must(w.store.SaveRound(w.Context(), moved, audit.Entry{}))
	w.must(w.store.SaveRound(w.Context(), moved, audit.Entry{})) // its reply was lost
	kept, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	moved.Version++
	w.equal(kept, moved)
	w.want(w.store.SaveRound(w.Context(), closed, audit.Entry{}), survey.ErrChanged)
	w.equal(w.responses(r.ID), []results.Response{want})
	w.equal(len(w.roster(r.ID)), 1)
}

// Who holds a seat from before the close, with its pseudonym, cannot use it after.
func seatFromBeforeTheClose(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	want := w.answer(seat, "o1", "vision", 2)
	w.invite(r.ID, "ben")
	ben := w.seat(r.ID, "ben")
	_, err := w.store.CloseRound(w.Context(), r.ID, now.Add(time.Minute), audit.Entry{})
	w.must(err)
	w.want(second(w.store.Answer(w.Context(), seat, now, survey.Operation{ID: "o2"}, "vision", 3)), survey.ErrClosed)
	w.want(second(w.store.Detail(w.Context(), seat, now, survey.Operation{ID: "o3"}, "vision", results.Detail{Note: "n"})), survey.ErrClosed)
	w.want(second(w.store.ChangeMember(w.Context(), ben, now, starts)), survey.ErrClosed)
	w.want(second(w.store.ChangeMember(w.Context(), seat, now, starts)), survey.ErrClosed)
	w.want(w.store.Withdraw(w.Context(), seat), survey.ErrClosed)
	w.equal(w.responses(r.ID), []results.Response{want})
}

// Closing again changes nothing and keeps the first time.
func closeTwice(w *world) {
	r := w.open()
	first, err := w.store.CloseRound(w.Context(), r.ID, now.Add(time.Hour), audit.Entry{})
	w.must(err)
	r.State, r.ClosedAt, r.Version = survey.Closed, now.Add(time.Hour), r.Version+1
	w.equal(first, r)
	again, err := w.store.CloseRound(w.Context(), r.ID, now.Add(2*time.Hour), audit.Entry{})
	w.must(err)
	w.equal(again, first)
	got, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	w.equal(got, first)
}

// A sealed roster knows who stood where, and no more; the first turnout stands, and nothing outlives the round.
func sealForgets(w *world) {
	r := w.open()
	ana := w.start(r, "ana")
	ana, err := w.store.ChangeMember(w.Context(), ana, now, func(m *survey.Member) error {
		m.Status, m.Language, m.Role, m.Group, m.Organisation, m.Scope = survey.Finished, "cy", "midwife", "health", "NHS", survey.ScopeTeam
		m.Notice, m.NoticeAt = "1", now
		m.TimeZone, m.RemindersOff, m.RemindOnDate, m.LastRemindedDate, m.LastNudgedDate = "Asia/Tokyo", true, "2026-12-04", "2026-12-03", "2026-12-02"
		return nil
	})
	w.must(err)
	w.invite(r.ID, "ben")
	turnout := results.Turnout{Invited: 2, Finished: 1, Roles: []results.RoleCount{{Role: "midwife", Invited: 1, Finished: 1}}, Unstated: results.RoleCount{Invited: 1}}
	w.want(w.store.AnonymiseRoster(w.Context(), r.ID, turnout), survey.ErrStillOpen)
	w.equal(w.roster(r.ID)[ana.Member.Person], ana.Member)
	_, err = w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	w.must(w.store.AnonymiseRoster(w.Context(), r.ID, turnout))
	w.must(w.store.AnonymiseRoster(w.Context(), r.ID, results.Turnout{Invited: 99}))
	w.equal(w.roster(r.ID), map[survey.PersonID]survey.Member{
		w.person("ana"): {Person: w.person("ana"), Status: survey.Finished, Notice: "1", NoticeAt: now.Truncate(24 * time.Hour), RemindersOff: true},
		w.person("ben"): {Person: w.person("ben"), Status: survey.Invited},
	})
	got, err := w.store.Round(w.Context(), r.ID)
	w.must(err)
	w.equal(got.Turnout, &turnout)
	w.equal(got.Anonymised, true)
	w.want(w.store.AnonymiseRoster(w.Context(), "nothing", turnout), survey.ErrNoRound)
}

// While a round is open its seats have pseudonyms, one a person; from the close on there is none.
func closeDestroysSecret(w *world) {
	r, other := w.open(), w.open()
	ana, ben := w.start(r, "ana"), w.start(r, "ben")
	if len(ana.Pseudonym) != 16 || ana.Pseudonym == ben.Pseudonym || ana.Pseudonym == w.start(other, "ana").Pseudonym {
		w.Errorf("pseudonyms do not tell people and rounds apart")
	}
	_, err := w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	w.equal(w.seat(r.ID, "ana").Pseudonym, "")
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	w.equal(w.seat(r.ID, "ana").Pseudonym, "")
	if w.seat(other.ID, "ana").Pseudonym == "" {
		w.Error("another round lost its secret")
	}
}

// Withdrawing erases the response and all of the entry but itself; again, it changes nothing.
func withdrawErases(w *world) {
	r := w.open()
	ana, ben := w.start(r, "ana"), w.start(r, "ben")
	w.answer(ana, "o1", "vision", 2)
	kept := w.answer(ben, "o1", "vision", 3)
	ana, err := w.store.ChangeMember(w.Context(), ana, now, func(m *survey.Member) error {
		m.Role, m.Group, m.Organisation, m.Notice, m.NoticeAt = "midwife", "health", "NHS", "1", now
		return nil
	})
	w.must(err)
	for range 2 {
		w.must(w.store.Withdraw(w.Context(), ana))
		gone := w.seat(r.ID, "ana")
		w.equal(gone.Member, survey.Member{Person: w.person("ana"), Status: survey.Withdrawn})
		w.equal(len(w.response(gone).Answers), 0)
		w.equal(w.responses(r.ID), []results.Response{kept})
	}
	w.want(second(w.store.Answer(w.Context(), ana, now, survey.Operation{ID: "o2"}, "vision", 1)), survey.ErrNotTakingPart)
	w.must(w.store.UpdateContact(w.Context(), r.ID, ana.Member.Person, reach(true)))
	w.equal(w.seat(r.ID, "ana").Member, survey.Member{Person: w.person("ana"), Status: survey.Withdrawn})
	added, err := w.store.Invite(w.Context(), r.ID, []survey.Member{{Person: w.person("ana")}}, survey.Invitation, time.Now(), nil)
	w.must(err)
	w.equal(len(added), 0)
}

// Who comes back after withdrawing begins with an empty response.
func withdrawAndReturn(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	w.answer(seat, "o1", "vision", 2)
	w.must(w.store.Withdraw(w.Context(), seat))
	seat = w.start(r, "ana")
	w.equal(w.answer(seat, "o2", "needs", 3).Answers, rated(map[string]matrix.Rating{"needs": 3}))
	w.equal(len(w.responses(r.ID)), 1)
}

// Whoever is forgotten in an open round leaves nothing there: neither entry, response, message nor list; others lose nothing. They
// can be invited anew, and then begin anew.
func forgetOpen(w *world) {
	r, other := w.open(), w.open()
	ctx, ana := w.Context(), w.start(r, "ana")
	w.answer(ana, "o1", "vision", 2)
	kept := w.answer(w.start(r, "ben"), "o1", "vision", 3)
	w.answer(w.start(other, "ana"), "o1", "vision", 1)
	odd := survey.PersonID(string(w.person("ana")) + "*") // a pattern, were it not taken literally
	_, err := w.store.Invite(ctx, r.ID, []survey.Member{{Person: odd}}, survey.Invitation, now, nil)
	w.must(err)
	w.must(w.store.Enqueue(ctx, r.ID, "nudge@2026-12-04", now.Add(time.Hour), []survey.PersonID{ana.Member.Person}))

	f, err := w.store.Forget(ctx, r.ID, odd)
	w.must(err)
	w.equal(f, survey.Forgotten{Invited: true, Messages: 1})
	for _, want := range []survey.Forgotten{{Invited: true, Answers: true, Messages: 2}, {}} {
		f, err := w.store.Forget(ctx, r.ID, ana.Member.Person)
		w.must(err)
		w.equal(f, want)
		w.equal(w.seat(r.ID, "ana").Member, survey.Member{Person: w.person("ana")})
		w.equal(w.responses(r.ID), []results.Response{kept})
		w.equal(len(w.roster(r.ID)), 1)
		of, err := w.store.RoundsOf(ctx, ana.Member.Person)
		w.must(err)
		w.equal(of, []survey.RoundID{other.ID})
	}
	w.equal(len(w.responses(other.ID)), 1)

	again := w.start(r, "ana")
	w.equal(len(w.response(again).Answers), 0)
	of, err := w.store.RoundsOf(ctx, ana.Member.Person)
	w.must(err)
	w.equal(len(of), 2)
}

// In a closed round the entry goes and the response stays, since nobody can tell it; sealing brings nobody back.
func forgetClosed(w *world) {
	r := w.open()
	w.answer(w.start(r, "ana"), "o1", "vision", 2)
	w.start(r, "ben")
	_, err := w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	for _, want := range []survey.Forgotten{{Invited: true, Messages: 1}, {}} {
		f, err := w.store.Forget(w.Context(), r.ID, w.person("ana"))
		w.must(err)
		w.equal(f, want)
		w.equal(len(w.roster(r.ID)), 1)
		w.equal(len(w.responses(r.ID)), 2)
	}
	w.must(w.store.AnonymiseRoster(w.Context(), r.ID, results.Turnout{Invited: 2}))
	w.equal(len(w.roster(r.ID)), 1)
}

// A gesture that was under way when its person was forgotten brings nothing of them back.
func forgetInTheMiddle(w *world) {
	r := w.open()
	ctx, ana := w.Context(), w.start(r, "ana")
	w.answer(ana, "o1", "vision", 2)
	forget := func() {
		_, err := w.store.Forget(ctx, r.ID, ana.Member.Person)
		w.must(err)
	}
	_, err := w.store.ChangeMember(ctx, ana, now, func(m *survey.Member) error {
		m.Status = survey.Finished
		forget()
		return nil
	})
	w.want(err, survey.ErrNotTakingPart)
	w.want(second(w.store.Answer(ctx, ana, now, survey.Operation{ID: "o2", At: now}, "needs", 1)), survey.ErrNotTakingPart)
	w.want(second(w.store.Detail(ctx, ana, now, survey.Operation{ID: "o3", At: now}, "needs", results.Detail{Note: "x"})), survey.ErrNotTakingPart)
	w.want(w.store.Withdraw(ctx, ana), survey.ErrNotTakingPart)
	w.must(w.store.UpdateContact(ctx, r.ID, ana.Member.Person, reach(true)))
	w.equal(len(w.roster(r.ID)), 0)
	w.equal(len(w.responses(r.ID)), 0)
}

// Every response of a large round is visited, once, in two rounds side by side.
func responsesPages(w *world) {
	const people = 520
	r := w.open()
	var all []survey.Member
	for i := range people {
		all = append(all, survey.Member{Person: w.person(fmt.Sprint(i))})
	}
	_, err := w.store.Invite(w.Context(), r.ID, all, survey.Invitation, time.Now(), nil)
	w.must(err)
	w.each(people, func(i int) {
		seat, err := w.store.ChangeMember(w.Context(), w.seat(r.ID, fmt.Sprint(i)), now, starts)
		if err == nil {
			_, err = w.store.Answer(w.Context(), seat, now, survey.Operation{ID: "o1"}, fmt.Sprint("e", i), 1)
		}
		if err != nil {
			w.Error(err)
		}
	})
	seen := map[string]bool{}
	for _, resp := range w.responses(r.ID) {
		for element := range resp.Answers {
			seen[element] = true
		}
	}
	w.equal(len(seen), people)
	w.equal(len(w.responses(r.ID)), people)
	stop := errors.New("enough")
	w.want(w.store.Responses(w.Context(), r.ID, func(results.Response) error { return stop }), stop)
}

// each calls do for every number below n, a few at a time.
func (w *world) each(n int, do func(int)) {
	numbers := make(chan int)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range numbers {
				do(i)
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	wg.Wait()
}

// The order in which responses come is not the one in which people came, and is the same before and after
// the close. With twelve people the two are alike once in 479 million runs.
func responsesUnlinkableOrder(w *world) {
	r := w.open()
	var came []string
	for i := range 12 {
		element := fmt.Sprint("e", i)
		came = append(came, element)
		w.answer(w.start(r, element), "o1", element, 1)
	}
	order := func() (elements []string) {
		for _, resp := range w.responses(r.ID) {
			for e := range resp.Answers {
				elements = append(elements, e)
			}
		}
		return elements
	}
	before := order()
	if slices.Equal(before, came) {
		w.Error("responses come in the order of their people")
	}
	_, err := w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	w.equal(order(), before)
}

// Of two hundred people who start and answer at once, each gesture sent twice, nothing is lost or doubled.
func crowd(w *world) {
	const people = 200
	r := w.open()
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() {
			name := fmt.Sprint("p", i)
			seat := w.start(r, name)
			for e := range 3 {
				for range 2 {
					if _, err := w.store.Answer(w.Context(), seat, now, survey.Operation{ID: fmt.Sprint("o", e)}, fmt.Sprint("e", e), matrix.Rating(1+i%4)); err != nil {
						w.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	w.equal(len(w.roster(r.ID)), people)
	counts := map[matrix.Rating]int{}
	for _, resp := range w.responses(r.ID) {
		for _, a := range resp.Answers {
			counts[a.Rating]++
		}
	}
	w.equal(counts, map[matrix.Rating]int{1: 150, 2: 150, 3: 150, 4: 150})
}

// expiring keeps an open round with one answer, of which everything is due to go in two to three seconds.
func (w *world) expiring() (survey.Round, survey.Participation) {
	r := w.draft()
	r.State, r.ClosesAt = survey.Open, time.Now().Add(3*time.Second-survey.Retention).UTC().Truncate(time.Second)
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	seat := w.start(r, "ana")
	w.answer(seat, "o1", "vision", 2)
	return r, seat
}

// When a round expires nothing of it is left, and nothing leads to it.
func expires(w *world) {
	r, seat := w.expiring()
	w.until("the round is gone", func() bool {
		_, err := w.store.Round(w.Context(), r.ID)
		return errors.Is(err, survey.ErrNoRound)
	})
	w.until("the response is gone", func() bool { return len(w.response(seat).Answers) == 0 })
	in, err := w.store.RoundsIn(w.Context(), w.channel())
	w.must(err)
	of, err := w.store.RoundsOf(w.Context(), w.person("ana"))
	w.must(err)
	w.equal(len(in)+len(of), 0)
	// What comes under the same id later does not find anything of it.
	r.ClosesAt = now.Add(time.Hour)
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	w.equal(len(w.roster(r.ID))+len(w.responses(r.ID)), 0)
}

// When the closing date is moved, or the round closed, everything of it lives as long as the round.
func extendMovesExpiry(w *world) {
	extended, seat := w.expiring()
	closed, _ := w.expiring()
	marker, _ := w.expiring()
	extended.ClosesAt = now.Add(24 * time.Hour)
	w.must(w.store.SaveRound(w.Context(), extended, audit.Entry{}))
	_, err := w.store.CloseRound(w.Context(), closed.ID, now, audit.Entry{})
	w.must(err)
	w.until("the round made last is gone", func() bool {
		_, err := w.store.Round(w.Context(), marker.ID)
		return errors.Is(err, survey.ErrNoRound)
	})
	w.equal(w.seat(extended.ID, "ana").Pseudonym, seat.Pseudonym)
	for _, id := range []survey.RoundID{extended.ID, closed.ID} {
		w.equal(w.seat(id, "ana").Member, seat.Member)
		w.equal(w.responses(id), []results.Response{{Answers: rated(map[string]matrix.Rating{"vision": 2})}})
	}
	want := []survey.RoundID{closed.ID, extended.ID}
	of, err := w.store.RoundsOf(w.Context(), w.person("ana"))
	w.must(err)
	w.equal(of, want)
	in, err := w.store.RoundsIn(w.Context(), w.channel())
	w.must(err)
	w.equal(in, want)
}

// A gesture that was made before another and arrives after it changes nothing, nor is it an error.
func lateGesture(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	made := func(id string, second int) survey.Operation {
		return survey.Operation{ID: id, At: now.Add(time.Duration(second) * time.Second)}
	}
	say := func(g survey.Operation, element string, rating matrix.Rating) results.Response {
		resp, err := w.store.Answer(w.Context(), seat, now, g, element, rating)
		w.must(err)
		return resp
	}
	say(made("second", 2), "vision", 3)
	w.equal(say(made("first", 1), "vision", 1).Answers, rated(map[string]matrix.Rating{"vision": 3}))
	say(made("first", 1), "needs", 2) // of another element it is the last
	_, err := w.store.Detail(w.Context(), seat, now, made("first", 1), "vision", results.Detail{Note: "n"})
	w.must(err)
	w.equal(w.response(seat).Answers, map[string]results.Answer{
		"vision": {Rating: 3, Detail: results.Detail{Note: "n"}}, "needs": {Rating: 2},
	})
	say(made("third", 3), "vision", 4)
	say(survey.Operation{ID: "timeless"}, "vision", 1) // where a platform tells no time, they count as they come
	w.equal(w.response(seat).Answers["vision"].Rating, matrix.Rating(1))
}

// An answer to an open element that was made within DoubleTap of the answer to another is refused,
// and so it is when it is delivered again. Any other is kept: of the same element, of one that was
// answered before, made later, or made earlier.
func tooSoon(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	made := func(id string, after time.Duration) survey.Operation {
		return survey.Operation{ID: id, At: now.Add(after)}
	}
	kept := func(g survey.Operation, element string, rating matrix.Rating) {
		w.Helper()
		resp, err := w.store.Answer(w.Context(), seat, now, g, element, rating)
		w.must(err)
		w.equal(resp.Answers[element].Rating, rating)
	}
	refused := func(g survey.Operation, element string, before string) {
		w.Helper()
		resp, err := w.store.Answer(w.Context(), seat, now, g, element, 4)
		var soon *survey.TooSoonError
		if !errors.As(err, &soon) || soon.Before != before {
			w.Errorf("answered %s with %v, want it too soon after %s", element, err, before)
		}
		if _, has := resp.Answers[element]; has || resp.Answers[before].Rating == matrix.NotAnswered {
			w.Errorf("beside the refusal comes %v", resp.Answers)
		}
		w.equal(w.response(seat).Answers, resp.Answers)
	}
	kept(made("a1", 0), "vision", 1)
	refused(made("a2", 400*time.Millisecond), "needs", "vision")
	refused(made("a2", 400*time.Millisecond), "needs", "vision")
	kept(made("a3", 500*time.Millisecond), "vision", 2) // the person corrects themselves
	refused(made("a4", 500*time.Millisecond+survey.DoubleTap-time.Microsecond), "needs", "vision")
	kept(made("a5", 500*time.Millisecond+survey.DoubleTap), "needs", 3)
	refused(made("a6", 2100*time.Millisecond), "outcomes", "needs")
	kept(made("a7", 2200*time.Millisecond), "vision", 4) // it was answered before
	kept(made("a8", 5*time.Second), "assets", 4)
	refused(made("a6", 2100*time.Millisecond), "outcomes", "assets") // a known operation of which nothing was kept
	kept(made("a9", time.Second), "leadership", 1)                   // it was made before the last, and arrives after it
	kept(survey.Operation{ID: "a10"}, "quality", 1)                  // where a platform tells no time, every answer counts
	kept(made("a11", 20*time.Second), "workforce", 1)
	kept(made("a12", 30*time.Second), "resources", 1)
	refused(made("a13", 20400*time.Millisecond), "experience", "workforce") // it arrives after a later answer
	kept(made("a14", 20*time.Second+survey.DoubleTap), "experience", 1)
	_, err := w.store.Detail(w.Context(), seat, now, made("d1", 2200*time.Millisecond), "needs", results.Detail{Note: "n"})
	w.must(err)
	// Other people are not concerned.
	seat = w.start(r, "ben")
	kept(made("b1", 2200*time.Millisecond), "needs", 1)
}

// Current notices a change of the response and of the entry, and none where there is none.
func current(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	is := func(seat survey.Participation, resp results.Response, want bool) {
		w.Helper()
		same, err := w.store.Current(w.Context(), seat, resp)
		w.must(err)
		if same != want {
			w.Errorf("current is %v, want %v", same, want)
		}
	}
	empty := w.versioned(seat)
	is(seat, empty, true)
	w.answer(seat, "o1", "vision", 1)
	first := w.versioned(seat)
	is(seat, empty, false)
	is(seat, results.Response{}, true) // which was not read
	is(seat, first, true)
	w.answer(seat, "o1", "vision", 1) // delivered again
	is(seat, first, true)
	_, err := w.store.Detail(w.Context(), seat, now, survey.Operation{ID: "o2"}, "vision", results.Detail{Note: "n"})
	w.must(err)
	is(seat, first, false)
	latest := w.versioned(seat)
	is(seat, latest, true)
	_, err = w.store.ChangeMember(w.Context(), seat, now, func(m *survey.Member) error {
		m.Language = matrix.Welsh
		return nil
	})
	w.must(err)
	is(seat, latest, false)
	seat = w.seat(r.ID, "ana")
	is(seat, latest, true)
	w.must(w.store.Withdraw(w.Context(), seat))
	is(seat, latest, false)
}

// due counts what is due.
func (w *world) due(at time.Time) int {
	w.Helper()
	n, err := w.store.Due(w.Context(), at)
	w.must(err)
	return n
}

// take takes everything that is due, and returns what is owed in these rounds.
func (w *world) take(at time.Time, rounds ...survey.Round) []survey.Delivery {
	w.Helper()
	all, err := w.store.Lease(w.Context(), at, at.Add(time.Minute), 1000)
	w.must(err)
	all = slices.DeleteFunc(all, func(d survey.Delivery) bool {
		return !slices.ContainsFunc(rounds, func(r survey.Round) bool { return r.ID == d.Round })
	})
	slices.SortFunc(all, func(a, b survey.Delivery) int {
		return strings.Compare(string(a.Round)+string(a.Kind)+string(a.Person), string(b.Round)+string(b.Kind)+string(b.Person))
	})
	return all
}

// Whoever is invited is owed the invitation, once; whoever was there already, or joined by themselves, is not.
func owedOnce(w *world) {
	r := w.open()
	ana, ben, cem := survey.Member{Person: w.person("ana")}, survey.Member{Person: w.person("ben")}, survey.Member{Person: w.person("cem")}
	_, err := w.store.Invite(w.Context(), r.ID, []survey.Member{cem}, "", time.Time{}, nil)
	w.must(err)
	for range 2 {
		_, err = w.store.Invite(w.Context(), r.ID, []survey.Member{ana, ben, cem}, survey.Invitation, now, nil)
		w.must(err)
	}
	w.must(w.store.Enqueue(w.Context(), r.ID, survey.Invitation, now.Add(-time.Hour), []survey.PersonID{ana.Person}))
	w.must(w.store.Enqueue(w.Context(), r.ID, survey.Nudge, now.Add(time.Hour), []survey.PersonID{ana.Person}))
	w.equal(len(w.take(now.Add(-time.Second), r)), 0)
	before := w.due(now.Add(-time.Second))
	w.equal(w.due(now)-before, 2)
	invitations := []survey.Delivery{{Round: r.ID, Person: ana.Person, Kind: survey.Invitation}, {Round: r.ID, Person: ben.Person, Kind: survey.Invitation}}
	w.equal(w.take(now, r), invitations)
	w.equal(w.due(now), 0) // somebody has them
	for _, d := range invitations {
		w.must(w.store.Ack(w.Context(), d))
		w.must(w.store.Ack(w.Context(), d))
	}
	w.equal(w.take(now.Add(time.Hour), r), []survey.Delivery{{Round: r.ID, Person: ana.Person, Kind: survey.Nudge}})
	w.want(w.store.Enqueue(w.Context(), w.draft().ID, survey.Nudge, now, []survey.PersonID{ana.Person}), survey.ErrNoRound)
}

// Of many who take at once, one gets each message.
func takenOnce(w *world) {
	r := w.open()
	var people []survey.PersonID
	for i := range 100 {
		people = append(people, w.person(fmt.Sprint("p", i)))
	}
	w.must(w.store.Enqueue(w.Context(), r.ID, survey.Nudge, now, people))
	var mu sync.Mutex
	got := map[survey.PersonID]int{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				some, err := w.store.Lease(w.Context(), now, now.Add(time.Hour), 7)
				if err != nil {
					w.Error(err)
				}
				if len(some) == 0 || len(some) > 7 {
					return
				}
				mu.Lock()
				for _, d := range some {
					if d.Round == r.ID {
						got[d.Person]++
					}
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	w.equal(len(got), len(people))
	for person, n := range got {
		if n != 1 {
			w.Errorf("%s was handed out %d times", person, n)
		}
	}
}

// What was taken and not settled is handed out again, but not before its time.
func leaseEnds(w *world) {
	r := w.open()
	w.invite(r.ID, "ana")
	at := time.Now()
	want := []survey.Delivery{{Round: r.ID, Person: w.person("ana"), Kind: survey.Invitation}}
	w.equal(w.take(at, r), want)
	w.equal(len(w.take(at.Add(58*time.Second), r)), 0)
	w.equal(w.take(at.Add(61*time.Second), r), want)
}

// A postponed message is due at its new time; one that was settled does not come back.
func postponed(w *world) {
	r := w.open()
	w.invite(r.ID, "ana", "ben")
	at := time.Now()
	taken := w.take(at, r)
	w.equal(len(taken), 2)
	w.must(w.store.Ack(w.Context(), taken[1]))
	for _, d := range taken {
		w.must(w.store.Reschedule(w.Context(), d, at.Add(10*time.Second)))
	}
	w.equal(len(w.take(at.Add(5*time.Second), r)), 0)
	w.equal(w.take(at.Add(11*time.Second), r), taken[:1])
}

// A round with very much to send leaves room for the others.
func largeRoundHoldsUpNone(w *world) {
	large, small := w.open(), w.open()
	var people []survey.PersonID
	for i := range 300 {
		people = append(people, w.person(fmt.Sprint("p", i)))
	}
	w.must(w.store.Enqueue(w.Context(), large.ID, survey.Nudge, now.Add(-time.Hour), people))
	w.must(w.store.Enqueue(w.Context(), small.ID, survey.Nudge, now, []survey.PersonID{w.person("ana")}))
	some, err := w.store.Lease(w.Context(), now, now.Add(time.Hour), 50)
	w.must(err)
	if !slices.Contains(some, survey.Delivery{Round: small.ID, Person: w.person("ana"), Kind: survey.Nudge}) || len(some) > 50 {
		w.Errorf("the small round's message is not among the %d taken", len(some))
	}
}

// What came last does not wait until everything that was due before it has been taken.
func longRowHoldsUpNone(w *world) {
	r := w.open()
	var people []survey.PersonID
	for i := range 100 {
		people = append(people, w.person(fmt.Sprint("p", i)))
	}
	w.must(w.store.Enqueue(w.Context(), r.ID, survey.Nudge, now.Add(-time.Hour), people))
	w.must(w.store.Enqueue(w.Context(), r.ID, survey.Invitation, now, []survey.PersonID{w.person("ana")}))
	some, err := w.store.Lease(w.Context(), now, now.Add(time.Hour), 10)
	w.must(err)
	w.equal(len(some), 10)
	if !slices.ContainsFunc(some, func(d survey.Delivery) bool { return d.Kind == survey.Invitation }) {
		w.Errorf("the latest was not among %v", some)
	}
}

// A post is planned once for ever, also when it was settled; what was noted is found beside it.
func plannedOnce(w *world) {
	r := w.open()
	digest := survey.Digest.On("2026-12-04")
	for range 2 {
		w.must(w.store.Plan(w.Context(), r.ID, digest, now))
	}
	w.must(w.store.MarkPlanned(w.Context(), r.ID, []string{"closes@2026-12-04 Asia/Tokyo", "closes@2026-12-04 Europe/London"}))
	w.must(w.store.MarkPlanned(w.Context(), r.ID, nil))
	owed := survey.Delivery{Round: r.ID, Kind: digest}
	w.equal(w.take(now, r), []survey.Delivery{owed})
	w.must(w.store.Ack(w.Context(), owed))
	w.must(w.store.Plan(w.Context(), r.ID, digest, now))
	w.equal(len(w.take(now.Add(time.Hour), r)), 0)
	names, _, err := w.store.Planned(w.Context(), r.ID)
	w.must(err)
	w.equal(names, map[string]bool{string(digest): true, "closes@2026-12-04 Asia/Tokyo": true, "closes@2026-12-04 Europe/London": true})
	missing := w.draft().ID
	w.want(w.store.Plan(w.Context(), missing, digest, now), survey.ErrNoRound)
	w.want(w.store.MarkPlanned(w.Context(), missing, []string{"x"}), survey.ErrNoRound)
}

// plans returns which of the rounds are visited to be planned at a time, each of which is next due at another.
func (w *world) plans(now, next time.Time, ours ...survey.Round) []survey.RoundID {
	w.Helper()
	var mu sync.Mutex
	var all []survey.RoundID
	w.must(w.store.EachToPlan(w.Context(), now, func(r survey.Round) (time.Time, error) {
		mu.Lock()
		defer mu.Unlock()
		if slices.ContainsFunc(ours, func(o survey.Round) bool { return o.ID == r.ID }) {
			all = append(all, r.ID)
			return next, nil
		}
		return time.Time{}, nil
	}))
	slices.Sort(all)
	return all
}

// A round is visited when it is due, and as long as its visit fails, and never again when nothing is next.
func planWhatIsDue(w *world) {
	r, none := w.open(), []survey.RoundID(nil)
	due := []survey.RoundID{r.ID}
	later := now.Add(time.Hour)
	var fails atomic.Int32
	w.must(w.store.EachToPlan(w.Context(), now, func(survey.Round) (time.Time, error) {
		fails.Add(1)
		return later, errors.New("fails")
	}))
	w.equal(fails.Load() > 0, true)
	w.equal(w.plans(now, later, r), due)
	w.equal(w.plans(later.Add(-time.Second), later, r), none)
	w.equal(w.plans(later, time.Time{}, r), due)
	w.equal(w.plans(later.AddDate(1, 0, 0), later, r), none)
	w.want(w.store.EachToPlan(w.Context(), later, func(survey.Round) (time.Time, error) {
		w.Error("visited")
		return later, nil
	}), nil)
}

// A round that has changed is visited, also when it changes while it is visited.
func planWhatHasChanged(w *world) {
	r := w.open()
	never := now.AddDate(1, 0, 0)
	w.plans(now, never, r)
	changed := func(what string) {
		w.Helper()
		if got := w.plans(now, never, r); !slices.Equal(got, []survey.RoundID{r.ID}) {
			w.Errorf("%s: visited %v", what, got)
		}
		if got := w.plans(now, never, r); len(got) > 0 {
			w.Errorf("%s: visited again", what)
		}
	}
	save := func() {
		r.ClosesAt = r.ClosesAt.Add(time.Hour)
		w.must(w.store.SaveRound(w.Context(), r, audit.Entry{}))
		r.Version++
	}
	save()
	changed("saved")
	save()
	w.must(w.store.EachToPlan(w.Context(), now, func(visited survey.Round) (time.Time, error) {
		if visited.ID == r.ID {
			save()
		}
		return never, nil
	}))
	changed("saved while it was visited")
	seat := w.start(r, "ana")
	w.plans(now, never, r)
	_, err := w.store.ChangeMember(w.Context(), seat, now, func(m *survey.Member) error {
		m.TimeZone = "Asia/Tokyo"
		return nil
	})
	w.must(err)
	changed("a time zone is new")
	_, err = w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
	w.must(err)
	changed("closed")
}

// Every round can be had visited, whenever it is due.
func planAll(w *world) {
	r, never := w.open(), now.AddDate(1, 0, 0)
	draft := w.draft()
	w.must(w.store.CreateRound(w.Context(), draft, audit.Entry{}))
	w.plans(now, never, r)
	w.plans(now, time.Time{}, draft)
	w.must(w.store.PlanAll(w.Context()))
	w.equal(len(w.plans(now, never, r, draft)), 2)
	w.equal(len(w.plans(now, never, r, draft)), 0)
}

// Every round that is kept is visited, whatever its state.
func everyRound(w *world) {
	want := map[survey.RoundID]survey.State{}
	for i := range 3 {
		r := w.open()
		want[r.ID] = survey.Open
		if i == 2 {
			_, err := w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})
			w.must(err)
			want[r.ID] = survey.Closed
		}
	}
	got := map[survey.RoundID]survey.State{}
	w.must(w.store.Rounds(w.Context(), func(r survey.Round) error {
		if _, ours := want[r.ID]; ours {
			got[r.ID] = r.State
		}
		return nil
	}))
	w.equal(got, want)
	stop := errors.New("stop")
	w.want(w.store.Rounds(w.Context(), func(survey.Round) error { return stop }), stop)
}

// The time zones of a round's people are known without reading its roster.
func zones(w *world) {
	r := w.open()
	for name, zone := range map[string]string{"ana": "Asia/Tokyo", "ben": "Europe/London", "cem": "Asia/Tokyo"} {
		_, err := w.store.ChangeMember(w.Context(), w.start(r, name), now, func(m *survey.Member) error {
			m.TimeZone = zone
			return nil
		})
		w.must(err)
	}
	names, got, err := w.store.Planned(w.Context(), r.ID)
	w.must(err)
	slices.Sort(got)
	w.equal(got, []string{"Asia/Tokyo", "Europe/London"})
	w.equal(len(names), 0)
}

// Everybody of a large roster is visited, at least once.
func scanPages(w *world) {
	const people = 1020
	r := w.open()
	var members []survey.Member
	for i := range people {
		members = append(members, survey.Member{Person: w.person(fmt.Sprint("p", i)), Status: survey.Invited})
	}
	_, err := w.store.Invite(w.Context(), r.ID, members, "", time.Time{}, nil)
	w.must(err)
	seen := map[survey.PersonID]bool{}
	w.must(w.store.Scan(w.Context(), r.ID, func(m survey.Member) error {
		seen[m.Person] = true
		return nil
	}))
	w.equal(len(seen), people)
	stop := errors.New("stop")
	w.want(w.store.Scan(w.Context(), r.ID, func(survey.Member) error { return stop }), stop)
}

// A survey whose closing time was moved while it was about to close by itself stays open, and people's answers are theirs.
func closeDueUnlessMoved(w *world) {
	r := w.open()
	seat := w.start(r, "ana")
	was := r.ClosesAt
	r.ClosesAt = was.Add(7 * 24 * time.Hour)
	w.must(w.store.SaveRound(w.Context(), r, audit.Entry{}))
	kept, err := w.store.CloseDue(w.Context(), r.ID, was, audit.Entry{})
	w.must(err)
	w.equal(kept.State, survey.Open)
	w.equal(w.seat(r.ID, "ana").Pseudonym, seat.Pseudonym)
	closed, err := w.store.CloseDue(w.Context(), r.ID, r.ClosesAt, audit.Entry{})
	w.must(err)
	w.equal(closed.State, survey.Closed)
	w.equal(closed.ClosedAt.Equal(r.ClosesAt), true)
	again, err := w.store.CloseDue(w.Context(), r.ID, r.ClosesAt, audit.Entry{})
	w.must(err)
	w.equal(again.ClosedAt, closed.ClosedAt)
}

func act(a audit.Action) audit.Entry {
	return audit.Entry{At: now, By: "test:w:cora", Action: a}
}

func always(e audit.Entry) func([]audit.Entry) (audit.Entry, bool) {
	return func([]audit.Entry) (audit.Entry, bool) { return e, true }
}

func invited(n int) audit.Entry {
	e := act(audit.Invited)
	e.Changes = []audit.Change{{Field: audit.FieldPeople, New: fmt.Sprint(n)}}
	return e
}

// record returns the acts of a round's record, which must be whole.
func (w *world) record(id survey.RoundID) (acts []audit.Action, all []audit.Entry) {
	w.Helper()
	all, err := w.store.AuditLog(w.Context(), id)
	w.must(err)
	for _, e := range all {
		acts = append(acts, e.Action)
	}
	if broken := audit.Verify(string(id), all); broken != 0 {
		w.Errorf("the record %v is broken at its entry %d", acts, broken)
	}
	return acts, all
}

// Entries come back as they were kept, every field of them, one after the other.
func recordWhole(w *world) {
	r := w.draft()
	e := audit.Entry{At: now.Add(123 * time.Millisecond), By: string(w.person("cora")), Action: audit.Created, Changes: []audit.Change{
		{Field: "area", Old: "Ynys Môn \"<&>\"", New: "=1\n\xff"}, {Field: "place"},
	}}
	w.must(w.store.CreateRound(w.Context(), r, e))
	first := e.Chain(string(r.ID), audit.Entry{})
	w.full(first)
	second := act(audit.Results).Chain(string(r.ID), first)
	w.must(w.store.AppendEntry(w.Context(), r.ID, func(record []audit.Entry) (audit.Entry, bool) {
		w.equal(record, []audit.Entry{first})
		return act(audit.Results), true
	}))
	w.must(w.store.AppendEntry(w.Context(), r.ID, func([]audit.Entry) (audit.Entry, bool) { return act(audit.Refused), false }))
	_, all := w.record(r.ID)
	w.equal(all, []audit.Entry{first, second})
}

// Each change is recorded once, however often it is made.
func recordWithEachChange(w *world) {
	r, ctx := w.draft(), w.Context()
	for range 2 {
		w.must(w.store.CreateRound(ctx, r, act(audit.Created)))
	}
	r.State = survey.Open
	for range 2 {
		w.must(w.store.SaveRound(ctx, r, act(audit.Opened)))
	}
	r.Version++
	ana, ben, cem := survey.Member{Person: w.person("ana")}, survey.Member{Person: w.person("ben")}, survey.Member{Person: w.person("cem")}
	for range 2 {
		w.must(second(w.store.Invite(ctx, r.ID, []survey.Member{ana, ben}, "", now, invited)))
	}
	w.must(second(w.store.Invite(ctx, r.ID, []survey.Member{ana, cem}, "", now, invited))) // one of them is new
	was := r.ClosesAt
	r.ClosesAt = was.Add(time.Hour)
	w.must(w.store.SaveRound(ctx, r, act(audit.Extended)))
	w.must(second(w.store.CloseDue(ctx, r.ID, was, act(audit.Closed)))) // it has been moved
	for range 2 {
		w.must(second(w.store.CloseDue(ctx, r.ID, r.ClosesAt, act(audit.Closed))))
		w.must(second(w.store.CloseRound(ctx, r.ID, now, act(audit.Closed))))
	}
	acts, all := w.record(r.ID)
	w.equal(acts, []audit.Action{audit.Created, audit.Opened, audit.Invited, audit.Invited, audit.Extended, audit.Closed})
	w.equal([]string{all[2].Changes[0].New, all[3].Changes[0].New}, []string{"2", "1"})
	other := w.open() // without an entry, then closed with one
	w.must(second(w.store.CloseRound(ctx, other.ID, now, act(audit.Created))))
	acts, _ = w.record(other.ID)
	w.equal(acts, []audit.Action{audit.Created})
}

// What is not done is not recorded; nor is what is done without an entry.
func recordOfNothing(w *world) {
	r, ctx := w.draft(), w.Context()
	r.State = survey.Open
	w.must(w.store.CreateRound(ctx, r, act(audit.Created)))
	stale := r
	r.Area = "First"
	w.must(w.store.SaveRound(ctx, r, audit.Entry{}))
	w.want(w.store.SaveRound(ctx, stale, act(audit.Workshop)), survey.ErrChanged)
	w.invite(r.ID, "ana")
	w.must(second(w.store.Invite(ctx, r.ID, []survey.Member{{Person: w.person("ana")}}, "", now, invited)))
	w.must(second(w.store.CloseRound(ctx, r.ID, now, audit.Entry{})))
	w.want(w.store.SaveRound(ctx, r, act(audit.Workshop)), survey.ErrClosed)
	w.want(second(w.store.Invite(ctx, r.ID, []survey.Member{{Person: w.person("ben")}}, "", now, invited)), survey.ErrClosed)
	acts, _ := w.record(r.ID)
	w.equal(acts, []audit.Action{audit.Created})
}

// Of many who act at once each is recorded, as what it was, in one whole chain.
func recordCrowd(w *world) {
	r, ctx := w.draft(), w.Context()
	r.State = survey.Open
	w.must(w.store.CreateRound(ctx, r, act(audit.Created)))
	var saved, added atomic.Int64
	w.each(24, func(i int) {
		for {
			var err error
			switch i % 3 {
			case 0:
				var kept survey.Round
				if kept, err = w.store.Round(ctx, r.ID); err == nil {
					kept.Area = fmt.Sprint(i) // two who make the same change at once have made one
					if err = w.store.SaveRound(ctx, kept, act(audit.Workshop)); err == nil {
						saved.Add(1)
					}
				}
			case 1:
				e := act(audit.Results)
				e.By = string(w.person(fmt.Sprint(i)))
				err = w.store.AppendEntry(ctx, r.ID, always(e))
			default:
				var in []survey.Member
				in, err = w.store.Invite(ctx, r.ID, []survey.Member{{Person: w.person(fmt.Sprint(i))}, {Person: w.person("everybody")}}, "", now, invited)
				added.Add(int64(len(in)))
			}
			if !errors.Is(err, survey.ErrChanged) { // the crowd was faster than it tried: once more
				w.must(err)
				return
			}
		}
	})
	_, all := w.record(r.ID)
	n, people := map[audit.Action]int64{}, int64(0)
	for _, e := range all {
		n[e.Action]++
		if e.Action == audit.Invited {
			i, err := strconv.ParseInt(e.Changes[0].New, 10, 64)
			w.must(err)
			people += i
		}
	}
	w.equal(n, map[audit.Action]int64{audit.Created: 1, audit.Workshop: saved.Load(), audit.Results: 8, audit.Invited: 8})
	w.equal([]int64{saved.Load(), people, added.Load()}, []int64{8, 9, 9})
}
