// Package discordschema checks request bodies in tests, against Discord's OpenAPI document and
// against rules that the document leaves out. It knows only the JSON, not the code that writes it.
package discordschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"maturitybot/adapters/platformtest/schema"
)

// ErrMissing is returned if the document is not on this machine and the body passes all other
// rules. With MATURITYBOT_REQUIRE_SPECS=1, a missing document is another error, which fails the
// test.
var ErrMissing = errors.New("no OpenAPI document of Discord here")

// The kinds of body that Validate knows.
const (
	Message      = "Message"      // POST /channels/ID/messages
	Edit         = "Edit"         // PATCH /channels/ID/messages/ID
	Followup     = "Followup"     // POST /webhooks/ID/TOKEN
	EditOriginal = "EditOriginal" // PATCH /webhooks/ID/TOKEN/messages/@original, or a follow-up's
	Response     = "Response"     // the first response to an interaction
	Modal        = "Modal"        // data of a response that opens a modal
	Commands     = "Commands"     // PUT /applications/ID/commands, or a server's
)

// schemas are the names of the bodies in the document.
var schemas = map[string]string{
	Message:      "MessageCreateRequest",
	Edit:         "MessageEditRequestPartial",
	Followup:     "IncomingWebhookInteractionRequest",
	EditOriginal: "IncomingWebhookUpdateRequestPartial",
	Modal:        "ModalInteractionCallbackRequestData",
	Commands:     "ApplicationCommandUpdateRequest",
}

// responses are the names of first responses in the document, by type.
var responses = map[float64]string{
	1: "PongInteractionCallbackRequest",
	4: "CreateMessageInteractionCallbackRequest",
	5: "CreateMessageInteractionCallbackRequest",
	6: "UpdateMessageInteractionCallbackRequest",
	7: "UpdateMessageInteractionCallbackRequest",
	8: "ApplicationCommandAutocompleteCallbackRequest",
	9: "ModalInteractionCallbackRequest",
}

// Flags of a message.
const (
	ephemeral    = 1 << 6
	componentsV2 = 1 << 15
)

// Validate returns why Discord would reject a body, or nil. It also rejects fields that the
// document does not have.
func Validate(what string, body []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	var own any // with numbers as float64
	if err := json.Unmarshal(body, &own); err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	if err := extraRules(what, own); err != nil {
		return fmt.Errorf("check %s: %w", what, err)
	}
	name, all := schemas[what], []any{value}
	switch what {
	case Response:
		name = responses[number(own, "type")]
	case Commands:
		all, _ = value.([]any)
	}
	for _, v := range all {
		s, err := compile(name)
		if err != nil {
			return err
		}
		if err := s.Validate(v); err != nil {
			return fmt.Errorf("check %s: %w", what, err)
		}
	}
	return nil
}

var (
	mu       sync.Mutex // guards compiled; the compiler is not safe for concurrent use
	compiled = map[string]*jsonschema.Schema{}
	compiler = sync.OnceValues(load)
)

func compile(name string) (*jsonschema.Schema, error) {
	mu.Lock()
	defer mu.Unlock()
	if s := compiled[name]; s != nil {
		return s, nil
	}
	c, err := compiler()
	if err != nil {
		return nil, err
	}
	s, err := c.Compile("discord.json#/components/schemas/" + name)
	if err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	compiled[name] = s
	return s, nil
}

func load() (*jsonschema.Compiler, error) {
	var file []byte
	var err error
	for _, up := range []string{"../../../shared/specs", "../../../../shared/specs"} {
		if file, err = os.ReadFile(filepath.Join(up, "discord-openapi.json")); err == nil {
			break
		}
	}
	if err != nil {
		if os.Getenv("MATURITYBOT_REQUIRE_SPECS") == "1" {
			return nil, fmt.Errorf("open OpenAPI document: %w", err)
		}
		return nil, ErrMissing
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	closeObjects(doc)
	c, err := schema.NewCompiler("discord.json", doc)
	if err != nil {
		return nil, err
	}
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	return c, nil
}

// closeObjects forbids fields that the document does not have. Discord would silently ignore a
// misspelt one.
func closeObjects(v any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			closeObjects(x)
		}
	case map[string]any:
		_, named := v["properties"].(map[string]any)
		if _, more := v["additionalProperties"]; named && !more && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, x := range v {
			closeObjects(x)
		}
	}
}

