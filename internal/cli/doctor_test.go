package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/oasdiff/yaml3"
)

func TestPermissions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		features    string
		gate, store map[string]any
	}{
		{"", map[string]any{"contents": "read"}, nil},
		{"comment,baseline", map[string]any{"contents": "read", "pull-requests": "write"}, map[string]any{"contents": "write"}},
		{"comment,accept", map[string]any{"contents": "read", "pull-requests": "write"}, nil},
		{"merge-queue", map[string]any{"contents": "read", "checks": "read"}, nil},
		{"merge-queue,check-run", map[string]any{"contents": "read", "checks": "write"}, nil},
		{"deployment,rejudge", map[string]any{"contents": "read", "actions": "read", "deployments": "read"}, nil},
	} {
		var got struct {
			Permissions map[string]any
			Jobs        map[string]struct{ Permissions map[string]any }
		}
		text := permissionsFor(strings.Split(c.features, ","))
		if err := yaml.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v in\n%s", c.features, err, text)
			continue
		}
		if diff := cmp.Diff(c.gate, got.Jobs["gate"].Permissions); diff != "" {
			t.Errorf("%s: gate: %s", c.features, diff)
		}
		if diff := cmp.Diff(c.store, got.Jobs["baseline"].Permissions); diff != "" {
			t.Errorf("%s: baseline: %s", c.features, diff)
		}
		if diff := cmp.Diff(map[string]any{"contents": "read"}, got.Permissions); diff != "" {
			t.Errorf("%s: default: %s", c.features, diff)
		}
	}
}

// TestDoctorAsksForRights runs the command as a job would, with a token that may
// only read.
func TestDoctorAsksForRights(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer read-only":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method != http.MethodGet:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"message":"Resource not accessible by integration"}`)
		case strings.HasSuffix(r.URL.Path, "/runs"):
			fmt.Fprint(w, `{"total_count":0,"workflow_runs":[]}`)
		default:
			fmt.Fprint(w, `[]`)
		}
	}))
	defer api.Close()
	for token, want := range map[string]struct {
		code Exit
		says map[string]level
	}{
		"read-only": {ExitPass, map[string]level{
			"has contents: read": levelOK, "has no pull-requests: write, which is for the comment": levelWarn,
			"has no contents: write, which is for the branch of the baselines": levelWarn, "has actions: read": levelOK,
		}},
		"expired": {ExitInvalid, map[string]level{"cannot read the repository": levelBad}},
	} {
		vars := map[string]string{"GITHUB_REPOSITORY": "octo/shop", "GITHUB_TOKEN": token, "GITHUB_API_URL": api.URL}
		var out, errs bytes.Buffer
		env := &Env{
			Stdout: &out, Stderr: &errs, Dir: t.TempDir(),
			Getenv:  func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
			Environ: func() []string { return nil },
		}
		code := Run(context.Background(), env, []string{"doctor", "--json", "--pr", "7", "--duration", "20ms"})
		if code != want.code {
			t.Errorf("%s: status %d, want %d: %s", token, code, want.code, errs.String())
		}
		var got struct{ Findings []finding }
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		for text, lv := range want.says {
			found := false
			for _, f := range got.Findings {
				found = found || f.Area == "token" && f.Level == lv && strings.Contains(f.Message, text)
			}
			if !found {
				t.Errorf("%s: no %s says %q in %+v", token, lv, text, got.Findings)
			}
		}
	}
}

func TestWrapped(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("one two three ", 9) + "end"
	for _, width := range []int{0, 20, 40, 80} {
		got := wrapped(text, width)
		if strings.Join(strings.Fields(got), " ") != text {
			t.Errorf("%d columns: words were lost: %q", width, got)
		}
		for i, line := range strings.Split(got, "\n") {
			if i == 0 {
				line = strings.Repeat(" ", 11) + line
			}
			if width >= 40 && len(line) > width {
				t.Errorf("%d columns: %q", width, line)
			}
		}
	}
}
