package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	discordfake "maturitybot/adapters/discord/fake"
	"maturitybot/adapters/redis"
	slackfake "maturitybot/adapters/slack/fake"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// judge closes a survey, if it has not closed by itself, and compares what its coordinator is given
// with what people saw saved.
func (s *chaos) judge(o *chaosRound) {
	ana := o.ana
	state := func() string {
		return strings.TrimSpace(s.server.Do(s.t, "HGET", "round:{"+string(o.id)+"}", "state"))
	}
	if state() != "closed" {
		ana.command("close")
		ana.press("closenow")
	}
	s.waitUntil("the survey is closed", func() bool { return state() == "closed" })
	ana.command("export")
	var raw []byte
	given := s.platform.until(func() bool {
		for _, m := range s.platform.messages([]string{ana.in}, nil) {
			for _, f := range m.files {
				if strings.HasSuffix(f.Name, ".json") {
					raw = f.Data
				}
			}
		}
		return raw != nil
	})
	if !given {
		s.t.Fatalf("there are no results\n%s", last(s.log.String(), 2000))
	}
	var results struct {
		Turnout  struct{ Finished, Respondents int }
		Elements []figuresRead
	}
	if err := json.Unmarshal(raw, &results); err != nil {
		s.t.Fatal(err)
	}
	posts := s.platform.messages([]string{s.platform.place(o.team).Channel}, nil)
	if len(posts) > o.buttons {
		s.t.Errorf("%s: %d Join buttons are posted, %d were asked for", o.area, len(posts), o.buttons)
	}
	all := !o.users[0].hurried // finish it
	n := len(o.users)
	if all && (results.Turnout.Finished != n || results.Turnout.Respondents != n) {
		s.t.Errorf("%s: %+v in the results, want %d of each", o.area, results.Turnout, n)
	}
	if len(results.Elements) != len(s.matrix.Elements()) {
		s.t.Errorf("%s: %d elements in the results", o.area, len(results.Elements))
	}
	shown, sure := 0, 0
	for _, e := range results.Elements {
		least, most := map[string]int{}, map[string]int{} // people, by answer
		for _, w := range o.users {
			may := w.allowed(e.ID)
			for _, answer := range may {
				most[answer]++
			}
			if len(may) == 1 {
				least[may[0]]++
				if may[0] != notAnswered {
					sure++
				}
			}
			if all && (len(may) != 1 || may[0] == notAnswered) {
				s.t.Errorf("%s has finished without seeing what is saved of %q for %s", w.name, may, e.ID)
			}
		}
		if _, hidden := e.Rated.(string); hidden {
			if all {
				s.t.Errorf("%s: %s is hidden: too few rated it", o.area, e.ID)
			}
			continue
		}
		shown++
		got := map[string]int{"dk": number(e.DontKnow), "na": number(e.NotApplicable)}
		for i, level := range s.matrix.Levels {
			got[strconv.Itoa(i+1)] = number(e.Counts[level.ID])
		}
		for answer, n := range got {
			if n < least[answer] || n > most[answer] {
				s.t.Errorf("%s: %s: %d people are counted with %s, %d saw it saved, and %d may have",
					o.area, e.ID, n, answer, least[answer], most[answer])
			}
		}
		if all && number(e.NotAnswered) != 0 {
			s.t.Errorf("%s: %v people are counted as not having answered", e.ID, e.NotAnswered)
		}
	}
	s.t.Logf("%s: %d of %d elements are shown, %d answers are certain",
		o.area, shown, len(results.Elements), sure)
	if shown < 2 || sure == 0 {
		s.t.Errorf("%s: only %d elements are shown: the results say too little", o.area, shown)
	}
}

