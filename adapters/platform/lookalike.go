package platform

// lookalikes are, by a character that a platform's markup gives a meaning, another one that looks
// the same and has none.
var lookalikes = map[rune]rune{
	'*': '∗', '_': 'ˍ', '~': '∼', '`': 'ˋ', // bold, italics, strike and code in both platforms
	'\\': '∖', '|': '∣', '<': '‹', '>': '›', '[': '［', ']': '］', '@': '＠', ':': '∶',
	'#': '＃', '-': '‐', '+': '＋', '.': '․', ')': '）',
}

// Lookalike returns a character that looks like r and has no meaning in markup, or r if there is
// none. It serves where a platform knows no escape for r, or where one would take too much space.
func Lookalike(r rune) rune {
	if other, ok := lookalikes[r]; ok {
		return other
	}
	return r
}
