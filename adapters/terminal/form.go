package terminal

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"

	"maturitybot/bot/chat"
)

// formPage is a form being filled in.
type formPage struct {
	form    chat.Form
	entries []*entry
	stops   []stop
	focus   int // of the stops
	errs    map[string]string
	window  window
	touched bool // there is input that cancelling would lose
}

// entry is a field and its input.
type entry struct {
	field  chat.Field
	label  chat.Label
	pick   *chat.Select
	chosen []string       // of a pick
	area   textarea.Model // of every other field
	limit  int            // of an input, in characters
	lines  bool
}

// stop is a position of the cursor: a text, an option of a pick, or a button if entry is -1.
type stop struct{ entry, option int }

const (
	submitStop = 0
	cancelStop = 1
)

func newFormPage(m *screen, form chat.Form) *formPage {
	f := &formPage{form: form, errs: map[string]string{}}
	for i, field := range form.Fields {
		e := &entry{field: field, label: chat.About(field)}
		value := ""
		switch x := field.(type) {
		case chat.Select:
			e.pick, e.chosen = &x, slices.Clone(x.Chosen)
		case chat.Input:
			value, e.limit, e.lines = x.Value, x.Max, x.Lines
		case chat.Date:
			value = x.Value
		case chat.TimeOfDay:
			value = x.Value
		case chat.Channel, chat.People: // nothing to do
		}
		f.entries = append(f.entries, e)
		if e.pick != nil {
			for o := range e.pick.Options {
				f.stops = append(f.stops, stop{i, o})
			}
			continue
		}
		e.area = newArea(e.lines)
		e.area.SetWidth(m.columns() - 2)
		e.area.SetValue(value)
		f.stops = append(f.stops, stop{i, 0})
	}
	f.stops = append(f.stops, stop{-1, submitStop}, stop{-1, cancelStop})
	f.aim(m, 0)
	return f
}

// newArea returns a text editor. It wraps texts of one line too, so that all of the text can be
// seen. It accepts more than the field's limit, so that text is never cut: submit reports what is
// too long.
func newArea(several bool) textarea.Model {
	a := textarea.New()
	a.Prompt = "│ "
	a.ShowLineNumbers = false
	a.EndOfBufferCharacter = ' '
	a.CharLimit = 0
	a.DynamicHeight = true
	a.MinHeight = 1
	a.MaxHeight = 0
	if several {
		a.MinHeight = 3
	}
	a.SetVirtualCursor(false)
	a.SetStyles(textarea.Styles{})
	a.KeyMap.InsertNewline.SetEnabled(several)
	// Terminals can paste themselves; these keys would start a clipboard program on the machine.
	a.KeyMap.Paste.SetEnabled(false)
	a.KeyMap.CopySelection.SetEnabled(false)
	return a
}

// aim moves the cursor to a stop.
func (f *formPage) aim(m *screen, n int) {
	f.focus = max(0, min(n, len(f.stops)-1))
	for i, e := range f.entries {
		if e.pick != nil {
			continue
		}
		if f.stops[f.focus] == (stop{i, 0}) {
			e.area.Focus() // its command would only start a drawn cursor's blinking
		} else {
			e.area.Blur()
		}
	}
	f.bring(m)
}

// bring scrolls to the stop that the cursor is on.
func (f *formPage) bring(m *screen) {
	s, _, _ := f.sheet(m)
	for before := -1; before != f.window.offset; {
		before = f.window.offset
		f.window.reveal(s, s.spots[f.focus])
	}
}

// refuse shows the errors, and moves to the first field that has one.
func (f *formPage) refuse(m *screen, sentences map[string]string) {
	f.errs = sentences
	for i, at := range f.stops {
		if at.entry >= 0 && sentences[f.entries[at.entry].label.ID] != "" {
			f.aim(m, i)
			return
		}
	}
	f.window.offset = 0 // errors without a field are at the top
}

// write passes a key or a paste to the current text.
func (f *formPage) write(m *screen, msg tea.Msg) {
	at := f.stops[f.focus]
	if at.entry < 0 || f.entries[at.entry].pick != nil {
		return
	}
	e := f.entries[at.entry]
	if paste, ok := msg.(tea.PasteMsg); ok {
		paste.Content = typed(paste.Content)
		if !e.lines {
			paste.Content = strings.ReplaceAll(strings.TrimRight(paste.Content, "\n"), "\n", " ")
		}
		msg = paste
	}
	before := e.area.Value()
	e.area, _ = e.area.Update(msg)
	if e.area.Value() != before {
		f.touched = true
		delete(f.errs, e.label.ID)
	}
	f.bring(m)
}