// readSecrets reads the secrets of surveys while they are open. After the close they must be nowhere.
func (s *chaos) readSecrets(surveys ...*chaosRound) {
	s.t.Helper()
	store, err := redis.Open(s.t.Context(), s.server.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = store.Close() }() // it was only read
	byArea := map[string]survey.RoundID{}
	err = store.Rounds(s.t.Context(), func(r survey.Round) error {
		byArea[r.Area] = r.ID
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range surveys {
		o.id = byArea[o.area]
		o.secret = secretsOf(s.t, s.server.URL(), []survey.RoundID{o.id})[0]
	}
}

// maxLinked is more people than a guess at random links. Such a guess is right about one person of
// each survey on average, however many take part, and about 14 or more of both with a probability of
// 1 in 40 million. With some thousand methods in the four scenarios, one reaches that by chance in at
// most 1 of 10,000 runs.
const maxLinked = 14

// attack ends the bot, and tries to link people to responses with all that is left.
func (s *chaos) attack(surveys ...*chaosRound) {
	for _, r := range s.replicas {
		r.end()
	}
	awaitRewrite(s.t, s.server)
	live, slowlog := askRedis(s.t, s.server.URL())
	disk := loaded(s.t, s.server.Dir)
	texts := map[string][]byte{
		"log": []byte(s.log.String()), "slowlog": slowlog, "files": readFiles(s.t, s.server.Dir),
	}
	var told strings.Builder
	for _, k := range []*kept{live, disk} {
		checkKept(s.t, k)
		for key, of := range k.keys {
			fmt.Fprintln(&told, key, of.fields)
		}
	}
	texts["keys"] = []byte(told.String())
	for name, text := range texts {
		for _, o := range surveys {
			if bytes.Contains(text, o.secret) {
				s.t.Errorf("%s: the secret of a closed survey is there", name)
			}
		}
	}
	delete(texts, "keys")                 // where each is on its own below
	people, linked := 0, map[string]int{} // of both, by method
	for _, o := range surveys {
		pseudonyms := map[string]string{} // by person who took part
		e := evidence{texts: texts, presses: map[string][]press{}}
		for _, element := range s.matrix.Elements() {
			e.elements = append(e.elements, element.ID)
		}
		sure := 0
		for _, w := range o.users {
			person := s.platform.person(w.name).String()
			pseudonym := survey.Pseudonym(o.secret, survey.PersonID(person))
			if bytes.Contains(texts["log"], []byte(pseudonym)) {
				s.t.Error("a pseudonym is in the log")
			}
			if len(w.saw) > 0 {
				sure++
			}
			response, answered := live.keys[responsePrefix+string(o.id)+"}:"+pseudonym]
			if !answered {
				continue
			}
			s.checkResponse(w, response.fields)
			pseudonyms[person] = pseudonym
			e.people = append(e.people, person)
			for _, made := range s.platform.Actions(w.id) {
				e.presses[person] = append(e.presses[person], press{made.Platform, made.Real})
			}
		}
		slices.Sort(e.people)
		if len(e.people) < sure {
			s.t.Errorf("%s: %d responses are kept of %d people: the attack would see nothing",
				o.area, len(e.people), sure)
		}
		e.stores = map[string]*kept{"redis": live.of(o.id, e.people), "files": disk.of(o.id, e.people)}
		for name, k := range e.stores {
			for key, of := range k.keys {
				text := key + " " + strings.Join(of.fields, " ")
				names := func(what string) bool { return strings.Contains(text, what) }
				secrets := slices.Collect(maps.Values(pseudonyms))
				if slices.ContainsFunc(e.people, names) && slices.ContainsFunc(secrets, names) {
					s.t.Errorf("%s: %s has a person and a pseudonym", name, key)
				}
			}
		}
		people += len(e.people)
		for name, g := range attack(e) {
			linked[name] += g.right(pseudonyms)
		}
	}
	s.t.Logf("%d lines of attack", len(linked))
	for name, n := range linked {
		if n >= maxLinked {
			s.t.Errorf("%s: %d of %d people are linked to their responses", name, n, people)
		}
	}
}

// checkResponse compares what is kept of one person with what they saw saved: results are sums, in which
// two errors may hide each other.
func (s *chaos) checkResponse(w *user, fields []string) {
	answers := map[string]string{}
	for i := 0; i+1 < len(fields); i += 2 {
		answers[fields[i]] = fields[i+1]
		switch fields[i+1] {
		case strconv.Itoa(int(matrix.DontKnow)):
			answers[fields[i]] = "dk"
		case strconv.Itoa(int(matrix.NotApplicable)):
			answers[fields[i]] = "na"
		}
	}
	for _, e := range s.matrix.Elements() {
		if got := answers[e.ID]; !slices.Contains(w.allowed(e.ID), got) {
			s.t.Errorf("%s: %s has %q kept, and saw number %d of %q saved", e.ID, w.name, got,
				w.saw[e.ID], w.gave[e.ID])
		}
	}
}

func number(x any) int {
	f, ok := x.(float64)
	if !ok {
		return -1
	}
	return int(f)
}

// searchLogs looks through everything that the processes printed, and tell their operator, for what must never be there.
func (s *chaos) searchLogs(surveys ...*chaosRound) {
	printed, told := s.log.String(), ""
	for _, r := range s.replicas {
		for _, page := range []string{"/metrics", "/readyz"} {
			answer, err := http.Get("http://" + r.ops + page)
			if err != nil {
				s.t.Errorf("nothing at %s: %v", page, err)
				continue
			}
			body, err := io.ReadAll(answer.Body)
			_ = answer.Body.Close() // it was read
			if err != nil || !strings.Contains(string(body), "redis") {
				s.t.Errorf("%s is %q, %v", page, body, err)
			}
			told += string(body)
		}
	}
	if !strings.Contains(printed, `"msg":"event"`) {
		s.t.Error("the log is empty")
	}
	never := []string{slackfake.Token, slackfake.AppToken, slackfake.Secret, discordfake.Token, "canary", "@example.org"}
	for _, o := range surveys {
		never = append(never, o.area)
		never = append(never, o.ids()...)
		for _, w := range o.users {
			never = append(never, `"`+w.name+`"`)
		}
	}
	for _, e := range s.matrix.Elements() {
		never = append(never, ":"+e.ID+":")
	}
	for _, what := range never {
		if strings.Contains(told, what) {
			s.t.Errorf("%q is in what the bot tells its operator:\n%s", what, told)
		}
		if i := strings.Index(printed, what); i >= 0 {
			s.t.Errorf("%q is in the log: %s", what, printed[max(0, i-300):min(len(printed), i+100)])
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(printed), "\n") {
		if !json.Valid([]byte(line)) && !harmless.MatchString(line) {
			s.t.Errorf("a line of the log is no JSON: %s", line)
		}
	}
}

// harmless is what the program prints when it ends by itself.
var harmless = regexp.MustCompile(`^(connect to (Redis|Slack|Discord)|offer the commands)`)
