package scenario

import "github.com/loadline-ci/loadline/internal/rule"

// A body is what a request carries: at most one of its fields is set.
type body struct {
	known []byte
	fill  *rule.Template // text
	json  *rule.JSON
	form  []pair
	parts []bodyPart // multipart
	end   string     // what closes the parts
}

type bodyPart struct {
	head    string // boundary and header fields
	value   text
	content []byte // of a file
}

func (b *body) append(dst []byte, env rule.Env) ([]byte, error) {
	switch {
	case b.fill != nil:
		return b.fill.Append(dst, env)
	case b.json != nil:
		return b.json.Append(dst, env)
	case b.form != nil:
		return b.appendForm(dst, env)
	case b.parts != nil:
		return b.appendParts(dst, env)
	default:
		return dst, nil
	}
}

func (b *body) appendForm(dst []byte, env rule.Env) ([]byte, error) {
	var err error
	for i := range b.form {
		f := &b.form[i]
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(append(dst, f.name...), '=')
		if dst, err = f.value.appendEncoded(dst, env); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func (b *body) appendParts(dst []byte, env rule.Env) ([]byte, error) {
	var err error
	for i := range b.parts {
		p := &b.parts[i]
		dst = append(dst, p.head...)
		if p.content != nil {
			dst = append(dst, p.content...)
		} else if dst, err = p.value.append(dst, env); err != nil {
			return dst, err
		}
		dst = append(dst, "\r\n"...)
	}
	return append(dst, b.end...), nil
}

// filled says whether the body differs from one request to the next.
func (b *body) filled() bool {
	return b.fill != nil || b.json != nil || b.form != nil || b.parts != nil
}
