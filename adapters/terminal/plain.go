package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"maturitybot/bot/chat"
)

// errLeft is returned when the user leaves.
var errLeft = errors.New("the person left")

// runPlain runs the conversation in plain lines.
func (k *talk) runPlain(ctx context.Context, start chat.Event) error {
	err := k.plainConversation(ctx, start)
	if errors.Is(err, io.EOF) || errors.Is(err, errLeft) {
		return nil
	}
	return err
}

func (k *talk) plainConversation(ctx context.Context, start chat.Event) error {
	k.apply(k.ask(ctx, start))
	for {
		event, err := k.plainStep(ctx)
		if err != nil || k.done {
			return err
		}
		if event != nil {
			k.apply(k.ask(ctx, *event))
		}
	}
}

// plainStep shows what is new and reads one input. It returns nil if the input makes no event for
// the responder.
func (k *talk) plainStep(ctx context.Context) (*chat.Event, error) {
	for _, notice := range k.notices {
		if err := k.say(plainCard(notice, k.t.width(), k.words, nil)); err != nil {
			return nil, err
		}
	}
	k.notices = nil
	if k.form != nil {
		event, err := k.plainForm(ctx)
		if event != nil || err != nil || len(k.cards) > 0 {
			return event, err
		}
	}
	if len(k.cards) == 0 {
		return nil, errLeft
	}
	card := k.card()
	all := items(card)
	own := ""
	if len(k.cards) > 1 && !k.done {
		own = k.words.Earlier
	}
	if k.changed {
		parts := plainParts(card, k.t.width(), k.words, all)
		if own != "" {
			parts = append(parts, fmt.Sprintf("%d) %s\n", len(all)+1, own))
		}
		text := strings.Join(k.changedParts(heading(card), parts), "")
		k.changed, k.parts = false, parts
		if err := k.say(text); err != nil || k.done {
			return nil, err
		}
	}
	names := make([][]string, 0, len(all)+1)
	for _, it := range all {
		names = append(names, it.names())
	}
	if own != "" {
		names = append(names, []string{own})
	}
	if len(names) == 0 {
		return nil, errLeft
	}
	n, err := k.choose(ctx, k.words.Prompt, names)
	switch {
	case err != nil:
		return nil, err
	case n < 0:
		k.reprint()
		return nil, nil
	case n == len(all):
		k.back()
		k.reprint()
		return nil, nil
	}
	return k.plainPress(ctx, all[n])
}

// reprint makes the next step print the whole card.
func (k *talk) reprint() { k.changed, k.parts = true, nil }

// changedParts returns the parts of a card that have changed since it was last printed, so that a
// screen reader need not read all of it after each answer. If the last card was another one, it
// returns all parts.
func (k *talk) changedParts(title string, parts []string) []string {
	if title == "" || title != k.previousTitle || len(parts) != len(k.parts) {
		return parts
	}
	var changed []string
	for i := range parts {
		if parts[i] != k.parts[i] {
			changed = append(changed, parts[i])
		}
	}
	if changed == nil {
		return parts
	}
	return changed
}

func (k *talk) plainPress(ctx context.Context, it item) (*chat.Event, error) {
	var action chat.Action
	var values map[string][]string
	if it.menu != nil {
		card := listCard(*it.menu)
		n, err := k.plainAsk(ctx, card)
		if n < 0 || err != nil {
			k.reprint()
			return nil, err
		}
		action, values = it.menu.Action, map[string][]string{chat.Picked: {it.menu.Options[n].Value}}
	} else {
		if it.button.Confirm != nil {
			n, err := k.plainAsk(ctx, confirmCard(*it.button))
			if n != 0 || err != nil {
				k.reprint()
				return nil, err
			}
		}
		action = it.button.Action
	}
	event, err := k.event(chat.Press, action, values)
	return &event, err
}

// plainAsk shows a card of the terminal's own, and returns the index of the chosen item, or -1.
func (k *talk) plainAsk(ctx context.Context, card chat.Card) (int, error) {
	all := items(card)
	if err := k.say(plainCard(card, k.t.width(), k.words, all)); err != nil {
		return 0, err
	}
	var names [][]string
	for _, it := range all {
		names = append(names, it.names())
	}
	return k.choose(ctx, k.words.Prompt, names)
}

