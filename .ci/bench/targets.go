package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// nginx serves a small JSON answer, plain and over TLS.
type nginx struct {
	cmd        *exec.Cmd
	plain, ssl string
}

const answer = `{"id":17,"name":"loadline","token":"0123456789abcdef0123456789abcdef","price":12.5,"tags":["a","b"],"stock":7,"ok":true}`

func startNginx(dir string) (*nginx, error) {
	plain, ssl := freeAddrOf("127.0.0.1"), freeAddrOf("127.0.0.1")
	if err := certificate(dir); err != nil {
		return nil, err
	}
	const body = "location / { default_type application/json; return 200 '%s'; }"
	n, err := runNginx(dir, fmt.Sprintf(`daemon off; master_process off; pid %[1]s/nginx.pid; error_log stderr crit;
events { worker_connections 19000; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 300;
client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
server { listen %[2]s; %[4]s }
server { listen %[3]s ssl http2; ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem; %[4]s }
}`, dir, plain, ssl, fmt.Sprintf(body, answer)))
	if err != nil {
		return nil, err
	}
	n.plain, n.ssl = plain, ssl
	return n, reachable(n.plain)
}

// runNginx starts nginx on the first CPU.
func runNginx(dir, conf string) (*nginx, error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		if path = "/usr/sbin/nginx"; !exists(path) {
			return nil, errors.New("nginx is missing: apt-get install nginx-light")
		}
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	args := []string{path, "-c", file, "-p", dir}
	if taskset, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{taskset, "-c", "0"}, args...)
	}
	n := &nginx{cmd: exec.Command(args[0], args[1:]...)}
	n.cmd.Stderr = os.Stderr
	return n, n.cmd.Start()
}

func (n *nginx) url(scheme string) string {
	if scheme == "https" {
		return "https://" + n.ssl
	}
	return "http://" + n.plain
}

func (n *nginx) stop() {
	_ = n.cmd.Process.Signal(os.Interrupt)
	_ = n.cmd.Wait()
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func freeAddrOf(host string) string {
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func reachable(addr string) error {
	var err error
	for range 100 {
		var c net.Conn
		if c, err = net.DialTimeout("tcp", addr, time.Second); err == nil {
			return c.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// certificate writes a self-signed one for loopback.
func certificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600))
}
