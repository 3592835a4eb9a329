package platform

import (
	"testing"
	"unicode/utf8"
)

func TestLookalike(t *testing.T) {
	for r, want := range map[rune]rune{'*': '∗', '\\': '∖', 'a': 'a', ' ': ' ', 'ŵ': 'ŵ', '∗': '∗'} {
		if got := Lookalike(r); got != want {
			t.Errorf("%q: %q, want %q", r, got, want)
		}
	}
	other := map[rune]rune{}
	for r, l := range lookalikes {
		if r >= utf8.RuneSelf || l < utf8.RuneSelf {
			t.Errorf("%q has the double %q", r, l)
		}
		if before, ok := other[l]; ok {
			t.Errorf("%q stands for %q and %q", l, before, r)
		}
		other[l] = r
	}
}
