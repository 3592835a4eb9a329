package survey

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"unicode/utf8"

	"maturitybot/survey/audit"
	"maturitybot/survey/plaintext"
)

// Limits and defaults of links.
const (
	// MaxLinksAtOnce is how many personal links one request makes.
	MaxLinksAtOnce = 500
	// MaxLinks is how many personal links a round has, those that were revoked included. The store
	// refuses more with an *InputError: "number", "full".
	//
	//locale:says input.number.full
	MaxLinks = 2000
	// MaxLabelRunes is the longest label of a link, in characters.
	MaxLabelRunes = 60
	// MaxByOpenLink is the highest number of people that the open link may let in.
	MaxByOpenLink = 2000
	// DefaultByOpenLink is how many people it lets in if the coordinator gives no other number.
	DefaultByOpenLink = 100
)

// Link is a link as the store keeps it while the survey is open: a personal link, the open link, or
// the return code of a person who came by the open link. Closing destroys it.
type Link struct {
	Person PersonID // empty for the open link
	Number int      // of a personal link, from 1 in the order in which they were made
	// Label and Role are what the coordinator gave the link. The role that the person chooses is on
	// the roster alone.
	Label   string
	Role    string
	Seed    []byte // the token follows from it and the key; empty for a return code
	Key     string // fingerprint of the key
	Hash    string // what the link is found by; empty once it is revoked
	Maximum int    // how many people the open link may let in
}

// Links are all links of a round that is open.
type Links struct {
	Personal []Link // by number
	Open     Link   // without a Hash where there is none
	Used     int    // how many people came by the open link, and those before it
}

// LinkTarget is what the store finds by the hash of a link.
type LinkTarget struct {
	Index int // of the hash, among those that were asked for
	// Participation is that of the person, or the round alone for the open link and in a closed
	// round.
	Participation
	Open, Full bool
}

// LinkState is a personal link as its coordinator sees it.
type LinkState struct {
	Number   int
	Label    string
	Role     string // id of the role that the coordinator gave it, or empty
	Finished bool
	Revoked  bool
	// NeedsReissue says that the key which made the link is gone, so that nobody can use it.
	NeedsReissue bool
}

// OpenLink is the open link of a round as its coordinator sees it.
type OpenLink struct {
	On           bool
	Maximum      int
	Used         int  // people who came by it
	Finished     int  // of them
	NeedsReplace bool // the key which made it is gone
}

// LinkList are the links of a round as its coordinator sees them.
type LinkList struct {
	Round    Round
	Personal []LinkState // by number
	Open     OpenLink
}

// MadeLink is a personal link with its token, for the coordinator's file. It is written nowhere
// else.
type MadeLink struct {
	Number int
	Label  string
	Role   string
	Token  string
}

// LinkCoordinator is what one person may do about the links of the rounds that they coordinate, and
// everything else that a Coordinator may. Without LinkKeys its own methods return ErrNoLinks, and in
// a round that takes no answers ErrClosed.
type LinkCoordinator struct{ Coordinator }

// linksOf returns the round and its links, or ErrNoLinks without keys.
func (c LinkCoordinator) linksOf(ctx context.Context, id RoundID) (Round, Links, error) {
	round, err := c.Round(ctx, id)
	if err != nil {
		return Round{}, Links{}, err
	}
	if _, err := c.linkKeys.newest(); err != nil {
		return round, Links{}, err
	}
	links, err := c.store.Links(ctx, id)
	return round, links, err
}

// Links returns the links of a round, without what they lead to. A closed round has none.
func (c LinkCoordinator) Links(ctx context.Context, id RoundID) (LinkList, error) {
	round, links, err := c.linksOf(ctx, id)
	if err != nil {
		return LinkList{Round: round}, err
	}
	list := LinkList{Round: round, Open: OpenLink{
		On: links.Open.Hash != "", Maximum: links.Open.Maximum, Used: links.Used,
	}}
	if list.Open.On {
		_, known := c.linkKeys.of(links.Open.Key)
		list.Open.NeedsReplace = !known
	}
	finished, err := c.finishedByLink(ctx, id)
	if err != nil {
		return list, err
	}
	for person := range finished {
		if person.ByOpenLink() {
			list.Open.Finished++
		}
	}
	for _, l := range links.Personal {
		_, known := c.linkKeys.of(l.Key)
		list.Personal = append(list.Personal, LinkState{
			Number: l.Number, Label: l.Label, Role: l.Role, Finished: finished[l.Person],
			Revoked: l.Hash == "", NeedsReissue: l.Hash != "" && !known,
		})
	}
	return list, nil
}

