package scripted

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"regexp"
	goruntime "runtime"
	"strings"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Exec pretends a health check: whatever the command, its exit code is 0 when the container is healthy, else 1.
func (r *Runtime) Exec(_ context.Context, name runtime.Name, _ []string) (int, string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.find(name)
	if err != nil {
		return 0, "", err
	}
	if c.phase != runtime.Running {
		return 0, "", fault.New(fault.Conflict, "cannot run a command in container %q: it is not running", name)
	}
	if !c.frozen && c.script.healthyAt(r.age(c)) {
		return 0, "healthy\n", nil
	}
	return 1, "unhealthy\n", nil
}

// Probe tells how the container would answer a request. Its port is not asked for: a container answers alike on all.
func (r *Runtime) Probe(_ context.Context, name runtime.Name, containerPort int, path string) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.find(name)
	if err != nil {
		return 0, err
	}
	status := 0
	if c.phase == runtime.Running && !c.frozen {
		path, _, _ = strings.Cut(path, "?")
		status = c.script.answerAt(path, r.age(c))
	}
	if status == 0 {
		return 0, fault.New(fault.Unavailable, "cannot connect to port %d of container %q: connection refused", containerPort, name)
	}
	return status, nil
}

// age is how long ago a container was started, in the time of its script. The lock is held.
func (r *Runtime) age(c *container) time.Duration {
	return time.Duration(float64(time.Since(c.started)) * r.speed)
}

// Logs yields what the script prints. Lines are made when they are asked for.
func (r *Runtime) Logs(ctx context.Context, name runtime.Name, since time.Time, follow bool) iter.Seq2[runtime.Line, error] {
	return func(yield func(runtime.Line, error) bool) {
		for {
			r.mu.Lock()
			c, err := r.find(name)
			if err != nil {
				r.mu.Unlock()
				yield(runtime.Line{}, err)
				return
			}
			now, over := time.Now(), c.waits()
			running, lines, next := c.phase == runtime.Running, r.printed(c, since, now), r.nextLine(c, now)
			r.mu.Unlock()
			for _, l := range lines {
				if !yield(l, nil) {
					return
				}
				since = l.Time
			}
			if !follow || !running || !await(ctx, over, next) {
				return
			}
		}
	}
}

// await waits for the next line, if there is one to come, or the end. It says whether to go on.
func await(ctx context.Context, over <-chan struct{}, next time.Duration) bool {
	var line <-chan time.Time
	if next > 0 {
		t := time.NewTimer(next)
		defer t.Stop()
		line = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-over:
	case <-line:
	}
	return true
}

var pulls = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[-._])pull(?:-([0-9.]+(?:ms|s|m)))?(?:-(missing|denied|unavailable))?$`)
})

// Pull pretends what the tag says. The image's digest is made up from its reference.
func (r *Runtime) Pull(ctx context.Context, ref string) (runtime.Image, error) {
	if ref == "" || strings.ContainsAny(ref, " \t\n") {
		return runtime.Image{}, fault.New(fault.Invalid, "cannot pull image %q: not a reference", ref)
	}
	whole, digest, byDigest := strings.Cut(ref, "@")
	tag := whole[strings.LastIndexByte(whole, '/')+1:]
	_, tag, _ = strings.Cut(tag, ":")
	if m := pulls().FindStringSubmatch(tag); m != nil {
		d, _ := time.ParseDuration(m[1]) // none is zero
		if err := sleep(ctx, r.pace(d)); err != nil {
			return runtime.Image{}, fault.New(fault.Interrupted, "cannot pull image %q: %w", ref, err)
		}
		switch m[2] {
		case "missing":
			return runtime.Image{}, fault.New(fault.NotFound, "cannot pull image %q: manifest for %s not found: manifest unknown", ref, ref)
		case "denied":
			return runtime.Image{}, fault.New(fault.Denied, "cannot pull image %q: pull access denied: repository does not exist or may require authorization", ref)
		case "unavailable":
			return runtime.Image{}, fault.New(fault.Unavailable, "cannot pull image %q: dial tcp: connect: connection refused", ref)
		}
	}
	if !byDigest {
		sum := sha256.Sum256([]byte(ref))
		digest = "sha256:" + hex.EncodeToString(sum[:])
	}
	return runtime.Image{Digest: digest, Architecture: goruntime.GOARCH, OS: "linux"}, nil
}
