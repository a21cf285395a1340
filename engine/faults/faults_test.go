package faults

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/fault"
)

var (
	noon    = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	actions = []string{"ecs:DescribeServices", "ecs:DescribeTasks", "ecs:UpdateService", "elbv2:DescribeRules"}
)

// add puts a fault in force that must be right.
func add(t *testing.T, s *Set, f Fault) Fault {
	t.Helper()
	checked, err := Check(f, actions)
	if err != nil {
		t.Fatal(err)
	}
	return s.Add(checked, noon)
}

// hits returns which of n subjects in a row are hit: "x" or ".".
func hits(s *Set, subject string, n int, at time.Time, kinds ...Kind) string {
	var b strings.Builder
	for range n {
		if len(s.Hit(subject, at, kinds...)) > 0 {
			b.WriteByte('x')
		} else {
			b.WriteByte('.')
		}
	}
	return b.String()
}

func TestAFaultHitsWhatItsPatternNames(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		pattern, subject string
		want             bool
	}{
		"the operation":              {"ecs:UpdateService", "ecs:UpdateService", true},
		"another one":                {"ecs:UpdateService", "ecs:DescribeServices", false},
		"its beginning only":         {"ecs:DescribeServices", "ecs:DescribeServicesX", false},
		"its end only":               {"UpdateService", "ecs:UpdateService", false},
		"other letters":              {"ECS:updateservice", "ecs:UpdateService", true},
		"all of a service":           {"ecs:*", "ecs:UpdateService", true},
		"all of another service":     {"elbv2:*", "ecs:UpdateService", false},
		"all that reads":             {"*:Describe*", "elbv2:DescribeRules", true},
		"a star in the middle":       {"ecs:*Service*", "ecs:UpdateService", true},
		"a star that must step back": {"*vices", "ecs:DescribeServices vices", true},
		"one character":              {"e?s:UpdateService", "ecs:UpdateService", true},
		"one character too many":     {"ecs?:UpdateService", "ecs:UpdateService", false},
		"everything":                 {"*", "", true},
	} {
		if got := Matches(tc.subject, tc.pattern); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// The matcher agrees with the regular expression that a pattern stands for.
func TestPatternsMatchAsRegularExpressionsDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		target := rapid.StringMatching(`[ab*?]{1,8}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[ab]{0,10}`).Draw(t, "text")
		re := regexp.MustCompile("^" + strings.NewReplacer("*", ".*", "?", ".").Replace(target) + "$")
		if got, want := Matches(text, target), re.MatchString(text); got != want {
			t.Fatalf("%q on %q: %v, want %v", target, text, got, want)
		}
	})
}

func TestAFaultForSomePercentHitsEvenly(t *testing.T) {
	t.Parallel()
	for percent, want := range map[int]string{
		0: "xxxxxxxxxx", 100: "xxxxxxxxxx", 50: ".x.x.x.x.x", 20: "....x....x", 10: ".........x", 75: ".xxx.xxx.x",
	} {
		var s Set
		add(t, &s, Fault{Kind: Throttle, Target: "ecs:*", Percent: percent})
		if got := hits(&s, "ecs:UpdateService", 10, noon, Throttle); got != want {
			t.Errorf("%d percent: %s, want %s", percent, got, want)
		}
	}
	var s Set
	add(t, &s, Fault{Kind: Throttle, Target: "ecs:*", Percent: 50})
	turns := ""
	for range 3 {
		turns += hits(&s, "ecs:UpdateService", 1, noon, Throttle) + hits(&s, "ecs:DescribeServices", 1, noon, Throttle)
	}
	if turns != "..xx.." {
		t.Errorf("two operations in turns: %s, each must be hit every other time", turns)
	}
}

func TestAFaultEndsAfterItsCountOrItsTime(t *testing.T) {
	t.Parallel()
	var s Set
	add(t, &s, Fault{Kind: Fail, Target: "ecs:UpdateService", Count: 2})
	add(t, &s, Fault{Kind: Delay, Target: "ecs:DescribeTasks", DelaySeconds: 1, ForSeconds: 60})
	if got := hits(&s, "ecs:UpdateService", 4, noon, Fail); got != "xx.." {
		t.Errorf("count: %s", got)
	}
	before, after := noon.Add(59*time.Second), noon.Add(time.Minute)
	if hits(&s, "ecs:DescribeTasks", 1, before, Delay) != "x" || hits(&s, "ecs:DescribeTasks", 1, after, Delay) != "." {
		t.Error("it must end after a minute")
	}
	if list := s.List(after); len(list) != 0 {
		t.Errorf("what has ended is listed: %+v", list)
	}
}

