// Package storetest says what a survey.Store must do, one function a law. It knows the interface
// only, and is imported by tests only.
package storetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// Run tries every law on the stores that fresh returns. Each law uses rounds, people and channels
// of its own, so they may all be given the same store, and run side by side; but a store that has
// the method SetTime(time.Time), by which it expires things, must be a new one each time. For
// others the laws of expiry wait expiryDelay.
func Run(t *testing.T, fresh func(t *testing.T) survey.Store) {
	runExpiryLaws(t, fresh)
	runQueueLaws(t, fresh)
	for _, law := range []struct {
		name string
		hold func(*tester)
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
		{"not-in-roster", notInRoster},
		{"change-from-stale-participation", changeFromStaleParticipation},
		{"change-refused", changeRefused},
		{"change-crowd", changeCrowd},
		{"unreachable", unreachable},
		{"role-group-follows-role", roleGroupFollowsRole},
		{"roster-pages", rosterPages},
		{"answer", answer},
		{"answer-twice", answerTwice},
		{"answer-replayed-after-newer", answerReplayedAfterNewer},
		{"one-operation-many-elements", oneOperationManyElements},
		{"take-back", takeBack},
		{"detail", detail},
		{"detail-replayed-after-newer", detailReplayedAfterNewer},
		{"free-text-survives", freeTextSurvives},
		{"odd-element", oddElement},
		{"not-taking-part", notTakingPart},
		{"draft-refuses", draftRefuses},
		{"late-refuses", lateRefuses},
		{"closed-refuses", closedRefuses},
		{"participation-from-before-the-close", participationFromBeforeTheClose},
		{"close-twice", closeTwice},
		{"close-destroys-secret", closeDestroysSecret},
		{"close-due-unless-moved", closeDueUnlessMoved},
		{"anonymise-forgets", anonymiseForgets},
		{"withdraw-erases", withdrawErases},
		{"withdraw-and-return", withdrawAndReturn},
		{"forget-open", forgetOpen},
		{"forget-closed", forgetClosed},
		{"forget-in-the-middle", forgetInTheMiddle},
		{"responses-pages", responsesPages},
		{"responses-unlinkable-order", responsesUnlinkableOrder},
		{"crowd", crowd},
		{"late-operation", lateOperation},
		{"too-soon", tooSoon},
		{"current", current},
		{"audit-log-whole", auditLogWhole},
		{"audit-with-each-change", auditWithEachChange},
		{"audit-of-nothing", auditOfNothing},
		{"audit-crowd", auditCrowd},
		{"assessment-whole", assessmentWhole},
		{"assessment-stale", assessmentStale},
		{"assessment-replayed", assessmentReplayed},
		{"workshop-missing", workshopMissing},
		{"saving-never-finishes", savingNeverFinishes},
		{"assessments-of-area", assessmentsOfArea},
		{"attending", attending},
		{"voting", voting},
		{"late-vote", lateVote},
		{"showing", showing},
		{"counted-vote-again", countedVoteAgain},
		{"show-crowd", showCrowd},
		{"ballot-replaced", ballotReplaced},
		{"objecting", objecting},
		{"ending", ending},
		{"ending-with-few", endingWithFew},
		{"end-crowd", endCrowd},
		{"steps-one-after-another", stepsOneAfterAnother},
		{"forget-in-workshop", forgetInWorkshop},
		{"links-whole", linksWhole},
		{"links-replayed", linksReplayed},
		{"links-limited", linksLimited},
		{"links-changed", linksChanged},
		{"open-link-crowd", openLinkCrowd},
		{"links-closed", linksClosed},
		{"forget-by-link", forgetByLink},
	} {
		t.Run(law.name, func(t *testing.T) {
			t.Parallel() // they begin when this function has returned
			law.hold(newTester(t, fresh))
		})
	}
}

