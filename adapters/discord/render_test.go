package discord

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"maturitybot/adapters/discord/discordschema"
	"maturitybot/bot/chat"
)

var update = flag.Bool("update", false, "write testdata/sent anew")

// valid fails the test if Discord would refuse the body.
func valid(t *testing.T, what string, v any) {
	t.Helper()
	b, err := encode(v)
	if err != nil {
		t.Fatal(err)
	}
	err = discordschema.Validate(what, b)
	if errors.Is(err, discordschema.ErrMissing) {
		t.Logf("not held against the schema: %v", err)
		return
	}
	if err != nil {
		t.Errorf("Discord would refuse it: %v", err)
	}
}

// golden compares a body with testdata/sent.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "sent", name+".json")
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s is not what is sent now:\n%s", file, b.String())
	}
}

const round = "abcdefghij"

func press(label string, words ...string) chat.Button {
	return chat.Button{Label: label, Action: chat.NewAction(words[0], words[1:]...)}
}

func primary(b chat.Button) chat.Button { b.Style = chat.Primary; return b }

func elementCard() chat.Card {
	choice := func(rating, short, title, text string, chosen bool) chat.Choice {
		b := press(short, "answer", round, "commissioning", rating)
		b.Chosen = chosen
		if chosen {
			b.Style = chat.Primary
		}
		return chat.Choice{Title: title, Text: text, Button: b}
	}
	return chat.Card{Blocks: []chat.Block{
		chat.Note{Spans: []chat.Span{chat.Words("Northshire · "), chat.Bold("Plan"), chat.Words(" · 3 of 17 · saved "), chat.Meter{Done: 3, Total: 17}}},
		chat.Heading{Text: "Commissioning and resources"},
		chat.Paragraph("How well are money, people and services, across all partners, known and pointed at the shared plan?"),
		chat.Footnote("Think of what all partners spend together, not of your own budget."),
		choice("1", "Basic", "Basic", "Partners agree that money and staff should follow the shared plan, but nobody has yet added up who spends what.", false),
		choice("2", "Early", "Early progress", "One or two partners have listed their budgets and services for families with young children; the lists are not joined up.", true),
		choice("3", "Substantial", "Substantial progress", "All main partners share one picture of spending and services, and have moved something because of it.", false),
		choice("4", "Mature", "Mature", "The shared picture is kept up to date and steers every partner's budget; others come to learn how it is done.", false),
		chat.Buttons{Buttons: []chat.Button{press("Don't know", "answer", round, "commissioning", "dk"), press("Not applicable to me", "answer", round, "commissioning", "na")}},
		chat.Divider{},
		chat.Buttons{Buttons: []chat.Button{press("‹ Back", "at", round, "strategy"), press("Add detail", "detail", round, "commissioning", "0", "england", "en"), primary(press("Next ›", "at", round, "workforce"))}},
		chat.Buttons{Buttons: []chat.Button{press("All questions", "list", round), press("What is kept", "kept", round), press("Cymraeg", "lang", round, "cy", "at", "commissioning")}},
	}}
}

func keptCard() chat.Card {
	erase := press("Withdraw and erase", "erase", round)
	erase.Style = chat.Danger
	erase.Confirm = &chat.Confirm{Title: "Erase everything?", Text: "Everything you said about Northshire is erased and cannot be brought back.", Yes: "Erase everything", No: "Keep it"}
	return chat.Card{Blocks: []chat.Block{
		chat.Heading{Text: "What is kept: Northshire"},
		chat.Paragraph("To pause, just stop. I find the place again."),
		chat.Text{Spans: []chat.Span{chat.Bold("Who takes part"), chat.Words("\nRole: Health visitor\nOrganisation: –")}},
		chat.Buttons{Buttons: []chat.Button{primary(press("Continue", "go", round)), press("Privacy notice", "notice", round), erase}},
	}}
}

func meCard() chat.Card {
	return chat.Card{Blocks: []chat.Block{
		chat.Footnote("Northshire"), chat.Heading{Text: "About you"}, chat.Paragraph("What is your role?"),
		chat.Menu{Action: chat.NewAction("role", round), Placeholder: "Choose your role", Options: []chat.Option{{Value: "hv", Label: "Health visitor"}, {Value: "mw", Label: "Midwife"}}},
		chat.Text{Spans: []chat.Span{chat.Words("Chosen: "), chat.Bold("Midwife")}},
	}}
}

