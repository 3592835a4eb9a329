package survey

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"maturitybot/survey/matrix"
)

// matrices are the matrices that rounds may use. Several may be versions of the same one.
type matrices []*matrix.Matrix

// newest returns the matrix with the id that new rounds take: the first in the list.
func (all matrices) newest(id string) (*matrix.Matrix, bool) {
	i := slices.IndexFunc(all, func(m *matrix.Matrix) bool { return m.ID == id })
	if i < 0 {
		return nil, false
	}
	return all[i], true
}

// find returns the matrix with the id and version. A round that was opened before rounds kept the
// version has version 0: find then returns version 1, or else the matrix that new rounds take.
func (all matrices) find(id string, version int) (*matrix.Matrix, bool) {
	wanted := max(version, 1)
	i := slices.IndexFunc(all, func(m *matrix.Matrix) bool {
		return m.ID == id && m.Version == wanted
	})
	switch {
	case i >= 0:
		return all[i], true
	case version == 0:
		return all.newest(id)
	}
	return nil, false
}

// CheckMatrices compares the matrices with the rounds that use them. It returns an error that wraps
// ErrMatrixChanged and names the rounds that opened with other words under the same version.
func (s System) CheckMatrices(ctx context.Context) error {
	changed := map[string][]string{} // "id, version n" -> "round (area)"
	err := s.store.Rounds(ctx, func(r Round) error {
		if r.MatrixFingerprint == "" {
			return nil
		}
		m, ok := s.matrices.find(r.Matrix, r.MatrixVersion)
		if !ok || m.Fingerprint() == r.MatrixFingerprint {
			return nil
		}
		version := fmt.Sprintf("%s, version %d", m.ID, m.Version)
		round := fmt.Sprintf("%s (%s)", r.ID, r.Area)
		if !slices.Contains(changed[version], round) { // a scan may visit a round twice
			changed[version] = append(changed[version], round)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("compare matrices with rounds: %w", err)
	}
	var problems []string
	for version, rounds := range changed {
		slices.Sort(rounds)
		problems = append(problems, fmt.Sprintf(
			"%s has other words than when these rounds opened: %s. "+
				"Raise the version in the changed file, and give the earlier file as well",
			version, strings.Join(rounds, ", ")))
	}
	if len(problems) == 0 {
		return nil
	}
	slices.Sort(problems)
	return fmt.Errorf("%w: %s", ErrMatrixChanged, strings.Join(problems, "; "))
}
