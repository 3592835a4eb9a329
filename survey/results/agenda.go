package results

import (
	"cmp"
	"slices"
)

// AgendaGroup is what the ratings of an element mean for the workshop's agenda.
type AgendaGroup int

// The agenda groups, in the order in which a workshop takes them.
const (
	Split       AgendaGroup = iota // discuss first: neither of the next two
	Close                          // ClosePercent or more on two neighbouring levels: confirm quickly
	InConsensus                    // the consensus rule of the round holds
	NotShown                       // hidden, so nothing is known of it
)

// ClosePercent is the share of ratings on two neighbouring levels that puts an element in Close. It
// leaves as few ratings elsewhere as the consensus rule allows in a far minority.
const ClosePercent = 100 - FarMinorityPercent

// AgendaGroups returns all agenda groups, in the order in which a workshop takes them.
func AgendaGroups() []AgendaGroup { return []AgendaGroup{Split, Close, InConsensus, NotShown} }

// String returns the group as JSON and CSV have it.
func (g AgendaGroup) String() string {
	switch g {
	case Split:
		return "split"
	case Close:
		return "close"
	case InConsensus:
		return "consensus"
	}
	return Suppressed.String()
}

// AgendaGroup returns the agenda group of an element with these figures. It uses only what is
// published.
//
// A workshop of two hours cannot discuss 17 elements at the same length, and in most surveys few
// elements meet the consensus rule. In many of the others nearly everybody chose one of two
// neighbouring levels. Those are in Close, because a workshop has only to choose between the two.
// The rule and its percentage are this project's own. It holds for matrices with three levels or
// more: two levels are the whole scale of a matrix with two, where no element is in Close.
func (s GroupStats) AgendaGroup() AgendaGroup {
	consensus, shown := s.Consensus.Bool()
	switch {
	case !shown:
		return NotShown
	case consensus:
		return InConsensus
	case len(s.Counts) > 2 && s.isClose():
		return Close
	}
	return Split
}

// isClose reports whether ClosePercent or more of the ratings are on two neighbouring levels.
func (s GroupStats) isClose() bool {
	rated, _ := s.Rated.Int()
	for i := 1; i < len(s.Counts); i++ {
		lower, _ := s.Counts[i-1].Int()
		upper, _ := s.Counts[i].Int()
		if 100*(lower+upper) >= ClosePercent*rated {
			return true
		}
	}
	return false
}

// MostCommon returns the levels, from 1, that share the largest number of ratings, and the
// percentage of ratings on each. It returns no levels where the figures are not shown.
func (s GroupStats) MostCommon() (levels []int, percent int) {
	mode, shown := s.Mode.Int()
	if !shown {
		return nil, 0
	}
	percent, _ = s.Percent[mode-1].Int()
	for i, n := range s.Counts {
		if n == s.Counts[mode-1] {
			levels = append(levels, i+1)
		}
	}
	return levels, percent
}

// InConsensusOf reports whether ratings on each level, from the lowest, meet the rule.
func InConsensusOf(counts []int, rule Consensus) bool {
	c := countOf(counts)
	if c.rated() == 0 {
		return false
	}
	met, _ := groupStats(c, wholeCell, rule).Consensus.Bool()
	return met
}

// MostCommonOf returns the levels, from 1, that share the largest number of ratings, or none where
// there are no ratings.
func MostCommonOf(counts []int) []int {
	c := countOf(counts)
	if c.rated() == 0 {
		return nil
	}
	levels, _ := groupStats(c, wholeCell, Consensus{}).MostCommon()
	return levels
}

// PercentOf returns ratings on each level as percentages of all ratings, rounded half to even, or
// nothing where there are no ratings.
func PercentOf(counts []int) []int {
	c := countOf(counts)
	if c.rated() == 0 {
		return nil
	}
	all := make([]int, len(counts))
	for i, n := range c.levels {
		all[i] = int(percent(n, c.rated()))
	}
	return all
}

func countOf(levels []int) count {
	c := count{levels: make([]int64, len(levels))}
	for i, n := range levels {
		c.levels[i] = int64(n)
	}
	return c
}

// agenda returns the indexes of the elements in the order in which a workshop takes them: by agenda
// group, then lowest agreement first, then the smaller share on the most common level, then as the
// matrix has them.
func agenda(elements []Element) []int {
	order := make([]int, len(elements))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := elements[i].Everyone(), elements[j].Everyone()
		return cmp.Or(
			cmp.Compare(a.AgendaGroup(), b.AgendaGroup()),
			cmp.Compare(a.Agreement.value, b.Agreement.value),
			cmp.Compare(a.ModeShare.value, b.ModeShare.value),
		)
	})
	return order
}
