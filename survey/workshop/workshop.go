// Package workshop holds the rules of a workshop: people meet, see what the survey shows, rate
// element by element, and agree a rating for each. The report of the Early Intervention Foundation
// calls these workshops the most important part of the process (lines 466 to 470).
//
// An Assessment is what is kept of it: published figures of the survey, ballots as counts, agreed
// ratings, and how many people of each role were there. It holds no person and no id of a platform.
// The package knows neither stores nor sentences.
package workshop

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// Stage is how far an area has come after its survey. It is a second axis beside the state of the
// round.
type Stage string

// The stages.
const (
	NotStarted Stage = ""
	Meeting    Stage = "workshop" // the workshop has begun; it may go on another day
	Agreed     Stage = "agreed"   // the workshop is finished
)

// moves holds the stages that may follow each stage.
var moves = map[Stage][]Stage{
	NotStarted: {Meeting},
	Meeting:    {Agreed},
	Agreed:     {},
}

// Stages returns all stages, in their order.
func Stages() []Stage { return []Stage{NotStarted, Meeting, Agreed} }

// MoveTo returns ErrStage unless the next stage may follow this one.
func (s Stage) MoveTo(next Stage) error {
	if !slices.Contains(moves[s], next) {
		return fmt.Errorf("from stage %q to %q: %w", s, next, ErrStage)
	}
	return nil
}

// Limits.
const (
	// MaxBallots is how often an element may be rated in a workshop.
	MaxBallots = 3
	// MaxReasonRunes is the longest reason for a rating, and the longest text on how others see it.
	MaxReasonRunes = 500
	// MaxHands is the largest number of people that a show of hands may count for one level.
	MaxHands = 999
)

// Errors that callers tell apart with errors.Is.
var (
	ErrStage    = errors.New("the workshop is not at the stage for this")
	ErrNoBallot = errors.New("the ballot is over")
	ErrTooFew   = errors.New("fewer ratings than the minimum")
	ErrAgain    = errors.New("the element was rated as often as it may be")
	ErrNoReason = errors.New("a reason is needed")
	ErrChanged  = errors.New("the agenda was changed meanwhile")
)

// Assessment is what is kept of a workshop. Its methods that change it leave it unchanged when they
// return an error.
type Assessment struct {
	Round   string // the id of the round that it belongs to
	Version int    // counts the changes, as survey.Round.Version does
	Stage   Stage
	Area    string
	// Matrix and MatrixVersion name the matrix of the round. It has as many Levels.
	Matrix        string
	MatrixVersion int
	Levels        int
	// MinGroup and Consensus are the rules of the round.
	MinGroup  int
	Consensus results.Consensus

	// Surveyed is how many people answered the survey, 0 where there was none.
	Surveyed int
	// Survey holds how many people chose each level, for the elements whose results are shown.
	Survey map[string][]int
	// Agenda holds every element of the matrix, in the order in which the workshop takes them.
	Agenda []string
	// Postponed holds elements that are taken after all others, in the order of being postponed.
	Postponed []string
	// Discuss holds elements with a consensus in the survey that somebody wants to talk about.
	Discuss []string

	// Open is the ballot that people can vote in, or nil.
	Open *OpenBallot
	// Ballots holds the ballots that were shown, in order.
	Ballots []Ballot
	// Confirmed is the largest number of ratings in one ballot of which a coordinator has said that
	// nobody was counted twice: people without a device raise their hands.
	Confirmed int
	// LastBallot is the number of the latest ballot, shown or not.
	LastBallot int
	// Ratings holds the agreed rating by element, and Replaced the earlier ones, oldest first.
	Ratings  map[string]Rating
	Replaced map[string][]Rating

	// Previous holds the ratings that the area agreed last time, by element, and PreviousAt when.
	Previous   map[string]Rating
	PreviousAt time.Time

	// ExpiresAt is when the assessment is deleted, years after the round.
	ExpiresAt  time.Time
	StartedAt  time.Time
	PausedAt   time.Time // zero unless the workshop is paused
	FinishedAt time.Time // zero until it is finished
	// Attendance is how many people of each role rated something, and Objections how many objected
	// to a rating, by element. Both are empty until the workshop is finished.
	Attendance map[string]int
	Objections map[string]int
}

// Attendee is what a person who rates in a workshop says of themselves.
type Attendee struct {
	Role     string      // id of a role of the matrix, or survey.Unstated
	Language matrix.Lang // that the bot speaks to them
}

// OpenBallot is a ballot whose ratings are not shown yet. Who rated, and how, is kept elsewhere.
type OpenBallot struct {
	Number  int
	Element string
}

