package runtimetest

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
)

var metadata = []rule{
	{"a container reaches the engine where it asks for metadata, and so does it after a restart of both", func(b *bench) {
		var count atomic.Int64
		url := b.suite.Answer(b.T, b.Runtime, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "answer %d to %s", count.Add(1), r.URL.Path)
		}))
		spec := b.spec("", "get", url+"/v4/x", "exit", "0")
		spec.Metadata = true
		name := b.start(spec)
		b.exited(name)
		b.must(b.Start(b.ctx, name))
		b.exited(name)
		if got := strings.Join(b.lines(name), "|"); got != "answer 1 to /v4/x|answer 2 to /v4/x" {
			b.Errorf("%q", got)
		}
	}},
}
