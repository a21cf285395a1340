package cli

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/slipway-cd/slipway/fault"
)

// eventTargets reads NAME=URL and NAME=file:PATH. Paths are made absolute: an engine in the background is somewhere else.
func eventTargets(given []string) (map[string]string, error) {
	if len(given) == 0 {
		return nil, nil
	}
	targets := map[string]string{}
	for _, text := range given {
		name, at, ok := strings.Cut(text, "=")
		path, isFile := strings.CutPrefix(at, "file:")
		switch u, err := url.Parse(at); {
		case !ok || name == "" || strings.ContainsAny(name, ":/"):
			return nil, badTarget(text)
		case isFile && path != "":
			absolute, err := filepath.Abs(path)
			if err != nil {
				return nil, fault.New(fault.Invalid, "--event-target %s: %w", text, err)
			}
			at = "file:" + absolute
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			return nil, badTarget(text)
		}
		targets[name] = at
	}
	return targets, nil
}

func badTarget(text string) error {
	return fault.New(fault.Invalid, "--event-target %s: NAME=URL or NAME=file:PATH is expected", text).
		WithHint("the name is the last part of the ARNs that stand for the place: events for arn:aws:sqs:us-east-1:000000000000:NAME go there")
}
