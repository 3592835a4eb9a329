// Package transcript plays conversations that are written down in .chat files: what people do, what time
// and the machine do, and what the bot does about it. It knows the vocabulary of chat and nothing of the bot, of
// surveys or of any platform. CONTRIBUTING.md says how a file is written.
package transcript

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"maturitybot/bot/chat"
)

// Stage is where a transcript is played.
type Stage struct {
	Responder chat.Responder
	Clock     *Clock
	People    *People
	// Matrix makes the bot start again with the matrix of this file, beside the .chat files.
	Matrix func(file string) (chat.Responder, error)
	// Restart ends the bot and starts another on the same store.
	Restart func() chat.Responder
	// Sleep makes the store unreachable, or reachable again.
	Sleep func(asleep bool)
	// Deliver has everything sent that is due: it arrives at People.
	Deliver func(ctx context.Context)
	// Next is the next time at which something may become due, if there is one: time passes from one to the next.
	Next func(ctx context.Context) (time.Time, bool)
}

// Clock is the time in a transcript: it stands still but for the stage directions.
type Clock struct{ at time.Time }

// NewClock starts at the given time.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now is the time on stage.
func (c *Clock) Now() time.Time { return c.at }

// platform and workspace of everybody on stage.
const platform, workspace = "play", "w"

// People is everybody on stage. It is the directory of the platform that a transcript plays on, and where messages arrive.
type People struct {
	channels    map[string][]string
	unreachable map[string]bool
	unasked     map[string]bool // has not agreed to direct messages
	without     map[string]bool // channels that the bot is not in
	fileless    map[string]bool // channels where no file arrives

	mu   sync.Mutex
	post []sent
}

// sent is a message that reached somebody, or did not.
type sent struct {
	to      string // a person, or a channel with its #
	card    chat.Card
	files   []chat.File
	refused bool
}

var (
	_ chat.Directory = (*People)(nil)
	_ chat.Sender    = (*People)(nil)
)

// NewPeople is an empty stage.
func NewPeople() *People {
	return &People{channels: map[string][]string{}, unreachable: map[string]bool{}, unasked: map[string]bool{}, without: map[string]bool{}, fileless: map[string]bool{}}
}

// Send brings a message to somebody.
func (p *People) Send(_ context.Context, _ string, to chat.Person, card chat.Card) error {
	if p.unasked[to.ID] {
		return chat.ErrNoConsent
	}
	refused := p.unreachable[to.ID]
	p.mu.Lock()
	defer p.mu.Unlock()
	p.post = append(p.post, sent{to: to.ID, card: card, refused: refused})
	if refused {
		return chat.ErrUnreachable
	}
	return nil
}

// Post brings a message to a channel.
func (p *People) Post(ctx context.Context, _ string, to chat.Place, card chat.Card, files []chat.File) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.CanPost(ctx, to); err != nil {
		p.post = append(p.post, sent{to: to.Channel, refused: true})
		return err
	}
	if len(files) > 0 && p.fileless[to.Channel] {
		p.post = append(p.post, sent{to: to.Channel, card: card})
		missing := &chat.MissingFilesError{Err: errors.New("no file arrives here")}
		for _, f := range files {
			missing.Names = append(missing.Names, f.Name)
		}
		return missing
	}
	p.post = append(p.post, sent{to: to.Channel, card: card, files: files})
	return nil
}

// arrived is what was sent since it was last asked for, by person, since several messages are on their way at once.
func (p *People) arrived() []sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	post := p.post
	p.post = nil
	slices.SortStableFunc(post, func(a, b sent) int { return strings.Compare(a.to, b.to) })
	return post
}

// Channels is who is in which channel.
func (p *People) Channels() map[string][]string { return p.channels }

// Agreed says whether somebody has agreed to direct messages.
func (p *People) Agreed(name string) bool { return !p.unasked[name] }

// Reachable says whether messages to somebody arrive.
func (p *People) Reachable(name string) bool { return !p.unreachable[name] }

