// Package schema compiles the JSON schemas of chat platforms for tests. It validates a body of a
// platform several times as fast as the library alone: where a value may be one of many kinds, it
// looks at the value's type and validates that kind only.
package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// byType is the keyword that takes the place of anyOf and oneOf. It holds a schema for each type.
const byType = "byType"

// NewCompiler returns a compiler with a document that it has changed: see byType.
func NewCompiler(url string, document any) (*jsonschema.Compiler, error) {
	simplify(document, document)
	c := jsonschema.NewCompiler()
	c.RegisterVocabulary(&jsonschema.Vocabulary{
		URL:        "maturitybot:by-type",
		Subschemas: []jsonschema.SchemaPath{{jsonschema.Prop(byType), jsonschema.AllProp{}}},
		Compile:    compile,
	})
	c.AssertVocabs()
	if err := c.AddResource(url, document); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	return c, nil
}

// simplify puts byType in the place of each list of alternatives that types tell apart, and drops
// what else is said of a property that can only have one value.
func simplify(root, node any) {
	switch n := node.(type) {
	case []any:
		for _, x := range n {
			simplify(root, x)
		}
	case map[string]any:
		if values, ok := n["enum"].([]any); ok && len(values) == 1 {
			delete(n, "allOf")
		}
		for _, keyword := range []string{"anyOf", "oneOf"} {
			alternatives, _ := n[keyword].([]any)
			if schemas := distinct(root, alternatives); len(alternatives) > 1 && schemas != nil {
				delete(n, keyword)
				n[byType] = schemas
			}
		}
		for _, x := range n {
			simplify(root, x)
		}
	}
}

// distinct returns the alternatives by their types, or nil when types do not tell them apart.
func distinct(root any, alternatives []any) map[string]any {
	schemas := map[string]any{}
	for _, a := range alternatives {
		types := typesOf(root, a)
		if len(types) == 0 {
			return nil
		}
		for _, t := range types {
			if _, ok := schemas[t]; ok {
				return nil
			}
			schemas[t] = a
		}
	}
	return schemas
}

// typesOf returns the values that the property type of an object can have, or nil when it can have
// any or be missing.
func typesOf(root, node any) []string {
	n, _ := node.(map[string]any)
	if ref, ok := n["$ref"].(string); ok {
		target, ok := resolve(root, ref)
		if !ok {
			return nil
		}
		return typesOf(root, target)
	}
	if already, ok := n[byType].(map[string]any); ok {
		return slices.Sorted(maps.Keys(already))
	}
	for _, keyword := range []string{"anyOf", "oneOf"} {
		alternatives, ok := n[keyword].([]any)
		if !ok {
			continue
		}
		all := map[string]bool{}
		for _, a := range alternatives {
			types := typesOf(root, a)
			if len(types) == 0 {
				return nil
			}
			for _, t := range types {
				all[t] = true
			}
		}
		return slices.Sorted(maps.Keys(all))
	}
	required, _ := n["required"].([]any)
	if n["type"] != "object" || !slices.Contains(required, any("type")) {
		return nil
	}
	properties, _ := n["properties"].(map[string]any)
	typ, _ := properties["type"].(map[string]any)
	if value, ok := typ["const"]; ok {
		return []string{fmt.Sprint(value)}
	}
	var all []string
	values, _ := typ["enum"].([]any)
	for _, value := range values {
		all = append(all, fmt.Sprint(value))
	}
	return all
}

// resolve returns what a reference inside the document refers to.
func resolve(root any, ref string) (target any, ok bool) {
	path, ok := strings.CutPrefix(ref, "#/")
	target = root
	for _, key := range strings.Split(path, "/") {
		n, isObject := target.(map[string]any)
		if !ok || !isObject {
			return nil, false
		}
		target, ok = n[key]
	}
	return target, ok
}

// alternatives are the schemas of a byType.
type alternatives map[string]*jsonschema.Schema

func compile(c *jsonschema.CompilerContext, node map[string]any) (jsonschema.SchemaExt, error) {
	schemas, ok := node[byType].(map[string]any)
	if !ok {
		return nil, nil
	}
	compiled := alternatives{}
	for t := range schemas {
		compiled[t] = c.Enqueue([]string{byType, t})
	}
	return compiled, nil
}

// Validate validates a value by the schema of its type.
func (a alternatives) Validate(c *jsonschema.ValidatorContext, value any) {
	object, _ := value.(map[string]any)
	schema := a[fmt.Sprint(object["type"])]
	if schema == nil {
		var types []any
		for _, t := range slices.Sorted(maps.Keys(a)) {
			types = append(types, t)
		}
		c.AddError(&kind.Enum{Got: object["type"], Want: types})
		return
	}
	if err := c.Validate(schema, value, nil); err != nil {
		c.AddErr(err)
	}
}