func postCard() chat.Card {
	return chat.Card{Blocks: []chat.Block{
		chat.Heading{Text: "Results: Northshire"},
		chat.Text{Spans: []chat.Span{chat.Mention{Person: person("80351110224678912")}, chat.Words(" closed the survey. 24 of 34 finished (71 %).")}},
		chat.Table{Text: "Element           n  Most common\nCommissioning    24  Early\n"},
		chat.Buttons{Buttons: []chat.Button{press("Export", "export", round, "en")}},
	}}
}

func files() []chat.File {
	return []chat.File{
		{Name: "results.png", Type: "image/png", Alt: "Stacked bars, one an element.", Data: []byte("png")},
		{Name: "results north.xlsx", Type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Data: []byte("x")},
		{Name: "results.png", Type: "image/png", Alt: "Another.", Data: []byte("png")},
	}
}

func TestCards(t *testing.T) {
	for name, c := range map[string]struct {
		card      chat.Card
		whispered bool
		files     []chat.File
	}{
		"element": {elementCard(), true, nil}, "kept": {keptCard(), true, nil}, "me": {meCard(), true, nil}, "results": {postCard(), false, files()},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.card.Check(); err != nil {
				t.Fatal(err)
			}
			m, err := message(c.card, c.whispered, c.files)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, m)
			if c.whispered {
				valid(t, discordschema.Response, messageResponse(m))
				valid(t, discordschema.Followup, m)
			} else {
				valid(t, discordschema.Message, m)
			}
			still, err := message(c.card, false, c.files)
			if err != nil {
				t.Fatal(err)
			}
			valid(t, discordschema.Response, updateResponse(still))
			valid(t, discordschema.EditOriginal, still)
			valid(t, discordschema.Edit, still)
			still.Nonce, still.EnforceNonce = strings.Repeat("n", 25), true
			valid(t, discordschema.Message, still)
		})
	}
}

func roundForm() chat.Form {
	return chat.Form{
		Title: "A round of self-assess.", Intro: "You can change all of it until the survey opens.", Submit: "Continue", Cancel: "Cancel", Action: chat.NewAction("create", "en"),
		Fields: []chat.Field{
			chat.Input{Label: chat.Label{ID: "area", Text: "Local area", Hint: "As people there call it, at most 60 characters"}, Value: "Northshire", Max: 60},
			chat.Select{Label: chat.Label{ID: "matrix", Text: "Edition"}, Options: []chat.Option{{Value: "england", Label: "England"}, {Value: "wales", Label: "Wales"}}, Chosen: []string{"wales"}},
			chat.Date{Label: chat.Label{ID: "closes", Text: "Closes on"}, Value: "2026-12-11"},
			chat.TimeOfDay{Label: chat.Label{ID: "closes_time", Text: "Closes at", Optional: true}, Value: "17:00"},
		},
	}
}

func inviteForm() chat.Form {
	return chat.Form{
		Title: "Invite people", Submit: "Invite", Cancel: "Cancel", Action: chat.NewAction("sendinvite", round, "en"),
		Fields: []chat.Field{
			chat.People{Label: chat.Label{ID: "people", Text: "People"}},
			chat.Select{Label: chat.Label{ID: "information", Text: "Information held", Optional: true}, Many: true, Chosen: []string{"a", "b"}, Options: []chat.Option{{Value: "a", Label: "Audit"}, {Value: "b", Label: "Plan"}, {Value: "c", Label: "Data"}}},
			chat.Channel{Label: chat.Label{ID: "channel", Text: "Everybody in a channel", Optional: true}},
			chat.Input{Label: chat.Label{ID: "list", Text: "A list", Hint: "One a line", Optional: true}, Max: chat.MaxFieldText, Lines: true},
			chat.TimeOfDay{Label: chat.Label{ID: "at", Text: "At", Optional: true}},
		},
	}
}

func TestForms(t *testing.T) {
	for name, f := range map[string]chat.Form{"round": roundForm(), "invite": inviteForm()} {
		t.Run(name, func(t *testing.T) {
			if err := f.Check(); err != nil {
				t.Fatal(err)
			}
			d, err := modal(f)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "form-"+name, d)
			valid(t, discordschema.Modal, d)
			valid(t, discordschema.Response, modalResponse(d))
		})
	}
}

