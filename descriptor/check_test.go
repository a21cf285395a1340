package descriptor

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/config"
)

// render renders documents that need no values: a task definition, and a service definition and update where not empty.
func render(opts Options, task, service, update string) []string {
	var templates []Template
	for _, t := range []Template{
		{Kind: TaskDefinition, File: "t.json", Text: []byte(task)},
		{Kind: ServiceDefinition, File: "s.json", Text: []byte(service)},
		{Kind: ServiceUpdate, File: "u.json", Text: []byte(update)},
	} {
		if len(t.Text) > 0 {
			templates = append(templates, t)
		}
	}
	_, err := Render(templates, config.Values{}, opts)
	return lines(err)
}

func TestMembersAndTypesAreThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		task string
		want []string
	}{
		"right": {container(""), nil},
		"unknown member": {`{"family":"web","containerDefinitions":[{"name":"c","image":"i","memroy":256}]}`, []string{
			`t.json:1:65: containerDefinitions[0].memroy: a task definition has no such member (did you mean "memory"?)`,
		}},
		"of CloudFormation": {`{"Family":"web","ContainerDefinitions":[]}`, []string{
			`t.json:1:2: Family: a task definition has no such member (did you mean "family"?)`,
			`t.json:1:17: ContainerDefinitions: a task definition has no such member (did you mean "containerDefinitions"?)`,
		}},
		"what AWS returns": {taskWith(`"revision":7`), []string{`t.json:1:2: revision: a task definition has no such member (AWS returns it but does not take it: remove it)`}},
		"unlike anything":  {taskWith(`"zzzzzz":7`), []string{`t.json:1:2: zzzzzz: a task definition has no such member (remove it, or set passUnknown: true if AWS has added it lately)`}},
		"types": {taskWith(`"networkMode":1,"volumes":{},"tags":["x"],"cpu":256,"enableFaultInjection":"true"`), []string{
			`t.json:1:16: networkMode: expected text, found the number 1 (put it in double quotes)`,
			`t.json:1:28: volumes: expected a list, found an object (put it in [ ])`,
			`t.json:1:39: tags[0]: expected an object, found the text "x"`,
			`t.json:1:50: cpu: expected text, found the number 256 (put it in double quotes)`,
			`t.json:1:77: enableFaultInjection: expected true or false, found the text "true" (write true without the quotes)`,
		}},
		"numbers": {`{"family":"web","containerDefinitions":[{"name":"c","image":"i","memory":"256","cpu":1.5,"stopTimeout":99999999999}]}`, []string{
			`t.json:1:74: containerDefinitions[0].memory: expected a number, found the text "256" (write 256 without the quotes)`,
			`t.json:1:86: containerDefinitions[0].cpu: expected a whole number from -2147483648 to 2147483647, found 1.5`,
			`t.json:1:104: containerDefinitions[0].stopTimeout: expected a whole number from -2147483648 to 2147483647, found 99999999999`,
		}},
		"enumeration": {taskWith(`"networkMode":"awsvcp","requiresCompatibilities":["ec2"]`), []string{
			`t.json:1:16: networkMode: "awsvcp" is none of its values (did you mean "awsvpc"?)`,
			`t.json:1:52: requiresCompatibilities[0]: "ec2" is none of its values (did you mean "EC2"?)`,
		}},
		"twice": {`{"family":"web","family":"x"}`, []string{`t.json:1:17: family is given twice`}},
		"map": {container(`"dockerLabels":{"a":1,"b":"x","b":"y"}`), []string{
			`t.json:1:98: containerDefinitions[0].dockerLabels.a: expected text, found the number 1 (put it in double quotes)`,
			`t.json:1:108: containerDefinitions[0].dockerLabels.b is given twice`,
		}},
		"a list": {`[]`, []string{`t.json:1:1: a task definition: expected an object, found a list`}},
	} {
		if diff := cmp.Diff(c.want, render(Options{}, c.task, "", "")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestPassUnknownLetsMembersAndValuesOfTomorrowPass(t *testing.T) {
	t.Parallel()
	task := taskWith(`"tomorrow":{"x":[1]},"networkMode":"quantum"`)
	if got := render(Options{PassUnknown: true}, task, "", ""); got != nil {
		t.Error(got)
	}
	if got := render(Options{}, task, "", ""); len(got) != 2 {
		t.Error(got)
	}
	if got := render(Options{PassUnknown: true}, container(`"cpu":"x"`), "", ""); len(got) != 1 {
		t.Errorf("a wrong type is no member of tomorrow: %v", got)
	}
}

func TestAStandInForAMissingValueIsNoProblemOfItsOwn(t *testing.T) {
	t.Parallel()
	_, err := Render([]Template{{Kind: TaskDefinition, File: "t.json", Text: []byte(
		`{"family":"${f}","networkMode":"${m}","containerDefinitions":[{"name":"${n}","memory":${x},"essential":${e}}]}`)}},
		config.Values{}, Options{})
	if got := lines(err); len(got) != 5 || strings.Contains(strings.Join(got, "\n"), "none of its values") {
		t.Errorf("want five missing values alone, got %q", got)
	}
}

// fargate is a task definition for Fargate with these sizes.
func fargate(cpu, memory string) string {
	return taskWith(`"requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc","cpu":"` + cpu + `","memory":"` + memory + `"`)
}

func TestFargateSizes(t *testing.T) {
	t.Parallel()
	for size, ok := range map[[2]string]bool{
		{"256", "512"}: true, {"256", "1024"}: true, {"256", "2048"}: true, {"256", "1536"}: false, {"256", "4096"}: false,
		{"512", "1024"}: true, {"512", "512"}: false, {".5 vCPU", "4GB"}: true, {"1024", "2048"}: true, {"1 vCPU", "8 GB"}: true,
		{"1024", "9216"}: false, {"2048", "4096"}: true, {"2048", "17408"}: false, {"4096", "30720"}: true, {"4096", "31744"}: false,
		{"8192", "16384"}: true, {"8192", "17408"}: false, {"8192", "61440"}: true, {"16384", "32768"}: true,
		{"16384", "36864"}: false, {"16 vCPU", "120GB"}: true, {"300", "512"}: false, {"0", "512"}: false,
	} {
		got := render(Options{}, fargate(size[0], size[1]), "", "")
		if (got == nil) != ok {
			t.Errorf("cpu %s, memory %s: %q", size[0], size[1], got)
		}
	}
	want := []string{`t.json:1:84: Fargate has no size of cpu 256 with memory 4096 (with cpu 256 it takes 512, 1024 or 2048 MiB)`}
	if diff := cmp.Diff(want, render(Options{}, fargate("256", "4096"), "", "")); diff != "" {
		t.Error(diff)
	}
}

func TestWhatAWSWouldRefuseInATaskDefinition(t *testing.T) {
	t.Parallel()
	two := func(a, b string) string {
		return `{"family":"web","containerDefinitions":[{"name":"a","image":"i","memory":256` + a + `},{"name":"b","image":"i","memory":256` + b + `}]}`
	}
	for name, c := range map[string]struct{ task, want string }{
		"no family":                    {`{"containerDefinitions":[{"name":"c","image":"i","memory":9}]}`, `t.json:1:1: family is missing`},
		"family's name":                {strings.Replace(container(""), `"web"`, `"a/b"`, 1), `family: "a/b" is not a name that AWS takes`},
		"no containers":                {`{"family":"web"}`, `a task definition needs a container`},
		"container without a name":     {`{"family":"web","containerDefinitions":[{"image":"i","memory":9}]}`, `containerDefinitions[0].name is missing`},
		"no image":                     {`{"family":"web","containerDefinitions":[{"name":"c","memory":9}]}`, `containerDefinitions[0].image is missing`},
		"bad image":                    {strings.Replace(container(""), `"i"`, `"Host/IMG:x"`, 1), `"Host/IMG:x" is not an image reference: a repository is written in lower case`},
		"no memory":                    {`{"family":"web","containerDefinitions":[{"name":"c","image":"i"}]}`, `t.json:1:41: containerDefinitions[0]: neither memory nor memoryReservation is given`},
		"little memory":                {strings.Replace(container(""), "256", "4", 1), `containerDefinitions[0].memory is 4 (AWS takes 6 MiB and more)`},
		"reservation above memory":     {container(`"memoryReservation":512`), `512 is more than memory, which is 256`},
		"more than the task":           {taskWith(`"memory":"128"`), `the containers together have memory 256, the task only 128`},
		"more cpu than the task":       {strings.Replace(container(`"cpu":512`), "{", `{"cpu":"256",`, 1), `the containers together have cpu 512, the task only 256`},
		"a size":                       {taskWith(`"cpu":"lots"`), `cpu: "lots" is not a size`},
		"same name":                    {strings.Replace(two("", ""), `"b"`, `"a"`, 1), `there is another container "a"`},
		"nothing essential":            {two(`,"essential":false`, `,"essential":false`), `no container is essential`},
		"port":                         {container(`"portMappings":[{"containerPort":70000}]`), `portMappings[0].containerPort is 70000 (AWS takes 1 to 65535)`},
		"port missing":                 {container(`"portMappings":[{"hostPort":80}]`), `portMappings[0].containerPort is missing`},
		"host port twice":              {two(`,"portMappings":[{"containerPort":80,"hostPort":80}]`, `,"portMappings":[{"containerPort":81,"hostPort":80,"protocol":"tcp"}]`), `host port 80 is mapped twice`},
		"host port in awsvpc":          {strings.Replace(container(`"portMappings":[{"containerPort":80,"hostPort":81}]`), "{", `{"networkMode":"awsvpc",`, 1), `81 differs from containerPort 80, which networkMode awsvpc does not allow`},
		"waits for nothing":            {two(`,"dependsOn":[{"containerName":"bb","condition":"START"}]`, ""), `there is no container "bb" in the task definition (did you mean "b"?)`},
		"waits for itself":             {two(`,"dependsOn":[{"containerName":"a","condition":"START"}]`, ""), `containers wait for one another in a circle: a → a`},
		"circle":                       {two(`,"dependsOn":[{"containerName":"b","condition":"START"}]`, `,"dependsOn":[{"containerName":"a","condition":"START"}]`), `containers wait for one another in a circle: a → b → a`},
		"success of an essential":      {two(`,"dependsOn":[{"containerName":"b","condition":"SUCCESS"}]`, ""), `SUCCESS waits for the end of "b", which is essential`},
		"health without a check":       {two(`,"dependsOn":[{"containerName":"b","condition":"HEALTHY"}]`, ""), `HEALTHY waits for "b", which has no health check`},
		"health check's command":       {container(`"healthCheck":{"command":["curl","x"]}`), `healthCheck.command begins with "curl"`},
		"health check's interval":      {container(`"healthCheck":{"command":["CMD","x"],"interval":1}`), `healthCheck.interval is 1 (AWS takes 5 to 300)`},
		"volume":                       {container(`"mountPoints":[{"sourceVolume":"data","containerPath":"/d"}]`), `there is no volume "data" in the task definition`},
		"secret and variable":          {container(`"environment":[{"name":"A","value":"1"}],"secrets":[{"name":"A","valueFrom":"x"}]`), `"A" is given by environment already`},
		"awslogs without options":      {container(`"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"g"}}`), `the log driver awslogs needs the options awslogs-region`},
		"Fargate without awsvpc":       {taskWith(`"requiresCompatibilities":["FARGATE"],"cpu":"256","memory":"512"`), `Fargate only supports the network mode awsvpc`},
		"Fargate without a size":       {taskWith(`"requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc"`), `Fargate requires cpu for the task as a whole`},
		"Fargate with little patience": {strings.Replace(fargate("256", "512"), `"memory":256`, `"memory":256,"stopTimeout":121`, 1), `stopTimeout is 121 (AWS takes 2 to 120)`},
		"EC2 task with little cpu":     {taskWith(`"cpu":"64"`), `cpu is 64 units (AWS takes 128 to 196608 units)`},
	} {
		got := strings.Join(render(Options{}, c.task, "", ""), "\n")
		if !strings.Contains(got, c.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
}

func TestWhatAWSWouldRefuseInAService(t *testing.T) {
	t.Parallel()
	const service, update = `{"cluster":"q","serviceName":"s","taskDefinition":"web","desiredCount":1}`, `{"cluster":"q","service":"s"}`
	withPort := container(`"portMappings":[{"containerPort":8080}]`)
	awsvpc := strings.Replace(withPort, "{", `{"networkMode":"awsvpc",`, 1)
	more := func(members string) string { return strings.Replace(service, "{", "{"+members+",", 1) }
	for name, c := range map[string]struct{ task, service, update, want string }{
		"right":                     {withPort, service, update, ""},
		"no name":                   {withPort, `{"taskDefinition":"web","desiredCount":1}`, "", `s.json:1:1: serviceName is missing`},
		"no count":                  {withPort, `{"serviceName":"s","taskDefinition":"web"}`, "", `desiredCount is missing`},
		"no task definition":        {withPort, `{"serviceName":"s","desiredCount":1}`, "", `taskDefinition is missing`},
		"count below 0":             {withPort, strings.Replace(service, ":1", ":-1", 1), "", `desiredCount is -1`},
		"count of a daemon":         {withPort, more(`"schedulingStrategy":"DAEMON"`), "", `a daemon service runs one task on every instance`},
		"long token":                {withPort, more(`"clientToken":"` + strings.Repeat("x", 37) + `"`), "", `clientToken has 37 characters`},
		"cluster":                   {withPort, strings.Replace(service, `"q"`, `"a b"`, 1), "", `cluster: "a b" is not a name`},
		"container of the balancer": {withPort, more(`"loadBalancers":[{"loadBalancerName":"l","containerName":"d","containerPort":8080}]`), "", `loadBalancers[0].containerName: there is no container "d" in the task definition`},
		"port of the balancer":      {withPort, more(`"loadBalancers":[{"loadBalancerName":"l","containerName":"c","containerPort":80}]`), "", `loadBalancers[0].containerPort: the container "c" has no container port 80`},
		"no balancer at all":        {withPort, more(`"loadBalancers":[{"containerName":"c","containerPort":8080}]`), "", `neither targetGroupArn nor loadBalancerName is given`},
		"classic in awsvpc":         {awsvpc, more(`"networkConfiguration":{},"loadBalancers":[{"loadBalancerName":"l","containerName":"c","containerPort":8080}]`), "", `a classic load balancer cannot reach tasks in network mode awsvpc`},
		"awsvpc without a network":  {awsvpc, service, "", `networkConfiguration is missing`},
		"network without awsvpc":    {withPort, more(`"networkConfiguration":{}`), "", `networkConfiguration needs the network mode awsvpc`},
		"blocked":                   {withPort, more(`"deploymentConfiguration":{"maximumPercent":100,"minimumHealthyPercent":100}`), "", `no task can ever be replaced`},
		"upside down":               {withPort, more(`"deploymentConfiguration":{"maximumPercent":50,"minimumHealthyPercent":75}`), "", `maximumPercent 50 is less than minimumHealthyPercent 75`},
		"two strategies":            {withPort, more(`"launchType":"EC2","capacityProviderStrategy":[{"capacityProvider":"x"}]`), "", `launchType and capacityProviderStrategy exclude each other`},
		"Fargate":                   {withPort, more(`"launchType":"FARGATE"`), "", `launchType is FARGATE, but the task definition does not require it`},
		"other family":              {withPort, strings.Replace(service, `"web"`, `"other"`, 1), "", `the service runs "other", but the task definition's family is "web"`},
		"family by ARN":             {withPort, strings.Replace(service, `"web"`, `"arn:aws:ecs:us-east-1:1:task-definition/web:3"`, 1), "", ""},
		"other service":             {withPort, service, `{"cluster":"q","service":"t"}`, `u.json:1:26: service of the service update is "t", but serviceName of the service definition is "s"`},
		"other cluster":             {withPort, service, `{"service":"s"}`, `cluster of the service update is "", but cluster of the service definition is "q"`},
		"update of nothing":         {withPort, "", `{"desiredCount":1}`, `u.json:1:1: service is missing`},
	} {
		got := strings.Join(render(Options{}, c.task, c.service, c.update), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
}

func TestReadTakesWhatWasPublished(t *testing.T) {
	t.Parallel()
	doc, err := Read(TaskDefinition, "x.json", []byte(container("")))
	if err != nil || len(doc.CheckShape(Options{})) > 0 || len(CheckMeaning([]*Document{doc})) > 0 {
		t.Errorf("%v", err)
	}
	for _, body := range []string{"", "{", "\xff", strings.Repeat("[", 500)} {
		if _, err := Read(TaskDefinition, "x.json", []byte(body)); len(lines(err)) != 1 {
			t.Errorf("%.20q: %v", body, err)
		}
	}
}
