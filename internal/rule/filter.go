package rule

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
	"strings"
)

// A filterKind is what stands behind | in a template.
type filterKind uint8

const (
	filterBase64 filterKind = iota
	filterHex
	filterURLEncode
	filterJSON
	filterSHA256
	filterMD5
	filterHMAC
	filterUpper
	filterLower
	filterInt
	filterString
)

var filterNames = []string{"base64", "hex", "urlencode", "json", "sha256", "md5", "hmac_sha256", "upper", "lower", "int", "string"}

var filterKinds = func() map[string]filterKind {
	m := map[string]filterKind{}
	for i, name := range filterNames {
		m[name] = filterKind(i)
	}
	return m
}()

var foreignFilters = map[string]string{
	"b64": "base64", "b64encode": "base64", "base64encode": "base64", "encode": "urlencode", "url": "urlencode", "escape": "urlencode",
	"tojson": "json", "toJSON": "json", "stringify": "json", "hmac": "hmac_sha256", "sha": "sha256",
	"uppercase": "upper", "toUpper": "upper", "lowercase": "lower", "toLower": "lower", "number": "int", "integer": "int", "str": "string", "text": "string",
}

// filter reads the filter behind a |.
func (p *parser) filter() (filter, *Error) {
	p.space()
	at, name := p.pos, p.peekIdent()
	kind, ok := filterKinds[name]
	if !ok {
		if name == "" {
			name = p.peekWord()
		}
		return filter{}, p.fail(at, didYouMean(name, foreignFilters, filterNames), "unknown filter %q", name)
	}
	p.pos += len(name)
	p.space()
	f := filter{kind: kind}
	if p.peekByte() == '(' {
		var err *Error
		if f.args, err = p.arguments(); err != nil {
			return f, err
		}
	}
	switch {
	case kind == filterHMAC && len(f.args) != 1:
		return f, p.fail(at, `write "hmac_sha256(key)", key being a variable, a secret or 'text'`, "hmac_sha256 with %s", plural(len(f.args), "argument"))
	case kind != filterHMAC && len(f.args) > 0:
		return f, p.fail(at, `write "| `+name+`"`, "%s takes no arguments", name)
	}
	return f, nil
}

// apply puts v through the filter. All but int and json work on the text that a
// template would show.
func (f *filter) apply(v *val, env Env) (val, error) {
	if f.kind == filterInt {
		n, err := v.toInt()
		return intVal(n), err
	}
	if f.kind == filterJSON {
		return textVal(string(v.appendJSON(nil))), nil
	}
	text := v.append(nil)
	switch f.kind {
	case filterBase64:
		return textVal(base64.StdEncoding.EncodeToString(text)), nil
	case filterHex:
		return textVal(hex.EncodeToString(text)), nil
	case filterURLEncode:
		return textVal(string(AppendQuery(nil, text))), nil
	case filterSHA256:
		sum := sha256.Sum256(text)
		return textVal(hex.EncodeToString(sum[:])), nil
	case filterMD5:
		sum := md5.Sum(text)
		return textVal(hex.EncodeToString(sum[:])), nil
	case filterHMAC:
		key, err := f.args[0].eval(env)
		if err != nil {
			return val{}, err
		}
		mac := hmac.New(sha256.New, key.append(nil))
		mac.Write(text)
		return textVal(hex.EncodeToString(mac.Sum(nil))), nil
	case filterUpper:
		return textVal(strings.ToUpper(string(text))), nil
	case filterLower:
		return textVal(strings.ToLower(string(text))), nil
	default: // filterString
		return textVal(string(text)), nil
	}
}

var errNotNumber = errors.New("not a number")

// toInt is v as a whole number; a fraction is cut off.
func (v *val) toInt() (int64, error) {
	if v.kind == kindInt {
		return v.n, nil
	}
	if v.kind == kindText {
		if n, err := strconv.ParseInt(v.text(), 10, 64); err == nil {
			return n, nil
		}
	}
	f, ok := v.number()
	if !ok || math.IsNaN(f) || f < math.MinInt64 || f >= math.MaxInt64 {
		return 0, errNotNumber
	}
	return int64(f), nil
}

// AppendQuery writes text behind dst, percent-encoded for any place in a URL
// or a form: all but the unreserved characters of RFC 3986 section 2.3.
func AppendQuery[T string | []byte](dst []byte, text T) []byte {
	for i := range len(text) {
		c := text[i]
		if isIdent(c) || c == '-' || c == '.' || c == '~' {
			dst = append(dst, c)
			continue
		}
		const upper = "0123456789ABCDEF"
		dst = append(dst, '%', upper[c>>4], upper[c&15])
	}
	return dst
}
