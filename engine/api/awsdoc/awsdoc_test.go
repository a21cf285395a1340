package awsdoc

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAssignCarriesSetMembersByNameAndLeavesTheRest(t *testing.T) {
	t.Parallel()
	two, yes := int32(2), true
	doc := types.Service{DesiredCount: 7, PlatformVersion: Text("1.4.0"), EnableExecuteCommand: false}
	Assign(&doc, &ecs.UpdateServiceInput{
		DesiredCount: &two, EnableExecuteCommand: &yes, LoadBalancers: []types.LoadBalancer{}, TaskDefinition: Text("web:3"),
	}, "TaskDefinition")
	switch {
	case doc.DesiredCount != 2, !doc.EnableExecuteCommand:
		t.Error("a pointer's value did not arrive")
	case Or(doc.PlatformVersion, "") != "1.4.0":
		t.Error("a member that was left out has changed")
	case doc.LoadBalancers == nil:
		t.Error("an empty list did not arrive: it means remove them all")
	case doc.TaskDefinition != nil:
		t.Error("an excepted member arrived")
	}
}

func TestAssignMakesPointersOfValues(t *testing.T) {
	t.Parallel()
	var doc struct{ DesiredCount *int32 }
	Assign(&doc, &types.Service{DesiredCount: 3})
	if Or(doc.DesiredCount, 0) != 3 {
		t.Error("the value did not arrive")
	}
}

func TestPagesJoinedAreTheWholeList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfDistinct(rapid.StringMatching(`[a-z]{1,3}`), rapid.ID[string]).Draw(t, "keys")
		size := rapid.IntRange(1, 5).Draw(t, "size")
		order := rapid.SampledFrom([]func(a, b string) int{Ascending, Descending}).Draw(t, "order")
		var joined []string
		var token *string
		for {
			cut, next, ok := Page(append([]string(nil), keys...), order, token, size)
			if !ok || len(cut) > size {
				t.Fatalf("page of %d for size %d, token fine: %v", len(cut), size, ok)
			}
			joined = append(joined, cut...)
			if token = next; token == nil {
				break
			}
		}
		all, _, _ := Page(append([]string(nil), keys...), order, nil, len(keys)+1)
		if diff := cmp.Diff(fmt.Sprint(all), fmt.Sprint(joined)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestPageRefusesATokenThatIsNoneOfOurs(t *testing.T) {
	t.Parallel()
	_, ours, _ := Page([]string{"a", "b"}, Ascending, nil, 1)
	for name, token := range map[string]string{
		"no Base64":                      "%%",
		"Base64 by chance":               "garbage0",
		"shorter than a seal":            "YQ",
		"a key without a seal":           base64.RawURLEncoding.EncodeToString([]byte("arn:aws:ecs:us-east-1:000000000000:task-definition/web:1")),
		"one of ours with another's key": (*ours)[:len(*ours)-2] + base64.RawURLEncoding.EncodeToString([]byte("b")),
		"one of ours, cut":               (*ours)[:len(*ours)-2],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if cut, _, ok := Page([]string{"a"}, Ascending, &token, 1); ok {
				t.Errorf("%q is taken, for the page %q", token, cut)
			}
		})
	}
}