// finishedByLink returns the people who take part by link and have finished.
func (c *core) finishedByLink(ctx context.Context, id RoundID) (map[PersonID]bool, error) {
	finished := map[PersonID]bool{}
	err := c.store.Scan(ctx, id, func(m Member) error {
		if m.Person.ByLink() && m.Status == Finished {
			finished[m.Person] = true
		}
		return nil
	})
	return finished, err
}

// LinkRequest says which personal links to make.
type LinkRequest struct {
	Count  int
	Role   string   // id of a role of the matrix, or empty
	Labels []string // one for each link, in place of Count; or none
}

// MakeLinks makes personal links and puts a person for each on the roster. No message is sent. Calling
// it again makes more links.
func (c LinkCoordinator) MakeLinks(
	ctx context.Context, id RoundID, want LinkRequest,
) (Round, []MadeLink, error) {
	round, err := c.Round(ctx, id)
	if err != nil {
		return Round{}, nil, err
	}
	key, err := c.linkKeys.newest()
	if err == nil {
		err = c.answering(round)
	}
	if err == nil {
		want, err = want.checked()
	}
	if err != nil {
		return round, nil, err
	}
	group, err := c.groupOf(round, want.Role)
	if err != nil {
		return round, nil, err
	}
	links := make([]Link, want.Count)
	for i := range links {
		links[i] = key.newLink(id)
		links[i].Person, links[i].Role = newLinkPerson(), want.Role
		if len(want.Labels) > 0 {
			links[i].Label = want.Labels[i]
		}
	}
	made := c.entry(c.person, audit.LinksMade, []audit.Change{peopleCount(len(links))})
	links, err = c.store.AddLinks(ctx, id, c.now(), links, group, made)
	if err != nil {
		return round, nil, err
	}
	return round, c.tokens(id, links), nil
}

// checked returns the request with clean labels, or an *InputError.
func (r LinkRequest) checked() (LinkRequest, error) {
	if len(r.Labels) > MaxLinksAtOnce {
		return r, &InputError{Field: "labels", Reason: "crowd", Limit: MaxLinksAtOnce}
	}
	r.Labels = slices.Clone(r.Labels)
	for i, label := range r.Labels {
		r.Labels[i] = plaintext.Line(label)
		if utf8.RuneCountInString(r.Labels[i]) > MaxLabelRunes {
			return r, &InputError{Field: "labels", Reason: "long", Limit: MaxLabelRunes}
		}
		r.Count = len(r.Labels)
	}
	if r.Count < 1 || r.Count > MaxLinksAtOnce {
		return r, &InputError{Field: "number", Reason: "range", Limit: MaxLinksAtOnce}
	}
	return r, nil
}

// groupOf returns the role group of a role, or an empty text for no role.
func (c *core) groupOf(round Round, role string) (string, error) {
	if role == "" {
		return "", nil
	}
	m, err := c.matrix(round)
	if err != nil {
		return "", err
	}
	_, group, known := m.Role(role)
	if !known {
		return "", &InputError{Field: "role", Reason: "unknown"}
	}
	return group.ID, nil
}

// tokens returns the links with their tokens, without links that are revoked or whose key is gone.
func (c *core) tokens(id RoundID, links []Link) []MadeLink {
	var made []MadeLink
	for _, l := range links {
		key, known := c.linkKeys.of(l.Key)
		if l.Hash == "" || !known {
			continue
		}
		made = append(made, MadeLink{
			Number: l.Number, Label: l.Label, Role: l.Role, Token: key.token(id, l.Seed),
		})
	}
	return made
}

