package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/results"
)

// linkTester runs laws of links.
type linkTester struct{ *tester }

// webPerson returns a person who takes part by link.
func (w linkTester) webPerson(name string) survey.PersonID {
	return survey.PersonID(survey.WebPlatform + "::" + w.name + "-" + name)
}

// newLink returns a personal link that is not kept yet.
func (w linkTester) newLink(name string) survey.Link {
	return survey.Link{
		Person: w.webPerson(name), Label: "Label of " + name, Role: "midwife",
		Seed: []byte("seed\x00" + name), Key: "key", Hash: "hash-" + name,
	}
}

// addLinks keeps personal links.
func (w linkTester) addLinks(id survey.RoundID, names ...string) []survey.Link {
	w.Helper()
	var links []survey.Link
	for _, n := range names {
		links = append(links, w.newLink(n))
	}
	kept, err := w.store.AddLinks(w.Context(), id, now, links, "health", act(audit.LinksMade))
	w.must(err)
	return kept
}

// tryLinks returns the error of keeping personal links at a time.
func (w linkTester) tryLinks(id survey.RoundID, at time.Time, links ...survey.Link) error {
	return second(w.store.AddLinks(w.Context(), id, at, links, "", audit.Entry{}))
}

// openLink makes an open link.
func (w linkTester) openLink(id survey.RoundID, hash string, maximum int) survey.Link {
	w.Helper()
	open := survey.Link{Seed: []byte(hash), Key: "key", Hash: hash, Maximum: maximum}
	w.must(w.store.ChangeLink(w.Context(), id, survey.Link{}, open, act(audit.OpenLinkMade)))
	return open
}

// enter lets a person in by the open link with a hash.
func (w linkTester) enter(id survey.RoundID, open, name string) error {
	person := survey.Link{Person: w.webPerson(name), Hash: "code-" + name}
	return w.store.EnterByLink(w.Context(), id, now, open, person)
}

// links returns the links of a round.
func (w linkTester) links(id survey.RoundID) survey.Links {
	w.Helper()
	all, err := w.store.Links(w.Context(), id)
	w.must(err)
	return all
}

// leadsTo checks what a hash leads to.
func (w linkTester) leadsTo(id survey.RoundID, hash string, want survey.PersonID) {
	w.Helper()
	got, err := w.store.FindLink(w.Context(), id, []string{"other", hash})
	w.must(err)
	w.equal([]any{got.Index, got.Member.Person, got.Open, got.Full}, []any{1, want, false, false})
	part, err := w.store.Participation(w.Context(), id, want)
	w.must(err)
	w.equal(got.Participation, part)
}

// leadsNowhere checks that a hash leads nowhere.
func (w linkTester) leadsNowhere(id survey.RoundID, hash string) {
	w.Helper()
	w.want(second(w.store.FindLink(w.Context(), id, []string{hash})), survey.ErrNoLink)
}

// Links come back as they were kept, every field of them, with their people on the roster.
func linksWhole(t *tester) {
	w := linkTester{t}
	r := w.open()
	w.equal(w.links(r.ID), survey.Links{})
	first := w.addLinks(r.ID, "b", "a")
	w.equal([]int{first[0].Number, first[1].Number}, []int{1, 2})
	whole := first[0]
	whole.Maximum = 1 // of the open link only
	w.allFieldsSet(whole)
	next := w.addLinks(r.ID, "c")
	open := w.openLink(r.ID, "open-1", 3)
	w.equal(w.links(r.ID), survey.Links{Personal: append(first, next...), Open: open})
	w.equal(next[0].Number, 3)
	w.equal(w.roster(r.ID)[w.webPerson("a")], survey.Member{
		Person: w.webPerson("a"), Status: survey.Invited, Role: "midwife", Group: "health",
	})
	w.leadsTo(r.ID, "hash-a", w.webPerson("a"))
	w.leadsNowhere(r.ID, "hash-z")
	w.leadsNowhere("nothing", "hash-a")
	of, err := w.store.RoundsOf(w.Context(), w.webPerson("c"))
	w.must(err)
	w.equal(of, []survey.RoundID{r.ID})
}

