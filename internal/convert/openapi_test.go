package convert

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestOpenAPIIsBounded: of a large description as many operations are written as
// asked for, and the rest is counted.
func TestOpenAPIIsBounded(t *testing.T) {
	t.Parallel()
	var doc strings.Builder
	doc.WriteString("openapi: 3.1.0\ninfo: {title: Large, version: '1'}\nservers: [{url: 'https://api.example.com'}]\npaths:\n")
	for i := range 500 {
		fmt.Fprintf(&doc, "  /list/%d: {get: {responses: {'200': {$ref: '#/components/responses/node'}}}, post: {responses: {}}}\n", i)
	}
	doc.WriteString(`components:
  responses: {node: {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/node'}}}}}
  schemas: {node: {type: object, required: [next], properties: {next: {$ref: '#/components/schemas/node'}}}}
`)
	for _, tt := range []struct{ max, steps int }{{0, 20}, {3, 3}, {500, 500}} {
		var out bytes.Buffer
		if err := OpenAPI(&out, strings.NewReader(doc.String()), Options{Max: tt.max}); err != nil {
			t.Fatal(err)
		}
		s := parsed(t, out.String())
		steps := 0
		for _, sc := range s.Scenarios {
			steps += len(sc.Steps)
		}
		if steps != tt.steps {
			t.Errorf("--max %d: %d steps, want %d", tt.max, steps, tt.steps)
		}
		if want := fmt.Sprintf("%d operations beyond the first %d", 1000-tt.steps, tt.steps); !strings.Contains(out.String(), want) {
			t.Errorf("--max %d: the spec does not say %q", tt.max, want)
		}
		if listed := strings.Count(out.String(), "# -   GET ") + strings.Count(out.String(), "# -   POST "); listed > openAPIListed {
			t.Errorf("--max %d: %d operations are listed, want at most %d", tt.max, listed, openAPIListed)
		}
	}
}

// TestOpenAPISecurity: each scheme that a description asks for has a place, and
// its credentials come from the environment.
func TestOpenAPISecurity(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, scheme, want string }{
		{"basic", "{type: http, scheme: basic}", `basic = { user = "${API_USER:-set-me}", password = "{{ api_password }}" }`},
		{"bearer", "{type: http, scheme: bearer}", `bearer = "{{ api_token }}"`},
		{"key in a header", "{type: apiKey, in: header, name: X-Key}", `X-Key = "{{ api_key }}"`},
		{
			"client credentials", "{type: oauth2, flows: {clientCredentials: {tokenUrl: 'https://login.example.com/token', scopes: {}}}}",
			`oauth2 = { token_url = "https://login.example.com/token", client_id = "${CLIENT_ID:-set-me}", client_secret = "{{ client_secret }}" }`,
		},
		{
			"a person's login", "{type: oauth2, flows: {authorizationCode: {authorizationUrl: 'https://a.example.com', tokenUrl: 'https://a.example.com', scopes: {}}}}",
			`bearer = "{{ api_token }}"`,
		},
		{"key in a cookie", "{type: apiKey, in: cookie, name: sid}", "# - the security scheme own (apiKey): loadline has no key for it"},
		{"certificates", "{type: mutualTLS}", "# - the security scheme own (mutualTLS): loadline has no key for it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doc := "openapi: 3.1.0\ninfo: {title: A, version: '1'}\nsecurity: [{own: []}]\npaths: {/a: {get: {responses: {}}}}\ncomponents: {securitySchemes: {own: " + tt.scheme + "}}\n"
			var out bytes.Buffer
			if err := OpenAPI(&out, strings.NewReader(doc), Options{}); err != nil {
				t.Fatal(err)
			}
			parsed(t, out.String())
			if !strings.Contains(out.String(), tt.want) {
				t.Errorf("want %s in\n%s", tt.want, out.String())
			}
		})
	}
}
