package scenario

import (
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
)

// body compiles what a request carries, and its Content-Type unless a header of
// the step says another.
func (c *compiler) body(m *message, b *spec.Body) error {
	contentType := b.ContentType
	var err error
	switch b.Kind {
	case "json", "graphql":
		err = c.json(&m.body, b.JSON)
	case "form":
		if m.body.form, err = c.pairs(b.Form); err == nil && !slices.ContainsFunc(m.body.form, func(p pair) bool { return p.value.fill != nil }) {
			m.body.known, err = m.body.append(nil, settings{c.set.spec})
			m.body.form = nil
		}
	case "multipart":
		contentType, err = c.multipart(&m.body, b)
	case "body":
		var t text
		if t, err = c.text(b.Text); err == nil {
			m.body.known, m.body.fill = []byte(t.known), t.fill
		}
	default: // body_file
		m.body.known = b.File
	}
	if err != nil {
		return err
	}
	if contentType != "" {
		i := slices.IndexFunc(m.header, func(h headerFill) bool { return strings.EqualFold(h.name, "Content-Type") })
		if i < 0 {
			m.header = append(m.header, headerFill{name: "Content-Type", value: text{known: contentType}})
		} else if b.Kind == "multipart" { // only this one knows the boundary
			m.header[i].value = text{known: contentType}
		}
	}
	return nil
}

func (c *compiler) json(b *body, doc *rule.JSON) error {
	if known, ok := doc.Literal(); ok {
		b.known = known
		return nil
	}
	if !c.constant(doc.Pure(), doc.Names()) {
		b.json = doc
		return nil
	}
	var err error
	b.known, err = doc.Append(nil, settings{c.set.spec})
	return err
}

// multipart compiles the parts (RFC 7578) and gives the content type.
func (c *compiler) multipart(b *body, from *spec.Body) (contentType string, err error) {
	boundary := newBoundary(from.Parts)
	same := true
	for _, p := range from.Parts {
		part := bodyPart{content: p.Content}
		disposition := map[string]string{"name": p.Name}
		fields := ""
		if p.Value == nil {
			disposition["filename"] = p.FileName
			kind := p.Type
			if kind == "" {
				kind = "application/octet-stream"
			}
			fields = "Content-Type: " + kind + "\r\n"
			if part.content == nil {
				part.content = []byte{}
			}
		} else if part.value, err = c.text(p.Value); err != nil {
			return "", err
		}
		same = same && part.value.fill == nil
		part.head = "--" + boundary + "\r\nContent-Disposition: " + formData(disposition) + "\r\n" + fields + "\r\n"
		b.parts = append(b.parts, part)
	}
	b.end = "--" + boundary + "--\r\n"
	contentType = mime.FormatMediaType("multipart/form-data", map[string]string{"boundary": boundary})
	if same {
		b.known, err = b.append(nil, settings{c.set.spec})
		b.parts = nil
	}
	return contentType, err
}

// formData writes a Content-Disposition. Quotes and line breaks in names are
// percent-encoded, as browsers do (WHATWG HTML, multipart/form-data encoding).
func formData(of map[string]string) string {
	escape := strings.NewReplacer("\r", "%0D", "\n", "%0A", `"`, "%22")
	out := `form-data; name="` + escape.Replace(of["name"]) + `"`
	if file, ok := of["filename"]; ok {
		out += `; filename="` + escape.Replace(file) + `"`
	}
	return out
}

// newBoundary finds a boundary that is in none of the files. It is the same in
// every run, so that requests are.
func newBoundary(parts []spec.Part) string {
	for n := 0; ; n++ {
		boundary := fmt.Sprintf("loadline-%08x", n*0x9e3779b1+0x6c6f6164)
		if !slices.ContainsFunc(parts, func(p spec.Part) bool { return strings.Contains(string(p.Content), boundary) }) {
			return boundary
		}
	}
}