func (f *formPage) key(m *screen, msg tea.KeyPressMsg) tea.Cmd {
	at := f.stops[f.focus]
	text := at.entry >= 0 && f.entries[at.entry].pick == nil
	key := msg.String()
	switch key {
	case "esc":
		// One accidental key must not lose the input.
		if f.touched && at != (stop{-1, cancelStop}) {
			f.aim(m, len(f.stops)-1)
			return nil
		}
		return f.cancel(m)
	case "tab":
		f.aim(m, f.field(1))
		return nil
	case "shift+tab":
		f.aim(m, f.field(-1))
		return nil
	case "pgdown", "pgup":
		s, _, _ := f.sheet(m)
		way := max(f.window.rows(s)-1, 1)
		if key == "pgup" {
			way = -way
		}
		f.window.scroll(s, way)
		return nil
	}
	if text {
		e := f.entries[at.entry]
		info := e.area.LineInfo()
		switch {
		case key == "up" && e.area.Line() == 0 && info.RowOffset == 0:
			f.aim(m, f.focus-1)
		case key == "down" && e.area.Line() == e.area.LineCount()-1 && info.RowOffset >= info.Height-1:
			f.aim(m, f.focus+1)
		case key == "enter" && !e.lines:
			f.aim(m, f.focus+1)
		default:
			f.write(m, msg)
		}
		return nil
	}
	switch key {
	case "up", "k", "left", "h":
		f.aim(m, f.focus-1)
	case "down", "j", "right", "l":
		f.aim(m, f.focus+1)
	case "enter", "space":
		s, _, _ := f.sheet(m)
		switch {
		case !f.window.shows(s, s.spots[f.focus]):
			f.bring(m)
		case at.entry >= 0:
			f.toggle(at)
		case at.option == cancelStop:
			return f.cancel(m)
		default:
			return f.submit(m)
		}
	}
	return nil
}

// field returns the first stop of the next or the previous field. Each button counts as a field.
func (f *formPage) field(way int) int {
	at := f.stops[f.focus]
	n := f.focus
	for n+way >= 0 && n+way < len(f.stops) {
		n += way
		if f.stops[n].entry < 0 || f.stops[n].entry != at.entry && f.stops[n].option == 0 {
			break
		}
	}
	return n
}

func (f *formPage) toggle(at stop) {
	e := f.entries[at.entry]
	value := e.pick.Options[at.option].Value
	has := slices.Contains(e.chosen, value)
	switch {
	case has && (e.pick.Many || e.label.Optional):
		e.chosen = slices.DeleteFunc(slices.Clone(e.chosen), func(v string) bool { return v == value })
	case has:
		return
	case e.pick.Many:
		e.chosen = append(slices.Clone(e.chosen), value)
	default:
		e.chosen = []string{value}
	}
	f.touched = true
	delete(f.errs, e.label.ID)
}

func (f *formPage) cancel(m *screen) tea.Cmd {
	m.form, m.k.form = nil, nil
	if len(m.pages) == 0 {
		m.pages = []*page{m.base()}
	}
	return nil
}

func (f *formPage) submit(m *screen) tea.Cmd {
	values, errs := map[string][]string{}, map[string]string{}
	for _, e := range f.entries {
		var raw []string
		if e.pick != nil {
			for _, o := range e.pick.Options {
				if slices.Contains(e.chosen, o.Value) {
					raw = append(raw, o.Value)
				}
			}
		} else {
			raw = []string{e.area.Value()}
		}
		sent, complaint := m.k.check(e.field, raw)
		values[e.label.ID] = sent
		if complaint != "" {
			errs[e.label.ID] = complaint
		}
	}
	if len(errs) > 0 {
		f.refuse(m, errs)
		return nil
	}
	event, err := m.k.event(chat.Submit, f.form.Action, values)
	if err != nil {
		return m.fail(err)
	}
	return m.send(event)
}

// sheet draws the form. It also returns the line and column of the text cursor.
func (f *formPage) sheet(m *screen) (s sheet, line, column int) {
	f.window.height = m.textHeight(m.k.words.HelpForm)
	s, line, column = f.draw(m, true)
	if len(s.lines) > f.window.height {
		s, line, column = f.draw(m, false)
	}
	return s, line, column
}

