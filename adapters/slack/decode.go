package slack

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"maturitybot/bot/chat"
)

// errIgnored says that a payload is well formed and not for us: another app's component, or a
// kind of event that the bot does not use. It is acknowledged and ignored.
var errIgnored = errors.New("not for this bot")

// Bounds on what is read. A view has at most 250 KB (docs.slack.dev/surfaces/modals), and a message
// 50 blocks: nothing that Slack sends of ours comes near maxPayload.
const (
	maxPayload = 1 << 20
	maxFields  = maxHomeBlocks
	maxValues  = 1000  // of one field
	maxCommand = 12000 // characters that fit Slack's message box
)

// decode reads JSON that is no longer than Slack sends.
func decode(what string, payload []byte, into any) error {
	if len(payload) > maxPayload {
		return fmt.Errorf("read %s: %d bytes, at most %d", what, len(payload), maxPayload)
	}
	if err := json.Unmarshal(payload, into); err != nil {
		return fmt.Errorf("read %s: %w", what, withoutQuotes(err))
	}
	return nil
}

// decodeForm reads a form. It returns the field "payload" if there is one, which may take the place of
// the body, and else all fields.
func decodeForm(body []byte) (payload []byte, form url.Values, err error) {
	if alone, ok := bytes.CutPrefix(body, []byte("payload=")); ok && !bytes.ContainsAny(alone, "&;") {
		payload, err = unescapeInPlace(alone)
		return payload, nil, err
	}
	if form, err = url.ParseQuery(string(body)); err != nil {
		return nil, nil, err
	}
	if form.Has("payload") {
		payload = []byte(form.Get("payload"))
	}
	return payload, form, nil
}

// unescapeInPlace is url.QueryUnescape without a copy: a payload may be large.
func unescapeInPlace(s []byte) ([]byte, error) {
	out := s[:0]
	for len(s) > 0 {
		n := 1
		switch s[0] {
		case '+':
			out = append(out, ' ')
		case '%':
			n = 3
			if len(s) < n {
				return nil, errEscape
			}
			var c [1]byte
			if _, err := hex.Decode(c[:], s[1:n]); err != nil {
				return nil, errEscape
			}
			out = append(out, c[0])
		default:
			out = append(out, s[0])
		}
		s = s[n:]
	}
	return out, nil
}

// errEscape does not quote the form, which may hold the user's words.
var errEscape = errors.New("read form: a broken escape")

// withoutQuotes is an error of encoding/json without what it quotes of the payload, which may be
// the user's words.
func withoutQuotes(err error) error {
	var bad *json.UnmarshalTypeError
	if errors.As(err, &bad) {
		return fmt.Errorf("a value that does not fit %s at byte %d", bad.Field, bad.Offset)
	}
	var broken *json.SyntaxError
	if errors.As(err, &broken) {
		return fmt.Errorf("broken JSON at byte %d", broken.Offset)
	}
	return errors.New("broken JSON")
}

// parseTimestamp reads a time as Slack writes it, "seconds.microseconds" since 1970; anything else
// is the zero time.
func parseTimestamp(s string) time.Time {
	whole, part, _ := strings.Cut(s, ".")
	seconds, err := strconv.ParseInt(whole, 10, 40)
	if err != nil || seconds <= 0 {
		return time.Time{}
	}
	var micros int64
	if part != "" {
		if micros, err = strconv.ParseInt((part + "000000")[:6], 10, 32); err != nil || micros < 0 {
			return time.Time{}
		}
	}
	return time.Unix(seconds, micros*1000).UTC()
}

func place(team, channel string) chat.Place {
	return chat.Place{Platform: Platform, Workspace: team, Channel: channel}
}

// isDirect reports whether a conversation is one person's with the bot: Slack begins its id with D.
func isDirect(channel string) bool { return strings.HasPrefix(channel, "D") }