// Person is somebody on stage, by name.
func Person(name string) chat.Person {
	return chat.Person{Platform: platform, Workspace: workspace, ID: name}
}

func place(channel string) chat.Place {
	return chat.Place{Platform: platform, Workspace: workspace, Channel: channel}
}

// HasBot says whether the bot is in a channel.
func (p *People) HasBot(channel string) bool { return !p.without[channel] }

// TakesFiles says whether files arrive in a channel.
func (p *People) TakesFiles(channel string) bool { return !p.fileless[channel] }

// CanPost says whether the bot can post in a channel.
func (p *People) CanPost(_ context.Context, in chat.Place) error {
	if p.without[in.Channel] {
		return &chat.CannotPostError{Reason: chat.NotMember}
	}
	return nil
}

// Find knows whoever is in some channel, by name or by name@example.org.
func (p *People) Find(_ context.Context, _ chat.Place, word string) (chat.Person, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(word, "@"), "@example.org")
	for _, members := range p.channels {
		if slices.Contains(members, name) {
			return Person(name), nil
		}
	}
	return chat.Person{}, chat.ErrNobody
}

// Members returns who is in the channel.
func (p *People) Members(_ context.Context, in chat.Place) ([]chat.Person, error) {
	var all []chat.Person
	for _, name := range p.channels[in.Channel] {
		all = append(all, Person(name))
	}
	if all == nil {
		return nil, chat.ErrNobody
	}
	return all, nil
}

// message is one message that somebody has before them, in all the forms it has had.
type message struct {
	to       string // a person, or a channel with its #
	in       string // where it stands: that channel, a person's own conversation, or where it was whispered
	versions []chat.Card
}

// openForm is a form that somebody has before them, and where they opened it.
type openForm struct {
	chat.Form
	where chat.Place
}

type player struct {
	Stage
	out       strings.Builder
	events    int
	last      chat.Event
	at        time.Time // when the last gesture was made
	atOnce    bool      // the next gesture follows at once
	lastActor string
	messages  []*message
	forms     map[string]openForm // the open form of a person
	pressed   map[string]*message // the message that a person's form or last press came from
	admins    map[string]bool
	locales   map[string]string
	zones     map[string]string
	directs   bool   // answers can go to direct messages
	down      bool   // the bot answers, and sends nothing by itself
	told      string // the time that was last written down
}

// channel is where commands are typed unless a line says otherwise.
const channel = "#early-years"

// Play plays the script and returns it with everything the bot did: lines that begin with "<" or are indented, which
// are what the bot did when it was last played, are left out of the script and written anew. A line that
// cannot be played is an error with its number.
func Play(ctx context.Context, script io.Reader, stage Stage) (string, error) {
	p := &player{
		Stage: stage, forms: map[string]openForm{}, pressed: map[string]*message{},
		admins: map[string]bool{}, locales: map[string]string{}, zones: map[string]string{},
	}
	p.told = p.Clock.at.In(here()).Format(stamp)
	lines := bufio.NewScanner(script)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		var err error
		switch {
		case strings.HasPrefix(line, "<"), strings.HasPrefix(line, "    "):
			continue
		case line == "", strings.HasPrefix(line, "#"):
			fmt.Fprintln(&p.out, line)
			continue
		case strings.HasPrefix(line, "> "):
			fmt.Fprintln(&p.out, line)
			err = p.act(ctx, strings.TrimPrefix(line, "> "))
		case strings.HasPrefix(line, "~ "):
			fmt.Fprintln(&p.out, line)
			err = p.direct(ctx, strings.TrimPrefix(line, "~ "))
		default:
			err = fmt.Errorf("want a line that begins with #, >, ~, < or four spaces")
		}
		if err != nil {
			return p.out.String(), fmt.Errorf("line %d: %q: %w", n, line, err)
		}
	}
	if err := lines.Err(); err != nil {
		return p.out.String(), fmt.Errorf("read transcript: %w", err)
	}
	return p.out.String(), nil
}

