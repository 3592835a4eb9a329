package main

import (
	"go/ast"
	"go/token"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowedImports lists which packages of the module each package may import. A package that is not
// listed may not exist. Tests may import anything.
var allowedImports = map[string][]string{
	"survey":                         {"survey/audit", "survey/matrix", "survey/plaintext", "survey/results", "survey/workshop"},
	"survey/audit":                   {},
	"survey/workshop":                {"survey/matrix", "survey/plaintext", "survey/results"},
	"survey/results":                 {"survey/matrix", "survey/plaintext"},
	"survey/plaintext":               {},
	"survey/readability":             {}, // for tests
	"survey/rows":                    {"survey/plaintext"},
	"survey/matrix":                  {"survey/plaintext"},
	"bot/chat":                       {},
	"bot/card":                       {"bot/chat", "bot/locale", "survey", "survey/audit", "survey/matrix", "survey/results", "survey/workshop"},
	"bot/locale":                     {},
	"bot/transcript":                 {"bot/chat"},
	"bot":                            {"bot/card", "bot/chat", "bot/locale", "survey", "survey/audit", "survey/matrix", "survey/plaintext", "survey/results", "survey/rows", "survey/workshop"},
	"adapters/redis":                 {"survey", "survey/audit", "survey/matrix", "survey/results", "survey/plaintext", "survey/workshop"},
	"adapters/redis/storetest":       {"survey", "survey/audit", "survey/matrix", "survey/results", "survey/workshop"}, // for tests
	"adapters/redis/redistest":       {},                                                                               // for tests
	"adapters/terminal":              {"bot/chat", "survey/plaintext"},
	"adapters/web":                   {"bot/chat"},
	"adapters/webhook":               {"bot/chat/dispatch"},
	"adapters/platform":              {"bot/chat", "bot/chat/dispatch"},
	"adapters/platform/platformlaw":  {"adapters/platform", "adapters/platformtest", "bot/chat"}, // for tests
	"adapters/slack":                 {"adapters/platform", "adapters/webhook", "bot/chat", "bot/chat/dispatch", "survey/plaintext"},
	"adapters/platformtest":          {"bot/chat"},                                                        // for tests
	"adapters/slack/fake":            {"adapters/platformtest", "adapters/slack/slackschema", "bot/chat"}, // for tests
	"adapters/slack/slackschema":     {"adapters/platformtest/schema"},                                    // for tests
	"adapters/platformtest/schema":   {},                                                                  // for tests
	"adapters/discord":               {"adapters/platform", "adapters/webhook", "bot/chat", "bot/chat/dispatch", "survey/plaintext"},
	"adapters/discord/discordschema": {"adapters/platformtest/schema"},                                        // for tests
	"adapters/discord/fake":          {"adapters/discord/discordschema", "adapters/platformtest", "bot/chat"}, // for tests
	"bot/chat/dispatch":              {"bot/chat"},
	"reminders":                      {"survey", "survey/plaintext"},
	"adapters/spreadsheet":           {"survey/rows"},
	"adapters/answers":               {"adapters/spreadsheet", "survey/matrix", "survey/plaintext", "survey/results", "survey/rows"},
	"adapters/poster":                {"bot/card", "bot/chat"},
	"adapters/chart":                 {"survey/matrix", "survey/plaintext", "survey/results", "survey/workshop"},
	"adapters/ratings":               {"adapters/spreadsheet", "survey", "survey/matrix", "survey/plaintext", "survey/results", "survey/rows"},
	"adapters/table":                 {"survey", "survey/audit", "survey/matrix", "survey/plaintext", "survey/results", "survey/rows", "survey/workshop"},
	"adapters/resultfiles":           {"adapters/chart", "adapters/table", "bot/chat", "bot/locale", "survey", "survey/matrix", "survey/results", "survey/workshop"},
	"cmd/generate":                   {"survey/matrix"},
	"cmd/maturitybot/server":         {"adapters/platform", "adapters/poster", "adapters/redis", "adapters/resultfiles", "adapters/web", "bot", "bot/chat", "bot/chat/dispatch", "bot/locale", "reminders", "survey", "survey/matrix"},
	"cmd/maturitybot":                {"adapters/answers", "adapters/discord", "adapters/platform", "adapters/poster", "adapters/ratings", "adapters/redis", "adapters/resultfiles", "adapters/slack", "adapters/terminal", "adapters/web", "bot", "bot/chat", "bot/locale", "bot/transcript", "cmd/maturitybot/server", "reminders", "survey", "survey/audit", "survey/matrix", "survey/plaintext", "survey/results", "survey/workshop"},
}

// libraryOwners lists the packages that alone may import each library.
var libraryOwners = map[string]string{
	"github.com/redis/go-redis":     "adapters/redis",
	"github.com/alicebob/miniredis": "adapters/redis",
	"github.com/boombuler/barcode":  "adapters/poster",
	"github.com/xuri/excelize":      "adapters/spreadsheet adapters/table", // one reads, one writes
	"golang.org/x/image":            "adapters/chart",
	"github.com/nicksnyder/go-i18n": "bot/locale cmd/generate",
	"github.com/alecthomas/kong":    "cmd/maturitybot",
	"github.com/cli/browser":        "cmd/maturitybot",
	"github.com/prometheus":         "cmd/maturitybot/server",
	"github.com/slack-go/slack":     "adapters/slack",
	"github.com/bwmarrin/discordgo": "adapters/discord",
	"github.com/robfig/cron":        "reminders",
	"github.com/rickar/cal":         "reminders",
	"golang.org/x/term":             "adapters/terminal",
	"filippo.io/age":                "cmd/maturitybot",
	"github.com/KimMachineGun":      "cmd/maturitybot/server",
}

// standardOnly are the packages that need nothing but the standard library.
var standardOnly = []string{"survey", "survey/audit", "survey/results", "bot/chat", "bot/transcript"}

func TestImportsGoOneWay(t *testing.T) {
	const module = "maturitybot/"
	eachProductFile(t, func(file string, _ *token.FileSet, parsed *ast.File) {
		pkg := path.Dir(file)
		allowed, known := allowedImports[pkg]
		if !known {
			t.Errorf("%s: the package %s is not in allowedImports", file, pkg)
			return
		}
		for _, i := range parsed.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if ours, ok := strings.CutPrefix(name, module); ok {
				if !slices.Contains(allowed, ours) {
					t.Errorf("%s imports %s, which %s may not", file, ours, pkg)
				}
				continue
			}
			if slices.Contains(standardOnly, pkg) && strings.Contains(strings.Split(name, "/")[0], ".") {
				t.Errorf("%s imports %s; %s needs the standard library only", file, name, pkg)
			}
			for prefix, owner := range libraryOwners {
				if strings.HasPrefix(name, prefix) && !slices.Contains(strings.Fields(owner), pkg) {
					t.Errorf("%s imports %s, which only %s may know", file, name, owner)
				}
			}
		}
	})
}

// TestTopLevelFolders keeps their number small.
func TestTopLevelFolders(t *testing.T) {
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"adapters", "bot", "cmd", "deploy", "docs", "reminders", "survey"}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(known, e.Name()) {
			t.Errorf("a folder %s at the top; there are %v", e.Name(), known)
		}
	}
}
