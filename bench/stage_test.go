package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/delivery"
	"github.com/slipway-cd/slipway/examples"
	"github.com/slipway-cd/slipway/internal/wiretap"
)

const (
	cluster = "bench"
	service = "hid-generator"
)

// stage is an engine in a process of its own, with a cluster, a load balancer, and the example's checkout.
type stage struct {
	slipway  string
	dir      string
	endpoint string
	balancer string // host:port of the load balancer
	process  *os.Process
	tap      *wiretap.Tap // in front of the endpoint
	ecs      *ecs.Client
}

// newStage starts an engine; it is cleared away when the benchmark ends.
func (h *house) newStage(b *testing.B, runtime string, speed float64) *stage {
	b.Helper()
	s := &stage{slipway: h.slipway, dir: b.TempDir()}
	if err := s.start(b, runtime, speed); err != nil {
		b.Fatal(err)
	}
	var err error
	if s.tap, err = wiretap.New(s.endpoint); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.tap.Close)
	if err := s.furnish(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := s.checkout(b.Context()); err != nil {
		b.Fatal(err)
	}
	return s
}

// start starts the engine as users do and waits for the endpoint that it writes.
func (s *stage) start(b *testing.B, runtime string, speed float64) error {
	cmd := exec.Command(s.slipway, "engine", "start", "--listen", "127.0.0.1:0", "--data", filepath.Join(s.dir, "engine"),
		"--runtime", runtime, "--speed", fmt.Sprint(speed))
	cmd.Env = quiet(s.dir)
	var talk bytes.Buffer
	cmd.Stderr = &talk
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process = cmd.Process
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the engine did not start: %w: %s", err, &talk)
	}
	s.endpoint = strings.TrimSpace(line)
	b.Cleanup(func() {
		if err := s.run(context.Background(), "engine", "stop", "--clear", "--endpoint-url", s.endpoint); err != nil {
			b.Error(err)
			_ = cmd.Process.Kill()
		}
		_ = cmd.Wait()
	})
	return nil
}

// run runs slipway.
func (s *stage) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, s.slipway, args...)
	cmd.Env = quiet(s.dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("slipway %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// furnish makes what a service needs before it can be deployed: what `slipway demo` makes.
func (s *stage) furnish(ctx context.Context) error {
	cfg := aws.Config{
		Region: "us-east-1", BaseEndpoint: &s.endpoint, Credentials: credentials.NewStaticCredentialsProvider("bench", "bench", ""),
	}
	s.ecs = ecs.NewFromConfig(cfg)
	if _, err := s.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(cluster)}); err != nil {
		return err
	}
	client, name := elb.NewFromConfig(cfg), aws.String(service)
	made, err := client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		LoadBalancerName: name, AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
		Listeners: []elbtypes.Listener{{
			Protocol: aws.String("HTTP"), LoadBalancerPort: 8080, InstanceProtocol: aws.String("HTTP"), InstancePort: aws.Int32(1234),
		}},
	})
	if err != nil {
		return err
	}
	s.balancer = net.JoinHostPort(*made.DNSName, "8080")
	_, err = client.ConfigureHealthCheck(ctx, &elb.ConfigureHealthCheckInput{LoadBalancerName: name, HealthCheck: &elbtypes.HealthCheck{
		Target: aws.String("HTTP:1234/healthz"), Interval: aws.Int32(10), Timeout: aws.Int32(5),
		HealthyThreshold: aws.Int32(2), UnhealthyThreshold: aws.Int32(2),
	}})
	if err != nil {
		return err
	}
	_, err = client.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerName: name, LoadBalancerAttributes: &elbtypes.LoadBalancerAttributes{
			ConnectionDraining: &elbtypes.ConnectionDraining{Enabled: true, Timeout: aws.Int32(20)},
		},
	})
	return err
}

func (s *stage) project() string { return filepath.Join(s.dir, "project") }

// checkout lays the example down as a repository on branch master.
func (s *stage) checkout(ctx context.Context) error {
	example, err := fs.Sub(examples.HIDGenerator, "hid-generator")
	if err != nil {
		return err
	}
	if err := os.CopyFS(s.project(), example); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.project(), "go.mod"), []byte("module example.com/hid-generator\n\ngo 1.26\n"), 0o644); err != nil {
		return err
	}
	return s.git(ctx, "init", "--quiet", "--initial-branch=master")
}

func (s *stage) git(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", append([]string{
		"-C", s.project(), "-c", "user.name=Bench", "-c", "user.email=bench@slipway.invalid", "-c", "commit.gpgsign=false",
	}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return nil
}

func (s *stage) set() []string {
	return []string{
		"registry=" + strings.TrimPrefix(s.endpoint, "http://"), "clusterName=" + cluster, "loadBalancerName=" + service,
	}
}

// publish commits a version, builds and pushes its image, and publishes it: all that comes before an installation.
func (s *stage) publish(ctx context.Context, number string) error {
	path := filepath.Join(s.project(), config.FileName)
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
	if err := s.git(ctx, "add", "--all"); err != nil {
		return err
	}
	if err := s.git(ctx, "commit", "--quiet", "--allow-empty", "--message", "Version "+number); err != nil {
		return err
	}
	return s.build(ctx)
}

func (s *stage) build(ctx context.Context) error {
	w, err := delivery.Open(ctx, delivery.Options{Dir: s.project(), Set: s.set()})
	if err != nil {
		return err
	}
	env := w.Project.AllEnvironments()[0]
	var talk bytes.Buffer
	img, err := w.BuildImage(ctx, env, w.State.Commit, &talk)
	if err != nil {
		return fmt.Errorf("%w: %s", err, &talk)
	}
	pushed, err := w.PushImage(ctx, env, img, nil)
	if err != nil {
		return err
	}
	store, err := app.Stores(w.Dir).Open(ctx, w.Project.Artifacts)
	if err != nil {
		return err
	}
	_, err = w.Publish(ctx, store, pushed.Digest)
	return err
}

// quiet is the environment of a program that must see neither this machine's AWS configuration nor its CI.
func quiet(home string) []string {
	env := []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "NO_COLOR=1",
		"AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "AWS_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
	}
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "DOCKER_") {
			env = append(env, v)
		}
	}
	return env
}
