package eventpattern

import (
	"encoding/json"
	"strings"
	"testing"
)

const event = `{
  "version": "0", "id": "x", "detail-type": "ECS Task State Change", "source": "aws.ecs", "account": "000000000000",
  "resources": ["arn:aws:ecs:us-east-1:000000000000:task/qa/1"],
  "detail": {
    "lastStatus": "STOPPED", "version": 4, "ip": "10.0.0.17", "group": "service:web", "enabled": true, "nothing": null,
    "containers": [{"name": "app", "exitCode": 1}, {"name": "proxy", "exitCode": 0}], "tags": [], "path": "a/b*c"
  }
}`

// The examples follow the EventBridge User Guide.
func TestPatternsMatchAsTheUserGuideSays(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{
		`{"source": ["aws.ecs"]}`: true,
		`{"source": ["aws.ec2", "aws.ecs"], "detail-type": ["ECS Task State Change"]}`: true,
		`{"source": ["aws.ec2"]}`: false,
		`{"source": ["aws.ecs"], "detail": {"lastStatus": ["RUNNING"]}}`:                   false,
		`{"detail": {"version": [4]}}`:                                                     true,
		`{"detail": {"version": [4.0]}}`:                                                   true,
		`{"detail": {"version": ["4"]}}`:                                                   false,
		`{"detail": {"enabled": [true]}}`:                                                  true,
		`{"detail": {"nothing": [null]}}`:                                                  true,
		`{"detail": {"absent": [null]}}`:                                                   false,
		`{"resources": [{"prefix": "arn:aws:ecs:us-east-1:000000000000:task/qa/"}]}`:       true,
		`{"resources": [{"prefix": "arn:aws:ecs:us-east-1:000000000000:task/prod/"}]}`:     false,
		`{"detail": {"group": [{"prefix": {"equals-ignore-case": "SERVICE:"}}]}}`:          true,
		`{"detail": {"group": [{"suffix": ":web"}]}}`:                                      true,
		`{"detail": {"lastStatus": [{"equals-ignore-case": "stopped"}]}}`:                  true,
		`{"detail": {"group": [{"wildcard": "serv*:w*b"}]}}`:                               true,
		`{"detail": {"group": [{"wildcard": "serv*:w"}]}}`:                                 false,
		`{"detail": {"path": [{"wildcard": "a/*\\*c"}]}}`:                                  true,
		`{"detail": {"path": [{"wildcard": "a\\*c"}]}}`:                                    false,
		`{"detail": {"version": [{"numeric": ["=", 4]}]}}`:                                 true,
		`{"detail": {"version": [{"numeric": [">", 0, "<", 4]}]}}`:                         false,
		`{"detail": {"version": [{"numeric": [">=", 4, "<=", 5]}]}}`:                       true,
		`{"detail": {"lastStatus": [{"numeric": [">", 0]}]}}`:                              false,
		`{"detail": {"ip": [{"cidr": "10.0.0.0/24"}]}}`:                                    true,
		`{"detail": {"ip": [{"cidr": "10.0.1.0/24"}]}}`:                                    false,
		`{"detail": {"lastStatus": [{"anything-but": "RUNNING"}]}}`:                        true,
		`{"detail": {"lastStatus": [{"anything-but": ["RUNNING", "STOPPED"]}]}}`:           false,
		`{"detail": {"absent": [{"anything-but": "RUNNING"}]}}`:                            false,
		`{"detail": {"group": [{"anything-but": {"prefix": "service:"}}]}}`:                false,
		`{"detail": {"group": [{"anything-but": {"prefix": ["family:", "x"]}}]}}`:          true,
		`{"detail": {"version": [{"anything-but": 4}]}}`:                                   false,
		`{"detail": {"absent": [{"exists": false}]}}`:                                      true,
		`{"detail": {"group": [{"exists": false}]}}`:                                       false,
		`{"detail": {"group": [{"exists": true}]}}`:                                        true,
		`{"detail": {"nothing": [{"exists": true}]}}`:                                      true,
		`{"detail": {"tags": [{"exists": true}]}}`:                                         false,
		`{"detail": {"containers": {"exitCode": [1]}}}`:                                    true,
		`{"detail": {"containers": {"name": ["app"], "exitCode": [1]}}}`:                   true,
		`{"detail": {"containers": {"name": ["proxy"], "exitCode": [1]}}}`:                 false, // of different elements
		`{"detail": {"containers": {"exitCode": [{"anything-but": 0}]}}}`:                  true,
		`{"absent": {"below": [{"exists": false}]}}`:                                       true,
		`{"detail": {"$or": [{"lastStatus": ["RUNNING"]}, {"version": [4]}]}}`:             true,
		`{"detail": {"$or": [{"lastStatus": ["RUNNING"]}, {"version": [5]}]}}`:             false,
		`{"source": ["aws.ecs"], "detail": {"lastStatus": ["PENDING", {"prefix": "ST"}]}}`: true,
	} {
		p, err := Parse(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		if got := p.Matches([]byte(event)); got != want {
			t.Errorf("%s: %v, want %v", pattern, got, want)
		}
	}
}

func TestPatternsThatAreNoneAreRefusedWithTheirPlace(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		`{`:                                  "no JSON",
		`{} {}`:                              "no JSON: more than one document",
		`[]`:                                 "the pattern is not an object",
		`{}`:                                 "the pattern: empty objects are not allowed",
		`{"detail": {}}`:                     "detail: empty objects",
		`{"source": "aws.ecs"}`:              "source: is neither an object nor a list",
		`{"source": []}`:                     "source: empty lists",
		`{"source": [["a"]]}`:                "source: a list within a list",
		`{"detail": {"a": [{"like": "x"}]}}`: "detail.a: like: is no comparison",
		`{"a": [{"prefix": "x", "suffix": "y"}]}`:                     "a: a comparison has exactly one name",
		`{"a": [{"prefix": 1}]}`:                                      "a: prefix: must be a text",
		`{"a": [{"prefix": ""}]}`:                                     "a: prefix: must not be empty",
		`{"a": [{"exists": "yes"}]}`:                                  "a: exists: must be true or false",
		`{"a": [{"numeric": [">"]}]}`:                                 "a: numeric: must be a list of one or two comparisons",
		`{"a": [{"numeric": ["!", 1]}]}`:                              `a: numeric: "!" is none of`,
		`{"a": [{"numeric": ["<", "1"]}]}`:                            "a: numeric: 1 is no number",
		`{"a": [{"numeric": ["<", 6e9]}]}`:                            "a: numeric: 6e+09 is no number",
		`{"a": [{"cidr": "10.0.0.0"}]}`:                               "a: cidr: 10.0.0.0 is no network",
		`{"a": [{"wildcard": "a**"}]}`:                                "a: wildcard: two stars",
		`{"a": [{"wildcard": "a\\b"}]}`:                               "a: wildcard: a backslash stands only",
		`{"a": [{"anything-but": []}]}`:                               "a: anything-but: must not be empty",
		`{"a": [{"anything-but": {"numeric": 1}}]}`:                   "a: anything-but: numeric: is no comparison here",
		`{"a": [{"anything-but": [null]}]}`:                           "a: anything-but: excludes texts and numbers only",
		`{"$or": [{"a": [1]}]}`:                                       "$or: needs at least two alternatives",
		`{"$or": [1, 2]}`:                                             "$or: an alternative is not an object",
		`{"a": [` + strings.Repeat("1,", 2000) + `1]}`:                "longer than 2048 characters",
		strings.Repeat(`{"a":`, 40) + `[1]` + strings.Repeat(`}`, 40): "nested more than 32 levels deep",
	} {
		if _, err := Parse(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", pattern, err, want)
		}
	}
}

func TestNothingMatchesWhatIsNoJSON(t *testing.T) {
	t.Parallel()
	p, err := Parse(`{"a": [{"exists": false}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if p.Matches([]byte(`{`)) {
		t.Error("it matches")
	}
}

// FuzzPattern: whatever is written as a pattern, it is refused or matched without coming to harm.
func FuzzPattern(f *testing.F) {
	f.Add(`{"detail": {"$or": [{"a": [{"wildcard": "a*b\\*"}]}, {"v": [{"numeric": [">", 0]}]}]}}`, event)
	f.Add(`{"a": [{"anything-but": {"suffix": ["x"]}}, null, 1]}`, `{"a": [1, {"a": []}]}`)
	f.Fuzz(func(t *testing.T, pattern, event string) {
		p, err := Parse(pattern)
		if err != nil {
			if err.Error() == "" {
				t.Error("refused without a reason")
			}
			return
		}
		if p.Matches([]byte(event)) && !json.Valid([]byte(event)) {
			t.Errorf("%s matches %s, which is no JSON", pattern, event)
		}
	})
}