func TestFormsOverLimits(t *testing.T) {
	form := func(change func(*chat.Form)) chat.Form {
		f := inviteForm()
		change(&f)
		return f
	}
	for want, f := range map[string]chat.Form{
		"6 fields": form(func(f *chat.Form) {
			f.Fields = append(f.Fields, chat.Date{Label: chat.Label{ID: "more", Text: "More"}})
		}),
		"0 fields":      form(func(f *chat.Form) { f.Fields = nil }),
		"encode action": form(func(f *chat.Form) { f.Action = chat.Action{} }),
		"3 characters stand in it": form(func(f *chat.Form) {
			f.Fields[0] = chat.Input{Label: chat.Label{ID: "x", Text: "X"}, Value: "ŵŵŵ", Max: 2}
		}),
		"unknown field": form(func(f *chat.Form) { f.Fields[0] = unknownField{} }),
	} {
		if _, err := modal(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want a refusal that says %q, got %v", want, err)
		}
	}
}

type unknownField struct{ chat.Input }

type unknownBlock struct{ chat.Divider }

func TestIntroOmitted(t *testing.T) {
	f := inviteForm()
	f.Intro = "A sentence."
	d, err := modal(f)
	if err != nil {
		t.Fatal(err)
	}
	valid(t, discordschema.Modal, d)
	f.Fields = f.Fields[:4]
	d, err = modal(f)
	if err != nil {
		t.Fatal(err)
	}
	valid(t, discordschema.Modal, d)
	if d.Components[0].Content != "A sentence\\." && d.Components[0].Content != "A sentence." {
		t.Errorf("no intro above four fields: %+v", d.Components[0])
	}
}

// TestFullForm draws a form in which every label and text has the greatest length.
func TestFullForm(t *testing.T) {
	long := func(n int) string { return strings.Repeat("*", n) }
	label := func(i int) chat.Label {
		return chat.Label{ID: fmt.Sprint(i) + strings.Repeat("x", 90), Text: long(chat.MaxFieldLabel), Hint: long(chat.MaxFieldHint)}
	}
	var options []chat.Option
	for i := range chat.MaxMenu {
		options = append(options, chat.Option{Value: fmt.Sprint(i) + strings.Repeat("v", chat.MaxOption-2), Label: long(chat.MaxOption)})
	}
	f := chat.Form{
		Title: long(chat.MaxTitle), Intro: long(chat.MaxText), Submit: "s", Cancel: "c", Action: chat.NewAction(strings.Repeat("a", chat.MaxAction)),
		Fields: []chat.Field{
			chat.Input{Label: label(0), Value: long(chat.MaxFieldText), Max: chat.MaxFieldText, Lines: true},
			chat.Select{Label: label(1), Options: options, Many: true, Chosen: []string{options[0].Value, options[24].Value}},
			chat.People{Label: label(2)}, chat.Channel{Label: label(3)},
		},
	}
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	d, err := modal(f)
	if err != nil {
		t.Fatal(err)
	}
	valid(t, discordschema.Modal, d)
}