func TestFaultsAreListedCountedAndRemoved(t *testing.T) {
	t.Parallel()
	var s Set
	first := add(t, &s, Fault{Kind: Pull, Target: "*/web:*"})
	second := add(t, &s, Fault{Kind: Disk})
	add(t, &s, Fault{Kind: Freeze, Target: "web", Affected: []string{"a/web", "b/web"}})
	s.Hit("127.0.0.1:4566/web:1.0.1", noon, Pull)
	s.Hit("127.0.0.1:4566/db:1", noon, Pull)
	s.Hit("anything", noon, Disk)
	list := s.List(noon)
	if len(list) != 3 || list[0].ID != "fault-1" || list[0].Hits != 1 || list[0].Cause != Unavailable || list[1].Hits != 1 ||
		list[1].Target != "*" || list[2].Hits != 2 || list[0].Affected == nil {
		t.Errorf("list: %+v", list)
	}
	if removed := s.Remove(first.ID, second.ID, "fault-9"); len(removed) != 2 || len(s.List(noon)) != 1 {
		t.Errorf("removed: %+v", removed)
	}
	if next := add(t, &s, Fault{Kind: Disk}); next.ID != "fault-4" {
		t.Errorf("an id was given out twice: %s", next.ID)
	}
}

func TestAFaultThatMustBeUndoneStaysUntilItIsRemoved(t *testing.T) {
	t.Parallel()
	var s Set
	f := add(t, &s, Fault{Kind: Kill, Target: "us-east-1a", ForSeconds: 1, Affected: []string{"i"}})
	if list := s.List(f.Ends().Add(time.Second)); len(list) != 1 {
		t.Errorf("list: %+v", list)
	}
}

func TestWhatIsLeftOpenIsFilledIn(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ given, want Fault }{
		"fail": {
			Fault{Kind: Fail, Target: "ecs:*"},
			Fault{Kind: Fail, Target: "ecs:*", Error: "ServerException", Status: 500, Message: "This error was asked for: a fault is in force."},
		},
		"fail denied": {
			Fault{Kind: Fail, Target: "ecs:*", Error: "AccessDeniedException", Message: "no"},
			Fault{Kind: Fail, Target: "ecs:*", Error: "AccessDeniedException", Status: 403, Message: "no"},
		},
		"fail unavailable": {
			Fault{Kind: Fail, Target: "ecs:*", Error: "ServiceUnavailable", Message: "no"},
			Fault{Kind: Fail, Target: "ecs:*", Error: "ServiceUnavailable", Status: 503, Message: "no"},
		},
		"fail client": {
			Fault{Kind: Fail, Target: "ecs:*", Error: "ClientException", Message: "no"},
			Fault{Kind: Fail, Target: "ecs:*", Error: "ClientException", Status: 400, Message: "no"},
		},
		"pull": {Fault{Kind: Pull}, Fault{Kind: Pull, Target: "*", Cause: Unavailable}},
		"disk": {Fault{Kind: Disk}, Fault{Kind: Disk, Target: "*"}},
	} {
		got, err := Check(tc.given, actions)
		if err != nil || got.Target != tc.want.Target || got.Status != tc.want.Status || got.Error != tc.want.Error ||
			got.Message != tc.want.Message || got.Cause != tc.want.Cause {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestAFaultThatMakesNoSenseIsRefusedWithAllThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given Fault
		want  []string
	}{
		"kind":           {Fault{Kind: "thrtle"}, []string{`there is no kind of fault "thrtle": is throttle meant?`}},
		"no operation":   {Fault{Kind: Fail}, []string{`no operation is served that "" names`}},
		"misspelled":     {Fault{Kind: Fail, Target: "ecs:UpdateServices"}, []string{`names: is ecs:UpdateService meant?`}},
		"no delay":       {Fault{Kind: Delay, Target: "ecs:*"}, []string{"a delay must be longer than nothing"}},
		"status":         {Fault{Kind: Fail, Target: "ecs:*", Status: 200}, []string{"the status 200 is none of an error"}},
		"cause":          {Fault{Kind: Pull, Cause: "gone"}, []string{`there is no cause "gone"`}},
		"no target":      {Fault{Kind: Kill}, []string{"nothing is named that the fault is for"}},
		"a member":       {Fault{Kind: Throttle, Target: "ecs:*", Cause: Denied}, []string{"cause means nothing to a fault of the kind throttle"}},
		"several things": {Fault{Kind: Disk, Percent: 101, Count: -1, ForSeconds: -2}, []string{"101 percent", "cannot be below 0", "a time must be between"}},
		"too long":       {Fault{Kind: Delay, Target: "*", DelaySeconds: 1e30}, []string{"a time must be between 0 and a year"}},
	} {
		_, err := Check(tc.given, actions)
		if fault.KindOf(err) != fault.Invalid || err == nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range tc.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
	}
}
