package awswire

import "testing"

func TestARefusalIsWordedForEachProtocol(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err      error
		protocol protocol
		status   int
		code     string
		message  string
		sender   string
	}{
		"throttled, JSON":  {Throttled(), protocolJSON, 400, "ThrottlingException", "Rate exceeded", "Sender"},
		"throttled, CBOR":  {Throttled(), protocolCBOR, 400, "ThrottlingException", "Rate exceeded", "Sender"},
		"throttled, Query": {Throttled(), protocolQuery, 400, "Throttling", "Rate exceeded", "Sender"},
		"refused, JSON":    {Refuse(503, "ServiceUnavailable", "later"), protocolJSON, 503, "ServiceUnavailable", "later", "Receiver"},
		"refused, Query":   {Refuse(403, "AccessDenied", "no"), protocolQuery, 403, "AccessDenied", "no", "Sender"},
	} {
		a, withheld := answerFor(tc.err, tc.protocol)
		if withheld || a.status != tc.status || a.code != tc.code || a.message != tc.message || a.sender() != tc.sender {
			t.Errorf("%s: %+v, withheld %v", name, a, withheld)
		}
	}
}
