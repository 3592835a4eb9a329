package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(serveProcess) != "":
		os.Exit(serveProfiled(system{env: os.Getenv, out: io.Discard, err: io.Discard}))
	case os.Getenv(chaosDial) != "":
		os.Exit(chaosProcess())
	case os.Getenv(bareAddress) != "":
		serveBare()
		return
	}
	flag.Parse()
	if p := flag.Lookup("test.parallel"); p != nil && p.Value.String() == p.DefValue {
		// The transcripts on a platform wait for its pace more than for a processor, unless the race
		// detector slows them down.
		most := "32"
		if racing {
			most = "3"
		}
		_ = flag.Set("test.parallel", most)
	}
	os.Exit(m.Run())
}

// environment holds the environment variables that a test gives to the program, by name.
type environment map[string]string

func (e environment) get(name string) string { return e[name] }

// exec runs the program, with an input, and returns its exit code and what it prints.
func (e environment) exec(t *testing.T, input string, args ...string) (code int, out, errs string) {
	t.Helper()
	var printed, failed bytes.Buffer
	code = run(t.Context(), args, system{
		env: e.get, in: strings.NewReader(input), out: &printed, err: &failed,
	})
	return code, printed.String(), failed.String()
}

// exec runs the program without any environment variable.
func exec(t *testing.T, input string, args ...string) (code int, out, errs string) {
	t.Helper()
	return environment(nil).exec(t, input, args...)
}

func TestHelpNamesEveryCommand(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}} {
		code, out, errs := exec(t, "", args...)
		if code != 0 || errs != "" {
			t.Errorf("%v: code %d, errors %q", args, code, errs)
		}
		for _, want := range []string{"try", "play", "results", "report", "rounds", "export", "forget", "backup", "restore", "matrix check", "matrix show", "version"} {
			if !strings.Contains(out, want) {
				t.Errorf("%v: the help does not name %q:\n%s", args, want, out)
			}
		}
	}
}

// TestHelpTexts: each text of helpTexts and platformHelpTexts is the help of a command or a flag, and no
// key is shown in place of its text.
func TestHelpTexts(t *testing.T) {
	used := map[string]bool{}
	for _, command := range leaves(t) {
		for node := command; node != nil; node = node.Parent {
			used[node.Help] = true
		}
		for _, flag := range command.Flags {
			used[flag.Help] = true
		}
		for _, argument := range command.Positional {
			used[argument.Help] = true
		}
	}
	for _, texts := range []map[string]string{helpTexts, platformHelpTexts} {
		for key, text := range texts {
			if used[key] || !used[text] {
				t.Errorf("%s: shown as the key %v, as the text %v", key, used[key], used[text])
			}
		}
	}
	if _, err := helpText("no_such_key"); err == nil {
		t.Error("no error for a key without a text")
	}
}

// TestWrongCommandLines: 2 is for a command line that cannot be understood. One that is understood and cannot
// be done, such as one that names a file that is not there, is 1.
func TestWrongCommandLines(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"dance"}, 2, "unexpected argument dance"},
		{[]string{"try", "--lang", "fr"}, 2, `must be one of "en","cy"`},
		{[]string{"try", "--seed", "x"}, 2, "--seed"},
		{[]string{"try", "--others=-1"}, 1, "want 0 to 2000"},
		{[]string{"try", "--edition", "scotland"}, 1, `there is no matrix "scotland"; there are england, wales`},
		{[]string{"try", "--matrix", "nothing.yaml"}, 1, "there is no file nothing.yaml"},
		{[]string{"matrix", "show", "--lang", "fr"}, 1, `not written in "fr"`},
		{[]string{"matrix", "check", "nothing.yaml"}, 1, "there is no file nothing.yaml"},
		{[]string{"play", "nothing.chat"}, 1, "there is no file nothing.chat"},
	} {
		code, out, errs := exec(t, "", c.args...)
		if code != c.code || !strings.Contains(errs, c.want) || out != "" {
			t.Errorf("%v: code %d, want %d; errors %q, want %q in it; output %q", c.args, code, c.code, errs, c.want, out)
		}
	}
}

