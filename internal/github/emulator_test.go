package github

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestEmulator holds this package to an emulator that checks every call against
// GitHub's own API description and keeps real git behind it. The end-to-end
// check starts one and names it; elsewhere the test is skipped.
func TestEmulator(t *testing.T) {
	api := os.Getenv("LOADLINE_GITHUB_EMULATOR")
	if api == "" {
		t.Skip("LOADLINE_GITHUB_EMULATOR names no emulator")
	}
	connect := func(t *testing.T) *Client {
		t.Helper()
		c, err := New(Config{Owner: "octo", Repo: "shop", APIURL: api, Token: Token(os.Getenv("LOADLINE_GITHUB_EMULATOR_TOKEN"))})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	open := func(t *testing.T, name string) *Branch {
		t.Helper()
		b, err := connect(t).Branch(name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	control := func(t *testing.T, what, body string) {
		t.Helper()
		resp, err := http.Post(api+"/_emu/"+what, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close() // only its status matters
		if resp.StatusCode != http.StatusNoContent {
			t.Fatalf("%s: %s", what, resp.Status)
		}
	}

	t.Run("twenty writers", func(t *testing.T) {
		var wg sync.WaitGroup
		for i := range 20 {
			b := open(t, "writers")
			wg.Go(func() {
				if _, err := b.Write(t.Context(), fmt.Sprintf("run %d", i), add(fmt.Sprintf("v1/%d.json", i), fmt.Sprint(i))); err != nil {
					t.Errorf("writer %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		all, err := open(t, "writers").FS(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			if data, err := fs.ReadFile(all, fmt.Sprintf("v1/%d.json", i)); err != nil || string(data) != fmt.Sprint(i) {
				t.Errorf("file %d: got %q, %v", i, data, err)
			}
		}
	})

	t.Run("files", func(t *testing.T) {
		big := bytes.Repeat([]byte("0123456789abcdef"), maxInline/16+1)
		changes := []Change{{Path: "a/text.json", Data: []byte("{}\n")}, {Path: "a/binary", Data: []byte{0, 0xff}}, {Path: "big", Data: big}, {Path: "empty", Data: nil}}
		b := open(t, "ci/files")
		if _, err := b.Write(t.Context(), "all kinds", func([]File) ([]Change, error) { return changes, nil }); err != nil {
			t.Fatal(err)
		}
		files, err := b.Files(t.Context(), "")
		if err != nil || len(files) != len(changes) {
			t.Fatalf("got %v, %v", files, err)
		}
		for _, f := range files {
			data, err := b.Read(t.Context(), f)
			if err != nil || len(data) != f.Size {
				t.Errorf("%s: got %d bytes, %v, want %d", f.Path, len(data), err, f.Size)
			}
		}
		_, err = b.Write(t.Context(), "prune", func(files []File) ([]Change, error) {
			return []Change{{Path: "a/binary", Remove: true}, {Path: "big", Remove: true}, {Path: "new", Data: []byte("n")}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if files, err = b.Files(t.Context(), ""); err != nil || len(files) != 3 {
			t.Errorf("after pruning: got %v, %v", files, err)
		}
	})

	t.Run("faults", func(t *testing.T) {
		b := open(t, "faults")
		if _, err := b.Write(t.Context(), "first", add("0", "0")); err != nil {
			t.Fatal(err)
		}
		for i, fault := range []string{
			`{"method":"PATCH","path":"git/refs/","times":1,"after":true,"drop":true}`,
			`{"method":"PATCH","path":"git/refs/","times":2,"status":502}`,
			`{"method":"POST","path":"git/trees","times":1,"drop":true}`,
			`{"method":"POST","path":"git/commits","times":1,"status":403,"headers":{"Retry-After":"1"}}`,
			`{"method":"PATCH","path":"git/refs/","times":1,"status":422,"body":{"message":"Update is not a fast forward"}}`,
		} {
			control(t, "faults", "["+fault+"]")
			if _, err := b.Write(t.Context(), fault, add(fmt.Sprint(i+1), fault)); err != nil {
				t.Errorf("%s: %v", fault, err)
			}
		}
		control(t, "faults", "[]")
		control(t, "race", `{"repo":"octo/shop","ref":"refs/heads/faults","times":2}`)
		if _, err := b.Write(t.Context(), "after rivals", add("last", "x")); err != nil {
			t.Error(err)
		}
		files, err := open(t, "faults").Files(t.Context(), "")
		if err != nil || len(files) != 1+5+1+2 {
			t.Errorf("got %v, %v, want 9 files", files, err)
		}
	})

	t.Run("comments", func(t *testing.T) {
		c := connect(t)
		first := post(t, c, comment(1, 1, "one"))
		control(t, "faults", `[{"method":"PATCH","path":"issues/comments/","times":1,"after":true,"drop":true}]`)
		second := post(t, c, comment(2, 1, "two"))
		if first.URL == "" || first.URL != second.URL || second.Action != PostedEdit {
			t.Errorf("got %+v, then %+v", first, second)
		}
		other := comment(3, 1, "three")
		other.Key = "another"
		control(t, "faults", `[{"method":"POST","path":"/comments","times":1,"after":true,"drop":true}]`)
		if p := post(t, c, other); p.URL == "" || p.URL == first.URL {
			t.Errorf("got %+v", p)
		}
		found, err := c.marked(t.Context(), other, time.Time{})
		if err != nil || len(found) != 1 {
			t.Errorf("%d comments of the other key, %v, want 1", len(found), err)
		}
	})

	t.Run("check run", func(t *testing.T) {
		b := open(t, "checked")
		commit, err := b.Write(t.Context(), "x", add("x", "x"))
		if err != nil {
			t.Fatal(err)
		}
		run, err := connect(t).StartCheck(t.Context(), "loadline / api (staging)", commit, "https://example.test/run")
		if err != nil {
			t.Fatal(err)
		}
		list := make([]Annotation, 120)
		for i := range list {
			list[i] = Annotation{Level: LevelError, File: "perf/api.toml", Line: i + 1, Title: "t", Message: "m"}
		}
		if err := run.Complete(t.Context(), CheckResult{Conclusion: Failure, Title: "slower", Summary: "s", Annotations: list}); err != nil {
			t.Error(err)
		}
	})
}
