package results

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"time"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
)

// Context holds the facts of a round that its results are published with. It holds no answers and
// no numbers of people.
type Context struct {
	Round string // the id; empty for answers that were collected elsewhere
	Area  string
	// MinGroup is how many people must have rated an element before anything of it is shown. It is
	// at least MinGroupFloor.
	MinGroup  int
	Consensus Consensus // a percentage outside 1 to 100 means DefaultConsensusPercent
	OpenedAt  time.Time
	ClosedAt  time.Time
	Reminders any // the reminder plan, for the JSON form; nil where there is none
}

// visibility is how much is shown of a cell set, which is one element or dimension in one group.
type visibility int

const (
	nothing     visibility = iota
	onlyZero               // only that nobody rated it
	onlyRatings            // the number of ratings, each level's count, and what is computed from them
	wholeCell              // the same, and the counts of people who did not rate
)

// Publish applies the disclosure rule and returns everything that may be published of the tally.
//
// A cell set is one element in one group (everyone, a role group, or the people of no stated group,
// who count as one more role group, the last: everyone less the others would give them away). It is
// shown when at least MinGroup people rated the element in that group. A role group in which nobody
// rated it shows that and hides its other counts. If some of the others are hidden and together
// fewer than MinGroup rated the element there, the shown role group with the fewest ratings, the
// first on a tie, is hidden too, and so on until the hidden ones together reach MinGroup or all are
// hidden. Of an element hidden for everyone nothing is shown for any group either, not even that
// nobody rated it there. Comments and kinds of information held are shown where the element is
// shown for everyone.
//
// The counts of those who did not rate (don't know, not applicable, not answered) are shown for a
// role group only where its cell set is. Where they are hidden for groups that hold any such
// people, these must be at least MinGroup people and of at least two groups, or everyone's counts
// less those shown would reveal them. Otherwise the counts of the shown role group with the fewest
// such people, the first on a tie, are hidden too, and so on until that holds or they are hidden
// for all role groups. The counts for everyone stay shown. A reader who knows how many people of
// each group took part can therefore work out a group's counts if all such people are in that
// group.
//
// A dimension is shown for a group where each of its elements is shown, and its counts of those who
// did not rate where each of its elements' are, so that a sum never holds a hidden part.
//
// Of the turnout, Turnout.Disclose says what is shown.
func Publish(t *Tally, c Context) Published {
	c.MinGroup = max(c.MinGroup, MinGroupFloor)
	c.Area = plaintext.Line(c.Area)
	if c.Consensus.Percent < 1 || c.Consensus.Percent > 100 {
		c.Consensus.Percent = DefaultConsensusPercent
	}
	p := Published{
		Matrix:  t.matrix,
		Context: c,
		Turnout: t.turnout.Disclose(c.MinGroup, c.Round != ""),
		Groups:  t.publishedGroups(),
	}
	for _, n := range t.respondents {
		p.Respondents += int(n)
	}

	elements := t.matrix.Elements()
	counts := make([][]count, len(elements))
	visible := make([][]visibility, len(elements))
	for i, e := range elements {
		counts[i] = t.byGroup(i, len(p.Groups)-1)
		visible[i] = discloseElement(counts[i], int64(c.MinGroup))
		p.Elements = append(p.Elements, t.publishElement(i, e, counts[i], visible[i], c.Consensus))
	}
	p.Agenda = agenda(p.Elements)

	at := 0
	for _, d := range t.matrix.Dimensions {
		n := len(d.Elements())
		p.Dimensions = append(p.Dimensions, publishDimension(d, counts[at:at+n], visible[at:at+n], p))
		at += n
	}
	return p
}

// publishedGroups returns everyone, the role groups, and the group of people without a stated role
// when it has any.
func (t *Tally) publishedGroups() []Group {
	groups := []Group{{ID: EveryoneGroup}}
	for _, g := range t.matrix.RoleGroups {
		groups = append(groups, Group{ID: g.ID, Name: g.Name})
	}
	if t.respondents[len(t.matrix.RoleGroups)] > 0 {
		groups = append(groups, Group{ID: NotStatedGroup})
	}
	return groups
}

// byGroup returns the counts of an element for everyone and then for each of the role groups.
func (t *Tally) byGroup(element, roleGroups int) []count {
	everyone := count{levels: make([]int64, len(t.matrix.Levels))}
	all := []count{everyone}
	for g := range roleGroups {
		c := t.count(g, element)
		all[0].add(c)
		all = append(all, c)
	}
	return all
}

// discloseElement applies the rule to one element: everyone's counts first, then each role group's.
func discloseElement(counts []count, minGroup int64) []visibility {
	visible := make([]visibility, len(counts))
	if counts[0].rated() < minGroup {
		return visible
	}
	visible[0] = wholeCell
	var hidden int64
	for i, c := range counts[1:] {
		switch n := c.rated(); {
		case n == 0:
			visible[i+1] = onlyZero
		case n < minGroup:
			hidden += n
		default:
			visible[i+1] = wholeCell
		}
	}
	for hidden > 0 && hidden < minGroup {
		fewest := -1
		for i := 1; i < len(counts); i++ {
			if visible[i] == wholeCell && (fewest < 0 || counts[i].rated() < counts[fewest].rated()) {
				fewest = i
			}
		}
		if fewest < 0 {
			break
		}
		visible[fewest] = nothing
		hidden += counts[fewest].rated()
	}
	hideUnrated(counts, visible, minGroup)
	return visible
}

