package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/alicebob/miniredis/v2"

	"maturitybot/adapters/redis"
)

// commandLine is a command line of the program that a page shows.
type commandLine struct {
	page string
	args []string
	// other is the program that runs it, such as docker, or empty.
	other string
}

// notRun are the commands and programs whose lines TestCommandLinesInPages only parses, and why.
var notRun = map[string]string{
	"serve":  "runs until it is stopped, and needs a platform; TestServe runs it",
	"check":  "needs a platform; TestCheckConfiguration runs it",
	"ready":  "needs a running bot; TestReadyCommand runs it",
	"docker": "needs Docker; TestComposeRedis checks compose.yaml",
}

// notOurs are programs that take maturitybot as an argument.
var notOurs = []string{"install", "useradd", "journalctl", "systemctl", "build", "test"}

// commandLinesOf returns the command lines that a page shows in code blocks and in code spans. A
// span that only names a command, such as `maturitybot restore`, is returned with that name.
func commandLinesOf(page string) []commandLine {
	var found []commandLine
	span := regexp.MustCompile("`([^`]+)`")
	fenced := false
	for line := range strings.Lines(page) {
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case fenced || strings.HasPrefix(line, "    "):
			if c, ok := parseCommandLine(line); ok {
				found = append(found, c)
			}
		default:
			for _, m := range span.FindAllStringSubmatch(line, -1) {
				text := m[1]
				if strings.HasPrefix(text, "try ") {
					text = "maturitybot " + text
				}
				if c, ok := parseCommandLine(text); ok {
					found = append(found, c)
				}
			}
		}
	}
	return found
}

// parseCommandLine returns the command line of the program in a line of a shell, if there is one.
func parseCommandLine(line string) (commandLine, bool) {
	for _, end := range []string{" # ", " && ", " > ", " | ", "; "} {
		line, _, _ = strings.Cut(line, end)
	}
	line = regexp.MustCompile(`\$\([^)]*\)`).ReplaceAllString(line, "OUTPUT")
	words := strings.Fields(strings.ReplaceAll(line, `"`, ""))
	var c commandLine
	program := slices.IndexFunc(words, func(w string) bool {
		return w == "maturitybot" || strings.HasSuffix(w, "/maturitybot")
	})
	if len(words) > 0 && words[0] == "docker" {
		c.other = "docker"
		program = max(program, slices.Index(words, "bot"))
	}
	if program < 0 || program == len(words)-1 {
		return c, false
	}
	for _, w := range words[:program] {
		if slices.Contains(notOurs, w) {
			return c, false
		}
	}
	c.args = words[program+1:]
	return c, true
}

// TestParseCommandLine checks where a line of a shell has the arguments of the program.
func TestParseCommandLine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"    go run ./cmd/maturitybot try     # a remark":                       "try",
		"15 2 * * * A=b /usr/local/bin/maturitybot backup /b/m-$(date +%F).age": "backup /b/m-OUTPUT.age",
		`docker compose run --rm -v "$PWD:/x" bot export R --out /x`:            "export R --out /x",
		"docker compose exec bot /maturitybot ready":                            "ready",
		"docker compose run -T bot backup -r age1... - > new && mv a b":         "backup -r age1... -",
		"go build ./cmd/maturitybot && sudo install maturitybot /bin":           "",
		"journalctl -u maturitybot -f":                                          "",
		"docker compose stop bot":                                               "",
		"redis-cli FLUSHALL":                                                    "",
	} {
		if c, _ := parseCommandLine(line); strings.Join(c.args, " ") != want {
			t.Errorf("%s: got %q, want %q", line, c.args, want)
		}
	}
}

// TestCommandLinesInPages runs every command line that the pages show: as it is written, but with
// files and rounds of the test for placeholders. Commands of notRun are only parsed.
func TestCommandLinesInPages(t *testing.T) {
	t.Parallel()
	lines := map[string]commandLine{}
	for _, path := range pages(t) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range commandLinesOf(string(raw)) {
			c.page = filepath.Base(path)
			lines[c.other+" "+strings.Join(c.args, " ")] = c
		}
	}
	if len(lines) < 25 {
		t.Fatalf("found only %d command lines", len(lines))
	}
	folder := t.TempDir()
	public := prepare(t, folder)
	for line, c := range lines {
		name := commandName(t, c.args)
		if name == "" {
			t.Errorf("%s: maturitybot has no command %s", c.page, line)
			continue
		}
		if len(strings.Fields(name)) == len(c.args) && c.other == "" && needsArguments(t, name) {
			continue // the page only names the command
		}
		t.Run(strings.TrimSpace(line), func(t *testing.T) {
			t.Parallel()
			c.check(t, name, folder, public)
		})
	}
}

