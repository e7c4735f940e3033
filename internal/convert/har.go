package convert

import (
	"encoding/json"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// harSteps is how many requests of a recording become steps by default.
const harSteps = 200

// A har is the part of a recording that is read (HAR 1.2,
// http://www.softwareishard.com/blog/har-12-spec).
type har struct {
	Log struct {
		Creator struct{ Name, Version string }
		Pages   []struct{ ID, Title string }
		Entries []harEntry
	}
}

type harEntry struct {
	PageRef  string
	Started  string `json:"startedDateTime"`
	Time     float64
	Request  harRequest
	Response harResponse
}

type harRequest struct {
	Method  string
	URL     string
	Headers []harField
	Data    *harData `json:"postData"`
}

type harResponse struct {
	Status  int
	Headers []harField
	Content struct{ MimeType, Text, Encoding string }
}

type harField struct{ Name, Value string }

type harData struct {
	MimeType, Text string
	Params         []harParam
}

type harParam struct{ Name, Value, FileName string }

// HAR writes a spec for a recording of a browser: one scenario, since it is one
// session, with a comment where a page begins. Requests to other hosts are
// written as comments; pauses come from the gaps between requests; values that
// came out of an earlier answer are captured there.
func HAR(w io.Writer, r io.Reader, o Options) error {
	text, err := readAll(r)
	if err != nil {
		return err
	}
	var doc har
	if err := json.Unmarshal(text, &doc); err != nil {
		return badInput("export it from the network panel of a browser", "it is not a HAR file (%s)", shorten(err.Error()))
	}
	if len(doc.Log.Entries) == 0 {
		return badInput("record something, then export it again", "it has no requests in log.entries")
	}
	if o.Max <= 0 {
		o.Max = harSteps
	}
	by := strings.TrimSpace(doc.Log.Creator.Name + " " + doc.Log.Creator.Version)
	if by != "" {
		by = " (" + by + ")"
	}
	t := &tape{
		draft: newDraft(o, "A load spec made of the recording "+strings.TrimSpace(o.Source+by)+" by `loadline import har`.",
			"The requests are sent one after the other; a browser sends some together: see parallel in docs/spec.md."),
		titles: map[string]string{}, seen: map[string]origined{}, ownCookies: map[string]bool{},
	}
	for _, p := range doc.Log.Pages {
		t.titles[p.ID] = p.Title
	}
	t.entries(doc.Log.Entries)
	return t.write(w)
}

// A tape is a recording on its way into a draft.
type tape struct {
	*draft
	titles     map[string]string
	seen       map[string]origined // values of earlier answers
	ownCookies map[string]bool     // set by earlier answers
	page       string
	last       *step     // the last that is sent
	lastEnd    time.Time // of the request before
}

// An origined is a value of an earlier answer: the step, and where in it.
type origined struct {
	step   *step
	source string
	member string // its name there
}

func (t *tape) entries(entries []harEntry) {
	scenario := &walk{name: "recorded session"}
	for i := range entries {
		e := &entries[i]
		u, err := parseURL(e.Request.URL)
		if err != nil {
			scheme, _, _ := strings.Cut(e.Request.URL, ":")
			t.lose("requests that are not HTTP: " + shorten(scheme) + ":")
			continue
		}
		t.site(u)
		if len(scenario.steps) == t.opts.Max {
			t.lose(count(len(entries)-i, "request") + " beyond the first " + strconv.Itoa(t.opts.Max) + "; --max N takes more")
			break
		}
		s := t.entry(e, u)
		t.pause(e, s)
		scenario.steps = append(scenario.steps, s)
		t.learn(e, s)
	}
	t.walks = withSteps([]*walk{scenario}, t.last != nil)
}

// entry makes a step of a request.
func (t *tape) entry(e *harEntry, u *url.URL) *step {
	u.User = nil
	s := &step{method: strings.ToUpper(e.Request.Method)}
	if page := t.titles[e.PageRef]; page != "" && page != t.page {
		t.page = page
		s.notes = append(s.notes, "Page: "+shorten(page))
	}
	foreign := false
	s.path, s.query, foreign = t.where(u)
	switch {
	case foreign:
		s.off = true
		s.notes = append(s.notes, "On another host: to send it too, take the # away and add "+u.Host+" to target.allow_hosts.")
	case !knownMethods[s.method]:
		s.off = true
		s.notes = append(s.notes, "The method was "+shorten(e.Request.Method)+".")
		s.method = "GET"
	case e.Response.Status == 0:
		s.off = true
		s.notes = append(s.notes, "It was not answered when it was recorded.")
	}
	t.fromAnswers(s)
	t.requestHeaders(s, e.Request.Headers)
	t.data(s, e.Request.Data)
	t.expect(s, e.Response.Status)
	return s
}

// browserHeaders are those that a browser sets about itself and its cache.
var browserHeaders = regexp.MustCompile(`(?i)^(:.*|sec-.*|accept-encoding|accept-language|cache-control|connection|content-length|dnt|host|if-modified-since|if-none-match|pragma|priority|purpose|te|transfer-encoding|upgrade-insecure-requests|user-agent)$`)

func (t *tape) requestHeaders(s *step, headers []harField) {
	for _, h := range headers {
		switch {
		case browserHeaders.MatchString(h.Name):
			t.lose("headers that a browser sets about itself and its cache (user-agent, accept-language, sec-...)")
			continue
		case strings.EqualFold(h.Name, "cookie") && t.keeps(h.Value):
			t.lose("cookies that the target set itself: each user keeps those it is sent")
			continue
		}
		if headerName(h.Name) && !hasField(s.headers, h.Name) {
			if captured := t.capturedHeader(h); captured != "" {
				s.headers = append(s.headers, field{h.Name, []string{captured}})
				continue
			}
		}
		f, note := t.requestHeader(h.Name, h.Value)
		if note != "" || hasField(s.headers, h.Name) {
			t.lose(note)
			continue
		}
		s.headers = append(s.headers, f)
	}
}

// keeps says whether all cookies of a request were set by earlier answers.
func (t *tape) keeps(cookies string) bool {
	for c := range strings.SplitSeq(cookies, ";") {
		name, _, _ := strings.Cut(strings.TrimSpace(c), "=")
		if !t.ownCookies[name] {
			return false
		}
	}
	return true
}

// capturedHeader gives the template of credentials that an earlier answer
// handed out.
func (t *tape) capturedHeader(h harField) string {
	scheme := schemes.FindString(h.Value)
	return prefixed(scheme, t.captured(h.Value[len(scheme):]))
}

func prefixed(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// captured gives the template of a value that an earlier answer had, and sees
// that it is captured there; "" when none had it.
func (t *tape) captured(value string) string {
	from, ok := t.seen[value]
	if !ok {
		return ""
	}
	for _, c := range from.step.capture {
		if c.values[0] == from.source {
			return "{{ " + c.name + " }}"
		}
	}
	name := t.claim(identifier(from.member, "value"))
	from.step.capture = append(from.step.capture, field{name, []string{from.source}})
	return "{{ " + name + " }}"
}

// fromAnswers looks for values of earlier answers in the path and the query.
func (t *tape) fromAnswers(s *step) {
	if s.off {
		return
	}
	segments := strings.Split(s.path, "/")
	for i, segment := range segments {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			continue
		}
		if template := t.captured(plain); template != "" {
			segments[i] = template
		}
	}
	s.path = strings.Join(segments, "/")
	for i := range s.query {
		for j, v := range s.query[i].values {
			if template := t.captured(v); template != "" {
				s.query[i].values[j] = template
			}
		}
	}
}

// minTelling is the length from which a value that appears again is more than
// chance.
const minTelling = 8

// learn keeps what later requests may use: cookies, and the texts of a JSON
// answer.
func (t *tape) learn(e *harEntry, s *step) {
	if s.off {
		return
	}
	t.last = s
	for _, h := range e.Response.Headers {
		if !strings.EqualFold(h.Name, "set-cookie") {
			continue
		}
		for line := range strings.SplitSeq(h.Value, "\n") { // browsers put several into one
			name, _, _ := strings.Cut(line, "=")
			t.ownCookies[strings.TrimSpace(name)] = true
		}
	}
	c := &e.Response.Content
	if !strings.Contains(c.MimeType, "json") || c.Encoding != "" || len(t.seen) > 10_000 {
		return
	}
	if v, err := parseJSON(c.Text); err == nil {
		t.remember(s, "$", "", v)
	}
}

func (t *tape) remember(s *step, path, name string, v any) {
	switch v := v.(type) {
	case string:
		if _, known := t.seen[v]; !known && len(v) >= minTelling {
			t.seen[v] = origined{s, path, name}
		}
	case object:
		for _, m := range v {
			if shorthand(m.name) {
				t.remember(s, path+"."+m.name, m.name, m.value)
			}
		}
	case []any:
		for i, item := range v[:min(len(v), 50)] {
			t.remember(s, path+"["+strconv.Itoa(i)+"]", name, item)
		}
	}
}

// data writes the body of a request.
func (t *tape) data(s *step, data *harData) {
	if data == nil {
		return
	}
	kind := contentType(s.headers)
	if kind == "" {
		kind = data.MimeType
	}
	base, _, _ := strings.Cut(strings.ToLower(kind), ";")
	switch strings.TrimSpace(base) {
	case "multipart/form-data":
		t.parts(s, data)
		return
	case "application/x-www-form-urlencoded":
		if data.Text == "" {
			var pairs []string
			for _, p := range data.Params {
				pairs = append(pairs, url.QueryEscape(p.Name)+"="+url.QueryEscape(p.Value))
			}
			data.Text = strings.Join(pairs, "&")
		}
	}
	if data.Text != "" {
		t.setBody(s, data.Text, kind, false)
		if s.body.kind == "body" && contentType(s.headers) == "" && headerValue(kind) {
			s.setContentType(literal(kind))
		}
	}
}

func headerValue(text string) bool {
	return text != "" && plainText(text) && !strings.ContainsAny(text, "\r\n")
}

// multipartParams takes the parts out of the text of a body, which is all that
// some browsers record.
func multipartParams(data *harData) (out []harParam) {
	_, params, err := mime.ParseMediaType(data.MimeType)
	if err != nil || params["boundary"] == "" {
		return nil
	}
	r := multipart.NewReader(strings.NewReader(data.Text), params["boundary"])
	for {
		part, err := r.NextPart()
		if err != nil {
			return out
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return out
		}
		out = append(out, harParam{part.FormName(), string(value), part.FileName()})
	}
}

func (t *tape) parts(s *step, data *harData) {
	s.headers = withoutContentType(s.headers) // its boundary is another each time
	if len(data.Params) == 0 {
		data.Params = multipartParams(data)
	}
	var parts []field
	for _, p := range data.Params {
		switch {
		case p.FileName != "":
			s.notes = append(s.notes, "It sent the file "+shorten(p.FileName)+" as "+shorten(p.Name)+". Put it beside this spec and write, in multipart: "+key(p.Name)+" = { file = \"...\" }")
			p.Value = "(the contents of " + shorten(p.FileName) + ")"
		case !plainText(p.Value):
			s.notes = append(s.notes, "Left out: the part "+shorten(p.Name)+", which is binary.")
			continue
		}
		if p.Name != "" && plainText(p.Name) && !hasExact(parts, p.Name) {
			parts = append(parts, field{p.Name, []string{t.hideField(p.Name, p.Value)}})
		}
	}
	if len(parts) == 0 {
		s.notes = append(s.notes, "Left out: its multipart body, which the recording does not have in parts.")
		return
	}
	s.body = body{kind: "multipart", form: parts}
}

// expect takes the recorded status for the one that is right.
func (t *tape) expect(s *step, code int) {
	switch {
	case code >= 200 && code <= 299 || code < 100 || code > 599:
	case code == 304:
		s.expect = "[200, 304]" // without the browser's cache it is 200
	default:
		s.expect = strconv.Itoa(code)
		s.notes = append(s.notes, "Recorded with status "+s.expect+".")
	}
}

// The pauses of a person at a browser: shorter gaps are the browser's own, and
// longer ones are a coffee.
const (
	minPause = 500 * time.Millisecond
	maxPause = 60 * time.Second
)

// pause gives the step before the pause that a person made before this one,
// rounded to half a second.
func (t *tape) pause(e *harEntry, s *step) {
	if s.off {
		return
	}
	began, err := time.Parse(time.RFC3339, e.Started)
	if err != nil {
		return
	}
	gap := began.Sub(t.lastEnd)
	if t.last != nil && !t.lastEnd.IsZero() && gap >= minPause {
		if gap > maxPause {
			t.lose("the length of pauses beyond " + milliseconds(maxPause.Milliseconds()))
			gap = maxPause
		}
		t.last.think = milliseconds(gap.Round(minPause).Milliseconds())
	}
	took := e.Time
	if math.IsNaN(took) || took < 0 || took > 1e9 {
		took = 0
	}
	if end := began.Add(time.Duration(took * float64(time.Millisecond))); end.After(t.lastEnd) {
		t.lastEnd = end
	}
}
