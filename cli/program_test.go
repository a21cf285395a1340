package cli

import (
	"bytes"
	"testing"

	"github.com/slipway-cd/slipway/cli/terminal"
)

// testProgram returns a program that writes into buffers. Nobody looks at it.
func testProgram(environ ...string) (p *Program, out, talk *bytes.Buffer) {
	out, talk = &bytes.Buffer{}, &bytes.Buffer{}
	return &Program{
		Terminal: &terminal.Terminal{Out: out, Err: talk, Env: func(string) string { return "" }},
		Version:  "1.2.3", Environ: environ,
	}, out, talk
}

// call runs a command line and returns its exit code and what it wrote.
func call(t *testing.T, args ...string) (code int, out, talk string) {
	t.Helper()
	p, o, e := testProgram()
	code = Main(t.Context(), p, args)
	return code, o.String(), e.String()
}
