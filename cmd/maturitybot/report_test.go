package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ratingsFile is a few areas, in words as people write them.
func ratingsFile(t *testing.T, rows ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ratings.csv")
	if err := os.WriteFile(path, []byte("area,nation,element,level\n"+strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReport(t *testing.T) {
	file := ratingsFile(t, "A,England,Workforce planning,1", "B,England,workforce,Early", "C,Cymru,Cynllunio'r gweithlu,2", "C,Wales,quality,")
	code, out, errs := exec(t, "", "report", file)
	if code != 0 || errs != "" {
		t.Fatalf("code %d, errors %q", code, errs)
	}
	out = strings.Join(strings.Fields(out), " ")
	for _, want := range []string{
		"England and Wales: 3 areas · Wales: 1 area · England: 2 areas",
		"Commissioning and resources",
		"Workforce planning 1 2 0 0 3 0 1 0 0 1 1 1 0 0 2",
		"Average level 33% 67% 0% 0% 3 0% 100% 0% 0% 1 50% 50% 0% 0% 2",
		"Average level [x] [x] [x] [x] 0",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	_, out, _ = exec(t, "", "report", file, "--lang", "cy")
	for _, want := range []string{"Cymru a Lloegr: 3 ardal · Cymru: 1 ardal", "Lefel gyfartalog", "Cynllunio'r gweithlu"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if strings.Contains(out, "⟦") {
		t.Errorf("a sentence is missing:\n%s", out)
	}
}

func TestReportInWelsh(t *testing.T) {
	code, out, errs := exec(t, "", "report", ratingsFile(t, "C,Wales,resources,2"))
	if code != 0 || strings.Contains(out, "ommissioning") || !strings.Contains(out, "Aligning funding") || strings.Contains(out, "England") {
		t.Errorf("code %d, errors %q:\n%s", code, errs, out)
	}
}

func TestReportOnAnotherMatrix(t *testing.T) {
	code, out, errs := exec(t, "", "report", ratingsFile(t, "A,England,Inspections,5"), "--matrix", "../../survey/matrix/testdata/eight.yaml")
	if code != 0 || !strings.Contains(out, "Inspections") || !strings.Contains(out, "0% 100%     1") {
		t.Errorf("code %d, errors %q:\n%s", code, errs, out)
	}
}

func TestReportWritesEachFormat(t *testing.T) {
	file := ratingsFile(t, "A,England,workforce,1", "C,Wales,workforce,2")
	folder := t.TempDir()
	for name, begin := range map[string]string{"r.txt": "Agreed", "r.csv": "\ufeffkind,", "r.xlsx": "PK", "r.PNG": "\x89PNG", "r.svg": "<svg"} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte("before"), 0o640); err != nil {
			t.Fatal(err)
		}
		code, out, errs := exec(t, "", "report", file, "-o", path)
		raw, err := os.ReadFile(path)
		if code != 0 || out != "" || errs != "" || err != nil || !bytes.HasPrefix(raw, []byte(begin)) {
			t.Errorf("%s: code %d, output %q, errors %q, %v, begins with %.8q", name, code, out, errs, err, raw)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if code, _, errs := exec(t, "", "report", file, "--format", "csv", "-o", filepath.Join(folder, "data")); code != 0 {
		t.Errorf("code %d, %q", code, errs)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 6 {
		t.Errorf("files left: %v, %v", left, err)
	}
}

func TestReportInvalid(t *testing.T) {
	good, bad := ratingsFile(t, "A,England,workforce,1"), ratingsFile(t, "A,Narnia,workforce,1", "A,England,wardrobe,1")
	folder := t.TempDir()
	kept := filepath.Join(folder, "kept.csv")
	if err := os.WriteFile(kept, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		bad + `:2: the nation is not known: "Narnia"; expected England or Wales` + "\n" + bad + `:3: there is no such element in the matrix england: "wardrobe"; expected`: {bad, "-o", kept},
		"maturitybot: the ending of x.doc says no format; give one with --format: text, csv, xlsx, png, svg":                                                               {good, "-o", "x.doc"},
		"maturitybot: write report: " + folder + " is a folder":                                                                                                            {good, "--format", "csv", "-o", folder},
	} {
		code, out, errs := exec(t, "", append([]string{"report"}, args...)...)
		if code != 1 || out != "" || !strings.HasPrefix(errs, want) {
			t.Errorf("%v: code %d, output %q, errors %q, want %q", args, code, out, errs, want)
		}
	}
	if raw, err := os.ReadFile(kept); err != nil || string(raw) != "before" {
		t.Errorf("the file holds %q, %v", raw, err)
	}
}

func TestReportDoesNotReplaceItsInput(t *testing.T) {
	file := ratingsFile(t, "A,England,workforce,1")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.csv")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{file, link} {
		code, _, errs := exec(t, "", "report", file, "-o", out)
		if want := "-o " + out + " is the file that is read; name another"; code != 1 || !strings.Contains(errs, want) {
			t.Errorf("code %d, errors %q", code, errs)
		}
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the ratings are %q now, %v", after, err)
	}
}
