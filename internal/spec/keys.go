package spec

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/unit"
)

// A key is one row of the key table: all that is known about one key of a spec.
// The reader of specs, the reference, `explain` and the JSON schema are made
// from these rows and from nothing else.
type key struct {
	name     string // "*" where the user chooses the names
	kind     kind
	def      string  // default as a spec would write it; "" when there is none
	need     bool    // required
	from, to float64 // range: durations in seconds, shares as 0 to 1
	words    []string
	of       string // name of the section that describes the table or tables
	help     string
}

// A section is one kind of table and the keys it may have.
type section struct {
	name   string // as key.of refers to it
	header string // as a spec writes it
	help   string
	keys   []key
}

// A kind is what may stand behind a key.
type kind int

const (
	textKind     kind = iota // string
	templateKind             // string with {{ }}
	integerKind
	numberKind
	booleanKind
	durationKind
	rateKind
	levelKind // users or rate
	sizeKind
	percentKind
	wordKind // one of key.words
	fileKind // path below the spec's folder
	urlKind
	quantityKind // number, size or percentage
	textsKind    // list of strings
	wordsKind    // list of key.words
	tableKind    // table of key.of
	tablesKind   // list of tables of key.of
	namedKind    // table of tables of key.of, under names of the user
	pairsKind    // table of strings with {{ }}, or lists of them
	tagsKind     // table of strings
	scalarsKind  // table of strings, numbers, booleans
	typesKind    // table of key.words
	requestKind
	expectKind
	thinkKind
	checkKind
	checksKind
	capturesKind
	recordsKind
	limitKind
	limitsKind
	thresholdsKind
	ruleKind
	comparesKind
	forEachKind
	patternKind // regular expression
	jsonKind
	partsKind // of a multipart body
	rowsKind  // rows of a feed
)

// kindNames are how the reference calls the kinds.
var kindNames = map[kind]string{
	textKind: "string", templateKind: "string", integerKind: "integer", numberKind: "number",
	booleanKind: "boolean", durationKind: "duration", rateKind: "rate", levelKind: "integer (users) or rate",
	sizeKind: "size", percentKind: "percent", fileKind: "path", urlKind: "URL", quantityKind: "number, size or percent",
	textsKind: "list of strings", tagsKind: "table of strings", scalarsKind: "table of strings, numbers, booleans",
	pairsKind: "table of strings, or lists of them", requestKind: `"METHOD /path" or "METHOD https://..."`,
	expectKind: `status, "2xx", or a list of them`, thinkKind: "duration, range or distribution",
	checkKind: "check", checksKind: "list of checks, or table name = check", capturesKind: "table variable = source",
	recordsKind: "table metric = source, number or check", limitKind: "limit", limitsKind: "list of limits",
	thresholdsKind: "list of limits", ruleKind: "rule", comparesKind: "list of rules", forEachKind: `"x in list"`,
	patternKind: "regular expression", jsonKind: "any value", partsKind: "table of strings and files",
	rowsKind: "list of tables",
}

// typeName is how the reference calls what may stand behind the key.
func (k *key) typeName() string {
	switch k.kind {
	case wordKind:
		return "`" + strings.Join(k.words, "` `") + "`"
	case wordsKind:
		return "list of words"
	case typesKind:
		return "name = `" + strings.Join(k.words, "` `") + "`"
	case tableKind:
		return "table"
	case tablesKind:
		return "tables"
	case namedKind:
		return "named tables"
	default:
		return kindNames[k.kind]
	}
}

// want says in an error what may stand behind the key.
func (k *key) want() string {
	switch k.kind {
	case integerKind:
		return "an integer" + k.rangeText()
	case numberKind:
		return "a number" + k.rangeText()
	case booleanKind:
		return "true or false"
	case durationKind:
		return `a duration, like "30s"`
	case rateKind:
		return `a rate, like "50/s"`
	case levelKind:
		return `users, like 10, or a rate, like "50/s"`
	case sizeKind:
		return `a size, like "1MiB"`
	case percentKind:
		return `a percentage, like "95%"`
	case quantityKind:
		return `a number, a size like "2GiB", or a percentage`
	case wordKind:
		return orList(k.words)
	case tableKind, namedKind:
		return "a table"
	case tablesKind, rowsKind:
		return "a list of tables"
	case textsKind, wordsKind:
		return "a list of strings"
	case tagsKind, pairsKind, scalarsKind, typesKind, capturesKind, recordsKind, partsKind:
		return "a table"
	case checksKind:
		return `a list of checks, like ["status == 200"], or a table name = check`
	case limitsKind, thresholdsKind:
		return `a list of limits, like ["latency.p95 < 500ms"]`
	case comparesKind:
		return `a list of rules, like ["latency.p95 within 10% or 5ms"]`
	case expectKind:
		return `a status like 200, a class like "2xx", or a list of them`
	case thinkKind:
		return `a duration like "1s", a range like "1s..3s", or a table with mean`
	default:
		return "a string"
	}
}

func (k *key) rangeText() string {
	switch {
	case k.to == 0:
		return ""
	case k.from == k.to:
		return ", " + k.bound(k.to)
	case math.IsInf(k.to, 1):
		return ", " + k.bound(k.from) + " or more"
	default:
		return " from " + k.bound(k.from) + " to " + k.bound(k.to)
	}
}

// bound writes one end of the key's range as a spec would.
func (k *key) bound(x float64) string {
	switch k.kind {
	case durationKind, thinkKind:
		return unit.FormatDuration(time.Duration(x * float64(time.Second)))
	case rateKind, levelKind:
		return unit.FormatRate(x)
	case sizeKind:
		return unit.FormatSize(int64(x))
	case percentKind:
		return unit.FormatPercent(x)
	default:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
}

func (k *key) inRange(x float64) bool { return k.to == 0 || x >= k.from && x <= k.to }

// orList joins words for an error: "a", "b" or "c".
func orList(words []string) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(w))
	}
	return b.String()
}

// sectionOf finds a section by its name. Asking for one that is not in the
// table is a mistake in loadline.
func sectionOf(name string) *section {
	s := sections[name]
	if s == nil {
		panic("spec: no section " + name + " in the key table")
	}
	return s
}

func (s *section) key(name string) *key {
	for i := range s.keys {
		if s.keys[i].name == name {
			return &s.keys[i]
		}
	}
	return nil
}

func (s *section) names() []string {
	names := make([]string, len(s.keys))
	for i, k := range s.keys {
		names[i] = k.name
	}
	return names
}

var sections = func() map[string]*section {
	m := make(map[string]*section, len(keyTable))
	for i := range keyTable {
		m[keyTable[i].name] = &keyTable[i]
	}
	return m
}()
