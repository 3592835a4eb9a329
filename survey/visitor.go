package survey

import (
	"context"
	"errors"
)

// Visitor is what a person may do who holds a link or a return code.
type Visitor struct{ *core }

// Visit is what a link or a return code leads to.
type Visit struct {
	// Participation is that of the person. Only Round is set for the open link, and in a closed
	// round, because the close destroys what leads from a link to a person.
	Participation
	Open bool // the open link, which anybody may use: no person yet
	Full bool // the open link takes no more people
	Code bool // the credential is a return code
}

// foundKey is the key of a Participation in a context.
type foundKey struct{}

// ForReading returns a context for the rest of a request that changes nothing. In it, the person's
// own Participation in the round is what Find has read a moment before, and is not read again.
func (v Visit) ForReading(ctx context.Context) context.Context {
	return context.WithValue(ctx, foundKey{}, v.Participation)
}

// Find returns what the token of a link, or a return code, leads to. It changes nothing. For
// everything that leads nowhere it returns ErrNoLink. The round may be closed, or past its closing
// time.
func (v Visitor) Find(ctx context.Context, id RoundID, token string) (Visit, error) {
	found, err := v.find(ctx, id, token)
	return found.Visit, err
}

// foundLink is a Visit, with what was found and how.
type foundLink struct {
	Visit
	credential string  // as readCredential returns it
	key        linkKey // that the link was made with
	hash       string
}

func (v Visitor) find(ctx context.Context, id RoundID, token string) (foundLink, error) {
	credential, isCode, ok := readCredential(token)
	if !ok || !id.Valid() || len(v.linkKeys) == 0 {
		return foundLink{}, ErrNoLink
	}
	hashes := make([]string, len(v.linkKeys))
	for i, key := range v.linkKeys {
		hashes[i] = linkKey(key).hash(id, credential)
	}
	target, err := v.store.FindLink(ctx, id, hashes)
	if err != nil {
		return foundLink{}, oneError(err)
	}
	return foundLink{
		Visit: Visit{
			Participation: target.Participation, Open: target.Open, Full: target.Full, Code: isCode,
		},
		credential: credential,
		key:        v.linkKeys[target.Index],
		hash:       hashes[target.Index],
	}, nil
}

// oneError returns ErrNoLink itself for every error that it is, so that no text tells one from
// another.
func oneError(err error) error {
	if errors.Is(err, ErrNoLink) || isNoRound(err) {
		return ErrNoLink
	}
	return err
}

// errNoOperation refuses to let people in by the open link who could not be told apart.
var errNoOperation = errors.New("the operation has no id")

// Enter returns the credential with which the person goes on: the token itself of a personal link,
// and a return code itself. For the open link it puts a new person on the roster, and the credential
// is their return code. The same operation again returns the same credential and adds nobody.
//
// A person who holds the open link and knows the id of an operation can learn its return code, so the id
// must be one that nobody can guess.
//
// Enter returns ErrLinkFull when as many people as allowed came by the open link, ErrClosed when the
// survey takes no more answers, and the errors of Find. Nothing is recorded in the audit log: when
// a person came could give away which answers are theirs.
func (v Visitor) Enter(
	ctx context.Context, id RoundID, token string, op Operation,
) (credential string, err error) {
	found, err := v.find(ctx, id, token)
	switch {
	case err != nil:
		return "", err
	case found.Code:
		return formatCode(found.credential), nil
	case !found.Open:
		return found.credential, nil
	case op.ID == "":
		return "", errNoOperation
	}
	if err := v.answering(found.Round); err != nil {
		return "", err
	}
	code := found.key.code(id, op.ID)
	person := Link{Person: found.key.person(id, op.ID), Hash: found.key.hash(id, code)}
	if err := v.store.EnterByLink(ctx, id, v.now(), found.hash, person); err != nil {
		return "", oneError(err)
	}
	return formatCode(code), nil
}
