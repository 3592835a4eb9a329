package terminal

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"maturitybot/bot/chat"
)

// model is the screen without a terminal, with its start event answered.
func model(t *testing.T, responder chat.Responder, width, height int) *screen {
	t.Helper()
	term := New(strings.NewReader(""), &strings.Builder{}, Options{
		Words: func(context.Context) Words { return english() }, IDs: "e", Done: receipt})
	k := &talk{t: term, responder: responder, me: ben, where: place, words: english(), sink: func(chat.Reply) {}}
	first := start
	first.ID = term.id()
	m := &screen{k: k, ctx: t.Context(), look: newLook(colorprofile.TrueColor), start: first}
	m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	m.Update(m.Init()())
	return m
}

// strike presses a key, and has its command done. It says whether that was to quit.
func strike(m *screen, key tea.Key) (quit bool) {
	_, cmd := m.Update(tea.KeyPressMsg(key))
	if cmd == nil {
		return false
	}
	msg := cmd()
	if _, quit = msg.(tea.QuitMsg); !quit {
		m.Update(msg)
	}
	return quit
}

func write(m *screen, text string) {
	for _, r := range text {
		strike(m, tea.Key{Code: r, Text: string(r)})
	}
}

func seen(m *screen) string { return ansi.Strip(m.View().Content) }

// fits checks that nothing is wider or higher than the window.
func fits(t *testing.T, m *screen, what string) {
	t.Helper()
	v := m.View()
	lines := strings.Split(v.Content, "\n")
	if len(lines) > m.height {
		t.Errorf("%s at %dx%d: %d lines", what, m.width, m.height, len(lines))
	}
	for _, line := range lines {
		if w := ansi.StringWidth(line); w > m.width {
			t.Errorf("%s at %dx%d: a line of %d columns: %q", what, m.width, m.height, w, ansi.Strip(line))
		}
	}
	if c := v.Cursor; c != nil && (c.X < 0 || c.X >= m.width || c.Y < 0 || c.Y >= len(lines)) {
		t.Errorf("%s at %dx%d: the cursor is at %d,%d of %d lines", what, m.width, m.height, c.X, c.Y, len(lines))
	}
}

func TestCardsFitWindow(t *testing.T) {
	long := chat.Card{Blocks: []chat.Block{
		chat.Heading{Text: "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"},
		chat.Text{Spans: []chat.Span{chat.Words("Who: "), chat.Mention{Person: chat.Person{ID: "somebody-with-a-rather-long-identifier"}}, chat.Words("\n日本語のとても長い文章です、幅は二倍です。")}},
		chat.Table{Text: "element              rated  basic\nShared strategy         12      3\n"},
		chat.Buttons{Buttons: []chat.Button{{Label: strings.Repeat("a long label ", 5), Action: chat.NewAction("a")}, {Label: "x", Action: chat.NewAction("b")}}},
	}}
	for _, size := range [][2]int{{20, 10}, {32, 20}, {40, 8}, {40, 20}, {80, 24}, {120, 50}, {32, 3}, {32, 1}} {
		w, h := size[0], size[1]
		bot := &small{whatever: func(chat.Event) []chat.Reply { return []chat.Reply{chat.Update{Card: long}} }}
		m := model(t, bot, w, h)
		for range 12 {
			fits(t, m, "card")
			strike(m, tea.Key{Code: tea.KeyDown})
		}
		m.press(m.pages[0].items[len(m.pages[0].items)-1])
		fits(t, m, "list")
		strike(m, tea.Key{Code: tea.KeyEscape})
		m.Update(m.act(chat.NewAction("detail"), nil)())
		for range 16 {
			fits(t, m, "form")
			m.Update(tea.PasteMsg{Content: "some words that run on "})
			strike(m, tea.Key{Code: tea.KeyTab})
		}
		fits(t, m, "filled form")
		m.form.submit(m)
		fits(t, m, "refused form")
		m.Update(tea.WindowSizeMsg{Width: max(w*3/4, 18), Height: h})
		fits(t, m, "form made narrower")
		m.Update(tea.WindowSizeMsg{Width: w, Height: h})
		m.form.cancel(m)
		m.Update(m.act(chat.NewAction("notice"), nil)())
		fits(t, m, "notice")
		m.Update(m.act(chat.NewAction("review"), nil)())
		m.press(m.pages[0].items[1])
		fits(t, m, "question")
		m.Update(m.act(chat.NewAction("long"), nil)())
		for range 12 {
			fits(t, m, "long card")
			strike(m, tea.Key{Code: tea.KeyPgDown})
		}
	}
}

