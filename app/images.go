package app

import (
	"context"
	"encoding/base64"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/slipway-cd/slipway/registry"
)

// imageRegistries asks registries for images: Amazon ECR with the rights that AWS's own calls have, all others as Docker would.
func imageRegistries(cfg aws.Config) *registry.Client {
	return registry.New(registry.Options{UserAgent: "slipway", Login: ecrLogin(cfg)})
}

// ecrHost is a private registry of Amazon ECR. [Amazon ECR: private registries]
var ecrHost = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9]{12}\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$`)
})

// ecrLogin gets tokens for registries of Amazon ECR, each once, as they last for hours. Of one that cannot be had nothing is said:
// Docker's own credentials may do.
func ecrLogin(cfg aws.Config) registry.Login {
	var mu sync.Mutex
	known := map[string]registry.Credentials{}
	return func(ctx context.Context, host string) (registry.Credentials, error) {
		region := ecrHost().FindStringSubmatch(host)
		if region == nil {
			return registry.Credentials{}, nil
		}
		mu.Lock()
		defer mu.Unlock()
		if found, ok := known[host]; ok {
			return found, nil
		}
		out, err := ecr.NewFromConfig(cfg, func(o *ecr.Options) { o.Region = region[1] }).GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
		if err != nil || len(out.AuthorizationData) == 0 {
			return registry.Credentials{}, nil
		}
		token, err := base64.StdEncoding.DecodeString(aws.ToString(out.AuthorizationData[0].AuthorizationToken))
		user, password, ok := strings.Cut(string(token), ":")
		if err != nil || !ok {
			return registry.Credentials{}, nil
		}
		known[host] = registry.Credentials{Username: user, Password: password}
		return known[host], nil
	}
}