func TestVersion(t *testing.T) {
	code, out, _ := exec(t, "", "version")
	if code != 0 || !strings.HasPrefix(out, "maturitybot ") || !strings.Contains(out, "go1.") {
		t.Errorf("code %d, %q", code, out)
	}
}

func TestMatrixCheck(t *testing.T) {
	code, out, errs := exec(t, "", "matrix", "check", "../../survey/matrix/testdata/eight.yaml")
	if want := "3 dimensions, 8 elements, 5 levels"; code != 0 || errs != "" || !strings.Contains(out, want) {
		t.Errorf("code %d, errors %q, output %q without %q", code, errs, out, want)
	}
	raw, err := os.ReadFile("../../survey/matrix/testdata/eight.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(raw), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "question:") })
	lines[i] = "            qestion: Is this spelt right?"
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	if err := os.WriteFile(broken, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs = exec(t, "", "matrix", "check", broken)
	where := regexp.MustCompile(regexp.QuoteMeta(broken) + `:\d+: .*"?qestion"?.*question`)
	if code != 1 || out != "" || !where.MatchString(errs) {
		t.Errorf("code %d, output %q, errors %q", code, out, errs)
	}
}

func TestMatrixShow(t *testing.T) {
	_, english, _ := exec(t, "", "matrix", "show")
	_, welsh, _ := exec(t, "", "matrix", "show", "--edition", "wales", "--lang", "cy")
	_, own, _ := exec(t, "", "matrix", "show", "--matrix", "../../survey/matrix/testdata/eight.yaml")
	for text, want := range map[string]string{english: "England edition", welsh: "Dechrau'n Deg", own: "Inspections"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%.400s", want, text)
		}
	}
	_, raw, _ := exec(t, "", "matrix", "show", "--edition", "wales", "--format", "json")
	var m struct {
		ID     string
		Levels []any
	}
	if err := json.Unmarshal([]byte(raw), &m); err != nil || m.ID != "wales" || len(m.Levels) != 4 {
		t.Errorf("JSON: %v, %+v", err, m)
	}
}

func TestTryAutoRepeats(t *testing.T) {
	t.Parallel()
	var runs []string
	for range 2 {
		folder := t.TempDir()
		code, out, errs := exec(t, "", "try", "--auto", "--seed", "5", "--out", folder)
		if code != 0 || errs != "" {
			t.Fatalf("code %d, errors %q", code, errs)
		}
		for _, want := range []string{"Nothing is kept", "17 of 17", "Thank you, you have finished", "Results for", "Split (", "Finished, by role", "[c]"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in the output", want)
			}
		}
		files, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]string{".png": "\x89PNG", ".xlsx": "PK", ".csv": "", ".json": "{", ".svg": "<svg", "workshop.xlsx": "PK", "workshop.html": "<!doctype html>"}
		for _, f := range files {
			raw, err := os.ReadFile(filepath.Join(folder, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			kind := filepath.Ext(f.Name())
			if strings.HasPrefix(f.Name(), "workshop-") {
				kind = "workshop" + kind
			}
			start, ok := kinds[kind]
			if !ok || len(raw) < 500 || !bytes.HasPrefix(raw, []byte(start)) {
				t.Errorf("%s: %d bytes that begin with %.8q", f.Name(), len(raw), raw)
			}
			delete(kinds, kind)
			if !strings.Contains(out, filepath.Join(folder, f.Name())) {
				t.Errorf("%s is not named", f.Name())
			}
		}
		if len(kinds) > 0 {
			t.Errorf("files that were not written: %v", kinds)
		}
		runs = append(runs, strings.ReplaceAll(out, folder, "FOLDER"))
	}
	if runs[0] != runs[1] {
		t.Error("two runs with one seed differ")
	}
	_, other, _ := exec(t, "", "try", "--auto", "--seed", "6", "--out", t.TempDir())
	if strings.Contains(other, runs[0][strings.Index(runs[0], "# Results"):len(runs[0])-400]) {
		t.Error("another seed gives the same results")
	}
}

func TestTryWithAnotherMatrixAndInWelsh(t *testing.T) {
	t.Parallel()
	code, out, errs := exec(t, "", "try", "--auto", "--matrix", "../../survey/matrix/testdata/eight.yaml", "--out", t.TempDir())
	if code != 0 || errs != "" || !strings.Contains(out, "8 of 8") || !strings.Contains(out, "Inspections") {
		t.Errorf("code %d, errors %q, output %.300q", code, errs, out)
	}
	code, out, errs = exec(t, "", "try", "--auto", "--edition", "wales", "--lang", "cy", "--out", t.TempDir())
	if code != 0 || errs != "" {
		t.Fatalf("code %d, errors %q", code, errs)
	}
	for _, want := range []string{"17 o 17", "Canlyniadau", "Cynnydd cynnar"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in the Welsh output", want)
		}
	}
	if i := strings.Index(out, "Amdanoch chi"); strings.Contains(out[i:], "Thank you") {
		t.Error("English in the Welsh run")
	}
}

