package spec

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/loadline-ci/loadline/internal/rule"
)

// data reads every [data.NAME].
func (b *builder) data(top *table) {
	b.feeds = map[string]*Feed{}
	n, k := top.row("data", namedKind)
	if n == nil {
		return
	}
	b.eachKey(n, k, func(item *node) {
		switch {
		case !identifier(item.name):
			b.badKey(item, `use letters, digits and "_"`, "%s is not a name for data", quote(item.name))
		case item.name == "user":
			b.badKey(item, "choose another name", "{{ user.id }} is built in")
		}
		b.feeds[item.name] = nil
		if feed := b.feed(b.open(item, k.of), item.name); feed != nil {
			b.feeds[item.name] = feed
			b.spec.Feeds = append(b.spec.Feeds, feed)
		}
	})
}

func (b *builder) feed(t *table, name string) *Feed {
	if t.n == nil {
		return nil
	}
	feed := &Feed{Name: name, Order: t.word("order"), Per: t.word("per"), AtEnd: t.word("at_end")}
	if feed.Order == "unique" {
		if feed.AtEnd == "loop" && t.has("at_end") {
			b.badKey(t.n.kid("at_end"), "leave at_end out, or choose another order", `order = "unique" hands a row out once, so it cannot loop`)
		}
		feed.AtEnd = "stop"
	}
	format, delimiter, cast := t.word("format"), b.delimiter(t), t.boolean("cast")
	var ok bool
	switch t.oneOf("file", "rows") {
	case "file":
		ok = b.feedFile(t, feed, format, delimiter, cast)
	case "rows":
		for _, key := range []string{"format", "delimiter", "cast"} {
			if k := t.n.kid(key); k != nil {
				b.badKey(k, "leave it out", "%s goes with file", key)
			}
		}
		ok = b.feedRows(t, feed)
	default:
		b.badKey(t.n, `write file = "`+name+`.csv", or rows = [...]`, "[data.%s] has neither file nor rows", name)
	}
	if !ok {
		return nil
	}
	return feed
}

func (b *builder) delimiter(t *table) rune {
	s, _ := t.text("delimiter")
	r, size := utf8.DecodeRuneInString(s)
	if size != len(s) || size == 0 || r == '"' || r == '\r' || r == '\n' || r == utf8.RuneError {
		b.bad(t.n.kid("delimiter"), `write one character, like ";" or "\t"`, "delimiter is %s", quote(s))
		return ','
	}
	return r
}

func (b *builder) feedFile(t *table, feed *Feed, format string, delimiter rune, cast bool) bool {
	name, content, ok := b.file(t, "file", maxDataFile)
	if !ok {
		return false
	}
	n := t.n.kid("file")
	if format == "" {
		switch strings.ToLower(path.Ext(name)) {
		case ".csv", ".tsv":
			format = "csv"
		case ".json":
			format = "json"
		case ".jsonl", ".ndjson":
			format = "jsonl"
		default:
			b.bad(n, `write format = "csv", "json" or "jsonl"`, "%s does not say its format", name)
			return false
		}
	}
	if strings.EqualFold(path.Ext(name), ".tsv") && !t.has("delimiter") {
		delimiter = '\t'
	}
	for _, key := range []string{"delimiter", "cast"} {
		if k := t.n.kid(key); k != nil && format != "csv" {
			b.badKey(k, "leave it out", "%s goes with CSV, and %s is %s", key, name, format)
		}
	}
	var err error
	switch format {
	case "csv":
		err = readCSV(feed, content, delimiter, cast)
	case "json":
		err = readJSON(feed, content)
	default:
		err = readJSONL(feed, content)
	}
	if err == nil && len(feed.Rows) == 0 {
		err = &rowError{what: "it has no rows", hint: "write at least one"}
	}
	if err == nil {
		return true
	}
	var bad *rowError
	if !errors.As(err, &bad) {
		b.bad(n, "", "%s: %s", name, err)
		return false
	}
	at := name
	if bad.line > 0 {
		at += ":" + strconv.Itoa(bad.line)
	}
	b.bad(n, bad.hint, "%s: %s", at, bad.what)
	return false
}

