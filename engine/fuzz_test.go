package engine

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	iam "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// FuzzHookAnswer: whatever a hook's function returns, a deployment goes on only when it says one of the three words that it
// may say.
func FuzzHookAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"hookStatus": "SUCCEEDED"}`, `{"hookStatus": "IN_PROGRESS", "callBackDelay": 1e308, "hookDetails": {"a": [1]}}`, `{"hookStatus": "FAILED"}`,
		`{"hookStatus": "succeeded"}`, `{"hookStatus": 1}`, `null`, `"SUCCEEDED"`, `{"hookStatus": "SUCCEEDED"} {}`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := readAnswer(data)
		if err == nil && !slices.Contains([]types.DeploymentLifecycleHookStatus{"SUCCEEDED", "FAILED", "IN_PROGRESS"}, a.Status) {
			t.Errorf("%q is taken for %q", data, a.Status)
		}
		if err == nil && !json.Valid(data) {
			t.Errorf("%q is no JSON", data)
		}
	})
}

// FuzzTrustPolicy: a role is assumed only when its policy is a document that names the service.
func FuzzTrustPolicy(f *testing.F) {
	for _, seed := range []string{
		`{"Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]}`,
		`{"Statement": {"Effect": "Allow", "Principal": {"Service": ["x", "ecs-tasks.amazonaws.com"]}, "Action": ["sts:*"]}}`,
		`{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*"}}`, `{"Statement": null}`, `{"Statement": [[[[1]]]]}`, `[]`, ``,
	} {
		f.Add(seed)
	}
	db := state.New(nil)
	const service = "ecs-tasks.amazonaws.com"
	f.Fuzz(func(t *testing.T, policy string) {
		err := db.Write(func(tx *state.Tx) error {
			tx.Put(&state.Role{Name: "r", Doc: iam.Role{AssumeRolePolicyDocument: aws.String(policy)}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if trusts(db.Read(), "r", service) && !json.Valid([]byte(policy)) {
			t.Errorf("%q lets it in", policy)
		}
	})
}
