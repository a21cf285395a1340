package app

import (
	"testing"

	"github.com/slipway-cd/slipway/fault"
)

func TestAnEndpointIsAURL(t *testing.T) {
	t.Parallel()
	for endpoint, good := range map[string]bool{
		"http://127.0.0.1:4566": true, "https://ecs.example.com/path": true, "http://[::1]:1": true,
		"127.0.0.1:4566": false, "localhost:4566": false, "localhost": false, "http://": false, "tcp://127.0.0.1:1": false, "http://a b": false,
	} {
		err := checkEndpoint(endpoint)
		if (err == nil) != good {
			t.Errorf("%q: %v", endpoint, err)
		}
		if err != nil && (fault.KindOf(err) != fault.Invalid || fault.HintOf(err) == "") {
			t.Errorf("%q: %v is %s; hint %q", endpoint, err, fault.KindOf(err), fault.HintOf(err))
		}
	}
}