// A rowError is a mistake in a data file; line is 0 for the file as a whole.
type rowError struct {
	line int
	what string
	hint string
}

func (e *rowError) Error() string { return e.what }

// readCSV reads a file whose first line names the columns. A byte-order mark and
// CRLF are taken off; blank lines are skipped.
func readCSV(feed *Feed, content []byte, delimiter rune, cast bool) error {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(content) {
		return &rowError{what: "it is not UTF-8", hint: "save it as UTF-8"}
	}
	r := csv.NewReader(bytes.NewReader(content))
	r.Comma = delimiter
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			if feed.Columns == nil {
				return &rowError{what: "it is empty", hint: "the first line names the columns"}
			}
			return nil
		}
		if err != nil {
			return csvError(err)
		}
		line, _ := r.FieldPos(0)
		switch {
		case feed.Columns == nil:
			feed.Columns = slices.Clone(record)
			if err := checkColumns(feed.Columns); err != nil {
				return err
			}
			continue
		case len(record) != len(feed.Columns):
			hint := "every row has as many as the first line"
			if len(feed.Columns) == 1 || len(record) == 1 {
				hint += "; is the delimiter right?"
			}
			return &rowError{line: line, what: fmt.Sprintf("the row has %s, and the first line %d", plural(len(record), "field"), len(feed.Columns)), hint: hint}
		}
		row := make([]rule.Value, len(record))
		for i, field := range record {
			if row[i] = rule.Value(strings.Clone(field)); cast {
				row[i] = castField(field)
			}
		}
		feed.Rows = append(feed.Rows, row)
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func csvError(err error) error {
	var e *csv.ParseError
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case errors.Is(e.Err, csv.ErrBareQuote):
		return &rowError{line: e.Line, what: `a field has a " in it and does not begin with one`, hint: `put the field in quotes, and write "" for each quote in it`}
	case errors.Is(e.Err, csv.ErrQuote):
		return &rowError{line: e.StartLine, what: `a field in quotes does not end right`, hint: `end it with ", and write "" for each quote in it`}
	default:
		return &rowError{line: e.Line, what: e.Err.Error()}
	}
}

func checkColumns(columns []string) error {
	seen := map[string]bool{}
	for i, c := range columns {
		columns[i] = strings.TrimSpace(c)
		switch c := columns[i]; {
		case c == "":
			return &rowError{line: 1, what: fmt.Sprintf("column %d has no name", i+1), hint: "the first line names the columns"}
		case seen[c]:
			return &rowError{line: 1, what: fmt.Sprintf("the column %q is there twice", c), hint: "give each column a name of its own"}
		default:
			seen[c] = true
		}
	}
	return nil
}

// castField gives numbers and booleans their types. What would not be written
// the same again stays text: 007, 1e5, +1, and whole numbers too long to be exact.
func castField(s string) rule.Value {
	switch s {
	case "true":
		return true
	case "false":
		return false
	}
	if v, err := strconv.ParseInt(s, 10, 64); err == nil && strconv.FormatInt(v, 10) == s {
		return v
	}
	if strings.Contains(s, ".") {
		if v, err := strconv.ParseFloat(s, 64); err == nil && strconv.FormatFloat(v, 'f', -1, 64) == strings.TrimRight(s, "0") {
			return v
		}
	}
	return strings.Clone(s)
}

// readJSON reads an array of objects; the columns are their members, in the
// order of their names. A member that an object lacks is null.
func readJSON(feed *Feed, content []byte) error {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	var objects []map[string]any
	if err := d.Decode(&objects); err != nil {
		return jsonError(content, err, "an array of objects")
	}
	if d.More() {
		return &rowError{what: "there is more behind the array", hint: `one object per line is format = "jsonl"`}
	}
	return addObjects(feed, objects, func(int) int { return 0 })
}