// runExpiryLaws begins the laws of expiry: each makes its rounds now and then calls Parallel, so
// that the other laws are tried while the rounds expire.
func runExpiryLaws(t *testing.T, fresh func(t *testing.T) survey.Store) {
	for _, law := range []struct {
		name string
		hold func(*tester)
	}{
		{"expires", expires},
		{"extend-moves-expiry", extendMovesExpiry},
		{"workshop-expires", workshopExpires},
		{"workshop-moves-expiry", workshopMovesExpiry},
		{"links-expire", linksExpire},
	} {
		t.Run(law.name, func(t *testing.T) { law.hold(newTester(t, fresh)) })
	}
}

// runQueueLaws runs the laws of the queue, one after another: Lease returns messages of any round, so
// laws that run at once would take each other's.
func runQueueLaws(t *testing.T, fresh func(t *testing.T) survey.Store) {
	for _, law := range []struct {
		name string
		hold func(*tester)
	}{
		{"enqueued-once", enqueuedOnce},
		{"leased-once", leasedOnce},
		{"lease-ends", leaseEnds},
		{"rescheduled", rescheduled},
		{"large-round-delays-none", largeRoundDelaysNone},
		{"backlog-delays-none", backlogDelaysNone},
		{"planned-once", plannedOnce},
		{"plan-what-is-due", planWhatIsDue},
		{"plan-what-has-changed", planWhatHasChanged},
		{"plan-all", planAll},
	} {
		t.Run(law.name, func(t *testing.T) { law.hold(newTester(t, fresh)) })
	}
}

// tester runs one law on a store.
type tester struct {
	*testing.T
	store  survey.Store
	name   string // makes ids of this law's own
	rounds int
}

func newTester(t *testing.T, fresh func(t *testing.T) survey.Store) *tester {
	return &tester{T: t, store: fresh(t), name: strings.ToLower(rand.Text()[:10])}
}

// now is the time of day in every law but those of expiry; open rounds close ten days later.
var now = time.Now().UTC().Truncate(time.Second)

func (w *tester) person(name string) survey.PersonID {
	return survey.PersonID("test:" + w.name + ":" + name)
}

func (w *tester) channel() string { return "channel-" + w.name }

// draft returns a round that is not kept yet.
func (w *tester) draft() survey.Round {
	w.rounds++
	return survey.Round{
		ID: survey.RoundID(fmt.Sprintf("%s%d", w.name, w.rounds)), State: survey.Draft, Area: "Ashford", Matrix: "england",
		Languages: []matrix.Lang{matrix.English}, TimeZone: survey.DefaultTimeZone, ClosesAt: now.Add(10 * 24 * time.Hour),
		Channel: w.channel(), Coordinators: []survey.PersonID{w.person("cora")}, MinGroup: results.DefaultMinGroup,
		Consensus: results.Consensus{Percent: results.DefaultConsensusPercent},
	}
}

// open keeps an open round.
func (w *tester) open() survey.Round {
	w.Helper()
	r := w.draft()
	r.State, r.OpenedAt = survey.Open, now
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	return r
}

// invite puts people into the roster.
func (w *tester) invite(id survey.RoundID, names ...string) {
	w.Helper()
	var people []survey.Member
	for _, n := range names {
		people = append(people, survey.Member{Person: w.person(n), Status: survey.Invited})
	}
	_, err := w.store.Invite(w.Context(), id, people, survey.Invitation, time.Now(), nil)
	w.must(err)
}

func (w *tester) participation(id survey.RoundID, name string) survey.Participation {
	w.Helper()
	s, err := w.store.Participation(w.Context(), id, w.person(name))
	w.must(err)
	return s
}

// start makes a person take part, invited before or not.
func (w *tester) start(r survey.Round, name string) survey.Participation {
	w.Helper()
	w.invite(r.ID, name)
	s, err := w.store.ChangeMember(w.Context(), w.participation(r.ID, name), r.ClosesAt.Add(-time.Hour), starts)
	w.must(err)
	return s
}

