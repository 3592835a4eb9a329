package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
)

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
func (w *tester) record(id survey.RoundID) (acts []audit.Action, all []audit.Entry) {
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
func auditLogWhole(w *tester) {
	r := w.draft()
	at, by := now.Add(123*time.Millisecond), string(w.person("cora"))
	e := audit.Entry{At: at, By: by, Action: audit.Created, Changes: []audit.Change{
		{Field: "area", Old: "Ynys Môn \"<&>\"", New: "=1\n\xff"}, {Field: "place"},
	}}
	w.must(w.store.CreateRound(w.Context(), r, e))
	first := e.Chain(string(r.ID), audit.Entry{})
	w.allFieldsSet(first)
	second := act(audit.Results).Chain(string(r.ID), first)
	w.must(w.store.AppendEntry(w.Context(), r.ID, func(record []audit.Entry) (audit.Entry, bool) {
		w.equal(record, []audit.Entry{first})
		return act(audit.Results), true
	}))
	w.must(w.store.AppendEntry(w.Context(), r.ID, func([]audit.Entry) (audit.Entry, bool) {
		return act(audit.Refused), false
	}))
	_, all := w.record(r.ID)
	w.equal(all, []audit.Entry{first, second})
}

// Each change is recorded once, however often it is made.
func auditWithEachChange(w *tester) {
	r, ctx := w.draft(), w.Context()
	for range 2 {
		w.must(w.store.CreateRound(ctx, r, act(audit.Created)))
	}
	r.State = survey.Open
	for range 2 {
		w.must(w.store.SaveRound(ctx, r, act(audit.Opened)))
	}
	r.Version++
	people := w.members("ana", "ben", "cem")
	ana, ben, cem := people[0], people[1], people[2]
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
func auditOfNothing(w *tester) {
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
	_, err := w.store.Invite(ctx, r.ID, w.members("ben"), "", now, invited)
	w.want(err, survey.ErrClosed)
	acts, _ := w.record(r.ID)
	w.equal(acts, []audit.Action{audit.Created})
}

// Of many who act at once each is recorded, as what it was, in one whole chain.
func auditCrowd(w *tester) {
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
				people := w.members(fmt.Sprint(i), "everybody")
				in, err = w.store.Invite(ctx, r.ID, people, "", now, invited)
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
