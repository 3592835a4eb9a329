package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"go.yaml.in/yaml/v4"

	discordfake "maturitybot/adapters/discord/fake"
	"maturitybot/adapters/redis"
	"maturitybot/adapters/slack/fake"
	"maturitybot/bot"
	"maturitybot/survey"
)

// series is one line of what Prometheus reads.
var series = regexp.MustCompile(`^([a-z_]+?)(?:_bucket|_count|_sum)?(?:\{(.*)\})? (\S+)$`)

// label is a name and a value.
var label = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)

const metricsFile = "testdata/metrics.txt"

// TestMetrics uses the bot on both platforms, and compares what it then tells Prometheus, but for figures, with a list that people read. The
// values of labels are few and known: no person, round, place or token.
func TestMetrics(t *testing.T) {
	t.Parallel()
	store := miniredis.RunT(t)
	s, d := fake.New(t), discordfake.New(t)
	const ana, team = "1200000000000000001", "1200000000000000002"
	s.AddUser(fake.User{ID: "U0ANA"})
	s.AddUser(fake.User{ID: "U0BEN"})
	s.AddChannel(fake.Channel{ID: "C0TEAM", BotIn: true})
	d.AddUser(discordfake.User{ID: ana, Name: "ana"})
	d.AddChannel(discordfake.Channel{ID: team})
	url := "redis://" + store.Addr()
	c := serveCommand{storeFlag: storeFlag{RedisURL: url}, opsFlag: opsFlag{"127.0.0.1:0"}, platformFlags: platformFlags{SlackAPI: fake.URL, DiscordAPI: discordfake.URL}, dial: dialBoth(s, d), now: waking()}
	errs, end := starting(t, c, map[string]string{"SLACK_BOT_TOKEN": fake.Token, "SLACK_APP_TOKEN": fake.AppToken, "DISCORD_TOKEN": discordfake.Token})
	ready(t, errs)
	s.Fail("chat.postMessage", fake.Fault{Status: 429, RetryAfter: 1})
	s.Command("U0ANA", "", "help")
	d.Command(ana, team, "maturity help", nil)
	place := "slack:" + fake.Team + ":"
	invited(t, url, place+"C0TEAM", place+"U0ANA", place+"U0BEN")
	kept, err := redis.Open(t.Context(), url)
	if err == nil {
		err = survey.NewRounds(kept, editions(), time.Now).System().Plan(t.Context(), "serve23456", survey.Opened)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	if !s.Until(func() bool { return len(s.Seen("U0BEN")) == 1 && len(s.Messages("C0TEAM")) == 1 }) || !d.Until(func() bool { return len(d.Whispers(ana)) == 1 }) {
		t.Fatalf("Ben sees %d messages, the channel %d, Ana in Discord %d\n%s", len(s.Seen("U0BEN")), len(s.Messages("C0TEAM")), len(d.Whispers(ana)), errs)
	}
	values := map[string]string{}
	var read string
	told := func() bool { // a message is counted after it is seen
		_, read = asked(t, errs, "/metrics")
		for line := range strings.Lines(read) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
				values[name] = value
			}
		}
		return values[`maturitybot_messages_total{kind="invitation",outcome="sent"}`] == "1" && values[`maturitybot_messages_total{kind="opened",outcome="sent"}`] == "1"
	}
	for deadline := time.After(20 * time.Second); !told(); {
		select {
		case <-errs.changed:
		case <-time.After(10 * time.Millisecond): // it may be counted after the last line
		case <-deadline:
			t.Fatalf("not counted:\n%s%s", read, errs)
		}
	}
	for name, want := range map[string]string{
		"maturitybot_ready": "1", `maturitybot_connections{platform="slack"}`: "2", `maturitybot_connections{platform="discord"}`: "1",
		`maturitybot_events_total{outcome="ok",verb="help"}`: "2", `maturitybot_events_total{outcome="failed",verb="help"}`: "0", `maturitybot_handling_seconds_count{platform="slack"}`: "1",
		`maturitybot_acknowledgement_seconds_count{platform="discord"}`: "1", `maturitybot_platform_waits_total{platform="slack"}`: "1",
		`maturitybot_platform_wait_seconds_total{platform="slack"}`: "1", `maturitybot_messages_due`: "0", `maturitybot_messages_total{kind="invitation",outcome="failed"}`: "0",
		`maturitybot_message_lateness_seconds_count{kind="opened"}`: "1", `maturitybot_redis_errors_total{operation="lease"}`: "0",
	} {
		if values[name] != want {
			t.Errorf("%s is %q, want %s", name, values[name], want)
		}
	}
	store.SetError("MISCONF no disk")
	asked(t, errs, "/readyz") // whose question fails, and is counted
	if _, without := asked(t, errs, "/metrics"); !strings.Contains(without, "maturitybot_ready 0\n") || !strings.Contains(without, "maturitybot_messages_due NaN\n") ||
		!regexp.MustCompile(`maturitybot_redis_errors_total\{operation="ping"\} [1-9]`).MatchString(without) {
		t.Errorf("without Redis it tells\n%s", without)
	}
	if err := end(); err != nil {
		t.Error(err)
	}

	few := regexp.MustCompile(`^([a-z_]{1,20}|[0-9.e+]+|\+Inf)$`)
	labels, help := map[string]map[string]bool{}, map[string]string{}
	for line := range strings.Lines(read) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, text, _ := strings.Cut(rest, " ")
			help[name] = text
			continue
		}
		m := series.FindStringSubmatch(line)
		if m == nil || !documented(m[1]) {
			continue
		}
		if labels[m[1]] == nil {
			labels[m[1]] = map[string]bool{}
		}
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			if l[1] != "le" {
				labels[m[1]][l[1]] = true
			}
			if !few.MatchString(l[2]) {
				t.Errorf("a label that may have many values: %s", line)
			}
		}
	}
	for _, secret := range []string{fake.Token, fake.AppToken, discordfake.Token, "U0ANA", "U0BEN", "C0TEAM", fake.Team, ana, team, discordfake.Guild, "serve23456", "Northshire", store.Addr()} {
		if strings.Contains(read, secret) {
			t.Errorf("%q is told", secret)
		}
	}
	var got strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&got, "%s{%s}\n    %s\n", name, strings.Join(slices.Sorted(maps.Keys(labels[name])), ","), help[name])
	}
	if *rewrite {
		if err := os.WriteFile(metricsFile, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(metricsFile)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("%s is not what is told:\n%s", metricsFile, got.String())
	}
}

