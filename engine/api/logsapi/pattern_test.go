package logsapi

import (
	"strings"
	"testing"
)

func TestPatternMatchesAsCloudWatchLogsDescribesIt(t *testing.T) {
	t.Parallel()
	const trail = `{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another"],` +
		`"objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"ThisFlag":true,"latency":1.5,"user.name":"x","error code":7}`
	const access = `127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
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
		{"-", "a - b", true},
		{"%AUTHORIZED%", "UNAUTHORIZED", true},
		{"%^ERR[A-Z]+ [0-9]{3}$%", "ERROR 404", true},
		{"%^ERR[A-Z]+ [0-9]{3}$%", "an ERROR 404", false},
		{"GET -%5[0-9][0-9]%", "GET 404", true},
		{"GET -%5[0-9][0-9]%", "GET 503", false},

		{`{ $.eventType = "UpdateTrail" }`, trail, true},
		{`{$.eventType="Update*"}`, trail, true},
		{`{ $.eventType = Update* }`, trail, true},
		{`{ $.eventType != "UpdateTrail" }`, trail, false},
		{`{ $.eventType = %Trail$% }`, trail, true},
		{`{ $.sourceIPAddress != 123.123.* }`, trail, true},
		{`{ $.sourceIPAddress = 111.* && $.latency < 2 }`, trail, true},
		{`{ $.arrayKey[0] = "value" }`, trail, true},
		{`{ $.arrayKey[1] = "value" }`, trail, false},
		{`{ $.arrayKey[*] = another }`, trail, true},
		{`{ $.objectList[1].id = 2 }`, trail, true},
		{`{ $.objectList[*].id > 2 }`, trail, false},
		{`{ $.objectList[2].id NOT EXISTS }`, trail, true},
		{`{ $.SomeObject IS NULL }`, trail, true},
		{`{ $.SomeOtherObject NOT EXISTS }`, trail, true},
		{`{ $.SomeOtherObject IS NULL }`, trail, false},
		{`{ $.eventType EXISTS }`, trail, true},
		{`{ $.ThisFlag IS TRUE }`, trail, true},
		{`{ $.ThisFlag is false }`, trail, false},
		{`{ $.latency = 1.5e0 }`, trail, true},
		{`{ $.latency >= 1.5 }`, trail, true},
		{`{ $.latency = "1.50" }`, trail, false},
		{`{ $.['user.name'] = x }`, trail, true},
		{`{ $.["error code"] = 7 }`, trail, true},
		{`{ ($.eventType = "x" || $.ThisFlag IS TRUE) && $.latency > 1 }`, trail, true},
		{`{ $.eventType = "x" || $.ThisFlag IS TRUE && $.latency > 9 }`, trail, false},
		{`{ $.objectList = "a" }`, trail, false},
		{`{ $.eventType = "UpdateTrail" }`, "no JSON", false},
		{`{ $.eventType = "UpdateTrail" }`, trail + " and more", false},

		{`[ip, id, user, timestamp, request, status_code, size]`, access, true},
		{`[ip, id, user, timestamp, request, status_code]`, access, false},
		{`[ip, id, user, timestamp, request, status_code = 4*, size]`, access, true},
		{`[ip, id, user, timestamp, request = *html*, status_code = 4*, size > 1000]`, access, true},
		{`[ip, id, user, timestamp, request, status_code = 404 || status_code = 410, size]`, access, true},
		{`[ip, id, user, timestamp, request, status_code = 200 || status_code = 410, size]`, access, false},
		{`[ip, ..., size > 2000]`, access, false},
		{`[..., size = 1534]`, access, true},
		{`[ip = 127.0.0.*, ...]`, access, true},
		{`[ip != 127.0.0.1, ...]`, access, false},
		{`[ip, id, user = "fr*" && user != "frederic", ...]`, access, true},
		{`[ip=%127\.0\.0\.[1-9]%, ...]`, access, true},
		{`[w1=ERROR, w2]`, "ERROR 419", true},
		{`[w1=ERROR, w2]`, "ERROR 419 MISSING", false},
		{`[w1!=%ERROR%&&w1!=%WARN%, w2]`, "INFO 1", true},
		{`[w1!=%ERROR%&&w1!=%WARN%, w2]`, "WARN 1", false},
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

func TestPatternsThatAreNoneAreRefusedWithTheirPlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{`:                            "a selector such as $.name is missing at its end",
		`{ level = "x" }`:              "at character 3 there is 'l', expected a selector such as $.name",
		`{ $.level "x" }`:              `at character 11 there is '"', expected one of = != < <= > >=`,
		`{ $.level = }`:                "at character 13 there is '}', expected a value",
		`{ $.level = "x }`:             `'"' is missing at its end`,
		`{ ($.level = "x" }`:           "at character 18 there is '}', expected ')'",
		`{ $.level IS 3 }`:             "at character 14 there is '3', expected NULL, TRUE or FALSE",
		`{ $.level > "x" }`:            `"x" is no number, which > needs`,
		`{ $.a[x] = 1 }`:               "at character 8 there is ']', expected a position, * or a quoted name",
		`{ $.a = 1 } x`:                "at character 13 there is 'x', expected its end",
		`[a, b = 1`:                    "']' is missing at its end",
		`[..., a, ...]`:                "... is there more than once",
		`%a(b)%`:                       "'(' is not supported in regular expressions",
		`%[a%`:                         "",
		`{ $.a > %x% }`:                "a regular expression can be compared with = and != only, not with >",
		"{" + strings.Repeat("(", 100): "at character 53 there is '(', expected fewer parentheses",
		strings.Repeat("a", 1025):      "it has more than 1024 characters",
	} {
		_, err := pattern(text)
		if err == nil {
			t.Errorf("%s was taken", text)
			continue
		}
		if got := err.Error(); !strings.Contains(got, "Invalid filter pattern: "+want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{`{ ($.a[0] = "x*" || $.b NOT EXISTS) && $.c IS NULL }`, `[a, b = 4* && b != 404, ...]`, `?a "b c" -%d%`} {
		f.Add(s, `{"a":["xy"],"c":null}`)
	}
	f.Fuzz(func(t *testing.T, text, line string) {
		match, err := pattern(text)
		if err == nil && match != nil {
			match(line) // does not panic
		}
	})
}
