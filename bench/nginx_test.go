package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// errNotInstalled says that nginx or wrk is not there.
var errNotInstalled = errors.New("nginx and wrk are not installed: run `test/setup bench`")

// nginxTools finds nginx, whose directory is not always among those of commands, and the load generator.
func nginxTools() (nginx, wrk string, err error) {
	nginx, err = exec.LookPath("nginx")
	if err != nil {
		nginx, err = exec.LookPath("/usr/sbin/nginx")
	}
	if err != nil {
		return "", "", errNotInstalled
	}
	if wrk, err = exec.LookPath("wrk"); err != nil {
		return "", "", errNotInstalled
	}
	return nginx, wrk, nil
}

// nginxConfiguration has it do what a load balancer does with a request and no more: pass it on over a connection that is
// kept, and tell who asked. Nothing is logged, as by ours.
const nginxConfiguration = `
daemon off;
worker_processes auto;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log crit;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  upstream service { %[2]s keepalive 64; keepalive_requests 100000000; }
  server {
    listen %[3]s;
    keepalive_requests 100000000;
    location / {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Port $server_port;
    }
  }
}
`

// startNginx has nginx forward to the targets and returns its address.
func startNginx(ctx context.Context, b *testing.B, program string, targets []string) (string, error) {
	b.Helper()
	free, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return "", err
	}
	dir := b.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // nginx's workers are another user
		return "", err
	}
	servers := ""
	for _, t := range targets {
		servers += "server " + t + "; "
	}
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfiguration, dir, servers, address), 0o600); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, program, "-p", dir, "-c", config)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // killed, it would leave its workers behind
	if err := cmd.Start(); err != nil {
		return "", err
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	return address, answering(ctx, "http://"+address)
}

// answering waits until there is an answer.
func answering(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			return resp.Body.Close()
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s does not answer: %w", url, err)
		}
	}
}

var wrkRate = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)

// hammer presses an address with wrk and returns how many requests a second were answered. Every answer must be good.
func hammer(ctx context.Context, wrk, address string) (float64, error) {
	out, err := exec.CommandContext(ctx, wrk, "-t", "2", "-c", strconv.Itoa(connections),
		"-d", strconv.Itoa(int(during.Seconds()))+"s", "http://"+address+"/").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	for _, trouble := range []string{"Non-2xx", "Socket errors"} {
		if strings.Contains(string(out), trouble) {
			return 0, fmt.Errorf("not every request to %s was answered well: %s", address, out)
		}
	}
	found := wrkRate.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("wrk tells no rate: %s", out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// againstNginx measures the load balancer and nginx before the same targets, in turn, and returns the median rates.
func againstNginx(b *testing.B, balancer string, targets []string) (ours, theirs float64, err error) {
	b.Helper()
	program, wrk, err := nginxTools()
	if err != nil {
		return 0, 0, err
	}
	nginx, err := startNginx(b.Context(), b, program, targets)
	if err != nil {
		return 0, 0, err
	}
	rates := map[string][]float64{}
	for round := range rounds + 1 { // the first one warms up
		for _, address := range []string{nginx, balancer} {
			rate, err := hammer(b.Context(), wrk, address)
			if err != nil {
				return 0, 0, err
			}
			if round > 0 {
				rates[address] = append(rates[address], rate)
			}
		}
	}
	return median(rates[balancer]), median(rates[nginx]), nil
}
