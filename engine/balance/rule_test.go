package balance

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestConditions(t *testing.T) {
	t.Parallel()
	old := func(field string, values ...string) v2.RuleCondition {
		return v2.RuleCondition{Field: &field, Values: values}
	}
	header := v2.RuleCondition{Field: aws.String("http-header"), HttpHeaderConfig: &v2.HttpHeaderConditionConfig{
		HttpHeaderName: aws.String("x-canary"), Values: []string{"Yes*"},
	}}
	query := func(key *string, v string) v2.RuleCondition {
		return v2.RuleCondition{Field: aws.String("query-string"), QueryStringConfig: &v2.QueryStringConditionConfig{
			Values: []v2.QueryStringKeyValuePair{{Key: key, Value: &v}},
		}}
	}
	for name, tc := range map[string]struct {
		condition v2.RuleCondition
		request   func(*http.Request)
		want      bool
	}{
		"path":                               {old("path-pattern", "/img/*"), at("/img/a.png"), true},
		"path, without its end":              {old("path-pattern", "/img/*"), at("/img"), false},
		"path, case counts":                  {old("path-pattern", "/img/*"), at("/IMG/a"), false},
		"path, the query doesn't count":      {old("path-pattern", "/img/?"), at("/img/a?b=c"), true},
		"path, one of several":               {old("path-pattern", "/a", "/b"), at("/b"), true},
		"path, by its own member":            {v2.RuleCondition{Field: aws.String("path-pattern"), PathPatternConfig: &v2.PathPatternConditionConfig{Values: []string{"/x"}}}, at("/x"), true},
		"path, regular expression":           {v2.RuleCondition{Field: aws.String("path-pattern"), PathPatternConfig: &v2.PathPatternConditionConfig{RegexValues: []string{"^/v[0-9]+/"}}}, at("/v12/x"), true},
		"host":                               {old("host-header", "*.example.com"), host1("www.example.com"), true},
		"host, case doesn't count":           {old("host-header", "*.Example.com"), host1("WWW.example.COM"), true},
		"host, the port doesn't count":       {old("host-header", "example.com"), host1("example.com:8080"), true},
		"host, another":                      {old("host-header", "*.example.com"), host1("example.com"), false},
		"header, case doesn't count":         {header, func(r *http.Request) { r.Header.Set("X-Canary", "yes, please") }, true},
		"header, absent":                     {header, func(*http.Request) {}, false},
		"method":                             {old("http-request-method", "GET"), func(*http.Request) {}, true},
		"method, another":                    {old("http-request-method", "POST"), func(*http.Request) {}, false},
		"query, key and value":               {query(aws.String("version"), "v1"), at("/?VERSION=V1"), true},
		"query, any key":                     {query(nil, "*beta*"), at("/?a=x&b=my-beta-2"), true},
		"query, other value":                 {query(aws.String("version"), "v1"), at("/?version=v2"), false},
		"source, inside":                     {old("source-ip", "192.0.2.0/24"), func(*http.Request) {}, true},
		"source, outside":                    {old("source-ip", "198.51.100.0/24", "10.0.0.0/8"), func(*http.Request) {}, false},
		"nothing asked for is never met":     {old("path-pattern"), at("/"), false},
		"encoded characters count as such":   {old("path-pattern", "/a%2Fb"), at("/a%2Fb"), true},
		"a pattern of nothing but wildcards": {old("path-pattern", "*"), at("/anything"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil) // from 192.0.2.1:1234
			tc.request(r)
			compiled, err := conditionOf(tc.condition)
			if err != nil {
				t.Fatal(err)
			}
			if got := compiled(r); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func at(target string) func(*http.Request) {
	return func(r *http.Request) { *r = *httptest.NewRequest(r.Method, target, nil) }
}

func host1(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

func TestConditionsThatCannotBeReadSayWhy(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]string{
		"source-ip": `source IP "x" is no CIDR block: netip.ParsePrefix("x"): no '/'`,
		"moon":      `condition "moon" is not known`,
	} {
		_, err := conditionOf(v2.RuleCondition{Field: &field, Values: []string{"x"}})
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", field, err, want)
		}
	}
	_, err := conditionOf(v2.RuleCondition{Field: aws.String("path-pattern"), RegexValues: []string{"("}})
	if err == nil {
		t.Error("a broken regular expression was taken")
	}
}

func TestRulesAreTriedByPriorityAndTheDefaultLast(t *testing.T) {
	t.Parallel()
	answer := func(code string) []v2.Action {
		return []v2.Action{{Type: v2.ActionTypeEnumFixedResponse, FixedResponseConfig: &v2.FixedResponseActionConfig{
			StatusCode: &code, MessageBody: aws.String("said " + code), ContentType: aws.String("text/plain"),
		}}}
	}
	under := func(pattern string) []v2.RuleCondition {
		return []v2.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{pattern}}}
	}
	table, errs := tableOf(listenerSettings{Rules: []v2.Rule{
		{Priority: aws.String("5"), Conditions: under("/a/b"), Actions: answer("205")},
		{Priority: aws.String("10"), Conditions: under("/a/*"), Actions: answer("210")},
		{Priority: aws.String("default"), Actions: answer("404")},
	}}, forwardMaker{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for path, want := range map[string]int{"/a/b": 205, "/a/c": 210, "/b": 404} {
		rec := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		table.action(r).ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("%s: %d, want %d", path, rec.Code, want)
		}
	}
}

func TestRedirectsKeepWhatTheyDoNotName(t *testing.T) {
	t.Parallel()
	s := listenerSettings{Protocol: HTTP, At: netip.MustParseAddrPort("127.0.0.1:8080")}
	for name, tc := range map[string]struct {
		config v2.RedirectActionConfig
		want   string
	}{
		"to HTTPS":        {v2.RedirectActionConfig{Protocol: aws.String("HTTPS"), Port: aws.String("443")}, "https://example.com:443/a/b?c=d"},
		"another host":    {v2.RedirectActionConfig{Host: aws.String("www.#{host}")}, "http://www.example.com:8080/a/b?c=d"},
		"a path before":   {v2.RedirectActionConfig{Path: aws.String("/new/#{path}")}, "http://example.com:8080/new/a/b?c=d"},
		"no query":        {v2.RedirectActionConfig{Query: aws.String("")}, "http://example.com:8080/a/b"},
		"more of a query": {v2.RedirectActionConfig{Query: aws.String("#{query}&e=f")}, "http://example.com:8080/a/b?c=d&e=f"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "http://example.com:8080/a/b?c=d", nil)
			if got := location(s, tc.config, r); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestWeightsAreKeptAndSpreadOut(t *testing.T) {
	t.Parallel()
	groups := map[groupID]*group{"a": {}, "b": {}, "c": {}}
	f := forwardMaker{groups: groups, log: discard()}.forward(listenerSettings{}, v2.Action{Type: v2.ActionTypeEnumForward, ForwardConfig: &v2.ForwardActionConfig{TargetGroups: []v2.TargetGroupTuple{
		{TargetGroupArn: aws.String("a"), Weight: aws.Int32(10)},
		{TargetGroupArn: aws.String("b"), Weight: aws.Int32(90)},
		{TargetGroupArn: aws.String("c"), Weight: aws.Int32(0)},
	}}})
	counts, row := map[*group]int{}, 0
	for range 1000 {
		g := f.group(&visit{})
		counts[g]++
		if row++; g == groups["a"] {
			row = 0
		}
		if row > 25 {
			t.Fatal("the group of weight 10 waits too long")
		}
	}
	if counts[groups["a"]] != 100 || counts[groups["b"]] != 900 {
		t.Errorf("got %d and %d of 1000, want 100 and 900", counts[groups["a"]], counts[groups["b"]])
	}
}

func TestTraceHeader(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ given, want string }{
		"none":          {"", `^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`},
		"root":          {"Root=1-67891233-abcdef012345678912345678", `^Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-67891233-abcdef012345678912345678$`},
		"root and more": {"Root=1-1-2;CalledFrom=app", `^Self=1-[^;]+;Root=1-1-2;CalledFrom=app$`},
		"self":          {"Self=old;Root=1-1-2", `^Self=1-[^;]+;Root=1-1-2$`},
		"only others":   {"CalledFrom=app", `^Root=1-[^;]+;CalledFrom=app$`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			if tc.given != "" {
				h.Set(traceHeader, tc.given)
			}
			setTrace(h)
			if got := h.Get(traceHeader); !matches(t, tc.want, got) {
				t.Errorf("got %s", got)
			}
		})
	}
}
