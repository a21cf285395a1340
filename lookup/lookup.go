// Package lookup finds values that slipway.yaml doesn't state: in the environment, files, AWS and Terraform states.
package lookup

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
)

// Options say where to look.
type Options struct {
	Dir     string   // the project's directory, to which paths are relative
	Environ []string // NAME=value
	// AWS returns AWS's configuration for a region; empty: whatever it says itself. It is called when something of AWS is
	// looked up, and not before.
	AWS func(ctx context.Context, region string) (aws.Config, error)
}

// Lookups looks values up. It may be used by several goroutines at once.
type Lookups struct {
	options Options
	configs once[aws.Config]        // by region
	stacks  once[map[string]string] // outputs by region and stack
	states  once[*state]            // by region and path
}

// New returns look-ups. It looks at nothing yet.
func New(o Options) *Lookups { return &Lookups{options: o} }

// Look returns the value of a look-up whose texts are expanded, as seen from a region. The error's kind is NotFound when
// there is no such thing, Denied when one may not look, Invalid when there is no text that can stand in a document.
func (l *Lookups) Look(ctx context.Context, region string, what config.Lookup) (string, error) {
	name := what.Name.Text
	switch what.Kind {
	case config.FromEnv:
		return l.variable(name)
	case config.FromFile:
		return l.file(name)
	case config.FromSSM:
		return l.parameter(ctx, region, name)
	case config.FromSecretARN:
		return l.secret(ctx, region, name)
	case config.FromCloudFormation:
		return l.output(ctx, region, name)
	case config.FromTerraform:
		return l.terraform(ctx, region, what)
	}
	return "", fault.New(fault.Internal, "cannot look up in %q", what.Kind)
}

func (l *Lookups) variable(name string) (string, error) {
	for _, e := range l.options.Environ {
		if have, value, _ := strings.Cut(e, "="); have == name {
			return value, nil
		}
	}
	return "", fault.New(fault.NotFound, "the environment variable %q is not set", name)
}

// file returns a file's text without the newline that editors put at its end.
func (l *Lookups) file(name string) (string, error) {
	content, err := l.read(name)
	text := strings.TrimSuffix(string(content), "\n")
	return strings.TrimSuffix(text, "\r"), err
}

const maxFile = 16 << 20 // bytes; a Terraform state may be large

func (l *Lookups) read(name string) ([]byte, error) {
	path := filepath.Join(l.options.Dir, filepath.FromSlash(name))
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxFile {
		return nil, fault.New(fault.Invalid, "the file %q has %d bytes, more than %d", name, info.Size(), maxFile)
	}
	content, err := os.ReadFile(path)
	if err == nil {
		return content, nil
	}
	why := err.Error()
	if cause, ok := errors.AsType[*fs.PathError](err); ok {
		why = cause.Err.Error()
	}
	return nil, fault.New(fault.NotFound, "cannot read %q: %s", name, why)
}

// once does what has a name once, and lets everybody who asks for it have what came of it.
type once[T any] struct {
	mu   sync.Mutex
	done map[string]func() (T, error)
}

func (o *once[T]) do(name string, what func() (T, error)) (T, error) {
	o.mu.Lock()
	if o.done == nil {
		o.done = map[string]func() (T, error){}
	}
	f, ok := o.done[name]
	if !ok {
		f = sync.OnceValues(what)
		o.done[name] = f
	}
	o.mu.Unlock()
	return f()
}
