package spec

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
)

// shown writes the parts of a step that tests compare, one line each.
func shown(steps []*Step, indent string) string {
	var b strings.Builder
	pairs := func(name string, pairs []Pair) {
		for _, p := range pairs {
			fmt.Fprintf(&b, "%s  %s %s=%s\n", indent, name, p.Name, p.Value.Text())
		}
	}
	for _, s := range steps {
		url := ""
		if s.URL != nil {
			url = s.URL.Text()
		}
		fmt.Fprintf(&b, "%s%d %q: %s %s expect %v\n", indent, s.Index, s.Name, s.Method, url, s.Expect)
		pairs("query", s.Query)
		pairs("header", s.Headers)
		if s.Body != nil {
			fmt.Fprintf(&b, "%s  %s %q", indent, s.Body.Kind, s.Body.ContentType)
			switch {
			case s.Body.JSON != nil:
				fmt.Fprintf(&b, " %s", s.Body.JSON.Text())
			case s.Body.Text != nil:
				fmt.Fprintf(&b, " %s", s.Body.Text.Text())
			case s.Body.File != nil:
				fmt.Fprintf(&b, " %s", s.Body.File)
			}
			b.WriteByte('\n')
			pairs("form", s.Body.Form)
			for _, p := range s.Body.Parts {
				value := fmt.Sprintf("file %s %s %q", p.FileName, p.Type, p.Content)
				if p.Value != nil {
					value = p.Value.Text()
				}
				fmt.Fprintf(&b, "%s  part %s=%s\n", indent, p.Name, value)
			}
		}
		for _, c := range s.Checks {
			fmt.Fprintf(&b, "%s  check %d %q: %s\n", indent, c.Index, c.Name, c.Rule.Text())
		}
		for _, c := range s.Capture {
			fmt.Fprintf(&b, "%s  capture %s=%s\n", indent, c.Name, c.Source.Text())
		}
		for _, r := range s.Record {
			value := ""
			switch {
			case r.Check != nil:
				value = "check " + r.Check.Text()
			case r.Source != nil:
				value = "source " + r.Source.Text()
			}
			fmt.Fprintf(&b, "%s  record %d %s\n", indent, r.Metric, value)
		}
		if s.Think != (Think{}) {
			fmt.Fprintf(&b, "%s  think %+v\n", indent, s.Think)
		}
		if s.If != nil {
			fmt.Fprintf(&b, "%s  if %s\n", indent, s.If.Text())
		}
		if s.ForEach != nil {
			fmt.Fprintf(&b, "%s  for each %s in %s\n", indent, s.ForEach.Var, s.ForEach.List)
		}
		fmt.Fprintf(&b, "%s  timeout %v redirects %d repeat %d on failure %s control %v tags %v\n", indent, s.Timeout, s.Redirects, s.Repeat, s.OnFailure, s.Control, s.Tags)
		b.WriteString(shown(s.Parallel, indent+"    "))
	}
	return b.String()
}

