package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"maturitybot/bot/chat"
)

// What a user can do with a form that is filled in, as indexes in the list that review prints. The
// fields follow.
const (
	submitForm = iota
	cancelForm
	firstField
)

// fillIn asks for every field of the open form, then whether to send it, to cancel, or to change a
// field. It returns nil if the user cancels.
func (k *talk) fillIn(ctx context.Context) (*chat.Event, error) {
	form := *k.form
	errs := k.refusals
	var asked []int // indexes of the fields to ask for
	if errs == nil {
		k.input = map[string][]string{}
		for i, field := range form.Fields {
			k.input[chat.About(field).ID] = initial(field)
			asked = append(asked, i)
		}
		text := k.wrap("# ", form.Title)
		if form.Intro != "" {
			text += k.wrap("", form.Intro)
		}
		if err := k.say(text, k.wrap("", k.words.KeepLine)); err != nil {
			return nil, err
		}
	}
	for {
		for _, id := range slices.Sorted(maps.Keys(errs)) {
			named := func(f chat.Field) bool { return chat.About(f).ID == id }
			if i := slices.IndexFunc(form.Fields, named); i >= 0 {
				asked = append(asked, i)
			} else if err := k.t.print(k.wrap("! ", errs[id])); err != nil {
				return nil, err
			}
		}
		slices.Sort(asked)
		for _, i := range slices.Compact(asked) {
			field := form.Fields[i]
			if err := k.askField(ctx, field, errs[chat.About(field).ID]); err != nil {
				return nil, err
			}
		}
		asked, errs = nil, nil
		n, err := k.review(ctx, form)
		switch {
		case err != nil:
			return nil, err
		case n < 0:
			continue
		case n >= firstField:
			asked = []int{n - firstField}
			continue
		case n == cancelForm:
			k.form = nil
			k.reprint()
			return nil, nil
		}
		values := map[string][]string{}
		errs = map[string]string{}
		for _, field := range form.Fields {
			id := chat.About(field).ID
			sent, complaint := k.check(field, k.input[id])
			if values[id] = sent; complaint != "" {
				errs[id] = complaint
			}
		}
		if len(errs) == 0 {
			return k.event(chat.Submit, form.Action, values)
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

// review lists the input of the form, and asks what to do. It returns submitForm, cancelForm, or
// firstField plus the index of a field to change; or -1 to show the list again.
func (k *talk) review(ctx context.Context, form chat.Form) (int, error) {
	names := [][]string{{form.Submit}, {form.Cancel}}
	text := k.wrap("1) ", form.Submit) + k.wrap("2) ", form.Cancel)
	for i, field := range form.Fields {
		l := chat.About(field)
		names = append(names, []string{l.Text})
		lead := fmt.Sprintf("%d) ", i+firstField+1)
		text += k.wrap(lead, l.Text+": "+shown(field, k.input[l.ID]))
	}
	if err := k.say(text); err != nil {
		return 0, err
	}
	return k.choose(ctx, names)
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

// askField asks for one field until its input is valid or the user leaves it unchanged.
func (k *talk) askField(ctx context.Context, field chat.Field, complaint string) error {
	l := chat.About(field)
	text := l.Text
	if l.Optional {
		text += " (" + k.words.Optional + ")"
	}
	text = k.wrap("", text)
	if hint := k.hint(field); hint != "" {
		text += k.wrap("", hint)
	}
	pick, isPick := field.(chat.Select)
	input, isInput := field.(chat.Input)
	if isPick && pick.Many {
		text += k.wrap("", k.words.Many)
	}
	if isInput && input.Lines {
		text += k.wrap("", k.words.Lines)
	}
	var names [][]string
	for i, o := range pick.Options {
		names = append(names, []string{o.Label})
		chosen := chat.Button{Chosen: slices.Contains(k.input[l.ID], o.Value)}
		text += k.wrap(fmt.Sprintf("%d) ", i+1), marked(o.Label, chosen, k.words))
	}
	if now := shown(field, k.input[l.ID]); !isPick && now != "-" {
		text += k.wrap("", "‹"+now+"›")
	}
	if err := k.say(text); err != nil {
		return err
	}
	for {
		if complaint != "" {
			if err := k.t.print(k.wrap("! ", complaint)); err != nil {
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
			k.input[l.ID] = nil
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
			k.input[l.ID] = put
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

// Layouts of days and times of day in forms, as chat says.
const (
	dateLayout = "2006-01-02"
	timeLayout = "15:04"
)

// check reads the input of a field. It returns the values to send, and what is wrong with them or
// "".
func (k *talk) check(field chat.Field, raw []string) (values []string, complaint string) {
	for _, s := range raw {
		if strings.TrimSpace(s) != "" {
			values = append(values, s)
		}
	}
	if len(values) == 0 {
		if !chat.About(field).Optional {
			complaint = k.words.Missing
		}
		return nil, complaint
	}
	switch f := field.(type) {
	case chat.Input:
		if n := utf8.RuneCountInString(values[0]); n > f.Max {
			complaint = fill(k.words.TooLong, "used", fmt.Sprint(n), "limit", fmt.Sprint(f.Max))
		}
	case chat.Date:
		values[0] = strings.TrimSpace(values[0])
		if _, err := time.Parse(dateLayout, values[0]); err != nil {
			complaint = fill(k.words.BadDate, "form", k.words.DateForm)
		}
	case chat.TimeOfDay:
		at, err := time.Parse(timeLayout, strings.TrimSpace(values[0]))
		if err != nil {
			complaint = fill(k.words.BadTime, "form", k.words.TimeForm)
		} else {
			values[0] = at.Format(timeLayout)
		}
	case chat.People:
		values = k.people(values[0])
		if len(values) == 0 {
			complaint = k.words.Missing
		}
	case chat.Channel:
		place, err := chat.ParsePlace(strings.TrimSpace(values[0]))
		if err != nil {
			place = chat.Place{
				Platform:  k.start.Who.Platform,
				Workspace: k.start.Who.Workspace,
				Channel:   strings.TrimSpace(values[0]),
			}
		}
		values = []string{place.String()}
	case chat.Select: // nothing to do
	}
	return values, complaint
}

// people reads ids separated by commas, semicolons or white space, with or without an @. An id
// without a workspace is in the user's own.
func (k *talk) people(s string) []string {
	var all []string
	separator := func(r rune) bool { return strings.ContainsRune(",; \n", r) }
	for _, id := range strings.FieldsFunc(s, separator) {
		id = strings.TrimPrefix(id, "@")
		if id == "" {
			continue
		}
		p, err := chat.ParsePerson(id)
		if err != nil {
			p = chat.Person{Platform: k.start.Who.Platform, Workspace: k.start.Who.Workspace, ID: id}
		}
		if !slices.Contains(all, p.String()) {
			all = append(all, p.String())
		}
	}
	return all
}

// hint returns the help line of a field: its own hint, and the terminal's format for the field.
func (k *talk) hint(field chat.Field) string {
	own := ""
	switch field.(type) {
	case chat.Date:
		own = k.words.DateForm
	case chat.TimeOfDay:
		own = k.words.TimeForm
	case chat.People:
		own = k.words.IDs
	case chat.Channel, chat.Input, chat.Select: // nothing to do
	}
	parts := []string{chat.About(field).Hint, own}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}