var (
	later  = regexp.MustCompile(`^(\d+) (minute|hour|day|week)s? later$`)
	has    = regexp.MustCompile(`^(#\S+) has (.+)$`)
	admin  = regexp.MustCompile(`^(\S+) is an admin$`)
	speaks = regexp.MustCompile(`^(\S+)'s platform speaks (\S+)$`)
	matrix = regexp.MustCompile(`^the matrix is (\S+)$`)
	agreed = regexp.MustCompile(`^(\S+) has( not)? agreed to direct messages$`)
	clock  = regexp.MustCompile(`^(\S+)'s clock is in (\S+)$`)
	until  = regexp.MustCompile(`^it is (\d{4}-\d{2}-\d{2} \d{2}:\d{2})$`)
	cannot = regexp.MustCompile(`^(\S+) (cannot|can) be reached$`)
	botIn  = regexp.MustCompile(`^the bot is( not)? in (#\S+)$`)
	files  = regexp.MustCompile(`^files (do not )?arrive in (#\S+)$`)
)

// direct follows a stage direction.
func (p *player) direct(ctx context.Context, line string) error {
	if m := later.FindStringSubmatch(line); m != nil {
		var n int
		if _, err := fmt.Sscan(m[1], &n); err != nil {
			return fmt.Errorf("read time: %w", err)
		}
		unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour}[m[2]]
		return p.pass(ctx, p.Clock.at.Add(time.Duration(n)*unit))
	}
	if m := until.FindStringSubmatch(line); m != nil {
		at, err := time.ParseInLocation("2006-01-02 15:04", m[1], here())
		if err != nil {
			return fmt.Errorf("read time: %w", err)
		}
		if at.Before(p.Clock.at) {
			return fmt.Errorf("it is %s already", p.Clock.at.In(here()).Format(stamp))
		}
		return p.pass(ctx, at)
	}
	if m := clock.FindStringSubmatch(line); m != nil {
		p.zones[m[1]] = m[2]
		return nil
	}
	if m := agreed.FindStringSubmatch(line); m != nil {
		p.People.unasked[m[1]] = m[2] != ""
		return nil
	}
	if m := has.FindStringSubmatch(line); m != nil {
		p.People.channels[m[1]] = strings.Fields(m[2])
		return nil
	}
	if m := admin.FindStringSubmatch(line); m != nil {
		p.admins[m[1]] = true
		return nil
	}
	if m := speaks.FindStringSubmatch(line); m != nil {
		p.locales[m[1]] = m[2]
		return nil
	}
	if m := cannot.FindStringSubmatch(line); m != nil {
		p.People.unreachable[m[1]] = m[2] == "cannot"
		return nil
	}
	if m := botIn.FindStringSubmatch(line); m != nil {
		p.People.without[m[2]] = m[1] != ""
		return nil
	}
	if m := files.FindStringSubmatch(line); m != nil {
		p.People.fileless[m[2]] = m[1] != ""
		return nil
	}
	if m := matrix.FindStringSubmatch(line); m != nil {
		var err error
		p.Responder, err = p.Matrix(m[1])
		return err
	}
	switch line {
	case "the store sleeps", "the store wakes":
		p.Sleep(line == "the store sleeps")
	case "answers go to direct messages", "answers stay in the channel":
		p.directs = line == "answers go to direct messages"
	case "the bot's clock stops":
		p.down = true
	case "the bot restarts":
		p.Responder = p.Restart()
		if p.down {
			p.down = false
			p.deliver(ctx)
		}
	default:
		return fmt.Errorf("no such stage direction; CONTRIBUTING.md lists them")
	}
	return nil
}

// stamp is how a time is written down.
const stamp = "Mon 2006-01-02 15:04 MST"

// here is where the stage stands.
func here() *time.Location {
	loc, err := time.LoadLocation("Europe/London")
	if err != nil {
		return time.UTC
	}
	return loc
}