// documented says whether a metric is ours, or one of the library's that deploy/ goes by.
func documented(name string) bool {
	return strings.HasPrefix(name, "maturitybot_") || slices.Contains([]string{"process_start_time_seconds", "process_resident_memory_bytes", "go_goroutines"}, name)
}

// TestEveryLabelIsListed holds the lists of label values against the constants in the source.
func TestEveryLabelIsListed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, kind string
		values     int
	}{
		{"../../survey/messages.go", "MessageKind", len(survey.MessageKinds)},
		{"../../bot/deliver.go", "Outcome", len(bot.EventOutcomes) + len(bot.MessageOutcomes) - 1}, // Failed is in both
	} {
		file, err := parser.ParseFile(token.NewFileSet(), c.file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		constants := 0
		for _, d := range file.Decls {
			group, ok := d.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, s := range group.Specs {
				value := s.(*ast.ValueSpec)
				if kind, ok := value.Type.(*ast.Ident); ok && kind.Name == c.kind {
					constants += len(value.Names)
				}
			}
		}
		if constants != c.values {
			t.Errorf("%s has %d constants of the type %s, and %d are listed", c.file, constants, c.kind, c.values)
		}
	}
}

// known returns the labels of each metric of the list.
func known(t *testing.T) map[string]string {
	t.Helper()
	list, err := os.ReadFile(metricsFile)
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{"up": "job,instance"} // which Prometheus itself makes
	for _, m := range regexp.MustCompile(`(?m)^([a-z_]+)\{(.*)\}$`).FindAllStringSubmatch(string(list), -1) {
		labels[m[1]] = m[2] + ",job,instance,le"
	}
	return labels
}

// exists makes sure that an expression goes by metrics and labels that there are.
func exists(t *testing.T, known map[string]string, where, expr string) {
	t.Helper()
	named := 0
	for _, m := range regexp.MustCompile(`\b((?:maturitybot|process|go)_[a-z_]+|up)(?:\{([^}]*)\})?`).FindAllStringSubmatch(expr, -1) {
		named++
		name := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(m[1], "")
		if _, ok := known[name]; !ok {
			t.Errorf("%s goes by %s, which there is not", where, m[1])
		}
		for _, l := range regexp.MustCompile(`([a-z_]+)(?:=|!=|=~|!~)"`).FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(strings.Split(known[name], ","), l[1]) {
				t.Errorf("%s goes by the label %s of %s, which it has not", where, l[1], name)
			}
		}
	}
	if named == 0 {
		t.Errorf("%s goes by no metric: %s", where, expr)
	}
}

// TestAlerts makes sure that every alert can be read, goes by metrics and labels that there are, says what
// to do, and is tested by alerts_test.yaml.
func TestAlerts(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../deploy/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("../../deploy/alerts_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For string
				Labels           map[string]string
				Annotations      map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	labels := known(t)
	rules := 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			rules++
			exists(t, labels, r.Alert, r.Expr)
			if _, err := time.ParseDuration(r.For); err != nil || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["action"] == "" {
				t.Errorf("%s is not complete: %+v", r.Alert, r)
			}
			if !strings.Contains(string(tests), `alertname="`+r.Alert+`"`) || !strings.Contains(string(tests), "alertname: "+r.Alert+"}") {
				t.Errorf("alerts_test.yaml does not test %s, both when it fires and when nothing is wrong", r.Alert)
			}
		}
	}
	if rules < 9 {
		t.Errorf("%d rules", rules)
	}
}

// TestDashboard makes sure that every panel can be read and goes by metrics that there are.
func TestDashboard(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../deploy/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title, Description string
			Targets            []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(raw, &board); err != nil {
		t.Fatal(err)
	}
	labels := known(t)
	for _, p := range board.Panels {
		if p.Title == "" || p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("a panel is not complete: %+v", p)
		}
		for _, target := range p.Targets {
			exists(t, labels, p.Title, target.Expr)
		}
	}
	if len(board.Panels) < 10 {
		t.Errorf("%d panels", len(board.Panels))
	}
}
