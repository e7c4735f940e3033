package convert

import (
	"bytes"
	"strings"
	"testing"
)

// TestReferences: references lead through escapes, lists and each other; those
// that lead nowhere, to other files or in a circle are told, and end.
func TestReferences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, get, components, want, err string }{
		{
			"a response", "{responses: {'200': {$ref: '#/components/responses/list'}}}",
			"responses: {list: {content: {application/json: {schema: {type: array}}}}}", "$ is array", "",
		},
		{
			"through another", "{responses: {'200': {$ref: '#/components/responses/a'}}}",
			"responses: {a: {$ref: '#/components/responses/b'}, b: {content: {application/json: {schema: {type: array}}}}}", "$ is array", "",
		},
		{
			"with escapes, into a list", "{parameters: [{$ref: '#/paths/~1with~0tilde~1%7Bid%7D/parameters/1'}], responses: {}}",
			`x: 1`, `query   = { b = "2" }`, "",
		},
		{
			"a type or null", "{responses: {'200': {content: {application/json: {schema: {type: [array, 'null']}}}}}}",
			"x: 1", "$ is array", "",
		},
		{
			"a schema that has itself", "{parameters: [{name: q, in: query, required: true, schema: {$ref: '#/components/schemas/node'}}], responses: {}}",
			"schemas: {node: {type: object, properties: {next: {$ref: '#/components/schemas/node'}}}}", "It needs values for q.", "",
		},
		{
			"nowhere", "{responses: {'200': {$ref: '#/components/responses/gone'}}}", "x: 1", "",
			"it refers to #/components/responses/gone, which is not in it: check the description with a linter",
		},
		{
			"not a pointer", "{responses: {'200': {$ref: '#list'}}}", "x: 1", "",
			"it refers to #list, which is not in it: check the description with a linter",
		},
		{
			"in a circle", "{responses: {'200': {$ref: '#/components/responses/a'}}}",
			"responses: {a: {$ref: '#/components/responses/b'}, b: {$ref: '#/components/responses/a'}}", "",
			"its references go round in a circle: check the description with a linter",
		},
		{
			"another file", "{responses: {'200': {$ref: 'other.yaml#/a'}}}", "x: 1", "",
			"it refers to other files: bundle it into one file first, for example with `npx @redocly/cli bundle`",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doc := "openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths:\n  /a: {get: " + tt.get + "}\n" +
				"  '/with~tilde/{id}': {parameters: [{name: id, in: path}, {name: b, in: query, required: true, example: 2}]}\n" +
				"components: {" + tt.components + "}\n"
			var out bytes.Buffer
			err := OpenAPI(&out, strings.NewReader(doc), Options{})
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("got  %v\nwant %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			parsed(t, out.String())
			if !strings.Contains(out.String(), tt.want) {
				t.Errorf("want %s in\n%s", tt.want, out.String())
			}
		})
	}
}
