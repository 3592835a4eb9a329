package main

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// user is a person with a phone, who presses a button, looks whether the press was taken, and
// presses again when it was not.
type user struct {
	s         *chaos
	name, id  string
	in        string        // the channel they type commands in, and join from
	pause     time.Duration // on average, between actions
	note      string        // what they write beside one answer
	roles     bool          // they have just said what they do
	submitted bool
	want      map[string]string   // element -> the answer they have decided on
	gave      map[string][]string // element -> the answers they ever pressed, each another, oldest first
	saw       map[string]int      // element -> the number among these of the newest that was shown as saved
	changed   map[string]bool     // elements on which they have changed their mind
	tries     map[string]int      // how often they pressed an answer to an element
	answered  string              // the element that their last tap answered, at the first try
	way       control             // a button that once led to an element
	hurried   bool                // the closing time comes while faults are injected
	closes    time.Time           // it, by the machine's clock
	question  message             // the last card that had answers
	answers   []control           // on that card
	skipped   string              // the element on which their thumb slipped, until that is delivered again
	slip      func()              // delivers it again
	slipped   map[string]bool     // elements on which their thumb slipped, until they answer them
	refused   bool                // they were shown that the survey has closed
}

func (s *chaos) newUser(name, channel string) *user {
	return &user{
		s: s, name: name, id: s.platform.person(name).ID, in: s.platform.place(channel).Channel,
		want: map[string]string{}, gave: map[string][]string{}, saw: map[string]int{},
		changed: map[string]bool{}, tries: map[string]int{}, slipped: map[string]bool{},
	}
}

// lastSeen is the newest answer to an element that was shown to them as saved, or empty.
func (w *user) lastSeen(element string) string {
	if n := w.saw[element]; n > 0 {
		return w.gave[element][n-1]
	}
	return ""
}

// notAnswered is where no answer is kept.
const notAnswered = ""

// allowed are the answers to an element that may be kept of them: the newest that they saw saved, and
// those that they gave after it without seeing what came of it.
func (w *user) allowed(element string) []string {
	n := w.saw[element]
	if n == 0 {
		return append([]string{notAnswered}, w.gave[element]...)
	}
	return w.gave[element][n-1:]
}

// control is something to press.
type control struct {
	action  chat.Action
	label   string
	chosen  bool
	options []chat.Option
}

// look is the newest card before the user that has buttons, and what can be pressed on it. What
// it says is saved, is noted.
func (w *user) look() (message, []control, string) {
	all := w.s.platform.messages([]string{w.in}, []string{w.id})
	for _, m := range slices.Backward(all) {
		if !m.bot || m.whispered != "" && m.whispered != w.id {
			continue
		}
		card, err := w.s.platform.card(m)
		if err != nil {
			w.s.t.Errorf("a card that cannot be read: %v", err)
			continue
		}
		var things []control
		heading := ""
		for _, b := range card.Blocks {
			switch b := b.(type) {
			case chat.Text:
				for _, span := range b.Spans {
					if words, ok := span.(chat.Words); ok {
						w.readSaved(string(words))
					}
				}
			case chat.Heading:
				heading = b.Text
			case chat.Choice:
				things = append(things, control{action: b.Button.Action, label: b.Button.Label, chosen: b.Button.Chosen})
			case chat.Menu:
				things = append(things, control{action: b.Action, options: b.Options})
			case chat.Buttons:
				for _, x := range b.Buttons {
					things = append(things, control{action: x.Action, label: x.Label, chosen: x.Chosen})
				}
			}
		}
		if len(things) > 0 {
			return m, things, heading
		}
	}
	return message{}, nil, ""
}

// waitForChange waits up to 4 seconds until the user sees something newer.
func (w *user) waitForChange(since int) bool {
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		all := w.s.platform.messages(nil, []string{w.id})
		if len(all) > 0 && all[len(all)-1].changed > since {
			return true
		}
	}
	return false
}

func (w *user) newest() int {
	all := w.s.platform.messages(nil, []string{w.id})
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].changed
}

func (w *user) tap(m message, on control, picked string) bool {
	before := w.newest()
	action, err := on.action.Encode()
	if err != nil {
		w.s.t.Error(err)
		return false
	}
	w.s.platform.press(w.id, m, true, action, picked)
	return w.waitForChange(before)
}

// maxDeliveryDelay is how late a delivery may come.
const maxDeliveryDelay = 3 * time.Second

// releaseLater makes a delivery that is held back, within some time.
func (w *user) releaseLater(release func(), within time.Duration) {
	w.s.deliveries.Go(func() {
		time.Sleep(rand.N(within))
		release()
	})
}