// pass lets time go by until then, from one thing that is due to the next, so that they come in their order and each at its time.
func (p *player) pass(ctx context.Context, then time.Time) error {
	for !p.down {
		next, ok := p.Next(ctx)
		if !ok || !next.Before(then) {
			break
		}
		if !next.After(p.Clock.at) {
			return fmt.Errorf("something is due again and again at %s", p.Clock.at.In(here()).Format(stamp))
		}
		p.Clock.at = next
		p.deliver(ctx)
	}
	p.Clock.at = then
	p.deliver(ctx)
	return nil
}

var (
	command = regexp.MustCompile(`^(\S+) (?:in (#\S+) )?/(?:maturity|aeddfedrwydd) ?(.*)$`)
	press   = regexp.MustCompile(`^(\S+) \[([^\]]+)\](?: on (an old card|"[^"]+"))?(?: of (\S+))?( at once)?$`)
	forged  = regexp.MustCompile(`^(\S+) !(\S*)(?: picking (\S+))?$`)
	says    = regexp.MustCompile(`^(\S+) says (.+)$`)
	quietly = regexp.MustCompile(`^quietly ([a-z ]+): (.+)$`)
	presses = regexp.MustCompile(`\[([^\]]+)\]`)
	opens   = regexp.MustCompile(`^(\S+) opens home$`)
	sends   = regexp.MustCompile(`^(\S+) sends ?(.*)$`)
)

// act plays what somebody does.
func (p *player) act(ctx context.Context, line string) error {
	if line == "the same again" {
		return p.handle(ctx, p.lastActor, p.last)
	}
	if m := quietly.FindStringSubmatch(line); m != nil {
		return p.quietly(func() error {
			return p.pressAll(ctx, strings.Fields(m[1]), presses.FindAllStringSubmatch(m[2], -1))
		})
	}
	if rest, ok := strings.CutPrefix(line, "quietly "); ok {
		return p.quietly(func() error { return p.act(ctx, rest) })
	}
	if m := command.FindStringSubmatch(line); m != nil {
		in := m[2]
		if in == "" {
			in = channel
		}
		words := strings.Fields(m[3])
		action := chat.Action{}
		if len(words) > 0 {
			action = chat.Action{Verb: words[0], Args: words[1:]}
		}
		delete(p.pressed, m[1])
		return p.handle(ctx, m[1], chat.Event{Kind: chat.Command, Where: place(in), Action: action})
	}
	if m := says.FindStringSubmatch(line); m != nil {
		delete(p.pressed, m[1])
		return p.handle(ctx, m[1], chat.Event{Kind: chat.Message, Where: place("@" + m[1])})
	}
	if m := opens.FindStringSubmatch(line); m != nil {
		delete(p.pressed, m[1])
		return p.handle(ctx, m[1], chat.Event{Kind: chat.Home, Where: place("@" + m[1])})
	}
	if m := forged.FindStringSubmatch(line); m != nil {
		// An adapter turns away what is not an action at all; the rest reaches the bot.
		action, err := chat.DecodeAction(strings.ReplaceAll(m[2], "ROUND", p.round()))
		if err != nil {
			fmt.Fprintf(&p.out, "< %s: turned away at the door\n", m[1])
			return nil
		}
		e := chat.Event{Kind: chat.Press, Where: place("@" + m[1]), Action: action}
		if m[3] != "" {
			e.Values = map[string][]string{chat.Picked: {m[3]}}
		}
		delete(p.pressed, m[1])
		return p.handle(ctx, m[1], e)
	}
	if m := sends.FindStringSubmatch(line); m != nil {
		return p.send(ctx, m[1], m[2])
	}
	if m := press.FindStringSubmatch(line); m != nil {
		p.atOnce = m[5] != ""
		return p.press(ctx, m[1], m[2], m[3], m[4])
	}
	return fmt.Errorf("nobody can do that; CONTRIBUTING.md lists what people can do")
}