// Links that are sent again, their reply lost, are kept once, with the same numbers.
func linksReplayed(t *tester) {
	w := linkTester{t}
	r := w.draft()
	w.must(w.store.CreateRound(w.Context(), r, act(audit.Created)))
	w.want(w.tryLinks(r.ID, now, w.newLink("x")), survey.ErrNotOpen)
	r.State, r.OpenedAt = survey.Open, now
	w.must(w.store.SaveRound(w.Context(), r, act(audit.Opened)))
	first := w.addLinks(r.ID, "z", "b", "a")
	w.equal(w.addLinks(r.ID, "z", "b", "a"), first)
	open := w.openLink(r.ID, "open-1", 2)
	w.openLink(r.ID, "open-1", 2)
	for range 2 {
		w.must(w.enter(r.ID, "open-1", "n1"))
	}
	w.equal(w.links(r.ID), survey.Links{Personal: first, Open: open, Used: 1})
	acts, _ := w.record(r.ID)
	w.equal(acts, []audit.Action{audit.Created, audit.Opened, audit.LinksMade, audit.OpenLinkMade})
	w.want(w.tryLinks(r.ID, r.ClosesAt, w.newLink("late")), survey.ErrClosed)
	w.want(w.tryLinks("nothing", now, w.newLink("x")), survey.ErrNoRound)
}

// A round has a limited number of links.
func linksLimited(t *tester) {
	w := linkTester{t}
	r := w.open()
	some := func(n int) error {
		var links []survey.Link
		for i := range n {
			links = append(links, w.newLink(fmt.Sprint(len(w.name), w.rounds, n, i)))
		}
		return w.tryLinks(r.ID, now, links...)
	}
	w.must(some(survey.MaxLinks - 2))
	input, ok := errors.AsType[*survey.InputError](some(3))
	if !ok || input.Limit != survey.MaxLinks {
		w.Errorf("got %v", input)
	}
	w.must(some(2))
	w.equal(len(w.links(r.ID).Personal), survey.MaxLinks)
}

// A link that is revoked or replaced leads nowhere, and its person stays.
func linksChanged(t *tester) {
	w := linkTester{t}
	r := w.open()
	link := w.addLinks(r.ID, "a", "b")[0]
	change := func(before, after survey.Link) error {
		return w.store.ChangeLink(w.Context(), r.ID, before, after, act(audit.LinkReissued))
	}
	fresh := link
	fresh.Seed, fresh.Hash = []byte("fresh"), "hash-fresh"
	for range 2 { // the second time, the reply was lost
		w.must(change(link, fresh))
	}
	w.leadsNowhere(r.ID, "hash-a")
	w.leadsTo(r.ID, "hash-fresh", link.Person)
	w.want(change(link, link), survey.ErrChanged)
	revoked := fresh
	revoked.Seed, revoked.Key, revoked.Hash = nil, "", ""
	w.must(change(fresh, revoked))
	w.leadsNowhere(r.ID, "hash-fresh")
	w.equal(w.links(r.ID).Personal[0], revoked)
	w.leadsTo(r.ID, "hash-b", w.webPerson("b"))
	w.must(change(revoked, fresh))
	w.leadsTo(r.ID, "hash-fresh", link.Person)
	w.equal(len(w.roster(r.ID)), 2)

	open := w.openLink(r.ID, "open-1", 2)
	w.must(w.enter(r.ID, "open-1", "n1"))
	other := open
	other.Seed, other.Hash = []byte("2"), "open-2"
	w.must(change(open, other))
	w.want(w.enter(r.ID, "open-1", "n2"), survey.ErrNoLink)
	w.leadsNowhere(r.ID, "open-1")
	w.leadsTo(r.ID, "code-n1", w.webPerson("n1"))
	w.must(w.enter(r.ID, "open-2", "n2"))
	w.must(change(other, survey.Link{}))
	w.want(w.enter(r.ID, "open-2", "n3"), survey.ErrNoLink)
	w.equal(w.links(r.ID).Open, survey.Link{})
	w.leadsTo(r.ID, "code-n2", w.webPerson("n2"))
	w.want(w.store.ChangeLink(w.Context(), "nothing", open, other, audit.Entry{}), survey.ErrNoRound)
}

