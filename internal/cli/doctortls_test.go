package cli

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/wire/wiretest"
)

// What doctor says of a target behind TLS is what a run would meet there, and
// sooner: a certificate that ends soon is told of while it still holds.
func TestDoctorLooksAtTLS(t *testing.T) {
	t.Parallel()
	a := wiretest.NewAuthority(t)
	here := []net.IP{net.IPv4(127, 0, 0, 1)}
	now := time.Now()
	long := x509.Certificate{IPAddresses: here, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(90 * 24 * time.Hour)}
	soon, old, other := long, long, long
	soon.NotAfter = now.Add(48 * time.Hour)
	old.NotBefore, old.NotAfter = now.Add(-48*time.Hour), now.Add(-24*time.Hour)
	other.IPAddresses, other.DNSNames = nil, []string{"other.example"}
	ends := func(how string, c x509.Certificate) string {
		return "its certificate " + how + " on " + c.NotAfter.UTC().Format("2006-01-02")
	}
	for _, tt := range []struct {
		name     string
		template x509.Certificate
		trusted  bool
		code     Exit
		says     map[string]level
		not      string
	}{
		{"good", long, true, ExitPass, map[string]level{"TLS takes ": levelOK, " is ready, after ": levelOK}, "certificate"},
		{"ends soon", soon, true, ExitPass, map[string]level{ends("ends", soon): levelWarn, " is ready, after ": levelOK}, ""},
		{"expired", old, true, ExitInvalid, map[string]level{ends("ended", old): levelWarn, "the certificate of 127.0.0.1 is expired or not yet valid": levelBad}, "is ready"},
		{"of another host", other, true, ExitInvalid, map[string]level{"the certificate is for other.example, not 127.0.0.1": levelBad}, "is ready"},
		{"of an unknown authority", long, false, ExitInvalid, map[string]level{"signed by an authority that is not trusted: name its certificate in http.tls.ca": levelBad}, "is ready"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := a.Server(t, &tt.template, &tls.Config{}, func(http.ResponseWriter, *http.Request) {
				t.Error("doctor sent a request")
			})
			dir := t.TempDir()
			spec := strings.Replace(jobSpec, "${BASE_URL}", server.URL, 1)
			if tt.trusted {
				spec = strings.Replace(spec, "[load]", "[http.tls]\nca = \"ca.pem\"\n[load]", 1)
			}
			for name, text := range map[string]string{"api.toml": spec, "ca.pem": string(a.PEM)} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out, errs bytes.Buffer
			env := &Env{
				Stdout: &out, Stderr: &errs, Dir: dir, Environ: func() []string { return nil },
				Getenv: func(string) (string, bool) { return "", false },
			}
			code := Run(t.Context(), env, []string{"doctor", "api.toml", "--json", "--duration", "20ms"})
			var got struct{ Findings []finding }
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatalf("%v: %s%s", err, out.String(), errs.String())
			}
			if code != tt.code {
				t.Errorf("status %d, want %d: %+v", code, tt.code, got.Findings)
			}
			for text, lv := range tt.says {
				if !slices.ContainsFunc(got.Findings, func(f finding) bool { return f.Area == "target" && f.Level == lv && strings.Contains(f.Message, text) }) {
					t.Errorf("no %s says %q in %+v", lv, text, got.Findings)
				}
			}
			for _, f := range got.Findings {
				if tt.not != "" && f.Area == "target" && strings.Contains(f.Message, tt.not) {
					t.Errorf("says %q", f.Message)
				}
			}
		})
	}
}