// tapAtRandom is tap, but now and then the press is delivered late, or twice.
func (w *user) tapAtRandom(m message, on control, picked string) bool {
	switch rand.IntN(8) {
	case 0:
		w.s.delayed.Add(1)
		w.releaseLater(w.s.platform.Hold(w.id), maxDeliveryDelay/3)
	case 1, 2:
		w.s.copied.Add(1)
		w.releaseLater(w.s.platform.Copy(w.id), maxDeliveryDelay)
	}
	return w.tap(m, on, picked)
}

// tapTwice presses an answer, changes their mind at once, and presses another. The first press is
// delivered after the second.
func (w *user) tapTwice(m message, first, second control) bool {
	action, err := first.action.Encode()
	if err != nil {
		w.s.t.Error(err)
		return false
	}
	w.s.overtaken.Add(1)
	release := w.s.platform.Hold(w.id)
	w.s.platform.press(w.id, m, true, action, "")
	moved := w.tap(m, second, "")
	w.releaseLater(release, maxDeliveryDelay)
	return moved
}

// press presses the newest button of a verb, and command types a command; both are for when no faults are injected.
func (w *user) press(verb string) {
	w.s.t.Helper()
	var m message
	var on control
	shown := func() bool {
		var things []control
		m, things, _ = w.look()
		i := slices.IndexFunc(things, func(x control) bool { return x.action.Verb == verb })
		if i >= 0 {
			on = things[i]
		}
		return i >= 0
	}
	found := false
	for i := 0; !found && i < slowdown; i++ {
		found = w.s.platform.until(shown)
	}
	if !found || !w.tap(m, on, "") {
		w.s.t.Fatalf("%s cannot press %q\n%s", w.name, verb, last(w.s.log.String(), 6000))
	}
}

