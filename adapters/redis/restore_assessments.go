package redis

import (
	"context"
	"crypto/rand"
	"errors"

	"maturitybot/survey"
	"maturitybot/survey/workshop"
)

// removeAssessments removes every assessment from the store.
func (r *restore) removeAssessments(ctx context.Context) error {
	names, err := r.client.ZRange(ctx, assessmentsKey, 0, -1).Result()
	if err != nil {
		return translate(err)
	}
	for _, name := range names {
		id := survey.RoundID(name)
		a, err := r.assessment(ctx, id)
		if err != nil && !errors.Is(err, survey.ErrNoAssessment) {
			return err
		}
		pipe := r.client.Pipeline()
		pipe.ZRem(ctx, areaKey(a.Area), name)
		pipe.Del(ctx, assessmentKey(id))
		pipe.Del(ctx, workshopKeys(id)...)
		pipe.ZRem(ctx, assessmentsKey, name)
		if err := exec(ctx, pipe); err != nil {
			return err
		}
	}
	return nil
}

// writeAssessment writes an assessment of the backup, unless it has expired or the store has a later
// version of it.
func (r *restore) writeAssessment(ctx context.Context, rec backupRecord) error {
	id := rec.Assessment
	a, err := backedUpAssessment(rec)
	if err != nil {
		return err
	}
	kept, err := r.assessment(ctx, id)
	if err != nil && !errors.Is(err, survey.ErrNoAssessment) {
		return err
	}
	if kept.Version > a.Version {
		a = kept
	}
	if !a.ExpiresAt.After(r.now()) {
		return nil
	}
	endBallot(&a)
	body, err := encodeAssessment(a)
	if err != nil {
		return err
	}
	if err := r.indexAssessment(ctx, a); err != nil {
		return err
	}
	key := assessmentKey(id)
	pipe := r.client.Pipeline()
	pipe.HSet(ctx, key, "version", a.Version, "stage", string(a.Stage), "body", body)
	pipe.HDel(ctx, key, "shown", "ended")
	pipe.ExpireAt(ctx, key, a.ExpiresAt)
	if restored := r.rounds[id]; restored != nil && a.Stage == workshop.Meeting {
		secret := make([]byte, survey.SecretBytes)
		rand.Read(secret) // never returns an error
		defer clear(secret)
		pipe.HSet(ctx, ballotKey(id), "objections", secret)
		pipe.ExpireAt(ctx, ballotKey(id), restored.round.ExpiresAt())
	}
	if err := exec(ctx, pipe); err != nil {
		return err
	}
	r.out.Assessments++
	return nil
}

// ballotsSinceBackup is more than the number of ballots that a workshop can have begun since the
// backup.
const ballotsSinceBackup = 10_000

// endBallot ends the open ballot of a workshop that is restored, because its votes are lost. Cards of
// ballots that were begun after the backup may still be posted. The next ballot therefore gets a
// number that none of them has.
func endBallot(a *workshop.Assessment) {
	if a.Stage == workshop.Meeting {
		a.Open = nil
		a.LastBallot += ballotsSinceBackup
	}
}
