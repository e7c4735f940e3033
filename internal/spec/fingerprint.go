package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
)

// The fingerprint covers what shapes the numbers, so that a run is never
// compared with one of another load. It is made from the tree by the key table:
// a value that is its default, the order of keys and tables, comments and
// spelling ("60s", "1m") make no difference. Text is taken as the file has it,
// with ${NAME} unfilled: the environment of a run, say the commit in a header,
// is not part of the spec. Numbers and durations are taken as filled in.

// unprinted are the keys that shape no numbers, by section.
var unprinted = map[string]bool{
	// Who and where, and how it is judged.
	".version": true, ".name": true, ".description": true, ".target": true, ".secrets": true, ".metrics": true,
	".gate": true, ".observe": true, ".diagnose": true, ".profile": true,
	// Credentials, and how the target is reached.
	"http.user_agent": true, "http.proxy": true, "http.resolve": true, "http.auth": true,
	"tls.ca": true, "tls.cert": true, "tls.key": true, "tls.server_name": true, "tls.insecure": true,
	// Another seed picks other rows, of the same kind; limits do not send anything.
	"load.seed": true, "load.stop_when": true,
	// What is noted down of an answer.
	"step.record": true, "step.tags": true, "step.control": true, "scenario.tags": true,
	// Data is covered by its digest.
	"data.file": true, "data.rows": true, "data.format": true, "data.delimiter": true, "data.cast": true,
}

// A printer writes a canonical form of tables, to be hashed.
type printer struct {
	b   *builder
	out strings.Builder
}

// fingerprint sets the spec's fingerprint and that of each part.
func (b *builder) fingerprint(root *node) {
	parts := map[string]string{}
	part := func(name string, write func(*printer)) {
		p := &printer{b: b}
		write(p)
		sum := sha256.Sum256([]byte(p.out.String()))
		parts[name] = hex.EncodeToString(sum[:])[:16]
	}
	for _, name := range []string{"vars", "http", "user", "setup", "teardown"} {
		k := sectionOf("").key(name)
		part(name, func(p *printer) { p.value(root.kid(name), k) })
	}
	// The plan says what any spelling of the load comes to.
	part("load", func(p *printer) {
		for _, track := range b.spec.Load.Tracks {
			p.track(track)
		}
	})
	for _, f := range b.spec.Feeds {
		part("data."+f.Name, func(p *printer) { p.json([]any{f.Columns, f.Rows, f.Order, f.Per, f.AtEnd}) })
	}
	for _, w := range b.walks {
		if w.off == "" {
			part("scenario."+w.scenario.Name, func(p *printer) { p.table(w.table.n, w.table.sec) })
		}
	}
	b.spec.Parts = parts
	all := sha256.New()
	for _, name := range sortedKeys(parts) {
		all.Write([]byte(name + "\x00" + parts[name] + "\n"))
	}
	b.spec.Fingerprint = hex.EncodeToString(all.Sum(nil))[:32]
}

func (p *printer) json(v any) {
	out, err := json.Marshal(v)
	if err != nil {
		panic("spec: cannot print " + err.Error()) // only plain values come here
	}
	p.write(string(out))
}

// write adds text so that no two lists of texts come to the same.
func (p *printer) write(text string) {
	p.out.WriteString(strconv.Itoa(len(text)) + ":" + text)
}

// track writes a load without its shares: each scenario's part has its weight.
// The fields are named here, so that a new one in plan changes no fingerprint.
func (p *printer) track(t plan.Track) {
	p.json([]any{t.Name, t.Start, t.Open, t.SpawnRate, t.Iterations, t.IterationsPerUser, t.MaxUsers, t.Poisson, t.GracefulStop})
	for _, s := range t.Stages {
		p.json([]any{s.Name, s.Duration, s.From, s.To, s.Measure})
	}
}

// emptyTable is what a table without keys, or with defaults only, comes to.
const emptyTable = "1:{1:}"