// The open link lets in as many people as it may, however many come at once.
func openLinkCrowd(t *tester) {
	w := linkTester{t}
	r := w.open()
	const maximum, people = 20, 60
	open := w.openLink(r.ID, "open-1", maximum)
	full := func() bool {
		w.Helper()
		got, err := w.store.FindLink(w.Context(), r.ID, []string{open.Hash})
		w.must(err)
		w.equal(got.Open, true)
		return got.Full
	}
	w.equal(full(), false)
	var entered, refused atomic.Int64
	w.each(2*people, func(i int) { // each comes twice
		switch err := w.enter(r.ID, "open-1", fmt.Sprint("n", i%people)); {
		case err == nil:
			entered.Add(1)
		case errors.Is(err, survey.ErrLinkFull):
			refused.Add(1)
		default:
			w.Error(err)
		}
	})
	w.equal([]int64{entered.Load(), refused.Load()}, []int64{2 * maximum, 2 * (people - maximum)})
	w.equal(len(w.roster(r.ID)), maximum)
	w.equal(w.links(r.ID).Used, maximum)
	w.equal(full(), true)
	more := open
	more.Maximum++
	w.must(w.store.ChangeLink(w.Context(), r.ID, open, more, audit.Entry{}))
	w.equal(full(), false)
}

// Closing destroys links and what leads from them to people. They still lead to the round.
func linksClosed(t *tester) {
	w := linkTester{t}
	r := w.open()
	link := w.addLinks(r.ID, "a")[0]
	open := w.openLink(r.ID, "open-1", 2)
	w.must(w.enter(r.ID, "open-1", "n1"))
	w.must(second(w.store.CloseRound(w.Context(), r.ID, now, audit.Entry{})))
	for range 2 {
		w.equal(w.links(r.ID), survey.Links{})
		w.leadsTo(r.ID, "hash-a", "")
		w.leadsTo(r.ID, "code-n1", "")
		got, err := w.store.FindLink(w.Context(), r.ID, []string{"open-1"})
		w.must(err)
		w.equal([]any{got.Index, got.Member, got.Open, got.Full}, []any{0, survey.Member{}, true, false})
		w.equal(got.Round.State, survey.Closed)
		w.must(w.store.AnonymiseRoster(w.Context(), r.ID, results.Turnout{Invited: 2}))
	}
	w.want(w.enter(r.ID, "open-1", "n2"), survey.ErrClosed)
	w.want(w.store.ChangeLink(w.Context(), r.ID, link, link, audit.Entry{}), survey.ErrClosed)
	w.want(w.store.ChangeLink(w.Context(), r.ID, open, survey.Link{}, audit.Entry{}), survey.ErrClosed)
	w.want(w.tryLinks(r.ID, now, w.newLink("b")), survey.ErrClosed)
}

// A person who is forgotten has no link and no return code any more, nor had a message. One who withdrew keeps theirs.
func forgetByLink(t *tester) {
	w := linkTester{t}
	r := w.open()
	w.addLinks(r.ID, "a", "b")
	w.openLink(r.ID, "open-1", 5)
	w.must(w.enter(r.ID, "open-1", "n1"))
	for _, name := range []string{"a", "n1"} {
		f, err := w.store.Forget(w.Context(), r.ID, w.webPerson(name))
		w.must(err)
		w.equal(f, survey.Forgotten{Invited: true})
	}
	w.leadsNowhere(r.ID, "hash-a")
	w.leadsNowhere(r.ID, "code-n1")
	w.equal(len(w.links(r.ID).Personal), 1)
	s, err := w.store.Participation(w.Context(), r.ID, w.webPerson("b"))
	w.must(err)
	w.must(w.store.Withdraw(w.Context(), s))
	w.leadsTo(r.ID, "hash-b", w.webPerson("b"))
}

// linksExpire: links expire with their round.
func linksExpire(t *tester) {
	w := linkTester{t}
	r := w.draft()
	r.State, r.OpenedAt = survey.Open, now
	r.ClosesAt = time.Now().Add(expiryDelay - survey.Retention)
	w.must(w.store.CreateRound(w.Context(), r, audit.Entry{}))
	link := w.newLink("a")
	w.must(w.tryLinks(r.ID, r.ClosesAt.Add(-time.Hour), link))
	w.Parallel()
	w.eventually("the links expire", func() bool {
		_, err := w.store.FindLink(w.Context(), r.ID, []string{link.Hash})
		return errors.Is(err, survey.ErrNoLink) && len(w.links(r.ID).Personal) == 0
	})
}
