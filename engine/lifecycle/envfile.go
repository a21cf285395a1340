package lifecycle

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/fault"
)

const (
	filesFailed = "ResourceInitializationError: failed to download env files: "
	largestFile = 1 << 20 // bytes
)

// environmentFiles returns what a container's environment files say, the first of them first: NAME=value pairs. A name
// that is said twice has its first value. [ECS guide, "Pass environment variables to an ECS container"]
func (w *work) environmentFiles(d types.ContainerDefinition) (map[string]string, error) {
	values := map[string]string{}
	for _, f := range d.EnvironmentFiles {
		bucket, key, err := objectOf(aws.ToString(f.Value))
		if err != nil {
			return nil, err
		}
		content, err := w.object(bucket, key)
		if err != nil {
			return nil, err
		}
		for name, value := range parseEnvironment(content) {
			if _, known := values[name]; !known {
				values[name] = value
			}
		}
	}
	return values, nil
}

func (w *work) object(bucket, key string) (string, error) {
	if w.Object == nil {
		return "", fmt.Errorf("the engine keeps no objects: %s/%s", bucket, key)
	}
	content, err := w.Object(bucket, key, largestFile)
	switch {
	case err != nil && fault.KindOf(err) == fault.NotFound:
		return "", fmt.Errorf("file download command: non empty error stream: service call has been retried 1 time(s): "+
			"NotFound: Not Found: status code: 404: %s/%s", bucket, key)
	case err != nil:
		return "", err
	}
	return string(content), nil
}

// objectOf reads arn:aws:s3:::bucket/key.
func objectOf(arn string) (bucket, key string, err error) {
	resource, ok := strings.CutPrefix(arn, "arn:aws:s3:::")
	bucket, key, both := strings.Cut(resource, "/")
	if !ok || !both || bucket == "" || key == "" {
		return "", "", errors.New("unable to parse bucket and key from s3 ARN specified in environmentFile " + arn)
	}
	return bucket, key, nil
}

// parseEnvironment reads a file of NAME=value lines as the agent does: lines that begin with # are comments, what has no
// "=" or nothing at one side of it is passed over, and nothing is trimmed or unquoted. [agent, taskresource/envFiles/envfile.go]
func parseEnvironment(text string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if name, value, ok := strings.Cut(line, "="); ok && name != "" && value != "" {
			values[name] = value
		}
	}
	return values
}
