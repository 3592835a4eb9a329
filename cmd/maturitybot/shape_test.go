package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Limits of the shape of product code. A reader who does not know the project loses the thread in a
// longer file or a wider type.
const (
	maxFileLines   = 600
	maxTypeMethods = 40
	maxLineLength  = 120
)

// wideTypes may have more methods than maxTypeMethods. The package comment of each says why.
var wideTypes = []string{
	"adapters/discord/fake.Server",
	"adapters/redis.Store",
	"adapters/slack/fake.Server",
}

// TestShape checks that product files are short, lines fit the page, and no type does too much.
func TestShape(t *testing.T) {
	methods := map[string]int{}
	eachProductFile(t, func(name string, _ *token.FileSet, file *ast.File) {
		checkLines(t, name)
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil {
				methods[path.Dir(name)+"."+receiverName(f.Recv.List[0].Type)]++
			}
		}
	})
	for name, count := range methods {
		if count > maxTypeMethods != slices.Contains(wideTypes, name) {
			t.Errorf("%s has %d methods; at most %d, unless it is in wideTypes", name, count, maxTypeMethods)
		}
	}
}

// closedSets lists the constants of types that have no other values, by the package that names them.
// staticcheck and go-check-sumtype do not know such sets.
var closedSets = map[string][]string{
	"chat": {"Command", "Press", "Submit", "Message", "Home"},
}

// TestSwitchesNameEachKind checks that a switch over a closed set of constants names each of them
// and has no default, so that it is not forgotten when a constant is added.
func TestSwitchesNameEachKind(t *testing.T) {
	found := 0
	eachProductFile(t, func(_ string, fset *token.FileSet, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SwitchStmt)
			if !ok {
				return true
			}
			named, hasDefault := caseNames(s)
			for pkg, set := range closedSets {
				missing := slices.DeleteFunc(slices.Clone(set), func(name string) bool {
					return slices.Contains(named, pkg+"."+name)
				})
				if len(missing) == len(set) {
					continue
				}
				found++
				if len(missing) > 0 || hasDefault {
					t.Errorf("%s: name each of %v, without a default; missing: %v",
						fset.Position(s.Pos()), set, missing)
				}
			}
			return true
		})
	})
	if found == 0 {
		t.Error("no switch was found: is closedSets still right?")
	}
}

// caseNames returns the qualified names in the cases of a switch, and whether it has a default.
func caseNames(s *ast.SwitchStmt) (names []string, hasDefault bool) {
	for _, stmt := range s.Body.List {
		clause, ok := stmt.(*ast.CaseClause)
		if !ok {
			continue
		}
		hasDefault = hasDefault || clause.List == nil
		for _, expr := range clause.List {
			if sel, ok := expr.(*ast.SelectorExpr); ok {
				if pkg, ok := sel.X.(*ast.Ident); ok {
					names = append(names, pkg.Name+"."+sel.Sel.Name)
				}
			}
		}
	}
	return names, hasDefault
}

// eachProductFile parses each Go file of the module that is neither a test nor generated, and calls
// visit with its name from the root of the module.
func eachProductFile(
	t *testing.T, visit func(name string, fset *token.FileSet, file *ast.File),
) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("../.."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		fset := token.NewFileSet()
		const mode = parser.ParseComments | parser.SkipObjectResolution
		file, err := parser.ParseFile(fset, filepath.Join("../..", name), nil, mode)
		if err == nil && !ast.IsGenerated(file) {
			visit(name, fset, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkLines checks how many lines a file has, and how long they are.
func checkLines(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for line := range strings.Lines(string(text)) {
		count++
		if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > maxLineLength {
			t.Errorf("%s:%d is longer than %d columns", name, count, maxLineLength)
		}
	}
	if count > maxFileLines {
		t.Errorf("%s has %d lines, more than %d: split it", name, count, maxFileLines)
	}
}

// receiverName returns the name of the type of a receiver.
func receiverName(expr ast.Expr) string {
	switch x := expr.(type) {
	case *ast.StarExpr:
		return receiverName(x.X)
	case *ast.IndexExpr:
		return receiverName(x.X)
	case *ast.Ident:
		return x.Name
	}
	return ""
}