// readJSONL reads one object per line; blank lines are skipped.
func readJSONL(feed *Feed, content []byte) error {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	var objects []map[string]any
	var lines []int
	s := bufio.NewScanner(bytes.NewReader(content))
	s.Buffer(nil, len(content)+1)
	for line := 1; s.Scan(); line++ {
		text := bytes.TrimSpace(s.Bytes())
		if len(text) == 0 {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var o map[string]any
		err := d.Decode(&o)
		if err == nil && d.More() {
			err = errors.New("more than one value")
		}
		if err != nil {
			return &rowError{line: line, what: "it is not a JSON object", hint: "JSON lines have one object per line"}
		}
		objects, lines = append(objects, o), append(lines, line)
	}
	return addObjects(feed, objects, func(i int) int { return lines[i] })
}

func jsonError(content []byte, err error, want string) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	offset := int64(len(content))
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		return &rowError{line: lineAt(content, kind.Offset), what: "it is not " + want, hint: `write [{ "id": 1 }, { "id": 2 }]`}
	}
	return &rowError{line: lineAt(content, offset), what: "it is not JSON", hint: "want " + want}
}

func lineAt(content []byte, offset int64) int {
	return bytes.Count(content[:min(int(offset), len(content))], []byte("\n")) + 1
}

func addObjects(feed *Feed, objects []map[string]any, line func(int) int) error {
	names := map[string]bool{}
	for i, o := range objects {
		if o == nil {
			return &rowError{line: line(i), what: "row " + strconv.Itoa(i+1) + " is null", hint: "want objects"}
		}
		for name := range o {
			names[name] = true
		}
	}
	feed.Columns = sortedKeys(names)
	for _, o := range objects {
		row := make([]rule.Value, len(feed.Columns))
		for i, c := range feed.Columns {
			row[i] = jsonValue(o[c])
		}
		feed.Rows = append(feed.Rows, row)
	}
	return nil
}

// jsonValue gives numbers the types that run-time values have.
func jsonValue(v any) rule.Value {
	switch v := v.(type) {
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return i
		}
		f, err := v.Float64()
		if err != nil || math.IsInf(f, 0) {
			return string(v)
		}
		return f
	case []any:
		for i := range v {
			v[i] = jsonValue(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = jsonValue(v[k])
		}
	}
	return v
}

// feedRows reads rows that stand in the spec.
func (b *builder) feedRows(t *table, feed *Feed) bool {
	nodes := t.tables("rows")
	n := t.n.kid("rows")
	if len(nodes) == 0 {
		if n.kind == listNode && len(n.kids) == 0 {
			b.bad(n, "write at least one", "rows is empty")
		}
		return false
	}
	var objects []map[string]any
	ok := true
	for _, row := range nodes {
		o := map[string]any{}
		ok = b.finite(row) && ok
		for _, field := range row.kids {
			o[field.name] = field.plain(b.textOf)
			ok = b.fill(field) && ok
		}
		objects = append(objects, o)
	}
	if err := addObjects(feed, objects, func(int) int { return 0 }); err != nil {
		b.bad(n, "", "%s", err)
		return false
	}
	return ok
}

// fill reports the variables below a node that have no value.
func (b *builder) fill(n *node) bool {
	ok := true
	if _, isText := n.value.(string); isText {
		_, ok = b.text(n)
	}
	for _, k := range n.kids {
		ok = b.fill(k) && ok
	}
	return ok
}

// planUnique reports a feed that has too few rows for every user to get one of
// its own.
func (b *builder) planUnique() {
	users := 0.0
	for _, track := range b.spec.Load.Tracks {
		if !track.Open {
			users += track.Peak()
		}
	}
	for _, f := range b.spec.Feeds {
		if f.Order == "unique" && f.Per == "user" && float64(len(f.Rows)) < users {
			n := b.root.kid("data").kid(f.Name)
			b.badKey(n, "add rows, or choose another order", "[data.%s] has %s for %s, and order = \"unique\" hands each out once", f.Name, plural(len(f.Rows), "row"), plural(int(users), "user"))
		}
	}
}
