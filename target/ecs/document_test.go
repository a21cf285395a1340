package ecs

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"testing"
)

func TestSetMemberChangesOneMemberAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ document, member, want string }{
		"replaced":             {"{\n  \"a\": 1,\n  \"taskDefinition\" :  \"web\" ,\"b\":2.50}", "taskDefinition", "{\n  \"a\": 1,\n  \"taskDefinition\" :  \"X\" ,\"b\":2.50}"},
		"added":                {`{ "a": 1e3 }`, "taskDefinition", `{"taskDefinition":"X", "a": 1e3 }`},
		"added to nothing":     {`{ }`, "taskDefinition", `{"taskDefinition":"X" }`},
		"only its own members": {`{"a":{"taskDefinition":"inner"}}`, "taskDefinition", `{"taskDefinition":"X","a":{"taskDefinition":"inner"}}`},
		"the last one counts":  {`{"taskDefinition":1,"taskDefinition":2}`, "taskDefinition", `{"taskDefinition":1,"taskDefinition":"X"}`},
		"escapes stay":         {`{"a":"\u003c\/","taskDefinition":"web"}`, "taskDefinition", `{"a":"\u003c\/","taskDefinition":"X"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := setMember([]byte(tc.document), tc.member, "X")
			if err != nil || string(got) != tc.want {
				t.Errorf("got %s, %v, want %s", got, err, tc.want)
			}
		})
	}
	for _, bad := range []string{``, `[]`, `{"a":}`, `{"a":1`, `1`} {
		if got, err := setMember([]byte(bad), "a", 1); err == nil {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

func TestTheUsersServiceUpdateStaysByteForByteButForItsRevision(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("testdata/service-update.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := setMember(document, "taskDefinition", "arn:aws:ecs:us-east-1:1:task-definition/hid-generator:7")
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Replace(document, []byte(`"taskDefinition": "hid-generator",`), []byte(`"taskDefinition": "arn:aws:ecs:us-east-1:1:task-definition/hid-generator:7",`), 1)
	if !bytes.Equal(got, want) {
		t.Errorf("got %s", got)
	}
}

func FuzzSetMember(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, `{"a":{"a":[1,2]},"b":"\u0061"}`, "{ \"a\"\n:\ttrue }", `{"a":1,"a":2}`} {
		f.Add([]byte(seed), "a")
	}
	f.Fuzz(func(t *testing.T, document []byte, name string) {
		got, err := setMember(document, name, "X")
		if err != nil || !json.Valid(document) {
			return
		}
		var was, is map[string]any
		if json.Unmarshal(document, &was) != nil {
			return
		}
		if err := json.Unmarshal(got, &is); err != nil {
			t.Fatalf("%q became %q: %v", document, got, err)
		}
		key, err := json.Marshal(name)
		if err != nil || json.Unmarshal(key, &name) != nil {
			t.Fatal(err)
		}
		was[name] = "X"
		if !reflect.DeepEqual(was, is) {
			t.Fatalf("%q became %q", document, got)
		}
	})
}

func TestEverythingOfAServiceCanBeRestored(t *testing.T) {
	t.Parallel()
	names := updatable()
	for _, name := range []string{
		"deploymentConfiguration", "loadBalancers", "networkConfiguration", "healthCheckGracePeriodSeconds", "placementStrategy",
		"capacityProviderStrategy", "serviceRegistries", "platformVersion", "volumeConfigurations", "enableExecuteCommand",
	} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not among what can be restored: %v", name, names)
		}
	}
}
