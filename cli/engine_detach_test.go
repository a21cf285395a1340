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
	if got := lastWords(log, 0, ended); !strings.HasPrefix(got, "signal: killed, and its log cannot be read: ") {
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
		if got := lastWords(log, 0, ended); got != want {
			t.Errorf("%.10q: %.60q, want %.60q", text, got, want)
		}
	}
}

func TestAnEnginesLogBeginsAnewWhenItIsReadyAndNotBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(engineLog(dir), []byte("of another\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := openLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if _, err := log.WriteString("first\n"); err != nil {
		t.Fatal(err)
	}
	if got := lastWords(engineLog(dir), log.before, nil); got != "first" {
		t.Errorf("it said last: %q", got)
	}
	for _, want := range []string{"of another\nfirst\n", "first\nsecond\n"} {
		if text, _ := os.ReadFile(engineLog(dir)); string(text) != want {
			t.Errorf("%q, want %q", text, want)
		}
		log.shorten()
		if _, err := log.WriteString("second\n"); err != nil {
			t.Fatal(err)
		}
	}
}
