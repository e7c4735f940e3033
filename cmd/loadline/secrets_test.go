package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every place of a spec that a credential may stand in has one of its own here,
// with a core that says which and that no encoding but base64, hex and capitals
// changes. The target sends back all that it is sent. Whatever loadline then
// writes, no core may be in it.

const planted = "s3kr1t"

// plant is the credential for a place: everything behind its core is written
// otherwise in a URL, in JSON, in HTML, in Markdown.
func plant(place string) string { return planted + "-" + place + `-/+"&<|*` }

// simple is a credential for places where only a token may stand.
func simple(place string) string { return planted + "-" + place + "-x" }

// environment is what the specs below take their credentials from.
func environment() map[string]string {
	env := map[string]string{}
	for _, place := range []string{
		"SECTION", "VARS_TOKEN", "BASIC_PASSWORD", "BEARER_TOKEN", "CLIENT_SECRET", "HEADER_TOKEN", "QUERY_KEY", "JSON_PASSWORD",
		"FORM_PASSWORD", "BODY_TOKEN", "PART_SECRET", "GRAPHQL_TOKEN", "ROW_PASSWORD", "CHECK_TOKEN", "PLAIN",
	} {
		env[place] = plant(strings.ToLower(strings.ReplaceAll(place, "_", "-")))
	}
	for _, place := range []string{"URL_TOKEN", "COOKIE_TOKEN", "TAG_TOKEN", "NAME_TOKEN", "STAGE_TOKEN"} {
		env[place] = simple(strings.ToLower(strings.ReplaceAll(place, "_", "-")))
	}
	return env
}

// everyPlace is a spec with a credential in every place. What stands in for AUTH
// is one of the ways of [http.auth].
const everyPlace = `
name = "secrets"
description = "what ${NAME_TOKEN} may do"

[target]
url = "${BASE_URL}"

[vars]
vars_token = "${VARS_TOKEN}"
literal_token = "s3kr1t-literal-var-x"
flag_token = "unset"
plain_password = "${PLAIN}"

[secrets]
section = "${SECTION}"
literal = "s3kr1t-literal-secret-x"
fallback = "${NOT_SET:-s3kr1t-fallback-x}"
flagged = "unset"

[data.people]
rows = [{ password = "${ROW_PASSWORD}" }]

[http]
timeout = "5s"
[http.headers]
X-Common = "${HEADER_TOKEN}"
X-Api-Key = "s3kr1t-literal-header-x"
AUTH

[load]
stages = [{ name = "at ${STAGE_TOKEN}", users = 1, duration = "50ms" }]

[[setup]]
request = "POST /setup"
json = { password = "{{ section }}", other = "{{ vars_token }}" }

[[scenario]]
name = "all"
tags = { team = "${TAG_TOKEN}" }

  [[scenario.step]]
  name = "with ${NAME_TOKEN}"
  request = "GET /echo/${URL_TOKEN}/{{ section | urlencode }}"
  query = { api_key = "${QUERY_KEY}", access_key = "s3kr1t-literal-query-x", f = "{{ fallback }}", g = "{{ flagged }}" }
  headers = { Authorization = "Token {{ literal }}", X-Basic = "{{ section | base64 }}", X-Upper = "{{ vars_token | upper }}", X-Hex = "{{ section | hex }}", Cookie = "sid=${COOKIE_TOKEN}" }
  checks = ["body contains '${CHECK_TOKEN}'", "status == 201"]

  [[scenario.step]]
  request = "POST /echo/json"
  json = { password = "${JSON_PASSWORD}", deep = [{ client_secret = "s3kr1t-literal-json-x", v = "{{ vars_token }}" }], p = "{{ people.password }}", l = "{{ literal_token }}", k = "{{ flag_token }}", q = "{{ plain_password }}" }

  [[scenario.step]]
  request = "GET /echo/named/by/${URL_TOKEN}?and=${QUERY_KEY}"

  [[scenario.step]]
  request = "POST /echo/form"
  form = { password = "${FORM_PASSWORD}", again = "{{ section }}" }

  [[scenario.step]]
  request = "POST /echo/body"
  body = "PADDING<token>${BODY_TOKEN}</token>{{ section | json }}"
  expect = 404

  [[scenario.step]]
  request = "POST /echo/multipart"
  multipart = { secret = "${PART_SECRET}" }

  [[scenario.step]]
  request = "POST /echo/graphql"
  graphql = { query = "{ me }", variables = { token = "${GRAPHQL_TOKEN}" } }

  [[scenario.step]]
  request = "GET /redirect"
  redirects = 3
  query = { to = "{{ section }}" }

  [[scenario.step]]
  request = "GET {{ section | urlencode }}"

[gate]
thresholds = ["latency{step='with ${NAME_TOKEN}'}.p95 < 50s", "latency{team='${TAG_TOKEN}'}.p95 < 50s"]
`

