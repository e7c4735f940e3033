package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
)

// installScenarios try action/install.sh alone, with releases that a loopback
// server has.
func (r *runner) installScenarios(ctx context.Context) error {
	archive := fmt.Sprintf("loadline_1.2.3_%s_%s.tar.gz", runtime.GOOS, runtime.GOARCH)
	data, err := tarball("loadline", "#!/bin/sh\necho released\n")
	if err != nil {
		return err
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(data))
	var downloads atomic.Int32
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/v1.2.3/"+archive {
			http.NotFound(w, req)
			return
		}
		downloads.Add(1)
		_, _ = w.Write(data) // a client that went away is no matter
	})}
	go func() { _ = server.Serve(listener) }() // until Close
	defer server.Close()

	// The sources here are a stand-in, which builds in no time.
	source := func(name, version, checksums string) (string, error) {
		dir := filepath.Join(r.scratch, "install", name)
		script, err := os.ReadFile(filepath.Join(r.repo, "action", "install.sh"))
		if err != nil {
			return "", err
		}
		files := map[string]string{
			"action/install.sh": string(script), "go.mod": "module x\n\ngo 1.26\n",
			"cmd/loadline/main.go": "package main\n\nfunc main() { println(\"built\") }\n",
		}
		if version != "" {
			files["action/VERSION"], files["action/checksums.txt"] = version+"\n", checksums
		}
		for path, text := range files {
			path = filepath.Join(dir, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return "", err
			}
			if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
				return "", err
			}
		}
		return dir, nil
	}
	good := sum + "  " + archive + "\n"
	temp := filepath.Join(r.scratch, "install")
	own := filepath.Join(temp, "own")
	if err := os.MkdirAll(temp, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(own, []byte("#!/bin/sh\necho own\n"), 0o755); err != nil {
		return err
	}
	noGo := filepath.Join(temp, "bin")
	if err := linkTools(noGo, "bash", "cut", "dirname", "mktemp", "tr", "uname"); err != nil {
		return err
	}
	for _, c := range []struct {
		name, version, checksums string
		env                      []string
		says                     string // the binary; "" when it must fail
		log                      string
		downloads                int32
	}{
		{"a release with its checksum is downloaded", "1.2.3", good, nil, "released", "", 1},
		{"a second time it comes from the tool cache", "1.2.3", good, nil, "released", "", 0},
		{"a wrong checksum is refused, and nothing built instead", "1.2.3", strings.Repeat("0", 64) + "  " + archive + "\n", []string{"RUNNER_TOOL_CACHE=" + temp + "/other"}, "", "Nothing was run", 1},
		{"a release that cannot be downloaded is built", "9.9.9", strings.Repeat("0", 64) + "  " + strings.Replace(archive, "1.2.3", "9.9.9", 1) + "\n", nil, "built", "could not be downloaded", 0},
		{"a release for other systems only is built", "1.2.3", sum + "  loadline_1.2.3_plan9_mips.tar.gz\n", nil, "built", "", 0},
		{"a commit without a release is built", "", "", nil, "built", "", 0},
		{"version: source is built", "1.2.3", good, []string{"INPUT_VERSION=source"}, "built", "", 0},
		{"version: one that is known", "0.0.1", good, []string{"INPUT_VERSION=v1.2.3"}, "released", "", 0},
		{"version: one that is not known is refused", "1.2.3", good, []string{"INPUT_VERSION=4.5.6"}, "", "no release that this commit", 0},
		{"version: no version is refused", "1.2.3", good, []string{"INPUT_VERSION=1.2.3/../x"}, "", "not a version like 1.2.3", 0},
		{"binary-path is used", "1.2.3", good, []string{"INPUT_BINARY_PATH=" + own}, "own", "", 0},
		{"binary-path to nothing is refused", "1.2.3", good, []string{"INPUT_BINARY_PATH=/no/such"}, "", "not a file that can be run", 0},
		{"no Go and no release is said", "", "", []string{"PATH=" + noGo}, "", "Add actions/setup-go", 0},
	} {
		r.scenario("install: "+c.name, func() []string {
			var w wrongs
			dir, err := source(strings.ReplaceAll(c.name, " ", "-"), c.version, c.checksums)
			if err != nil {
				return []string{err.Error()}
			}
			output := filepath.Join(dir, "output")
			env := append(cleanEnv(), "GITHUB_OUTPUT="+output, "RUNNER_TEMP="+dir, "RUNNER_TOOL_CACHE="+temp+"/cache", "LOADLINE_RELEASES=http://"+listener.Addr().String())
			before := downloads.Load()
			log, err := command(ctx, dir, append(env, c.env...), "bash", filepath.Join(dir, "action", "install.sh"))
			w.check((err == nil) == (c.says != ""), "error %v", err)
			w.check(strings.Contains(log, c.log), "the log does not say %q", c.log)
			w.check(downloads.Load()-before == c.downloads, "%d downloads, want %d", downloads.Load()-before, c.downloads)
			set, _ := os.ReadFile(output)
			bin, ok := strings.CutPrefix(strings.TrimSpace(string(set)), "binary=")
			w.check(ok == (c.says != ""), "the output is %q", set)
			if ok {
				said, err := command(ctx, "", cleanEnv(), bin)
				w.check(err == nil && strings.TrimSpace(said) == c.says, "%s says %q, %v; want %s", bin, said, err, c.says)
			}
			if len(w) > 0 {
				w = append(w, log)
			}
			return w
		})
	}
	return ctx.Err()
}

// linkTools makes a folder that has only these programs.
func linkTools(dir string, names ...string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			return err
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func tarball(name, text string) ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	files := tar.NewWriter(zip)
	if err := files.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}); err != nil {
		return nil, err
	}
	if _, err := files.Write([]byte(text)); err != nil {
		return nil, err
	}
	if err := files.Close(); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
