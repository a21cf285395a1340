package awswire

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/google/go-cmp/cmp"
)

// What is read as an input is, written and read again, the same input.
func FuzzJSONInput(f *testing.F) {
	reader := withUnions(nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		var in, again ecs.CreateServiceInput
		if err := reader.read(body, &in, 1000, func(string) {}); err != nil {
			return
		}
		written, err := (&jsonWriter{stored: true}).write(nil, &in)
		if err != nil {
			t.Fatal(err)
		}
		if err := reader.read(written, &again, 1000, func(path string) { t.Errorf("unknown: %s", path) }); err != nil {
			t.Fatalf("%v in %s", err, written)
		}
		if d := cmp.Diff(in, again, sameSDK); d != "" {
			t.Error(d)
		}
	})
}

func FuzzQueryInput(f *testing.F) {
	f.Fuzz(func(t *testing.T, body string) {
		form, err := formOf("", []byte(body))
		if err != nil {
			return
		}
		var in elbv2.CreateRuleInput
		if err := readQuery(form, &in, 1000, func(string) {}); err != nil {
			return
		}
		if _, err := (&xmlWriter{}).answer("x", "CreateRule", &in, "id"); err != nil {
			t.Error(err)
		}
	})
}

func FuzzSignature(f *testing.F) {
	f.Fuzz(func(t *testing.T, header, date, query string) {
		r := &http.Request{Header: http.Header{"Authorization": {header}, "X-Amz-Date": {date}}, URL: &url.URL{RawQuery: query}, Host: "h"}
		s, err := parseSignature(r)
		if err != nil {
			return
		}
		if s == nil || s.accessKey == "" || len(s.signedHeaders) == 0 || s.at.IsZero() {
			t.Fatalf("accepted without its parts: %+v", s)
		}
		if err := s.verify(r, nil, map[string]string{s.accessKey: "secret"}, nil, s.at); err == nil {
			t.Error("a signature made without the secret is accepted")
		}
	})
}