func TestCardsAtLimits(t *testing.T) {
	long := func(s string, n int) string { return strings.Repeat(s, n) }
	var buttons []chat.Button
	for i := range 32 {
		buttons = append(buttons, press(long("w", chat.MaxLabel-2), "go", fmt.Sprint(i)+long("x", 90)))
	}
	buttons[0].Chosen = true
	var options []chat.Option
	for i := range chat.MaxMenu {
		options = append(options, chat.Option{Value: fmt.Sprint(i) + long("v", chat.MaxOption-2), Label: long("ŵ", chat.MaxOption)})
	}
	for name, blocks := range map[string][]chat.Block{
		"32 buttons in a row": {chat.Buttons{Buttons: buttons}},
		"a full menu":         {chat.Menu{Action: chat.NewAction(long("a", chat.MaxAction)), Placeholder: long("p", chat.MaxPlaceholder), Options: options}},
		"39 dividers":         asBlocks(39, func(int) chat.Block { return chat.Divider{} }),
		"13 choices":          asBlocks(13, func(i int) chat.Block { return chat.Choice{Title: "T", Text: long("x", 290), Button: buttons[i]} }),
		"a long heading":      {chat.Heading{Text: long("*", chat.MaxHeading)}},
		"stars":               {chat.Paragraph(long("*", 3000)), chat.Footnote(long("_", 990))},
		"backslashes":         {chat.Paragraph(long(`\`, 3000)), chat.Table{Text: long("`", 990)}},
		"bold stars":          {chat.Text{Spans: []chat.Span{chat.Bold(long("*", 3000))}}, chat.Text{Spans: []chat.Span{chat.Bold(long("*", 1000))}}},
		"mentions":            {chat.Text{Spans: []chat.Span{chat.Words(long("@everyone ", 300))}}, chat.Footnote(long("<@&1>", 190))},
		"only white space":    {chat.Paragraph(" \n "), chat.Heading{Text: " "}, chat.Footnote("\x00\u202e"), chat.Choice{Title: " ", Text: " ", Button: press(" ", "go")}, chat.Menu{Action: chat.NewAction("m"), Placeholder: " ", Options: []chat.Option{{Value: "v", Label: "\t"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			card := chat.Card{Blocks: blocks}
			if err := card.Check(); err != nil {
				t.Fatal(err)
			}
			m, err := message(card, true, nil)
			if err != nil {
				t.Fatal(err)
			}
			valid(t, discordschema.Followup, m)
		})
	}
}

func asBlocks(n int, make func(int) chat.Block) (all []chat.Block) {
	for i := range n {
		all = append(all, make(i))
	}
	return all
}

func TestCardsOverLimits(t *testing.T) {
	ask := press("Erase", "erase", strings.Repeat("x", 94))
	ask.Confirm = &chat.Confirm{Yes: "y", No: "n"}
	for want, blocks := range map[string][]chat.Block{
		"empty":            nil,
		"41 components":    asBlocks(40, func(int) chat.Block { return chat.Divider{} }),
		"more than 4000":   {chat.Paragraph(strings.Repeat("x", 4001))},
		"unknown block":    {unknownBlock{}},
		"at most 99 where": {chat.Buttons{Buttons: []chat.Button{ask}}},
		"encode action":    {chat.Buttons{Buttons: []chat.Button{{Label: "x"}}}},
		"an empty word":    {chat.Menu{Placeholder: "x"}},
	} {
		if _, err := message(chat.Card{Blocks: blocks}, false, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want a refusal that says %q, got %v", want, err)
		}
	}
}

// TestConfirmInMessage decodes both answers to the question of a confirmation.
func TestConfirmInMessage(t *testing.T) {
	m, err := message(keptCard(), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	parts := m.Components[0].Components
	ask := parts[len(parts)-1].Components[0]
	if ask.Type != typeSelect || ask.CustomID != "?erase:"+round || ask.Placeholder != "Withdraw and erase" {
		t.Fatalf("no question: %+v", ask)
	}
	if o := ask.Options; o[0].Label != "Erase everything" || !strings.Contains(o[0].Description, "cannot be brought back") || o[1].Label != "Keep it" {
		t.Errorf("the words of the question are lost: %+v", o)
	}
	for value, want := range map[string]inboundKind{answerYes: handled, answerNo: dismissed} {
		g, err := decodeInteraction(pressed(ask.CustomID, typeSelect, value), specs)
		if err != nil || g.kind != want || g.event.Action.Verb != "erase" || len(g.event.Values) != 0 {
			t.Errorf("%s: %+v, %v", value, g, err)
		}
	}
	long := keptCard()
	erase := &long.Blocks[3].(chat.Buttons).Buttons[2]
	erase.Confirm.Text = strings.Repeat("z", chat.MaxConfirm)
	if m, err = message(long, true, nil); err != nil {
		t.Fatal(err)
	}
	valid(t, discordschema.Followup, m)
	if b, _ := encode(m); !bytes.Contains(b, []byte(erase.Confirm.Text)) {
		t.Error("a long question is cut")
	}
}

func TestFirstResponses(t *testing.T) {
	for _, r := range []response{pongResponse, deferredPost, deferredWhisper, deferredUpdate, choicesResponse(nil), choicesResponse([]chat.Option{{Value: "r", Label: strings.Repeat("x", 200)}, {Value: "", Label: "none"}})} {
		valid(t, discordschema.Response, r)
	}
	var many []chat.Option
	for i := range 30 {
		many = append(many, chat.Option{Value: fmt.Sprint(i), Label: " "})
	}
	valid(t, discordschema.Response, choicesResponse(many))
}

// TestNoMentions checks the bytes: with a list that is null or missing, every mention would
// notify.
func TestNoMentions(t *testing.T) {
	m, err := message(chat.Card{Blocks: []chat.Block{chat.Paragraph("@everyone")}}, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := encode(m); !bytes.Contains(b, []byte(`"allowed_mentions":{"parse":[]}`)) {
		t.Errorf("a user is notified: %s", b)
	}
}
