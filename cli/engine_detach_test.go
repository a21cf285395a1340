package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/fault"
)

func TestTheFirstWordOfAnEngineIsWhatItIsOrWhyItDidNotStart(t *testing.T) {
	t.Parallel()
	s, err := firstWord(strings.NewReader(`{"endpoint":"http://127.0.0.1:4566","pid":7}` + "\nmore"))
	if err != nil || s.Endpoint != "http://127.0.0.1:4566" || s.PID != 7 {
		t.Errorf("ready: %+v, %v", s, err)
	}
	_, err = firstWord(strings.NewReader(`{"error":{"kind":"invalid","message":"no","hint":"do"}}` + "\n"))
	if err == nil || err.Error() != "no" || ExitCode(err) != exitUsage || fault.HintOf(err) != "do" {
		t.Errorf("refused: %v", err)
	}
	if _, err := firstWord(strings.NewReader("")); !errors.Is(err, io.EOF) {
		t.Errorf("without a word: %v", err)
	}
	if _, err := firstWord(strings.NewReader("what?\n")); err == nil || !strings.Contains(err.Error(), "what?") {
		t.Errorf("something else: %v", err)
	}
}

func TestTheLastWordsOfAnEngineAreItsLogOrHowItEnded(t *testing.T) {
	t.Parallel()
	log, ended := filepath.Join(t.TempDir(), "engine.log"), errors.New("signal: killed")
	if got := lastWords(log, ended); !strings.HasPrefix(got, "signal: killed, and its log cannot be read: ") {
		t.Errorf("no log: %s", got)
	}
	for text, want := range map[string]string{
		"":                                     "signal: killed, without a word in its log " + log,
		"panic: oh\n":                          "panic: oh",
		strings.Repeat("x", 5000) + "\nlast\n": strings.Repeat("x", 1994) + "\nlast",
	} {
		if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := lastWords(log, ended); got != want {
			t.Errorf("%.10q: %.60q, want %.60q", text, got, want)
		}
	}
}