// Ballot is a ballot whose ratings were shown.
type Ballot struct {
	Number   int
	Element  string
	Counts   []int // ratings on each level, from the lowest, by device
	DontKnow int   // by device
	Hands    []int // ratings on each level in a show of hands; nil where there was none
	// Doubled says that more ratings were counted than people were there.
	Doubled bool
}

// Totals returns the ratings on each level, by device and by show of hands together.
func (b Ballot) Totals() []int {
	totals := slices.Clone(b.Counts)
	for i, n := range b.Hands {
		for len(totals) <= i {
			totals = append(totals, 0)
		}
		totals[i] += n
	}
	return totals
}

// How is how a rating came about.
type How string

// The ways to a rating.
const (
	AllAgreed   How = "all"
	MostAgreed  How = "most"
	NoAgreement How = "none"   // the coordinator recorded it without agreement
	BySurvey    How = "survey" // taken over from the survey, which shows consensus
	NoWorkshop  How = "alone"  // recorded by the coordinator, without a workshop
)

// Hows returns the ways that a coordinator can choose from in a form.
func Hows() []How { return []How{AllAgreed, MostAgreed, NoAgreement, NoWorkshop} }

// Rating is the rating that was recorded for an element.
type Rating struct {
	Level  matrix.Rating // NotAnswered for an element that is not rated
	How    How
	Reason string
	Others string // how others see it
	At     time.Time
}

// New returns the assessment of a workshop that starts now. The results are those that the survey
// published; results of nobody stand for an area that only meets.
func New(round, area string, p results.Published, now time.Time) Assessment {
	a := Assessment{
		Round: round, Stage: Meeting, Area: area,
		Matrix: p.Matrix.ID, MatrixVersion: p.Matrix.Version, Levels: len(p.Matrix.Levels),
		MinGroup: p.Context.MinGroup, Consensus: p.Context.Consensus,
		Surveyed: p.Respondents, StartedAt: now.UTC().Truncate(time.Second),
	}
	for _, i := range p.Agenda {
		a.Agenda = append(a.Agenda, p.Elements[i].ID)
	}
	for _, e := range p.Elements {
		if counts, shown := shownCounts(e.Everyone()); shown {
			if a.Survey == nil {
				a.Survey = map[string][]int{}
			}
			a.Survey[e.ID] = counts
		}
	}
	return a
}

// shownCounts returns the ratings on each level, if they are shown and there are any.
func shownCounts(s results.GroupStats) (counts []int, shown bool) {
	if rated, ok := s.Rated.Int(); !ok || rated == 0 {
		return nil, false
	}
	for _, f := range s.Counts {
		n, ok := f.Int()
		if !ok {
			return nil, false
		}
		counts = append(counts, n)
	}
	return counts, true
}

// check returns an error unless the workshop is going on and has the element.
func (a *Assessment) check(element string) error {
	switch {
	case a.Stage != Meeting:
		return fmt.Errorf("rate %s: %w", element, ErrStage)
	case !slices.Contains(a.Agenda, element):
		return fmt.Errorf("rate %s: %w", element, matrix.ErrNoElement)
	}
	return nil
}

// Undecided returns the elements without a rating, in the order in which the workshop takes them.
func (a *Assessment) Undecided() []string {
	var now, later []string
	for _, e := range a.Agenda {
		if _, rated := a.Ratings[e]; !rated && !slices.Contains(a.Postponed, e) {
			now = append(now, e)
		}
	}
	for _, e := range a.Postponed {
		if _, rated := a.Ratings[e]; !rated {
			later = append(later, e)
		}
	}
	return append(now, later...)
}

// InConsensus returns the elements without a rating for which the survey shows consensus and that
// nobody wants to talk about, in the order of the agenda.
func (a *Assessment) InConsensus() []string {
	var found []string
	for _, e := range a.Agenda {
		_, rated := a.Ratings[e]
		if rated || slices.Contains(a.Discuss, e) || len(a.BallotsOf(e)) > 0 {
			continue
		}
		if counts := a.Survey[e]; counts != nil && results.InConsensusOf(counts, a.Consensus) {
			found = append(found, e)
		}
	}
	return found
}

// Next returns the element that the workshop takes next: the first undecided one that is neither in
// consensus nor postponed. It returns false when there is none.
func (a *Assessment) Next() (element string, ok bool) {
	agreed := a.InConsensus()
	for _, e := range a.Undecided() {
		if !slices.Contains(agreed, e) && !slices.Contains(a.Postponed, e) {
			return e, true
		}
	}
	return "", false
}