func (f *formPage) draw(m *screen, airy bool) (s sheet, line, column int) {
	l, width := m.look, m.columns()
	line = -1
	s.lines = append(s.lines, wrapped(styled(l.bold, f.form.Title), width)...)
	if f.form.Intro != "" {
		s.lines = append(s.lines, wrapped(f.form.Intro, width)...)
	}
	known := map[string]bool{}
	for _, e := range f.entries {
		known[e.label.ID] = true
	}
	for _, id := range slices.Sorted(maps.Keys(f.errs)) {
		if !known[id] {
			s.lines = append(s.lines, wrapped(styled(l.alert, "! "+f.errs[id]), width)...)
		}
	}
	n := 0
	pointed := func(style string) string {
		if n == f.focus {
			return l.accent.Render(pointer) + style
		}
		return noPoint + style
	}
	for _, e := range f.entries {
		s.lines = append(s.lines, "")
		top := len(s.lines)
		s.lines = append(s.lines, wrapped(f.title(m, e), width)...)
		if hint := m.k.hint(e.field); hint != "" {
			s.lines = append(s.lines, wrapped(styled(l.note, hint), width)...)
		}
		if sentence := f.errs[e.label.ID]; sentence != "" {
			s.lines = append(s.lines, wrapped(styled(l.alert, "! "+sentence), width)...)
		}
		if e.pick != nil {
			for o, option := range e.pick.Options {
				at := spot{first: len(s.lines)}
				if o == 0 {
					at.first = top
				}
				lead := pointed(e.mark(option.Value) + " ")
				s.lines = append(s.lines, hanging(lead, f.option(m, e, option, n), width)...)
				at.last = len(s.lines) - 1
				s.spots = append(s.spots, at)
				n++
			}
			continue
		}
		e.area.SetWidth(width - 2)
		body := len(s.lines)
		for i, text := range strings.Split(e.area.View(), "\n") {
			if i == 0 {
				text = pointed(text)
			} else {
				text = noPoint + text
			}
			s.lines = append(s.lines, strings.TrimRight(text, " "))
		}
		at := spot{first: top, last: body}
		if c := e.area.Cursor(); c != nil {
			line, column = body+c.Y, min(c.X+2, width-1)
			at.last = line
			// If the text is higher than the window, the line of the cursor must be in view.
			at.first = max(top, line-max(f.window.height-3, 0))
		}
		s.spots = append(s.spots, at)
		n++
	}
	if airy {
		s.lines = append(s.lines, "")
	}
	buttons := []cell{{f.form.Submit, l.accent}, {f.form.Cancel, l.plain}}
	l.flow(&s, buttons, n, drawing{width: width, cursor: f.focus, live: true, bare: true})
	return s, line, column
}

// title returns a field's name, whether it is optional, and how much of its limit is used.
func (f *formPage) title(m *screen, e *entry) string {
	l := m.look
	s := l.bold.Render(e.label.Text)
	if e.label.Optional {
		s += l.note.Render(" (" + m.k.words.Optional + ")")
	}
	if e.limit > 0 {
		used := utf8.RuneCountInString(e.area.Value())
		count := strconv.Itoa(used) + "/" + strconv.Itoa(e.limit)
		if used > e.limit {
			s += "  " + l.alert.Render("! "+count)
		} else {
			s += "  " + l.note.Render(count)
		}
	}
	return s
}

func (e *entry) mark(value string) string {
	chosen := slices.Contains(e.chosen, value)
	switch {
	case e.pick.Many && chosen:
		return "[" + tick + "]"
	case e.pick.Many:
		return "[ ]"
	case chosen:
		return "(" + tick + ")"
	}
	return "( )"
}

func (f *formPage) option(m *screen, e *entry, o chat.Option, n int) string {
	style := m.look.plain
	if slices.Contains(e.chosen, o.Value) {
		style = m.look.bold
	}
	if n == f.focus {
		style = m.look.here
	}
	return style.Render(o.Label)
}

// view returns the visible lines of the form, and the terminal's cursor.
func (f *formPage) view(m *screen) ([]string, *tea.Cursor) {
	s, line, column := f.sheet(m)
	lines := f.window.frame(m.look, s, f.form.Title, m.columns(), m.k.words)
	at := s.spots[f.focus]
	if line < 0 {
		line, column = at.first, at.x
		if e := f.stops[f.focus].entry; e >= 0 {
			line = at.last
		}
	}
	if !f.window.shows(s, spot{first: line}) {
		return lines, nil
	}
	return lines, tea.NewCursor(column, f.window.row(s, line))
}
