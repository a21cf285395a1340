package ecsapi

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
)

// mostFiles is how many environment files a container may have. [ECS guide, "Pass environment variables to an ECS container"]
const mostFiles = 10

// checkInputs refuses values that a container cannot take from elsewhere.
func checkInputs(name string, c types.ContainerDefinition) error {
	if len(c.EnvironmentFiles) > mostFiles {
		return clientError("Too many environment files for container '%s'. The maximum is %d.", name, mostFiles)
	}
	for _, f := range c.EnvironmentFiles {
		value := awsdoc.Or(f.Value, "")
		_, object, isObject := strings.Cut(value, ":s3:::")
		switch {
		case f.Type != types.EnvironmentFileTypeS3:
			return clientError("Invalid environment file type '%s' for container '%s'. The only supported type is s3.", f.Type, name)
		case !isObject || !strings.Contains(object, "/"):
			return clientError("Invalid environment file '%s' for container '%s'. It must be the ARN of an object in Amazon S3.", value, name)
		case !strings.HasSuffix(value, ".env"):
			return clientError("Invalid environment file '%s' for container '%s'. It must have the extension .env.", value, name)
		}
	}
	variables := map[string]bool{}
	for _, v := range c.Environment {
		variables[awsdoc.Or(v.Name, "")] = true
	}
	for _, s := range c.Secrets {
		if variables[awsdoc.Or(s.Name, "")] {
			return clientError("The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '%s'.", awsdoc.Or(s.Name, ""))
		}
		variables[awsdoc.Or(s.Name, "")] = true
	}
	return nil
}