// check runs a command line on a copy of the files that prepare wrote, or parses it if it cannot run
// in a test.
func (c commandLine) check(t *testing.T, name, prepared, public string) {
	folder := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(folder, os.DirFS(prepared)); err != nil {
		t.Fatal(err)
	}
	args := c.arguments(name, folder, public)
	parser, err := newParser(&commands{}, system{env: environment(nil).get}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if name == "backup" { // the page sets the key in the environment
		args = append(args, "--recipient", public)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatalf("%s: maturitybot %v: %v", c.page, args, err)
	}
	if notRun[name] != "" || notRun[c.other] != "" {
		return
	}
	env := environment{"ERASURES": filepath.Join(folder, "erasures")}
	switch name {
	case "try":
		if args = append(args, "--auto"); !slices.Contains(args, "--out") {
			args = append(args, "--out", filepath.Join(folder, "files"))
		}
	case "forget":
		args = append(args, "--yes")
	}
	if name == "restore" {
		env["REDIS_URL"] = "redis://" + miniredis.RunT(t).Addr() // empty
	} else {
		env["REDIS_URL"], _ = keptRounds(t)
	}
	if code, out, errs := env.exec(t, "", args...); code != 0 {
		t.Errorf("%s: maturitybot %v ends with %d\n%s%s", c.page, args, code, last(out, 20), errs)
	}
}

// arguments returns the arguments with the test's files, rounds and people for placeholders.
func (c commandLine) arguments(name, folder, public string) []string {
	file := filepath.Join(folder, "matrix.yaml")
	if name == "restore" {
		file = filepath.Join(folder, "backup.age")
	}
	placeholders := map[string]string{
		"FILE": file, "FOLDER": filepath.Join(folder, "files"), "ROUND": "open",
		"PERSON": "slack:T1:UDEE", "slack:TEAM:MEMBER": ben, "age1...": public,
		"erasures": filepath.Join(folder, "erasures"),
	}
	var args []string
	for i, a := range c.args {
		switch replacement, ok := placeholders[a]; {
		case ok && (a != "FILE" || i > 0):
			a = replacement
		case strings.HasSuffix(a, ".age"):
			a = filepath.Join(folder, "backup.age")
			if name == "backup" {
				a = filepath.Join(folder, "new.age")
			}
		case strings.Contains(a, ".") && !strings.Contains(a, "/") && filepath.Ext(a) != ".":
			a = filepath.Join(folder, a)
		}
		args = append(args, a)
	}
	return args
}

// prepare writes the files that command lines of the pages read, and returns the public key of
// maturity-key.txt.
func prepare(t *testing.T, folder string) (public string) {
	t.Helper()
	in := func(name string) string { return filepath.Join(folder, name) }
	public, secret := keys(t)
	journal := need(openJournal(in("erasures")))(t)
	url, _ := keptRounds(t)
	store := need(redis.Open(t.Context(), url))(t)
	store.KeepJournal(journal)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	environment{"REDIS_URL": url}.works(t, []string{"backup", in("backup.age"), "-r", public})
	environment(nil).works(t, []string{"results", "--example", "-o", in("answers.csv")})
	sheet := in("workshop-northshire.xlsx")
	environment(nil).works(t, []string{"results", in("answers.csv"), "--area", "Northshire", "--workshop", "-o", sheet})
	fillIn(t, sheet, "Early progress")
	eight := need(os.ReadFile("../../survey/matrix/testdata/eight.yaml"))(t)
	ratings := "area,nation,element,level\nHam,England,workforce,early\n"
	for name, text := range map[string]string{
		"matrix.yaml": string(eight), "RATINGS.csv": ratings,
		"maturity-key.txt": string(need(os.ReadFile(secret))(t)),
	} {
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return public
}

// commandName returns the name of the command that arguments begin with, or "".
func commandName(t *testing.T, args []string) string {
	t.Helper()
	for _, n := range leaves(t) {
		if name := n.Path(); strings.HasPrefix(strings.Join(args, " ")+" ", name+" ") {
			return name
		}
	}
	return ""
}

// needsArguments reports whether a command cannot run without arguments.
func needsArguments(t *testing.T, command string) bool {
	t.Helper()
	for _, n := range leaves(t) {
		if n.Path() == command {
			return len(n.Positional) > 0 ||
				slices.ContainsFunc(n.Flags, func(f *kong.Flag) bool { return f.Required })
		}
	}
	return false
}

// TestGoTestLinesInPages checks that the packages and tests exist that the pages show after go test.
func TestGoTestLinesInPages(t *testing.T) {
	t.Parallel()
	shown := regexp.MustCompile(`go test (\./[a-z/]+) (?:-run '\^\$' )?-(run|bench) '?(\w+)`)
	found := 0
	for _, path := range pages(t) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shown.FindAllStringSubmatch(string(raw), -1) {
			found++
			kind := map[string]string{"run": "Test", "bench": "Benchmark"}[m[2]]
			name := regexp.MustCompile(`func ` + kind + `\w*` + strings.TrimPrefix(m[3], kind))
			if !hasFunc(t, filepath.Join("../..", m[1]), name) {
				t.Errorf("%s: no function of %s is %s", filepath.Base(path), m[1], name)
			}
		}
	}
	if found < 10 {
		t.Fatalf("found only %d lines of go test", found)
	}
}

// hasFunc reports whether a test file of a package has a line that matches an expression.
func hasFunc(t *testing.T, folder string, expression *regexp.Regexp) bool {
	t.Helper()
	for _, file := range need(filepath.Glob(filepath.Join(folder, "*_test.go")))(t) {
		if expression.Match(need(os.ReadFile(file))(t)) {
			return true
		}
	}
	return false
}