// TestFullReference holds what the example with every key comes to.
func TestFullReference(t *testing.T) {
	t.Parallel()
	spec := parse(t, examples(t)["full-reference.toml"])
	var b strings.Builder
	fmt.Fprintf(&b, "setup\n%s", shown(spec.Setup, "  "))
	fmt.Fprintf(&b, "user on_start\n%s", shown(spec.User.OnStart, "  "))
	for _, sc := range spec.Scenarios {
		fmt.Fprintf(&b, "scenario %s %v\n  on_start\n%s  steps\n%s", sc.Name, sc.Tags, shown(sc.OnStart, "    "), shown(sc.Steps, "    "))
	}
	fmt.Fprintf(&b, "user on_stop\n%s", shown(spec.User.OnStop, "  "))
	fmt.Fprintf(&b, "teardown\n%s", shown(spec.Teardown, "  "))
	fmt.Fprintf(&b, "ready %v %v %d\n%s", spec.Target.Ready.Timeout, spec.Target.Ready.Every, spec.Target.Ready.Consecutive, shown([]*Step{spec.Target.Ready.Step}, "  "))
	golden(t, "testdata/full-reference.txt", []byte(b.String()))

	catalog := spec.Catalog()
	steps := 0
	for i, s := range catalog.Steps {
		if s.Name == "" || s.Line == 0 {
			t.Errorf("step %d of the catalog is empty: %+v", i, s)
		}
		steps++
	}
	if steps != 11 || len(catalog.Checks) != 6 || catalog.Checks[4].Name != "has a total" || catalog.Steps[catalog.Checks[4].Step].Name != "add item" {
		t.Errorf("catalog: %d steps, checks %+v", steps, catalog.Checks)
	}
	wantMetrics := []result.Metric{{Name: "basket_value", Kind: "trend"}, {Name: "coupons", Kind: "counter"}, {Name: "stock_left", Kind: "gauge"}, {Name: "sold_out", Kind: "rate"}}
	if diff := cmp.Diff(wantMetrics, spec.Metrics); diff != "" {
		t.Error(diff)
	}
	h := spec.HTTP
	h.Headers, h.Auth = nil, Auth{}
	wantHTTP := HTTP{
		Version: "auto", Timeout: 30 * time.Second, ConnectTimeout: 10 * time.Second, KeepAlive: true, Compression: true, Cookies: "user",
		BodyLimit: 1 << 20, UserAgent: "loadline", Proxy: "env", IP: "any", Resolve: map[string]string{"staging.example.com:443": "10.0.0.7:443"},
		TLS: TLS{CA: []byte("ca"), Cert: []byte("cert"), Key: []byte("key"), ServerName: "staging.example.com", MinVersion: "1.2"},
	}
	if diff := cmp.Diff(wantHTTP, h); diff != "" {
		t.Error(diff)
	}
	g := spec.Gate
	if g.Per != "step" || g.Baseline != "merge-base" || g.Rounds != 1 || g.Confirm != 1 || g.Confidence != 0.95 || g.MinRequests != 100 || len(g.Thresholds) != 5 || len(g.Compare) != 2 {
		t.Errorf("gate: %+v", g)
	}
	if l := g.Thresholds[4]; !l.Abort || l.After != 10*time.Second || l.Window != 5*time.Second || l.Warn || l.Rule.Text != "errors < 50%" || l.Pos.Line != 190 {
		t.Errorf("threshold: %+v, %s", l, l.Rule.Text)
	}
	if c := g.Compare[1]; c.Per != "total" || !c.Warn {
		t.Errorf("comparison: %+v", c)
	}
	if len(spec.Observe) != 4 {
		t.Fatalf("%d observe, want 4", len(spec.Observe))
	}
	var series []string
	for _, o := range spec.Observe {
		for _, s := range o.Series {
			series = append(series, fmt.Sprintf("%s %s: %s = %v%s in %q of %v", o.Kind, o.Source, s.Role, s.Expr, s.Query, s.Unit, s.Limit))
		}
	}
	wantSeries := []string{
		`scrape https://staging.example.com/metrics: cpu = rate(process_cpu_seconds_total) in "" of 4`,
		`scrape https://staging.example.com/metrics: memory = process_resident_memory_bytes in "bytes" of 2.147483648e+09`,
		`scrape https://staging.example.com/metrics: connections = http_server_open_connections in "" of 512`,
		`scrape https://staging.example.com/metrics: db_connections = pg_stat_activity_count{state="active"} in "" of 100`,
		`prometheus https://prometheus.example.com: queue = <nil>sum(queue_depth) in "" of 0`,
		`command ss -s: tcp_established = <nil> in "" of 0`,
		`log /var/log/app/error.log: error_log = <nil> in "per_second" of 0`,
	}
	if diff := cmp.Diff(wantSeries, series); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"testpassword"}, spec.SecretValues()); diff != "" {
		t.Error(diff)
	}
}