// hideUnrated hides the counts of people who did not rate for more role groups, one after another,
// until the hidden counts add up to at least minGroup people of at least two groups.
func hideUnrated(counts []count, visible []visibility, minGroup int64) {
	var people, groups int64
	hide := func(i int) {
		if n := counts[i].unrated(); n > 0 {
			people += n
			groups++
		}
	}
	for i := 1; i < len(counts); i++ {
		if visible[i] != wholeCell {
			hide(i)
		}
	}
	for people > 0 && (people < minGroup || groups < 2) {
		fewest := -1
		for i := 1; i < len(counts); i++ {
			if visible[i] == wholeCell && (fewest < 0 || counts[i].unrated() < counts[fewest].unrated()) {
				fewest = i
			}
		}
		if fewest < 0 {
			return
		}
		visible[fewest] = onlyRatings
		hide(fewest)
	}
}

func (t *Tally) publishElement(
	i int, e matrix.Element, counts []count, visible []visibility, rule Consensus,
) Element {
	r := Element{
		ID:          e.ID,
		Dimension:   t.matrix.DimensionOf(e.ID).ID,
		Information: make([]Figure, len(t.kinds)),
	}
	for g, c := range counts {
		r.Groups = append(r.Groups, groupStats(c, visible[g], rule))
	}
	if visible[0] != wholeCell {
		return r
	}
	for k := range r.Information {
		r.Information[k] = whole(t.information[i*len(t.kinds)+k])
	}
	r.Comments = shuffled(t.notes[i])
	r.Barriers = shuffled(t.barriers[i])
	return r
}

func publishDimension(
	d matrix.Dimension, counts [][]count, visible [][]visibility, p Published,
) Dimension {
	r := Dimension{ID: d.ID}
	for g := range p.Groups {
		pooled := count{levels: make([]int64, len(p.Matrix.Levels))}
		all := map[visibility]int{}
		for i := range counts {
			pooled.add(counts[i][g])
			all[visible[i][g]]++
		}
		v := nothing
		switch n := len(counts); {
		case n == 0:
		case all[wholeCell] == n:
			v = wholeCell
		case all[wholeCell]+all[onlyRatings] == n:
			v = onlyRatings
		case all[onlyZero] == n:
			v = onlyZero
		}
		r.Groups = append(r.Groups, groupStats(pooled, v, p.Context.Consensus))
	}
	return r
}

// groupStats turns the counts of one cell set into figures, and suppresses those that v hides.
func groupStats(c count, v visibility, rule Consensus) GroupStats {
	k := len(c.levels)
	stats := GroupStats{
		Counts:  make([]Figure, k),
		Percent: make([]Figure, k),
		Shares:  make([]Figure, k),
	}
	switch v {
	case nothing:
		return stats
	case onlyZero:
		stats.Rated = whole(0)
		for i := range k {
			stats.Percent[i] = unavailable
			stats.Shares[i] = unavailable
		}
		stats.Mode = unavailable
		stats.ModeShare = unavailable
		stats.Median = unavailable
		stats.WithinOne = unavailable
		stats.Agreement = unavailable
		stats.FarMinority = Flag{availability: NotAvailable}
		stats.Consensus = Flag{availability: NotAvailable}
		return stats
	}

	rated := c.rated()
	stats.Rated = whole(rated)
	if v == wholeCell {
		stats.DontKnow = whole(c.dontKnow)
		stats.NotApplicable = whole(c.notApplicable)
		stats.NotAnswered = whole(c.notAnswered)
	}
	for i, n := range c.levels {
		stats.Counts[i] = whole(n)
		stats.Percent[i] = whole(percent(n, rated))
		stats.Shares[i] = share(n, rated)
	}
	common := mode(c.levels)
	onMode := c.levels[common-1]
	far := isFarMinority(c.levels, rated)
	agrees := 100*onMode >= int64(rule.Percent)*rated
	stats.Mode = whole(common)
	stats.ModeShare = share(onMode, rated)
	stats.Median = decimal(float64(medianTwice(c.levels))/2, shortest)
	stats.WithinOne = share(withinOneOfMedian(c.levels), rated)
	stats.Agreement = Figure{availability: NotApplicable}
	if k > 1 {
		a, _ := agreement(c.levels).Float64()
		stats.Agreement = decimal(a, shareDecimals)
	}
	stats.FarMinority = Flag{value: far, availability: Present}
	stats.Consensus = Flag{
		value:        agrees && (rule.AllowFarMinority || !far),
		availability: Present,
	}
	return stats
}

// shuffled returns the texts in the order of their SHA-256 hashes. The order depends only on the
// texts, so it does not show who wrote them or when.
func shuffled(texts []string) []string {
	type hashed struct {
		sum  [sha256.Size]byte
		text string
	}
	all := make([]hashed, len(texts))
	for i, text := range texts {
		all[i] = hashed{sha256.Sum256([]byte(text)), text}
	}
	slices.SortFunc(all, func(a, b hashed) int { return bytes.Compare(a.sum[:], b.sum[:]) })
	order := make([]string, len(all))
	for i, h := range all {
		order[i] = h.text
	}
	return order
}
