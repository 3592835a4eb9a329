package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"strings"

	"maturitybot/bot/chat"
)

// Forms of what Discord gives out for an application. They are checked here alone: New refuses what
// does not have them.

// isToken reports whether a value can be a bot token, with or without "Bot " before it.
func isToken(s chat.Secret) bool {
	text := string(trimToken(s))
	// net/http would refuse a header with others, in an error that quotes it.
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// trimToken is a token without what stands around it.
func trimToken(s chat.Secret) chat.Secret {
	return chat.Secret(strings.TrimPrefix(strings.TrimSpace(string(s)), "Bot "))
}

// isPublicKey reports whether a value is a public key: 64 hexadecimal digits, of either case, with
// spaces around them or without.
func isPublicKey(s string) bool {
	_, ok := publicKey(s)
	return ok
}

func publicKey(s string) (ed25519.PublicKey, bool) {
	key, err := hex.DecodeString(strings.TrimSpace(s))
	return key, err == nil && len(key) == ed25519.PublicKeySize
}

// isServerID reports whether a value has the form of a server's id.
func isServerID(s string) bool {
	_, ok := snowflake(s)
	return ok
}