// say prints a text with an empty line before it.
func (k *talk) say(text string) error { return k.t.print("\n" + text) }

// read prints a prompt and returns the line that the user writes.
func (k *talk) read(ctx context.Context, prompt string) (string, error) {
	if err := k.t.print(strings.TrimLeft(prompt+" > ", " ")); err != nil {
		return "", err
	}
	s, err := k.t.in.next(ctx)
	if err != nil {
		_ = k.t.print("\n") // ends the line of the prompt; the first error matters
		return "", err
	}
	s = typed(s)
	if k.t.echo {
		err = k.t.print(s + "\n")
	}
	return s, err
}

// choose asks until the user chooses one of the names, and returns its index. It returns -1 for an
// empty line, and errLeft for q.
func (k *talk) choose(ctx context.Context, prompt string, names [][]string) (int, error) {
	for {
		s, err := k.read(ctx, prompt)
		if err != nil {
			return 0, err
		}
		if strings.TrimSpace(s) == "" {
			return -1, nil
		}
		n, complaint := k.match(s, names)
		if complaint == "" {
			return n, nil
		}
		if word := simplified(s); word == "q" || word == simplified(k.words.Leave) {
			return 0, errLeft
		}
		if err := k.t.print(complaint + "\n"); err != nil {
			return 0, err
		}
	}
}

// match finds the name that the user typed: a number from 1, a whole name, or a prefix of exactly
// one name.
func (k *talk) match(s string, names [][]string) (n int, complaint string) {
	number := fill(k.words.Number, "to", strconv.Itoa(len(names)))
	if n, err := strconv.Atoi(strings.TrimRight(strings.TrimSpace(s), ".)")); err == nil {
		if n < 1 || n > len(names) {
			return 0, number
		}
		return n - 1, ""
	}
	word := simplified(s)
	if word == "" {
		return 0, number
	}
	var begun []int
	for i, all := range names {
		for _, name := range all {
			switch name := simplified(name); {
			case name == word:
				return i, ""
			case strings.HasPrefix(name, word) && !slices.Contains(begun, i):
				begun = append(begun, i)
			}
		}
	}
	switch len(begun) {
	case 0:
		return 0, number
	case 1:
		return begun[0], ""
	}
	list := make([]string, len(begun))
	for i, n := range begun {
		list[i] = fmt.Sprintf("%d) %s", n+1, names[n][0])
	}
	return 0, fill(k.words.Several, "names", strings.Join(list, ", "))
}

// simplified returns a name as a user would type it: in lower case, without arrows and signs
// around it.
func simplified(s string) string {
	sign := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	return strings.ToLower(strings.TrimFunc(s, sign))
}

// plainCard draws a card as one text.
func plainCard(c chat.Card, width int, words Words, all []item) string {
	return strings.Join(plainParts(c, width, words, all), "")
}

// plainParts draws a card like chat.Card.String, but wrapped, and with a number before each item.
// If all is nil, items are in brackets instead. Each part is one or more whole lines.
func plainParts(c chat.Card, width int, words Words, all []item) []string {
	var parts []string
	add := func(lead, s string) {
		lines := hanging(lead, s, width)
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " ")
		}
		parts = append(parts, strings.Join(lines, "\n")+"\n")
	}
	n := 0
	number := func() string {
		n++
		return fmt.Sprintf("%d) ", n)
	}
	for _, block := range c.Blocks {
		switch b := block.(type) {
		case chat.Heading:
			add("# ", b.Text)
		case chat.Text:
			add("", unstyled(b.Spans))
		case chat.Note:
			add("", "("+unstyled(b.Spans)+")")
		case chat.Table:
			parts = append(parts, strings.TrimRight(b.Text, "\n")+"\n")
		case chat.Divider:
			parts = append(parts, "---\n")
		case chat.Choice:
			text := b.Title
			if b.Button.Label != b.Title && b.Button.Label != "" {
				text += " [" + b.Button.Label + "]"
			}
			text = marked(text, b.Button, words)
			if b.Text != "" {
				text += ": " + b.Text
			}
			if all == nil {
				add("- ", text)
			} else {
				add(number(), text)
			}
		case chat.Buttons:
			if all == nil {
				labels := make([]string, len(b.Buttons))
				for i, button := range b.Buttons {
					labels[i] = button.String()
				}
				add("", strings.Join(labels, " "))
				continue
			}
			for _, button := range b.Buttons {
				label := button.Label
				if button.Spoken != "" {
					label = button.Spoken
				}
				add(number(), marked(label, button, words))
			}
		case chat.Menu:
			if all == nil {
				add("", "["+menuMark+b.Placeholder+"]")
			} else {
				add(number(), b.Placeholder+" …")
			}
		}
	}
	return parts
}

