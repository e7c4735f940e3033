package spec

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/unit"
)

// Input is what Parse reads a spec from.
type Input struct {
	File string // as the user named it; for messages and the default name
	Text []byte
	// FS is the spec's folder, for data, body and certificate files. Without it
	// there are none. An os.Root's FS also keeps symlinks inside.
	FS      fs.FS
	Env     func(name string) (string, bool) // as os.LookupEnv; nil: empty
	Profile string                           // "" : none
	Overrides
	Version string // of loadline, for the default user agent
	// MaxDuration is how long the whole run may take where it runs; a longer load
	// is warned about. 0: 6 h, the limit of a job on GitHub's runners
	// (https://docs.github.com/actions/reference/limits).
	MaxDuration time.Duration
	// Paired says that two targets are driven by turns: such a run warms up by
	// itself and has a length of its own, so neither is warned about.
	Paired bool
}

// Overrides are what the command line says over the file and its profile, as
// the user typed it; "" where there is no flag.
type Overrides struct {
	Target   string // --target URL
	Users    string // --users N
	Rate     string // --rate R
	Duration string // --duration D
	Scenario string // --scenario NAME: no other is run
	Seed     string // --seed N
	Vars     map[string]string
}

// maxSpec is how large a spec may be: some 50,000 steps. Decoded it takes many
// times its size in memory, so what is no spec must not come that far.
const maxSpec = 16 << 20

// Parse reads a spec. It returns either a spec, complete and with its warnings,
// or every problem of the file in file order: MaxProblems at most, and one more
// that says how many there are beyond. It reads data files through in.FS and
// touches nothing else.
func Parse(in Input) (*Spec, []Problem) {
	if in.Env == nil {
		in.Env = func(string) (string, bool) { return "", false }
	}
	if len(in.Text) > maxSpec {
		return nil, []Problem{{
			File: in.File, Pos: Pos{1, 1}, Width: 1, Message: "the file is too large: it has " + unit.Size(int64(len(in.Text))),
			Hint: "a spec may have " + unit.Size(maxSpec) + "; put rows into a file of [data.NAME]",
		}}
	}
	src := newSource(in.File, in.Text)
	if i := invalidUTF8(src.text); i >= 0 {
		return nil, []Problem{src.problem(span{i, i + 1}, "save the file as UTF-8", fmt.Sprintf("the byte 0x%02x is not UTF-8", src.text[i]))}
	}
	if i := tooDeep(src.text); i >= 0 {
		return nil, []Problem{src.problem(span{i, i + 1}, "", fmt.Sprintf("brackets are nested more than %d deep: want a flatter file", maxDepth))}
	}
	data := map[string]any{}
	if _, err := toml.Decode(string(src.text), &data); err != nil {
		return nil, []Problem{syntaxProblem(src, err)}
	}
	root := newNode("", nil, data, marks(src.text), src.text)
	shared := &files{fs: in.FS, dir: folder(in.File), read: map[string]file{}}
	secrets := map[string]bool{}

	read := func(profile string, aside bool) (*Spec, *reader) {
		r := &reader{src: src, env: in.Env, files: shared, secrets: secrets, usedNames: map[string]bool{}, aside: aside}
		b := newBuilder(r, in)
		return b.build(root, profile), r
	}
	s, main := read(in.Profile, false)
	problems := main.problems
	known := map[string]bool{}
	for _, p := range problems {
		known[p.String()] = true
	}
	// What this run does not use is checked as well: the other profiles, and the
	// file without its profile.
	for _, other := range otherProfiles(root, in.Profile) {
		_, r := read(other, true)
		for _, p := range r.problems {
			if known[p.String()] {
				continue
			}
			known[p.String()] = true
			if !insideProfile(root, other, src, p.Pos) {
				p.Message += " (" + withProfile(other) + ")"
			}
			problems = append(problems, p)
		}
	}
	delete(secrets, "")
	masked := sortedKeys(secrets)
	if len(problems) > 0 {
		return nil, tidy(problems, in.File, masked)
	}
	s.secrets = masked
	s.Warnings = tidy(main.warnings, in.File, masked)
	return s, nil
}

