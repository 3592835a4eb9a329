package main

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// namesPlatform are the files outside the adapters of a platform that name one, each with its reason.
var namesPlatform = map[string]string{
	"cmd/maturitybot/platforms.go":        "the table of platforms",
	"cmd/maturitybot/matrix.go":           "tells authors where a matrix can be shown",
	"cmd/maturitybot/server/telemetry.go": "the description of a metric",
	"survey/matrix/limits.go":             "tells authors whose limit a matrix exceeds",
	"survey/matrix/decode_names.go":       "tells authors whose limit an id exceeds",
}

// TestPlatformsAreNamedInOneTable checks that no identifier, string or import of the program names
// a platform outside its adapter and the table, so that a new one needs a row there and no more.
func TestPlatformsAreNamedInOneTable(t *testing.T) {
	var names, adapters []string
	for _, d := range definitions {
		names = append(names, regexp.QuoteMeta(d.Name))
		adapters = append(adapters, "adapters/"+d.Name)
	}
	named := regexp.MustCompile("(?i)" + strings.Join(names, "|"))
	found := map[string]bool{}
	eachProductFile(t, func(name string, fset *token.FileSet, file *ast.File) {
		within := func(adapter string) bool { return strings.HasPrefix(name, adapter+"/") }
		if slices.ContainsFunc(adapters, within) {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			text := ""
			switch n := n.(type) {
			case *ast.Ident:
				text = n.Name
			case *ast.BasicLit:
				text = n.Value
			}
			if named.MatchString(text) {
				found[name] = true
				if namesPlatform[name] == "" {
					t.Errorf("%s names a platform: %s", fset.Position(n.Pos()), text)
				}
			}
			return true
		})
	})
	for name := range namesPlatform {
		if !found[name] {
			t.Errorf("%s names no platform: take it out of the list", name)
		}
	}
}

// TestParsePerson: an id that a platform gives to nobody is refused, so that no command takes it for somebody whom it did not find.
func TestParsePerson(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		" slack:T1:U1 ": "slack:T1:U1", "discord::110": "discord::110", "web::p1": "web::p1",
		"slack::U1": "", "discord:G1:110": "", "slak:T1:U1": "", "slack:T1:": "", "U1": "", "": "",
	} {
		who, err := parsePerson(text)
		if got := who.String(); (err != nil) != (want == "") || err == nil && got != want {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
}
