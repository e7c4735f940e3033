package baseline

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path"
	"strconv"
	"strings"
	"time"
)

// The variables that hold what an https remote asks for. The token reaches git
// through its environment, never through an argument that other users of the
// machine could read, and goes to the remote's host alone.
const (
	GitUserVar  = "LOADLINE_GIT_USER"  // "" is oauth2, which GitLab, GitHub and Gitea take
	GitTokenVar = "LOADLINE_GIT_TOKEN" // a token, or a password
)

// access is a remote as git gets it.
type access struct {
	remote string   // without credentials
	env    []string // of the git processes
	hide   *strings.Replacer
}

// access takes the credentials of an http remote out of its address, or from the
// environment, and puts them where only git sees them.
func (g *Git) access() (*access, error) {
	a := &access{remote: g.Remote, hide: strings.NewReplacer()}
	a.env = gitEnv(g.Env)
	u, err := url.Parse(g.Remote)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return a, nil
	}
	user, secret := lookup(g.Env, GitUserVar), lookup(g.Env, GitTokenVar)
	if p, ok := u.User.Password(); ok {
		user, secret = u.User.Username(), p
	}
	if user == "" {
		user = "oauth2"
	}
	u.User = nil
	a.remote = u.String()
	if secret == "" {
		return a, nil
	}
	if host := u.Hostname(); u.Scheme == "http" && host != "localhost" && host != "127.0.0.1" && host != "::1" {
		return nil, fmt.Errorf("%s would be sent the token unencrypted; use https", host)
	}
	basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + secret))
	a.hide = strings.NewReplacer(secret, "***", url.QueryEscape(secret), "***", url.PathEscape(secret), "***", basic, "***")
	n, _ := strconv.Atoi(lookup(g.Env, "GIT_CONFIG_COUNT")) // unset is none
	server := u.Scheme + "://" + u.Host + "/"
	for _, kv := range [][2]string{
		{"http." + server + ".extraHeader", "Authorization: Basic " + basic},
		{"http.followRedirects", "false"}, // or the header would go along
		{"credential.helper", ""},
	} {
		a.env = append(a.env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", n, kv[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, kv[1]))
		n++
	}
	a.env = append(a.env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", n))
	return a, nil
}

// bareRemote is an address without credentials.
func bareRemote(remote string) string {
	u, err := url.Parse(remote)
	if err != nil || u.Host == "" {
		return remote
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// gitEnv is the environment for git: it asks nobody, answers in English, and
// does not mistake a repository that it was started in for its own.
func gitEnv(env []string) []string {
	var out []string
	for _, kv := range env {
		switch name, _, _ := strings.Cut(kv, "="); name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE",
			"GIT_PREFIX", "GIT_COMMON_DIR", "LC_ALL", "LANGUAGE", "GIT_TRACE", "GIT_TRACE_CURL", "GIT_CURL_VERBOSE",
			GitTokenVar, GitUserVar:
		default:
			out = append(out, kv)
		}
	}
	return append(out, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_ATTR_NOSYSTEM=1", "GIT_ALLOW_PROTOCOL=file:git:http:https:ssh")
}

func lookup(env []string, name string) string {
	value := ""
	for _, kv := range env {
		if n, v, _ := strings.Cut(kv, "="); n == name {
			value = v
		}
	}
	return value
}

// A gitRun runs the git program in a repository of its own.
type gitRun struct {
	dir string
	*access
}

// A gitError is a git that failed, with no secret in it.
type gitError struct {
	what string // "push"
	said string // standard output and error
	err  error
}

func (e *gitError) Error() string {
	if errors.Is(e.err, exec.ErrNotFound) {
		return "there is no git in PATH; install it, or keep baselines in a folder (dir:PATH)"
	}
	return fmt.Sprintf("git %s: %s", e.what, lastWords(e.said))
}

func (e *gitError) Unwrap() error { return e.err }

// lastWords is the line in which git says what is wrong.
func lastWords(said string) string {
	best := "it failed without a word"
	for line := range strings.Lines(said) {
		line = strings.Join(strings.Fields(line), " ")
		switch {
		case line == "" || strings.HasPrefix(line, "hint:"):
		case strings.HasPrefix(line, "!"), strings.HasPrefix(line, "fatal:"), strings.HasPrefix(line, "remote: error"):
			return line
		default:
			best = line
		}
	}
	return best
}

// git runs one command and returns its standard output.
func (r *gitRun) git(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	all := append([]string{"--git-dir=" + r.dir, "-c", "gc.auto=0", "-c", "core.hooksPath=/dev/null"}, args...)
	cmd := exec.CommandContext(ctx, "git", all...)
	cmd.Dir, cmd.Env, cmd.Stdin = r.dir, r.env, bytes.NewReader(stdin)
	cmd.WaitDelay = 5 * time.Second // for what git has started itself
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		what := args[0]
		for i := 0; what == "-c"; i += 2 {
			what = args[i+2]
		}
		return nil, &gitError{what, r.hide.Replace(stderr.String() + stdout.String()), err}
	}
	return stdout.Bytes(), nil
}

// names lists the files of a commit.
func (r *gitRun) names(ctx context.Context, commit string) ([]string, error) {
	out, err := r.git(ctx, nil, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(string(out), func(c rune) bool { return c == 0 }), nil
}

// commit makes a commit of changes on top of parent ("": an orphan) with
// fast-import, which needs neither index nor files, and returns its name.
func (r *gitRun) commit(ctx context.Context, parent, message string, changes []Change) (string, error) {
	var in bytes.Buffer
	// Most servers start no pipeline for a message that says so.
	message += "\n\n[skip ci]\n"
	who := lookup(r.env, "GIT_COMMITTER_NAME")
	mail := lookup(r.env, "GIT_COMMITTER_EMAIL")
	if who == "" || mail == "" || strings.ContainsAny(who+mail, "<>\n") {
		who, mail = "loadline", "loadline@localhost"
	}
	in.WriteString("reset refs/loadline/new\n\n") // of the try before
	fmt.Fprintf(&in, "commit refs/loadline/new\ncommitter %s <%s> %d +0000\ndata %d\n%s", who, mail, time.Now().Unix(), len(message), message)
	if parent != "" {
		fmt.Fprintf(&in, "from %s\n", parent)
	}
	for _, c := range changes {
		if !plainPath(c.Path) {
			return "", fmt.Errorf("%q is no path for a file of a store", c.Path)
		}
		if c.Remove {
			fmt.Fprintf(&in, "D %s\n", c.Path)
			continue
		}
		fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n", c.Path, len(c.Data))
		in.Write(c.Data)
		in.WriteByte('\n')
	}
	in.WriteString("done\n")
	if _, err := r.git(ctx, in.Bytes(), "fast-import", "--quiet", "--done", "--force"); err != nil {
		return "", err
	}
	out, err := r.git(ctx, nil, "rev-parse", "--verify", "refs/loadline/new^{commit}")
	return strings.TrimSpace(string(out)), err
}

// plainPath is a path that needs no quoting and stays inside.
func plainPath(p string) bool {
	return p != "" && p == path.Clean(p) && !path.IsAbs(p) && p[0] != '.' && !strings.Contains("/"+strings.ToLower(p), "/.git") &&
		!strings.ContainsFunc(p, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' })
}

// gitRace says whether a failed push may succeed when all is made again: another
// writer was first, or the answer was lost. What a server refuses by a rule it
// will refuse again.
func gitRace(err error) bool {
	var failed *gitError
	if !errors.As(err, &failed) || failed.what != "push" && failed.what != "fetch" {
		return false
	}
	said := failed.said
	for _, rule := range []string{"hook declined", "protected branch", "not allowed", "Authentication failed", "Permission denied", "could not read Username", "not found", "does not appear to be a git repository"} {
		if strings.Contains(said, rule) {
			return false
		}
	}
	for _, race := range []string{
		"[rejected]", "failed to update ref", "cannot lock ref", "incorrect old value", "reference already exists", "fetch first", "non-fast-forward",
		// The connection: it may have arrived or not.
		"hung up unexpectedly", "early EOF", "RPC failed", "unexpected disconnect", "Connection reset", "Connection timed out", "shallow file has changed",
		"The requested URL returned error: 5", "The requested URL returned error: 429",
	} {
		if strings.Contains(said, race) {
			return true
		}
	}
	return false
}
