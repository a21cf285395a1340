package balance

import (
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

const traceHeader = "X-Amzn-Trace-Id"

// setTrace gives a request a trace identifier: Root when it has none, else Self before what it has.
// [Application Load Balancers: Request tracing]
func setTrace(h http.Header) {
	prior := h[traceHeader]
	if len(prior) == 0 || !strings.Contains(prior[0], "Root=") {
		fields := "Root=" + traceID()
		if len(prior) > 0 && prior[0] != "" {
			fields += ";" + prior[0]
		}
		h[traceHeader] = []string{fields}
		return
	}
	var fields strings.Builder
	fields.WriteString("Self=" + traceID())
	for field := range strings.SplitSeq(prior[0], ";") {
		if !strings.HasPrefix(field, "Self=") {
			fields.WriteString(";" + field)
		}
	}
	h[traceHeader] = []string{fields.String()}
}

// traceID returns a version, the time in eight hex digits, and 24 random ones.
func traceID() string {
	var raw [16]byte
	put(raw[0:4], uint64(time.Now().Unix()))
	put(raw[4:8], rand.Uint64())
	put(raw[8:16], rand.Uint64())
	text := []byte("1-00000000-000000000000000000000000")
	hex.Encode(text[2:10], raw[0:4])
	hex.Encode(text[11:], raw[4:])
	return string(text)
}

// put writes the low bytes of n, the highest of them first.
func put(b []byte, n uint64) {
	for i := range b {
		b[i] = byte(n >> (8 * (len(b) - 1 - i)))
	}
}
