package ecs

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

func TestTrusts(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		policy            string
		allowed, readable bool
	}{
		"one service":        {`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`, true, true},
		"one of several":     {`{"Statement":[{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","ecs-tasks.amazonaws.com"]},"Action":["sts:AssumeRole"]}]}`, true, true},
		"a single statement": {`{"Statement":{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:*"}}`, true, true},
		"everybody":          {`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`, true, true},
		"under a condition":  {`{"Statement":{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"x"}}}}`, true, true},
		"another service":    {`{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`, false, true},
		"an account":         {`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"sts:AssumeRole"}]}`, false, true},
		"another action":     {`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:TagSession"}]}`, false, true},
		"denied elsewhere":   {`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*"},{"Effect":"Deny","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"*"}]}`, false, true},
		"no statement":       {`{}`, false, false},
		"no JSON":            {`x`, false, false},
	} {
		if allowed, readable := trusts([]byte(tc.policy), assumedByTasks); allowed != tc.allowed || readable != tc.readable {
			t.Errorf("%s: %v, %v, want %v, %v", name, allowed, readable, tc.allowed, tc.readable)
		}
	}
}

func TestPrincipal(t *testing.T) {
	t.Parallel()
	for caller, want := range map[string]string{
		"arn:aws:iam::1:user/team/ada":              "arn:aws:iam::1:user/team/ada",
		"arn:aws:sts::1:assumed-role/deployer/ci-7": "arn:aws:iam::1:role/deployer",
		"arn:aws-cn:sts::1:assumed-role/deployer/x": "arn:aws-cn:iam::1:role/deployer",
		"arn:aws:iam::1:root":                       "",
		"arn:aws:sts::1:federated-user/ada":         "cannot",
		"x":                                         "cannot",
	} {
		got, ok := principal(caller)
		if !ok {
			got = "cannot"
		}
		if got != want {
			t.Errorf("%s is %q, want %q", caller, got, want)
		}
	}
}

func TestSecretsAreAskedForWithoutTheirKeysAndStages(t *testing.T) {
	t.Parallel()
	const plain = "arn:aws:secretsmanager:us-east-1:1:secret:db-AbCdEf"
	for _, from := range []string{plain, plain + ":user::", plain + ":user:AWSCURRENT:", plain + ":::7"} {
		if got := secretARN(from); got != plain {
			t.Errorf("%s is secret %s", from, got)
		}
	}
}

// shelf is registries with some images.
type shelf map[string]struct {
	platforms []string
	err       error
}

func (s shelf) Platforms(_ context.Context, name string) ([]string, error) {
	found, ok := s[name]
	if !ok {
		return nil, fault.New(fault.NotFound, "no image %s", name)
	}
	return found.platforms, found.err
}