// TestDefaults holds that a spec of nothing but what is needed, and one that
// says every default, are the same.
func TestDefaults(t *testing.T) {
	t.Parallel()
	short := parse(t, small(""))
	var compare []string
	for _, c := range short.Gate.Compare {
		compare = append(compare, c.Rule.Text)
	}
	if diff := cmp.Diff(DefaultCompare, compare); diff != "" {
		t.Error(diff)
	}
	if none := parse(t, small("[gate]\ncompare = []\n")); len(none.Gate.Compare) != 0 {
		t.Error("compare = [] does not switch comparison off")
	}
	if short.HTTP.UserAgent != "loadline" || short.Name != "x" {
		t.Errorf("user agent %q, name %q", short.HTTP.UserAgent, short.Name)
	}
	named := parse(t, small(""), func(in *Input) { in.File, in.Version = "tests/Ärger.loadline.toml", "1.2.3" })
	if named.HTTP.UserAgent != "loadline/1.2.3" || named.Name != "-rger" {
		t.Errorf("user agent %q, name %q", named.HTTP.UserAgent, named.Name)
	}
}

func TestFeeds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, keys, file string
		columns          []string
		rows             [][]rule.Value
	}{
		{"CSV", `file = "f.csv"`, "id,price,ok,code\n1,2.50,true,007\n-3,1e5,false,+1\n", []string{"id", "price", "ok", "code"}, [][]rule.Value{{int64(1), 2.5, true, "007"}, {int64(-3), "1e5", false, "+1"}}},
		{"BOM, CRLF, quotes", `file = "f.csv"`, "\xef\xbb\xbfid,name\r\n1,\"a, \"\"b\"\"\r\nc\"\r\n", []string{"id", "name"}, [][]rule.Value{{int64(1), "a, \"b\"\nc"}}},
		{"no end of line", `file = "f.csv"`, "id\n1", []string{"id"}, [][]rule.Value{{int64(1)}}},
		{"semicolons, no cast", "file = \"f.csv\"\ndelimiter = \";\"\ncast = false", "a;b\n1;true\n", []string{"a", "b"}, [][]rule.Value{{"1", "true"}}},
		{"tabs", `file = "f.tsv"`, "a\tb\n1\t2\n", []string{"a", "b"}, [][]rule.Value{{int64(1), int64(2)}}},
		{"too long to be exact", `file = "f.csv"`, "a\n92233720368547758079\n0.1000\n", []string{"a"}, [][]rule.Value{{"92233720368547758079"}, {0.1}}},
		{"JSON", `file = "f.json"`, `[{"b": 1, "a": [1.5, null]}, {"a": {"x": 2}}]`, []string{"a", "b"}, [][]rule.Value{{[]any{1.5, nil}, int64(1)}, {map[string]any{"x": int64(2)}, nil}}},
		{"JSON lines", `file = "f.jsonl"`, "{\"a\": 1}\r\n\r\n{\"a\": \"x\"}", []string{"a"}, [][]rule.Value{{int64(1)}, {"x"}}},
		{"format stated", "file = \"f.dat\"\nformat = \"jsonl\"", "{\"a\": 1}", []string{"a"}, [][]rule.Value{{int64(1)}}},
		{"rows", `rows = [{ id = "free", n = 1 }, { id = "${PLAN:-pro}" }]`, "", []string{"id", "n"}, [][]rule.Value{{"free", int64(1)}, {"pro", nil}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := fstest.MapFS{}
			for _, name := range []string{"f.csv", "f.tsv", "f.json", "f.jsonl", "f.dat"} {
				files[name] = &fstest.MapFile{Data: []byte(tt.file)}
			}
			spec := parse(t, small("[data.d]\n"+tt.keys+"\n"), func(in *Input) { in.FS = files })
			want := &Feed{Name: "d", Columns: tt.columns, Rows: tt.rows, Order: "sequential", Per: "iteration", AtEnd: "loop"}
			if diff := cmp.Diff(want, spec.Feeds[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	spec := parse(t, small(`
[vars]
a = "${A}-${B:-b}-${EMPTY:-e}-${C:-}-$${A}"
[load]
users = "${N}"
duration = "${D:-5s}"
[http]
keep_alive = "${K:-false}"
`), func(in *Input) {
		in.Env = lookup(map[string]string{"A": "x", "EMPTY": "", "N": "3"})
	})
	if got, want := spec.Vars["a"], "x-b-e--${A}"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if tr := spec.Load.Tracks[0]; tr.Stages[0].From != 3 || tr.Stages[0].Duration != s(5) || spec.HTTP.KeepAlive {
		t.Errorf("load %+v, keep_alive %v", tr, spec.HTTP.KeepAlive)
	}
}

func TestThink(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Think{
		`"1s"`:                                  {Min: s(1), Max: s(1)},
		`"1s..3s"`:                              {Dist: "uniform", Min: s(1), Max: s(3)},
		`"2s..2s"`:                              {Min: s(2), Max: s(2)},
		`{ mean = "2s", sd = "500ms" }`:         {Dist: "normal", Mean: s(2), SD: s(0.5)},
		`{ mean = "2s" }`:                       {Dist: "exponential", Mean: s(2)},
		`{ dist = "exponential", mean = "1s" }`: {Dist: "exponential", Mean: s(1)},
	} {
		if diff := cmp.Diff(want, parse(t, small("[user]\nthink = "+text+"\n")).User.Think); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	step := "\n[[scenario]]\nname = \"more\"\n  [[scenario.step]]\n  request = \"GET /more\"\n"
	for _, tt := range []struct{ name, text, want string }{
		{"unused capture", small("") + step + "  capture = { id = \"$.id\" }\n", `x.toml:14:15: id is captured and never used; no {{ id }} comes after it`},
		{"percentile", small("[load]\nusers = 2\niterations = 100\n[gate]\nthresholds = [\"latency.p99 < 1s\"]\n"), `x.toml:8:15: the load sends at most 100 requests for "latency.p99 < 1s"; p99 needs 1,000`},
		{"percentile of a share", small("[load]\nrate = \"10/s\"\nduration = \"30s\"\nwarmup = \"5s\"\n[gate]\nthresholds = [\"latency{scenario=list}.p95 < 1s\"]\n") + step, `x.toml:9:15: the load sends at most 150 requests for "latency{scenario=list}.p95 < 1s"; p95 needs 200`},
		{"cold start", small("[load]\nrate = \"1/s\"\nduration = \"30s\"\n"), `x.toml:4:1: the load is compared with a baseline and has no warmup; write warmup = "15s"`},
		{"too long", small("[load]\nusers = 1\nduration = \"7h\"\n"), "x.toml:4:1: the load takes 7h, and the run may take 6h; shorten it, or choose a profile"},
		{"insecure", small("[http.tls]\ninsecure = true\n"), "x.toml:5:1: insecure = true trusts any certificate; trust the target's certificate with ca instead"},
		{"literal secret", small("[secrets]\npin = \"hunter2\"\n"), "x.toml:5:7: the value of pin is a secret, and stands in the file; take it from the environment, \"${PIN}\""},
		{"literal credential", small("[http.headers]\nAuthorization = \"Bearer hunter2\"\n"), "x.toml:5:17: the value of Authorization looks like a credential, and stands in the file; take it from the environment, \"${AUTHORIZATION}\""},
		{"token by its shape", small("[vars]\nx = \"ghp_0123456789abcdefghijklmnop\"\n"), "x.toml:5:5: the value of x looks like a token, and stands in the file; take it from the environment, \"${X}\""},
		{"users that all begin in the warm-up", small("[load]\nusers = 2\nduration = \"30s\"\nwarmup = \"5s\"\n[gate]\nthresholds = [\"latency{step='POST /login'}.p50 < 1s\"]\n[[user.on_start]]\nrequest = \"POST /login\"\n"), `x.toml:9:15: "latency{step='POST /login'}.p50 < 1s" is never judged: every user sends its on_start during the warm-up, which is not measured; let users come while it is measured (stages, spawn_rate), leave the warm-up out, or move the request to a scenario`},
		{"left out", small("[gate]\nthresholds = [\"latency{scenario=more}.p95 < 1s\"]\n") + strings.Replace(step, "name = \"more\"", "name = \"more\"\nweight = 0", 1), `x.toml:5:15: "latency{scenario=more}.p95 < 1s" is not judged: it is about a scenario that is left out (weight = 0)`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, w := range parse(t, tt.text).Warnings {
				got = append(got, w.String())
			}
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, load := range map[string]string{
		"no warm-up":                 "users = 2\nduration = \"30s\"",
		"users that come later":      "warmup = \"5s\"\nstages = [{ duration = \"10s\", users = 2 }, { duration = \"20s\", ramp_to = 20 }]",
		"users that come slowly":     "users = 20\nspawn_rate = \"1/s\"\nduration = \"30s\"\nwarmup = \"5s\"",
		"an open load, nobody knows": "rate = \"20/s\"\nduration = \"30s\"\nwarmup = \"5s\"",
	} {
		text := small("[load]\n" + load + "\n[gate]\nthresholds = [\"latency{step='POST /login'}.max < 1s\"]\n[[user.on_start]]\nrequest = \"POST /login\"\n")
		if w := parse(t, text).Warnings; len(w) != 0 {
			t.Errorf("%s: %v", name, w)
		}
	}
	quiet := small("[load]\nrate = \"1/s\"\nduration = \"30s\"\n[gate]\nbaseline = \"none\"\n")
	if w := parse(t, quiet).Warnings; len(w) != 0 {
		t.Error(w)
	}
	// A paired run has a warm-up and a length of its own.
	s, problems := Parse(Input{File: "x.toml", Text: []byte(small("[load]\nrate = \"1/s\"\nduration = \"7h\"\n")), Paired: true})
	if len(problems) != 0 || len(s.Warnings) != 0 {
		t.Error(problems, s.Warnings)
	}
}

// TestSecretValues plants a secret wherever the spec takes one.
func TestSecretValues(t *testing.T) {
	t.Parallel()
	spec := parse(t, small(`
[vars]
from_env = "${API_KEY} and ${WORD}"
[secrets]
pin = "planted1"
pass = "${TEST_PASS:-planted2}"
[http.headers]
X-Api-Key = "planted3"
Authorization = "Bearer planted4"
[http.auth]
basic = { user = "ci", password = "planted5" }
[[setup]]
request = "POST /x"
json = { access_token = "planted6", nested = [{ password = "planted7" }] }
`), func(in *Input) { in.Env = lookup(map[string]string{"API_KEY": "planted8", "WORD": "plain"}) })
	got := strings.Join(spec.SecretValues(), " ")
	for i := 1; i <= 8; i++ {
		if want := fmt.Sprintf("planted%d", i); !strings.Contains(got, want) {
			t.Errorf("%s is not among %s", want, got)
		}
	}
	if strings.Contains(got, "plain") || strings.Contains(got, "ci ") {
		t.Errorf("%s holds what is no secret", got)
	}
	for _, w := range spec.Warnings {
		if strings.Contains(w.String()+w.Source, "planted") {
			t.Errorf("a warning shows a secret: %s, %s", w, w.Source)
		}
	}
}

func TestWhatTheEnvironmentCannotDo(t *testing.T) {
	t.Parallel()
	spec := parse(t, small(`
[secrets]
pin = "${CI_PIN}"
[[setup]]
request = "GET /${BRANCH}"
headers = { X-Branch = "${BRANCH}" }
json = { branch = "${BRANCH}", at = 2024-05-06, pin = "{{ pin }}" }
checks = ["body contains '${BRANCH}'"]
`), func(in *Input) { in.Env = lookup(map[string]string{"BRANCH": "{{pin}}", "CI_PIN": "1234567"}) })
	setup := spec.Setup[0]
	env := noNames{}
	if got, err := setup.URL.Append(nil, env); err != nil || string(got) != "/{{pin}}" {
		t.Errorf("path %q, %v", got, err)
	}
	if got, err := setup.Headers[0].Value.Append(nil, env); err != nil || string(got) != "{{pin}}" {
		t.Errorf("header %q, %v", got, err)
	}
	if names := setup.Body.JSON.Names(); len(names) != 1 || names[0].Name != "pin" {
		t.Errorf("the body needs %v", names)
	}
	if !strings.Contains(setup.Body.JSON.Text(), `"at":"2024-05-06"`) {
		t.Errorf("the date is not as written: %s", setup.Body.JSON.Text())
	}
	if names := setup.Checks[0].Rule.Names(); len(names) != 0 {
		t.Errorf("the check needs %v", names)
	}
}

// noNames is an environment of templates in which nothing has a value.
type noNames struct{}

func (noNames) Lookup(string) (rule.Value, bool) { return nil, false }
func (noNames) Uint64() uint64                   { return 0 }
func (noNames) Next(string) int64                { return 1 }

// TestFilesStayInside reads a spec's folder as the command line does, with a
// symlink that leads out of it.
func TestFilesStayInside(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret.csv"), []byte("id\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "inside.csv"), []byte("id\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "secret.csv"), filepath.Join(dir, "link.csv")); err != nil {
		t.Skip("no symlinks here: ", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	in := func(in *Input) { in.FS = root.FS() }
	if spec := parse(t, small("[data.d]\nfile = \"./inside.csv\"\n"), in); len(spec.Feeds[0].Rows) != 1 {
		t.Error("the file inside is not read")
	}
	input := Input{File: "x.toml", Text: []byte(small("[data.d]\nfile = \"link.csv\"\n")), FS: root.FS()}
	_, problems := Parse(input)
	want := "x.toml:5:8: link.csv leads out of the spec's folder; files are read only below it, also through symlinks"
	if len(problems) != 1 || problems[0].String() != want {
		t.Errorf("got %v, want %s", problems, want)
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"a.json": "application/json", "a.XML": "application/xml", "a.csv": "text/csv; charset=utf-8", "a.txt": "text/plain; charset=utf-8", "a.htm": "text/html; charset=utf-8",
		"a.jpeg": "image/jpeg", "a.png": "image/png", "a.gif": "image/gif", "a.webp": "image/webp", "a.svg": "image/svg+xml", "a.pdf": "application/pdf", "a.zip": "application/zip", "a": "application/octet-stream",
	} {
		if got := contentType(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	own := parse(t, small("[http.headers]\ncontent-type = \"a/b\"\n[[setup]]\nrequest = \"POST /x\"\njson = { \"{{ user.id }}\" = 1 }\n"))
	if got := own.Setup[0].Body.ContentType; got != "" {
		t.Errorf("a header sets the content type, and the body says %q", got)
	}
}

func TestAllowedHosts(t *testing.T) {
	t.Parallel()
	spec := parse(t, `
[target]
url = "http://[::1]:8080"
allow_hosts = ["cdn.example.com", "x.example.com:8443"]
[[scenario]]
name = "a"
  [[scenario.step]]
  request = "GET http://[::1]:8080/users?x={{ iteration }}"
  [[scenario.step]]
  request = "GET https://CDN.example.com/a"
  [[scenario.step]]
  request = "GET http://cdn.example.com:81/b"
  [[scenario.step]]
  request = "GET https://x.example.com:8443/c"
  [[scenario.step]]
  request = "GET https://{{ user.id }}.example.com/d"
`)
	if got, want := spec.Scenarios[0].Steps[0].Name, "GET http://[::1]:8080/users"; got != want {
		t.Errorf("name %q, want %q", got, want)
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	_, problems := Parse(Input{File: "x.toml", Text: make([]byte, maxSpec+1)})
	want := "x.toml:1:1: the file is too large: it has 16.8 MB; a spec may have 16.8 MB; put rows into a file of [data.NAME]"
	if len(problems) != 1 || problems[0].String() != want {
		t.Errorf("got %v", problems)
	}
}
