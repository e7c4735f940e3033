package github

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRights answers as GitHub does: a right that is missing is refused before
// the content is looked at.
func TestRights(t *testing.T) {
	t.Parallel()
	names := map[string]string{
		"GET /repos/octo/shop/git/matching-refs/heads/loadline": "contents: read", "POST /repos/octo/shop/git/blobs": "contents: write",
		"POST /repos/octo/shop/issues/7/comments": "pull-requests: write", "POST /repos/octo/shop/check-runs": "checks: write",
		"GET /repos/octo/shop/actions/runs": "actions: read", "GET /repos/octo/shop/deployments": "deployments: read",
	}
	for _, c := range []struct {
		name, has string
		pr        int
		status    int // of what is not there
		want      string
	}{
		{"all", "contents pull checks actions deployments", 7, 403, "contents: read, contents: write, pull-requests: write, checks: write, actions: read, deployments: read"},
		{"a token that may only read", "contents:read actions deployments", 7, 403, "contents: read, actions: read, deployments: read"},
		{"no pull request", "contents pull checks", 0, 403, "contents: read, contents: write, pull-requests: write?, checks: write"},
		{"another repository's", "", 7, 404, ""},
		{"an expired one", "", 7, 401, ""},
		{"a strange answer", "contents", 7, 410, "contents: read, contents: write, pull-requests: write?, checks: write?, actions: read?, deployments: read?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				right, ok := names[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v3")]
				if !ok {
					t.Errorf("call of %s %s", r.Method, r.URL.Path)
				}
				body, _ := io.ReadAll(r.Body)
				area, _, _ := strings.Cut(strings.Split(right, ":")[0], "-")
				switch {
				case !strings.Contains(c.has, area) || strings.Contains(c.has, area+":read") && strings.HasSuffix(right, "write"):
					w.WriteHeader(c.status)
					fmt.Fprint(w, `{"message":"Resource not accessible by integration"}`)
				case right == "pull-requests: write" && len(body) > 65_536, right == "checks: write" && strings.Contains(string(body), strings.Repeat("0", 40)):
					w.WriteHeader(http.StatusUnprocessableEntity)
					fmt.Fprint(w, `{"message":"Validation Failed"}`)
				case right == "contents: write":
					w.WriteHeader(http.StatusCreated)
					fmt.Fprint(w, `{"sha":"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"}`)
				case right == "actions: read":
					fmt.Fprint(w, `{"total_count":0,"workflow_runs":[]}`)
				case r.Method == http.MethodGet:
					fmt.Fprint(w, `[]`)
				default:
					t.Errorf("the probe of %s would have written", right)
				}
			}))
			defer srv.Close()
			client, err := New(Config{Owner: "octo", Repo: "shop", Token: "t", APIURL: srv.URL})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range client.Rights(t.Context(), c.pr) {
				switch {
				case r.Has:
					got = append(got, r.Name)
				case !r.Known:
					got = append(got, r.Name+"?")
				case r.Why == "":
					t.Errorf("%s is not there, and nobody says why", r.Name)
				}
			}
			if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
