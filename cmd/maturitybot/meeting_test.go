package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"maturitybot/bot/locale"
	"maturitybot/bot/transcript"
	"maturitybot/survey/matrix"
)

// workshopPeople are the names of 18 people, as many as came to the workshops of the report (lines
// 466 to 470).
const workshopPeople = "adam bea cai dai eira fern gwen huw ines jac kate lowri mair nia owen pip rhys seren"

// TestWholeWorkshop lets 18 people answer the survey and rate all elements of each edition, in each
// language. Five elements are taken over from the survey, and every second of the others is
// recorded as people rate it.
func TestWholeWorkshop(t *testing.T) {
	t.Parallel()
	for _, m := range editions() {
		for _, lang := range m.Languages {
			t.Run(m.ID+" "+string(lang), func(t *testing.T) {
				t.Parallel()
				played := playScript(t, workshopScript(t, m, lang))
				v := voice(lang)
				end := played[strings.LastIndex(played, "< #team"):]
				lines := 0
				for _, e := range m.Elements() {
					if strings.Contains(end, e.Name.In(lang)+": ") {
						lines++
					}
				}
				n := len(m.Elements())
				if want := v.Say("meet.finish", "rated", n, "n", n); lines != n || !strings.Contains(end, want) {
					t.Errorf("%d of %d elements, want %q:\n%s", lines, n, want, end)
				}
				for _, who := range strings.Fields(workshopPeople) {
					if strings.Contains(end, "@"+who) {
						t.Errorf("the post at the end names %s:\n%s", who, end)
					}
				}
			})
		}
	}
}

func voice(lang matrix.Lang) locale.Voice { return sentences().In(string(lang)) }

// workshopScript returns a conversation in which everybody answers the survey and comes to the
// workshop.
func workshopScript(t *testing.T, m *matrix.Matrix, lang matrix.Lang) string {
	t.Helper()
	v := voice(lang)
	say := func(key string) string { return "[" + v.Say(key) + "]" }
	level := func(k int) string { return "[" + m.Levels[k].Short.In(lang) + "]" }
	role := "[v " + m.Roles()[0].Name.In(lang) + "]"
	people := strings.Fields(workshopPeople)
	var s strings.Builder
	line := func(words ...string) { s.WriteString(strings.Join(words, " ") + "\n") }
	line("~ #team has", workshopPeople)
	line("~ ana is an admin")
	line("~ ana's platform speaks", string(lang))
	line("> quietly ana /maturity new")
	line(`> quietly ana sends area="Northshire" closes=2026-12-11 matrix=`+m.ID, `languages="`+string(lang)+`"`)
	line("> quietly ana", say("button.open"))
	line("> quietly ana", say("button.invite"))
	line("> quietly ana sends people=" + strings.Join(people, ","))
	for i, who := range people {
		presses := []string{say("button.start"), say("button.accept"), role, say("button.continue")}
		for k := range m.Elements() {
			chosen := 2
			if k%4 != 0 { // no consensus
				chosen = (i + k) % 4
			}
			presses = append(presses, level(chosen))
		}
		line(append([]string{"> quietly", who + ":"}, append(presses, say("button.submit"))...)...)
	}
	line("> quietly ana /maturity close")
	line("> quietly ana", say("button.close_now"))
	line("> ana in #team /maturity rate")
	line("> ana", say("button.meet_begin"))
	taken := (len(m.Elements()) + 3) / 4
	line(fmt.Sprintf("> ana [%s]", v.Count("button.meet_take", taken)))
	for step := range len(m.Elements()) - taken {
		line("> ana", say("button.meet_next"))
		if step == 0 {
			for i, who := range people {
				line("> quietly", who+":", level(1+i%2), role)
			}
			line("> ana", say("button.meet_show"))
			line("> ana", say("button.meet_again"))
		}
		agree := step%2 == 0
		for i, who := range people {
			chosen := 1
			if !agree {
				chosen = 1 + i%2
			}
			line("> quietly", who+":", level(chosen))
		}
		line("> ana", say("button.meet_show"))
		if agree {
			line("> ana [" + v.Say("button.meet_settle", "level", m.Levels[1].Short.In(lang)) + "]")
			continue
		}
		line("> ana", say("button.meet_record"))
		line(`> ana sends level=1 how=none reason="We could not agree."`)
	}
	line("> ana", say("button.meet_next"))
	line("> ana", say("button.meet_finish"))
	return s.String()
}

// playScript plays a conversation on a bot with an embedded store.
func playScript(t *testing.T, script string) string {
	t.Helper()
	stage, _, done, err := newStage(transcripts, testOptions(editions(), slog.New(slog.DiscardHandler)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := done(); err != nil {
			t.Error(err)
		}
	}()
	played, err := transcript.Play(t.Context(), bytes.NewReader([]byte(script)), stage)
	if err != nil {
		t.Fatalf("%v, after\n%s", err, played)
	}
	return played
}
