package balance

import (
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

const traceHeader = "X-Amzn-Trace-Id"

// setTrace gives a request a trace identifier.
func setTrace(h http.Header) {
	prior := ""
	if values := h[traceHeader]; len(values) > 0 {
		prior = values[0]
	}
	h[traceHeader] = []string{tracedAs(prior)}
}

// tracedAs returns the trace identifier of a request that came with another one, or with none: Root when that has none, else
// Self before what it has. [Application Load Balancers: Request tracing]
func tracedAs(prior string) string {
	switch {
	case prior == "":
		return "Root=" + traceID()
	case !strings.Contains(prior, "Root="):
		return "Root=" + traceID() + ";" + prior
	}
	var fields strings.Builder
	fields.WriteString("Self=" + traceID())
	for field := range strings.SplitSeq(prior, ";") {
		if !strings.HasPrefix(field, "Self=") {
			fields.WriteString(";" + field)
		}
	}
	return fields.String()
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
