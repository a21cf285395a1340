package descriptor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

// differences compares and returns one line per difference.
func differences(t *testing.T, kind Kind, want, have string) []string {
	t.Helper()
	found, err := Compare(kind, []byte(want), []byte(have))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, d := range found {
		lines = append(lines, d.String())
	}
	return lines
}

// container is a task definition with one container that has these members too.
func container(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"family":"web","containerDefinitions":[{"name":"c","image":"i","memory":256` + members + `}]}`
}

// task is a task definition with these members too.
func taskWith(members string) string {
	return strings.Replace(container(""), "{", "{"+members+",", 1)
}

func TestCompareTaskDefinitionsThatAreTheSame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ want, have string }{
		"what AWS fills into a container": {
			container(""),
			container(`"cpu":0,"essential":true,"environment":[],"mountPoints":[],"portMappings":[],"volumesFrom":[],"systemControls":[]`),
		},
		"what only AWS writes": {
			container(""),
			taskWith(`"taskDefinitionArn":"arn:aws:ecs:us-east-1:1:task-definition/web:7","revision":7,"status":"ACTIVE",
				"requiresAttributes":[{"name":"com.amazonaws.ecs.capability.docker-remote-api.1.18"}],
				"compatibilities":["EXTERNAL","EC2"],"registeredAt":1783015901.408,"registeredBy":"arn:aws:iam::1:user/x",
				"volumes":[],"placementConstraints":[],"enableFaultInjection":false`),
		},
		"protocol and host port of a mapping": {
			container(`"portMappings":[{"containerPort":8080}]`),
			container(`"portMappings":[{"containerPort":8080,"hostPort":0,"protocol":"tcp"}]`),
		},
		"host port in awsvpc": {
			strings.Replace(container(`"portMappings":[{"containerPort":8080}]`), "{", `{"networkMode":"awsvpc",`, 1),
			strings.Replace(container(`"portMappings":[{"containerPort":8080,"hostPort":8080,"protocol":"tcp"}]`), "{", `{"networkMode":"awsvpc",`, 1),
		},
		"order of environment and secrets": {
			container(`"environment":[{"name":"A","value":"1"},{"name":"B","value":"2"}],"secrets":[{"name":"S","valueFrom":"x"},{"name":"T","valueFrom":"y"}]`),
			container(`"environment":[{"name":"B","value":"2"},{"name":"A","value":"1"}],"secrets":[{"name":"T","valueFrom":"y"},{"name":"S","valueFrom":"x"}]`),
		},
		"order of mappings of one port": {
			container(`"portMappings":[{"containerPort":80,"hostPort":1},{"containerPort":80,"hostPort":2}]`),
			container(`"portMappings":[{"containerPort":80,"hostPort":2},{"containerPort":80,"hostPort":1}]`),
		},
		"vCPU and GB": {taskWith(`"cpu":"1 vCPU","memory":"2GB"`), taskWith(`"cpu":"1024","memory":"2048"`)},
		"half a vCPU": {taskWith(`"cpu":".5 vcpu","memory":"0.5 GB"`), taskWith(`"cpu":"512","memory":"512"`)},
		"health check's defaults": {
			container(`"healthCheck":{"command":["CMD","x"]}`),
			container(`"healthCheck":{"command":["CMD","x"],"interval":30,"timeout":5,"retries":3}`),
		},
		"role by name and by ARN": {
			taskWith(`"executionRoleArn":"deployer"`), taskWith(`"executionRoleArn":"arn:aws:iam::1:role/path/deployer"`),
		},
		"network mode bridge":      {container(""), taskWith(`"networkMode":"bridge"`)},
		"an empty environment":     {container(`"environment":[]`), container("")},
		"empty value":              {container(`"environment":[{"name":"A","value":""}]`), container(`"environment":[{"name":"A"}]`)},
		"empty host of a volume":   {taskWith(`"volumes":[{"name":"v"}]`), taskWith(`"volumes":[{"name":"v","host":{}}]`)},
		"false is nothing":         {container(`"privileged":false,"readonlyRootFilesystem":false`), container("")},
		"EFS defaults":             {taskWith(`"volumes":[{"name":"v","efsVolumeConfiguration":{"fileSystemId":"fs-1"}}]`), taskWith(`"volumes":[{"name":"v","host":{},"efsVolumeConfiguration":{"fileSystemId":"fs-1","rootDirectory":"/"}}]`)},
		"tags that were not asked": {taskWith(`"tags":[{"key":"team","value":"x"}]`), container("")},
		"tags of AWS itself":       {taskWith(`"tags":[{"key":"team","value":"x"}]`), taskWith(`"tags":[{"key":"aws:cloudformation:stack-id","value":"s"},{"key":"team","value":"x"}]`)},
		"compatibilities' order":   {taskWith(`"requiresCompatibilities":["EC2","FARGATE"]`), taskWith(`"requiresCompatibilities":["FARGATE","EC2"]`)},
		"null is nothing":          {container(`"command":null`), container("")},
		"numbers by their worth":   {container(`"ulimits":[{"name":"nofile","softLimit":1e3,"hardLimit":1000}]`), container(`"ulimits":[{"name":"nofile","softLimit":1000,"hardLimit":1000}]`)},
	} {
		if found := differences(t, TaskDefinition, c.want, c.have); len(found) > 0 {
			t.Errorf("%s: %q", name, found)
		}
		if found := differences(t, TaskDefinition, c.have, c.want); len(found) > 0 && !strings.HasPrefix(name, "tags") {
			t.Errorf("%s, the other way round: %q", name, found)
		}
	}
}

func TestCompareTaskDefinitionsThatDiffer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		want, have string
		expect     []string
	}{
		"image": {
			container(""), strings.Replace(container(""), `"i"`, `"j"`, 1),
			[]string{`containerDefinitions[c].image: "j" becomes "i"`},
		},
		"a variable changed, one came, one went": {
			container(`"environment":[{"name":"A","value":"1"},{"name":"N","value":"new"}]`),
			container(`"environment":[{"name":"A","value":"2"},{"name":"O","value":"old"}]`),
			[]string{
				`containerDefinitions[c].environment[A].value: "2" becomes "1"`,
				`containerDefinitions[c].environment[N]: {"name":"N","value":"new"} is to come`,
				`containerDefinitions[c].environment[O]: {"name":"O","value":"old"} is to go`,
			},
		},
		"what is left out is to go": {
			container(""), container(`"command":["x"],"dockerLabels":{"a":"b"},"user":"root"`),
			[]string{
				`containerDefinitions[c].command: ["x"] is to go`,
				`containerDefinitions[c].dockerLabels: {"a":"b"} is to go`,
				`containerDefinitions[c].user: "root" is to go`,
			},
		},
		"order of a command":     {container(`"command":["a","b"]`), container(`"command":["b","a"]`), []string{`containerDefinitions[c].command[0]: "b" becomes "a"`, `containerDefinitions[c].command[1]: "a" becomes "b"`}},
		"an empty label":         {container(`"dockerLabels":{"a":""}`), container(""), []string{`containerDefinitions[c].dockerLabels: {"a":""} is to come`}},
		"a label":                {container(`"dockerLabels":{"a":"1"}`), container(`"dockerLabels":{"a":"2","b":"3"}`), []string{`containerDefinitions[c].dockerLabels.a: "2" becomes "1"`, `containerDefinitions[c].dockerLabels.b: "3" is to go`}},
		"no longer essential":    {container(`"essential":false`), container(`"essential":true`), []string{`containerDefinitions[c].essential: true becomes false`}},
		"essential again":        {container(""), container(`"essential":false`), []string{`containerDefinitions[c].essential: false becomes true`}},
		"memory":                 {container(""), strings.Replace(container(""), "256", "512", 1), []string{`containerDefinitions[c].memory: 512 becomes 256`}},
		"host port":              {container(`"portMappings":[{"containerPort":80,"hostPort":1234}]`), container(`"portMappings":[{"containerPort":80,"hostPort":0,"protocol":"tcp"}]`), []string{`containerDefinitions[c].portMappings[80,tcp].hostPort: 1234 is to come`}},
		"protocol":               {container(`"portMappings":[{"containerPort":80,"protocol":"udp"}]`), container(`"portMappings":[{"containerPort":80}]`), []string{`containerDefinitions[c].portMappings[80,tcp]: {"containerPort":80,"protocol":"tcp"} is to go`, `containerDefinitions[c].portMappings[80,udp]: {"containerPort":80,"protocol":"udp"} is to come`}},
		"health check's default": {container(`"healthCheck":{"command":["CMD","x"]}`), container(`"healthCheck":{"command":["CMD","x"],"interval":60}`), []string{`containerDefinitions[c].healthCheck.interval: 60 is to go`}},
		"swappiness 0":           {container(`"linuxParameters":{"swappiness":0}`), container(""), []string{`containerDefinitions[c].linuxParameters: {"swappiness":0} is to come`}},
		"network mode":           {taskWith(`"networkMode":"host"`), container(""), []string{`networkMode: "host" is to come`}},
		"task size":              {taskWith(`"cpu":"1 vCPU"`), taskWith(`"cpu":"512"`), []string{`cpu: "512" becomes "1024"`}},
		"a tag":                  {container(""), taskWith(`"tags":[{"key":"team","value":"x"}]`), []string{`tags: [{"key":"team","value":"x"}] is to go`}},
		"a member of tomorrow":   {container(`"newMember":{"x":1}`), container(""), []string{`containerDefinitions[c].newMember: {"x":1} is to come`}},
	} {
		if diff := cmp.Diff(c.expect, differences(t, TaskDefinition, c.want, c.have)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// described is a service as DescribeServices answers, with the user's template in force.
const describedExample = `{
	"serviceArn":"arn:aws:ecs:us-east-1:1:service/default/hid-generator","serviceName":"hid-generator",
	"clusterArn":"arn:aws:ecs:us-east-1:1:cluster/default","loadBalancers":[{"loadBalancerName":"hid-generator","containerName":"hid-generator","containerPort":8080}],
	"serviceRegistries":[],"status":"ACTIVE","desiredCount":2,"runningCount":2,"pendingCount":0,"launchType":"EC2",
	"taskDefinition":"arn:aws:ecs:us-east-1:1:task-definition/hid-generator:7",
	"deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":false,"rollback":false},"maximumPercent":200,"minimumHealthyPercent":25,"strategy":"ROLLING","bakeTimeInMinutes":0},
	"deployments":[{"id":"ecs-svc/2","status":"ACTIVE","volumeConfigurations":[{"name":"old"}]},{"id":"ecs-svc/1","status":"PRIMARY","volumeConfigurations":[{"name":"v"}]}],
	"roleArn":"arn:aws:iam::1:role/ecsServiceRole","events":[],"createdAt":1783015901.4,"placementConstraints":[],"placementStrategy":[{"type":"spread","field":"instanceId"}],
	"schedulingStrategy":"REPLICA","deploymentController":{"type":"ECS"},"createdBy":"x","enableECSManagedTags":false,
	"propagateTags":"SERVICE","enableExecuteCommand":true,
	"networkConfiguration":{"awsvpcConfiguration":{"subnets":["s-2","s-1"],"securityGroups":[],"assignPublicIp":"ENABLED"}}}`

func TestCompareServices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		want   string
		expect []string
	}{
		"the user's service update": {`{"cluster":"default","service":"hid-generator","desiredCount":2,"taskDefinition":"hid-generator",
			"deploymentConfiguration":{"maximumPercent":200,"minimumHealthyPercent":25}}`, nil},
		"the user's service definition": {`{"cluster":"default","serviceName":"hid-generator","taskDefinition":"hid-generator",
			"loadBalancers":[{"loadBalancerName":"hid-generator","containerName":"hid-generator","containerPort":8080}],
			"desiredCount":2,"clientToken":"x","role":"ecsServiceRole","deploymentConfiguration":{"maximumPercent":200,"minimumHealthyPercent":25}}`, nil},
		"family and revision":      {`{"taskDefinition":"hid-generator:7"}`, nil},
		"whole ARN":                {`{"taskDefinition":"arn:aws:ecs:us-east-1:1:task-definition/hid-generator:7"}`, nil},
		"other revision":           {`{"taskDefinition":"hid-generator:8"}`, []string{`taskDefinition: "hid-generator:7" becomes "hid-generator:8"`}},
		"other family":             {`{"taskDefinition":"other"}`, []string{`taskDefinition: "hid-generator" becomes "other"`}},
		"count":                    {`{"desiredCount":0}`, []string{`desiredCount: 2 becomes 0`}},
		"percentages":              {`{"deploymentConfiguration":{"maximumPercent":150}}`, []string{`deploymentConfiguration.maximumPercent: 200 becomes 150`}},
		"defaults stated":          {`{"schedulingStrategy":"REPLICA","deploymentController":{"type":"ECS"},"healthCheckGracePeriodSeconds":0,"serviceRegistries":[],"enableECSManagedTags":false,"platformVersion":"LATEST"}`, nil},
		"a default that is not":    {`{"propagateTags":"NONE","enableExecuteCommand":false}`, []string{`enableExecuteCommand: true becomes false`, `propagateTags: "SERVICE" becomes "NONE"`}},
		"no load balancers":        {`{"loadBalancers":[]}`, []string{`loadBalancers[hid-generator,hid-generator,8080]: {"containerName":"hid-generator","containerPort":8080,"loadBalancerName":"hid-generator"} is to go`}},
		"grace period":             {`{"healthCheckGracePeriodSeconds":60}`, []string{`healthCheckGracePeriodSeconds: 60 is to come`}},
		"force alone":              {`{"service":"hid-generator","forceNewDeployment":true}`, nil},
		"subnets in another order": {`{"networkConfiguration":{"awsvpcConfiguration":{"subnets":["s-1","s-2"],"assignPublicIp":"ENABLED"}}}`, nil},
		"public addresses":         {`{"networkConfiguration":{"awsvpcConfiguration":{"subnets":["s-1","s-2"],"assignPublicIp":"DISABLED"}}}`, []string{`networkConfiguration.awsvpcConfiguration.assignPublicIp: "ENABLED" becomes "DISABLED"`}},
		"a subnet":                 {`{"networkConfiguration":{"awsvpcConfiguration":{"subnets":["s-1"]}}}`, []string{`networkConfiguration.awsvpcConfiguration.subnets[s-2]: "s-2" is to go`}},
		"placement by host":        {`{"placementStrategy":[{"type":"spread","field":"host"}]}`, nil},
		"volumes of the primary":   {`{"volumeConfigurations":[{"name":"v"}]}`, nil},
		"breaker":                  {`{"deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":true,"rollback":true}}}`, []string{`deploymentConfiguration.deploymentCircuitBreaker.enable: false becomes true`, `deploymentConfiguration.deploymentCircuitBreaker.rollback: false becomes true`}},
		"tags not described":       {`{"tags":[{"key":"a","value":"b"}]}`, nil},
		"other role":               {`{"role":"other"}`, []string{`role: "ecsServiceRole" becomes "other"`}},
		"cluster by ARN":           {`{"cluster":"arn:aws:ecs:us-east-1:1:cluster/default","service":"arn:aws:ecs:us-east-1:1:service/default/hid-generator"}`, nil},
	} {
		if diff := cmp.Diff(c.expect, differences(t, ServiceUpdate, c.want, describedExample)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCompareNeedsObjects(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{{"", "{}"}, {"{}", "[]"}, {"null", "{}"}, {"{}", "{"}} {
		if _, err := Compare(TaskDefinition, []byte(c[0]), []byte(c[1])); err == nil {
			t.Errorf("Compare(%q, %q) succeeded", c[0], c[1])
		}
	}
}

func TestEncodeWritesWhatAWSSends(t *testing.T) {
	t.Parallel()
	got, err := Encode(&types.TaskDefinition{
		Family: aws.String("web"), Revision: 7, NetworkMode: types.NetworkModeAwsvpc,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("c"), Environment: []types.KeyValuePair{}, DockerLabels: map[string]string{"A<b": "c"},
			Essential: aws.Bool(false),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"containerDefinitions":[{"cpu":0,"dockerLabels":{"A<b":"c"},"environment":[],"essential":false,"name":"c"}],` +
		`"family":"web","networkMode":"awsvpc","revision":7}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEncodeWritesUnionsAndTimes(t *testing.T) {
	t.Parallel()
	at := time.Unix(1783015901, 408_000_000)
	got, err := Encode(&types.Service{
		CreatedAt: &at,
		Deployments: []types.Deployment{{ServiceConnectConfiguration: &types.ServiceConnectConfiguration{
			Enabled: true,
			ContainerConfigurations: []types.ServiceConnectContainerConfiguration{
				&types.ServiceConnectContainerConfigurationMemberLogLevel{Value: types.ServiceConnectContainerLogLevelDebug},
			},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"createdAt":1783015901.408`, `"containerConfigurations":[{"logLevel":"debug"}]`, `"runningCount":0`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
}

// Everything that can be described has to have a way to be written.
func TestEncodeKnowsEveryTypeOfADescription(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		&types.TaskDefinition{}, &types.Service{}, &types.Task{}, &types.ServiceRevision{}, &types.ServiceDeployment{},
	} {
		if _, err := Encode(v); err != nil {
			t.Errorf("%T: %v", v, err)
		}
	}
}

// FuzzCompare: whatever is compared, a document never differs from itself, and nothing panics.
func FuzzCompare(f *testing.F) {
	f.Add(container(""), container(`"cpu":0`))
	f.Add(describedExample, describedExample)
	for _, file := range []string{"task-definition.json", "service-definition.json"} {
		text, err := os.ReadFile(filepath.Join(example, "deploy", file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(strings.NewReplacer("${desiredCount}", "2").Replace(string(text)), "{}")
	}
	f.Fuzz(func(t *testing.T, want, have string) {
		for _, kind := range Kinds() {
			_, _ = Compare(kind, []byte(want), []byte(have))
		}
		if !json.Valid([]byte(want)) {
			return
		}
		if found, err := Compare(TaskDefinition, []byte(want), []byte(want)); err == nil && len(found) > 0 {
			t.Errorf("%s differs from itself: %v", want, found)
		}
	})
}
