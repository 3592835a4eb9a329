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
	quoted := []byte(`"` + name + `"`)
	depth := 0
	for i := 0; i < len(object); i++ {
		switch object[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end := stringEnd(object, i)
			value, isKey := bytes.CutPrefix(bytes.TrimLeft(object[end:], " \t\r\n"), []byte(":"))
			if depth == 1 && isKey && bytes.Equal(object[i:end], quoted) {
				return slices.Concat(object[:len(object)-len(value)], []byte("null"), value[valueEnd(value):])
			}
			i = end - 1
		}
	}
	return object
}

// valueEnd returns the length of the JSON value that s begins with.
func valueEnd(s []byte) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // of the object around it
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		case '"':
			i = stringEnd(s, i) - 1
		}
	}
	return len(s)
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
