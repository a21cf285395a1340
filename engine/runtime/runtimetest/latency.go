package runtimetest

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
)

// Latency measures the lives of containers: create, start to the program's first word, stop, remove.
func Latency(b *testing.B, r runtime.Runtime, image string) {
	b.Helper()
	ctx := b.Context()
	if _, err := r.Pull(ctx, image); err != nil {
		b.Fatal(err)
	}
	var parts [5]time.Duration
	for b.Loop() {
		spec := runtime.Spec{
			Name: runtime.Name("latency-" + unique()), Image: image,
			Definition: types.ContainerDefinition{Command: []string{"trap", "0", "print", "ready", "wait"}},
		}
		for i, step := range []func() error{
			func() error { return r.Create(ctx, spec) },
			func() error { return r.Start(ctx, spec.Name) },
			func() error { return said(ctx, r, spec.Name) },
			func() error { return r.Stop(ctx, spec.Name, patience) },
			func() error { return r.Remove(ctx, spec.Name) },
		} {
			began := time.Now()
			if err := step(); err != nil {
				b.Fatal(err)
			}
			parts[i] += time.Since(began)
		}
	}
	for i, name := range []string{"create", "start", "word", "stop", "remove"} {
		b.ReportMetric(float64(parts[i].Microseconds())/1000/float64(b.N), name+"-ms")
	}
}

func said(ctx context.Context, r runtime.Runtime, name runtime.Name) error {
	for _, err := range r.Logs(ctx, name, time.Time{}, true) {
		return err
	}
	return nil
}
