package spec

import (
	"errors"
	"path"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
)

// bodyKeys are the ways to write a body.
var bodyKeys = []string{"json", "form", "multipart", "graphql", "body", "body_file"}

// headerNames are the headers, in lower case, that [http.headers] sets.
type headerNames map[string]bool

func (h headerNames) add(pairs []Pair) {
	for _, p := range pairs {
		h[strings.ToLower(p.Name)] = true
	}
}

// body reads what a step sends; nil when it sends nothing.
func (b *builder) body(t *table, s *Step, sc *scope) *Body {
	kind := t.oneOf(bodyKeys...)
	if kind == "" {
		return nil
	}
	body := &Body{Kind: kind}
	switch kind {
	case "json":
		n, _ := t.row("json", jsonKind)
		body.ContentType = "application/json"
		body.JSON = b.json(n, sc)
	case "form":
		body.ContentType = "application/x-www-form-urlencoded"
		body.Form = t.pairs("form", sc)
	case "multipart":
		body.ContentType = "multipart/form-data"
		body.Parts = b.parts(t, sc)
	case "graphql":
		body.ContentType = "application/json"
		body.JSON = b.graphql(t.table("graphql"), sc)
	case "body":
		body.ContentType = "text/plain; charset=utf-8"
		body.Text = t.template("body", sc)
	case "body_file":
		name, content, ok := b.file(t, "body_file", maxBodyFile)
		if ok {
			body.ContentType = contentType(name)
			body.File = content
		}
	}
	own := headerNames{}
	own.add(s.Headers)
	if own["content-type"] || b.defaults["content-type"] {
		body.ContentType = ""
	}
	return body
}

// json reads a document with templates in its strings.
func (b *builder) json(n *node, sc *scope) *rule.JSON {
	ok := b.finite(n)
	value := n.plain(func(text *node) string {
		s, filled := b.templateText(text)
		if !filled {
			ok = false
			return ""
		}
		if b.parseTemplate(text, s, 0, sc) == nil {
			ok = false
		}
		return s
	})
	if !ok {
		return nil
	}
	doc, err := rule.NewJSON(value)
	if err != nil {
		if e := new(rule.Error); errors.As(err, &e) {
			b.bad(n, e.Hint, "%s", e.Msg)
		} else {
			b.bad(n, "", "%s", err)
		}
		return nil
	}
	b.resolveKeys(n, sc)
	return doc
}

// resolveKeys checks the templates in names of members.
func (b *builder) resolveKeys(n *node, sc *scope) {
	for _, k := range n.kids {
		if n.kind == tableNode && strings.Contains(k.name, "{{") {
			if t, err := rule.ParseTemplate(k.name); err == nil {
				for _, use := range t.Names() {
					if message, hint := b.unresolved(k, use.Name, sc); message != "" {
						b.badKey(k, hint, "%s", message)
					}
				}
			}
		}
		b.resolveKeys(k, sc)
	}
}

// graphql reads a GraphQL request as the JSON document it is sent as
// (https://graphql.github.io/graphql-over-http/draft/#sec-Request-Parameters).
func (b *builder) graphql(t *table, sc *scope) *rule.JSON {
	t.need("query")
	query := t.template("query", sc)
	operation, hasOperation := t.text("operation")
	n, _ := t.row("variables", jsonKind)
	var variables *rule.JSON
	if n != nil {
		if n.kind != tableNode {
			b.bad(n, "", "variables is %s: want a table", n.written(stringOf(n)))
			return nil
		}
		if variables = b.json(n, sc); variables == nil {
			return nil
		}
	}
	if query == nil {
		return nil
	}
	doc := map[string]any{"query": query.Text()}
	if variables != nil {
		doc["variables"] = n.plain(func(text *node) string {
			s, _ := b.templateText(text)
			return s
		})
	}
	if hasOperation {
		doc["operationName"] = operation
	}
	out, err := rule.NewJSON(doc)
	if err != nil {
		b.bad(t.n, "", "%s", err)
		return nil
	}
	return out
}

// parts reads a multipart body: strings and files.
func (b *builder) parts(t *table, sc *scope) []Part {
	n, k := t.row("multipart", partsKind)
	var out []Part
	b.eachKey(n, k, func(item *node) {
		if item.kind != tableNode {
			if v := b.scalarTemplate(item, sc); v != nil {
				out = append(out, Part{Name: item.name, Value: v})
			}
			return
		}
		part := b.open(item, k.of)
		part.need("file")
		kind := part.textOr("type", "")
		if name, content, ok := b.file(part, "file", maxBodyFile); ok {
			if kind == "" {
				kind = contentType(name)
			}
			out = append(out, Part{Name: item.name, FileName: path.Base(name), Type: kind, Content: content})
		}
	})
	return out
}

// contentType goes by the extension. The system's own table would make the same
// spec send different requests on different machines.
func contentType(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".json":
		return "application/json"
	case ".xml":
		return "application/xml"
	case ".csv":
		return "text/csv; charset=utf-8"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".html", ".htm":
		return "text/html; charset=utf-8"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".png":
		return "image/png"
	case ".gif":
		return "image/gif"
	case ".webp":
		return "image/webp"
	case ".svg":
		return "image/svg+xml"
	case ".pdf":
		return "application/pdf"
	case ".zip":
		return "application/zip"
	default:
		return "application/octet-stream"
	}
}
