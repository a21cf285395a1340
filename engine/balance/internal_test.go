package balance

import (
	"log/slog"
	"regexp"
	"testing"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func matches(t *testing.T, expression, s string) bool {
	t.Helper()
	return regexp.MustCompile(expression).MatchString(s)
}