// authentications are the ways of [http.auth].
var authentications = map[string]string{
	"basic":                   "[http.auth]\nbasic = { user = \"ada\", password = \"${BASIC_PASSWORD}\" }",
	"bearer":                  "[http.auth]\nbearer = \"${BEARER_TOKEN}\"",
	"oauth2":                  "[http.auth]\noauth2 = { token_url = \"${BASE_URL}/oauth\", client_id = \"ada\", client_secret = \"${CLIENT_SECRET}\" }",
	"a literal password":      "[http.auth]\nbasic = { user = \"ada\", password = \"s3kr1t-literal-basic-x\" }",
	"a literal bearer token":  "[http.auth]\nbearer = \"s3kr1t-literal-bearer-x\"",
	"a literal client secret": "[http.auth]\noauth2 = { token_url = \"${BASE_URL}/oauth\", client_id = \"ada\", client_secret = \"s3kr1t-literal-oauth-x\" }",
}

// echo sends everything back: in the body, in a header, in the reason of an
// error, in the place a redirect leads to.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch r.URL.Path {
	case "/oauth":
		_, _ = fmt.Fprint(w, `{"access_token":"granted","expires_in":3600}`)
		return
	case "/redirect":
		http.Redirect(w, r, "http://elsewhere.invalid/"+r.URL.RawQuery, http.StatusFound)
		return
	}
	answer, _ := json.Marshal(map[string]any{"url": r.URL.String(), "headers": r.Header, "body": string(body)})
	w.Header().Set("X-Url", r.URL.String())
	w.Header().Set("X-Authorization-Was", r.Header.Get("Authorization"))
	w.Header().Set("Set-Cookie", "session="+r.URL.Query().Get("access_key"))
	_, _ = w.Write(append(append(answer, '\n'), body...))
}

