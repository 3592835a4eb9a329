package slack

import (
	"regexp"
	"strings"

	"maturitybot/bot/chat"
)

// Forms of what Slack gives out for an app. They are checked here alone: New refuses what does not
// have them.

var signingSecret = regexp.MustCompile(`^[0-9a-f]{32}$`)

// isBotToken reports whether a value has the form of a bot token: it begins with xoxb-, or with
// xoxe.xoxb- where the app rotates its tokens.
func isBotToken(s chat.Secret) bool {
	return isPrintable(s) && (strings.HasPrefix(string(s), "xoxb-") || strings.HasPrefix(string(s), "xoxe.xoxb-"))
}

// isAppToken reports whether a value has the form of an app-level token.
func isAppToken(s chat.Secret) bool { return isPrintable(s) && strings.HasPrefix(string(s), "xapp-") }

// isSigningSecret reports whether a value has the form of a signing secret.
func isSigningSecret(s chat.Secret) bool { return signingSecret.MatchString(string(s)) }

// isPrintable reports whether a value can be a header: net/http refuses others with an error that
// quotes them.
func isPrintable(s chat.Secret) bool {
	return !strings.ContainsFunc(string(s), func(r rune) bool { return r <= ' ' || r > '~' })
}
