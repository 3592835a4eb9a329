package survey

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// CheckMatrices compares the matrices with the rounds that use them. It returns an error that wraps
// ErrMatrixChanged and names the rounds that opened with other words under the same version.
func (s System) CheckMatrices(ctx context.Context) error {
	changed := map[string][]string{} // "id, version n" -> "round (area)"
	err := s.store.Rounds(ctx, func(r Round) error {
		if r.MatrixFingerprint == "" {
			return nil
		}
		m, ok := s.openedMatrix(r)
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
