package cli

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/result"
)

// dataBranch is where baselines lie on a git remote, unless it is said.
const dataBranch = "loadline-data"

// A place says where baselines are kept, as `--baseline` and the input `baseline`
// write it.
type place struct {
	kind   string // "branch", "dir", "git", "file", "none"
	where  string // folder, remote or file; "": the usual folder
	branch string // of "branch" and "git"; "": loadline-data
}

const placeHelp = "dir, dir:PATH, git:REMOTE[#BRANCH], or branch[:NAME] through GitHub's API"

// parsePlace reads a place.
func parsePlace(text string) (place, error) {
	kind, rest, has := strings.Cut(text, ":")
	switch {
	case kind == "none" && !has:
		return place{kind: kind}, nil
	case kind == "branch" && (!has || rest != ""):
		return place{kind: kind, branch: rest}, nil
	case kind == "dir" && (!has || rest != ""), kind == "file" && rest != "":
		return place{kind: kind, where: rest}, nil
	case kind == "git" && rest != "":
		p := place{kind: kind, where: rest}
		if i := strings.LastIndexByte(rest, '#'); i >= 0 {
			p.where, p.branch = rest[:i], rest[i+1:]
			if p.branch == "" {
				return place{}, fmt.Errorf("%q names no branch after #", text)
			}
		}
		return p, nil
	}
	return place{}, fmt.Errorf("%q is no place for baselines: write %s", text, placeHelp)
}

// storeFlags are those of the commands that use stored runs.
type storeFlags struct{ baseline, dir *string }

func addStoreFlags(fs *pflag.FlagSet) storeFlags {
	return storeFlags{
		baseline: fs.String("baseline", "", "`STORE` of the baselines: "+placeHelp+" (default: dir, the folder of --baseline-dir)"),
		dir:      dirFlag(fs),
	}
}

// open returns the store that the flags name, and how users read it.
func (f storeFlags) open(env *Env) (baseline.Store, string, error) {
	if *f.baseline == "" {
		return baseline.Dir(env.path(*f.dir)), *f.dir, nil
	}
	p, err := parsePlace(*f.baseline)
	if err == nil && (p.kind == "none" || p.kind == "file") {
		err = fmt.Errorf("%s is no store: write %s", *f.baseline, placeHelp)
	}
	if err != nil {
		return nil, "", usagef("--baseline: %w", err)
	}
	store, name, err := openPlace(env, p, *f.dir)
	if err != nil {
		return nil, "", usagef("--baseline %s: %w", p.kind, err)
	}
	return store, name, nil
}

// openPlace makes the store of a place of the kinds dir, git and branch. dir is the folder
// where the place names none.
func openPlace(env *Env, p place, dir string) (baseline.Store, string, error) {
	switch p.kind {
	case "git":
		g, err := baseline.NewGit(gitRemote(env, p.where), cmp.Or(p.branch, dataBranch), env.Environ())
		if err != nil {
			return nil, "", err
		}
		return g, g.String(), nil
	case "branch":
		client, err := clientFromEnv(env)
		if err != nil {
			return nil, "", err
		}
		b, err := client.Branch(cmp.Or(p.branch, dataBranch))
		if err != nil {
			return nil, "", err
		}
		return branchStore{b}, "branch " + b.Name(), nil
	}
	dir = cmp.Or(p.where, dir)
	return baseline.Dir(env.path(dir)), dir, nil
}

var remoteName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// gitRemote turns the name of a remote of the checkout, such as origin, into its
// address, and a relative path into a whole one.
func gitRemote(env *Env, where string) string {
	if remoteName.MatchString(where) {
		// A folder of that name is none of git's.
		if address, err := checkout(context.Background(), env, "remote", "get-url", where); err == nil {
			where = address
		}
	}
	if strings.Contains(where, "://") || strings.HasPrefix(where, "-") || where == "" {
		return where
	}
	// host:path is an address for ssh; C:\path is not.
	if head, _, colon := strings.Cut(where, ":"); colon && !strings.ContainsAny(head, `/\`) && len(head) > 1 {
		return where
	}
	return filepath.Clean(env.path(where))
}

// clientFromEnv talks to the repository that GitHub's variables name.
func clientFromEnv(env *Env) (*github.Client, error) {
	owner, repo, ok := strings.Cut(env.get("GITHUB_REPOSITORY"), "/")
	if !ok {
		return nil, fmt.Errorf("set GITHUB_REPOSITORY to owner/name, and GITHUB_TOKEN; elsewhere than on GitHub use git:REMOTE")
	}
	token := env.get("GITHUB_TOKEN")
	if token == "" {
		token = env.get("INPUT_TOKEN")
	}
	return github.New(github.Config{
		Owner: owner, Repo: repo, Token: github.Token(token), APIURL: env.get("GITHUB_API_URL"), UserAgent: "loadline/" + version(),
	})
}

// A branchStore is a branch on GitHub, through its API, as a store.
type branchStore struct{ *github.Branch }

// Open shows the branch as it is now.
func (b branchStore) Open(ctx context.Context) (fs.FS, error) { return b.FS(ctx) }

// Edit makes one commit of the changes.
func (b branchStore) Edit(ctx context.Context, message string, edit baseline.Edit) error {
	_, err := b.Write(ctx, message, func(files []github.File) ([]github.Change, error) {
		names := make([]string, len(files))
		for i, f := range files {
			names[i] = f.Path
		}
		changes, err := edit(names)
		all := make([]github.Change, len(changes))
		for i, c := range changes {
			all[i] = github.Change(c)
		}
		return all, err
	})
	return err
}

// finder makes the search for stored runs in a place, for a command that measures.
func finder(env *Env, p place, dir string) (func(context.Context, baseline.Query) (*baseline.Found, error), error) {
	if p.kind == "none" || p.kind == "file" {
		return func(context.Context, baseline.Query) (*baseline.Found, error) { return findWithout(env, p) }, nil
	}
	store, _, err := openPlace(env, p, dir)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, q baseline.Query) (*baseline.Found, error) {
		files, err := store.Open(ctx)
		if err != nil {
			return nil, err
		}
		return baseline.Find(files, q)
	}, nil
}

// findWithout answers for the places that are no store. A result file is the only
// stored run; whether it may be compared with is the verdict's to say.
func findWithout(env *Env, p place) (*baseline.Found, error) {
	if p.kind == "none" {
		return &baseline.Found{Miss: &baseline.Miss{Code: "no-baseline", Message: "the baseline is set to none"}}, nil
	}
	file, err := readResult(env, p.where)
	if err != nil {
		return nil, err
	}
	sum, err := result.Summarize(file.Run)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.where, err)
	}
	return &baseline.Found{Records: []baseline.Record{{File: p.where, Summary: sum}}}, nil
}

// list reads all runs of the store that the flags name.
func (f storeFlags) list(ctx context.Context, env *Env) ([]baseline.Entry, string, error) {
	store, where, err := f.open(env)
	if err != nil {
		return nil, "", err
	}
	files, err := store.Open(ctx)
	if err != nil {
		return nil, "", usageError{err}
	}
	entries, err := baseline.List(files)
	if err != nil {
		return nil, "", usagef("%s: %w", where, err)
	}
	return entries, where, nil
}

// put stores a run. In a folder nothing goes that nobody asked to go: it may be
// one that is reviewed in pull requests. A branch is pruned in the same commit.
func put(ctx context.Context, store baseline.Store, s *result.Summary) (string, error) {
	if dir, ok := store.(baseline.Dir); ok {
		return dir.Put(s)
	}
	return baseline.Put(ctx, store, s, baseline.Keep)
}