func TestShownCardFitsNarrowWindow(t *testing.T) {
	s := newLook(colorprofile.ASCII).card((&small{level: "2"}).element(), drawing{width: 32, cursor: -1})
	for _, line := range s.lines {
		if w := ansi.StringWidth(line); w > 32 {
			t.Errorf("a line of %d columns: %q", w, line)
		}
	}
}

func TestHiddenItemsNotPressed(t *testing.T) {
	notice := chat.Card{Blocks: []chat.Block{chat.Heading{Text: "Who sees what"}}}
	for i := range 60 {
		notice.Blocks = append(notice.Blocks, chat.Paragraph(fmt.Sprintf("Paragraph %d.", i)))
	}
	notice.Blocks = append(notice.Blocks, chat.Buttons{Buttons: []chat.Button{{Label: "Accept", Style: chat.Primary, Action: chat.NewAction("accept")}}})
	for name, key := range map[string]tea.Key{"enter": {Code: tea.KeyEnter}, "number": {Code: '1', Text: "1"}} {
		t.Run(name, func(t *testing.T) {
			bot := &small{whatever: func(chat.Event) []chat.Reply { return []chat.Reply{chat.Update{Card: notice}} }}
			m := model(t, bot, 40, 14)
			m.Update(m.act(chat.NewAction("privacy"), nil)())
			if s := seen(m); !strings.Contains(s, "Paragraph 0.") || strings.Contains(s, "Accept") {
				t.Fatalf("a new card is not read from its top:\n%s", s)
			}
			all := ""
			for range 20 {
				before := seen(m)
				all += before
				strike(m, key)
				if said := bot.said(); len(said) > 2 {
					if !strings.Contains(before, "[1 Accept]") {
						t.Fatalf("pressed what was not to be seen:\n%s", before)
					}
					if name == "enter" {
						for i := range 60 {
							if !strings.Contains(all, fmt.Sprintf("Paragraph %d.", i)) {
								t.Errorf("paragraph %d was jumped over", i)
							}
						}
					}
					return
				}
			}
			t.Fatalf("it was never pressed; last:\n%s", seen(m))
		})
	}
}

func TestArrowKeys(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {40, 20}, {32, 12}} {
		m := model(t, &small{}, size[0], size[1])
		p := m.pages[0]
		rows := map[int]bool{}
		for _, at := range m.sheet(p).spots {
			rows[at.first] = true
		}
		visited := []int{p.cursor}
		visit := func(key rune) {
			for range 40 {
				strike(m, tea.Key{Code: key})
				if visited[len(visited)-1] != p.cursor {
					visited = append(visited, p.cursor)
					s := m.sheet(p)
					if at := s.spots[p.cursor]; !p.window.shows(s, at) {
						t.Errorf("at %v item %d is out of sight", size, p.cursor)
					}
				}
			}
		}
		visit(tea.KeyDown)
		if len(visited) != len(rows) {
			t.Errorf("at %v down stopped at %v, want every one of %d lines", size, visited, len(rows))
		}
		if s := seen(m); !strings.Contains(s, "> [▾ All elements]") {
			t.Errorf("at %v the last item is not shown:\n%s", size, s)
		}
		visit(tea.KeyUp)
		if p.cursor != 0 || p.window.offset != 0 {
			t.Errorf("at %v up ended at item %d, line %d, want the top", size, p.cursor, p.window.offset)
		}
		for i := range len(p.items) - 1 {
			strike(m, tea.Key{Code: tea.KeyTab})
			if p.cursor != i+1 {
				t.Errorf("tab went to %d, want %d", p.cursor, i+1)
			}
		}
	}
}

func TestResizeKeepsCursorVisible(t *testing.T) {
	m := model(t, &small{}, 80, 30)
	strike(m, tea.Key{Code: 'G', Text: "G"})
	for _, size := range [][2]int{{40, 12}, {32, 10}, {100, 40}, {36, 9}} {
		m.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		fits(t, m, "resized")
		if s := seen(m); !strings.Contains(s, "> [▾ All elements]") {
			t.Errorf("at %v the cursor is out of sight:\n%s", size, s)
		}
	}
}

