package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"maturitybot/adapters/slack/slackschema"
	"maturitybot/bot/chat"
	"maturitybot/survey/plaintext"
)

var updateGolden = flag.Bool("update", false, "write the golden files")

// asJSON returns a body as it is sent, indented.
func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// drawn returns a card as a message.
func drawn(t *testing.T, c chat.Card) []byte {
	t.Helper()
	all, err := blocks(c, chat.MaxBlocks)
	if err != nil {
		t.Fatal(err)
	}
	return asJSON(t, map[string]any{"text": speech(c), "blocks": all})
}

// valid fails the test if Slack would refuse the body.
func valid(t *testing.T, kind string, raw []byte) {
	t.Helper()
	err := slackschema.Validate(kind, raw)
	if errors.Is(err, slackschema.ErrMissing) {
		if os.Getenv("MATURITYBOT_REQUIRE_SPECS") != "" {
			t.Fatal(err)
		}
		t.Logf("not held against the schema: %v", err)
		return
	}
	if err != nil {
		t.Errorf("%v\n%s", err, raw)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *updateGolden {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got\n%s", file, got)
	}
}

func cardOf(all ...chat.Block) chat.Card { return chat.Card{Blocks: all} }

func pressOf(label, verb string) chat.Button {
	return chat.Button{Label: label, Action: chat.NewAction(verb)}
}

var anaOfNorth = chat.Person{Platform: Platform, Workspace: "T0NORTH", ID: "U0ANA"}

func TestCards(t *testing.T) {
	erase := chat.Button{Label: "Erase", Action: chat.NewAction("erase", "7K3Q"), Style: chat.Danger,
		Confirm: &chat.Confirm{Title: "Erase everything?", Text: "Your answers for Northshire cannot be brought back.", Yes: "Erase", No: "Keep"}}
	for name, c := range map[string]chat.Card{
		"heading": cardOf(chat.Heading{Text: "Leadership & <vision> :wave:"}),
		"text": cardOf(chat.Text{Spans: []chat.Span{
			chat.Mention{Person: anaOfNorth}, chat.Words(" asks *you* about <Northshire>.\n"), chat.Bold("By Friday"), chat.Words(""), chat.Words(", "),
			chat.Mention{Person: chat.Person{Platform: "discord", Workspace: "1", ID: "42"}}, chat.Meter{Done: 1, Total: 3},
		}}),
		"note-plain": cardOf(chat.Footnote("Point at *something* <real> :wave: https://example.org")),
		"note-marked": cardOf(chat.Note{Spans: []chat.Span{
			chat.Words("North*shire · "), chat.Bold("Plan"), chat.Words(" · 3 of 17 · saved "), chat.Meter{Done: 3, Total: 17}, chat.Mention{Person: anaOfNorth}, chat.Bold("!"),
		}}),
		"choice": cardOf(
			chat.Choice{Title: "Basic", Text: "Partners agree, > 2 & < 5, at 10:30 on a_b.", Button: pressOf("Basic", "a")},
			chat.Choice{Title: "Early *progress*", Text: "> nobody", Button: chat.Button{Label: "Early", Action: chat.NewAction("b"), Chosen: true, Style: chat.Primary, Spoken: "Chosen: Early progress, 3 of 17"}},
		),
		"buttons": cardOf(chat.Buttons{Buttons: []chat.Button{
			pressOf("One", "one"), {Label: "Two", Action: chat.NewAction("two"), Style: chat.Primary}, pressOf("Three", "three"), pressOf("Four", "four"), pressOf("Five", "five"), erase,
		}}),
		"menu":       cardOf(chat.Menu{Action: chat.NewAction("role", "7K3Q"), Placeholder: "Choose your role", Options: []chat.Option{{Value: "midwife", Label: "Midwife"}, {Value: "parent", Label: "Parent or carer"}}}),
		"table":      cardOf(chat.Table{Text: "Level   n\n*Basic*  3\n<!here>  `4`\n"}),
		"paragraphs": cardOf(chat.Paragraph("One."), chat.Text{Spans: []chat.Span{chat.Bold("Two."), chat.Words(" Still two.")}}, chat.Footnote("Apart."), chat.Paragraph("Three.")),
		"divider":    cardOf(chat.Paragraph("above"), chat.Divider{}, chat.Paragraph("below")),
	} {
		if err := c.Check(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := drawn(t, c)
		golden(t, name+".json", got)
		valid(t, slackschema.Message, got)
	}
}

func TestHomeView(t *testing.T) {
	c := cardOf(chat.Heading{Text: "Your surveys"}, chat.Paragraph("Northshire, 3 of 17"),
		chat.Buttons{Buttons: []chat.Button{pressOf("Continue", "resume"), pressOf("New round", "new")}})
	view, err := homeView(c)
	if err != nil {
		t.Fatal(err)
	}
	got := asJSON(t, view)
	golden(t, "home.json", got)
	valid(t, slackschema.Home, got)
	// Slack does not promise to deliver a press on a button with a link.
	if bytes.Contains(got, []byte(`"url"`)) {
		t.Errorf("a button in App Home is a link: %s", got)
	}
}

func TestForms(t *testing.T) {
	choose := func(n int) (all []chat.Option) {
		for i := range n {
			all = append(all, chat.Option{Value: fmt.Sprint("o", i), Label: fmt.Sprint("Option ", i)})
		}
		return all
	}
	label := func(id string, optional bool) chat.Label {
		return chat.Label{ID: id, Text: "The " + id, Hint: "About the " + id, Optional: optional}
	}
	f := chat.Form{Title: "New round", Intro: "Set up *once* <here>.", Submit: "Save", Cancel: "Cancel", Action: chat.NewAction("create", "en"), Fields: []chat.Field{
		chat.Input{Label: label("area", false), Value: "Northshire", Max: 80},
		chat.Input{Label: label("note", true), Max: 500, Lines: true},
		chat.Select{Label: label("edition", false), Options: choose(2), Chosen: []string{"o1", "gone"}},
		chat.Select{Label: label("leave-empty", true), Options: choose(2)},
		chat.Select{Label: label("role", false), Options: choose(6), Chosen: []string{"o3"}},
		chat.Select{Label: label("kinds", true), Options: choose(10), Many: true, Chosen: []string{"o9", "o0"}},
		chat.Select{Label: label("none-yet", true), Options: choose(3), Many: true},
		chat.Select{Label: label("many", true), Options: choose(11), Many: true, Chosen: []string{"o10"}},
		chat.Date{Label: label("closes", false), Value: "2026-12-11"},
		chat.Date{Label: label("workshop", true), Value: "soon"},
		chat.TimeOfDay{Label: label("closes_time", false), Value: "17:00"},
		chat.TimeOfDay{Label: label("workshop_time", true), Value: "noon"},
		chat.People{Label: label("people", true)},
		chat.Channel{Label: chat.Label{ID: "channel", Text: "The channel"}},
	}}
	view, err := modal(f, origin{Channel: "C0TEAM", URL: "https://hooks.slack.com/x"})
	if err != nil {
		t.Fatal(err)
	}
	got := asJSON(t, view)
	golden(t, "form.json", got)
	valid(t, slackschema.Modal, got)
}

// welsh is a long text of the kind people read here; hostile texts use what chat platforms act upon.
const welsh = "Mae'r partneriaid wedi cytuno ar y cyd-gynllun; ŵyr pawb pwy sy'n arwain, a cheir cofnod o bob penderfyniad. "

var hostile = []string{
	"*bold* _it_ ~no~ `code` ```block``` *", "> quote\n> more\n  > and\n&gt; again", "<!here> <!channel> <!everyone> <@U0EVE> <#C0TEAM> <https://evil.example|bank>",
	"@here @channel @everyone @eve #general", "https://evil.example www.evil.example evil.example/x mailto:eve@evil.example", ":wave: :+1: ::100: :flag-wales::skin-tone-2:",
	"\u202eedocinu\u202c \u2066x\u2069", "a\u200bb\u2060c\ufeffd\u00ad", "&amp; &lt;b&gt; &#42;", "\xff\xfe broken \x00 bytes", "🏴󠁧󠁢󠁷󠁬󠁳󠁿 👩🏽‍⚕️", "\r\n\t ", "* * *", "1*2*3_4_5",
}

// fill repeats s to exactly n characters.
func fill(s string, n int) string {
	r := []rune(strings.Repeat(s, n/utf8.RuneCountInString(s)+1))
	begin := strings.TrimSpace(string(r[:n-1]))
	return begin + strings.Repeat("x", n-utf8.RuneCountInString(begin))
}

func TestCardsAtLimits(t *testing.T) {
	action := func(i int) chat.Action { return chat.NewAction(fill("a", 90), fmt.Sprint(i)) }
	most := func(i int) chat.Button {
		return chat.Button{Label: fill(welsh, chat.MaxLabel-2), Action: action(i), Chosen: true, Spoken: fill(welsh, chat.MaxSpoken),
			Confirm: &chat.Confirm{Title: fill(welsh, 500), Text: fill(welsh, chat.MaxConfirm), Yes: fill(welsh, 99), No: fill(welsh, 99)}}
	}
	var menu []chat.Option
	for i := range chat.MaxMenu {
		menu = append(menu, chat.Option{Value: fmt.Sprintf("%02d", i) + fill("x", 73), Label: fmt.Sprintf("%02d", i) + fill(welsh, 73)})
	}
	var choices, lines []chat.Block
	for i := range 13 {
		b := most(i)
		if i > 0 {
			b.Confirm = nil // each counts as two more components
		}
		choices = append(choices, chat.Choice{Title: "x", Text: fill(welsh, 300), Button: b})
	}
	for range 39 {
		lines = append(lines, chat.Divider{})
	}
	var row []chat.Button
	for i := range 32 {
		row = append(row, chat.Button{Label: fill("x", chat.MaxLabel), Action: action(i)})
	}
	cards := map[string]chat.Card{
		"heading":       cardOf(chat.Heading{Text: fill(welsh, chat.MaxHeading)}),
		"text":          cardOf(chat.Paragraph(fill(welsh, chat.MaxText)), chat.Paragraph(fill(welsh, 1000))),
		"note":          cardOf(chat.Footnote(fill(welsh, chat.MaxText))),
		"bold note":     cardOf(chat.Note{Spans: []chat.Span{chat.Bold(fill("<&> *", chat.MaxText))}}),
		"many lines":    cardOf(chat.Note{Spans: []chat.Span{chat.Bold(fill("a\n", chat.MaxText))}}),
		"table":         cardOf(chat.Table{Text: fill(welsh, chat.MaxText-10)}),
		"choice":        cardOf(chat.Choice{Title: fill(welsh, 1000), Text: fill(welsh, 1990), Button: most(1)}),
		"hard choice":   cardOf(chat.Choice{Title: fill("&", 1000), Text: fill("<", 1990), Button: most(1)}),
		"empty title":   cardOf(chat.Choice{Text: "x", Button: pressOf("x", "y")}),
		"empty text":    cardOf(chat.Choice{Title: "x", Button: pressOf("x", "y")}),
		"blank title":   cardOf(chat.Choice{Title: " \n ", Text: "x", Button: pressOf("x", "y")}),
		"many choices":  cardOf(choices[:12]...),
		"many buttons":  cardOf(chat.Buttons{Buttons: row}),
		"menu":          cardOf(chat.Menu{Action: action(1), Placeholder: fill(welsh, chat.MaxPlaceholder), Options: menu}),
		"many blocks":   cardOf(lines...),
		"empty confirm": cardOf(chat.Buttons{Buttons: []chat.Button{{Label: "x", Action: chat.NewAction("x"), Confirm: &chat.Confirm{}}}}),
	}
	for i, s := range hostile {
		cards[fmt.Sprint("hostile ", i)] = cardOf(
			chat.Heading{Text: fill(s, 100)}, chat.Text{Spans: []chat.Span{chat.Words(s), chat.Bold(s), chat.Mention{Person: chat.Person{Platform: Platform, ID: s}}}},
			chat.Note{Spans: []chat.Span{chat.Words(s), chat.Bold(s), chat.Words(s), chat.Mention{Person: chat.Person{Platform: Platform, ID: "U0EVE> <!here"}}}}, chat.Footnote(s+"x"),
			chat.Choice{Title: s, Text: s, Button: chat.Button{Label: fill(s, chat.MaxLabel), Action: chat.NewAction("a"), Spoken: fill(s, chat.MaxSpoken), Confirm: &chat.Confirm{Title: s, Text: s, Yes: s, No: s}}},
			chat.Table{Text: s + "x"}, chat.Menu{Action: chat.NewAction("b"), Placeholder: fill(s, 99), Options: []chat.Option{{Value: "x", Label: fill(s, 75)}}},
		)
	}
	for name, c := range cards {
		if err := c.Check(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		valid(t, slackschema.Message, drawn(t, c))
		view, err := homeView(c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		valid(t, slackschema.Home, asJSON(t, view))
		if s := speech(c); utf8.RuneCountInString(s) > chat.MaxCardText || name != "many blocks" && s == "" {
			t.Errorf("%s: %d characters are spoken", name, utf8.RuneCountInString(s))
		} else if left := strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "").Replace(s); strings.ContainsAny(left, "&<>") {
			t.Errorf("%s: speech is cut inside an entity: %q", name, left[max(0, len(left)-20):])
		}
	}
}

func TestFormsAtLimits(t *testing.T) {
	var choose []chat.Option
	var all []string
	for i := range chat.MaxMenu {
		choose = append(choose, chat.Option{Value: fmt.Sprintf("%02d", i) + fill("x", 73), Label: fmt.Sprintf("%02d", i) + fill(welsh, 73)})
		all = append(all, choose[i].Value)
	}
	label := func(id string) chat.Label {
		return chat.Label{ID: id, Text: fill(welsh, chat.MaxFieldLabel), Hint: fill(welsh, chat.MaxFieldHint)}
	}
	const flag = "🏴󠁧󠁢󠁷󠁬󠁳󠁿" // seven characters, fourteen as browsers count
	f := chat.Form{Title: fill(welsh, chat.MaxTitle), Intro: fill(welsh, chat.MaxText), Submit: fill(welsh, chat.MaxTitle), Cancel: fill(welsh, chat.MaxTitle),
		Action: chat.NewAction(fill("a", chat.MaxAction)), Fields: []chat.Field{
			chat.Input{Label: label("a"), Value: fill(welsh, chat.MaxFieldText), Max: chat.MaxFieldText, Lines: true},
			chat.Input{Label: label("b"), Value: flag, Max: 7},
			chat.Select{Label: label("c"), Options: choose, Chosen: all}, chat.Select{Label: label("d"), Options: choose, Many: true, Chosen: all},
			chat.Select{Label: label("e"), Options: choose[:5], Chosen: all}, chat.Select{Label: label("f"), Options: choose[:10], Many: true, Chosen: all},
			chat.Date{Label: label("g"), Value: "<!here>"}, chat.TimeOfDay{Label: label("h"), Value: "25:00"}, chat.People{Label: label("i")}, chat.Channel{Label: label("j")},
		}}
	view, err := modal(f, origin{Channel: "C", URL: fill("u", 2000)})
	if err != nil {
		t.Fatal(err)
	}
	raw := asJSON(t, view)
	valid(t, slackschema.Modal, raw)
	if n := len(utf16.Encode([]rune(flag))); !bytes.Contains(raw, fmt.Appendf(nil, `"max_length": %d`, n)) {
		t.Error("what stands in a field does not fit it as Slack counts")
	}
	for i, s := range hostile {
		s += "x"
		f := chat.Form{Title: fill(s, 24), Intro: s, Submit: fill(s, 24), Cancel: fill(s, 24), Action: chat.NewAction("a"), Fields: []chat.Field{
			chat.Input{Label: chat.Label{ID: "a", Text: fill(s, 45), Hint: fill(s, 100)}, Value: s, Max: 300},
			chat.Select{Label: chat.Label{ID: "b", Text: fill(s, 45)}, Options: []chat.Option{{Value: "x", Label: fill(s, 75)}}},
		}}
		view, err := modal(f, origin{Channel: s})
		if err != nil {
			t.Fatalf("hostile %d: %v", i, err)
		}
		valid(t, slackschema.Modal, asJSON(t, view))
	}
}

func TestOverLimits(t *testing.T) {
	forged := chat.Button{Label: "x", Action: chat.NewAction("a b")}
	var dividers []chat.Block
	for range chat.MaxBlocks + 1 {
		dividers = append(dividers, chat.Divider{})
	}
	for what, c := range map[string]chat.Card{
		"an empty card": {}, "an action that is none": cardOf(chat.Buttons{Buttons: []chat.Button{forged}}),
		"a choice of it": cardOf(chat.Choice{Title: "x", Button: forged}), "a menu of it": cardOf(chat.Menu{Action: forged.Action}),
		"an unknown block": cardOf(nil), "too many blocks": cardOf(dividers...),
	} {
		if _, err := blocks(c, chat.MaxBlocks); err == nil {
			t.Errorf("%s is drawn", what)
		}
	}
	if _, err := homeView(cardOf(dividers...)); err != nil {
		t.Errorf("App Home takes 100 blocks: %v", err)
	}
	day := []chat.Field{chat.Date{Label: chat.Label{ID: "d", Text: "d"}}}
	var days []chat.Field
	for i := range maxHomeBlocks + 1 {
		days = append(days, chat.Date{Label: chat.Label{ID: fmt.Sprint(i), Text: "d"}})
	}
	for what, f := range map[string]chat.Form{
		"an action that is none": {Action: chat.NewAction("a b"), Fields: day},
		"too many fields":        {Action: chat.NewAction("a"), Fields: days},
		"a long id":              {Action: chat.NewAction("a"), Fields: []chat.Field{chat.Date{Label: chat.Label{ID: fill("x", maxID+1)}}}},
		"a long value":           {Action: chat.NewAction("a"), Fields: []chat.Field{chat.Input{Label: chat.Label{ID: "x"}, Value: fill("x", chat.MaxFieldText+1)}}},
	} {
		if _, err := modal(f, origin{}); err == nil {
			t.Errorf("a form with %s is drawn", what)
		}
	}
	if _, err := modal(chat.Form{Action: chat.NewAction("a"), Fields: day}, origin{URL: fill("u", maxMetadata)}); err == nil {
		t.Error("an origin that Slack would not take is written")
	}
}

var (
	entities   = regexp.MustCompile(`&(amp|lt|gt);`)
	emojiCodes = regexp.MustCompile(`:[\pL\pN_+'-]+:`)
	addresses  = regexp.MustCompile(`://|[@#]\pL|\.[\p{Lu}\p{Ll}\p{Lo}]`)
	quotes     = regexp.MustCompile(`(?m)^\s*&gt;`)
)

// inert fails the test if Slack would act on the escaped text, or a reader would see anything but
// s.
func inert(t *testing.T, s string) {
	t.Helper()
	got := escape(s)
	if strings.ContainsAny(got, "*_~`<>") || strings.Contains(entities.ReplaceAllString(got, ""), "&") {
		t.Errorf("%q leaves markup: %q", s, got)
	}
	for _, x := range []*regexp.Regexp{emojiCodes, addresses, quotes} {
		if m := x.FindString(got); m != "" {
			t.Errorf("%q leaves %q: %q", s, m, got)
		}
	}
	if strings.ContainsAny(s, "∗ˍ∼ˋ\u200b") || !utf8.ValidString(s) {
		return
	}
	if seen := strings.NewReplacer("∗", "*", "ˍ", "_", "∼", "~", "ˋ", "`", "\u200b", "").Replace(html.UnescapeString(got)); seen != plaintext.Clean(s) {
		t.Errorf("%q is shown as %q", s, seen)
	}
}

func TestEscape(t *testing.T) {
	for _, s := range hostile {
		inert(t, s)
	}
	for _, s := range []string{"Meeting at 10:30, room 2.5; e-mail, a/b: yes.", "ŵyl a'r plant – “dyfyniad”", "50% (n = 4)"} {
		if got := escape(s); got != s {
			t.Errorf("%q became %q for no reason", s, got)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(inert)
}

// Every character that is bold in the card is bold in the message, and no other.
func TestBold(t *testing.T) {
	w, b := func(s string) chat.Span { return chat.Words(s) }, func(s string) chat.Span { return chat.Bold(s) }
	for want, spans := range map[string][]chat.Span{
		"a · *Plan* · b":            {w("a · "), b("Plan"), w(" · b")},
		"a\u200b*3*\u200brd":        {w("a"), b("3"), w("rd")},
		" *x* y":                    {b(" x "), w("y")},
		"*x*\n*y*":                  {b("x\n\ny")},
		"*x*\u200b*y*":              {b("x"), b("y")},
		"a  b":                      {w("a "), b(" "), w("b")},
		"<@U0ANA>\u200b*x*":         {chat.Mention{Person: anaOfNorth}, b("x")},
		"@\u200bU0ANA&gt;&lt;!here": {chat.Mention{Person: chat.Person{Platform: Platform, ID: "U0ANA><!here"}}},
		"@\u200bU1":                 {chat.Mention{Person: chat.Person{Platform: "discord", ID: "U1"}}},
		"@\u200bT0NORTH":            {chat.Mention{Person: chat.Person{Platform: Platform, ID: "T0NORTH"}}},
		"*a∗b*":                     {b("a*b")},
	} {
		if got := markup(spans); got != want {
			t.Errorf("%v: %q, want %q", spans, got, want)
		}
	}
}

func TestSpeech(t *testing.T) {
	c := cardOf(
		chat.Note{Spans: []chat.Span{chat.Words("Northshire · "), chat.Bold("Plan"), chat.Words(" · 3 of 17 · saved "), chat.Meter{Done: 3, Total: 17}}},
		chat.Heading{Text: "Commissioning & resources"},
		chat.Text{Spans: []chat.Span{chat.Mention{Person: anaOfNorth}, chat.Words(" asks: how well are <money> and people known?")}},
		chat.Choice{Title: "Basic", Text: "Partners agree.", Button: pressOf("Basic", "1")},
		chat.Choice{Title: "Early progress", Text: "Two lists exist.", Button: chat.Button{Label: "Early", Action: chat.NewAction("2"), Chosen: true}},
		chat.Divider{},
		chat.Table{Text: "Level  n\nBasic  3\n"},
		chat.Menu{Action: chat.NewAction("m"), Placeholder: "Go to", Options: []chat.Option{{Value: "a", Label: "Leadership"}, {Value: "b", Label: "Vision"}}},
		chat.Buttons{Buttons: []chat.Button{pressOf("Back", "b"), {Label: "Don't know", Action: chat.NewAction("dk"), Chosen: true}}},
	)
	want := `Northshire · Plan · 3 of 17 · saved
Commissioning &amp; resources
<@U0ANA> asks: how well are &lt;money&gt; and people known?
Basic: Partners agree.
✓ Early progress: Two lists exist.
Level  n
Basic  3
Go to: Leadership; Vision
[Back]; [✓ Don't know]`
	if got := speech(c); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for s, cut := range map[string]struct {
		n    int
		want string
	}{
		"aaaa &amp; b": {8, "aaaa…"}, "aaaa <@U0ANA> b": {9, "aaaa…"}, "aaaa &amp; bb": {12, "aaaa &amp;…"}, "aaaa": {4, "aaaa"},
	} {
		if got := truncateEscaped(s, cut.n); got != cut.want {
			t.Errorf("%q cut to %q, want %q", s, got, cut.want)
		}
	}
}
