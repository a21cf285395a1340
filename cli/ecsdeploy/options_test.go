package ecsdeploy

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// reads is what each spelling of each flag sets.
var reads = map[string]struct {
	value string
	want  options
}{
	"k":                         {"AKIA", options{accessKey: "AKIA"}},
	"aws-access-key":            {"AKIA", options{accessKey: "AKIA"}},
	"s":                         {"x", options{secretKey: "x"}},
	"aws-secret-key":            {"x", options{secretKey: "x"}},
	"r":                         {"eu-central-1", options{region: "eu-central-1"}},
	"region":                    {"eu-central-1", options{region: "eu-central-1"}},
	"p":                         {"ci", options{profile: "ci"}},
	"profile":                   {"ci", options{profile: "ci"}},
	"a":                         {"arn:r", options{role: "arn:r"}},
	"aws-assume-role":           {"arn:r", options{role: "arn:r"}},
	"aws-instance-profile":      {"", options{instanceProfile: true}},
	"c":                         {"qa", options{cluster: "qa"}},
	"cluster":                   {"qa", options{cluster: "qa"}},
	"n":                         {"web", options{service: "web"}},
	"service-name":              {"web", options{service: "web"}},
	"d":                         {"web:7", options{taskDefinition: "web:7"}},
	"task-definition":           {"web:7", options{taskDefinition: "web:7"}},
	"i":                         {"web:1", options{image: "web:1", imageGiven: true}},
	"image":                     {"web:1", options{image: "web:1", imageGiven: true}},
	"t":                         {"300", options{timeout: 300 * time.Second}},
	"timeout":                   {"300", options{timeout: 300 * time.Second}},
	"m":                         {"50", options{min: new(50)}},
	"min":                       {"50", options{min: new(50)}},
	"M":                         {"200", options{max: new(200)}},
	"max":                       {"200", options{max: new(200)}},
	"D":                         {"0", options{desired: new(0)}},
	"desired-count":             {"3", options{desired: new(3)}},
	"e":                         {"TAG", options{tagVariable: "TAG"}},
	"tag-env-var":               {"TAG", options{tagVariable: "TAG"}},
	"to":                        {"1.2", options{tagOnly: "1.2"}},
	"tag-only":                  {"1.2", options{tagOnly: "1.2"}},
	"max-definitions":           {"10", options{maxDefinitions: "10"}},
	"task-definition-file":      {"f.json", options{file: "f.json"}},
	"enable-rollback":           {"", options{rollback: true}},
	"use-latest-task-def":       {"", options{useLatest: true}},
	"force-new-deployment":      {"", options{force: true}},
	"skip-deployments-check":    {"", options{skipCheck: true}},
	"run-task":                  {"", options{runTask: true}},
	"wait-for-success":          {"", options{wait: true}},
	"launch-type":               {"FARGATE", options{launchType: "FARGATE"}},
	"platform-version":          {"1.4.0", options{platformVersion: "1.4.0"}},
	"network-configuration":     {"{}", options{network: "{}"}},
	"copy-task-definition-tags": {"", options{copyTags: true}},
	"v":                         {"", options{verbose: true}},
	"verbose":                   {"", options{verbose: true}},
	"version":                   {"", options{version: true}},
	"h":                         {"", options{help: true}},
	"help":                      {"", options{help: true}},
}

func TestEverySpellingOfEveryFlagIsRead(t *testing.T) {
	t.Parallel()
	for _, f := range Flags {
		for _, spelling := range f.Spellings() {
			c, ok := reads[strings.TrimLeft(spelling, "-")]
			if !ok {
				t.Errorf("%s is not in the table", spelling)
				continue
			}
			args, want := []string{spelling}, c.want
			if f.Value != "" {
				args = append(args, c.value)
			}
			if want.timeout == 0 {
				want.timeout = 90 * time.Second
			}
			if want.maxDefinitions == "" {
				want.maxDefinitions = "0"
			}
			got, err := parse(args)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{})); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", spelling, err, diff)
			}
		}
	}
	spellings := 0
	for _, f := range Flags {
		spellings += len(f.Spellings())
	}
	if spellings != len(reads) {
		t.Errorf("%d spellings are read, the table has %d", spellings, len(reads))
	}
}

