package plaintext

import (
	"bufio"
	"bytes"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// NewReader returns the text of a file as UTF-8 without a byte order mark. It reads UTF-8 and, as
// Excel saves "Unicode Text", UTF-16 of either byte order. Anything else is passed on as it is: the
// caller finds that it is not UTF-8.
func NewReader(from io.Reader) io.Reader {
	b := bufio.NewReaderSize(from, 64<<10)
	start, _ := b.Peek(4) // an error comes again when the file is read
	utf16 := func(order unicode.Endianness) io.Reader {
		return transform.NewReader(b, unicode.UTF16(order, unicode.UseBOM).NewDecoder())
	}
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, _ = b.Discard(3) // they are in the buffer
	case bytes.HasPrefix(start, []byte("\xff\xfe")):
		return utf16(unicode.LittleEndian)
	case bytes.HasPrefix(start, []byte("\xfe\xff")):
		return utf16(unicode.BigEndian)
	case len(start) == 4 && start[0] != 0 && start[1] == 0 && start[2] != 0 && start[3] == 0:
		return utf16(unicode.LittleEndian)
	case len(start) == 4 && start[0] == 0 && start[1] != 0 && start[2] == 0 && start[3] != 0:
		return utf16(unicode.BigEndian)
	}
	return b
}
