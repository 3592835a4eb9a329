package bot

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"maturitybot/survey"
)

// TestEveryKindHasACard: a kind of message to a person has a card, one to the channel a post, and a
// task something that does it.
func TestEveryKindHasACard(t *testing.T) {
	for _, kind := range survey.MessageTypes {
		d := deliveries[kind.Kind]
		got := map[survey.Audience]bool{
			survey.ToPerson: d.card != nil, survey.ToChannel: d.post != nil, survey.Task: d.task != nil,
		}
		for audience, has := range got {
			if has != (audience == kind.Audience) {
				t.Errorf("%s: audience %d has something to send: %v", kind.Kind, audience, has)
			}
		}
	}
	if len(deliveries) != len(survey.MessageTypes) {
		t.Errorf("%d kinds are drawn, and there are %d", len(deliveries), len(survey.MessageTypes))
	}
}

// TestKindsHaveOneTable: what differs by kind is in survey.MessageTypes and deliveries, and no
// switch of the program goes by the kind of a message.
func TestKindsHaveOneTable(t *testing.T) {
	names := map[string]bool{}
	table, err := parser.ParseFile(token.NewFileSet(), "../survey/messages.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(table, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if of, ok := v.Type.(*ast.Ident); ok && of.Name == "MessageKind" {
				names[v.Names[0].Name] = true
			}
		}
		return true
	})
	if len(names) != len(survey.MessageTypes) {
		t.Errorf("%d constants, and %d kinds in the table", len(names), len(survey.MessageTypes))
	}
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			c, ok := n.(*ast.CaseClause)
			if !ok {
				return true
			}
			for _, e := range c.List {
				if kind := kindIn(e, names, file.Name.Name == "survey"); kind != "" {
					t.Errorf("%s: a case of the kind %s", files.Position(e.Pos()), kind)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// kindIn returns the name of the constant in a case: survey.Name, or Name in the package itself.
func kindIn(e ast.Expr, names map[string]bool, inside bool) (found string) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if ok && x.Name == "survey" && names[n.Sel.Name] {
				found = n.Sel.Name
			}
			return false
		case *ast.Ident:
			if inside && names[n.Name] {
				found = n.Name
			}
		}
		return true
	})
	return found
}