// find returns the action behind a label, and the message it stands on: the newest live card that the person, or
// whom they press for, has before them; or an old form of a card.
func (p *player) find(owner, label, on string) (*message, chat.Action, string, error) {
	for i := len(p.messages) - 1; i >= 0; i-- {
		m := p.messages[i]
		if m.to != owner && !strings.HasPrefix(m.to, "#") {
			continue
		}
		for j := len(m.versions) - 1; j >= 0; j-- {
			live := j == len(m.versions)-1
			switch {
			case on == "" && !live, on == "an old card" && live:
				continue
			case strings.HasPrefix(on, `"`) && !strings.Contains(m.versions[j].String(), "# "+strings.Trim(on, `"`)):
				continue
			}
			if action, picked, ok := look(m.versions[j], label); ok {
				return m, action, picked, nil
			}
		}
	}
	newest := "none"
	for _, m := range p.messages {
		if m.to == owner {
			newest = m.versions[len(m.versions)-1].String()
		}
	}
	return nil, chat.Action{}, "", fmt.Errorf("no such thing to press; the newest card is:\n%s", newest)
}

// round is the id that the newest button carries first, for forgers who have seen one.
func (p *player) round() string {
	for _, m := range slices.Backward(p.messages) {
		for _, block := range m.versions[len(m.versions)-1].Blocks {
			if b, ok := block.(chat.Buttons); ok && len(b.Buttons[0].Action.Args) > 0 {
				return b.Buttons[0].Action.Args[0]
			}
		}
	}
	return ""
}

// look finds a label on a card.
func look(card chat.Card, label string) (chat.Action, string, bool) {
	for _, block := range card.Blocks {
		switch b := block.(type) {
		case chat.Choice:
			if b.Button.Label == label {
				return b.Button.Action, "", true
			}
		case chat.Buttons:
			for _, button := range b.Buttons {
				if button.Label == label {
					return button.Action, "", true
				}
			}
		case chat.Menu:
			for _, o := range b.Options {
				name := "v " + strings.TrimLeft(o.Label, "○● ")
				if start, short := strings.CutSuffix(label, "…"); name == label || short && strings.HasPrefix(name, start) {
					return b.Action, o.Value, true
				}
			}
		}
	}
	return chat.Action{}, "", false
}

func (p *player) press(ctx context.Context, actor, label, on, of string) error {
	owner := actor
	if of != "" {
		owner = of
	}
	m, action, picked, err := p.find(owner, label, on)
	if err != nil {
		return err
	}
	p.pressed[actor] = m
	if owner != actor {
		delete(p.pressed, actor) // what comes is the presser's own, never a change of somebody else's card
	}
	in := m.in
	if strings.HasPrefix(m.to, "#") {
		in = m.to
	}
	e := chat.Event{Kind: chat.Press, Where: place(in), Action: action}
	if picked != "" {
		e.Values = map[string][]string{chat.Picked: {picked}}
	}
	return p.handle(ctx, actor, e)
}

// pressAll lets several people press the same things, one person after another.
func (p *player) pressAll(ctx context.Context, people []string, labels [][]string) error {
	for _, actor := range people {
		for _, label := range labels {
			if err := p.press(ctx, actor, label[1], "", ""); err != nil {
				return fmt.Errorf("%s [%s]: %w", actor, label[1], err)
			}
		}
	}
	return nil
}

// quietly writes nothing down of what do does.
func (p *player) quietly(do func() error) error {
	kept := p.out.String()
	defer func() {
		p.out.Reset()
		p.out.WriteString(kept)
	}()
	return do()
}

// assignments reads field=value pairs; a value may be quoted, "\n" in it is a new line, ×N after it repeats it.
var assignments = regexp.MustCompile(`([a-z_]+)=(?:"([^"]*)"|(\S*?))(?:×(\d+))?(?:\s+|$)`)

