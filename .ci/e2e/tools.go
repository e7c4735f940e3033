package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Versions of what is installed when it is not there.
const (
	actModule     = "github.com/nektos/act@v0.2.89"
	httpbinModule = "github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@v2.26.0"
)

// tool returns the path of a program of the given module version, and installs
// it into a cache when it is not there yet.
func tool(ctx context.Context, module string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path, version, _ := strings.Cut(module, "@")
	dir := filepath.Join(cache, "loadline-e2e", filepath.Base(path)+"-"+version)
	bin := filepath.Join(dir, filepath.Base(path))
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	env := append(cleanEnv(), "GOBIN="+dir)
	if out, err := command(ctx, "", env, "go", "install", module); err != nil {
		return "", fmt.Errorf("installing %s: %w\n%s", module, err, out)
	}
	return bin, nil
}

// build makes a program from a package of a folder.
func build(ctx context.Context, dir, pkg, bin string) error {
	env := append(cleanEnv(), "GOWORK=off", "CGO_ENABLED=0")
	if out, err := command(ctx, dir, env, "go", "build", "-trimpath", "-buildvcs=false", "-o", bin, pkg); err != nil {
		return fmt.Errorf("building %s in %s: %w\n%s", pkg, dir, err, out)
	}
	return nil
}

// command runs a program to its end and returns all that it printed.
func command(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, env, 5*time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// cleanEnv is the environment without what a workflow runner around this one
// has set, which act's host mode would hand on to the job.
func cleanEnv() []string {
	var out []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		upper := strings.ToUpper(name)
		drop := false
		for _, prefix := range []string{"GITHUB_", "INPUT_", "RUNNER_", "ACTIONS_", "LOADLINE", "GIT_"} {
			drop = drop || strings.HasPrefix(upper, prefix)
		}
		for _, exact := range []string{"CI", "GOFLAGS", "GOWORK", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_COLOR"} {
			drop = drop || upper == exact
		}
		if !drop {
			out = append(out, kv)
		}
	}
	return out
}

// copyTree copies the files that git knows, or would know, of a checkout.
func copyTree(ctx context.Context, from, to string) error {
	list, err := command(ctx, from, cleanEnv(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return fmt.Errorf("listing the files of %s: %w\n%s", from, err, list)
	}
	for name := range strings.SplitSeq(strings.TrimRight(list, "\x00"), "\x00") {
		source, target := filepath.Join(from, name), filepath.Join(to, name)
		info, err := os.Stat(source)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
			continue // removed, but not yet from the index
		}
		if err != nil {
			return err
		}
		data, err := os.ReadFile(source)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, data, info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

// start runs a program until the end of everything. Its output goes to a file.
func (r *runner) start(name string, env []string, bin string, args ...string) error {
	log, err := os.Create(filepath.Join(r.scratch, name+".log"))
	if err != nil {
		return err
	}
	cmd := exec.Command(bin, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, log, log
	if err := cmd.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	r.stops = append(r.stops, func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()
		_ = log.Close()
	})
	return nil
}

// waitFor asks again and again, at most for the given time.
func waitFor(ctx context.Context, most time.Duration, what string, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for !ready() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}
