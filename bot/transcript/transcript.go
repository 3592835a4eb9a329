// Package transcript plays conversations that are written down in .chat files: what people do,
// what time and the machine do, and what the bot does about it. It knows the vocabulary of chat
// and nothing of the bot, of surveys or of any platform. CONTRIBUTING.md says how a file is
// written.
package transcript

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"maturitybot/bot/chat"
)

// Stage is the environment that a transcript is played in. The words of the theatre are meant
// literally in this package: a script is played on a stage, and stage directions change the time,
// the people and the machine.
type Stage struct {
	Responder chat.Responder
	Clock     *Clock
	People    *People
	// Matrix restarts the bot with the matrix of this file, beside the .chat files. Earlier versions
	// of the matrix stay.
	Matrix func(file string) (chat.Responder, error)
	// Restart ends the bot and starts another on the same store.
	Restart func() chat.Responder
	// Sleep makes the store unreachable, or reachable again.
	Sleep func(asleep bool)
	// Deliver has everything sent that is due: it arrives at People.
	Deliver func(ctx context.Context)
	// Next is the next time at which something may become due, if there is one: time passes from
	// one to the next.
	Next func(ctx context.Context) (time.Time, bool)
	// Visit lets a person come by a link, answer everything and finish, and reports whether they could.
	// The operation tells two people apart who come by the same link.
	Visit func(ctx context.Context, link, operation string) (bool, error)
}

// message is a message that a person sees, in all its versions.
type message struct {
	id       string
	to       string // a person, or a channel with its #
	in       string // the channel, the person's own conversation, or where it was whispered
	versions []chat.Card
}

// ref names a message that everybody in a channel sees. It is the zero value for another one.
func (m *message) ref() chat.CardRef {
	if !strings.HasPrefix(m.to, "#") {
		return chat.CardRef{}
	}
	return chat.CardRef{Place: place(m.to), Message: m.id}
}

// openForm is a form that a person sees, where they opened it, and from which card.
type openForm struct {
	chat.Form
	where  chat.Place
	shared chat.CardRef
}

type player struct {
	Stage
	out       strings.Builder
	events    int
	last      chat.Event
	at        time.Time // when a person last did something
	atOnce    bool      // the next event follows at once
	lastActor string
	messages  []*message
	forms     map[string]openForm // the open form of a person
	links     map[string]string   // by number, or openLink
	pressed   map[string]*message // the message that a person's form or last press came from
	admins    map[string]bool
	locales   map[string]string
	zones     map[string]string
	directs   bool   // answers can go to direct messages
	down      bool   // the bot answers, and sends nothing by itself
	written   string // the time that was last written down
}

// channel is where commands are typed unless a line says otherwise.
const channel = "#early-years"

// Play plays the script and returns it with everything the bot did: lines that begin with "<" or
// are indented, which are what the bot did when it was last played, are left out of the script and
// written anew. A line that cannot be played is an error with its number.
func Play(ctx context.Context, script io.Reader, stage Stage) (string, error) {
	p := &player{
		Stage: stage, forms: map[string]openForm{}, pressed: map[string]*message{},
		links:  map[string]string{},
		admins: map[string]bool{}, locales: map[string]string{}, zones: map[string]string{},
	}
	p.written = p.Clock.at.In(here()).Format(stamp)
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
	later  = newPattern(`^(\d+) (minute|hour|day|week)s? later$`)
	has    = newPattern(`^(#\S+) has (.+)$`)
	admin  = newPattern(`^(\S+) is an admin$`)
	speaks = newPattern(`^(\S+)'s platform speaks (\S+)$`)
	matrix = newPattern(`^the matrix is (\S+)$`)
	agreed = newPattern(`^(\S+) has( not)? agreed to direct messages$`)
	clock  = newPattern(`^(\S+)'s clock is in (\S+)$`)
	until  = newPattern(`^it is (\d{4}-\d{2}-\d{2} \d{2}:\d{2})$`)
	cannot = newPattern(`^(\S+) (cannot|can) be reached$`)
	botIn  = newPattern(`^the bot is( not)? in (#\S+)$`)
	files  = newPattern(`^files (do not )?arrive in (#\S+)$`)
)

// direct follows a stage direction.
func (p *player) direct(ctx context.Context, line string) error {
	if known, err := p.visit(ctx, line); known {
		return err
	}
	if m := later.FindStringSubmatch(line); m != nil {
		var n int
		if _, err := fmt.Sscan(m[1], &n); err != nil {
			return fmt.Errorf("read time: %w", err)
		}
		unit := map[string]time.Duration{
			"minute": time.Minute, "hour": time.Hour,
			"day": 24 * time.Hour, "week": 7 * 24 * time.Hour,
		}[m[2]]
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

// here returns the time zone of transcripts. time.LoadLocation reads a file each time.
var here = sync.OnceValue(func() *time.Location {
	loc, err := time.LoadLocation("Europe/London")
	if err != nil {
		return time.UTC
	}
	return loc
})

// pass moves the clock to then. It stops at each time at which something is due, so that
// everything comes in order and at its own time.
func (p *player) pass(ctx context.Context, then time.Time) error {
	for !p.down {
		next, ok := p.Next(ctx)
		if !ok || !next.Before(then) {
			break
		}
		if !next.After(p.Clock.at) {
			return fmt.Errorf(
				"something is due again and again at %s",
				p.Clock.at.In(here()).Format(stamp),
			)
		}
		p.Clock.at = next
		p.deliver(ctx)
	}
	p.Clock.at = then
	p.deliver(ctx)
	return nil
}

// deliver sends what is due, and writes down what arrives.
func (p *player) deliver(ctx context.Context) {
	if p.down {
		return
	}
	p.Deliver(ctx)
	post := p.People.arrived()
	if at := p.Clock.at.In(here()).Format(stamp); len(post) > 0 && at != p.written {
		fmt.Fprintf(&p.out, "< it is %s\n", at)
		p.written = at
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

// files writes down the files of a card.
func (p *player) files(all []chat.File) {
	p.keepLinks(all)
	for _, f := range all {
		fmt.Fprintf(&p.out, "    (file %s, %s", f.Name, f.Type)
		if f.Alt != "" {
			fmt.Fprintf(&p.out, ": %s", f.Alt)
		}
		fmt.Fprintln(&p.out, ")")
	}
}

// show writes down a new message.
func (p *player) show(to, in, title string, card chat.Card) *message {
	id := fmt.Sprintf("message-%d", len(p.messages)+1)
	m := &message{id: id, to: to, in: in, versions: []chat.Card{card}}
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