func TestImagesAreVerifiedAgainstWhatTheirTasksRunOn(t *testing.T) {
	t.Parallel()
	images := shelf{
		"amd":    {platforms: []string{"linux/amd64"}},
		"arm":    {platforms: []string{"linux/arm64"}},
		"both":   {platforms: []string{"linux/amd64", "linux/arm64"}},
		"silent": {},
		"secret": {err: fault.New(fault.Denied, "log in")},
		"slow":   {err: fault.New(fault.Unavailable, "no answer")},
	}
	for name, tc := range map[string]struct {
		image, service, runtime, extra string
		want                           []rollout.FindingKind
	}{
		"Fargate is X86_64":                         {image: "amd", service: `{"launchType":"FARGATE"}`},
		"Fargate is X86_64, and the image is not":   {image: "arm", service: `{"launchType":"FARGATE"}`, want: []rollout.FindingKind{rollout.Problem}},
		"a provider of Fargate":                     {image: "arm", service: `{"capacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT"}]}`, want: []rollout.FindingKind{rollout.Problem}},
		"ARM64 is asked for":                        {image: "arm", service: `{"launchType":"FARGATE"}`, runtime: `{"cpuArchitecture":"ARM64"}`},
		"ARM64 is asked for, and the image is not":  {image: "amd", service: `{}`, runtime: `{"cpuArchitecture":"ARM64"}`, want: []rollout.FindingKind{rollout.Problem}},
		"an index with both":                        {image: "both", service: `{"launchType":"FARGATE"}`},
		"Windows is asked for":                      {image: "amd", service: `{"launchType":"FARGATE"}`, runtime: `{"operatingSystemFamily":"WINDOWS_SERVER_2022_CORE"}`, want: []rollout.FindingKind{rollout.Problem}},
		"an image that does not say":                {image: "silent", service: `{"launchType":"FARGATE"}`},
		"no image":                                  {image: "never", service: `{"launchType":"FARGATE"}`, want: []rollout.FindingKind{rollout.Problem}},
		"the registry wants other credentials":      {image: "secret", service: `{"launchType":"FARGATE"}`, want: []rollout.FindingKind{rollout.NotVerified}},
		"a registry that cannot be reached from us": {image: "slow", service: `{"launchType":"FARGATE"}`, want: []rollout.FindingKind{rollout.NotVerified}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			task := `{"family":"web","containerDefinitions":[{"name":"web","image":"` + tc.image + `"}]`
			if tc.runtime != "" {
				task += `,"runtimePlatform":` + tc.runtime
			}
			target := at("http://127.0.0.1:1")
			target.images = images
			v := &verification{target: target, want: rollout.Desired{Ref: rollout.ServiceRef{Wanted: rollout.Documents{
				descriptor.TaskDefinition: []byte(task + "}"), descriptor.ServiceDefinition: []byte(tc.service),
			}}}}
			if err := v.read(); err != nil {
				t.Fatal(err)
			}
			if err := v.overlay(); err != nil {
				t.Fatal(err)
			}
			for _, check := range v.images() {
				check(t.Context())
			}
			var got []rollout.FindingKind
			for _, f := range v.found {
				got = append(got, f.Kind)
				if f.Path != "containerDefinitions[0].image" {
					t.Errorf("it is said of %q", f.Path)
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("found %+v, want %v", v.found, tc.want)
			}
		})
	}
}

// TestAnEndpointThatIsNotThereIsOneProblem: what all depends on is asked first, so that the rest need not say the same again.
func TestAnEndpointThatIsNotThereIsOneProblem(t *testing.T) {
	t.Parallel()
	found := at("http://127.0.0.1:1").Verify(t.Context(), rollout.Desired{Ref: rollout.ServiceRef{Cluster: "qa", Service: "web", Wanted: rollout.Documents{
		descriptor.TaskDefinition: []byte(`{"family":"web"}`),
	}}})
	if len(found) != 1 || found[0].Kind != rollout.Problem {
		t.Errorf("found %+v", found)
	}
}

// TestVerifySaysWhatItWasNotAllowedToSee has AWS refuse everything but to describe cluster and service.
func TestVerifySaysWhatItWasNotAllowedToSee(t *testing.T) {
	t.Parallel()
	r, target := record(t, map[string]string{"DescribeServices": `{"services":[]}`, "DescribeClusters": `{"clusters":[{"status":"ACTIVE"}]}`})
	r.refusedAll = "AccessDeniedException"
	found := target.Verify(t.Context(), rollout.Desired{Ref: rollout.ServiceRef{Cluster: "qa", Service: "web", Wanted: rollout.Documents{
		descriptor.TaskDefinition:    []byte(`{"family":"web","containerDefinitions":[{"name":"web","image":"web:1","secrets":[{"name":"A","valueFrom":"/a"}]}]}`),
		descriptor.ServiceDefinition: []byte(`{"desiredCount":1}`),
	}}})
	subjects := map[string]bool{}
	for _, f := range found {
		if f.Kind != rollout.NotVerified {
			t.Errorf("found %+v", f)
		}
		subjects[f.Subject] = true
	}
	if got := slices.Sorted(maps.Keys(subjects)); !slices.Equal(got, []string{"cluster qa", "image web:1", "parameter /a", "the caller's rights"}) {
		t.Errorf("told of %q: %+v", got, found)
	}
}
