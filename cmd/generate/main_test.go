package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"maturitybot/survey/matrix"
)

const matrices = "../../survey/matrix"

// TestUpToDate checks that each generated file was written from the YAML files beside it.
func TestUpToDate(t *testing.T) {
	folders := map[string]string{"editions.go": matrices, "sentences.go": "../../bot/locale"}
	for name, source := range outputs {
		want, err := source(folders[name])
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(folders[name], name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from its YAML files: run go generate ./...", name)
		}
	}
}

// TestEditions checks that the editions in the program are what their files say.
func TestEditions(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(matrices, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(matrix.Editions(), matrix.EarlierEditions())
	if len(all) != len(files) {
		t.Errorf("%d editions from %d files", len(all), len(files))
	}
	for _, file := range files {
		from, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := matrix.Load(file, from)
		_ = from.Close() // it was only read
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := all.Find(want.ID, want.Version); !reflect.DeepEqual(got, want) {
			t.Errorf("the edition from %s differs from it", file)
		}
	}
}

// TestFaultyFiles: nothing is written from a file with a fault, and the error names its place.
func TestFaultyFiles(t *testing.T) {
	for _, c := range []struct{ output, file, text, want string }{
		{"editions.go", "england-3.yaml", "id: England\n", "england-3.yaml:1: "},
		{"sentences.go", "en.yaml", "greeting: {one: \"Hello\n", "en.yaml: "},
	} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, c.file), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := outputs[c.output](folder)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s from %q: %v; want %q in it", c.output, c.text, err, c.want)
		}
		t.Chdir(folder)
		if err := generate([]string{c.output}); err == nil {
			t.Errorf("%s was generated from %q", c.output, c.text)
		}
		if _, err := os.Stat(c.output); err == nil {
			t.Errorf("%s was written from %q", c.output, c.text)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"other.go"}, {"editions.go", "sentences.go"}} {
		if err := generate(args); err == nil {
			t.Errorf("generate %q: no error", args)
		}
	}
}
