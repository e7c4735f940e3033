package rule

// A subject is what a check looks at.
type subject struct {
	kind subjectKind
	name string // header, cookie
	path *path  // path, count
	expr *expr  // template
}

type subjectKind uint8

const (
	subjectStatus subjectKind = iota
	subjectLatency
	subjectTTFB
	subjectSize
	subjectBody
	subjectProto
	subjectChecks
	subjectHeader
	subjectCookie
	subjectCount
	subjectPath
	subjectTemplate
)

// subjectWords are the subjects that are words, in the order of subjectKind.
var subjectWords = []string{"status", "latency", "ttfb", "size", "body", "proto", "checks", "header", "cookie", "count"}

// foreignSubjects are words of other tools, and near misses, for our subjects.
var foreignSubjects = map[string]string{
	"statusCode": "status", "status_code": "status", "code": "status", "statuscode": "status", "res": "status", "r": "status", "response": "status",
	"duration": "latency", "timings": "latency", "responseTime": "latency", "response_time": "latency", "elapsed": "latency", "time": "latency",
	"http_req_duration": "latency", "http_req_waiting": "ttfb", "waiting": "ttfb",
	"contentType": "header Content-Type", "content_type": "header Content-Type", "headers": "header NAME", "cookies": "cookie NAME",
	"hasProperty": "$.name exists", "has_property": "$.name exists", "equals": "$.name == value", "jsonpath": "$.name", "json": "$.name",
	"text": "body", "content": "body", "content_length": "size", "length": "size", "bytes": "size", "len": "count($.name)",
	"protocol": "proto", "http_version": "proto", "check": "checks",
}

func (s *subject) String() string {
	switch s.kind {
	case subjectHeader, subjectCookie:
		return subjectWords[s.kind] + " " + s.name
	case subjectCount:
		return "count(" + s.path.String() + ")"
	case subjectPath:
		return s.path.String()
	case subjectTemplate:
		return "{{ " + s.expr.String() + " }}"
	default:
		return subjectWords[s.kind]
	}
}

func (s *subject) needsBody() bool {
	return s.kind == subjectBody || s.kind == subjectCount || s.kind == subjectPath
}

// get is the subject's value; ok is false when it is missing. A path gives its
// first value here.
func (s *subject) get(a *Answer, env Env) (v val, ok bool) {
	switch s.kind {
	case subjectStatus:
		return intVal(int64(a.Status)), a.Status != 0
	case subjectLatency:
		return intVal(a.Latency.Nanoseconds()), true
	case subjectTTFB:
		return intVal(a.TTFB.Nanoseconds()), true
	case subjectSize:
		return intVal(a.Size), true
	case subjectBody:
		return val{kind: kindText, raw: a.Body}, a.Body != nil
	case subjectProto:
		return textVal(a.Proto), a.Proto != ""
	case subjectChecks:
		if a.ChecksFailed {
			return textVal("failed"), true
		}
		return textVal("passed"), true
	case subjectHeader:
		return lookupText(a.Header, s.name)
	case subjectCookie:
		return lookupText(a.Cookie, s.name)
	case subjectCount:
		return s.count(a.json())
	case subjectPath:
		raw, found := a.json().find(s.path)
		if !found {
			return val{}, false
		}
		return rawVal(raw)
	default:
		v, err := s.expr.eval(env)
		return v, err == nil
	}
}

func lookupText(get func(string) (string, bool), name string) (val, bool) {
	if get == nil {
		return val{}, false
	}
	s, ok := get(name)
	return textVal(s), ok
}

// count is the number of values of a path that may give many, and the number of
// elements or members of the one value of any other; a scalar has none to count.
func (s *subject) count(d *doc) (val, bool) {
	if s.path.many {
		n := int64(0)
		d.each(s.path, func([]byte) bool {
			n++
			return true
		})
		return intVal(n), true
	}
	i, ok := d.locate(s.path)
	if !ok || !isContainer(d.b[i]) || d.skip(i) < 0 {
		return val{}, false
	}
	return intVal(int64(d.length(i))), true
}
