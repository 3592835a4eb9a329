package survey

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// LinkKeys are the secrets that links are made with. The first makes new links. Each of them is
// accepted, so that an operator can add a new key in front of an old one.
//
// A link's token is HMAC-SHA256(key, round, seed). The store keeps the seed and a keyed hash of the
// token, and never the token: a reader of the store who has no key can make no link.
type LinkKeys [][]byte

// LinkKeyBytes is the shortest length of a key.
const LinkKeyBytes = 32

// ParseLinkKeys reads one or more keys, separated by commas. Each is at least LinkKeyBytes bytes in
// hexadecimal or base64. The error names a key by its place and never repeats it.
func ParseLinkKeys(s string) (LinkKeys, error) {
	var keys LinkKeys
	for i, word := range strings.Split(s, ",") {
		key, ok := decodeKey(strings.TrimSpace(word))
		switch {
		case !ok:
			return nil, fmt.Errorf("key %d is neither hexadecimal nor base64", i+1)
		case len(key) < LinkKeyBytes:
			return nil, fmt.Errorf("key %d has %d bytes; expected at least %d",
				i+1, len(key), LinkKeyBytes)
		case slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) }):
			return nil, fmt.Errorf("key %d is the same as an earlier one", i+1)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// decodeKey reads a key in hexadecimal, or in base64 of either alphabet, padded or not.
func decodeKey(word string) (key []byte, ok bool) {
	if key, err := hex.DecodeString(word); err == nil {
		return key, true
	}
	word = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(word, "="))
	key, err := base64.RawStdEncoding.DecodeString(word)
	return key, err == nil
}

// String keeps keys out of logs and messages.
func (LinkKeys) String() string { return "[link keys]" }

// GoString is the same for the verb %#v.
func (k LinkKeys) GoString() string { return k.String() }

// UseLinkKeys sets the keys of links. Without keys there are no links: see ErrNoLinks. It is called
// before the rounds are used.
func (r *Rounds) UseLinkKeys(keys LinkKeys) { r.linkKeys = keys }

// linkKey is one of the LinkKeys.
type linkKey []byte

// newest returns the key that makes new links, or ErrNoLinks.
func (k LinkKeys) newest() (linkKey, error) {
	if len(k) == 0 {
		return nil, ErrNoLinks
	}
	return k[0], nil
}

// of returns the key with a fingerprint, or false if it is no longer among the keys.
func (k LinkKeys) of(fingerprint string) (linkKey, bool) {
	for _, key := range k {
		if linkKey(key).fingerprint() == fingerprint {
			return key, true
		}
	}
	return nil, false
}

// derive returns 256 bits for a purpose in a round. No two purposes, rounds or data give the same,
// because neither purposes nor ids of rounds hold a zero byte.
func (k linkKey) derive(purpose string, round RoundID, data []byte) []byte {
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(purpose + "\x00" + string(round) + "\x00"))
	mac.Write(data)
	return mac.Sum(nil)
}

// fingerprint tells keys apart. Nobody can find the key from it.
func (k linkKey) fingerprint() string {
	return base64.RawURLEncoding.EncodeToString(k.derive("fingerprint", "", nil))[:12]
}

// token returns the token of the link with a seed.
func (k linkKey) token(round RoundID, seed []byte) string {
	return base64.RawURLEncoding.EncodeToString(k.derive("link", round, seed))
}

// code returns the return code of the person who came by the open link with an operation.
func (k linkKey) code(round RoundID, operation string) string {
	return crockford.EncodeToString(k.derive("code", round, []byte(operation)))[:codeRunes]
}

// person returns the id of the person who came by the open link with an operation. Without the key
// it leads neither to the operation nor to the return code.
func (k linkKey) person(round RoundID, operation string) PersonID {
	return openLinkPerson + PersonID(personName(k.derive("person", round, []byte(operation))))
}

// hash returns what the store finds a token or a return code by. Without the key nobody can compute
// it, nor check whether a token has it.
func (k linkKey) hash(round RoundID, credential string) string {
	return base64.RawURLEncoding.EncodeToString(k.derive("find", round, []byte(credential)))
}

// seedBytes is the length of the seed of a link.
const seedBytes = 32

// newLink returns the parts of a new link that follow from a key.
func (k linkKey) newLink(round RoundID) Link {
	seed := make([]byte, seedBytes)
	rand.Read(seed) // never returns an error
	return Link{Seed: seed, Key: k.fingerprint(), Hash: k.hash(round, k.token(round, seed))}
}

// People who take part by link are "web::" and a name: "p" for a personal link or "o" for the open
// link, and then letters and digits that say nothing.
const (
	// WebPlatform is the platform of people who take part by link.
	WebPlatform = "web"

	linkPerson         PersonID = WebPlatform + ":"
	personalLinkPerson PersonID = WebPlatform + "::p"
	openLinkPerson     PersonID = WebPlatform + "::o"
)

// ByLink reports whether a person takes part by link. The bot cannot send them messages, and they
// can neither start nor coordinate rounds.
func (p PersonID) ByLink() bool { return strings.HasPrefix(string(p), string(linkPerson)) }

// ByOpenLink reports whether a person came by the open link of a round.
func (p PersonID) ByOpenLink() bool { return strings.HasPrefix(string(p), string(openLinkPerson)) }

// newLinkPerson returns a new person for a personal link.
func newLinkPerson() PersonID {
	return personalLinkPerson + PersonID(strings.ToLower(rand.Text()))
}

// personName returns a name of 26 letters and digits, 130 of the bits.
func personName(bits []byte) string {
	return strings.ToLower(base32.StdEncoding.EncodeToString(bits))[:26]
}

// crockford is Crockford's base32, in which no two characters look alike.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

const (
	tokenRunes = 43 // 256 bits in base64
	codeRunes  = 20 // 100 bits in base32
	codeGroup  = 4  // characters that are printed together
)

// formatCode returns a return code as it is printed: groups of four with hyphens.
func formatCode(code string) string {
	var groups []string
	for group := range slices.Chunk([]byte(code), codeGroup) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, "-")
}

// readCredential reads a token, or a return code as people type it: in small or capital letters,
// with or without spaces and hyphens, O for 0, and I or L for 1. It returns false for anything else.
func readCredential(s string) (credential string, isCode, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) == tokenRunes {
		_, err := base64.RawURLEncoding.Strict().DecodeString(s)
		return s, false, err == nil
	}
	code := codeCharacters.Replace(strings.ToUpper(s))
	if len(code) != codeRunes {
		return "", false, false
	}
	_, err := crockford.DecodeString(code + "0000") // whole bytes
	return code, true, err == nil
}

// codeCharacters replaces what people type in a return code by what is meant.
var codeCharacters = strings.NewReplacer(
	" ", "", "\u00a0", "", "\t", "", "-", "", "‐", "", "‑", "", "–", "", "O", "0", "I", "1", "L", "1",
)

// Errors of links.
var (
	// ErrNoLinks says that the operator has set no LinkKeys.
	ErrNoLinks = errors.New("there are no keys to make links with")
	// ErrNoLink is the one error for a link that is unknown, revoked, or of a round that has expired:
	// a visitor cannot tell one from another.
	ErrNoLink = errors.New("no such link")
	// ErrLinkFull says that as many people as the coordinator allows came by the open link.
	ErrLinkFull = errors.New("the open link is full")
	// ErrOldLink says that the key which made a link is no longer among the LinkKeys.
	ErrOldLink = errors.New("the link was made with a key that is gone")
)