func marked(label string, b chat.Button, words Words) string {
	if b.Style == chat.Danger {
		label += "!"
	}
	if b.Chosen {
		label = tick + " " + label
		if words.Chosen != "" {
			label += " (" + words.Chosen + ")"
		}
	}
	return label
}

// unstyled returns a paragraph without bold type and meters.
func unstyled(spans []chat.Span) string {
	return strings.TrimRight(chat.PlainText(chat.Unstyled(spans)), " ")
}

// plainForm asks for every field, then whether to send the form, to cancel, or to change a field.
// It returns nil if the user cancels.
func (k *talk) plainForm(ctx context.Context) (*chat.Event, error) {
	form := *k.form
	raw := k.kept
	errs := k.refusals
	var asked []int
	if errs == nil || raw == nil {
		raw = map[string][]string{}
		for i, field := range form.Fields {
			raw[chat.About(field).ID] = initial(field)
			asked = append(asked, i)
		}
		text := "# " + form.Title + "\n"
		if form.Intro != "" {
			text += strings.Join(wrapped(form.Intro, k.t.width()), "\n") + "\n"
		}
		text += strings.Join(wrapped(k.words.KeepLine, k.t.width()), "\n") + "\n"
		if err := k.say(text); err != nil {
			return nil, err
		}
	}
	k.kept = raw
	for {
		for _, id := range slices.Sorted(maps.Keys(errs)) {
			named := func(f chat.Field) bool { return chat.About(f).ID == id }
			i := slices.IndexFunc(form.Fields, named)
			if i >= 0 {
				asked = append(asked, i)
				continue
			}
			if err := k.t.print("! " + errs[id] + "\n"); err != nil {
				return nil, err
			}
		}
		slices.Sort(asked)
		for _, i := range slices.Compact(asked) {
			field := form.Fields[i]
			if err := k.plainField(ctx, field, raw, errs[chat.About(field).ID]); err != nil {
				return nil, err
			}
		}
		asked, errs = nil, nil
		n, err := k.plainReview(ctx, form, raw)
		switch {
		case err != nil:
			return nil, err
		case n == cancelStop:
			k.form, k.kept = nil, nil
			k.reprint()
			return nil, nil
		case n > cancelStop:
			asked = []int{n - cancelStop - 1}
			continue
		case n < 0:
			continue
		}
		values := map[string][]string{}
		errs = map[string]string{}
		for _, field := range form.Fields {
			id := chat.About(field).ID
			sent, complaint := k.check(field, raw[id])
			if values[id] = sent; complaint != "" {
				errs[id] = complaint
			}
		}
		if len(errs) == 0 {
			event, err := k.event(chat.Submit, form.Action, values)
			return &event, err
		}
	}
}

// initial returns the initial values of a field.
func initial(field chat.Field) []string {
	switch f := field.(type) {
	case chat.Input:
		return []string{f.Value}
	case chat.Date:
		return []string{f.Value}
	case chat.TimeOfDay:
		return []string{f.Value}
	case chat.Select:
		return f.Chosen
	case chat.Channel, chat.People: // nothing to do
	}
	return nil
}

