//go:build linux

package process

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// stats are those of Docker's members that processes have: memory is measured where it is limited.
type stats struct {
	ID     string         `json:"id"`
	Name   string         `json:"name"`
	Read   time.Time      `json:"read"`
	Memory map[string]any `json:"memory_stats"`
}

// Stats tells how much memory a container uses, if that is limited.
func (r *Runtime) Stats(_ context.Context, name runtime.Name) ([]byte, error) {
	c, err := r.find(name)
	if err != nil {
		return nil, err
	}
	if !c.running() {
		return nil, fault.New(fault.Conflict, "cannot measure container %q: it is not running", name)
	}
	s := stats{ID: c.plan.ID, Name: "/" + string(name), Read: time.Now().UTC(), Memory: map[string]any{}}
	if r.limits != nil && c.plan.Spec.Memory > 0 {
		file := "memory.current"
		if !r.limits.unified {
			file = "memory.usage_in_bytes"
		}
		if text, err := os.ReadFile(filepath.Join(r.limits.dir(c.plan.ID), file)); err == nil {
			if used, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
				s.Memory["usage"], s.Memory["limit"] = used, int64(c.plan.Spec.Memory)*mib
			}
		}
	}
	return json.Marshal(s)
}
