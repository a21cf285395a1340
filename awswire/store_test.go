package awswire_test

import (
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/awswire"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

type embedding struct {
	ecstypes.Service
	Extra string
}

type named struct {
	ecstypes.Service `json:"service"`
	Extra            string
}

func TestMarshalRefusesAStructWhoseMembersAnEmbeddedTypeWouldHide(t *testing.T) {
	t.Parallel()
	_, err := awswire.Marshal(embedding{Extra: "x"})
	if err == nil || !strings.Contains(err.Error(), "embeds types.Service") {
		t.Errorf("err = %v", err)
	}
}

func TestMarshalKeepsAnEmbeddedTypeWithAName(t *testing.T) {
	t.Parallel()
	b, err := awswire.Marshal(named{ecstypes.Service{ServiceName: aws.String("web"), RunningCount: 2}, "x"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(b), `{"service":{"runningCount":2,"serviceName":"web"},"Extra":"x"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var back named
	if err := awswire.Unmarshal(b, &back); err != nil || *back.ServiceName != "web" || back.RunningCount != 2 || back.Extra != "x" {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestMarshalReplacesBytesThatAreNoUTF8(t *testing.T) {
	t.Parallel()
	for _, v := range []any{map[string]string{"key": "\xff"}, ecstypes.Tag{Key: aws.String("\xff")}} {
		b, err := awswire.Marshal(v)
		if err != nil || string(b) != "{\"key\":\"\ufffd\"}" {
			t.Errorf("%T: %s, %v", v, b, err)
		}
	}
}

func TestUnmarshalIgnoresMembersOfANewerProgram(t *testing.T) {
	t.Parallel()
	var back named
	err := awswire.Unmarshal([]byte(`{"service":{"serviceName":"web","hologram":{"a":[1]}},"Later":{}}`), &back)
	if err != nil || *back.ServiceName != "web" {
		t.Errorf("%+v, %v", back, err)
	}
}
