package redis

import (
	"testing"
	"time"

	"maturitybot/survey"
)

// TestNoResponseOutlivesItsRound: an extension is held up between its script and the moving of expiries; meanwhile somebody
// closes the round. What the extension then goes on with must not keep the responses longer than the closed round.
func TestNoResponseOutlivesItsRound(t *testing.T) {
	t.Parallel()
	e := embedded(t)
	now := time.Now().UTC().Truncate(time.Second)
	e.SetTime(now)
	ana := survey.PersonID("p:w:ana")
	r := survey.Round{ID: "r", State: survey.Open, Matrix: "m", Channel: "c", Coordinators: []survey.PersonID{ana}, ClosesAt: now.Add(time.Hour)}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	must(e.CreateRound(ctx, r))
	_, err := e.Invite(ctx, "r", []survey.Member{{Person: ana, Standing: survey.Invited}}, survey.Invitation, time.Now())
	must(err)
	seat, err := e.Seat(ctx, "r", ana)
	must(err)
	seat, err = e.ChangeMember(ctx, seat, now, func(m *survey.Member) error { m.Standing = survey.Started; return nil })
	must(err)
	pseudonym := seat.Pseudonym

	extended := r
	extended.ClosesAt = now.Add(200 * 24 * time.Hour)
	must(e.SaveRound(ctx, extended))
	closed, err := e.CloseRound(ctx, "r", now)
	must(err)
	must(e.moveExpiry(ctx, extended)) // the extension goes on with what it knew

	kept, err := e.client.ExpireTime(ctx, responseKey("r", pseudonym)).Result()
	must(err)
	if want := time.Duration(closed.ExpiresAt().Unix()) * time.Second; kept != want {
		t.Errorf("the response lives until %v, its round until %v", time.Unix(int64(kept.Seconds()), 0), closed.ExpiresAt())
	}
}
