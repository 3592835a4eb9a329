package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSubtestsUseTheirOwnT finds closures that end or skip the test they were made in, and are called
// from a subtest. The testing package forbids that: the subtest panics, or the wrong test is reported.
// Such a closure takes the t of its caller as a parameter instead.
func TestSubtestsUseTheirOwnT(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		for _, at := range foreignT(file) {
			t.Errorf("%s: a subtest calls a closure that uses the t of its parent", files.Position(at))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestForeignT(t *testing.T) {
	t.Parallel()
	const head = "package p\nimport \"testing\"\nfunc Test(t *testing.T) {\n"
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"a closure in a map": {
			`m := map[string]func() int{"a": func() int { return start(t) }}
			t.Run("a", func(t *testing.T) { m["a"]() })`, 1,
		},
		"a closure in a variable": {
			`var f = func() { t.Fatal("no") }
			t.Run("a", func(t *testing.T) { f() })`, 1,
		},
		"a struct's field of a list": {
			`for _, c := range []struct{ f func() }{{func() { t.Skip("no") }}} {
				t.Run("a", func(t *testing.T) { c.f() })
			}`, 1,
		},
		"its own t": {
			`f := func(t *testing.T) { t.Fatal("no") }
			t.Run("a", func(t *testing.T) { f(t) })`, 0,
		},
		"the parent alone": {
			`f := func() { t.Fatal("no") }
			f()
			t.Run("a", func(t *testing.T) { t.Log("yes") })`, 0,
		},
		"another variable of the name": {
			`f := func() { t.Fatal("no") }
			f()
			t.Run("a", func(t *testing.T) { f := func() {}; f() })`, 0,
		},
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "p_test.go", head+c.body+"\n}", 0)
		if err != nil {
			t.Fatal(name, err)
		}
		if got := foreignT(file); len(got) != c.want {
			t.Errorf("%s: found %d, want %d", name, len(got), c.want)
		}
	}
}

// foreignT returns where functions with a t of their own use a variable that holds a closure over the t
// lookup a function around them.
func foreignT(file *ast.File) (found []token.Pos) {
	ast.Inspect(file, func(n ast.Node) bool {
		kind, body := function(n)
		outer := testingParameter(kind)
		if body == nil || outer == "" {
			return true
		}
		holders := closuresOver(body, outer)
		ast.Inspect(body, func(n ast.Node) bool {
			kind, body := function(n)
			if body == nil || testingParameter(kind) == "" {
				return true
			}
			ast.Inspect(body, func(n ast.Node) bool {
				if use, ok := n.(*ast.Ident); ok && use.Obj != nil && slices.Contains(holders, use.Obj) {
					found = append(found, use.Pos())
				}
				return true
			})
			return false
		})
		return true
	})
	slices.Sort(found)
	return slices.Compact(found)
}

// closuresOver returns the variables whose value holds a function that uses the parameter.
//
//lint:ignore SA1019 the variables of one file are enough here, and need no type information
func closuresOver(body *ast.BlockStmt, parameter string) (holders []*ast.Object) {
	hold := func(names []ast.Expr, values ...ast.Expr) {
		if !slices.ContainsFunc(values, func(v ast.Expr) bool { return capturing(v, parameter) }) {
			return
		}
		for _, name := range names {
			if id, ok := name.(*ast.Ident); ok && id.Obj != nil {
				holders = append(holders, id.Obj)
			}
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, value := range n.Rhs {
				if len(n.Lhs) == len(n.Rhs) {
					hold(n.Lhs[i:i+1], value)
				}
			}
		case *ast.RangeStmt:
			hold([]ast.Expr{n.Value}, n.X)
		case *ast.ValueSpec:
			for _, name := range n.Names {
				hold([]ast.Expr{name}, n.Values...)
			}
		case *ast.FuncLit:
			return testingParameter(n.Type) == ""
		}
		return true
	})
	return holders
}

// capturing says whether a value holds a function that uses the parameter of a function around it.
func capturing(value ast.Expr, parameter string) (yes bool) {
	if value == nil {
		return false
	}
	ast.Inspect(value, func(n ast.Node) bool {
		if _, ok := n.(*ast.CallExpr); ok { // what a call makes of a function is not known
			return false
		}
		literal, ok := n.(*ast.FuncLit)
		if !ok {
			return true
		}
		if testingParameter(literal.Type) != "" {
			return false
		}
		ast.Inspect(literal.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				yes = yes || ends(n, parameter)
			case *ast.FuncLit:
				return testingParameter(n.Type) == ""
			}
			return true
		})
		return false
	})
	return yes
}

// ends says whether a call can end or skip the test: one of its methods that do, or any function that is
// given it.
func ends(call *ast.CallExpr, parameter string) bool {
	isParameter := func(e ast.Expr) bool {
		id, ok := e.(*ast.Ident)
		return ok && id.Name == parameter
	}
	if slices.ContainsFunc(call.Args, isParameter) {
		return true
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	return ok && isParameter(method.X) && slices.Contains([]string{
		"Fatal", "Fatalf", "FailNow", "Skip", "Skipf", "SkipNow",
	}, method.Sel.Name)
}

func function(n ast.Node) (*ast.FuncType, *ast.BlockStmt) {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return n.Type, n.Body
	case *ast.FuncLit:
		return n.Type, n.Body
	}
	return nil, nil
}

// testingParameter returns the name of the parameter of a function that is a test, or nothing.
func testingParameter(kind *ast.FuncType) string {
	if kind == nil {
		return ""
	}
	for _, p := range kind.Params.List {
		of := p.Type
		if pointer, ok := of.(*ast.StarExpr); ok {
			of = pointer.X
		}
		name, ok := of.(*ast.SelectorExpr)
		if !ok || len(p.Names) != 1 {
			continue
		}
		from, ok := name.X.(*ast.Ident)
		if ok && from.Name == "testing" && slices.Contains([]string{"T", "B", "F", "TB"}, name.Sel.Name) {
			return p.Names[0].Name
		}
	}
	return ""
}
