package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/engine/state"
)

// What ECS says when a container's secret is not to be had. No text here has a value in it. [ECS guide, "Stopped tasks error
// messages"; agent, asm/asm.go]
const (
	secretsFailed   = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
	fromSecrets     = "unable to retrieve secret from asm: service call has been retried 1 time(s): "
	fromParameters  = "unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
	notFetched      = "failed to fetch secret %s from secrets manager: %s"
	secretPrefix    = "arn:aws:secretsmanager:"
	partsOfSecret   = 7 // of its ARN, before the json key
	partsAfterwards = 3 // json key, version stage, version id
)

// secret returns the value that a container's secret names: an ARN of Secrets Manager, with json key, version stage and
// version id behind it if wanted, or the name or ARN of a parameter. [ECS guide, "Pass sensitive data to an ECS container"]
func secret(snap state.Snapshot, from string) (string, error) {
	if strings.HasPrefix(from, secretPrefix) {
		value, err := secretValue(snap, from)
		if err != nil {
			return "", errors.New(fromSecrets + err.Error())
		}
		return value, nil
	}
	_, version, _, ok := snap.FindParameter(from)
	if !ok {
		name := from
		if _, resource, isARN := strings.Cut(from, ":parameter"); isARN {
			name = resource
		}
		return "", errors.New(fromParameters + "invalid ssm parameters: " + name)
	}
	return aws.ToString(version.Value), nil
}

func secretValue(snap state.Snapshot, from string) (string, error) {
	parts := strings.Split(from, ":")
	var more [partsAfterwards]string
	if len(parts) > partsOfSecret {
		copy(more[:], parts[partsOfSecret:])
		parts = parts[:partsOfSecret]
	}
	arn, key, stage, id := strings.Join(parts, ":"), more[0], more[1], more[2]
	found, ok := snap.FindSecret(arn)
	if !ok {
		return "", fmt.Errorf(notFetched, arn, "ResourceNotFoundException: Secrets Manager can't find the specified secret.")
	}
	if found.Doc.DeletedDate != nil {
		return "", fmt.Errorf(notFetched, arn,
			"InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.")
	}
	version, ok := found.Version(id, stage)
	if !ok {
		wanted := "staging label: " + stage
		if stage == "" {
			wanted = "staging label: " + state.StageCurrent
		}
		if id != "" {
			wanted = "VersionId: " + id
		}
		return "", fmt.Errorf(notFetched, arn, "ResourceNotFoundException: Secrets Manager can't find the specified secret value for "+wanted)
	}
	if key == "" {
		return aws.ToString(version.Text), nil
	}
	return member(aws.ToString(version.Text), key)
}

// member returns a member of a JSON object, in the form in which the agent writes it.
func member(text, key string) (string, error) {
	var members map[string]any
	if json.Unmarshal([]byte(text), &members) != nil { // the error would quote the value
		return "", fmt.Errorf("retrieved secret from Secrets Manager is no JSON object, so it has no json key %s", key)
	}
	value, ok := members[key]
	if !ok {
		return "", fmt.Errorf("retrieved secret from Secrets Manager did not contain json key %s", key)
	}
	return fmt.Sprint(value), nil
}
