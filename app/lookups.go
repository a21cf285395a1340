package app

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/lookup"
)

// Lookups returns what finds values that a project doesn't state. AWS is asked as the options say; a region that is looked up
// in counts where they name none.
func Lookups(dir string, environ []string, o TargetOptions) *lookup.Lookups {
	return lookup.New(lookup.Options{Dir: dir, Environ: environ, AWS: func(ctx context.Context, region string) (aws.Config, error) {
		at := o
		if at.Region == "" {
			at.Region = region
		}
		return AWSConfig(ctx, at)
	}})
}