// BallotsOf returns the ballots of an element that were shown, in order.
func (a *Assessment) BallotsOf(element string) []Ballot {
	var all []Ballot
	for _, b := range a.Ballots {
		if b.Element == element {
			all = append(all, b)
		}
	}
	return all
}

// LastBallotOf returns the latest ballot of an element that was shown.
func (a *Assessment) LastBallotOf(element string) (Ballot, bool) {
	all := a.BallotsOf(element)
	if len(all) == 0 {
		return Ballot{}, false
	}
	return all[len(all)-1], true
}

// TalkAbout puts an element with a consensus in the survey back on the agenda.
func (a *Assessment) TalkAbout(element string) error {
	if err := a.check(element); err != nil {
		return err
	}
	if !slices.Contains(a.Discuss, element) {
		a.Discuss = append(slices.Clone(a.Discuss), element)
	}
	return nil
}

// TakeConsensus records the survey's most common level for each of the elements. It records nothing
// unless they are exactly those that InConsensus returns: somebody may have put one of them back on
// the agenda since the coordinator saw the list.
func (a *Assessment) TakeConsensus(elements []string, now time.Time) error {
	if a.Stage != Meeting {
		return fmt.Errorf("take over the consensus: %w", ErrStage)
	}
	if len(elements) == 0 || !slices.Equal(elements, a.InConsensus()) {
		return ErrChanged
	}
	for _, e := range elements {
		level := results.MostCommonOf(a.Survey[e])[0]
		a.keep(e, Rating{Level: matrix.Rating(level), How: BySurvey, At: now})
	}
	return nil
}

// Begin opens a ballot on the element. A ballot that is open ends without being shown: the store
// deletes its ratings.
func (a *Assessment) Begin(element string) error {
	if err := a.check(element); err != nil {
		return err
	}
	if len(a.BallotsOf(element)) >= MaxBallots {
		return fmt.Errorf("rate %s: %w", element, ErrAgain)
	}
	a.LastBallot++
	a.Open = &OpenBallot{Number: a.LastBallot, Element: element}
	a.PausedAt = time.Time{}
	return nil
}

// Postpone takes an element after all others, and ends its ballot if that is open.
func (a *Assessment) Postpone(element string) error {
	if err := a.check(element); err != nil {
		return err
	}
	kept := slices.DeleteFunc(slices.Clone(a.Postponed), func(e string) bool { return e == element })
	a.Postponed = append(kept, element)
	if a.Open != nil && a.Open.Element == element {
		a.Open = nil
	}
	return nil
}

// Shown adds the counts of the open ballot, which ends. Levels above the last of the counts have no
// ratings.
func (a *Assessment) Shown(number int, counts []int, dontKnow int) error {
	if a.Open == nil || a.Open.Number != number {
		return ErrNoBallot
	}
	counts = slices.Clone(counts)
	for len(counts) < a.Levels {
		counts = append(counts, 0)
	}
	a.Ballots = append(slices.Clone(a.Ballots), Ballot{
		Number: number, Element: a.Open.Element, Counts: counts, DontKnow: dontKnow,
	})
	a.Open = nil
	return nil
}

// Record records a rating for an element. hands are the counts of a show of hands, or nil: see
// CountHands. It returns ErrNoReason where a reason is missing.
func (a *Assessment) Record(element string, r Rating, hands []int, people int) error {
	if err := a.check(element); err != nil {
		return err
	}
	changed := *a
	if hands != nil {
		if err := changed.CountHands(element, hands, people); err != nil {
			return err
		}
	}
	if r.Reason == "" && changed.NeedsReason(element, r) {
		return ErrNoReason
	}
	if changed.Open != nil && changed.Open.Element == element {
		changed.Open = nil
	}
	changed.keep(element, r)
	*a = changed
	return nil
}

// Change replaces the rating of an element, during the workshop or after it. It needs a reason.
func (a *Assessment) Change(element string, r Rating) error {
	old, rated := a.Ratings[element]
	switch {
	case a.Stage == NotStarted:
		return fmt.Errorf("change the rating of %s: %w", element, ErrStage)
	case !rated:
		return fmt.Errorf("change the rating of %s: %w", element, matrix.ErrNoElement)
	case r.Reason == "":
		return ErrNoReason
	case old.Level == r.Level && old.How == r.How && old.Reason == r.Reason && old.Others == r.Others:
		return nil
	}
	a.keep(element, r)
	return nil
}

