package discord

import (
	"maturitybot/bot/chat"
	"maturitybot/survey/plaintext"
	"regexp"
	"strings"
	"testing"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"1:10: :10: 7:30_a: 9:45":      "1\\:10: \\:10: 7\\:30\\_a: 9:45",
		"plain, 3 of 17 · done.":       "plain, 3 of 17 · done.",
		"*b* _i_ ~~s~~ `c` ||x||":      `\*b\* \_i\_ \~\~s\~\~ \` + "`c\\`" + ` \|\|x\|\|`,
		"<@1> <@&1> <#1> @here":        `\<\@1\> \<\@&1\> \<#1\> \@here`,
		"<t:1:R> </a:1> <:e:1>":        `\<t\:1\:R\> \</a\:1\> \<\:e\:1\>`,
		":smile: at 10:30":             `\:smile: at 10:30`,
		"Note: fine":                   "Note: fine",
		"# one\n## two\n-# three":      "\\# one\n\\## two\n\\-# three",
		"- a\n+ b\n1. c\n22) d\n> e":   "\\- a\n\\+ b\n1\\. c\n22\\) d\n\\> e",
		"  # in\n   - in":              "\\# in\n   \\- in",
		"a - b # c 1. d":               "a - b # c 1. d",
		"[x](https://evil.example)":    `\[x\](https\://evil.example)`,
		"at https://x.example/a_b?c=1": "at https://x.example/a_b?c=1",
		"https://x<@1>":                `https\://x\<\@1\>`,
		"https://x*a*":                 `https\://x\*a\*`,
		"xhttps://x/a":                 `xhttps\://x/a`,
		"(https://x.example/a see":     "(https://x.example/a see",
		"xhttps://x/*a*":               `xhttps\://x/\*a\*`,
		`\*`:                           `\\\*`,
		"a\r\nb\x00\u202ec\td":         "a\nbc d",
		"\xff":                         "\uFFFD",
	} {
		if got := escapeBackslash.text([]chat.Span{chat.Words(in)}); got != want {
			t.Errorf("%q is written\n%q, want\n%q", in, got, want)
		}
	}
}

func TestSpans(t *testing.T) {
	for want, spans := range map[string][]chat.Span{
		"**a\\*b** c":         {chat.Bold("a*"), chat.Bold("b"), chat.Words(" c")},
		"**a**\n**b**":        {chat.Bold("a\nb")},
		"1\\. a":              {chat.Words("1"), chat.Words(". a")},
		"**Seen** <@42>, x":   {chat.Bold("Seen"), chat.Words(" "), chat.Mention{Person: person("42")}, chat.Words(", x")},
		`\@x\*y`:              {chat.Mention{Person: chat.Person{Platform: Platform, ID: "x*y"}}},
		`\@42`:                {chat.Mention{Person: chat.Person{Platform: "slack", Workspace: "T", ID: "42"}}},
		`\@U1`:                {chat.Mention{Person: chat.Person{Platform: "slack", Workspace: "T", ID: "U1"}}},
		`see https\://x**y**`: {chat.Words("see https://x"), chat.Bold("y")},
		"**see** https://x":   {chat.Bold("see"), chat.Words(" https://x")},
		"▰▱":                  {chat.Meter{Done: 1, Total: 2}},
	} {
		if got := escapeBackslash.text(spans); got != want {
			t.Errorf("%v is written\n%q, want\n%q", spans, got, want)
		}
	}
	if got := escapeBackslash.note([]chat.Span{chat.Words("a\n\n"), chat.Bold("b"), chat.Words("\n# c")}); got != "-# a\n-# **b**\n-# \\# c" {
		t.Errorf("a note of three lines is written %q", got)
	}
	if got := escapeBackslash.heading("Who?\n# me"); got != "## Who? # me" {
		t.Errorf("a heading is written %q", got)
	}
	if got := escapeBackslash.table("a`b\n```x```\n"); strings.Count(got, "`") != 6 {
		t.Errorf("a table can be left: %q", got)
	}
}

// tame matches escaped text: characters without a meaning in Markdown, and marks with a backslash
// before them.
var tame = regexp.MustCompile(`^(?:\\[^0-9A-Za-z\s]|[^\\*_~` + "`" + `|<>\[\]@])*$`)

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"a", "*", "https://x *", "\\", "1. x", "<@1>", "https://a/b_c d", "https://a/\\<b", "@everyone\n# x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := escapeBackslash.text([]chat.Span{chat.Words(s)})
		// An address goes out as it is, up to white space.
		rest := regexp.MustCompile(`(^|[\s(])https?://[-._/?=&%+:#0-9A-Za-z]*(\s|$)`).ReplaceAllString(got, "$1$2")
		rest = regexp.MustCompile(`(^|[\s(])https?://[-._/?=&%+:#0-9A-Za-z]*(\s|$)`).ReplaceAllString(rest, "$1$2")
		if !tame.MatchString(rest) {
			t.Errorf("%q is written %q", s, got)
		}
		for l := range strings.Lines(got) {
			if regexp.MustCompile(`^\s*(#|-|\+|\d+[.)])`).MatchString(l) {
				t.Errorf("%q begins a line %q", s, l)
			}
		}
		for _, p := range []escapeMode{escapeLookalike, escapeBare} {
			if n, m := len([]rune(p.text([]chat.Span{chat.Words(s)}))), len([]rune(plaintext.Clean(s))); n > m {
				t.Errorf("%q grows from %d to %d", s, m, n)
			}
		}
	})
}