func (p *player) send(ctx context.Context, actor, words string) error {
	form, ok := p.forms[actor]
	if !ok {
		return fmt.Errorf("%s has no form open", actor)
	}
	values := map[string][]string{}
	known := map[string]chat.Field{}
	for _, f := range form.Fields {
		known[chat.About(f).ID] = f
		switch x := f.(type) { // what stands in the form already is sent with it
		case chat.Input:
			values[x.ID] = []string{x.Value}
		case chat.Select:
			values[x.ID] = x.Chosen
		case chat.Date:
			values[x.ID] = []string{x.Value}
		case chat.TimeOfDay:
			values[x.ID] = []string{x.Value}
		}
	}
	if rest := strings.TrimSpace(assignments.ReplaceAllString(words, "")); rest != "" {
		return fmt.Errorf("cannot read %q; want field=value", rest)
	}
	for _, m := range assignments.FindAllStringSubmatch(words, -1) {
		field, ok := known[m[1]]
		if !ok {
			return fmt.Errorf("the form has no field %q", m[1])
		}
		value := strings.ReplaceAll(m[2]+m[3], `\n`, "\n")
		if m[4] != "" {
			var times int
			if _, err := fmt.Sscan(m[4], &times); err != nil {
				return fmt.Errorf("read repeat: %w", err)
			}
			value = strings.Repeat(value, times)
		}
		switch x := field.(type) {
		case chat.Select:
			values[m[1]] = []string{value}
			if x.Many {
				values[m[1]] = strings.Split(value, ",")
			}
		case chat.People:
			values[m[1]] = nil
			for name := range strings.SplitSeq(value, ",") {
				values[m[1]] = append(values[m[1]], Person(name).String())
			}
		case chat.Channel:
			values[m[1]] = []string{place(value).String()}
		default:
			values[m[1]] = []string{value}
		}
	}
	return p.handle(ctx, actor, chat.Event{Kind: chat.Submit, Where: form.where, Action: form.Action, Values: values})
}

// handle gives an event to the bot and writes down what it does about it.
func (p *player) handle(ctx context.Context, actor string, e chat.Event) error {
	if e.ID == "" {
		p.events++
		e.ID = fmt.Sprintf("event-%d", p.events)
	}
	if e.At.IsZero() { // else the platform delivers it again
		e.At = p.gestureTime()
	}
	e.Who, e.Admin, e.Locale, e.TimeZone = Person(actor), p.admins[actor], p.locales[actor], p.zones[actor]
	e.Private, e.Direct = strings.HasPrefix(e.Where.Channel, "@"), p.directs
	p.last, p.lastActor = e, actor
	replies := p.Responder.Handle(ctx, e)
	if len(replies) == 0 {
		fmt.Fprintln(&p.out, "< nothing")
	}
	if e.Kind == chat.Submit {
		if !slices.ContainsFunc(replies, func(r chat.Reply) bool { _, refused := r.(chat.FieldErrors); return refused }) {
			delete(p.forms, actor)
		}
	}
	for len(replies) > 0 {
		reply := replies[0]
		replies = replies[1:]
		switch r := reply.(type) {
		case chat.Update:
			m := p.pressed[actor]
			if e.Kind == chat.Home {
				p.show(actor, e.Where.Channel, actor+"'s home", r.Card)
				continue
			}
			if m == nil || strings.HasPrefix(m.to, "#") {
				p.pressed[actor] = p.show(actor, e.Where.Channel, actor+" is told", r.Card)
				continue
			}
			m.versions = append(m.versions, r.Card)
			p.write(actor+" sees", r.Card.String())
		case chat.Whisper:
			m := p.show(actor, e.Where.Channel, actor+" is told", r.Card)
			p.files(r.Files)
			if e.Kind != chat.Submit {
				p.pressed[actor] = m
			}
			replies = r.Then.Next(chat.Delivered{}, replies)
		case chat.Direct:
			if !p.People.Reachable(actor) {
				replies = r.Then.Next(chat.Delivered{Err: chat.ErrUnreachable}, replies)
				continue
			}
			p.pressed[actor] = p.show(actor, "@"+actor, actor+" gets", r.Card)
			replies = r.Then.Next(chat.Delivered{URL: "https://example.org/card"}, replies)
		case chat.Post:
			err := p.People.Post(ctx, "", r.To, r.Card, r.Files)
			came := chat.DeliveredAfter(err)
			p.People.arrived() // it is shown here
			if came.Stands() {
				p.show(r.To.Channel, r.To.Channel, r.To.Channel+" gets", r.Card)
				p.files(slices.DeleteFunc(slices.Clone(r.Files), func(f chat.File) bool { return slices.Contains(came.Missing, f.Name) }))
			}
			replies = r.Then.Next(came, replies)
		case chat.OpenForm:
			if ack := p.Responder.Ack(e); ack != chat.AckForm {
				return fmt.Errorf("a form opens, but the route is acknowledged as %d: a platform could not open it", ack)
			}
			p.forms[actor] = openForm{r.Form, e.Where}
			p.write(actor+" fills in", r.Form.String())
		case chat.FieldErrors:
			var fields []string
			for field, sentence := range r.Fields {
				fields = append(fields, field+": "+sentence)
			}
			slices.Sort(fields)
			p.write(actor+" is asked again", strings.Join(fields, "\n"))
		default:
			return fmt.Errorf("unknown reply %T", reply)
		}
	}
	p.deliver(ctx)
	return nil
}

