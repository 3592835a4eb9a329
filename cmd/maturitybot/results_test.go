package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"maturitybot/adapters/resultfiles"
)

// writeAnswers keeps a file of answers for a test.
func writeAnswers(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "answers.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// crafted is six midwives, two parents, and two who state no role, on two elements; the last answers nothing.
func crafted() string {
	var b strings.Builder
	b.WriteString("respondent,role,element,level,comment\n")
	for i, level := range []string{"basic", "basic", "Early progress", "2", "Cynnar", "mature"} {
		fmt.Fprintf(&b, "Zebedee %d,midwife,vision,%s,\n", i, level)
	}
	b.WriteString("Zebedee 0,,needs,dont_know,of an element that is hidden\n")
	b.WriteString("Quentin 1,Parents,vision,dont_know,\"=HYPERLINK(\"\"http://example.org\"\",\"\"@all\"\")\"\nQuentin 2,parent,vision,not_applicable,+1\n")
	b.WriteString("Ophelia,,vision,,-1\nOphelia,,needs,not_applicable,\nNobody,,vision,,\n")
	return b.String()
}

type figuresRead struct {
	ID            string
	Rated         any
	DontKnow      any `json:"dont_know"`
	NotApplicable any `json:"not_applicable"`
	NotAnswered   any `json:"not_answered"`
	Counts        map[string]any
	Percent       map[string]any
	Shares        map[string]any
	Mode          any
	ModeShare     any `json:"mode_share"`
	Median        any
	WithinOne     any `json:"within_one"`
	Agreement     any
	FarMinority   any `json:"far_minority"`
	Consensus     any
	RoleGroups    []figuresRead `json:"role_groups"`
}

func TestResultsAsJSON(t *testing.T) {
	code, out, errs := exec(t, "", "results", writeAnswers(t, crafted()), "--edition", "england", "--format", "json", "--area", "Conwy")
	if code != 0 || errs != "" {
		t.Fatalf("code %d, errors %q", code, errs)
	}
	var got struct {
		Round struct {
			Area string
		}
		Turnout        map[string]any
		Representation []map[string]any
		Elements       []figuresRead
		Dimensions     []figuresRead
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	vision, needs := got.Elements[0], got.Elements[1]
	groups := vision.RoleGroups
	vision.RoleGroups = nil
	want := figuresRead{
		ID: "vision", Rated: 6., DontKnow: 1., NotApplicable: 1., NotAnswered: 1.,
		Counts:  map[string]any{"basic": 2., "early": 3., "substantial": 0., "mature": 1.},
		Percent: map[string]any{"basic": 33., "early": 50., "substantial": 0., "mature": 17.},
		Shares:  map[string]any{"basic": .333333, "early": .5, "substantial": 0., "mature": .166667},
		Mode:    "early", ModeShare: .5, Median: 2., WithinOne: .833333, FarMinority: true, Consensus: false,
	}
	// Layers on levels {1,2,4}, {1,2} and {2} of 3, 2 and 1 ratings, whose own values are -2/9, 2/3 and 1: 5/18.
	want.Agreement = .277778
	if fmt.Sprint(vision) != fmt.Sprint(want) {
		t.Errorf("vision:\n got %v\nwant %v", vision, want)
	}
	ids := make([]string, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	if wantIDs := []string{"health", "council", "education", "community", "not_stated"}; !slices.Equal(ids, wantIDs) {
		t.Fatalf("role groups %v, want %v", ids, wantIDs)
	}
	if g := groups[0]; g.Rated != 6. || g.ModeShare != .5 || g.Counts["early"] != 3. {
		t.Errorf("health: %+v", g)
	}
	for name, hidden := range map[string]figuresRead{"an element nobody rated": needs, "a dimension with such": got.Dimensions[0]} {
		for _, v := range []any{hidden.Rated, hidden.DontKnow, hidden.Counts["basic"], hidden.Percent["basic"], hidden.Shares["mature"],
			hidden.Mode, hidden.ModeShare, hidden.Median, hidden.WithinOne, hidden.Agreement, hidden.FarMinority, hidden.Consensus} {
			if v != "[c]" {
				t.Errorf("%s: %v", name, hidden)
				break
			}
		}
		if len(hidden.RoleGroups) != 5 {
			t.Errorf("%s: %d role groups", name, len(hidden.RoleGroups))
		}
	}
	if u := got.Turnout; u["invited"] != "[x]" || u["declined"] != "[x]" || u["finished"] != 10. || u["respondents"] != 9. {
		t.Errorf("turnout %v", u)
	}
	for _, r := range got.Representation {
		if r["invited"] != "[x]" || r["finished"] != "[c]" { // the six midwives cover the others
			t.Errorf("representation %v", r)
		}
	}
	if got.Round.Area != "Conwy" {
		t.Errorf("area %q", got.Round.Area)
	}
}

// TestResultsAsText against testdata/results.txt, which -update writes.
func TestResultsAsText(t *testing.T) {
	_, example, _ := exec(t, "", "results", "--example", "--edition", "wales")
	code, out, errs := exec(t, example, "results", "-", "--edition", "wales", "--area", "Ynys Môn", "--min-group", "6", "--consensus", "60")
	if code != 0 || errs != "" {
		t.Fatalf("code %d, errors %q", code, errs)
	}
	golden := filepath.Join("testdata", "results.txt")
	if *rewrite {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if out != string(want) {
		t.Errorf("differs from %s; go test -update writes it anew:\n%s", golden, out)
	}
	_, welsh, _ := exec(t, example, "results", "-", "--edition", "wales", "--area", "Ynys Môn", "--lang", "cy")
	if !strings.Contains(welsh, "Ynys Môn") || !strings.Contains(welsh, "Partneriaeth") || strings.Contains(welsh, "Results") {
		t.Errorf("in Welsh:\n%s", welsh)
	}
}

// TestResultsNameNobody: respondents are in no format, and what they wrote is never a formula.
func TestResultsNameNobody(t *testing.T) {
	t.Parallel()
	answers, folder := writeAnswers(t, crafted()), t.TempDir()
	for _, format := range resultfiles.Formats() {
		file := filepath.Join(folder, "out."+strings.Replace(format, "text", "txt", 1))
		code, out, errs := exec(t, "", "results", answers, "-o", file, "--area", "=1+1")
		if code != 0 || out != "" || errs != "" {
			t.Fatalf("%s: code %d, output %q, errors %q", format, code, out, errs)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		begins := map[string]string{"png": "\x89PNG", "svg": "<svg", "xlsx": "PK", "json": "{", "text": "Results for", "csv": "\ufeffround,area,"}[format]
		if !bytes.HasPrefix(raw, []byte(begins)) {
			t.Errorf("%s begins with %.20q", format, raw)
		}
		if format == "xlsx" {
			raw = unzipped(t, raw)
			if bytes.Contains(raw, []byte("<f>")) || bytes.Contains(raw, []byte("<f ")) || !bytes.Contains(raw, []byte(">=HYPERLINK(")) {
				t.Error("a comment is a formula in the spreadsheet, or it is not there")
			}
		}
		if bytes.Contains(raw, []byte("of an element that is hidden")) {
			t.Errorf("%s has a comment on an element that is hidden", format)
		}
		if format == "csv" && (!bytes.Contains(raw, []byte(",'=1+1,")) || bytes.Contains(raw, []byte(",=1+1"))) {
			t.Error("the area is a formula in the CSV")
		}
		for _, name := range []string{"Zebedee", "Quentin", "Ophelia"} {
			if bytes.Contains(bytes.ToLower(raw), []byte(strings.ToLower(name))) {
				t.Errorf("%s names %s", format, name)
			}
		}
		if left, err := filepath.Glob(filepath.Join(folder, ".*")); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", format, left, err)
		}
		_, printed, _ := exec(t, "", "results", answers, "--format", format, "--area", "=1+1")
		if format != "xlsx" && format != "svg" && format != "png" && printed != string(raw) {
			t.Errorf("%s: standard output differs from the file", format)
		}
	}
}

// unzipped is all parts of a spreadsheet.
func unzipped(t *testing.T, raw []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, f := range z.File {
		part, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return all
}

// TestResultsInvalidAnswers: every fault is told, nobody is named, and what was in the file of -o stays there.
func TestResultsInvalidAnswers(t *testing.T) {
	answers := writeAnswers(t, crafted()+"Zebedee 1,midwife,vision,1,\nZebedee 2,parent,needs,9,\n,,needs,1,\n")
	out := filepath.Join(t.TempDir(), "kept.json")
	if err := os.WriteFile(out, []byte("as before"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, printed, errs := exec(t, "", "results", answers, "-o", out)
	if code != 1 || printed != "" || strings.Contains(strings.ToLower(errs), "zebedee") {
		t.Errorf("code %d, output %q, errors %q", code, printed, errs)
	}
	for _, want := range []string{":3: a respondent has two rows for an element (2 times: lines 3, 14)", ":15: there is no such level", ":4: a respondent has two roles (2 times: lines 4, 15)", ":16: the respondent is empty"} {
		if !strings.Contains(errs, answers+want) {
			t.Errorf("no %q in:\n%s", want, errs)
		}
	}
	files, err := os.ReadDir(filepath.Dir(out))
	if raw, _ := os.ReadFile(out); string(raw) != "as before" || err != nil || len(files) != 1 {
		t.Errorf("%v: the file holds %q, beside it there are %v", err, raw, files)
	}
}

func TestResultsCommandLine(t *testing.T) {
	t.Parallel()
	answers, folder := writeAnswers(t, crafted()), t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{}, 1, "name the file of answers; --example writes one"},
		{[]string{"nothing.csv"}, 1, "nothing.csv"},
		{[]string{answers, "--min-group", "2"}, 1, "--min-group is 2; want 3 or more"},
		{[]string{answers, "--consensus", "101"}, 1, "--consensus is 101; want 1 to 100"},
		{[]string{answers, "--lang", "fr"}, 2, "--lang"},
		{[]string{answers, "--format", "pdf"}, 1, `there is no format "pdf"; there are text, json, csv, xlsx, png, svg`},
		{[]string{answers, "-o", filepath.Join(folder, "x.pdf")}, 1, "give one with --format"},
		{[]string{answers, "-o", answers}, 1, "is the file that is read"},
		{[]string{answers, "-o", folder, "--format", "json"}, 1, "is a folder"},
		{[]string{answers, "-o", filepath.Join(folder, "no", "x.json")}, 1, "write results: "},
		{[]string{answers, "--edition", "scotland"}, 1, `there is no matrix "scotland"; there are england, wales; nor is it a matrix file`},
		{[]string{answers, "--area", strings.Repeat("ŵ", 61)}, 1, "has 61 characters; give one of at most 60"},
		{[]string{"-"}, 1, "name the local area with --area"},
		{[]string{answers, "--example"}, 1, "--example reads no answers"},
		{[]string{answers, "--wide"}, 1, "--wide goes with --example"},
		{[]string{answers, "--workshop", "-o", filepath.Join(folder, "x.csv")}, 1, "the ending of "},
		{[]string{answers, "--workshop", "--format", "csv"}, 1, `there is no format "csv"; there are xlsx, html`},
	} {
		code, out, errs := exec(t, "", append([]string{"results"}, c.args...)...)
		if code != c.code || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%v: code %d, output %q, errors %q; want %d, %q", c.args, code, out, errs, c.code, c.want)
		}
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
		t.Errorf("%v: files were written: %v", err, files)
	}
}

// TestResultsRefuseATerminal: a picture or a spreadsheet does not go to a terminal.
func TestResultsRefuseATerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there is no pseudo-terminal here:", err)
	}
	defer func() { _ = terminal.Close() }()
	for format, refused := range map[string]bool{"png": true, "xlsx": true, "json": false, "svg": false} {
		if _, err := (resultsCommand{Format: format}).format(terminal); (err != nil) != refused {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// TestResultsExample: the example of every matrix is the same each time, and can be read.
func TestResultsExample(t *testing.T) {
	t.Parallel()
	for _, edition := range []string{"england", "wales", "../../survey/matrix/testdata/eight.yaml"} {
		file := filepath.Join(t.TempDir(), "example.csv")
		code, out, errs := exec(t, "", "results", "--example", "--edition", edition, "-o", file)
		if code != 0 || out != "" || errs != "" {
			t.Fatalf("%s: code %d, output %q, errors %q", edition, code, out, errs)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, again, _ := exec(t, "", "results", "--example", "--edition", edition)
		if again != string(raw) || !strings.HasPrefix(again, "\ufeffrespondent,role,element,level,comment\n") || strings.Count(again, ". ")+strings.Count(again, ".\n") == 0 {
			t.Errorf("%s: not the same twice, or without comments", edition)
		}
		code, out, errs = exec(t, "", "results", file, "--edition", edition)
		if code != 0 || errs != "" || !strings.Contains(out, "Results for example\n") || !strings.Contains(out, "counted: 34\n") {
			t.Errorf("%s: code %d, errors %q, output:\n%s", edition, code, errs, out)
		}
	}
}

// TestResultsWideExample checks that the wide example has the answers of the long one, in each
// language.
func TestResultsWideExample(t *testing.T) {
	for _, edition := range []string{"england", "wales", "../../survey/matrix/testdata/eight.yaml"} {
		for _, lang := range []string{"en", "cy"} {
			_, long, _ := exec(t, "", "results", "--example", "--edition", edition, "--lang", lang)
			code, wide, errs := exec(t, "", "results", "--example", "--wide", "--edition", edition, "--lang", lang)
			role := map[string]string{"en": "\ufeffRole,", "cy": "\ufeffRôl,"}[lang]
			if code != 0 || errs != "" || !strings.HasPrefix(wide, role) {
				t.Fatalf("%s: code %d, errors %q, begins with %.20q", edition, code, errs, wide)
			}
			_, want, _ := exec(t, long, "results", "-", "--area", "Conwy", "--edition", edition)
			code, got, errs := exec(t, wide, "results", "-", "--area", "Conwy", "--edition", edition)
			if code != 0 || errs != "" || got != want {
				t.Errorf("%s, %s: code %d, errors %q:\n%s", edition, lang, code, errs, got)
			}
		}
	}
}

// TestSameErrorInTheSameWords checks that results and report say the same of the same mistake.
func TestSameErrorInTheSameWords(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "x.csv")
	text := "respondent,role,area,nation,element,level\n"
	for name, both := range map[string]string{
		"no file": filepath.Join(folder, "nofile.csv"),
		"folder":  folder,
		"empty":   "",
		"element": "1,,A,Wales,visio,2\n",
		"blank":   "1,,A,Wales,,2\n",
		"level":   "1,,A,Wales,vision,9\n",
		"ending":  "1,,A,Wales,vision,1\n",
	} {
		path, args := both, []string(nil)
		said := map[string]string{}
		for _, command := range []string{"results", "report"} {
			if name != "no file" && name != "folder" {
				path = file
				header, row := text, both
				if command == "results" { // which knows no other columns
					header, row = "respondent,role,element,level\n", strings.Replace(both, "A,Wales,", "", 1)
				}
				if err := os.WriteFile(file, []byte(header+row), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if name == "ending" {
				args = []string{"-o", filepath.Join(folder, "x.doc")}
			}
			code, out, errs := exec(t, "", append([]string{command, path}, args...)...)
			if code != 1 || out != "" {
				t.Errorf("%s %s: code %d, output %q", command, name, code, out)
			}
			// What a file, a row or a format may be differs; a cell is quoted by report only.
			what, _, _ := strings.Cut(errs, ";")
			for _, cell := range []string{`: "visio"`, `: "9"`} {
				what = strings.Replace(what, cell, "", 1)
			}
			said[command] = what
		}
		if said["results"] != said["report"] {
			t.Errorf("%s:\n%s\n%s", name, said["results"], said["report"])
		}
	}
}
