package cli

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/examples"
	"github.com/slipway-cd/slipway/fault"
)

// demoVersion is one version that the demo deploys, and how that has to end.
type demoVersion struct {
	number string
	about  string
	fails  string // status that its health check answers; empty: it is well
	exit   int
}

// writeProject lays the example down as a repository of its own, on branch master.
func (d *demonstration) writeProject(ctx context.Context) error {
	example, err := fs.Sub(examples.HIDGenerator, "hid-generator")
	if err != nil {
		return err
	}
	if err := os.CopyFS(d.project, example); err != nil {
		return fault.New(fault.Internal, "cannot write the example project: %w", err)
	}
	module := filepath.Join(d.project, "go.mod")
	if err := os.WriteFile(module, []byte("module example.com/hid-generator\n\ngo 1.26\n"), 0o644); err != nil {
		return err
	}
	return d.git(ctx, "init", "--quiet", "--initial-branch=master")
}

// git runs git in the project, with a name for its commits, whoever's machine this is.
func (d *demonstration) git(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", append([]string{
		"-C", d.project, "-c", "user.name=Slipway", "-c", "user.email=demo@slipway.invalid", "-c", "commit.gpgsign=false",
	}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fault.New(fault.Internal, "cannot run git %s: %w: %s", args[0], err, bytes.TrimSpace(out)).
			WithHint("the demo needs git")
	}
	return nil
}

// commit raises the version in slipway.yaml and commits it, as its authors would.
func (d *demonstration) commit(ctx context.Context, number string) error {
	path := filepath.Join(d.project, config.FileName)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := strings.SplitAfter(string(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "version:") {
			lines[i] = "version: \"" + number + "\"\n"
		}
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644); err != nil {
		return err
	}
	if err := d.git(ctx, "add", "--all"); err != nil {
		return err
	}
	return d.git(ctx, "commit", "--quiet", "--allow-empty", "--message", "Version "+number)
}

// release commits a version and deploys it with the very command that users call.
func (d *demonstration) release(ctx context.Context, r *demoReport, v demoVersion) error {
	d.heading("%s.RELEASE: %s", v.number, v.about)
	if err := d.commit(ctx, v.number); err != nil {
		return err
	}
	o := installOptions{bake: -1}
	o.dir, o.endpoint = d.project, d.engine.Endpoint()
	o.set = []string{"registry=" + d.engine.Addr(), "clusterName=" + demoCluster, "loadBalancerName=" + demoBalancer}
	if v.fails != "" {
		o.set = append(o.set, "failHealth="+v.fails)
	}
	result, err := d.deployWith(ctx, o)
	if err != nil {
		return err
	}
	r.Versions = append(r.Versions, demoOutcome{Version: v.number + ".RELEASE", Outcome: result.Outcome, Seconds: result.Seconds, Diagnosis: result.Diagnosis})
	return v.judge(result.Outcome)
}

// judge says whether a version came to what the demo shows of it.
func (v demoVersion) judge(came deploy.Outcome) error {
	switch code := exitOfOutcome[came]; {
	case code == v.exit:
		return nil
	case came == deploy.Interrupted:
		return fault.New(fault.Interrupted, "the demo was interrupted while it installed version %s; what it made is removed", v.number)
	default:
		return fault.New(fault.Internal, "version %s came to %q (exit code %d), which is not what this demo shows (exit code %d)", v.number, came, code, v.exit)
	}
}
