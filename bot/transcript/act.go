package transcript

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"maturitybot/bot/chat"
)

var (
	command = newPattern(`^(\S+) (?:in (#\S+) )?/(?:maturity|aeddfedrwydd) ?(.*)$`)
	press   = newPattern(
		`^(\S+) \[([^\]]+)\](?: on (an old card|"[^"]+"))?(?: of (\S+))?( at once)?$`,
	)
	forged  = newPattern(`^(\S+) !(\S*)(?: picking (\S+))?$`)
	says    = newPattern(`^(\S+) says (.+)$`)
	quietly = newPattern(`^quietly ([a-z ]+): (.+)$`)
	presses = newPattern(`\[([^\]]+)\]`)
	opens   = newPattern(`^(\S+) opens home$`)
	sends   = newPattern(`^(\S+) sends ?(.*)$`)
)

// act plays an action of a user.
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
		// An adapter refuses what is not an action at all; the rest reaches the bot.
		action, err := chat.DecodeAction(strings.ReplaceAll(m[2], "ROUND", p.round()))
		if err != nil {
			fmt.Fprintf(&p.out, "< %s: the platform adapter refuses it\n", m[1])
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

// find returns the action behind a label, and its message: the newest card that the owner sees. on
// may name an old version of a card, or a card by its heading.
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
			case strings.HasPrefix(on, `"`) && !hasHeading(m.versions[j], strings.Trim(on, `"`)):
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
	return nil, chat.Action{}, "", fmt.Errorf(
		"no such thing to press; the newest card is:\n%s",
		newest,
	)
}

// hasHeading reports whether a heading of the card begins with the text.
func hasHeading(card chat.Card, text string) bool {
	return strings.Contains(card.String(), "# "+text)
}

// round returns the round id in the newest button, for presses that are forged with a known id.
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

// look returns the action behind a label of a card, and the option that it picks from a menu.
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
				start, short := strings.CutSuffix(label, "…")
				if name == label || short && strings.HasPrefix(name, start) {
					return b.Action, o.Value, true
				}
			}
		case chat.Divider, chat.Heading, chat.Note, chat.Table, chat.Text: // nothing to do
		}
	}
	return chat.Action{}, "", false
}

// press plays a press on a label.
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
		delete(p.pressed, actor) // the reply is a new message to the actor, not a change of this card
	}
	in := m.in
	if strings.HasPrefix(m.to, "#") {
		in = m.to
	}
	e := chat.Event{Kind: chat.Press, Where: place(in), SharedCard: m.ref(), Action: action}
	if picked != "" {
		e.Values = map[string][]string{chat.Picked: {picked}}
	}
	return p.handle(ctx, actor, e)
}

// pressAll plays the same presses for several people, one person after another.
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

// quietly runs do without writing down what it does.
func (p *player) quietly(do func() error) error {
	kept := p.out.String()
	defer func() {
		p.out.Reset()
		p.out.WriteString(kept)
	}()
	return do()
}

// assignments reads field=value pairs; a value may be quoted, "\n" in it is a new line, ×N after
// it repeats it.
var assignments = newPattern(`([a-z_]+)=(?:"([^"]*)"|(\S*?))(?:×(\d+))?(?:\s+|$)`)

// send plays the submission of the person's open form.
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
		case chat.Channel, chat.People: // nothing to do
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
	return p.handle(ctx, actor, chat.Event{
		Kind: chat.Submit, Where: form.where, SharedCard: form.shared,
		Action: form.Action, Values: values,
	})
}

// handle passes an event to the bot and writes down its replies.
func (p *player) handle(ctx context.Context, actor string, e chat.Event) error {
	if e.ID == "" {
		p.events++
		e.ID = fmt.Sprintf("event-%d", p.events)
	}
	if e.At.IsZero() { // else the platform delivers it again
		e.At = p.nextEventTime()
	}
	e.Who, e.Admin = Person(actor), p.admins[actor]
	e.Locale, e.TimeZone = p.locales[actor], p.zones[actor]
	e.Private, e.Direct = strings.HasPrefix(e.Where.Channel, "@"), p.directs
	p.last, p.lastActor = e, actor
	replies := p.Responder.Handle(ctx, e)
	if len(replies) == 0 {
		fmt.Fprintln(&p.out, "< nothing")
	}
	refuses := func(r chat.Reply) bool { _, ok := r.(chat.FieldErrors); return ok }
	if e.Kind == chat.Submit && !slices.ContainsFunc(replies, refuses) {
		delete(p.forms, actor)
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
		case chat.Redraw:
			if err := p.redraw(ctx, r); err != nil {
				return err
			}
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
			delivered := chat.DeliveredAfter(err)
			p.People.arrived() // it is shown here
			if !delivered.Failed() {
				p.show(r.To.Channel, r.To.Channel, r.To.Channel+" gets", r.Card)
				lost := func(f chat.File) bool { return slices.Contains(delivered.Missing, f.Name) }
				p.files(slices.DeleteFunc(slices.Clone(r.Files), lost))
			}
			replies = r.Then.Next(delivered, replies)
		case chat.OpenForm:
			if ack := p.Responder.Ack(e); ack != chat.AckForm {
				return fmt.Errorf("a form opens for acknowledgement %d: no platform could open it", ack)
			}
			p.forms[actor] = openForm{r.Form, e.Where, e.SharedCard}
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

// redraw changes a card that everybody in a channel sees, at once. A change that makes no
// difference is not written down.
func (p *player) redraw(ctx context.Context, r chat.Redraw) error {
	i := slices.IndexFunc(p.messages, func(m *message) bool { return m.ref() == r.Of })
	if i < 0 || r.Of == (chat.CardRef{}) {
		return fmt.Errorf("there is no card %v that everybody sees", r.Of)
	}
	card, err := r.Draw(ctx)
	if err != nil {
		return fmt.Errorf("redraw a card: %w", err)
	}
	m := p.messages[i]
	if reflect.DeepEqual(card, m.versions[len(m.versions)-1]) {
		return nil
	}
	m.versions = append(m.versions, card)
	p.write(m.to+" sees", card.String())
	return nil
}

// Times between one event and the next, by the platform's clock. The clock of the stage does not
// move meanwhile.
const (
	readingTime = 20 * time.Second
	atOnceTime  = 400 * time.Millisecond
)

// nextEventTime returns when the next event happens.
func (p *player) nextEventTime() time.Time {
	pause := readingTime
	if p.atOnce {
		pause, p.atOnce = atOnceTime, false
	}
	if p.at = p.at.Add(pause); p.at.Before(p.Clock.at) {
		p.at = p.Clock.at
	}
	return p.at
}