// extraRules checks rules that the document leaves out. The sources named below are pages of
// Discord's documentation under developers/.
func extraRules(what string, v any) error {
	switch what {
	case Message, Edit, Followup, EditOriginal:
		return message(what, v)
	case Modal:
		return modal(v)
	case Commands:
		return commands(v)
	case Response:
		data := get(v, "data")
		switch kind := number(v, "type"); kind {
		case 4:
			return message(Followup, data)
		case 5:
			// interactions/receiving-and-responding.mdx
			if f := int(number(data, "flags")); f&^ephemeral != 0 {
				return fmt.Errorf("a deferred answer has flags %d, and may have %d only", f, ephemeral)
			}
		case 7:
			return message(EditOriginal, data)
		case 9:
			return modal(data)
		case 1, 6, 8:
		default:
			return fmt.Errorf("no answer of type %v", kind)
		}
		return nil
	}
	return fmt.Errorf("no such body")
}

// message checks a message (resources/message.mdx) with its components (components/reference.mdx).
func message(what string, v any) error {
	flags := int(number(v, "flags"))
	parts := &tally{ids: map[string]bool{}}
	components := list(get(v, "components"))
	if err := parts.walk(components, false); err != nil {
		return err
	}
	if parse, ok := get(get(v, "allowed_mentions"), "parse").([]any); !ok || len(parse) > 0 {
		return errors.New("allowed_mentions.parse is not an empty list: people could be notified")
	}
	if what != Followup && flags&ephemeral != 0 {
		return errors.New("only an answer to an interaction can be seen by one person")
	}
	if content := text(v, "content"); flags&componentsV2 != 0 {
		switch {
		case content != "" || len(list(get(v, "embeds"))) > 0:
			return errors.New("content or embeds beside Components V2")
		case parts.count == 0:
			return errors.New("a message without components")
		case parts.count > 40:
			return fmt.Errorf("%d components, at most 40", parts.count)
		case parts.runes > 4000:
			return fmt.Errorf("%d characters of text, at most 4000", parts.runes)
		}
	} else {
		if n := utf8.RuneCountInString(content); n > 2000 {
			return fmt.Errorf("content of %d characters, at most 2000", n)
		}
		if len(components) > 5 {
			return fmt.Errorf("%d rows, at most 5", len(components))
		}
		for _, c := range components {
			if number(c, "type") != 1 {
				return fmt.Errorf("component of type %v without the flag of Components V2", number(c, "type"))
			}
		}
		sum := 0
		for _, e := range list(get(v, "embeds")) {
			sum += embed(e)
		}
		if sum > 6000 {
			return fmt.Errorf("embeds of %d characters, at most 6000", sum)
		}
	}
	names := map[string]bool{}
	for _, a := range list(get(v, "attachments")) {
		names[text(a, "filename")] = true
	}
	for _, url := range parts.files {
		if name, ok := strings.CutPrefix(url, "attachment://"); ok && !names[name] {
			return fmt.Errorf("no attachment %q", name)
		}
	}
	if len(parts.files) < len(names) && flags&componentsV2 != 0 {
		return errors.New("an attachment that no component shows stays unseen")
	}
	if get(v, "nonce") != nil && get(v, "enforce_nonce") != true {
		return errors.New("a nonce that is not enforced does nothing")
	}
	return nil
}

// embed returns the number of characters in an embed.
func embed(e any) int {
	n := utf8.RuneCountInString(text(e, "title") + text(e, "description"))
	n += utf8.RuneCountInString(text(get(e, "footer"), "text") + text(get(e, "author"), "name"))
	for _, f := range list(get(e, "fields")) {
		n += utf8.RuneCountInString(text(f, "name") + text(f, "value"))
	}
	return n
}

// tally counts the components of a message or modal, and collects their ids and files.
type tally struct {
	count, runes int
	ids          map[string]bool
	files        []string
}

func (t *tally) walk(all []any, inRow bool) error {
	selects := 0
	for _, c := range all {
		t.count++
		if id := text(c, "custom_id"); id != "" {
			if t.ids[id] {
				return fmt.Errorf("custom_id %q twice", id)
			}
			t.ids[id] = true
		}
		kind := number(c, "type")
		switch kind {
		case 2:
			if strings.TrimSpace(text(c, "label")) == "" {
				return errors.New("a button without a label")
			}
			if style := number(c, "style"); style < 5 && text(c, "custom_id") == "" {
				return errors.New("a button without custom_id")
			}
		case 3, 5, 6, 7, 8:
			selects++
			if err := selectMenu(c); err != nil {
				return err
			}
		case 4:
			n, most := utf8.RuneCountInString(text(c, "value")), int(number(c, "max_length"))
			if most > 0 && n > most {
				return fmt.Errorf("input %q holds %d characters, more than it takes", text(c, "custom_id"), n)
			}
		case 10:
			content := text(c, "content")
			if strings.TrimSpace(content) == "" {
				return errors.New("a text of white space")
			}
			t.runes += utf8.RuneCountInString(content)
		case 12:
			for _, i := range list(get(c, "items")) {
				t.files = append(t.files, text(get(i, "media"), "url"))
			}
		case 13:
			t.files = append(t.files, text(get(c, "file"), "url"))
		}
		if err := t.walk(list(get(c, "components")), kind == 1); err != nil {
			return err
		}
		for _, child := range []string{"accessory", "component"} {
			if x := get(c, child); x != nil {
				if err := t.walk([]any{x}, false); err != nil {
					return err
				}
			}
		}
	}
	if inRow && selects > 0 && len(all) > 1 {
		return errors.New("a row with a select and something beside it")
	}
	return nil
}