// UnfinishedLinks returns the personal links with which nobody has finished, so that the coordinator
// can write to their holders, and records that they asked. As in Progress.Waiting, people who
// declined or withdrew are among them: who did so is theirs to tell.
func (c LinkCoordinator) UnfinishedLinks(
	ctx context.Context, id RoundID,
) (Round, []MadeLink, error) {
	round, links, err := c.linksOf(ctx, id)
	if err == nil {
		err = c.answering(round)
	}
	if err != nil {
		return round, nil, err
	}
	finished, err := c.finishedByLink(ctx, id)
	if err != nil {
		return round, nil, err
	}
	made := c.tokens(id, slices.DeleteFunc(links.Personal, func(l Link) bool {
		return finished[l.Person]
	}))
	if len(made) == 0 {
		return round, nil, nil
	}
	err = System{c.core}.Audit(ctx, id, c.person, audit.LinksListed, peopleCount(len(made)))
	return round, made, err
}

// RevokeLink makes a personal link lead nowhere. What was answered with it stays. Revoking again
// changes nothing. It returns ErrNoLink for a number that no link has.
func (c LinkCoordinator) RevokeLink(ctx context.Context, id RoundID, number int) (Round, error) {
	round, _, err := c.changeLink(ctx, id, number, audit.LinkRevoked, func(l *Link) error {
		if l.Hash == "" {
			return errUnchanged
		}
		l.Seed, l.Key, l.Hash = nil, "", ""
		return nil
	})
	return round, ignoreUnchanged(err)
}

// ReissueLink gives the person of a personal link a new link, with their answers. The old one then
// leads nowhere. It returns ErrNoLink for a number that no link has.
func (c LinkCoordinator) ReissueLink(
	ctx context.Context, id RoundID, number int,
) (Round, MadeLink, error) {
	round, link, err := c.changeLink(ctx, id, number, audit.LinkReissued, func(l *Link) error {
		key, err := c.linkKeys.newest()
		if err != nil {
			return err
		}
		fresh := key.newLink(id)
		l.Seed, l.Key, l.Hash = fresh.Seed, fresh.Key, fresh.Hash
		return nil
	})
	if err != nil {
		return round, MadeLink{}, err
	}
	return round, c.tokens(id, []Link{link})[0], nil
}

// changeLink applies edit to a personal link and saves it. It starts again when the link was changed
// in between. The log names the link by its number, because labels do not survive the close.
func (c LinkCoordinator) changeLink(
	ctx context.Context, id RoundID, number int, act audit.Action, edit func(*Link) error,
) (Round, Link, error) {
	changes := []audit.Change{{Field: audit.FieldLink, New: strconv.Itoa(number)}}
	pick := func(links Links) (Link, error) {
		i, found := slices.BinarySearchFunc(links.Personal, number, func(l Link, n int) int {
			return cmp.Compare(l.Number, n)
		})
		if !found {
			return Link{}, ErrNoLink
		}
		return links.Personal[i], nil
	}
	edited := func(l *Link) ([]audit.Change, error) { return changes, edit(l) }
	return c.saveLink(ctx, id, act, pick, edited)
}

// saveLink changes the link that pick finds by edit, which also returns what the log says of it, and
// saves it. It starts again when the link was changed in between.
func (c LinkCoordinator) saveLink(
	ctx context.Context, id RoundID, act audit.Action, pick func(Links) (Link, error),
	edit func(*Link) ([]audit.Change, error),
) (Round, Link, error) {
	for range attempts {
		round, links, err := c.linksOf(ctx, id)
		if err == nil {
			err = c.answering(round)
		}
		if err != nil {
			return round, Link{}, err
		}
		before, err := pick(links)
		if err != nil {
			return round, Link{}, err
		}
		after := before
		changes, err := edit(&after)
		if err != nil {
			return round, before, err
		}
		err = c.store.ChangeLink(ctx, id, before, after, c.entry(c.person, act, changes))
		if !isChanged(err) {
			return round, after, err
		}
	}
	return Round{}, Link{}, errOvertaken(id)
}
