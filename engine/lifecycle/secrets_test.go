package lifecycle

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	secrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	ssm "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

const dbARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:db-AbCdEf"

// vault puts a secret with two versions and a parameter.
func vault(tx *state.Tx) {
	tx.Put(&state.Secret{Name: "db", Doc: secrets.SecretListEntry{ARN: aws.String(dbARN)}, Versions: []state.SecretVersion{
		{ID: "v1", Stages: []string{"AWSPREVIOUS"}, Text: aws.String(`{"user":"old"}`)},
		{ID: "v2", Stages: []string{"AWSCURRENT"}, Text: aws.String(`{"user":"root","port":5432}`)},
	}})
	tx.Put(&state.Secret{Name: "plain", Doc: secrets.SecretListEntry{ARN: aws.String(dbARN[:len(dbARN)-9] + "plain-AbCdEf")}, Versions: []state.SecretVersion{
		{ID: "v1", Stages: []string{"AWSCURRENT"}, Text: aws.String("hunter2")},
	}})
	tx.Put(&state.Parameter{Name: "/web/url", ARN: "arn:aws:ssm:us-east-1:000000000000:parameter/web/url", History: []ssm.ParameterHistory{
		{Version: 1, Value: aws.String("first")}, {Version: 2, Value: aws.String("second")},
	}})
}

func TestSecretsAreTakenFromWhereTheyAreNamed(t *testing.T) {
	t.Parallel()
	db := state.New(nil)
	if err := db.Write(func(tx *state.Tx) error { vault(tx); return nil }); err != nil {
		t.Fatal(err)
	}
	plain := dbARN[:len(dbARN)-9] + "plain-AbCdEf"
	for from, want := range map[string]string{
		dbARN:                        `{"user":"root","port":5432}`,
		dbARN[:len(dbARN)-7]:         `{"user":"root","port":5432}`,
		dbARN + ":user::":            "root",
		dbARN + ":port::":            "5432",
		dbARN + ":user:AWSPREVIOUS:": "old",
		dbARN + ":user::v1":          "old",
		plain:                        "hunter2",
		"/web/url":                   "second",
		"/web/url:1":                 "first",
		"arn:aws:ssm:us-east-1:000000000000:parameter/web/url": "second",

		dbARN + "x":                "failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret " + dbARN + "x from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
		dbARN + ":password::":      "failed: unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets Manager did not contain json key password",
		plain + ":password::":      "failed: unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets Manager is no JSON object, so it has no json key password",
		dbARN + ":user:CANDIDATE:": "failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret " + dbARN + " from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: CANDIDATE",
		"/web/key":                 "failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /web/key",
		"arn:aws:ssm:us-east-1:000000000000:parameter/web/key": "failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /web/key",
	} {
		got, err := secret(db.Read(), from)
		if err != nil {
			got = "failed: " + err.Error()
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", from, got, want)
		}
	}
}

func withSecret(name, from string) func(*types.ContainerDefinition) {
	return func(d *types.ContainerDefinition) {
		d.Secrets = append(d.Secrets, types.Secret{Name: &name, ValueFrom: &from})
	}
}

func withFiles(arns ...string) func(*types.ContainerDefinition) {
	return func(d *types.ContainerDefinition) {
		for _, arn := range arns {
			d.EnvironmentFiles = append(d.EnvironmentFiles, types.EnvironmentFile{Type: types.EnvironmentFileTypeS3, Value: &arn})
		}
	}
}

