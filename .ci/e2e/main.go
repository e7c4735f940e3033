// Command e2e runs the action as a workflow would, with no GitHub and no
// Docker: act runs the workflow of a small repository in host mode, an emulator
// that keeps to GitHub's own API description answers its calls, and the target
// is go-httpbin, which nobody here wrote. All of it is on loopback.
//
//	go run . -repo ../.. -github ../../../shared/github
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	repo := flag.String("repo", "../..", "loadline's checkout")
	github := flag.String("github", "", "folder with ghemu, its API description and sample events")
	only := flag.String("only", "", "run only the groups whose name contains this: install, writers, act, events")
	keep := flag.Bool("keep", false, "keep the scratch folder and say where it is")
	limit := flag.Duration("limit", 12*time.Minute, "most time for everything, tools that must be installed included")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	r, err := newRunner(*repo, *github)
	if err == nil {
		err = r.all(ctx, *only)
	}
	if r != nil {
		r.close(*keep)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
	}
	if r != nil {
		fmt.Printf("%d passed, %d failed\n", r.passed, r.failed)
	}
	if err != nil || r.failed > 0 {
		os.Exit(1)
	}
}

// A runner holds what the scenarios share.
type runner struct {
	repo, github string // absolute
	scratch      string
	stops        []func()

	passed, failed int
}

func newRunner(repo, github string) (*runner, error) {
	if github == "" {
		return nil, errors.New("-github is missing: the folder with ghemu")
	}
	r := &runner{}
	var err error
	if r.repo, err = filepath.Abs(repo); err != nil {
		return nil, err
	}
	if r.github, err = filepath.Abs(github); err != nil {
		return nil, err
	}
	for _, need := range []string{r.repo + "/action.yml", r.github + "/ghemu/go.mod", r.github + "/api.github.com.json.gz"} {
		if _, err := os.Stat(need); err != nil {
			return nil, err
		}
	}
	r.scratch, err = os.MkdirTemp("", "loadline-e2e-")
	return r, err
}

func (r *runner) close(keep bool) {
	for i := len(r.stops) - 1; i >= 0; i-- {
		r.stops[i]()
	}
	if keep {
		fmt.Println("kept:", r.scratch)
		return
	}
	if err := os.RemoveAll(r.scratch); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: cleaning up:", err)
	}
}

func (r *runner) all(ctx context.Context, only string) error {
	for _, group := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"install", r.installScenarios},
		{"writers", r.writerScenarios},
		{"act", r.actScenarios},
		{"events", r.eventScenarios},
	} {
		if !strings.Contains(group.name, only) {
			continue
		}
		if err := group.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", group.name, err)
		}
	}
	return nil
}

// scenario runs one and prints a line for it.
func (r *runner) scenario(name string, run func() []string) {
	began := time.Now()
	wrong := run()
	word := "ok  "
	if len(wrong) > 0 {
		word = "FAIL"
		r.failed++
	} else {
		r.passed++
	}
	fmt.Printf("%s %-70s %5.1fs\n", word, name, time.Since(began).Seconds())
	for _, w := range wrong {
		fmt.Println("     " + strings.ReplaceAll(w, "\n", "\n     "))
	}
}

// A wrongs collects what a scenario found wrong.
type wrongs []string

func (w *wrongs) check(ok bool, format string, args ...any) bool {
	if !ok {
		*w = append(*w, fmt.Sprintf(format, args...))
	}
	return ok
}