// selectMenu checks the options of a select menu.
func selectMenu(c any) error {
	id, options := text(c, "custom_id"), list(get(c, "options"))
	least, most := 1, 1
	if n, ok := get(c, "min_values").(float64); ok {
		least = int(n)
	}
	if n, ok := get(c, "max_values").(float64); ok {
		most = int(n)
	}
	chosen, values := 0, map[string]bool{}
	for _, o := range options {
		v := text(o, "value")
		if values[v] {
			return fmt.Errorf("select %q: value %q twice", id, v)
		}
		values[v] = true
		if get(o, "default") == true {
			chosen++
		}
	}
	switch {
	case least > most, len(options) > 0 && most > len(options):
		return fmt.Errorf("select %q: %d to %d values of %d", id, least, most, len(options))
	case chosen > most:
		return fmt.Errorf("select %q: %d chosen, at most %d", id, chosen, most)
	case get(c, "required") == true && least == 0:
		return fmt.Errorf("select %q: required, and may be empty", id)
	}
	return nil
}

// modal checks a modal (interactions/receiving-and-responding.mdx).
func modal(v any) error {
	parts := list(get(v, "components"))
	if len(parts) < 1 || len(parts) > 5 {
		return fmt.Errorf("%d parts in a modal, want 1 to 5", len(parts))
	}
	return (&tally{ids: map[string]bool{}}).walk(parts, false)
}

// commandName is the pattern of interactions/application-commands.mdx, in lower case, but for the length:
// with it, each program that imports the package would start 10 ms later.
var commandName = regexp.MustCompile(`^[-_'\p{Ll}\p{Lo}\p{N}]+$`)

// maxName is the longest name of a command, in characters.
const maxName = 32

func commands(v any) error {
	all, ok := v.([]any)
	if !ok {
		return errors.New("not a list")
	}
	for _, c := range all {
		n, err := options(list(get(c, "options")))
		if err != nil {
			return fmt.Errorf("command %q: %w", text(c, "name"), err)
		}
		if n += utf8.RuneCountInString(text(c, "name") + text(c, "description")); n > 8000 {
			return fmt.Errorf("command %q: %d characters, at most 8000", text(c, "name"), n)
		}
	}
	_, err := options(all)
	return err
}

// options checks the options of a command, and returns how many characters they have.
func options(all []any) (runes int, err error) {
	seen, optional, subcommands := map[string]bool{}, false, 0
	for _, o := range all {
		name := text(o, "name")
		kind := number(o, "type")
		switch {
		case !commandName.MatchString(name), utf8.RuneCountInString(name) > maxName:
			return 0, fmt.Errorf("name %q", name)
		case seen[name]:
			return 0, fmt.Errorf("name %q twice", name)
		case get(o, "required") == true && optional:
			return 0, fmt.Errorf("%q is required and comes after one that is not", name)
		case get(o, "autocomplete") == true && len(list(get(o, "choices"))) > 0:
			return 0, fmt.Errorf("%q has choices and asks for more", name)
		}
		seen[name] = true
		optional = optional || get(o, "required") != true
		if kind == 1 || kind == 2 {
			subcommands++
		}
		runes += utf8.RuneCountInString(name + text(o, "description"))
		for _, c := range list(get(o, "choices")) {
			runes += utf8.RuneCountInString(text(c, "name") + text(c, "value"))
		}
		inside, err := options(list(get(o, "options")))
		if err != nil {
			return 0, err
		}
		runes += inside
	}
	// Commands have types 1 to 4 as well. The bot's are all of one type, which passes this check.
	if subcommands > 0 && subcommands < len(all) {
		return 0, errors.New("subcommands beside other options")
	}
	return runes, nil
}

func get(v any, key string) any {
	m, _ := v.(map[string]any)
	return m[key]
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func text(v any, key string) string {
	s, _ := get(v, key).(string)
	return s
}

func number(v any, key string) float64 {
	n, _ := get(v, key).(float64)
	return n
}
