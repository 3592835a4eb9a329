package results

import "maturitybot/survey/matrix"

// Ids of the two groups that are not role groups of the matrix.
const (
	EveryoneGroup  = "everyone"
	NotStatedGroup = "not_stated" // people who did not state their role
)

// Published holds the results of a round that may be shown. Only Publish makes one that holds
// figures. Its slices are in the order of the matrix, so that indexes are the same in both.
type Published struct {
	Matrix      *matrix.Matrix
	Context     Context // with the defaults that Publish filled in
	Turnout     PublishedTurnout
	Respondents int // people who answered at least one element in any way
	Groups      []Group
	Elements    []Element
	Dimensions  []Dimension
	// Agenda holds indexes in Elements, in the order in which a workshop takes them: see
	// AgendaGroup. Elements with too few ratings come last.
	Agenda []int
}

// Group is a set of people that results are shown for: everyone first, then the role groups of the
// matrix, then the people who did not state a role, if there are any.
type Group struct {
	ID   string
	Name matrix.Text // empty for EveryoneGroup and NotStatedGroup
}

// Element holds the published results of one key element.
type Element struct {
	ID          string
	Dimension   string       // id of its dimension
	Groups      []GroupStats // one for each of Published.Groups
	Information []Figure     // people who hold each of the matrix's kinds of information
	// Comments and Barriers are in an order that does not show who wrote them or when. They are
	// empty when the element is hidden.
	Comments []string
	Barriers []string
}

// Everyone returns the element's figures for all people.
func (e Element) Everyone() GroupStats { return e.Groups[0] }

// Dimension holds the published results of one dimension: the sums of its elements' counts. It
// counts ratings, so a person counts once for each element that they rated.
type Dimension struct {
	ID     string
	Groups []GroupStats // one for each of Published.Groups
}

// Everyone returns the dimension's figures for all people.
func (d Dimension) Everyone() GroupStats { return d.Groups[0] }

// GroupStats holds the figures of one element, or of one dimension, in one group. Shares are
// fractions, from 0 to 1, of the people who rated.
//
// Where nobody in a role group rated, Rated is 0, the other counts are suppressed, and the computed
// figures are not available. DontKnow, NotApplicable and NotAnswered are shown together or not at
// all. They may be suppressed where everything else is shown.
type GroupStats struct {
	Rated         Figure
	DontKnow      Figure
	NotApplicable Figure
	NotAnswered   Figure
	Counts        []Figure // ratings on each level, from the lowest
	Percent       []Figure // Counts as percentages of Rated, rounded half to even; may not sum to 100
	Shares        []Figure // Counts as unrounded shares of Rated
	// Mode is the most common level, from 1. On a tie it is the level nearest the median, then the
	// lower one.
	Mode        Figure
	ModeShare   Figure
	Median      Figure // a level, or half way between two levels
	WithinOne   Figure // share of ratings at most one level from the median
	Agreement   Figure // van der Eijk's A, from -1 to 1; not applicable to a matrix with one level
	FarMinority Flag   // FarMinorityPercent or more rated two or more levels from the mode
	Consensus   Flag   // the consensus rule holds; if not, the element is to be discussed
}
