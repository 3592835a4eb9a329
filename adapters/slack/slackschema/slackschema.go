// Package slackschema holds what is sent to Slack against a JSON schema of Block Kit and against
// what a schema cannot say. It is for tests. It knows limits, not what Slack would show.
package slackschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"maturitybot/adapters/platformtest/schema"
)

// The kinds of bodies.
const (
	Message = "Message"
	Home    = "HomeView"
	Modal   = "ModalView"
)

// ErrMissing says that the schema is not on this machine. It is no part of the repository.
var ErrMissing = errors.New("slack-block-kit.schema.json is not here")

// file is where the schema is, beside the repository.
const file = "shared/specs/slack-block-kit.schema.json"

// read looks for the schema from the working directory upwards.
func read() ([]byte, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the schema: %w", err)
	}
	for {
		raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
		if err == nil {
			return raw, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read the schema: %w", err)
		}
		if dir == filepath.Dir(dir) {
			return nil, ErrMissing
		}
		dir = filepath.Dir(dir)
	}
}

// schemas compiles each kind once.
var schemas = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	raw, err := read()
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	c, err := schema.NewCompiler("slack.json", doc)
	if err != nil {
		return nil, err
	}
	all := map[string]*jsonschema.Schema{}
	for _, kind := range []string{Message, Home, Modal} {
		if all[kind], err = c.Compile("slack.json#/definitions/" + kind); err != nil {
			return nil, fmt.Errorf("compile the schema of %s: %w", kind, err)
		}
	}
	return all, nil
})

// Validate says what of a body Slack would refuse, or nil. Kind is Message, Home or Modal. Where
// the schema is missing it holds the body against the rest, and returns ErrMissing when that is in
// order.
func Validate(kind string, body []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("read %s: %w", kind, err)
	}
	ids := finder{blocks: map[string]bool{}, actions: map[string]bool{}}
	if err := ids.walk(doc); err != nil {
		return fmt.Errorf("validate %s: %w", kind, err)
	}
	all, err := schemas()
	if err != nil {
		return err
	}
	compiled, ok := all[kind]
	if !ok {
		return fmt.Errorf("validate %s: no such kind", kind)
	}
	if err := compiled.Validate(doc); err != nil {
		return fmt.Errorf("validate %s: %w", kind, err)
	}
	return nil
}

// finder looks for ids that are there twice, and for what is empty and Slack refuses.
type finder struct{ blocks, actions map[string]bool }

func (f finder) walk(node any) error {
	switch n := node.(type) {
	case []any:
		for _, x := range n {
			if err := f.walk(x); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, seen := range map[string]map[string]bool{"block_id": f.blocks, "action_id": f.actions} {
			if id, ok := n[key].(string); ok {
				if id == "" || seen[id] {
					return fmt.Errorf("%s %q is empty or there twice", key, id)
				}
				seen[id] = true
			}
		}
		for _, key := range []string{"elements", "options", "initial_options", "initial_users"} {
			if list, ok := n[key].([]any); ok && len(list) == 0 {
				return fmt.Errorf("empty %s", key)
			}
		}
		for _, key := range []string{"initial_date", "initial_time", "initial_value", "initial_conversation", "text"} {
			// The top-level text of a message may be empty, and an initial value is left out.
			if s, ok := n[key].(string); ok && s == "" && n["type"] != nil {
				return fmt.Errorf("empty %s", key)
			}
		}
		if err := initial(n); err != nil {
			return err
		}
		for _, x := range n {
			if err := f.walk(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// initial says whether each initial option is one of the options, to the letter, as Slack wants it.
func initial(n map[string]any) error {
	options, ok := n["options"].([]any)
	if !ok {
		return nil
	}
	known := map[string]bool{}
	for _, o := range options {
		raw, err := json.Marshal(o)
		if err != nil {
			return fmt.Errorf("write an option: %w", err)
		}
		known[string(raw)] = true
	}
	chosen, _ := n["initial_options"].([]any)
	if one, ok := n["initial_option"]; ok {
		chosen = append(chosen, one)
	}
	for _, o := range chosen {
		raw, err := json.Marshal(o)
		if err != nil {
			return fmt.Errorf("write an option: %w", err)
		}
		if !known[string(raw)] {
			return fmt.Errorf("initial option %s is none of the options", raw)
		}
	}
	return nil
}
