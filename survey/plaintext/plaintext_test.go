package plaintext

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
)

func TestSameWord(t *testing.T) {
	for a, others := range map[string][]string{
		"King's Lynn": {"King’s Lynn", "KING'S   LYNN", " king‘s\u00a0lynn\n", "King´s Lynn", "King\u200b's Lynn\ufeff", "Kingʼs\u202fLynn", "King\u0374s Lynn", "King\u1fefs\u2000Lynn"},
		"Ynys Môn":    {"Ynys Mo\u0302n", "YNYS MÔN", "ynys môn"},
		"tîm":         {"TÎM", "ti\u0302m"},
		"e-mail":      {"E‑mail", "e–mail", "E−MAIL"},
		`the "plan"`:  {"The “plan”", "the «plan»"},
		"'n":          {"\u0149", "’N"},
		"straße":      {"STRASSE"},
		"":            {" ", "\u200b", "\u00a0\t"},
	} {
		for _, b := range others {
			if !Same(a, b) {
				t.Errorf("%q is %q and %q is %q", a, Key(a), b, Key(b))
			}
		}
	}
	for _, pair := range [][2]string{{"Ynys Môn", "Ynys Mon"}, {"a b", "ab"}, {"a-b", "a b"}, {"2", "2.0"}} {
		if Same(pair[0], pair[1]) {
			t.Errorf("%q and %q are the same", pair[0], pair[1])
		}
	}
	if Unaccented("Ynys MÔN") != Unaccented("ynys mon") {
		t.Errorf("%q", Unaccented("Ynys MÔN"))
	}
}

func TestTrimMarks(t *testing.T) {
	for _, s := range []string{"“status”", "status.", "*status*", `"status"`, "‘status’,", "`status`", "_status_!"} {
		if got := TrimMarks(s); got != "status" {
			t.Errorf("%q is %q", s, got)
		}
	}
}

func TestClean(t *testing.T) {
	for s, want := range map[string]string{
		"North\u202eerihs":                  "Northerihs",
		"a\x1b[31mb\x9bc\x7f":               "a[31mb\ufffdc",
		"a\u009bb":                          "ab",
		"one\r\ntwo\rthree\u2028four\tfive": "one\ntwo\nthree four five",
		"\ufeffa\u2066b\u2069\u061c":        "ab",
		"👩\u200d👧 ŵ":                        "👩\u200d👧 ŵ",
	} {
		if got := Clean(s); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
	if got := Line(" a\r\nb\u0000 "); got != "a b" {
		t.Errorf("%q", got)
	}
}

func TestNewReader(t *testing.T) {
	const want = "Ynys Môn\nŵ"
	encode := func(order unicode.Endianness, mark unicode.BOMPolicy) string {
		b, err := unicode.UTF16(order, mark).NewEncoder().String(want)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, src := range map[string]string{
		"UTF-8": want, "UTF-8 with a mark": "\ufeff" + want,
		"UTF-16LE":                encode(unicode.LittleEndian, unicode.UseBOM),
		"UTF-16BE":                encode(unicode.BigEndian, unicode.UseBOM),
		"UTF-16LE without a mark": encode(unicode.LittleEndian, unicode.IgnoreBOM),
		"UTF-16BE without a mark": encode(unicode.BigEndian, unicode.IgnoreBOM),
	} {
		got, err := io.ReadAll(NewReader(iotest.OneByteReader(strings.NewReader(src))))
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := io.ReadAll(NewReader(bytes.NewReader([]byte("M\xf4n")))); err != nil || string(got) != "M\xf4n" {
		t.Errorf("another encoding: %q, %v", got, err)
	}
	if got, err := io.ReadAll(NewReader(strings.NewReader(""))); err != nil || len(got) != 0 {
		t.Errorf("nothing: %q, %v", got, err)
	}
}

// FuzzKey: Key and Clean change nothing in what they returned.
func FuzzKey(f *testing.F) {
	f.Add("King’s Lynn")
	f.Add("Ynys Mo\u0302n \u202e\x00\xff")
	f.Add("ſ\u0345İΣς")
	f.Add("\u0374\u1fef\u1ffd\u2000\u212a")
	f.Fuzz(func(t *testing.T, s string) {
		if k := Key(s); utf8.ValidString(s) && Key(k) != k {
			t.Errorf("%q has the key %q, and that has %q", s, k, Key(k))
		}
		if c := Clean(s); Clean(c) != c || !utf8.ValidString(c) || strings.ContainsAny(c, "\x00\x1b\u202e\u2066\r") {
			t.Errorf("%q is %q", s, c)
		}
	})
}