// command is typed again until the bot is there to take it, and returns how often it was.
func (w *user) command(words ...string) int {
	w.s.t.Helper()
	end := time.Now().Add(slowdown * 30 * time.Second)
	for n := 1; ; n++ {
		ack := w.s.platform.command(w.id, w.in, words)
		if ack.why == "" {
			return n
		}
		if time.Now().After(end) {
			w.s.t.Fatalf("%s cannot type %v: %s\n%s", w.name, words, ack.why, last(w.s.log.String(), 6000))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// fill sends the form that opens.
func (w *user) fill(values map[string][]string) {
	w.s.t.Helper()
	if !w.s.platform.until(func() bool { name, _, _ := w.s.platform.form(w.id); return name != "" }) {
		w.s.t.Fatalf("no form opens before %s\n%s", w.name, last(w.s.log.String(), 6000))
	}
	before := w.newest()
	if ack := w.s.platform.submit(w.id, values); ack.why != "" || len(ack.refused) > 0 || !w.waitForChange(before) {
		w.s.t.Fatalf("%s sends a form: %s %v", w.name, ack.why, ack.refused)
	}
}

// answerSurvey answers the whole survey, or until it is enough. A user who has not come to its end
// a minute after the last fault is stuck.
func (w *user) answerSurvey(over <-chan struct{}, enough func() bool) {
	var deadline <-chan time.Time
	idle := 0 // actions of which nothing came
	for {
		m, things, heading := w.look()
		w.read(things)
		finished := w.submitted && strings.HasPrefix(heading, "Thank you, you have finished")
		if finished || enough() {
			return
		}
		if w.next(m, things) {
			idle = 0
		} else if idle++; idle >= 3 {
			w.s.platform.command(w.id, w.in, []string{"home"}) // as the card says when a press fails: back to where they were
			w.waitForChange(m.changed)
			idle = 0
		}
		select {
		case <-over:
			if deadline == nil {
				deadline, w.pause = time.After(slowdown*time.Minute), 30*time.Millisecond
			}
		default:
		}
		select {
		case <-deadline:
			w.s.t.Errorf("%s is stuck on %q with %d of %d answers", w.name, heading, len(w.saw), len(w.s.matrix.Elements()))
			return
		case <-time.After(rand.N(2*w.pause + time.Millisecond)):
		}
	}
}

// read notes what the card shows as saved.
func (w *user) read(things []control) {
	shown := ""
	chosen := false
	for _, x := range things {
		if x.action.Verb != "answer" {
			continue
		}
		shown = x.action.Args[1]
		if x.chosen {
			chosen = true
			w.noteSaved(shown, x.action.Args[2])
		}
	}
	if shown != "" && !chosen && w.saw[shown] > 0 {
		w.s.older.Add(1)
	}
}

// noteSaved notes that an answer is shown as saved. It must be one that this person gave. Now and then
// a card is drawn late; in the end the newest that was ever shown must be in the results.
func (w *user) noteSaved(element, answer string) {
	n := slices.Index(w.gave[element], answer) + 1
	switch {
	case n == 0:
		w.s.t.Errorf("%s is shown %s for %s, which they never gave", w.name, answer, element)
	case n < w.saw[element]:
		w.s.older.Add(1)
	default:
		w.saw[element] = n
	}
}

// savedLine is what a card says of the answer before.
var savedLine = regexp.MustCompile(`(?m)^Saved: (.+?)(?:, with your detail,)? for (.+)$`)

// refusals are how a card begins once the survey accepts no more answers.
var refusals = sync.OnceValue(func() []string {
	words := sentences()
	waiting, _, _ := strings.Cut(words.In("en").Say("over.waiting", "closes", "|"), "|")
	closed, _, _ := strings.Cut(words.In("en").Say("over.thanks", "closed", "|"), "|")
	return []string{waiting, closed}
})

// readSaved notes what a card says is saved, and whether the survey accepts no more answers.
func (w *user) readSaved(words string) {
	for _, begin := range refusals() {
		w.refused = w.refused || strings.HasPrefix(words, begin)
	}
	said := savedLine.FindStringSubmatch(words)
	if said == nil {
		return
	}
	answer := map[string]string{"Don't know": "dk", "Not applicable to me": "na"}[said[1]]
	for i, level := range w.s.matrix.Levels {
		if level.Name.In(matrix.English) == said[1] {
			answer = strconv.Itoa(i + 1)
		}
	}
	for _, e := range w.s.matrix.Elements() {
		if e.Name.In(matrix.English) == said[2] && answer != "" {
			w.noteSaved(e.ID, answer)
			return
		}
	}
	w.s.t.Errorf("%s cannot read %q", w.name, words)
}

// next does what a person would do on this card, and reports whether anything came of it.
func (w *user) next(m message, things []control) bool {
	has := func(verb string) (control, bool) {
		i := slices.IndexFunc(things, func(x control) bool { return x.action.Verb == verb })
		if i < 0 {
			return control{}, false
		}
		return things[i], true
	}
	if x, ok := has("answer"); ok {
		return w.answer(m, things, x.action.Args[1])
	}
	if x, ok := has("role"); ok {
		if w.roles = !w.roles; w.roles { // a user who comes back here was not heard the first time
			return w.tap(m, x, x.options[rand.IntN(len(x.options))].Value)
		}
	}
	if x, ok := has("submit"); ok {
		// What they have decided on without ever seeing it saved, they look at again first.
		for _, e := range w.s.matrix.Elements() {
			unsure := w.saw[e.ID] == 0 || w.lastSeen(e.ID) != w.want[e.ID]
			if unsure && len(w.way.action.Args) > 1 {
				w.way.action.Args[1] = e.ID
				return w.tap(m, w.way, "")
			}
		}
		if len(w.saw) == len(w.s.matrix.Elements()) {
			w.submitted = true
			return w.tap(m, x, "")
		}
	}
	for _, verb := range []string{"accept", "go", "lang", "begin", "resume", "review", "join"} {
		if x, ok := has(verb); ok {
			return w.tapAtRandom(m, x, "")
		}
	}
	return false
}

// answer gives an answer, which brings the next question; now and then an answer is changed, or
// something is written beside it, or the thumb slips and hits the next question at once.
func (w *user) answer(m message, things []control, element string) bool {
	var answers []control
	var onward, detail, change control
	for _, x := range things {
		switch {
		case x.action.Verb == "answer":
			answers = append(answers, x)
		case x.action.Verb == "detail":
			detail = x
		case x.action.Verb == "change":
			change = x
		case strings.HasPrefix(x.label, "Next"), strings.HasPrefix(x.label, "Skip"), strings.HasPrefix(x.label, "Review"):
			onward = x
		}
	}
	if onward.action.Verb == "at" {
		w.way = onward
	}
	w.question, w.answers = m, answers
	before := w.answered
	w.answered = ""
	if before != "" && before != element && w.lastSeen(before) == w.want[before] && w.gave[element] == nil && rand.IntN(4) == 0 {
		w.s.slips.Add(1)
		w.slipped[element] = true
		w.s.platform.AtOnce(w.id, survey.DoubleTap/3) // nothing is noted: it must not be saved
		if onward.action.Verb == "at" && w.skipped == "" && rand.IntN(2) == 0 {
			// It is delivered again once another question was answered, and this one was not.
			w.s.copied.Add(1)
			w.skipped, w.slip = element, w.s.platform.Copy(w.id)
		}
		return w.tap(m, answers[rand.IntN(len(answers))], "")
	}
	if w.skipped == element && w.want[element] == "" {
		return w.tap(m, onward, "")
	}
	decide := func() { // on another answer than ever before, so that each has a number
		var others []string
		for _, x := range answers {
			given := slices.Contains(w.gave[element], x.action.Args[2])
			if !given && (x.action.Args[2] != lateAnswer || !w.hurried) {
				others = append(others, x.action.Args[2])
			}
		}
		level := func(answer string) bool { return answer != "dk" && answer != "na" }
		if slices.ContainsFunc(others, level) && rand.IntN(5) > 0 { // or too few rate it
			others = slices.DeleteFunc(others, func(answer string) bool { return !level(answer) })
		}
		if len(others) == 0 {
			w.want[element] = w.gave[element][len(w.gave[element])-1]
			return
		}
		w.want[element] = others[rand.IntN(len(others))]
		delete(w.slipped, element)
		w.gave[element] = append(w.gave[element], w.want[element])
	}
	switch {
	// Only the time of the last answer to each element is known, by which a slip is recognised.
	case change.action.Verb != "" && !w.changed[change.action.Args[1]] && len(w.slipped) == 0 && rand.IntN(8) == 0:
		w.changed[change.action.Args[1]] = true
		w.want[change.action.Args[1]] = "" // they decide anew when they see it
		return w.tap(m, change, "")
	case w.note != "" && detail.action.Verb != "" && rand.IntN(10) == 0:
		action, _ := detail.action.Encode()
		w.s.platform.press(w.id, m, true, action, "")
		// The form opens before the press is acknowledged, or just after.
		for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
			if name, _, _ := w.s.platform.form(w.id); name != "" {
				w.s.platform.submit(w.id, map[string][]string{"note": {w.note}})
				w.note = ""
				break
			}
		}
		return true
	case w.want[element] == "":
		decide()
	case w.lastSeen(element) == w.want[element]:
		return w.tap(m, onward, "")
	}
	w.tries[element]++
	wanted := func() control {
		return answers[slices.IndexFunc(answers, func(x control) bool { return x.action.Args[2] == w.want[element] })]
	}
	moved := false
	if first := wanted(); w.tries[element] == 1 && rand.IntN(4) == 0 {
		decide()
		moved = w.tapTwice(m, first, wanted())
	} else {
		moved = w.tapAtRandom(m, first, "")
	}
	if moved && w.tries[element] == 1 {
		w.answered = element
	}
	if moved && w.skipped != "" && w.skipped != element {
		w.releaseLater(w.slip, maxDeliveryDelay/10)
		w.skipped, w.slip = "", nil
	}
	return moved
}

// lateAnswer is what people answer after the closing time, and those of such a survey never before.
const lateAnswer = "na"

// pressLate waits for the closing time, and presses answers after it until they are refused. A user
// who is not refused within a minute of the last fault never is.
func (w *user) pressLate(over <-chan struct{}) {
	elements := w.s.matrix.Elements()
	late := func() control {
		x := w.answers[slices.IndexFunc(w.answers, func(x control) bool { return x.action.Args[2] == lateAnswer })]
		x.action.Args = slices.Clone(x.action.Args)
		x.action.Args[1] = elements[rand.IntN(len(elements))].ID
		return x
	}
	if len(w.answers) > 0 { // one is given before the closing time, and comes after it
		release := w.s.platform.Hold(w.id)
		if action, err := late().action.Encode(); err != nil {
			w.s.t.Error(err)
		} else {
			w.s.platform.press(w.id, w.question, true, action, "")
		}
		w.s.deliveries.Go(func() {
			time.Sleep(time.Until(w.closes.Add(rand.N(maxDeliveryDelay / 2))))
			release()
		})
	}
	time.Sleep(time.Until(w.closes))
	var deadline time.Time
	for n := 0; n < 5 || !w.refused; n++ {
		select {
		case <-over:
			if deadline.IsZero() {
				deadline = time.Now().Add(slowdown * time.Minute)
			}
		default:
		}
		if !deadline.IsZero() && time.Now().After(deadline) {
			w.s.t.Errorf("%s is never told that the survey takes no more answers", w.name)
			return
		}
		if len(w.answers) == 0 {
			return // they never came to a question
		}
		w.s.late.Add(1)
		w.tap(w.question, late(), "")
		w.look()
	}
}
