package terminal

import (
	"context"
	"fmt"
	"sync"

	tea "charm.land/bubbletea/v2"

	"maturitybot/bot/chat"
)

// runScreen runs the conversation on the terminal's alternate screen. On the main screen it leaves
// only the card that ended the conversation.
func (k *talk) runScreen(ctx context.Context, start chat.Event) error {
	asked, cancel := context.WithCancel(ctx)
	defer cancel()
	m := &screen{
		k:      k,
		ctx:    asked,
		look:   newLook(k.t.profile),
		width:  Columns,
		height: 24,
		start:  start,
	}
	program := tea.NewProgram(m,
		tea.WithInput(k.t.file),
		tea.WithOutput(k.t.out),
		tea.WithEnvironment(k.t.options.Environ),
		tea.WithColorProfile(k.t.profile),
		tea.WithoutSignalHandler(),
	)
	// tea.WithContext would kill the program, and its reader would keep reading input for a while.
	stop := context.AfterFunc(ctx, program.Quit)
	_, err := program.Run()
	stop()
	cancel()
	m.asking.Wait()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("converse: %w", context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("draw the screen: %w", err)
	case m.err != nil:
		return m.err
	case k.done:
		return k.t.Show(k.card())
	}
	return nil
}

// screen is the bubbletea model: a stack of pages, and a form on top of them.
type screen struct {
	k             *talk
	ctx           context.Context // of the program; bubbletea passes none to a model's methods
	look          look
	width, height int
	start         chat.Event
	asking        sync.WaitGroup
	pages         []*page
	form          *formPage
	busy          bool // waiting for the responder; keys pressed now were meant for the last card
	leaving       bool // quit when the responder has answered
	err           error
}

// page is a card with a cursor.
type page struct {
	card    chat.Card
	items   []item
	notices []chat.Card
	cursor  int
	window  window
	help    string
	press   func(item int) tea.Cmd
}

type answered struct{ answer answer }

// Init implements tea.Model: it sends the start event.
func (m *screen) Init() tea.Cmd { return m.send(m.start) }

// send asks the responder in its own goroutine, because bubbletea may drop a command, and does not
// wait for it at the end.
func (m *screen) send(event chat.Event) tea.Cmd {
	m.busy = true
	got := make(chan answer, 1)
	m.asking.Go(func() { got <- m.k.ask(m.ctx, event) })
	return func() tea.Msg { return answered{<-got} }
}

func (m *screen) fail(err error) tea.Cmd {
	m.err = err
	return tea.Quit
}

// Update implements tea.Model: it handles one message, and returns what to do next.
func (m *screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.resize(msg.Width, msg.Height)
	case answered:
		m.busy = false
		m.k.apply(msg.answer)
		m.arrange()
		if m.leaving {
			return m, tea.Quit
		}
	case tea.KeyPressMsg:
		return m, m.key(msg)
	case tea.PasteMsg:
		if m.form != nil && !m.busy {
			m.form.write(m, msg)
		}
	}
	return m, nil
}

func (m *screen) key(msg tea.KeyPressMsg) tea.Cmd {
	switch key := msg.String(); {
	case key == "ctrl+z":
		return tea.Suspend
	case key == "ctrl+c" && m.busy && !m.leaving:
		// The last input is still being saved. A second Ctrl-C cancels that.
		m.leaving = true
		return nil
	case key == "ctrl+c":
		return tea.Quit
	case m.busy:
		return nil
	case m.form != nil:
		return m.form.key(m, msg)
	case len(m.pages) > 0:
		return m.pages[len(m.pages)-1].key(m, key)
	}
	return nil
}

// columns is the width that text may have.
func (m *screen) columns() int { return max(min(m.width, m.k.t.options.Width), 12) }

// textHeight is the height that is left above the help line.
func (m *screen) textHeight(help string) int {
	if lines := footer(m.look, help, m.columns(), m.height); lines != nil {
		return m.height - len(lines) - 1
	}
	return m.height
}

func (m *screen) resize(width, height int) {
	seen := make([]bool, len(m.pages))
	for i, p := range m.pages {
		s := m.sheet(p)
		seen[i] = p.window.shows(s, s.spots[p.cursor])
	}
	m.width, m.height = width, height
	for i, p := range m.pages {
		s := m.sheet(p)
		p.window.scroll(s, 0)
		if seen[i] {
			p.scrollToCursor(s)
		}
	}
	if m.form != nil {
		m.form.bring(m)
	}
}

// arrange makes pages of what the conversation has at hand.
func (m *screen) arrange() {
	k := m.k
	switch {
	case k.form == nil:
		m.form = nil
	case m.form != nil && k.refusals != nil:
		m.form.refuse(m, k.refusals)
	default:
		m.form = newFormPage(m, *k.form)
	}
	if !k.changed && len(m.pages) > 0 {
		m.pages = m.pages[:1]
		if len(k.cards) > 0 {
			p := m.pages[0]
			p.notices, p.help = k.notices, k.words.HelpCard
			if len(k.notices) > 0 {
				p.window.offset = 0
			}
			return
		}
	}
	m.pages = []*page{m.base()}
}

