package slack

import (
	"bytes"
	"slices"
)

// withoutField returns a JSON object with null in place of the first field of that name. It looks at
// strings and brackets alone, so that what is invalid in the field's value goes unnoticed.
//
// The card that was pressed is the largest part of a press, and is not read. encoding/json would look
// at each of its bytes twice.
func withoutField(object []byte, name string) []byte {
	field := []byte(`"` + name + `"`)
	depth, value := 0, -1 // value is where the field's value begins
	for i := 0; i < len(object); i++ {
		c := object[i]
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end := stringEnd(object, i)
			rest, isKey := bytes.CutPrefix(bytes.TrimLeft(object[end:], " \t\r\n"), []byte(":"))
			if depth == 1 && isKey && bytes.Equal(object[i:end], field) {
				value = len(object) - len(rest)
			}
			i = end - 1
		}
		if value >= 0 && (depth == 0 || depth == 1 && c == ',') {
			return slices.Concat(object[:value], []byte("null"), object[i:])
		}
	}
	return object
}

// stringEnd returns where the JSON string that begins at start ends: after its second quote.
func stringEnd(s []byte, start int) int {
	for i := start + 1; ; {
		n := bytes.IndexByte(s[i:], '"')
		if n < 0 {
			return len(s)
		}
		text := s[i : i+n]
		i += n + 1
		if escapes := len(text) - len(bytes.TrimRight(text, `\`)); escapes%2 == 0 {
			return i
		}
	}
}
