package config

import (
	"strings"
	"testing"
	"time"
)

func TestAFileThatIsMeantToHurtIsRefusedQuickly(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'j'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 9), ",") + "]\n"
	}
	for name, content := range map[string]string{
		"nesting": strings.Repeat("[", 500_000),
		"mapping": strings.Repeat("{a: ", 200_000),
		"aliases": bomb + "values: *i\n",
		"circle":  "values: &a {x: *a}\n",
		"keys":    strings.Repeat("? ", 300_000),
		"indents": strings.Repeat("- ", 300_000),
		"large":   base + strings.Repeat("#", 2<<20),
	} {
		start := time.Now()
		if _, err := Parse(FileName, []byte(content)); err == nil {
			t.Errorf("%s was read", name)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}