func starts(m *survey.Member) error {
	m.Status = survey.Started
	return nil
}

func (w *tester) answer(s survey.Participation, operation, element string, rating matrix.Rating) results.Response {
	w.Helper()
	at, op := s.Round.ClosesAt.Add(-time.Hour), survey.Operation{ID: operation}
	resp, err := w.store.Answer(w.Context(), s, at, op, element, rating)
	w.must(err)
	resp.Version = ""
	return resp
}

// tryAnswer returns the error of an answer.
func (w *tester) tryAnswer(
	place survey.Participation, at time.Time, operation, element string, rating matrix.Rating,
) error {
	op := survey.Operation{ID: operation}
	return second(w.store.Answer(w.Context(), place, at, op, element, rating))
}

// tryDetail returns the error of a detail.
func (w *tester) tryDetail(
	place survey.Participation, at time.Time, operation, element string,
) error {
	op, d := survey.Operation{ID: operation}, results.Detail{Note: "n"}
	return second(w.store.Detail(w.Context(), place, at, op, element, d))
}

// members returns members of whom nothing but the person is known.
func (w *tester) members(names ...string) []survey.Member {
	var all []survey.Member
	for _, n := range names {
		all = append(all, survey.Member{Person: w.person(n)})
	}
	return all
}

func (w *tester) response(s survey.Participation) results.Response {
	w.Helper()
	resp := w.versioned(s)
	resp.Version = ""
	return resp
}

// versioned is a response with its version, which no law but that of Current looks at.
func (w *tester) versioned(s survey.Participation) results.Response {
	w.Helper()
	resp, err := w.store.Response(w.Context(), s)
	w.must(err)
	return resp
}

func (w *tester) responses(id survey.RoundID) []results.Response {
	w.Helper()
	var all []results.Response
	w.must(w.store.Responses(w.Context(), id, func(r results.Response) error {
		r.Answers, r.Version = maps.Clone(r.Answers), ""
		all = append(all, r)
		return nil
	}))
	return all
}

func (w *tester) roster(id survey.RoundID) map[survey.PersonID]survey.Member {
	w.Helper()
	all := map[survey.PersonID]survey.Member{}
	w.must(w.store.Roster(w.Context(), id, func(m survey.Member) error {
		if _, twice := all[m.Person]; twice {
			w.Errorf("a member is visited twice")
		}
		all[m.Person] = m
		return nil
	}))
	return all
}

func (w *tester) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *tester) want(err, wanted error) {
	w.Helper()
	if !errors.Is(err, wanted) {
		w.Errorf("got error %v, want %v", err, wanted)
	}
}

func (w *tester) equal(got, want any) {
	w.Helper()
	if !reflect.DeepEqual(got, want) {
		w.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// allFieldsSet fails the law if a field of the struct is zero, because the law would not notice that
// the store loses such a field.
func (w *tester) allFieldsSet(v any) {
	w.Helper()
	for field, value := range reflect.ValueOf(v).Fields() {
		if value.IsZero() {
			w.Errorf("the law forgets the field %s", field.Name)
		}
	}
}

// eventuallyTimeout is how long eventually waits.
const eventuallyTimeout = 30 * time.Second

// eventually calls done until it returns true, for up to eventuallyTimeout. When the store's clock
// can be set, it moves the clock forward by as much first.
func (w *tester) eventually(what string, done func() bool) {
	w.Helper()
	if clock, ok := w.store.(interface{ SetTime(time.Time) }); ok {
		clock.SetTime(time.Now().Add(eventuallyTimeout))
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(eventuallyTimeout); !done(); <-tick.C {
		if time.Now().After(deadline) {
			w.Fatalf("not after %v: %s", eventuallyTimeout, what)
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

// each calls do for every number below n, a few at a time.
func (w *tester) each(n int, do func(int)) {
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