// TestTryPlain answers as a script or a screen reader would: number or name, a line each.
func TestTryPlain(t *testing.T) {
	t.Parallel()
	input := []string{"Start", "I have read this, start", "Choose your role", "Parent or carer", "Continue"}
	for range 17 {
		input = append(input, "Early")
	}
	input = append(input, "Submit")
	code, out, errs := exec(t, strings.Join(input, "\n")+"\n", "try", "--plain", "--out", t.TempDir())
	if code != 0 || errs != "" || !strings.Contains(out, "Thank you, you have finished") || !strings.Contains(out, "Results for") {
		t.Errorf("code %d, errors %q, end of the output:\n%s", code, errs, last(out, 60))
	}
}

func TestTryInterrupted(t *testing.T) {
	t.Parallel()
	for _, input := range []string{"q\n", ""} {
		code, out, errs := exec(t, input, "try", "--plain", "--out", t.TempDir())
		if code != 0 || errs != "" || !strings.Contains(out, "You have left") || strings.Contains(out, "Results for") {
			t.Errorf("%q: code %d, errors %q, end of the output:\n%s", input, code, errs, last(out, 20))
		}
	}
}

func TestPlay(t *testing.T) {
	const script = "# A story.\n~ #team has ben\n> ben /maturity help\n"
	code, out, errs := exec(t, script, "play", "-")
	if code != 0 || errs != "" || !strings.HasPrefix(out, script+"< ben is told\n    # What I can do\n") {
		t.Errorf("code %d, errors %q, output %q", code, errs, out)
	}
	for script, want := range map[string]string{
		"ben waits\n":                   "line 1",
		"# x\n> ben dances\n":           "line 2",
		"> ben [Start]\n":               "no such thing to press",
		"> ben sends note=x\n":          "no form open",
		"~ it rains\n":                  "no such stage direction",
		"> ben /maturity\n> ben [What]": "no such thing to press",
	} {
		if code, _, errs := exec(t, script, "play", "-"); code != 1 || !strings.Contains(errs, want) {
			t.Errorf("%q: code %d, errors %q, want %q in them", script, code, errs, want)
		}
	}
}

// TestServeIsParsedAlone: the smaller parser says of serve what the whole one says.
func TestServeIsParsedAlone(t *testing.T) {
	parse := func(c any, args ...string) string {
		var out bytes.Buffer
		parser, err := newParser(c, system{env: environment(nil).get, out: &out, err: &out}, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(args); err != nil {
			return out.String() + err.Error()
		}
		return out.String()
	}
	for _, args := range [][]string{
		{"serve", "--help"}, {"serve", "--lisen", "x"}, {"serve", "x"}, {"serve", "--listen"}, {"serve", "check"},
	} {
		whole, alone := parse(&commands{}, args...), parse(&serveOnly{}, args...)
		if whole != alone {
			t.Errorf("%q: the whole parser says\n%s\nthe smaller one\n%s", args, whole, alone)
		}
		if whole == "" {
			t.Errorf("%q: nothing was said", args)
		}
	}
}