// base is the page of the card at hand, with a way on where the card itself has none.
func (m *screen) base() *page {
	k := m.k
	p := &page{notices: k.notices, help: k.words.HelpCard}
	var card chat.Card
	if len(k.cards) > 0 {
		card = k.card()
	}
	own, act := "", func() tea.Cmd { return tea.Quit }
	switch {
	case k.done:
		own = k.words.GoOn
	case len(k.cards) > 1:
		own, act = k.words.Earlier, func() tea.Cmd {
			k.back()
			m.pages = []*page{m.base()}
			return nil
		}
	case len(items(card)) == 0:
		own = k.words.Leave
	}
	p.card = card
	if own != "" {
		blocks := append([]chat.Block{}, card.Blocks...)
		p.card = chat.Card{Blocks: append(blocks, chat.Buttons{Buttons: []chat.Button{{Label: own}}})}
	}
	p.items = items(p.card)
	p.press = func(n int) tea.Cmd {
		if own != "" && n == len(p.items)-1 {
			return act()
		}
		return m.press(p.items[n])
	}
	var chosen int
	p.cursor, chosen = begin(p.items)
	s := m.sheet(p)
	switch title := heading(card); {
	case p.window.shows(s, s.spots[p.cursor]):
	case title != "" && title == k.previousTitle && len(k.notices) == 0 && !k.underneath:
		// The same card after an answer: on to what comes next. A new one is read from its top.
		p.scrollToCursor(s)
	case chosen >= 0 && p.window.shows(s, s.spots[chosen]):
		p.cursor = chosen
	}
	return p
}

// press runs an item of the current card. If the item is a menu or asks for confirmation, a page on
// top of the card asks first.
func (m *screen) press(it item) tea.Cmd {
	if it.menu != nil {
		m.push(listCard(*it.menu), 0, func(n int) tea.Cmd {
			return m.act(it.menu.Action, map[string][]string{chat.Picked: {it.menu.Options[n].Value}})
		})
		return nil
	}
	if c := it.button.Confirm; c != nil {
		card := confirmCard(*it.button)
		// The cursor starts on No, because the action cannot be undone.
		m.push(card, 1, func(n int) tea.Cmd {
			if n == 1 {
				m.pages = m.pages[:1]
				return nil
			}
			return m.act(it.button.Action, nil)
		})
		return nil
	}
	return m.act(it.button.Action, nil)
}

func (m *screen) act(action chat.Action, values map[string][]string) tea.Cmd {
	m.pages = m.pages[:1]
	event, err := m.k.event(chat.Press, action, values)
	if err != nil {
		return m.fail(err)
	}
	return m.send(event)
}

func (m *screen) push(card chat.Card, cursor int, press func(int) tea.Cmd) {
	p := &page{card: card, items: items(card), cursor: cursor, help: m.k.words.HelpPick, press: press}
	m.pages = append(m.pages, p)
	p.scrollToCursor(m.sheet(p))
}

// listCard returns a card with the options of a menu.
func listCard(menu chat.Menu) chat.Card {
	card := chat.Card{Blocks: []chat.Block{chat.Heading{Text: menu.Placeholder}}}
	for _, o := range menu.Options {
		card.Blocks = append(card.Blocks, chat.Choice{
			Title:  o.Label,
			Button: chat.Button{Label: o.Label},
		})
	}
	return card
}

// confirmCard returns a card that asks for confirmation: yes, then no.
func confirmCard(b chat.Button) chat.Card {
	card := chat.Card{Blocks: []chat.Block{chat.Heading{Text: b.Confirm.Title}}}
	if b.Confirm.Text != "" {
		card.Blocks = append(card.Blocks, chat.Paragraph(b.Confirm.Text))
	}
	card.Blocks = append(card.Blocks, chat.Buttons{Buttons: []chat.Button{
		{Label: b.Confirm.Yes, Style: b.Style},
		{Label: b.Confirm.No},
	}})
	return card
}

// sheet draws a page, with empty lines between blocks if there is room.
func (m *screen) sheet(p *page) sheet {
	p.window.height = m.textHeight(p.help)
	s := m.draw(p, true)
	if len(s.lines) > p.window.height {
		s = m.draw(p, false)
	}
	return s
}

func (m *screen) draw(p *page, airy bool) sheet {
	width := m.columns()
	var s sheet
	for _, notice := range p.notices {
		for _, line := range m.look.card(notice, drawing{width: width - 2, cursor: -1}).lines {
			s.lines = append(s.lines, m.look.accent.Render("┃")+" "+line)
		}
		s.lines = append(s.lines, "")
	}
	below := m.look.card(p.card, drawing{width: width, cursor: p.cursor, live: true, airy: airy})
	for _, at := range below.spots {
		s.spots = append(s.spots, spot{at.first + len(s.lines), at.last + len(s.lines), at.x})
	}
	s.lines = append(s.lines, below.lines...)
	return s
}

