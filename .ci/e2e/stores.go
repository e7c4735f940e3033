package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
)

// storeScenarios hold the commands that keep baselines, and doctor, to GitHub's
// API: what is carried through a branch comes back byte for byte.
func (r *runner) storeScenarios(ctx context.Context, emu *emulator) error {
	bin := filepath.Join(r.scratch, "loadline")
	if err := build(ctx, r.repo, "./cmd/loadline", bin); err != nil {
		return err
	}
	dir := filepath.Join(r.scratch, "stores")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	as := func(token string) []string {
		return append(cleanEnv(), "GITHUB_REPOSITORY=octo/shop", "GITHUB_API_URL="+emu.url, "GITHUB_TOKEN="+token)
	}
	r.scenario("baseline import, list, export and prune on a branch of GitHub", func() []string {
		var w wrongs
		for _, step := range []struct {
			token, args, says string
			fails             bool
		}{
			{writeToken, "export out.tgz --baseline dir:" + filepath.Join(r.repo, "baselines"), "wrote ", false},
			{readToken, "import out.tgz --baseline branch:carried", "contents: write", true},
			{writeToken, "import out.tgz --baseline branch:carried", "0 were there already", false},
			{writeToken, "import out.tgz --baseline branch:carried", "added 0 runs", false},
			{readToken, "list --baseline branch:carried", "example", false},
			{readToken, "export back.tgz --baseline branch:carried", "wrote ", false},
			{writeToken, "prune --keep 1 --baseline branch:carried", "1 run removed", false},
		} {
			out, err := command(ctx, dir, as(step.token), bin, append([]string{"baseline"}, strings.Fields(step.args)...)...)
			w.check((err != nil) == step.fails && strings.Contains(out, step.says), "%s: %v, and it does not say %q:\n%s", step.args, err, step.says, out)
		}
		sent, errSent := os.ReadFile(filepath.Join(dir, "out.tgz"))
		back, errBack := os.ReadFile(filepath.Join(dir, "back.tgz"))
		w.check(errSent == nil && errBack == nil && bytes.Equal(sent, back), "what came back is other than what was sent: %v, %v", errSent, errBack)
		return w
	})
	r.scenario("doctor finds out what a token may do, and leaves nothing", func() []string {
		var w wrongs
		for token, says := range map[string]string{
			writeToken: "has pull-requests: write",
			readToken:  "has no pull-requests: write, which is for the comment",
		} {
			out, err := command(ctx, dir, as(token), bin, "doctor", "--pr", "7", "--duration", "50ms")
			w.check(err == nil && strings.Contains(out, says), "%v, and it does not say %q:\n%s", err, says, out)
		}
		rep, err := emu.report(ctx)
		if !w.check(err == nil, "%v", err) {
			return w
		}
		for _, c := range rep.Repos["octo/shop"].Comments {
			w.check(len(c.Body) < 65_536, "a comment was left")
		}
		return w
	})
	return ctx.Err()
}
