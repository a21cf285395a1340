package balance

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

func TestHostHeaderForTheTarget(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		keep             bool
		host, port, want string
	}{
		"another port is appended":            {host: "example.com", port: "8080", want: "example.com:8080"},
		"the client's port stays":             {host: "example.com:99", port: "8080", want: "example.com:99"},
		"a usual port is not appended":        {host: "example.com", port: "80", want: "example.com"},
		"at a usual port any port is removed": {host: "example.com:8080", port: "443", want: "example.com"},
		"addresses keep their brackets":       {host: "[::1]:8080", port: "80", want: "[::1]"},
		"preserved":                           {keep: true, host: "example.com", port: "8080", want: "example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (headerRules{KeepHost: tc.keep}).host(tc.host, tc.port); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestForwardedForTheTarget(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		rules headerRules
		prior []string
		want  string
	}{
		"appended to none": {headerRules{Forwarded: "append"}, nil, "192.0.2.1"},
		"appended":         {headerRules{Forwarded: "append"}, []string{"a", "b"}, "a, b, 192.0.2.1"},
		"with the port":    {headerRules{Forwarded: "append", ClientPort: true}, []string{"a"}, "a, 192.0.2.1:5000"},
		"preserved":        {headerRules{Forwarded: "preserve"}, []string{"a"}, "a"},
		"removed":          {headerRules{Forwarded: "remove"}, []string{"a"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tc.rules.forwardedFor(tc.prior, "192.0.2.1:5000"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestListenerAttributesChangeTheHeadersOfAnswers(t *testing.T) {
	t.Parallel()
	rules := headerRulesOf(nil, map[string]string{
		"routing.http.response.server.enabled":                           "false",
		"routing.http.response.strict_transport_security.header_value":   "max-age=1",
		"routing.http.response.access_control_allow_origin.header_value": "",
	})
	answer := http.Header{"Server": {"secret"}, "Strict-Transport-Security": {"max-age=0"}}
	rules.answer(answer)
	if diff := cmp.Diff(http.Header{"Strict-Transport-Security": {"max-age=1"}}, answer); diff != "" {
		t.Error(diff)
	}
}

func TestHeadersWithInvalidNamesAreDropped(t *testing.T) {
	t.Parallel()
	h := http.Header{"X-Fine-1": {"a"}, "X_Under": {"b"}, "X.Dot": {"c"}}
	dropInvalid(h)
	if diff := cmp.Diff(http.Header{"X-Fine-1": {"a"}}, h); diff != "" {
		t.Error(diff)
	}
}

func TestTransformsRewriteHostAndURL(t *testing.T) {
	t.Parallel()
	host := v2.RuleTransform{Type: v2.TransformTypeEnumHostHeaderRewrite, HostHeaderRewriteConfig: &v2.HostHeaderRewriteConfig{
		Rewrites: []v2.RewriteConfig{{Regex: aws.String(`^shop\.(.+)$`), Replace: aws.String("api.$1")}},
	}}
	url := v2.RuleTransform{Type: v2.TransformTypeEnumUrlRewrite, UrlRewriteConfig: &v2.UrlRewriteConfig{
		Rewrites: []v2.RewriteConfig{{Regex: aws.String(`^/v1/(.*?)(\?.*)?$`), Replace: aws.String("/$1$2")}},
	}}
	for name, tc := range map[string]struct {
		transforms []v2.RuleTransform
		want       string
	}{
		"none": {nil, "shop.example.com/v1/items?page=2"},
		"host": {[]v2.RuleTransform{host}, "api.example.com/v1/items?page=2"},
		"both": {[]v2.RuleTransform{url, host}, "api.example.com/items?page=2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got string
			action, err := transformed(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = r.Host + r.URL.RequestURI()
			}), tc.transforms)
			if err != nil {
				t.Fatal(err)
			}
			action.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://shop.example.com/v1/items?page=2", nil))
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
	broken := host
	broken.HostHeaderRewriteConfig = &v2.HostHeaderRewriteConfig{Rewrites: []v2.RewriteConfig{{Regex: aws.String("("), Replace: aws.String("")}}}
	for name, transforms := range map[string][]v2.RuleTransform{
		"no regular expression": {broken}, "twice": {host, host}, "no rewrite": {{Type: v2.TransformTypeEnumUrlRewrite}}, "no type": {{}},
	} {
		if CheckTransforms(transforms) == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
