package bot

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
)

// TestEverySentenceUsed holds the sentences against the code: what is said is there, in the right
// form, and what is there is said.
func TestEverySentenceUsed(t *testing.T) {
	raw, err := os.ReadFile("locale/en.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	plural := map[string]bool{}
	var walk func(string, map[string]any)
	walk = func(prefix string, node map[string]any) {
		for name, child := range node {
			key := strings.TrimPrefix(prefix+"."+name, ".")
			if sub, ok := child.(map[string]any); !ok {
				plural[key] = false
			} else if _, forms := sub["other"]; forms {
				plural[key] = true
			} else {
				walk(key, sub)
			}
		}
	}
	walk("", tree)

	said := map[string]bool{}
	for _, pattern := range []string{
		"*.go", "card/*.go", "locale/*.go", "../survey/*.go", "../survey/*/*.go", "../reminders/*.go",
		"../adapters/resultfiles/*.go", "../adapters/web/*.go", "../cmd/maturitybot/*.go",
	} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if ast.IsGenerated(file) {
				continue // it holds the sentences themselves
			}
			for _, key := range declaredKeys(file) {
				said[key] = true
				if _, known := plural[key]; !known {
					t.Errorf("%s declares that it says %q, which no language has", path, key)
				}
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch x := n.(type) {
				case *ast.BasicLit:
					if s, err := strconv.Unquote(x.Value); err == nil {
						if _, ok := plural[s]; ok {
							said[s] = true
						}
					}
				case *ast.CallExpr:
					f, ok := x.Fun.(*ast.SelectorExpr)
					if !ok || len(x.Args) == 0 || f.Sel.Name != "Say" && f.Sel.Name != "Count" {
						return true
					}
					lit, ok := x.Args[0].(*ast.BasicLit)
					if !ok {
						return true
					}
					key, _ := strconv.Unquote(lit.Value)
					isPlural, known := plural[key]
					if !known {
						t.Errorf("%s says %q, which no language has", path, key)
					} else if isPlural != (f.Sel.Name == "Count") {
						t.Errorf("%s: %s(%q): has plural forms: %v", path, f.Sel.Name, key, isPlural)
					}
				case *ast.CompositeLit:
					if key, ok := inputKey(x); ok {
						said[key] = true
						if _, known := plural[key]; !known {
							t.Errorf("%s refuses with %q, which no language has", path, key)
						}
					}
				}
				return true
			})
		}
	}
	for _, c := range commandTable {
		said["command."+c.verb+".about"], said["command."+c.verb+".help"] = true, true
		for _, o := range c.options {
			said["command.option."+o.name] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(plural)) {
		if !said[key] {
			t.Errorf("nothing says %q", key)
		}
	}
}

// declaredKeys returns the keys of the sentences that a file declares in comments, because it puts
// these keys together where it runs.
func declaredKeys(file *ast.File) []string {
	var keys []string
	for _, group := range file.Comments {
		for _, c := range group.List {
			if list, ok := strings.CutPrefix(c.Text, "//locale:says "); ok {
				keys = append(keys, strings.Fields(list)...)
			}
		}
	}
	return keys
}

// inputKey is the key of the sentence for an InputError written out with its field and reason.
func inputKey(x *ast.CompositeLit) (string, bool) {
	name := ""
	switch t := x.Type.(type) {
	case *ast.Ident:
		name = t.Name
	case *ast.SelectorExpr:
		name = t.Sel.Name
	}
	if name != "InputError" {
		return "", false
	}
	part := map[string]string{}
	for _, e := range x.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return "", false
		}
		if lit, ok := kv.Value.(*ast.BasicLit); ok {
			part[kv.Key.(*ast.Ident).Name], _ = strconv.Unquote(lit.Value)
		}
	}
	return "input." + part["Field"] + "." + part["Reason"], part["Field"] != "" &&
		part["Reason"] != ""
}

// A label that Slack would cut is refused by chat.Card.Check; so every sentence that is one must
// fit in both languages, with a tick before it where it can be chosen.
func TestLabelLengths(t *testing.T) {
	words := locale.New()
	for _, lang := range []string{"en", "cy"} {
		var tree map[string]map[string]any
		raw, err := os.ReadFile("locale/" + lang + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(raw, &tree); err != nil {
			t.Fatal(err)
		}
		v := words.In(lang)
		fits := func(b chat.Button) {
			t.Helper()
			b.Action = chat.NewAction("go")
			if err := (chat.Card{Blocks: []chat.Block{card.Row(b)}}).Check(); err != nil {
				t.Errorf("%s: %q: %v", lang, b.Label, err)
			}
		}
		for key := range tree["button"] {
			fits(chat.Button{Label: v.Say("button."+key, "i", 100, "n", 100, "level", "")})
		}
		for _, key := range []string{"answer.dont_know", "answer.not_applicable"} {
			fits(chat.Button{Label: v.Say(key), Chosen: true})
		}
		fits(chat.Button{Label: v.Say("language.name")})
		for _, question := range []string{"erase", "close", "remind"} {
			fits(chat.Button{Label: v.Say(question + ".yes")})
			fits(chat.Button{Label: v.Say(question + ".no")})
		}
	}
}
