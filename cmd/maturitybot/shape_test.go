package main

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
	eachProductFile(t, func(path string) {
		lines, tooLong := countLines(t, path)
		if lines > maxFileLines {
			t.Errorf("%s has %d lines, more than %d: split it", path, lines, maxFileLines)
		}
		if tooLong > 0 {
			t.Errorf("%s:%d is longer than %d columns", path, tooLong, maxLineLength)
		}
		for _, decl := range parseProductFile(t, path).Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil {
				methods[filepath.ToSlash(filepath.Dir(path))+"."+receiverName(f.Recv.List[0].Type)]++
			}
		}
	})
	for name, count := range methods {
		name = strings.TrimPrefix(name, "../../")
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
// and has no default, so that nobody forgets it when a constant is added.
func TestSwitchesNameEachKind(t *testing.T) {
	found := 0
	eachProductFile(t, func(path string) {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
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

// eachProductFile calls visit with the path of each Go file of the module that is not a test.
func eachProductFile(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != "..":
			if path != "../.." {
				return filepath.SkipDir
			}
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			visit(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// parseProductFile parses a file without its comments.
func parseProductFile(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// countLines returns the number of lines of a file, and the number of its first line that is too
// long, or 0.
func countLines(t *testing.T, path string) (lines, tooLong int) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		lines++
		if tooLong == 0 && len([]rune(scanner.Text())) > maxLineLength {
			tooLong = lines
		}
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return lines, tooLong
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