// plainReview lists the input of the form, and asks what to do. It returns submitStop, cancelStop,
// 2 plus the index of a field to change, or -1 to show the list again.
func (k *talk) plainReview(
	ctx context.Context, form chat.Form, raw map[string][]string,
) (int, error) {
	names := [][]string{{form.Submit}, {form.Cancel}}
	text := "1) " + form.Submit + "\n2) " + form.Cancel + "\n"
	for i, field := range form.Fields {
		l := chat.About(field)
		names = append(names, []string{l.Text})
		lead := fmt.Sprintf("%d) ", i+3)
		text += strings.Join(hanging(lead, l.Text+": "+shown(field, raw[l.ID]), k.t.width()), "\n") + "\n"
	}
	if err := k.say(text); err != nil {
		return 0, err
	}
	return k.choose(ctx, k.words.Prompt, names)
}

// shown returns the input of a field as text.
func shown(field chat.Field, raw []string) string {
	if pick, ok := field.(chat.Select); ok {
		var labels []string
		for _, o := range pick.Options {
			if slices.Contains(raw, o.Value) {
				labels = append(labels, o.Label)
			}
		}
		raw = labels
	}
	if s := strings.Join(raw, ", "); s != "" {
		return s
	}
	return "-"
}

// plainField asks for one field until its input is valid or the user leaves it unchanged.
func (k *talk) plainField(
	ctx context.Context, field chat.Field, raw map[string][]string, complaint string,
) error {
	l := chat.About(field)
	text := l.Text
	if l.Optional {
		text += " (" + k.words.Optional + ")"
	}
	parts := []string{text}
	if hint := k.hint(field); hint != "" {
		parts = append(parts, hint)
	}
	pick, isPick := field.(chat.Select)
	input, isInput := field.(chat.Input)
	if isPick && pick.Many {
		parts = append(parts, k.words.Many)
	}
	if isInput && input.Lines {
		parts = append(parts, k.words.Lines)
	}
	var lines []string
	for _, part := range parts {
		lines = append(lines, wrapped(part, k.t.width())...)
	}
	var names [][]string
	for i, o := range pick.Options {
		names = append(names, []string{o.Label})
		label := o.Label
		if slices.Contains(raw[l.ID], o.Value) {
			label = marked(label, chat.Button{Chosen: true}, k.words)
		}
		lines = append(lines, hanging(fmt.Sprintf("%d) ", i+1), label, k.t.width())...)
	}
	if !isPick && shown(field, raw[l.ID]) != "-" {
		lines = append(lines, wrapped("‹"+shown(field, raw[l.ID])+"›", k.t.width())...)
	}
	if err := k.say(strings.Join(lines, "\n") + "\n"); err != nil {
		return err
	}
	for {
		if complaint != "" {
			if err := k.t.print("! " + complaint + "\n"); err != nil {
				return err
			}
		}
		s, err := k.read(ctx, l.Text)
		if err != nil {
			return err
		}
		if strings.TrimSpace(s) == "" {
			return nil
		}
		if strings.TrimSpace(s) == "-" {
			raw[l.ID] = nil
			return nil
		}
		if isInput && input.Lines {
			if s, err = k.moreLines(ctx, s); err != nil {
				return err
			}
		}
		var put []string
		if isPick {
			put, complaint = k.picked(s, pick, names)
		} else {
			put = []string{s}
			_, complaint = k.check(field, put)
		}
		if complaint == "" {
			raw[l.ID] = put
			return nil
		}
	}
}

// moreLines reads the other lines of a text. The end of input ends the text as well.
func (k *talk) moreLines(ctx context.Context, s string) (string, error) {
	for {
		line, err := k.read(ctx, "")
		if errors.Is(err, io.EOF) || err == nil && line == "" {
			return s, nil
		}
		if err != nil {
			return "", err
		}
		s += "\n" + line
	}
}

// picked reads numbers or names of options: one on the whole line, or several separated by commas.
func (k *talk) picked(
	s string, pick chat.Select, names [][]string,
) (values []string, complaint string) {
	n, complaint := k.match(s, names)
	if complaint == "" {
		return []string{pick.Options[n].Value}, ""
	}
	if !pick.Many {
		return nil, complaint
	}
	for part := range strings.SplitSeq(s, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		n, complaint := k.match(part, names)
		if complaint != "" {
			return nil, complaint
		}
		values = append(values, pick.Options[n].Value)
	}
	return values, ""
}