// Times between one gesture and the next, by the platform's clock. The stage's clock stands still
// meanwhile.
const (
	readingTime = 20 * time.Second
	atOnceTime  = 400 * time.Millisecond
)

// gestureTime is when the next gesture is made.
func (p *player) gestureTime() time.Time {
	pause := readingTime
	if p.atOnce {
		pause, p.atOnce = atOnceTime, false
	}
	if p.at = p.at.Add(pause); p.at.Before(p.Clock.at) {
		p.at = p.Clock.at
	}
	return p.at
}

// deliver has what is due sent, and writes down what arrives.
func (p *player) deliver(ctx context.Context) {
	if p.down {
		return
	}
	p.Deliver(ctx)
	post := p.People.arrived()
	if at := p.Clock.at.In(here()).Format(stamp); len(post) > 0 && at != p.told {
		fmt.Fprintf(&p.out, "< it is %s\n", at)
		p.told = at
	}
	for _, s := range post {
		switch {
		case s.refused && strings.HasPrefix(s.to, "#"):
			fmt.Fprintf(&p.out, "< the bot cannot post in %s\n", s.to)
		case s.refused:
			fmt.Fprintf(&p.out, "< %s cannot be reached\n", s.to)
		case strings.HasPrefix(s.to, "#"):
			p.show(s.to, s.to, s.to+" gets", s.card)
			p.files(s.files)
		default:
			p.show(s.to, "@"+s.to, s.to+" gets", s.card)
		}
	}
}

func (p *player) files(all []chat.File) {
	for _, f := range all {
		fmt.Fprintf(&p.out, "    (file %s, %s", f.Name, f.Type)
		if f.Alt != "" {
			fmt.Fprintf(&p.out, ": %s", f.Alt)
		}
		fmt.Fprintln(&p.out, ")")
	}
}

func (p *player) show(to, in, title string, card chat.Card) *message {
	m := &message{to: to, in: in, versions: []chat.Card{card}}
	p.messages = append(p.messages, m)
	p.write(title, card.String())
	return m
}

func (p *player) write(title, text string) {
	fmt.Fprintf(&p.out, "< %s\n", title)
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		// An empty line would be taken for one of the script's when the file is played again.
		if line = strings.TrimRight(line, " \n"); line != "" {
			fmt.Fprintln(&p.out, "    "+line)
		}
	}
}
