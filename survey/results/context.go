package results

// Consensus is the rule for when the ratings of an element agree. Other elements are to be
// discussed.
type Consensus struct {
	Percent          int  // smallest share of ratings on the most common level, 1 to 100
	AllowFarMinority bool // a far minority does not prevent consensus
}

// Limits and defaults of what is published.
const (
	// DefaultMinGroup is how many people must have rated an element before anything of it is shown.
	DefaultMinGroup = 5
	// MinGroupFloor is the smallest number that a coordinator can set instead.
	MinGroupFloor = 3
	// DefaultConsensusPercent is the share of ratings on one level that counts as consensus.
	DefaultConsensusPercent = 70
	// FarMinorityPercent is the share of ratings two or more levels away from the most common level
	// that counts as a far minority.
	FarMinorityPercent = 15
)
