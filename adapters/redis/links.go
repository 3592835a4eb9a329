package redis

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/audit"
)

// The fields of the hash of links that are not people, and what the index holds besides people.
const (
	openLinkField = "open"
	usedField     = "used"
	openTarget    = "open"
	// personTarget is what the index of a closed round holds in place of a person.
	personTarget = "person"
)

// storedLink is a link as it is stored, after its number and a space. The open link, and the return
// code of a person who came by it, have the number 0.
type storedLink struct {
	Label   string `json:"l,omitempty"`
	Role    string `json:"r,omitempty"`
	Seed    []byte `json:"s,omitempty"`
	Key     string `json:"k,omitempty"`
	Hash    string `json:"h,omitempty"`
	Maximum int    `json:"m,omitempty"`
}

// encodeLink returns a link as it is stored, without its number.
func encodeLink(l survey.Link) (string, error) {
	raw, err := json.Marshal(storedLink{l.Label, l.Role, l.Seed, l.Key, l.Hash, l.Maximum})
	if err != nil {
		return "", fmt.Errorf("encode a link: %w", err)
	}
	return string(raw), nil
}

// encodeNumberedLink returns a link as it is stored.
func encodeNumberedLink(l survey.Link) (string, error) {
	text, err := encodeLink(l)
	return strconv.Itoa(l.Number) + " " + text, err
}

// errLink does not name the link.
var errLink = errors.New("a link cannot be read")

// decodeLink decodes the link of a person, or the open link for no person.
func decodeLink(person survey.PersonID, raw string) (survey.Link, error) {
	number, text, _ := strings.Cut(raw, " ")
	n, err := strconv.Atoi(number)
	var kept storedLink
	if err != nil || json.Unmarshal([]byte(text), &kept) != nil {
		return survey.Link{}, errLink
	}
	return survey.Link{
		Person: person, Number: n, Label: kept.Label, Role: kept.Role,
		Seed: kept.Seed, Key: kept.Key, Hash: kept.Hash, Maximum: kept.Maximum,
	}, nil
}

// AddLinks keeps new personal links and puts their people on the roster, in one step with the audit
// entry. It returns the links with their numbers. The same links again change nothing. It returns
// ErrNotOpen or ErrClosed unless the round takes answers at now, and an *InputError if the round
// would have more than survey.MaxLinks.
func (s *Store) AddLinks(
	ctx context.Context, id survey.RoundID, now time.Time, links []survey.Link, group string,
	e audit.Entry,
) (_ []survey.Link, err error) {
	defer attempt(&err, "add links to round %s", id)
	var people []survey.Member
	for _, l := range links {
		people = append(people, survey.Member{
			Person: l.Person, Status: survey.Invited, Role: l.Role, Group: group,
		})
	}
	entries, err := linkEntries(links, people)
	if err != nil {
		return nil, err
	}
	var rest []any
	write := func(entry string, number, _ int) ([]any, error) {
		keys := []string{roundKey(id), rosterKey(id), linksKey(id), linkIndexKey(id), auditKey(id)}
		args := append([]any{now.Unix(), survey.MaxLinks, entry, number}, entries...)
		return s.run(ctx, addLinksScript, keys, args...)
	}
	expires, err := s.roundExpiry(ctx, id)
	if err != nil {
		return nil, err
	}
	// Not again after the write: nobody forgets people who are new. An error then would have the caller
	// make the links twice.
	if err := s.indexPeople(ctx, id, people, expires); err != nil {
		return nil, err
	}
	if rest, err = s.withEntry(ctx, id, fixedEntry(e), 0, write); err != nil {
		return nil, err
	}
	first, ok := rest[0].(int64)
	if !ok {
		return nil, errors.New("the script did not return the number of the first link")
	}
	numbered := slices.Clone(links)
	for i := range numbered {
		numbered[i].Number = int(first) + i
	}
	return numbered, nil
}

// linkEntries returns what the script takes of each link: the person, their entry in the roster, the
// place of the link among them, the link and its hash. They are in the order of the people, which
// says nothing: a small hash of Redis keeps the order in which its fields came, and that of the
// links is the order of their labels.
func linkEntries(links []survey.Link, people []survey.Member) ([]any, error) {
	order := make([]int, len(links))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(links[i].Person, links[j].Person) })
	var entries []any
	for _, i := range order {
		entry, err := encodeMember(people[i], "")
		if err != nil {
			return nil, err
		}
		record, err := encodeLink(links[i])
		if err != nil {
			return nil, err
		}
		entries = append(entries, string(links[i].Person), entry, i, record, links[i].Hash)
	}
	return entries, nil
}

// Links returns the links of a round. A closed round has none.
func (s *Store) Links(ctx context.Context, id survey.RoundID) (_ survey.Links, err error) {
	defer attempt(&err, "read the links of round %s", id)
	fields, err := s.client.HGetAll(ctx, linksKey(id)).Result()
	if err != nil {
		return survey.Links{}, translate(err)
	}
	var all survey.Links
	all.Used, _ = strconv.Atoi(fields[usedField])
	for field, raw := range fields {
		person := survey.PersonID(field)
		if field == openLinkField {
			person = ""
		} else if !person.ByLink() {
			continue
		}
		l, err := decodeLink(person, raw)
		switch {
		case err != nil:
			return survey.Links{}, err
		case person == "":
			all.Open = l
		case l.Number > 0:
			all.Personal = append(all.Personal, l)
		}
	}
	slices.SortFunc(all.Personal, func(a, b survey.Link) int { return cmp.Compare(a.Number, b.Number) })
	return all, nil
}

