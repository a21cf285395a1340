package logsapi

import "testing"

func TestPatternMatchesAsCloudWatchLogsDescribesIt(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		pattern, line string
		want          bool
	}{
		{"", "anything", true},
		{"ERROR", "an ERROR here", true},
		{"ERROR", "an error here", false},
		{"ERROR code", "code 3: ERROR", true},
		{"ERROR code", "ERROR 3", false},
		{`"ERROR code"`, "ERROR code 3", true},
		{`"ERROR code"`, "code 3: ERROR", false},
		{"ERROR -warm", "ERROR cold", true},
		{"ERROR -warm", "ERROR warm", false},
		{"?ERROR ?WARN", "WARN only", true},
		{"?ERROR ?WARN", "INFO only", false},
	} {
		match, err := pattern(tc.pattern)
		if err != nil {
			t.Fatalf("%q: %v", tc.pattern, err)
		}
		if got := match == nil || match(tc.line); got != tc.want {
			t.Errorf("pattern %q on %q: %v, want %v", tc.pattern, tc.line, got, tc.want)
		}
	}
}

func TestPatternRefusesWhatIsNotServed(t *testing.T) {
	t.Parallel()
	for _, p := range []string{`{ $.level = "x" }`, `[a, b]`, `%re%`} {
		if _, err := pattern(p); err == nil {
			t.Errorf("%s was taken", p)
		}
	}
}
