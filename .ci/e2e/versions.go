package main

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
)

// versionHeader is where the target says which commit it runs.
const versionHeader = "X-Commit"

// versions: a target whose deployment is under way is waited for, and one that
// stays what it was is not measured.
func (m *mall) versions(ctx context.Context, at map[string]string) error {
	pull := mallJob{
		workflow: "perf.yml", event: "pull_request", payload: pullPayload(7, "octo/shop", "faster", at["faster"], at["main"]), commit: at["faster"],
		ref: "refs/pull/7/merge", token: writeToken, version: versionHeader,
	}
	// asked is how often the target was, and early what of the load it got while it
	// still was the old one.
	var asked, early atomic.Int64
	oldFor := func(times int64) func(*http.Request) string {
		asked.Store(0)
		early.Store(0)
		return func(req *http.Request) string {
			if asked.Add(1) > times {
				return at["faster"]
			}
			if req.URL.Path != "/" {
				early.Add(1)
			}
			return at["main"]
		}
	}
	defer m.target.reports.Store(nil)

	soon := oldFor(2)
	m.target.reports.Store(&soon)
	pull.runID = 745
	err := m.scenario(ctx, "version-header: waits while the target runs the old commit, then measures the new one", pull, func(o *outcome, rep *report, w *wrongs) {
		w.check(early.Load() == 0, "%d requests of the load went to the old deployment", early.Load())
		w.check(asked.Load() > 10, "the target was asked %d times: where is the load?", asked.Load())
		w.check(o.outputs["verdict"] != "" && o.outputs["verdict"] != "invalid", "verdict %q", o.outputs["verdict"])
		w.check(strings.Contains(onlyComment(rep, 7, w).Body, "run=745.1"), "the comment is not this run's")
	})
	if err != nil {
		return err
	}
	never := oldFor(1 << 40)
	m.target.reports.Store(&never)
	pull.runID, pull.ready = 746, "2s"
	return m.scenario(ctx, "version-header: an old deployment is not measured, and the job says so", pull, func(o *outcome, rep *report, w *wrongs) {
		w.check(o.failed && o.outputs["verdict"] == "invalid" && o.outputs["exit-code"] == "3", "red %v, outputs %v", o.failed, o.outputs)
		w.check(early.Load() == 0, "%d requests of the load were sent", early.Load())
		w.check(strings.Contains(o.log, "LL11"), "the log does not say LL11")
		w.check(strings.Contains(onlyComment(rep, 7, w).Body, "an old deployment"), "the comment does not say why:\n%s", onlyComment(rep, 7, w).Body)
	})
}
