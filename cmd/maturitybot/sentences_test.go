package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// notForUsers are the texts in adapters that look like sentences, with the reader that each has.
var notForUsers = map[string]string{
	"Socket Mode is not turned on": "Slack answers with it",
	"DiscordBot (maturitybot, 1)":  "Discord: the header User-Agent",
	"Bot ":                         "Discord: the header Authorization",
	"View Channel":                 "Discord's own name, which has no Welsh",
	"Send Messages":                "Discord's own name, which has no Welsh",
	"Send Messages in Threads":     "Discord's own name, which has no Welsh",
	"Attach Files":                 "Discord's own name, which has no Welsh",
}

// TestAdaptersHaveNoSentences keeps what users read in bot/locale, in both languages: no adapter of
// a chat platform has a text of several words that begins with a capital letter, besides those in
// notForUsers. What it writes for operators is in errors and in the log, and names of calls begin
// with a small letter.
func TestAdaptersHaveNoSentences(t *testing.T) {
	used := map[string]bool{}
	dirs := []string{"../../adapters/platform"}
	for _, d := range definitions {
		dirs = append(dirs, "../../adapters/"+d.Name)
	}
	for _, dir := range dirs {
		for _, text := range textsOf(t, dir) {
			if _, known := notForUsers[text]; known {
				used[text] = true
			} else {
				t.Errorf("%s: %q: let the bot say it", dir, text)
			}
		}
	}
	for text := range notForUsers {
		if !used[text] {
			t.Errorf("no adapter has %q", text)
		}
	}
}

// textsOf returns the texts of a package's code that look like sentences for users.
func textsOf(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		if e.Name() == "configuration.go" {
			continue // operators read it, in docs/configuration.md and from the command check
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.CallExpr:
				return !isForOperators(x)
			case *ast.BasicLit:
				text, err := strconv.Unquote(x.Value)
				if err == nil && x.Kind == token.STRING && looksLikeSentence(text) {
					texts = append(texts, text)
				}
			case *ast.Field:
				return x.Tag == nil
			}
			return true
		})
	}
	return texts
}

// isForOperators reports whether a call makes an error or writes to the log.
func isForOperators(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if pkg, ok := f.X.(*ast.Ident); ok && (pkg.Name == "errors" || pkg.Name == "fmt" && f.Sel.Name == "Errorf") {
		return true
	}
	return slices.Contains([]string{"Error", "Warn", "Info", "Debug"}, f.Sel.Name)
}

// looksLikeSentence reports whether a text has several words and begins with a capital letter.
func looksLikeSentence(text string) bool {
	first := []rune(strings.TrimSpace(text))
	return len(first) > 0 && unicode.IsUpper(first[0]) && strings.ContainsRune(text, ' ')
}
