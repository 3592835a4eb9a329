package platform

import (
	"testing"

	"maturitybot/bot/chat"
)

func TestMasked(t *testing.T) {
	for secret, want := range map[chat.Secret]string{
		"":                      chat.Mask,
		"xoxb-short":            chat.Mask,
		"xoxb-0123456789abcdef": "xoxb-…cdef",
		"xapp-1-0123456789abcd": "xapp-…abcd",
		"0123456789abcdef":      "…cdef",
	} {
		if got := Masked(secret, "xoxb-", "xapp-"); got != want {
			t.Errorf("%q shows as %q, want %q", string(secret), got, want)
		}
	}
}