// ChangeLink replaces a personal link, or the open link, and what it is found by, in one step with
// the audit entry. An open link without a hash is removed. The same change again changes nothing. It
// returns ErrChanged unless before is what is kept, and ErrClosed in a closed round.
func (s *Store) ChangeLink(
	ctx context.Context, id survey.RoundID, before, after survey.Link, e audit.Entry,
) (err error) {
	defer attempt(&err, "change a link of round %s", id)
	field, target := string(before.Person), string(before.Person)
	if field == "" {
		field, target = openLinkField, openTarget
	}
	was, err := encodeChange(before)
	if err != nil {
		return err
	}
	is, err := encodeChange(after)
	if err != nil {
		return err
	}
	change := func(entry string, number, _ int) ([]any, error) {
		keys := []string{roundKey(id), linksKey(id), linkIndexKey(id), auditKey(id)}
		return s.run(ctx, changeLinkScript, keys,
			field, target, was, is, before.Hash, after.Hash, entry, number)
	}
	_, err = s.withEntry(ctx, id, fixedEntry(e), 0, change)
	return err
}

// encodeChange returns a link as it is stored, or an empty text for no open link.
func encodeChange(l survey.Link) (string, error) {
	if l.Person == "" && l.Hash == "" {
		return "", nil
	}
	return encodeNumberedLink(l)
}

// FindLink returns what the first of the hashes that the round has leads to, in one round trip. It
// returns ErrNoLink for hashes that the round does not have, and for a person who is not on the
// roster.
func (s *Store) FindLink(
	ctx context.Context, id survey.RoundID, hashes []string,
) (_ survey.LinkTarget, err error) {
	defer attempt(&err, "find a link of round %s", id)
	args := []any{len(roundFields)}
	for _, text := range slices.Concat(roundFields, hashes) {
		args = append(args, text)
	}
	keys := []string{
		roundKey(id), linkIndexKey(id), linksKey(id), rosterKey(id), secretKey(id),
	}
	found, err := s.runBatched(ctx, findLinkScript, keys, args...)
	if err != nil {
		return survey.LinkTarget{}, err
	}
	fields, _ := found[0].([]any)
	index, _ := found[1].(int64)
	target, _ := found[2].(string)
	to := survey.LinkTarget{Index: int(index), Open: target == openTarget}
	to.Round, err = decodeRound(id, fields)
	switch {
	case err != nil:
	case to.Open:
		to.Full, err = isFull(found[4:6])
	case to.Round.State == survey.Closed:
	case found[3] == nil:
		err = survey.ErrNoLink
	default:
		entry, _ := found[3].(string)
		secret, _ := found[6].(string)
		to.Member, err = decodeMember(survey.PersonID(target), entry)
		to.Pseudonym = survey.Pseudonym([]byte(secret), to.Member.Person)
	}
	if err != nil {
		return survey.LinkTarget{}, err
	}
	return to, nil
}

// isFull reports whether the open link, given its record and how many people used it, lets in no
// more people. There is no record in a closed round.
func isFull(fields []any) (bool, error) {
	record, _ := fields[0].(string)
	if record == "" {
		return false, nil
	}
	text, _ := fields[1].(string)
	used, _ := strconv.Atoi(text) // 0 before the first
	open, err := decodeLink("", record)
	return used >= open.Maximum, err
}

// EnterByLink puts a person who comes by the open link with a hash on the roster and keeps what
// their return code is found by, in one step. The same person again changes nothing. It returns
// ErrNoLink when the open link is another one or closed, ErrLinkFull when it lets in no more people,
// and ErrNotOpen or ErrClosed unless the round takes answers at now.
func (s *Store) EnterByLink(
	ctx context.Context, id survey.RoundID, now time.Time, open string, person survey.Link,
) (err error) {
	defer attempt(&err, "let a person into round %s", id)
	member := survey.Member{Person: person.Person, Status: survey.Invited}
	entry, err := encodeMember(member, "")
	if err != nil {
		return err
	}
	record, err := encodeNumberedLink(person)
	if err != nil {
		return err
	}
	keys := []string{roundKey(id), rosterKey(id), linksKey(id), linkIndexKey(id)}
	_, err = s.run(ctx, enterLinkScript, keys,
		now.Unix(), open, string(person.Person), entry, record, person.Hash)
	if err != nil {
		return err
	}
	expires, err := s.roundExpiry(ctx, id)
	if err != nil {
		return err
	}
	// Nobody forgets a person who is new. An index that was written before the script would stay for
	// each person that the script refuses, and anybody may try.
	return s.indexPeople(ctx, id, []survey.Member{member}, expires)
}

// restoredIndex returns the index of links of a round that is restored: without people who were
// forgotten and, in a closed round, without people at all.
func (restored *restoredRound) restoredIndex(values [][]byte) [][]byte {
	targets := map[string]string{}
	for hash, target := range pairs(values) {
		switch {
		case restored.round.State == survey.Closed && target != openTarget:
			target = personTarget
		case restored.forgotten[survey.PersonID(target)]:
			continue
		}
		targets[hash] = target
	}
	return flattenSorted(targets)
}

// restoredLinks returns the links of a round that is restored: none of a closed one, and none of
// people who were forgotten.
func (restored *restoredRound) restoredLinks(values [][]byte) [][]byte {
	if restored.round.State == survey.Closed {
		return nil
	}
	kept := map[string]string{}
	for field, link := range pairs(values) {
		if !restored.forgotten[survey.PersonID(field)] {
			kept[field] = link
		}
	}
	return flattenSorted(kept)
}

// flattenSorted is flatten in the order of the fields, which says nothing of when they came.
func flattenSorted(fields map[string]string) [][]byte {
	var all [][]byte
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		all = append(all, []byte(name), []byte(fields[name]))
	}
	return all
}
