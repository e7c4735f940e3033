package github

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
)

func TestCheckRun(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 50, 51, 120} {
		s := githubtest.New()
		run, err := client(t, s).StartCheck(t.Context(), "loadline / api (staging)", headSHA, "https://x.example")
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Checks()[0]; got.Status != "in_progress" || run.URL == "" {
			t.Fatalf("begun: got %+v, URL %q", got, run.URL)
		}
		list := []Annotation{{Level: LevelError, Message: "about no file"}}
		for i := range n {
			list = append(list, Annotation{Level: LevelWarning, File: "a.toml", Line: i, Title: "t", Message: fmt.Sprint(i)})
		}
		if err := run.Complete(t.Context(), CheckResult{Conclusion: Failure, Title: "slower", Summary: "s", Annotations: list}); err != nil {
			t.Fatal(err)
		}
		got := s.Checks()[0]
		if got.Status != "completed" || got.Conclusion != "failure" || len(got.Annotations) != n || got.Updates != max(1, (n+49)/50) {
			t.Errorf("%d annotations: got %s, %s, %d annotations, %d updates", n, got.Status, got.Conclusion, len(got.Annotations), got.Updates)
		}
	}
}

// The conclusion goes out first: a check must not stay open because GitHub fails
// at its annotations.
func TestCheckIsCompletedFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := githubtest.New()
		run, err := client(t, s).StartCheck(t.Context(), "x", headSHA, "")
		if err != nil {
			t.Fatal(err)
		}
		list := make([]Annotation, 60)
		for i := range list {
			list[i] = Annotation{Level: LevelError, File: "a", Message: "m"}
		}
		ok := true
		s.Before = func(r *http.Request) *githubtest.Fault {
			if r.Method != "PATCH" || ok {
				ok = ok && r.Method != "PATCH"
				return nil
			}
			return &githubtest.Fault{Status: 500}
		}
		if err := run.Complete(t.Context(), CheckResult{Conclusion: Neutral, Title: "t", Summary: "s", Annotations: list}); err == nil {
			t.Error("the failure is not told")
		}
		if got := s.Checks()[0]; got.Status != "completed" || got.Conclusion != "neutral" {
			t.Errorf("got %+v", got)
		}
	})
}

func TestCheckText(t *testing.T) {
	t.Parallel()
	for _, s := range []string{strings.Repeat("é", maxCheckText), strings.Repeat("line\n", maxCheckText), strings.Repeat("é", 5000) + "\n" + strings.Repeat("x", maxCheckText)} {
		got := cutText(s)
		if len(got) > maxCheckText || !utf8.ValidString(got) || !strings.HasSuffix(got, "(cut: too long for a check)") {
			t.Errorf("%d bytes, ends %q", len(got), got[len(got)-40:])
		}
	}
	if got := cutText("short"); got != "short" {
		t.Errorf("got %q", got)
	}
}
