package version

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/fault"
)

func TestParseReadsWhatStringWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.Uint64Range(0, 999_999_999_999_999_999)
		v := Version{
			Number{part.Draw(t, "major"), part.Draw(t, "minor"), part.Draw(t, "patch")},
			Tag(rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "tag")),
		}
		back, err := Parse(v.String())
		if err != nil || back != v {
			t.Fatalf("Parse(%q) = %v, %v", v, back, err)
		}
	})
}

func TestParseRefusesWhatIsNoVersion(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "1", "1.0", "1.0.15", "1.0.15.", ".1.0.15.RELEASE", "v1.0.15.RELEASE", "1.0.15.RELEASE ", "01.0.15.RELEASE",
		"1.0.-1.RELEASE", "1.0.1a.RELEASE", "1..15.RELEASE", "1.0.15.REL EASE", "1.0.15.RELEASE.2", "1.0.15.RELEÄSE",
		"1.0.15.a/b", "1.0.1234567890123456789.RELEASE", "1.0.15." + strings.Repeat("x", 65), "1.0.١.RELEASE",
	} {
		if v, err := Parse(s); err == nil {
			t.Errorf("Parse(%q) = %v", s, v)
		} else if fault.KindOf(err) != fault.Invalid {
			t.Errorf("Parse(%q): kind %s", s, fault.KindOf(err))
		}
	}
}

func TestCompareOrdersByNumberAndPutsReleasesLast(t *testing.T) {
	t.Parallel()
	want := []string{
		"0.9.9.RELEASE", "1.0.2.MILESTONE", "1.0.2.RELEASE", "1.0.15.MILESTONE", "1.0.15.SNAPSHOT", "1.0.15.RELEASE",
		"1.1.0.MILESTONE", "2.0.0.RC",
	}
	var versions []Version
	for _, s := range want {
		v, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, v)
	}
	slices.Reverse(versions)
	slices.SortFunc(versions, Compare)
	for i, v := range versions {
		if v.String() != want[i] {
			t.Errorf("place %d: %s, want %s", i, v, want[i])
		}
	}
}

func TestFromFileAllowsBlanksAndAV(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"1.0.15": "1.0.15", "1.0.15\n": "1.0.15", "  v1.0.15\r\n": "1.0.15", "\ufeff1.2.3\n": "1.2.3",
		"": "", "\n": "", "1.0": "", "1.0.15\n1.0.16": "", "one": "",
	} {
		n, err := FromFile([]byte(content))
		if got := n.String(); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("FromFile(%q) = %s, %v; want %q", content, got, err, want)
		}
	}
}

func TestFromDescribeGivesEveryCommitItsNumber(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pattern, text, want string }{
		{"v*", "v1.0.15-0-g1a2b3c4\n", "1.0.15"},
		{"v*", "v1.0.15-4-g1a2b3c4", "1.0.19"},
		{"v*", "v1.2-7-g1a2b3c4", "1.2.7"},
		{"*", "1.0.15-0-g1a2b3c4", "1.0.15"},
		{"release-*", "release-1.0.15-2-g1a2b3c4", "1.0.17"},
		{"hid/v*", "hid/v1.0.15-0-g1a2b3c4", "1.0.15"},
		{"v*", "v1.0.15", ""},
		{"v*", "v1.0.15-beta-0-g1a2b3c4", ""},
		{"v*", "nightly-0-g1a2b3c4", ""},
		{"v*", "", ""},
		{"v*", "-0-g1a2b3c4", ""},
	} {
		n, err := FromDescribe(c.pattern, c.text)
		if (err == nil) != (c.want != "") || err == nil && n.String() != c.want {
			t.Errorf("FromDescribe(%q, %q) = %s, %v; want %q", c.pattern, c.text, n, err, c.want)
		}
	}
}