func TestArgumentsAreReadAsTheScriptDoes(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"", "-c", "qa", "", "-n", "web", "-c", "production", "-i", "", ""})
	if err != nil || o.cluster != "production" || o.service != "web" || !o.imageGiven || o.image != "" {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestEveryMistakeHasItsExitCode holds the codes against the script's page. What is wrong first, decides.
func TestEveryMistakeHasItsExitCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, args string
		want       int
		says       string
	}{
		{"no argument", "", 3, "no arguments"},
		{"unknown word", "web", 3, `unknown argument "web"`},
		{"unknown flag", "-c qa -n web -x", 3, `unknown argument "-x"`},
		{"flag=value", "--cluster=qa", 3, `unknown argument "--cluster=qa"`},
		{"no value", "-c", 3, "-c needs a value: NAME"},
		{"timeout", "-t soon", 3, `-t: "soon" is not a number`},
		{"desired count", "-D -1", 3, `-D: "-1" is not a number`},
		{"neither", "-i app:1", 5, "one of -n"},
		{"both", "-n web -d web -i app:1", 6, "only one of -n"},
		{"neither goes before no image", "-c qa", 5, "one of -n"},
		{"no cluster", "-n web -i app:1", 7, "a service needs its cluster: -c"},
		{"no cluster goes before no image", "-n web", 7, "-c"},
		{"no image", "-c qa -n web", 8, "an image is needed: -i"},
		{"no image with only a tag", "-c qa -n web -to 2", 8, "an image is needed: -i"},
		{"no image goes before definitions", "-d web --max-definitions x", 8, "-i"},
		{"definitions", "-d web -i app --max-definitions x", 9, `"x" is not a number`},
		{"definitions below zero", "-d web -i app --max-definitions -1", 9, `"-1" is not a number`},
		{"launch type", "-d web -i app --launch-type EC2 --wait-for-success", 10, "--launch-type is only for --run-task"},
		{"network", "-d web -i app --network-configuration x --platform-version 1", 11, "--network-configuration is only for --run-task"},
		{"wait", "-d web -i app --wait-for-success --platform-version 1", 11, "--wait-for-success is only for --run-task"},
		{"platform", "-d web -i _app --platform-version 1", 12, "--platform-version is only for --run-task"},
		{"image", "-d web -i _app", 13, `"_app" is not an image reference`},
		{"tag and digest", "-d web -i app:1@" + sum, 13, "has a tag and a digest"},
		{"variable", "-d web -i app -e NO_SUCH_TAG", 1, "the environment variable NO_SUCH_TAG is not set"},
		{"force without a service", "-d web --force-new-deployment", 1, "--force-new-deployment is only for a service"},
		{"one key", "-d web -i app -r us-east-1 -k AKIA", 1, "only one is given"},
		{"version", "--version", 0, ""},
		{"help", "--help", 0, ""},
		{"short help", "-h", 0, ""},
	} {
		var out, talk bytes.Buffer
		p := &Program{Name: "ecs-deploy", Version: "1.2.3", Out: &out, Err: &talk, Environ: []string{"AWS_REGION=us-east-1"}}
		if got := Main(t.Context(), p, strings.Fields(c.args)); got != c.want || !strings.Contains(talk.String(), c.says) {
			t.Errorf("%s: exit code %d, want %d with %q, said:\n%s", c.name, got, c.want, c.says, &talk)
		}
		if told := strings.Contains(talk.String(), "Usage:"); told != (c.want == exitArguments) {
			t.Errorf("%s: the usage was told: %t", c.name, told)
		}
		if c.want == exitDone && out.Len() == 0 {
			t.Errorf("%s: nothing was written", c.name)
		}
	}
}

func TestFlagsThatDoNothingAreTold(t *testing.T) {
	t.Parallel()
	o, err := parse(strings.Fields("-n web --run-task --aws-instance-profile -to 1 -e TAG"))
	if err != nil || len(o.unused()) != 3 {
		t.Errorf("%v, %v", o.unused(), err)
	}
	o, err = parse(strings.Fields("-d web --enable-rollback --max-definitions 3"))
	if err != nil || len(o.unused()) != 2 {
		t.Errorf("%v, %v", o.unused(), err)
	}
}

func TestKeysOfBothPlacesGoTogether(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o       options
		environ []string
		want    string
	}{
		"flags":                     {options{accessKey: "k", secretKey: "s"}, nil, "k s "},
		"one of them":               {options{secretKey: "s"}, []string{"AWS_ACCESS_KEY_ID=ek"}, "ek s "},
		"a session's token":         {options{accessKey: "k", secretKey: "s"}, []string{"AWS_SESSION_TOKEN=t"}, "k s t"},
		"another key's token":       {options{accessKey: "k", secretKey: "s"}, []string{"AWS_ACCESS_KEY_ID=ek", "AWS_SESSION_TOKEN=t"}, "k s "},
		"the other one is nowhere":  {options{accessKey: "k"}, nil, ""},
		"the environment's own key": {options{accessKey: "ek", secretKey: "s"}, []string{"AWS_ACCESS_KEY_ID=ek", "AWS_SESSION_TOKEN=t"}, "ek s t"},
	} {
		provider, err := (&Program{Environ: c.environ}).keys(c.o)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := provider.Retrieve(t.Context())
		if text := got.AccessKeyID + " " + got.SecretAccessKey + " " + got.SessionToken; text != c.want || err != nil {
			t.Errorf("%s: %q, want %q (%v)", name, text, c.want, err)
		}
	}
}

func TestMisuseIsAnError(t *testing.T) {
	t.Parallel()
	if m, ok := errors.AsType[*misuse](wrong(9, "no %s", "number")); !ok || m.Error() != "no number" {
		t.Error(m)
	}
}
