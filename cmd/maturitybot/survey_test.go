package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	discordfake "maturitybot/adapters/discord/fake"
	slackfake "maturitybot/adapters/slack/fake"
	"maturitybot/adapters/terminal"
	"maturitybot/bot/chat"
	"maturitybot/bot/transcript"
	"maturitybot/survey"
)

// TestTaps counts the taps from Start to the receipt in the journey: one a question and six more.
// Documents that name the number name this one.
func TestTaps(t *testing.T) {
	t.Parallel()
	journey, err := os.ReadFile(filepath.Join(transcripts, "journey-england.chat"))
	if err != nil {
		t.Fatal(err)
	}
	shortest := regexp.MustCompile(`(?m)^> quietly cem: (\[Start\].*\[Submit\])$`).FindSubmatch(journey)
	if shortest == nil {
		t.Fatal("nobody in the journey goes from Start to Submit without a detour")
	}
	taps := 0
	for _, m := range regexp.MustCompile(`\[([^\]]+)\]`).FindAllSubmatch(shortest[1], -1) {
		taps++
		if bytes.HasPrefix(m[1], []byte("v ")) {
			taps++ // a menu is opened first
		}
	}
	if want := 17 + 6; taps != want {
		t.Errorf("%d taps from Start to the receipt, want %d", taps, want)
	}
	named := 0
	for _, page := range []string{
		"README.md", "docs/accessibility.md", "docs/taking-part.md", "docs/cymryd-rhan.md",
	} {
		text, err := os.ReadFile(filepath.Join("../..", page))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(\d+) (?:taps|o weithiau)`).FindAllSubmatch(text, -1) {
			named++
			if string(m[1]) != strconv.Itoa(taps) {
				t.Errorf("%s says %q; it takes %d", page, m[0], taps)
			}
		}
	}
	if named == 0 {
		t.Error("no page says how many taps it takes")
	}
}

// TestReadingTime counts the words that a person meets from Start to the receipt, and compares the
// time that the invitation names with the time it takes to read them at 200 to 240 words a minute.
func TestReadingTime(t *testing.T) {
	t.Parallel()
	for _, m := range editions() {
		for _, lang := range m.Languages {
			t.Run(m.ID+"/"+string(lang), func(t *testing.T) {
				t.Parallel()
				v := sentences().In(string(lang))
				script := fmt.Sprintf("~ #team has ben\n~ ana is an admin\n> quietly ana /maturity new\n"+
					"> quietly ana sends area=Northshire matrix=%s languages=%s closes=2026-12-11\n"+
					"> quietly ana [Open the survey]\n> quietly ana [Invite people]\n> ana sends people=ben\n", m.ID, lang)
				presses := []string{v.Say("button.start"), v.Say("button.accept"), "v " + m.Roles()[0].Name.In(lang), v.Say("button.continue")}
				for range m.Elements() {
					presses = append(presses, m.Levels[0].Short.In(lang))
				}
				for _, label := range append(presses, v.Say("button.submit")) {
					script += "> ben [" + label + "]\n"
				}
				scene, _, done, err := newStage(transcripts,
					testOptions(editions(), slog.New(slog.DiscardHandler)), nil)
				if err != nil {
					t.Fatal(err)
				}
				played, err := transcript.Play(t.Context(), strings.NewReader(script), scene)
				if err != nil {
					t.Fatalf("%v\n%s", err, last(played, 30))
				}
				if err := done(); err != nil {
					t.Fatal(err)
				}
				read, known := 0, map[string]bool{}
				digits := regexp.MustCompile(`\d+`)
				for line := range strings.Lines(played[strings.Index(played, "> ben ["):]) {
					// What comes again, if with another number, is not read again, and a menu is looked
					// through.
					same := digits.ReplaceAllString(line, "#")
					if !strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "    [v ") || known[same] {
						continue
					}
					known[same] = true
					for _, word := range strings.Fields(line) {
						if strings.ContainsFunc(word, unicode.IsLetter) {
							read++
						}
					}
				}
				said := regexp.MustCompile(`17[^\d]+(\d+) (?:to|i) (\d+) (?:minutes|munud)`).FindStringSubmatch(played)
				if said == nil {
					t.Fatal("the invitation does not say how long it takes")
				}
				t.Logf("%d words; the invitation says %s to %s minutes", read, said[1], said[2])
				for path, to := range map[string]string{
					"docs/taking-part.md": " to ", "docs/cymryd-rhan.md": " i ",
				} {
					page, err := os.ReadFile(filepath.Join("../..", path))
					if err != nil {
						t.Fatal(err)
					}
					if !strings.Contains(string(page), said[1]+to+said[2]) {
						t.Errorf("%s does not say %s to %s minutes", path, said[1], said[2])
					}
				}
				for i, pace := range []float64{240, 200} {
					minutes, _ := strconv.ParseFloat(said[1+i], 64)
					if took := float64(read) / pace; math.Abs(minutes-took) > 1 {
						t.Errorf("the invitation says %s minutes; %d words at %v a minute take %.1f", said[1+i], read, pace, took)
					}
				}
			})
		}
	}
}

// stepping is a clock that goes on by the next of its steps each time it is asked.
func stepping(steps ...time.Duration) func() time.Time {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	return func() time.Time {
		if len(steps) > 0 {
			at, steps = at.Add(steps[0]), steps[1:]
		}
		return at
	}
}

// TestDoubleTapInTheTerminal: Enter pressed twice answers one question. Transcripts show the same
// on Slack and Discord.
func TestDoubleTapInTheTerminal(t *testing.T) {
	t.Parallel()
	b, round, ben := open(t, editions(), "en", "cy")
	person := survey.PersonID(ben.String())
	if _, err := b.rounds.For(person).SetRole(t.Context(), round, survey.Unstated); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := &trial{embeddedBot: b, round: round, voice: b.words.In("en")}
	screen := terminal.New(strings.NewReader("Early\nEarly\nMature\nq\n"), &out, terminal.Options{
		Words: w.terminalWords, Now: stepping(0, 400*time.Millisecond, 3*time.Second),
	})
	start := chat.Event{Kind: chat.Press, Who: ben, Where: chat.Place{Platform: tryPlatform, Channel: "@ben"}, Locale: "en", Action: chat.NewAction("go", string(round))}
	if err := screen.Converse(t.Context(), b.bot, start); err != nil {
		t.Fatal(err)
	}
	_, resp, err := b.rounds.For(person).Response(t.Context(), round)
	if err != nil {
		t.Fatal(err)
	}
	elements := b.matrices[0].Elements()
	if resp.Rated() != 2 || resp.Answers[elements[0].ID].Rating != 2 || resp.Answers[elements[1].ID].Rating != 4 {
		t.Errorf("the answers are %v", resp.Answers)
	}
	if n := strings.Count(strings.Join(strings.Fields(out.String()), " "), b.words.In("en").Say("saved.too_soon")); n != 1 {
		t.Errorf("the terminal says %d times that a press came too quickly:\n%s", n, out.String())
	}
}

// held is a responder whose reply to one verb is held back until it is released.
type held struct {
	chat.Responder
	verb    string
	handled chan struct{} // closed once there is a reply
	release chan struct{}
}

func (h *held) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	replies := h.Responder.Handle(ctx, e)
	if e.Action.Verb == h.verb {
		close(h.handled)
		<-h.release
	}
	return replies
}

// TestOlderCardDoesNotReplaceNewer: one process draws a question as it is saved, and its reply is held
// back; meanwhile another process saves an answer to it. When the first reply arrives after all,
// the card must not stay at "not answered yet".
func TestOlderCardDoesNotReplaceNewer(t *testing.T) {
	for name, platform := range map[string]fakePlatform{
		"slack":   onSlack{Server: slackfake.New(t)},
		"discord": onDiscord{Server: discordfake.New(t)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, round, _ := open(t, editions(), "en")
			ben := platform.person("ben")
			platform.know(actor{id: ben.ID, name: "ben"}, false)
			id := survey.PersonID(ben.String())
			_, _, err := b.rounds.As(survey.PersonID(tryPerson("ana").String())).Invite(t.Context(), round, []survey.Member{{Person: id}})
			if err == nil {
				_, err = b.rounds.For(id).Start(t.Context(), round)
			}
			if err == nil {
				_, err = b.rounds.For(id).SetRole(t.Context(), round, survey.Unstated)
			}
			if err != nil {
				t.Fatal(err)
			}
			slow := &held{Responder: b.bot, verb: "at", handled: make(chan struct{}), release: make(chan struct{})}
			quiet := slog.New(slog.DiscardHandler)
			serve := func(r chat.Responder) {
				_, stop := platform.connect(t, r, quiet)
				t.Cleanup(stop)
			}
			card := func() (message, string) {
				all := platform.messages(nil, []string{ben.ID})
				if len(all) == 0 {
					return message{}, ""
				}
				newest := all[len(all)-1]
				shown, err := platform.card(newest)
				if err != nil {
					t.Error(err)
				}
				return newest, shown.String()
			}
			press := func(words ...string) {
				on, _ := card()
				if ack := platform.press(ben.ID, on, true, strings.Join(words, ":"), ""); ack.why != "" {
					t.Errorf("%v: %s", words, ack.why)
				}
			}
			shows := func(what string) bool {
				return platform.until(func() bool { _, shown := card(); return strings.Contains(shown, what) })
			}
			first, second := b.matrices[0].Elements()[0].ID, b.matrices[0].Elements()[1].ID

			serve(slow)
			platform.command(ben.ID, platform.private("ben").Channel, []string{"home"})
			if !shows("Your surveys") {
				t.Fatal("there is no card to press")
			}
			press("me", string(round))
			if !shows("About you") {
				t.Fatal("the card does not change")
			}
			pressed := make(chan struct{})
			go func() {
				defer close(pressed)
				press("at", string(round), second)
			}()
			<-slow.handled
			serve(b.newBot(noMessenger{}, b.bot.Now, quiet)) // another process on the same store
			press("answer", string(round), second, "2")
			if !shows("Saved: Early progress") {
				_, shown := card()
				t.Fatalf("the second process does not show what it saved:\n%s", shown)
			}
			close(slow.release)
			<-pressed
			if !shows("2 of 17 · saved") {
				_, shown := card()
				t.Errorf("the answer to %s after %s is saved, and the card stays at\n%s", second, first, shown)
			}
		})
	}
}