// keep records a rating, and moves the one before it to Replaced.
func (a *Assessment) keep(element string, r Rating) {
	r.At = r.At.UTC().Truncate(time.Second)
	if old, rated := a.Ratings[element]; rated {
		a.Replaced = maps.Clone(a.Replaced)
		if a.Replaced == nil {
			a.Replaced = map[string][]Rating{}
		}
		a.Replaced[element] = append(slices.Clone(a.Replaced[element]), old)
	}
	a.Ratings = maps.Clone(a.Ratings)
	if a.Ratings == nil {
		a.Ratings = map[string]Rating{}
	}
	a.Ratings[element] = r
}

// CountHands adds a show of hands to the last ballot of the element, in place of an earlier one, or
// makes a ballot of it. With no hands it only takes the earlier one back. people is how many people
// rate on a device, or 0. Where there are more ratings than that, and than a coordinator has
// confirmed, the ballot is marked as Doubled. It returns ErrTooFew for fewer ratings than the
// minimum.
func (a *Assessment) CountHands(element string, hands []int, people int) error {
	if err := a.check(element); err != nil {
		return err
	}
	ballots, last := slices.Clone(a.Ballots), a.LastBallot
	i := len(ballots) - 1
	for i >= 0 && ballots[i].Element != element {
		i--
	}
	if i < 0 {
		last++
		ballots = append(ballots, Ballot{Number: last, Element: element})
		i = len(ballots) - 1
	}
	b := &ballots[i]
	b.Hands = slices.Clone(hands)
	if Sum(hands) == 0 {
		b.Hands = nil
	}
	rated := Sum(b.Totals())
	switch {
	case rated == 0 && b.Hands == nil:
		a.Ballots, a.LastBallot = slices.Delete(ballots, i, i+1), last
		return nil
	case rated < a.MinGroup:
		return ErrTooFew
	}
	b.Doubled = people > 0 && rated+b.DontKnow > max(people, a.Confirmed)
	a.Ballots, a.LastBallot = ballots, last
	return nil
}

// ConfirmHands says that the ratings of the element's last ballot are of as many people.
func (a *Assessment) ConfirmHands(element string) error {
	if err := a.check(element); err != nil {
		return err
	}
	if last, ok := a.LastBallotOf(element); ok {
		a.Confirmed = max(a.Confirmed, Sum(last.Totals())+last.DontKnow)
	}
	return nil
}

// NeedsReason reports whether the rating needs a reason: it was recorded without agreement, or it
// is not among the most common ratings of the element's last ballot, or of the survey where there
// was no ballot.
func (a *Assessment) NeedsReason(element string, r Rating) bool {
	if r.How == NoAgreement {
		return true
	}
	counts := a.Survey[element]
	if last, ok := a.LastBallotOf(element); ok {
		counts = last.Totals()
	}
	common := results.MostCommonOf(counts)
	return len(common) > 0 && !slices.Contains(common, int(r.Level))
}

// Agrees reports whether the last ballot of the element meets the rule of consensus, and the level
// that it agrees on.
func (a *Assessment) Agrees(element string) (level int, ok bool) {
	last, _ := a.LastBallotOf(element)
	totals := last.Totals()
	if !results.InConsensusOf(totals, a.Consensus) {
		return 0, false
	}
	return results.MostCommonOf(totals)[0], true
}

// Pause ends the open ballot without showing it. Begin ends the pause.
func (a *Assessment) Pause(now time.Time) error {
	if a.Stage != Meeting {
		return fmt.Errorf("pause the workshop: %w", ErrStage)
	}
	a.Open = nil
	a.PausedAt = now.UTC().Truncate(time.Second)
	return nil
}

// Finish ends the workshop. Elements without a rating are recorded as not rated. attendance is how
// many people of each role were there, and objections how many objected, by element.
func (a *Assessment) Finish(attendance, objections map[string]int, now time.Time) error {
	if err := a.Stage.MoveTo(Agreed); err != nil {
		return err
	}
	for _, e := range a.Undecided() {
		a.keep(e, Rating{Level: matrix.NotAnswered, How: NoAgreement, At: now})
	}
	a.Stage, a.Open, a.PausedAt = Agreed, nil, time.Time{}
	a.FinishedAt = now.UTC().Truncate(time.Second)
	a.Attendance, a.Objections = attendance, map[string]int{}
	people := 0
	for _, n := range attendance {
		people += n
	}
	if people >= a.MinGroup { // with fewer people, an objection could be traced to one of them
		a.Objections = objections
	}
	return nil
}

// Sum returns the sum of the counts.
func Sum(counts []int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}
