package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"maturitybot/adapters/redis"
	"maturitybot/bot"
)

// parts of docs/configuration.md that are written from the program, by the name that stands in the line before each.
func parts(t *testing.T) map[string]string {
	t.Helper()
	var given strings.Builder
	given.WriteString("| variable | what it is | where it is found | what for |\n|---|---|---|---|\n")
	for _, c := range append(credentials(), linkKeys) {
		fmt.Fprintf(&given, "| `%s` | %s | %s | %s |\n", c.Name, c.What, c.Where, c.Use)
	}
	return map[string]string{
		"credentials": given.String(), "commands": commandPages(t),
		"addresses": indented(redis.Addresses), "acl": indented("ACL SETUSER bot on >PASSWORD " + redis.ACL),
	}
}

// indented is a text as Markdown shows it unchanged.
func indented(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") + "\n" }

// commandPages describes every command and its flags.
func commandPages(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	serve := flagsOf(t, "serve")
	for _, n := range leaves(t) {
		var arguments, flags strings.Builder
		for _, p := range n.Positional {
			fmt.Fprintf(&arguments, "`%s`: %s\n\n", p.Summary(), p.Help)
		}
		all := n.Flags
		if name := n.Path(); name != "serve" && holds(all, serve) {
			arguments.WriteString("The flags of `serve`, and:\n\n")
			all = slices.DeleteFunc(slices.Clone(all), func(f *kong.Flag) bool { return holds(serve, []*kong.Flag{f}) })
		}
		for _, f := range all {
			fmt.Fprintf(&flags, "| `%s` | %s | %s | %s |\n", flagName(f), quoted(strings.Join(f.Envs, "`, `")), quoted(f.Default), strings.ReplaceAll(f.Help, "|", `\|`))
		}
		fmt.Fprintf(&out, "### maturitybot %s\n\n%s\n\n%s", n.Path(), n.Help, &arguments)
		if flags.Len() > 0 {
			fmt.Fprintf(&out, "| flag | environment | without it | |\n|---|---|---|---|\n%s\n", &flags)
		}
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func flagName(f *kong.Flag) string {
	name := "--" + f.Name
	if !f.IsBool() {
		name += " " + cmp.Or(f.PlaceHolder, strings.ToUpper(f.Name))
	}
	return strings.ReplaceAll(name, "|", `\|`)
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// holds says whether every one of some flags is among others.
func holds(all, some []*kong.Flag) bool {
	for _, s := range some {
		if !slices.ContainsFunc(all, func(f *kong.Flag) bool { return f.Name == s.Name }) {
			return false
		}
	}
	return true
}

// leaves are the commands that can be run.
func leaves(t *testing.T) []*kong.Node {
	t.Helper()
	parser, err := kong.New(&commands{}, kong.Name(""))
	if err == nil {
		err = setHelpTexts(parser)
	}
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model.Leaves(true)
}

func flagsOf(t *testing.T, command string) []*kong.Flag {
	t.Helper()
	for _, n := range leaves(t) {
		if n.Path() == command {
			return n.Flags
		}
	}
	t.Fatalf("no command %s", command)
	return nil
}

// TestConfigurationPage: what docs/configuration.md says of flags and variables is what the program has.
func TestConfigurationPage(t *testing.T) {
	const path = "../../docs/configuration.md"
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	part := regexp.MustCompile(`(?s)<!-- written from the program: (\w+) -->\n(.*?)<!-- end -->`)
	want, written := parts(t), 0
	page := part.ReplaceAllStringFunc(string(raw), func(old string) string {
		name := part.FindStringSubmatch(old)[1]
		text, ok := want[name]
		if !ok {
			t.Errorf("%s is no part that is written from the program", name)
		}
		written++
		return "<!-- written from the program: " + name + " -->\n\n" + text + "\n<!-- end -->"
	})
	if written != len(want) {
		t.Errorf("%d parts are there, want %d", written, len(want))
	}
	if page == string(raw) {
		return
	}
	if *rewrite {
		if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("docs/configuration.md is not what the program has:\n%s\nRun go test ./cmd/maturitybot -run ConfigurationPage -update, and read the difference.", firstDifference(string(raw), page))
}

// TestEnvironmentExample: .env.example names every variable that serve and compose.yaml read, and no other.
func TestEnvironmentExample(t *testing.T) {
	example, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	compose, err := os.ReadFile("../../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range flagsOf(t, "serve") {
		for _, name := range f.Envs {
			known[name] = true
		}
	}
	for _, c := range append(credentials(), linkKeys) {
		known[c.Name] = true
	}
	for _, m := range regexp.MustCompile(`[^$]\$\{(\w+)`).FindAllStringSubmatch(string(compose), -1) {
		known[m[1]] = true
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#?([A-Z_]+)=`).FindAllStringSubmatch(string(example), -1) {
		if named[m[1]] {
			t.Errorf("%s is there twice", m[1])
		}
		named[m[1]] = true
		if !known[m[1]] {
			t.Errorf("nothing reads %s", m[1])
		}
	}
	for name := range known {
		if !named[name] {
			t.Errorf("%s is not there", name)
		}
	}
}

// pages returns the paths of the pages of the repository.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 20 {
		t.Fatalf("found only %d pages", len(all))
	}
	return all
}

// TestLinksBetweenPages checks that each file, picture and heading exists that a page links to, and
// that README.md leads to every page.
func TestLinksBetweenPages(t *testing.T) {
	t.Parallel()
	texts := map[string]string{}
	for _, page := range pages(t) {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Clean(page)] = string(raw)
	}
	links := map[string][]string{} // the pages that a page links to
	for page, text := range texts {
		for _, m := range regexp.MustCompile(`\]\(([^)#]*)(?:#([^)]*))?\)`).FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			target := filepath.Join(filepath.Dir(page), m[1])
			if m[1] == "" {
				target = page
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
			if m[2] != "" && !slices.Contains(anchors(texts[target]), m[2]) {
				t.Errorf("%s links to %s, which has no heading #%s", page, target, m[2])
			}
			links[page] = append(links[page], target)
		}
	}
	reached := map[string]bool{}
	for next := []string{filepath.Clean("../../README.md")}; len(next) > 0; next = next[1:] {
		if page := next[0]; !reached[page] {
			reached[page] = true
			next = append(next, links[page]...)
		}
	}
	for page := range texts {
		if !reached[page] {
			t.Errorf("no link leads from README.md to %s", page)
		}
	}
}

// anchors returns the names under which GitHub links to the headings of a page.
func anchors(page string) []string {
	var all []string
	for line := range strings.Lines(page) {
		heading := strings.TrimLeft(line, "#")
		if heading == line || !strings.HasPrefix(heading, " ") {
			continue
		}
		heading = strings.ToLower(strings.TrimSpace(heading))
		heading = regexp.MustCompile(`[^\pL\pN_ -]`).ReplaceAllString(heading, "")
		all = append(all, strings.ReplaceAll(heading, " ", "-"))
	}
	return all
}

// TestCoordinatorPagesNameEveryCommand checks the tables of commands in English and in Welsh.
func TestCoordinatorPagesNameEveryCommand(t *testing.T) {
	t.Parallel()
	words := sentences()
	spec := bot.AppSpec(words)
	english := string(need(os.ReadFile("../../docs/coordinators.md"))(t))
	welsh := string(need(os.ReadFile("../../docs/cydlynwyr.md"))(t))
	names := map[string][]string{}
	for _, c := range spec.Commands {
		for _, sub := range c.Subcommands {
			names[c.Name] = append(names[c.Name], sub.Word)
		}
	}
	if len(names["maturity"]) < 10 {
		t.Fatalf("the commands are %v", names)
	}
	for i, name := range names["maturity"] {
		other := names["aeddfedrwydd"][i]
		if row := "| `/maturity " + name + "` | `" + other + "` |"; !strings.Contains(english, row) {
			t.Errorf("docs/coordinators.md has no row %s", row)
		}
		if row := "| `/aeddfedrwydd " + other + "` | `" + name + "` |"; !strings.Contains(welsh, row) {
			t.Errorf("docs/cydlynwyr.md has no row %s", row)
		}
	}
}

// TestPagesAreInPlainWords refuses words that readers stumble over, in pages and in alerts.
func TestPagesAreInPlainWords(t *testing.T) {
	t.Parallel()
	hard := regexp.MustCompile(`(?i)\b(by itself|of itself|mends?|mended|steer|whoever|whom else|` +
		`name no|names? nobody|owed|let (it|them) go|in any case|tells? of|hears? of|told of|` +
		`takes no|per cent)\b`)
	for _, path := range append(pages(t), "../../deploy/alerts.yaml", "../../deploy/dashboard.json",
		"../../.env.example", "../../compose.yaml") {
		for i, line := range strings.Split(string(need(os.ReadFile(path))(t)), "\n") {
			line = strings.ReplaceAll(line, "~owed", "") // a key in Redis
			if word := hard.FindString(line); word != "" && filepath.Base(path) != "CONTRIBUTING.md" {
				t.Errorf("%s:%d: %q", path, i+1, word)
			}
		}
	}
}

// TestPicturesOfPages checks that .github/pictures/draw still finds what it draws: each line names a
// transcript and a text in it. Each picture is drawn by it, is shown on a page and is small.
func TestPicturesOfPages(t *testing.T) {
	t.Parallel()
	const folder, mostBytes = "../../.github/pictures", 512 << 10
	drawn := map[string]bool{"results": true} // by the command try
	for _, name := range browserPictures {
		drawn[name] = true
	}
	script := string(need(os.ReadFile(filepath.Join(folder, "draw")))(t))
	line := regexp.MustCompile(`(?m)^(\S+) +(?:Slack|Discord)/(\S+) +(?:first|last) +\w+ +(.+)$`)
	for _, m := range line.FindAllStringSubmatch(script, -1) {
		name, story, text := m[1], m[2], m[3]
		drawn[name] = true
		chat := string(need(os.ReadFile(filepath.Join(transcripts, story+".chat")))(t))
		if !strings.Contains(chat, text) {
			t.Errorf("%s: nothing in %s.chat has %q", name, story, text)
		}
	}
	var shown strings.Builder
	for _, page := range pages(t) {
		shown.Write(need(os.ReadFile(page))(t))
	}
	pictures := need(filepath.Glob(filepath.Join(folder, "*.png")))(t)
	if len(pictures) != len(drawn) {
		t.Errorf("%d pictures are there, and %d are drawn", len(pictures), len(drawn))
	}
	for _, path := range pictures {
		name := strings.TrimSuffix(filepath.Base(path), ".png")
		if !drawn[name] {
			t.Errorf("nothing draws %s", name)
		}
		if !strings.Contains(shown.String(), "pictures/"+name+".png") {
			t.Errorf("no page shows %s", name)
		}
		if size := need(os.Stat(path))(t).Size(); size > mostBytes {
			t.Errorf("%s has %d bytes, want at most %d", name, size, mostBytes)
		}
	}
}
