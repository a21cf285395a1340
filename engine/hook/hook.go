// Package hook calls what stands in for the Lambda functions that lifecycle hooks name: a URL, or a command.
package hook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/fault"
)

// Func is a function that a lifecycle hook calls: it gets the JSON payload that AWS gives a Lambda function and returns
// the JSON that such a function returns.
type Func func(ctx context.Context, payload []byte) ([]byte, error)

// answerLimit is how many bytes of an answer are read: as many as Lambda allows. [Lambda quotas: synchronous responses]
const answerLimit = 6 << 20

// Parse reads NAME=URL or NAME=exec:COMMAND: what is called when a hook names the function NAME.
//
// A URL gets the payload as the body of a POST request and answers with status 2xx and the result. A command, which a
// shell runs, gets the payload on its standard input, writes the result to its standard output, and exits with 0.
func Parse(text string) (name string, f Func, err error) {
	name, what, ok := strings.Cut(text, "=")
	if !ok || !functionName().MatchString(name) {
		return "", nil, wrong(text)
	}
	if command, ok := strings.CutPrefix(what, "exec:"); ok && strings.TrimSpace(command) != "" {
		return name, Command(command), nil
	}
	if u, err := url.Parse(what); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return name, URL(what), nil
	}
	return "", nil, wrong(text)
}

func wrong(text string) error {
	return fault.New(fault.Invalid, "--hook %q is neither NAME=URL nor NAME=exec:COMMAND", text).
		WithHint("NAME is the name of the Lambda function that a lifecycle hook calls, such as --hook smoke-test=http://127.0.0.1:8080/check")
}

// functionName is the form of a function's name. [Lambda API reference: CreateFunction]
func functionName() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`) }

// URL returns a function that is served there.
func URL(at string) Func {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(payload))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
		if err != nil {
			return nil, err
		}
		if response.StatusCode/100 != 2 {
			return nil, fmt.Errorf("%s answered %s: %s", at, response.Status, short(body))
		}
		return body, nil
	}
}

// Command returns a function that is a command.
func Command(line string) Func {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		var out, errs bytes.Buffer
		command := exec.CommandContext(ctx, "sh", "-c", line)
		command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(payload), &out, &errs
		command.WaitDelay = time.Second // for what it has left behind with its output open
		if err := command.Run(); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", line, err, short(errs.Bytes()))
		}
		return out.Bytes(), nil
	}
}

// short returns the beginning of an output, for an error.
func short(output []byte) string {
	const most = 200
	text := strings.TrimSpace(string(output))
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}
