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