func TestScrollPositionAfterUpdate(t *testing.T) {
	m := model(t, &small{}, 40, 20)
	write(m, "1")
	if s := seen(m); !strings.Contains(s, "[9 Next ›]") || !strings.Contains(s, "· Commissioning") {
		t.Errorf("after an answer the way on and the title should be seen:\n%s", s)
	}
	bot := &small{level: "1"}
	m = model(t, bot, 40, 20)
	if s := seen(m); !strings.Contains(s, "> 1 ✓ Basic") || !strings.Contains(s, "How well are money") {
		t.Errorf("a card come back to should begin at its top, on what was chosen:\n%s", s)
	}
}

func TestCtrlCWaitsForAnswer(t *testing.T) {
	bot := &small{}
	m := model(t, bot, 80, 24)
	_, answer := m.Update(tea.KeyPressMsg{Code: '2', Text: "2"})
	if !strings.Contains(seen(m), "One moment …") {
		t.Error("nothing says that the terminal waits for an answer")
	}
	for _, key := range []tea.KeyPressMsg{{Code: '3', Text: "3"}, {Code: 'c', Mod: tea.ModCtrl}} {
		// The 3 was meant for a card that is about to change.
		if _, cmd := m.Update(key); cmd != nil {
			t.Fatalf("%s did something before the answer was there", key)
		}
	}
	if _, cmd := m.Update(answer()); cmd == nil || cmd() != (tea.QuitMsg{}) {
		t.Error("Ctrl-C did not leave after the answer")
	}
	if got := bot.said(); !slices.Equal(got, []string{"e1 0 start", "e2 1 answer:2"}) {
		t.Errorf("the bot received %q", got)
	}
}

func TestLongTextIsNotCut(t *testing.T) {
	m := model(t, &small{}, 60, 40)
	write(m, "8")
	strike(m, tea.Key{Code: tea.KeyTab})
	pasted := strings.Repeat("line\n", 150)
	m.Update(tea.PasteMsg{Content: pasted})
	if got := m.form.entries[1].area.Value(); got != pasted {
		t.Errorf("a paste of %d characters became %d", len(pasted), len(got))
	}
	strike(m, tea.Key{Code: tea.KeyEnter})
	write(m, "end")
	if got := m.form.entries[1].area.Value(); !strings.HasSuffix(got, "line\n\nend") {
		t.Errorf("the text below the paste ends %q", got[len(got)-9:])
	}
	strike(m, tea.Key{Code: tea.KeyTab})
	m.Update(tea.PasteMsg{Content: "two\nlines\x1b[31m and \x07bell\n"})
	if got := m.form.entries[2].area.Value(); got != "two lines and bell" {
		t.Errorf("a paste into one line became %q", got)
	}
	if s := seen(m); !strings.Contains(s, "! 18/10") {
		t.Errorf("the counter does not say that it is too much:\n%s", s)
	}
}

// TestColourContrast computes contrasts as WCAG 2.2 does, on black and on white.
func TestColourContrast(t *testing.T) {
	for _, name := range []string{green, red, grey} {
		r, g, b, _ := ansi.IndexedColor(number(t, name)).RGBA()
		linear := func(v uint32) float64 {
			c := float64(v) / 0xffff
			if c <= 0.04045 {
				return c / 12.92
			}
			return math.Pow((c+0.055)/1.055, 2.4)
		}
		l := 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
		if onBlack, onWhite := (l+0.05)/0.05, 1.05/(l+0.05); onBlack < 4.5 || onWhite < 4.5 {
			t.Errorf("colour %s: %.2f on black, %.2f on white, want 4.5", name, onBlack, onWhite)
		}
	}
	if lipgloss.Color(green) != ansi.IndexedColor(number(t, green)) {
		t.Error("the palette that was checked is not the one that is drawn with")
	}
}

func number(t *testing.T, s string) uint8 {
	t.Helper()
	var n uint8
	if _, err := fmt.Sscan(s, &n); err != nil {
		t.Fatal(err)
	}
	return n
}