func template(t *testing.T, rules ...Rule) Template {
	t.Helper()
	tpl, err := NewTemplate(rules...)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func TestTheTagComesFromTheBranch(t *testing.T) {
	t.Parallel()
	tpl := template(t, Rule{"release/*", "RC"}, Rule{"release/hot*", "HOTFIX"}, Rule{"master", "RELEASE"},
		Rule{"release/1.0", "FINAL"}, Rule{"development", "MILESTONE"}, Rule{"team/**", "SNAPSHOT"}, Rule{"v?", "V"})
	for branch, want := range map[string]Tag{
		"master": "RELEASE", "development": "MILESTONE", "release/1.2": "RC", "release/1.0": "FINAL",
		"release/hot1": "HOTFIX", "release/a/b": "", "team/a/b/c": "SNAPSHOT", "team": "", "v1": "V", "v12": "",
		"feature/x": "", "Master": "", "": "", "mastery": "",
	} {
		v, m := tpl.Version(Number{1, 0, 15}, branch)
		if m.Tag != want || m.Matched != (want != "") || m.Matched == v.IsZero() {
			t.Errorf("branch %q: %+v, %v", branch, m, v)
		}
		if m.Reason == "" {
			t.Errorf("branch %q: no reason", branch)
		}
	}
}

func TestABranchThatMatchesNothingIsIgnoredWithAReason(t *testing.T) {
	t.Parallel()
	tpl := template(t, Rule{"master", "RELEASE"}, Rule{"development", "MILESTONE"})
	if got, want := tpl.Match("feature/x").Reason, `branch "feature/x" matches none of development, master, so it is ignored`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTheOrderOfRulesMakesNoDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := []Rule{{"a*", "A"}, {"ab*", "AB"}, {"abc", "ABC"}, {"**", "ALL"}, {"a?c", "AXC"}}
		shuffled := rapid.Permutation(rules).Draw(t, "rules")
		branch := rapid.StringMatching(`[abc/]{1,5}`).Draw(t, "branch")
		one, err := NewTemplate(rules...)
		two, err2 := NewTemplate(shuffled...)
		if err != nil || err2 != nil || one.Match(branch) != two.Match(branch) {
			t.Fatalf("branch %q: %v, %v", branch, one.Match(branch), two.Match(branch))
		}
	})
}

func TestNewTemplateRefusesRulesThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string][]Rule{
		"empty pattern": {{"", "X"}}, "blank": {{"a b", "X"}}, "rooted": {{"/a", "X"}}, "open end": {{"a/", "X"}},
		"two slashes": {{"a//b", "X"}}, "two dots": {{"a..b", "X"}}, "class": {{"[ab]", "X"}}, "dash": {{"-a", "X"}},
		"backslash": {{`a\*`, "X"}}, "three stars": {{"***", "X"}}, "lock": {{"a.lock", "X"}}, "hidden": {{"a/.b", "X"}},
		"empty tag": {{"a", ""}}, "tag": {{"a", "X.Y"}}, "twice": {{"a", "X"}, {"a", "Y"}}, "colon": {{"a:b", "X"}},
		"not UTF-8": {{"a\xff", "X"}}, "control": {{"a\tb", "X"}},
	} {
		if _, err := NewTemplate(rules...); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1.0.15.RELEASE", "1.0.15", "0.0.0.x-1_Y", "1.0.15.RELEASE.2", "١.٠.٠.X"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := Parse(s); err == nil && v.String() != s {
			t.Errorf("Parse(%q).String() = %q", s, v)
		}
		n, err := FromDescribe("v*", s)
		if err == nil && n.Patch > math.MaxUint64/2 {
			t.Errorf("FromDescribe(%q) = %v", s, n)
		}
	})
}

func FuzzMatchPattern(f *testing.F) {
	f.Add("release/*", "release/1.0")
	f.Add("**/a?*", "x/y/ab")
	f.Add("***", "a")
	f.Fuzz(func(t *testing.T, pattern, branch string) {
		matched := MatchPattern(pattern, branch)
		if isExact(pattern) && CheckPattern(pattern) == nil && matched != (pattern == branch) {
			t.Errorf("MatchPattern(%q, %q) = %t", pattern, branch, matched)
		}
		if !MatchPattern("**", branch) {
			t.Errorf("** does not match %q", branch)
		}
	})
}
