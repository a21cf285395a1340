package ecsdeploy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNetworkConfigurationsAreReadAsTheAWSCLIDoes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "network.json")
	if err := os.WriteFile(file, []byte("\n{\"awsvpcConfiguration\": {\"subnets\": [\"s\"]}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		`{"awsvpcConfiguration": {"subnets": ["a"], "later": 1.0}}`:                        `{"awsvpcConfiguration":{"subnets":["a"],"later":1.0}}`,
		`awsvpcConfiguration={subnets=[a,b],securityGroups=[sg-1],assignPublicIp=ENABLED}`: `{"awsvpcConfiguration":{"assignPublicIp":"ENABLED","securityGroups":["sg-1"],"subnets":["a","b"]}}`,
		` awsvpcConfiguration = { subnets = [ a , b ] } `:                                  `{"awsvpcConfiguration":{"subnets":["a","b"]}}`,
		`awsvpcConfiguration={subnets=["a,b",'c\'d'],later=[]}`:                            `{"awsvpcConfiguration":{"later":[],"subnets":["a,b","c'd"]}}`,
		`a=1,b={c=[{d=2},{d=3}]}`:                                                          `{"a":"1","b":{"c":[{"d":"2"},{"d":"3"}]}}`,
		"file://" + file:                                                                   `{"awsvpcConfiguration":{"subnets":["s"]}}`,
	} {
		got, err := networkConfiguration(value)
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v; want %s", value, got, err, want)
		}
	}
	for value, want := range map[string]string{
		"":                        "expected name=value at character 1, found the end",
		"subnets":                 "expected name=value at character 8, found the end",
		"a=[b":                    "expected , or ] at character 5, found the end",
		"a={b=c":                  "expected } at character 7, found the end",
		"a='b":                    "expected a closing ' at character 5, found the end",
		"a=b}":                    "expected the end at character 4, found `}`",
		"{":                       "--network-configuration is no JSON",
		"file:///no/such":         "no such file",
		strings.Repeat("a={", 99): "expected an end to so many { and [",
	} {
		if got, err := networkConfiguration(value); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %s, %v; want %s", value, got, err, want)
		}
	}
}

func FuzzShorthand(f *testing.F) {
	for _, s := range []string{"a=b", "a={b=[c,d],e='f'}", `a="\"`, "a=[{b=c}]", "=", "a=[[[[", "{}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		members, err := shorthand(s)
		if err != nil {
			return
		}
		if text, err := json.Marshal(members); err != nil || len(members) == 0 {
			t.Errorf("%q was read as %s, %v", s, text, err)
		}
	})
}
