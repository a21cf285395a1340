package app

import (
	"context"
	"net/netip"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/slipway-cd/slipway/image"
)

// startEngine starts an engine that ends with the test; what is empty in the options is scripted, on any free port.
func startEngine(t *testing.T, o EngineOptions) *Engine {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Runtime == "" {
		o.Runtime = Scripted
	}
	e, err := NewEngine(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTheEndpointIsOneThatClientsReachAndARegistrysName(t *testing.T) {
	t.Parallel()
	for listen, host := range map[string]string{
		"127.0.0.1:0": "127.0.0.1",
		"localhost:0": "127.0.0.1",
		"0.0.0.0:0":   "127.0.0.1",
		":0":          "127.0.0.1",
	} {
		t.Run(listen, func(t *testing.T) {
			t.Parallel()
			e := startEngine(t, EngineOptions{Listen: listen})
			if at, err := netip.ParseAddrPort(e.Addr()); err != nil || at.Addr().String() != host || at.Port() == 0 {
				t.Errorf("the address is %s, want %s and the port", e.Addr(), host)
			}
			if s, err := AskEngine(t.Context(), e.Endpoint()); err != nil || s.Endpoint != e.Endpoint() {
				t.Errorf("%s answers %q, %v", e.Endpoint(), s.Endpoint, err)
			}
			if _, err := name.ParseReference(e.Addr() + "/web:1"); err != nil {
				t.Error(err)
			}
			if _, err := image.Parse(e.Addr() + "/web:1"); err != nil {
				t.Error(err)
			}
		})
	}
}