// scrollToCursor scrolls until the item at the cursor is in view.
func (p *page) scrollToCursor(s sheet) {
	for before := -1; before != p.window.offset; {
		before = p.window.offset
		p.window.reveal(s, s.spots[p.cursor])
	}
}

func (p *page) key(m *screen, key string) tea.Cmd {
	s := m.sheet(p)
	at := s.spots[p.cursor]
	switch key {
	case "q", "esc":
		if len(m.pages) > 1 {
			m.pages = m.pages[:1]
			return nil
		}
		return tea.Quit
	case "enter", "space":
		// An item out of view is shown first; the user must see what is pressed.
		if !p.window.shows(s, at) {
			p.window.reveal(s, at)
			return nil
		}
		return p.press(p.cursor)
	case "down", "j":
		p.vertical(s, 1)
	case "up", "k":
		p.vertical(s, -1)
	case "right", "l", "tab":
		p.move(s, min(p.cursor+1, len(s.spots)-1))
	case "left", "h", "shift+tab":
		p.move(s, max(p.cursor-1, 0))
	case "pgdown", "ctrl+f":
		p.page(s, 1)
	case "pgup", "ctrl+b":
		p.page(s, -1)
	case "home", "g":
		p.cursor, p.window.offset = 0, 0
	case "end", "G":
		p.cursor = len(s.spots) - 1
		p.window.scroll(s, len(s.lines))
	default:
		if len(key) != 1 || key[0] < '1' || key[0] > '9' || int(key[0]-'1') >= len(s.spots) {
			return nil
		}
		p.cursor = int(key[0] - '1')
		if !p.window.shows(s, s.spots[p.cursor]) {
			p.scrollToCursor(s)
			return nil
		}
		return p.press(p.cursor)
	}
	return nil
}

func (p *page) move(s sheet, to int) {
	p.cursor = to
	p.window.reveal(s, s.spots[to])
}

// vertical moves to the nearest item of the next line that has one. If that is out of view, it
// scrolls instead.
func (p *page) vertical(s sheet, way int) {
	at, rows := s.spots[p.cursor], p.window.rows(s)
	if !p.window.shows(s, at) {
		if below := at.first >= p.window.offset+rows; below == (way > 0) {
			p.window.reveal(s, at)
		} else {
			p.window.scroll(s, way)
		}
		return
	}
	best, far := -1, func(i int) int { return abs(s.spots[i].x - at.x) }
	for i, other := range s.spots {
		if (other.first-at.first)*way <= 0 {
			continue
		}
		nearer := best < 0 || (s.spots[best].first-other.first)*way > 0
		if nearer || other.first == s.spots[best].first && far(i) < far(best) {
			best = i
		}
	}
	if best < 0 {
		p.window.scroll(s, way*max(rows-1, 1))
		return
	}
	p.move(s, best)
}

func abs(n int) int { return max(n, -n) }

// page scrolls by one window, and takes the cursor along.
func (p *page) page(s sheet, way int) {
	rows := p.window.rows(s)
	p.window.scroll(s, way*max(rows-1, 1))
	if p.window.shows(s, s.spots[p.cursor]) {
		return
	}
	for i := range s.spots {
		if way < 0 {
			i = len(s.spots) - 1 - i
		}
		if p.window.shows(s, s.spots[i]) {
			p.cursor = i
			return
		}
	}
}

// View is bubbletea's: what the screen looks like now.
func (m *screen) View() tea.View {
	var lines []string
	var cursor *tea.Cursor
	help := ""
	switch {
	case m.form != nil:
		lines, cursor = m.form.view(m)
		help = m.k.words.HelpForm
	case len(m.pages) > 0:
		p := m.pages[len(m.pages)-1]
		s := m.sheet(p)
		lines = p.window.frame(m.look, s, heading(p.card), m.columns(), m.k.words)
		if at := s.spots[p.cursor]; p.window.shows(s, at) {
			// The terminal's own cursor stands where the pointer is, for screen readers and magnifiers.
			cursor = tea.NewCursor(at.x, p.window.row(s, at.first))
		}
		help = p.help
	}
	foot := footer(m.look, help, m.columns(), m.height)
	if m.busy {
		foot = footer(m.look, m.k.words.Working, m.columns(), m.height)
	}
	if foot != nil {
		lines = append(append(append([]string{}, lines...), ""), foot...)
	}
	v := tea.NewView(join(lines))
	v.AltScreen = true
	if cursor != nil {
		cursor.Blink = false
		v.Cursor = cursor
	}
	return v
}
