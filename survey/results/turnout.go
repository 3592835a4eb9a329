package results

// Turnout is how many people were invited and how far they came. It says nothing of the answers. A
// count in it may be of one person, so it is not shown to a channel or in a file: see
// Disclose.
type Turnout struct {
	Invited   int // everybody in the roster
	Started   int // accepted the privacy notice and did not submit
	Finished  int
	Declined  int
	Withdrawn int
	Roles     []RoleCount // in the matrix's order
	Unstated  RoleCount   // people whose role is unknown or unstated
	// OpenLink is how many of those who finished came by the open link, where one person may have
	// answered more than once.
	OpenLink int `json:",omitempty"`
}

// InvitedKnown reports whether it is known of each role how many people were invited. Withdrawing
// erases a person's role.
func (t Turnout) InvitedKnown() bool { return t.Withdrawn == 0 }

// RoleCount is how many people of a role were invited, and how many have finished.
type RoleCount struct {
	Role     string
	Invited  int
	Finished int
}

// PublishedTurnout is the part of a Turnout that everybody may see.
type PublishedTurnout struct {
	Invited   Figure
	Started   Figure
	Finished  Figure
	Declined  Figure
	Withdrawn Figure
	// OpenLink is how many of those who finished came by the open link. It is 0 where there was none.
	OpenLink Figure
	// Roles are in the matrix's order. The last is NotStatedGroup, if there are such people.
	Roles []RoleTurnout
}

// RoleTurnout is what everybody may see of the people of one role.
type RoleTurnout struct {
	Role     string
	Invited  Figure
	Finished Figure
}

// Hidden reports whether the figures of the role are not shown. Nothing tells the roles that are too
// small from those that are hidden with them: that would be enough to work the small ones out.
func (r RoleTurnout) Hidden() bool {
	_, shown := r.Finished.Int()
	return !shown
}

// Disclose returns the part of a turnout that everybody may see. hasRoster is false for answers that
// were collected elsewhere, of which nobody knows who was invited.
//
// The figures of a role are shown when at least minGroup of its people finished, or when nobody of
// the role was invited. Otherwise readers who know the only parent who was invited could tell
// whether that parent answered. After a withdrawal nobody can tell that no one of a role was
// invited: see InvitedKnown. While the hidden roles together have fewer than minGroup people who
// finished, or only one role is hidden, the shown role in which the fewest finished, the first on a
// tie, is hidden too: the total less the others would give the hidden one away. How many people
// started, declined or withdrew is shown when it is nobody, or at least minGroup. So is how many
// finished by the open link, and then at least minGroup must have finished otherwise, or nobody:
// the rest would be as small a number. The numbers of all the people who were invited and who
// finished, which give the response rate, are always shown.
func (t Turnout) Disclose(minGroup int, hasRoster bool) PublishedTurnout {
	minGroup = max(minGroup, MinGroupFloor)
	few := func(n int) bool { return n > 0 && n < minGroup }
	roster := func(n int) Figure {
		switch {
		case !hasRoster:
			return unavailable
		case few(n):
			return Figure{availability: Suppressed}
		}
		return whole(int64(n))
	}
	p := PublishedTurnout{
		Invited:   unavailable,
		Started:   roster(t.Started),
		Finished:  whole(int64(t.Finished)),
		Declined:  roster(t.Declined),
		Withdrawn: roster(t.Withdrawn),
		OpenLink:  whole(int64(t.OpenLink)),
	}
	if t.OpenLink > 0 && (few(t.OpenLink) || few(t.Finished-t.OpenLink)) {
		p.OpenLink = Figure{availability: Suppressed}
	}
	if hasRoster {
		p.Invited = whole(int64(t.Invited))
	}

	counts := t.Roles[:len(t.Roles):len(t.Roles)]
	if t.Unstated.Invited > 0 || t.Unstated.Finished > 0 {
		unstated := t.Unstated
		unstated.Role = NotStatedGroup
		counts = append(counts, unstated)
	}
	hidden := hiddenRoles(counts, minGroup, hasRoster && t.InvitedKnown())
	for i, c := range counts {
		role := RoleTurnout{Role: c.Role}
		switch {
		case hidden[i] && hasRoster:
			// Suppressed, as the zero Figure is.
		case hidden[i]:
			role.Invited = unavailable
		default:
			role.Finished = whole(int64(c.Finished))
			role.Invited = unavailable
			if hasRoster {
				role.Invited = whole(int64(c.Invited))
			}
		}
		p.Roles = append(p.Roles, role)
	}
	return p
}

// UsedOpenLink reports whether people finished by the open link. Their number may be hidden.
func (t PublishedTurnout) UsedOpenLink() bool {
	n, shown := t.OpenLink.Int()
	return !shown || n > 0
}

// hiddenRoles reports for each role whether its figures are hidden. It is known of roles that nobody
// was invited for only if invitedKnown is set.
func hiddenRoles(counts []RoleCount, minGroup int, invitedKnown bool) []bool {
	hidden := make([]bool, len(counts))
	roles, finished := 0, 0
	hide := func(i int) {
		hidden[i] = true
		roles++
		finished += counts[i].Finished
	}
	for i, c := range counts {
		nobody := invitedKnown && c.Invited == 0 && c.Finished == 0
		if !nobody && c.Finished < minGroup {
			hide(i)
		}
	}
	for roles > 0 && (roles < 2 || finished < minGroup) {
		fewest := -1
		for i, c := range counts {
			if !hidden[i] && c.Finished > 0 && (fewest < 0 || c.Finished < counts[fewest].Finished) {
				fewest = i
			}
		}
		if fewest < 0 {
			break
		}
		hide(fewest)
	}
	return hidden
}