func TestAContainerGetsItsSecretsAndEnvironmentFiles(t *testing.T) {
	f := newFake(map[string]program{"app": {}})
	f.objects = map[string]string{
		"settings/a.env": "# a comment\nA=from a\nB=x=y\n\nEMPTY=\n=nothing\nno line\nQUOTED=\"q\"\r\n",
		"settings/b.env": "A=from b\nC=from b\nD=from b",
	}
	app := container("app", both(withSecret("PASSWORD", dbARN+":user::"), withFiles("arn:aws:s3:::settings/a.env", "arn:aws:s3:::settings/b.env"),
		func(d *types.ContainerDefinition) {
			d.Environment = []types.KeyValuePair{{Name: aws.String("D"), Value: aws.String("definition")}}
		}))
	inBubble(t, f, []types.ContainerDefinition{app}, func(t *testing.T, h *house) {
		h.write(vault)
		h.run()
		waitFor(t, h, state.Running)
		want := []string{"A=from a", "AWS_EXECUTION_ENV=AWS_ECS_EC2", "B=x=y", "C=from b", "D=definition", "PASSWORD=root", `QUOTED="q"`}
		if diff := cmp.Diff(want, f.containers[Name(theTask, "app")].spec.Env); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnOverrideTakesThePlaceOfEnvironmentFiles(t *testing.T) {
	f := newFake(map[string]program{"app": {}})
	f.objects = map[string]string{"settings/a.env": "A=1", "settings/b.env": "B=2"}
	inBubble(t, f, []types.ContainerDefinition{container("app", withFiles("arn:aws:s3:::settings/a.env"))}, func(t *testing.T, h *house) {
		h.run(func(t *state.Task) {
			t.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{
				Name: aws.String("app"), EnvironmentFiles: []types.EnvironmentFile{{Type: types.EnvironmentFileTypeS3, Value: aws.String("arn:aws:s3:::settings/b.env")}},
			}}}
		})
		waitFor(t, h, state.Running)
		if diff := cmp.Diff([]string{"AWS_EXECUTION_ENV=AWS_ECS_EC2", "B=2"}, f.containers[Name(theTask, "app")].spec.Env); diff != "" {
			t.Error(diff)
		}
	})
}

func TestATaskWithoutWhatItsContainersTakeFromElsewhereDoesNotStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*types.ContainerDefinition)
		want   string
	}{
		"secret":           {withSecret("A", dbARN+"x"), "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: "},
		"parameter":        {withSecret("A", "nothing"), "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secrets from ssm: "},
		"file":             {withFiles("arn:aws:s3:::settings/nothing.env"), "ResourceInitializationError: failed to download env files: file download command: non empty error stream: "},
		"no ARN of a file": {withFiles("settings"), "ResourceInitializationError: failed to download env files: unable to parse bucket and key"},
		"log driver's secret": {func(d *types.ContainerDefinition) {
			d.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverJsonFile, SecretOptions: []types.Secret{{Name: aws.String("t"), ValueFrom: aws.String("nothing")}}}
		}, "ResourceInitializationError: unable to pull secrets"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(map[string]program{"app": {}, "side": {}})
			inBubble(t, f, []types.ContainerDefinition{container("app", nil), container("side", both(optional, c.change))}, func(t *testing.T, h *house) {
				h.run()
				waitFor(t, h, state.Stopped)
				task := h.task()
				if task.StopCode != types.TaskStopCodeTaskFailedToStart || !strings.HasPrefix(task.StoppedReason, c.want) {
					t.Errorf("%s %q", task.StopCode, task.StoppedReason)
				}
				if len(f.pulls)+len(f.told()) > 0 || !task.StartedAt.IsZero() {
					t.Errorf("pulled %v, %v", f.pulls, f.told())
				}
			})
		})
	}
}

func (f *fake) object(bucket, key string, _ int64) ([]byte, error) {
	content, ok := f.objects[bucket+"/"+key]
	if !ok {
		return nil, fault.New(fault.NotFound, "no object %s/%s", bucket, key)
	}
	return []byte(content), nil
}

func TestContainersAreToldWhereTheirMetadataAndCredentialsAre(t *testing.T) {
	t.Parallel()
	id := MetadataID(theTask, "app")
	for name, c := range map[string]struct {
		base, role, override string
		mode                 types.NetworkMode
		want                 []string
	}{
		"out of reach":      {base: "", role: "arn:role"},
		"no network":        {base: awsMetadata, role: "arn:role", mode: types.NetworkModeNone},
		"no role":           {base: awsMetadata, want: []string{"ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/" + id}},
		"role, AWS's place": {base: awsMetadata, role: "arn:role", want: []string{"ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/" + id, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/" + string(theTask)}},
		"role, other port":  {base: awsMetadata + ":99", override: "arn:role", want: []string{"ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2:99/v4/" + id, "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.2:99/v2/credentials/" + string(theTask)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			task := &state.Task{ID: theTask}
			if c.override != "" {
				task.Overrides = &types.TaskOverride{TaskRoleArn: &c.override}
			}
			d := &state.TaskDefinition{Doc: types.TaskDefinition{NetworkMode: c.mode}}
			if c.role != "" {
				d.Doc.TaskRoleArn = &c.role
			}
			w := &work{Keeper: &Keeper{Config: Config{Metadata: func(types.NetworkMode) string { return c.base }}}, task: task, definition: d}
			if diff := cmp.Diff(c.want, w.metadata("app")); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := withMetadata([]string{"A=1"}, []string{"A=2", "B=3"}); cmp.Diff([]string{"A=1", "B=3"}, got) != "" {
		t.Errorf("%q", got)
	}
}