// folder names the folder of the spec in a message.
func folder(file string) string {
	if dir := path.Dir(strings.ReplaceAll(file, `\`, "/")); dir != "." {
		return dir
	}
	return "the spec's folder"
}

// otherProfiles are the ways to read the file beside the chosen one; "" is the
// file by itself.
func otherProfiles(root *node, chosen string) []string {
	var others []string
	if chosen != "" {
		others = append(others, "")
	}
	if p := root.kid("profile"); p != nil && p.kind == tableNode {
		for _, k := range p.kids {
			if k.name != chosen && k.kind == tableNode {
				others = append(others, k.name)
			}
		}
	}
	return others
}

func withProfile(name string) string {
	if name == "" {
		return "without --profile"
	}
	return "with --profile " + name
}

// insideProfile says whether a line belongs to the profile, so that nobody needs
// to be told which one a problem there is about.
func insideProfile(root *node, profile string, src *source, at Pos) bool {
	inside := false
	var look func(n *node)
	look = func(n *node) {
		inside = inside || src.pos(n.key.start).Line == at.Line
		for _, k := range n.kids {
			look(k)
		}
	}
	if p := root.kid("profile").kid(profile); p != nil {
		look(p)
	}
	return inside
}

// A builder makes a Spec out of the file, one profile and the flags.
type builder struct {
	*reader
	in   Input
	spec *Spec
	own  rule.Own

	root         *node
	userTable    *table
	inside       *scope     // of a user's walk, before its scenarios
	captured     []*binding // every capture, to find those that nothing uses
	feeds        map[string]*Feed
	hosts        []string // that literal URLs of requests may name; nil: not known
	walks        []*walk  // scenarios, those left out too
	newVars      []string // of the command line, that the file does not have
	offStages    []string // of scenarios that are left out
	offStagesWhy string
	nextStep     int
	nextCheck    int
	defaults     headerNames
	tagValues    map[string][]string // of the user's own tags
	unsure       map[string]bool     // tags of which not all values could be read
}

func newBuilder(r *reader, in Input) *builder {
	return &builder{reader: r, in: in, own: rule.Own{Metrics: map[string]rule.Kind{}}, unsure: map[string]bool{}, tagValues: map[string][]string{}}
}

// build reads the file with a profile; "" for none.
func (b *builder) build(file *node, profile string) *Spec {
	b.literals(file, false)
	root := b.effective(file, profile)
	b.findCaptures(root)
	b.root = root
	top := b.open(root, "")
	s := &Spec{File: b.in.File, Profile: profile}
	b.spec = s

	if !b.version(top) {
		return s // all else may be as the newer format has it
	}
	s.Name = b.name(top)
	s.Description = top.textOr("description", "")
	b.data(top)
	sc := b.constants(top)
	b.metrics(top)
	b.target(top.table("target"), sc)
	b.http(top.table("http"), sc)
	b.user(top.table("user"))
	b.lifeSteps(top, sc)
	b.scenarios(top)
	b.load(top)
	b.observe(top, sc)
	b.gate(top.table("gate"))
	b.stopWhen(top.table("load"))
	b.diagnose(top.table("diagnose"))
	b.flagged()
	if !b.aside && len(b.problems) == 0 {
		b.fingerprint(root)
		b.lint()
		b.notYet()
	}
	return s
}

// effective is the file with the profile and the flags laid over it.
func (b *builder) effective(file *node, profile string) *node {
	root := file.clone(nil)
	profiles := root.kid("profile")
	root.remove("profile")
	if profiles != nil {
		b.checkProfiles(profiles)
	}
	if profile != "" {
		p := profiles.kid(profile)
		if p == nil {
			b.noProfile(profiles, profile)
		} else {
			root.overlay(p.only(sectionOf("profile").names()), "load", "auth")
		}
	}
	b.override(root)
	return root
}

func (b *builder) checkProfiles(profiles *node) {
	if profiles.kind != tableNode {
		b.bad(profiles, "write [profile.NAME.load], say", "profile is %s: want tables", profiles.written(stringOf(profiles)))
		return
	}
	sec := sectionOf("profile")
	for _, p := range profiles.kids {
		if p.kind != tableNode {
			b.bad(p, "write [profile."+p.name+".load], say", "profile.%s is %s: want a table", p.name, p.written(stringOf(p)))
			continue
		}
		for _, k := range p.kids {
			if sec.key(k.name) != nil {
				continue
			}
			if sectionOf("").key(k.name) != nil {
				b.badKey(k, "a profile holds sections: "+strings.Join(sec.names(), ", "), "%s cannot be changed by a profile", k.name)
			} else {
				b.unknownKey(k, sec)
			}
		}
	}
}

func (b *builder) noProfile(profiles *node, wanted string) {
	p := Problem{File: "--profile", Message: fmt.Sprintf("the file has no profile %s", quote(wanted))}
	var names []string
	if profiles != nil {
		for _, k := range profiles.kids {
			names = append(names, k.name)
		}
	}
	switch near := rule.Nearest(wanted, names); {
	case near != "":
		p.Hint = didYouMean(near)
	case len(names) > 0:
		p.Hint = "it has " + strings.Join(names, ", ")
	default:
		p.Hint = "write [profile." + wanted + ".load], say"
	}
	b.problems = append(b.problems, p)
}

// version is false when the file is of a newer format.
func (b *builder) version(top *table) bool {
	n, k := top.row("version", integerKind)
	if n == nil {
		return true
	}
	if v, ok := n.value.(int64); ok && float64(v) > k.to {
		b.bad(n, "update loadline, or the action that brings it", "this file needs a newer loadline: it has version %d, and this one reads %d", v, int64(k.to))
		b.problems = b.problems[len(b.problems)-1:]
		return false
	}
	b.integer(n, k)
	return true
}

// name reads the spec's name; without one, the file's is made to fit.
func (b *builder) name(top *table) string {
	const most = maxNameLength
	name, ok := top.text("name")
	if !ok {
		base := path.Base(strings.ReplaceAll(b.in.File, `\`, "/"))
		base = strings.TrimSuffix(base, ".toml")
		base = strings.TrimSuffix(base, ".loadline")
		name = strings.Map(func(r rune) rune {
			if nameRune(r) {
				return r
			}
			return '-'
		}, base)
		if len(name) > most {
			name = name[:most]
		}
		if name == "" {
			name = "loadline"
		}
		return name
	}
	n := top.n.kid("name")
	switch {
	case name == "":
		b.bad(n, "write one, or leave the key out", "name is empty")
	case len(name) > most:
		b.bad(n, "", "name has %d characters: want 1 to %d", len([]rune(name)), most)
	case strings.TrimSpace(name) != name:
		b.bad(n, "take it away", "name %s begins or ends with a blank", quote(name))
	case strings.ContainsFunc(name, func(r rune) bool { return !nameRune(r) }):
		b.bad(n, "use letters, digits, blanks and . _ / -", "name %s has a character that a name cannot have", quote(name))
	case strings.Contains("/"+name+"/", "/../") || strings.Contains("/"+name+"/", "/./") || strings.Contains("/"+name+"/", "//"):
		b.bad(n, "it names a folder of baselines: write words between slashes", "name %s is no path", quote(name))
	}
	return name
}

var quotedPiece = regexp.MustCompile(`"[^"]+"|'[^']+'`)

// secretInLine is the value in a line of broken syntax, when its key or table
// says that it is a secret.
func secretInLine(src *source, p Problem) string {
	form := secretLine
	for n := p.Pos.Line; n > 0; n-- {
		if line := strings.TrimSpace(src.line(n)); strings.HasPrefix(line, "[") {
			if strings.Contains(line, "secrets") || strings.Contains(line, "auth") {
				form = anyLine
			}
			break
		}
	}
	if m := form.FindStringSubmatch(p.Source); m != nil {
		return strings.TrimSpace(m[2])
	}
	return ""
}

// invalidUTF8 finds the first byte that is not UTF-8, or -1.
func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return -1
}

// syntaxProblem is a mistake that the TOML library found, with what we know
// about how it comes about.
func syntaxProblem(src *source, err error) Problem {
	e, ok := errors.AsType[toml.ParseError](err)
	if !ok {
		return src.problem(span{0, 1}, "", err.Error())
	}
	start := e.Position.Start
	if start < 0 || start > len(src.text) || src.pos(start).Line != e.Position.Line {
		start = src.lines[max(0, min(e.Position.Line, len(src.lines))-1)]
	}
	p := src.problem(span{start, start + max(1, e.Position.Len)}, "", e.Message)
	p.Message, p.Hint = syntaxHint(src, p)
	if secret := secretInLine(src, p); secret != "" {
		p = p.masked([]string{secret, strings.Trim(secret, `"'`)})
		// The library quotes what it stumbled over: a piece of the secret.
		p.Message = quotedPiece.ReplaceAllStringFunc(p.Message, func(piece string) string {
			if strings.Contains(secret, piece[1:len(piece)-1]) {
				return `"***"`
			}
			return piece
		})
	}
	return p
}