// table writes the keys of a table in the order of their names.
func (p *printer) table(n *node, sec *section) {
	if n == nil {
		p.out.WriteString(emptyTable)
		return
	}
	kids := slices.Clone(n.kids)
	slices.SortFunc(kids, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	p.write("{")
	for _, kid := range kids {
		k := sec.key(kid.name)
		if k == nil || unprinted[sec.name+"."+kid.name] || k.kind == tableKind && k.of == "load" || p.isDefault(kid, k) {
			continue
		}
		sub := &printer{b: p.b}
		sub.value(kid, k)
		if text := sub.out.String(); text != emptyTable && text != emptyList {
			p.write(kid.name)
			p.out.WriteString(text)
		}
	}
	p.write("}")
}

// emptyList is what a list of no tables comes to.
const emptyList = "1:[1:]"

func (p *printer) value(n *node, k *key) {
	switch {
	case n == nil && k.kind == tablesKind:
		p.out.WriteString(emptyList)
	case n == nil || n.kind == tableNode && len(n.kids) == 0 && k.kind != jsonKind:
		p.out.WriteString(emptyTable)
	case n.kind == tableNode && k.of != "" && k.kind != checksKind && k.kind != partsKind:
		p.table(n, sectionOf(k.of))
	case n.kind == listNode && k.kind == tablesKind:
		p.write("[")
		for _, item := range n.kids {
			p.table(item, sectionOf(k.of))
		}
		p.write("]")
	case k.kind == fileKind:
		p.file(n)
	case k.kind == partsKind && n.kind == tableNode:
		for _, item := range n.kids {
			p.write(item.name)
			if item.kind == tableNode {
				p.table(item, sectionOf(k.of))
			} else {
				p.any(item)
			}
		}
	default:
		p.write(p.canonical(n, k))
	}
}

// file writes a digest of what is in a file, not its name.
func (p *printer) file(n *node) {
	sum := sha256.Sum256(p.b.files.get(p.b.textOf(n), maxBodyFile).content)
	p.write(hex.EncodeToString(sum[:]))
}

// any writes a value of no known kind.
func (p *printer) any(n *node) { p.json(n.plain(stringOf)) }

func (p *printer) isDefault(n *node, k *key) bool {
	if k.def == "" {
		return false
	}
	def := &node{value: strings.Trim(k.def, `"`)}
	switch k.kind {
	case integerKind:
		v, _ := strconv.ParseInt(k.def, 10, 64)
		def.value = v
	case numberKind:
		v, _ := strconv.ParseFloat(k.def, 64)
		def.value = v
	case booleanKind:
		def.value = k.def == "true"
	default: // written as text
	}
	return p.canonical(n, k) == p.canonical(def, k)
}

// canonical is one text for all spellings of a value.
func (p *printer) canonical(n *node, k *key) string {
	quiet := &reader{src: p.b.src, env: p.b.env, secrets: map[string]bool{}, usedNames: map[string]bool{}}
	var v any
	ok := false
	switch k.kind {
	case integerKind:
		v, ok = quiet.integer(n, k)
	case numberKind:
		v, ok = quiet.number(n, k)
	case booleanKind:
		v, ok = quiet.boolean(n, k)
	case durationKind:
		v, ok = quiet.duration(n, k)
	case rateKind:
		v, ok = quiet.rate(n, k)
	case sizeKind:
		v, ok = quiet.size(n, k)
	case percentKind:
		v, ok = quiet.percent(n, k)
	case wordKind:
		v, ok = quiet.word(n, k)
	case thinkKind:
		if text, isText := n.value.(string); isText {
			b := &builder{reader: quiet}
			filled, _ := expand(text, p.b.env, nil, func(variable) {})
			v, ok = b.thinkText(n, k, filled), true
		}
	case expectKind:
		b := &builder{reader: quiet}
		t := &table{reader: quiet, n: &node{kids: []*node{{name: "expect", kind: n.kind, value: n.value, kids: n.kids}}}, sec: sectionOf("step")}
		v, ok = b.expect(t), true
	default: // has one spelling
	}
	if d, isDuration := v.(time.Duration); isDuration {
		v = int64(d)
	}
	if !ok {
		v = n.plain(stringOf)
	}
	out, err := json.Marshal(v)
	if err != nil {
		panic("spec: cannot print " + err.Error())
	}
	return string(out)
}
