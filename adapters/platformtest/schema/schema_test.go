package schema

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const document = `{"definitions": {
	"Block": {"anyOf": [
		{"$ref": "#/definitions/Text"}, {"$ref": "#/definitions/Image"}, {"$ref": "#/definitions/Row"}]},
	"Text": {"type": "object", "additionalProperties": false, "required": ["type", "text"],
		"properties": {"type": {"const": "text"}, "text": {"type": "string", "maxLength": 5}}},
	"Image": {"anyOf": [
		{"type": "object", "required": ["type", "url"], "properties": {"type": {"const": "image"}}},
		{"type": "object", "required": ["type", "file"], "properties": {"type": {"const": "image"}}}]},
	"Row": {"type": "object", "required": ["type", "parts"], "properties": {
		"type": {"type": "integer", "enum": [1], "allOf": [{"maximum": 9}]},
		"parts": {"type": "array", "items": {"$ref": "#/definitions/Block"}}}},
	"Either": {"oneOf": [{"type": "null"}, {"$ref": "#/definitions/Text"}]}
}}`

func TestValidateByType(t *testing.T) {
	read, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewCompiler("blocks.json", read)
	if err != nil {
		t.Fatal(err)
	}
	definitions, _ := read.(map[string]any)["definitions"].(map[string]any)
	block, _ := definitions["Block"].(map[string]any)
	types, _ := block[byType].(map[string]any)
	if got := slices.Sorted(maps.Keys(types)); !slices.Equal(got, []string{"1", "image", "text"}) {
		t.Errorf("types are %v", got)
	}
	for _, test := range []struct {
		definition, body string
		valid            bool
	}{
		{"Block", `{"type": "text", "text": "short"}`, true},
		{"Block", `{"type": "text", "text": "too long"}`, false},
		{"Block", `{"type": "text", "text": "short", "more": 1}`, false},
		{"Block", `{"type": "image", "url": "x"}`, true},
		{"Block", `{"type": "image", "file": "x"}`, true},
		{"Block", `{"type": "image"}`, false},
		{"Block", `{"type": 1, "parts": [{"type": "text", "text": "short"}]}`, true},
		{"Block", `{"type": 1, "parts": [{"type": "text", "text": "too long"}]}`, false},
		{"Block", `{"type": "table"}`, false},
		{"Block", `{"text": "short"}`, false},
		{"Block", `"text"`, false},
		{"Either", `null`, true},
		{"Either", `{"type": "text", "text": "short"}`, true},
		{"Either", `{"type": "image", "url": "x"}`, false},
	} {
		s, err := c.Compile("blocks.json#/definitions/" + test.definition)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(value); (err == nil) != test.valid {
			t.Errorf("%s %s: %v", test.definition, test.body, err)
		}
	}
}