// leaks finds the cores of credentials in an output, in whatever form.
func leaks(text []byte) []string {
	found := map[string]bool{}
	core := regexp.MustCompile(`(?i)` + planted + `(-[a-z0-9]+)+`)
	look := func(how string, text []byte) {
		for _, at := range core.FindAllIndex(text, -1) {
			found[how+": "+string(text[max(0, at[0]-60):min(len(text), at[1]+20)])] = true
		}
	}
	look("plain", text)
	for _, word := range regexp.MustCompile(`[A-Za-z0-9+/_-]{10,}`).FindAllString(string(text), -1) {
		word = strings.NewReplacer("-", "+", "_", "/").Replace(word)
		for shift := range 4 { // a credential may begin anywhere in what was encoded
			part := word[shift:]
			if out, err := base64.RawStdEncoding.DecodeString(part[:len(part)/4*4]); err == nil {
				look("base64", out)
			}
		}
		if out, err := hex.DecodeString(word[:len(word)/2*2]); err == nil {
			look("hex", out)
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// A teller runs loadline and looks through all that it says.
type teller struct {
	t   *testing.T
	dir string
	env []string
}

func newTeller(t *testing.T, url, spec string) *teller {
	t.Helper()
	l := &teller{t: t, dir: t.TempDir(), env: append(os.Environ(), "BASE_URL="+url, "NO_COLOR=1")}
	for name, value := range environment() {
		l.env = append(l.env, name+"="+value)
	}
	l.write("spec.toml", spec)
	return l
}

func (l *teller) write(name, text string) {
	l.t.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// says runs a command and checks its outputs: both streams, and every file that
// it wrote. All of them must have something in them. The exit status is one of
// want: whether a run is judged depends on how busy the machine is.
func (l *teller) says(want []int, args ...string) {
	l.t.Helper()
	cmd := exec.CommandContext(l.t.Context(), "loadline", args...)
	cmd.Dir, cmd.Env = l.dir, l.env
	out, err := cmd.CombinedOutput()
	if got := exitCode(err); !slices.Contains(want, got) || len(out) == 0 {
		l.t.Errorf("loadline %s: exit status %d, want %v:\n%s", strings.Join(args, " "), got, want, out)
	}
	l.look("standard output or error", args, out)
	files, err := filepath.Glob(filepath.Join(l.dir, "out*"))
	stored, errStored := filepath.Glob(filepath.Join(l.dir, "stored", "*", "*", "*"))
	if err != nil || errStored != nil {
		l.t.Fatal(err, errStored)
	}
	files = append(files, stored...)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || len(text) == 0 {
			l.t.Errorf("%s: %d bytes, %v", file, len(text), err)
		}
		l.look(filepath.Base(file), args, text)
	}
}

func (l *teller) look(where string, args []string, text []byte) {
	l.t.Helper()
	for _, leak := range leaks(text) {
		l.t.Errorf("loadline %s: in %s, %s", strings.Join(args[:1], " "), where, leak)
	}
}

// TestNoSecretInAnyOutput runs a spec with a credential in every place, and
// searches every output for them.
func TestNoSecretInAnyOutput(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(srv.Close)
	for name, auth := range authentications {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The body of 2 KiB that --debug shows ends within a credential.
			spec := strings.NewReplacer("AUTH", auth, "PADDING", strings.Repeat("x", 2<<10-20)).Replace(everyPlace)
			l := newTeller(t, srv.URL, spec)
			flags := []string{"--var", "flag_token=" + simple("flag"), "--var", "flagged=" + plant("flagged")}
			files := []string{"--json", "out.json", "--html", "out.html", "--junit", "out.xml", "--markdown", "out.md"}
			judged, invalid := []int{0, 3}, []int{3}
			for _, format := range []string{"text", "github", "json"} {
				l.says([]int{0}, "validate", "spec.toml", "--format", format)
			}
			l.says([]int{1}, append([]string{"run", "spec.toml", "--once", "--debug"}, flags...)...)
			l.says(judged, append(append([]string{"run", "spec.toml"}, flags...), files...)...)
			l.says(judged, "report", "out.json", "--html", "out2.html", "--markdown", "out2.md", "--junit", "out2.xml")
			l.says([]int{0, 2}, "baseline", "set", "out.json", "--baseline-dir", "stored")
			l.says(invalid, append([]string{"run", "spec.toml", "--target", "http://" + closedPort()}, append(flags, files...)...)...)
		})
	}
}

// TestNoSecretInAnyError: what is said about a spec with a mistake shows the
// line of the mistake, and so must hide what else stands there.
func TestNoSecretInAnyError(t *testing.T) {
	t.Parallel()
	const head = "[target]\nurl = \"http://127.0.0.1:1\"\n"
	const tail = "\n[[scenario]]\nname = \"a\"\n[[scenario.step]]\nrequest = \"GET /\"\n"
	for name, spec := range map[string]string{
		"credentials in the target":      strings.Replace(head, "http://", "http://ada:"+simple("userinfo")+"@", 1) + tail,
		"credentials in a request":       head + tail + "[[scenario.step]]\nrequest = \"GET http://ada:" + simple("request") + "@127.0.0.1:1/x\"\n",
		"a slip beside a secret":         head + "[secrets]\na = \"" + simple("a") + "\"\nb = \"" + simple("b") + "\" x\n" + tail,
		"a secret without quotes":        head + "[secrets]\na = " + simple("bare") + "\n" + tail,
		"a secret of the wrong type":     head + "[secrets]\na = [\"" + simple("list") + "\"]\n" + tail,
		"a template in a secret":         head + "[secrets]\na = \"" + simple("template") + "{{ x }}\"\n" + tail,
		"an unknown key of auth":         head + "[http.auth]\nbaerer = \"" + simple("auth") + "\"\n" + tail,
		"two ways of auth":               head + "[http.auth]\nbearer = \"" + simple("two") + "\"\nbasic = { user = \"ada\", password = \"" + simple("one") + "\", x = 1 }\n" + tail,
		"a variable where a number goes": head + "[load]\nusers = \"${HEADER_TOKEN}\"\nduration = \"1s\"\n" + tail,
		"a variable as a duration":       head + "[load]\nusers = 1\nduration = \"${URL_TOKEN}\"\n" + tail,
		"a variable as a status":         head + tail + "expect = \"${URL_TOKEN}\"\n",
		"a variable as a check":          head + tail + "checks = [\"${URL_TOKEN}\"]\n",
		"a variable as a limit":          head + tail + "[gate]\nthresholds = [\"${URL_TOKEN} < 1\"]\n",
		"a variable as the target":       "[target]\nurl = \"${URL_TOKEN}\"\n" + tail,
		"a variable as a file":           head + "[data.people]\nfile = \"${URL_TOKEN}.csv\"\n" + tail,
		"a header with a line break":     head + "[http.headers]\nAuthorization = \"" + simple("header") + "\\n\"\n" + tail,
		"a header that is there twice":   head + "[http.headers]\nX-Api-Key = \"" + simple("first") + "\"\nx-api-key = \"" + simple("second") + "\"\n" + tail,
		"a proxy with credentials":       head + "[http]\nproxy = \"http://ada:" + simple("proxy") + "@127.0.0.1:1:2\"\n" + tail,
		"an unknown key beside a token":  head + tail + "heders = { Authorization = \"Bearer " + simple("token") + "\" }\n",
		"a password of the wrong kind":   head + tail + "json = { password = \"" + simple("json") + "\" }\nform = { a = \"b\" }\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newTeller(t, "http://127.0.0.1:1", spec)
			for _, format := range []string{"text", "github", "json"} {
				l.says([]int{2}, "validate", "spec.toml", "--format", format)
			}
			l.says([]int{2}, "run", "spec.toml", "--once", "--debug")
		})
	}
	l := newTeller(t, "http://127.0.0.1:1", head+tail)
	l.says([]int{2}, "run", "spec.toml", "--target", "http://ada:"+simple("flag")+"@127.0.0.1:1")
	l.says([]int{2}, "run", "spec.toml", "--var", "api_token="+simple("unused"))
	l.says([]int{0}, "import", "curl", "curl -u ada:"+simple("user")+" -H 'Authorization: "+simple("header")+"' 'http://127.0.0.1/?token="+simple("query")+"' -d password="+simple("data"))
	l.says([]int{2}, "import", "curl", "curl ftp://ada:"+simple("user")+"@127.0.0.1/")
}
