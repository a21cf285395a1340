package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/runtime/docker"
	"github.com/slipway-cd/slipway/engine/runtime/process"
	"github.com/slipway-cd/slipway/engine/runtime/scripted"
	"github.com/slipway-cd/slipway/fault"
)

// RuntimeName names what runs an engine's containers.
type RuntimeName string

// The runtimes. Auto is Docker where an Engine answers, else processes.
const (
	Auto     RuntimeName = "auto"
	Docker   RuntimeName = "docker"
	Process  RuntimeName = "process"
	Scripted RuntimeName = "scripted"
)

// RuntimeNames are all of them, as a flag's help lists them.
var RuntimeNames = []RuntimeName{Auto, Docker, Process, Scripted}

// openRuntime opens the runtime that is asked for, if the directory's containers are not of another.
func openRuntime(ctx context.Context, o EngineOptions, u usage) (runtime.Runtime, string, error) {
	name, err := u.choose(o.Dir, o.Runtime)
	if err != nil {
		return nil, "", err
	}
	r, words, err := openNamed(ctx, o, name)
	if u.Runtime != "" && fault.KindOf(err) == fault.Unavailable {
		return nil, "", fault.New(fault.Unavailable, "the engine's directory %s is used with the runtime %s: %w", o.Dir, name, err).
			WithHint("have it answer (start Docker, or point DOCKER_HOST at it); or give another directory with --data")
	}
	return r, words, err
}

func openNamed(ctx context.Context, o EngineOptions, name RuntimeName) (runtime.Runtime, string, error) {
	switch name {
	case Auto:
		r, words, err := openDocker(ctx, o)
		if fault.KindOf(err) == fault.Unavailable {
			return openProcess(ctx, o)
		}
		return r, words, err
	case Docker:
		return openDocker(ctx, o)
	case Process:
		return openProcess(ctx, o)
	default:
		return scripted.New(o.speed()), "scripted: no containers run, tasks live and die as their labels say", nil
	}
}

func (o EngineOptions) speed() float64 {
	if o.Speed == 0 {
		return 1
	}
	return o.Speed
}

func openDocker(ctx context.Context, o EngineOptions) (runtime.Runtime, string, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, "", fault.New(fault.Invalid, "cannot use the directory %q: %w", o.Dir, err)
	}
	sum := sha256.Sum256([]byte(dir)) // the same directory finds its containers again
	r, err := docker.Open(ctx, docker.Options{Scope: hex.EncodeToString(sum[:4])})
	if err != nil {
		return nil, "", err
	}
	return r, r.Describe(), nil
}

// processDir is where processes live, and the images that they are unpacked from.
func processDir(dir string) string { return filepath.Join(dir, "processes") }

func openProcess(ctx context.Context, o EngineOptions) (runtime.Runtime, string, error) {
	r, err := process.Open(ctx, processDir(o.Dir), process.Options{})
	if err != nil {
		return nil, "", err
	}
	return r, r.Describe(), nil
}
