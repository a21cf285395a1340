package api_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/engine/api"
)

// A client whose token got mangled is told so by AWS; an empty page would have it take a part for the whole.
func TestEveryListRefusesATokenThatWasNotGivenOut(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.create("default", "web", h.register("web", nil), nil)
	balancer, _, listener := h.alb("front")
	_, err := h.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("group")})
	must(h, 0, err)
	_, err = h.logs.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String("group"), LogStreamName: aws.String("stream")})
	must(h, 0, err)
	_, err = h.ecr.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String("web")})
	must(h, 0, err)
	_, err = h.ecr.StartLifecyclePolicyPreview(t.Context(), &ecr.StartLifecyclePolicyPreviewInput{RepositoryName: aws.String("web"), LifecyclePolicyText: aws.String(
		`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}`,
	)})
	must(h, 0, err)

	watch, events := cloudwatch.NewFromConfig(h.config()), eventbridge.NewFromConfig(h.config())
	roles, scaling := iam.NewFromConfig(h.config()), applicationautoscaling.NewFromConfig(h.config())
	h.role(roles, "role", trustECS)
	_, err = events.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("rule"), ScheduleExpression: aws.String("rate(1 day)")})
	must(h, 0, err)
	token := aws.String("garbage0") // which is Base64
	lists := map[string]struct {
		client, input any
		code          string
	}{
		"DescribeCapacityProviders":  {h.ecs, &ecs.DescribeCapacityProvidersInput{NextToken: token}, "InvalidParameterException"},
		"ListAttributes":             {h.ecs, &ecs.ListAttributesInput{NextToken: token, TargetType: "container-instance"}, "InvalidParameterException"},
		"ListClusters":               {h.ecs, &ecs.ListClustersInput{NextToken: token}, "InvalidParameterException"},
		"ListContainerInstances":     {h.ecs, &ecs.ListContainerInstancesInput{NextToken: token}, "InvalidParameterException"},
		"ListServiceDeployments":     {h.ecs, &ecs.ListServiceDeploymentsInput{NextToken: token, Service: aws.String("web")}, "InvalidParameterException"},
		"ListServices":               {h.ecs, &ecs.ListServicesInput{NextToken: token}, "InvalidParameterException"},
		"ListServicesByNamespace":    {h.ecs, &ecs.ListServicesByNamespaceInput{NextToken: token, Namespace: aws.String("shop")}, "InvalidParameterException"},
		"ListAccountSettings":        {h.ecs, &ecs.ListAccountSettingsInput{NextToken: token}, "InvalidParameterException"},
		"ListTaskDefinitionFamilies": {h.ecs, &ecs.ListTaskDefinitionFamiliesInput{NextToken: token}, "InvalidParameterException"},
		"ListTaskDefinitions":        {h.ecs, &ecs.ListTaskDefinitionsInput{NextToken: token}, "InvalidParameterException"},
		"ListTasks":                  {h.ecs, &ecs.ListTasksInput{NextToken: token}, "InvalidParameterException"},

		"DescribeImages":       {h.ecr, &ecr.DescribeImagesInput{NextToken: token, RepositoryName: aws.String("web")}, "InvalidParameterException"},
		"DescribeRepositories": {h.ecr, &ecr.DescribeRepositoriesInput{NextToken: token}, "InvalidParameterException"},
		"ListImages":           {h.ecr, &ecr.ListImagesInput{NextToken: token, RepositoryName: aws.String("web")}, "InvalidParameterException"},
		"ListImageReferrers": {h.ecr, &ecr.ListImageReferrersInput{
			NextToken: token, RepositoryName: aws.String("web"), SubjectId: &ecrtypes.SubjectIdentifier{ImageDigest: aws.String("sha256:" + strings.Repeat("0", 64))},
		}, "InvalidParameterException"},
		"GetLifecyclePolicyPreview": {h.ecr, &ecr.GetLifecyclePolicyPreviewInput{NextToken: token, RepositoryName: aws.String("web")}, "InvalidParameterException"},

		"DescribeLogGroups":  {h.logs, &cloudwatchlogs.DescribeLogGroupsInput{NextToken: token}, "InvalidParameterException"},
		"DescribeLogStreams": {h.logs, &cloudwatchlogs.DescribeLogStreamsInput{NextToken: token, LogGroupName: aws.String("group")}, "InvalidParameterException"},
		"FilterLogEvents":    {h.logs, &cloudwatchlogs.FilterLogEventsInput{NextToken: token, LogGroupName: aws.String("group")}, "InvalidParameterException"},
		"GetLogEvents": {h.logs, &cloudwatchlogs.GetLogEventsInput{
			NextToken: token, LogGroupName: aws.String("group"), LogStreamName: aws.String("stream"),
		}, "InvalidParameterException"},

		"DescribeListeners":            {h.elbv2, &elbv2.DescribeListenersInput{Marker: token, LoadBalancerArn: balancer.LoadBalancerArn}, "ValidationError"},
		"DescribeListenerCertificates": {h.elbv2, &elbv2.DescribeListenerCertificatesInput{Marker: token, ListenerArn: listener.ListenerArn}, "ValidationError"},

		"DescribeTargetGroups": {h.elbv2, &elbv2.DescribeTargetGroupsInput{Marker: token}, "ValidationError"},
		"DescribeRules":        {h.elbv2, &elbv2.DescribeRulesInput{Marker: token, ListenerArn: listener.ListenerArn}, "ValidationError"},

		"DescribeAlarms":       {watch, &cloudwatch.DescribeAlarmsInput{NextToken: token}, "InvalidNextToken"},
		"DescribeAlarmHistory": {watch, &cloudwatch.DescribeAlarmHistoryInput{NextToken: token}, "InvalidNextToken"},
		"ListMetrics":          {watch, &cloudwatch.ListMetricsInput{NextToken: token}, "InvalidNextToken"},
		"GetMetricData": {watch, &cloudwatch.GetMetricDataInput{
			NextToken: token, StartTime: aws.Time(time.Now()), EndTime: aws.Time(time.Now()), MetricDataQueries: []cwtypes.MetricDataQuery{},
		}, "InvalidNextToken"},

		"ListRules":             {events, &eventbridge.ListRulesInput{NextToken: token}, "ValidationException"},
		"ListTargetsByRule":     {events, &eventbridge.ListTargetsByRuleInput{NextToken: token, Rule: aws.String("rule")}, "ValidationException"},
		"ListRuleNamesByTarget": {events, &eventbridge.ListRuleNamesByTargetInput{NextToken: token, TargetArn: aws.String("arn")}, "ValidationException"},
		"ListApiDestinations":   {events, &eventbridge.ListApiDestinationsInput{NextToken: token}, "ValidationException"},
		"ListEventBuses":        {events, &eventbridge.ListEventBusesInput{NextToken: token}, "ValidationException"},

		"ListRoles":                   {roles, &iam.ListRolesInput{Marker: token}, "ValidationError"},
		"ListAttachedRolePolicies":    {roles, &iam.ListAttachedRolePoliciesInput{Marker: token, RoleName: aws.String("role")}, "ValidationError"},
		"ListRolePolicies":            {roles, &iam.ListRolePoliciesInput{Marker: token, RoleName: aws.String("role")}, "ValidationError"},
		"ListRoleTags":                {roles, &iam.ListRoleTagsInput{Marker: token, RoleName: aws.String("role")}, "ValidationError"},
		"ListInstanceProfilesForRole": {roles, &iam.ListInstanceProfilesForRoleInput{Marker: token, RoleName: aws.String("role")}, "ValidationError"},

		"DescribeScalableTargets":   {scaling, &applicationautoscaling.DescribeScalableTargetsInput{NextToken: token, ServiceNamespace: "ecs"}, "InvalidNextTokenException"},
		"DescribeScalingPolicies":   {scaling, &applicationautoscaling.DescribeScalingPoliciesInput{NextToken: token, ServiceNamespace: "ecs"}, "InvalidNextTokenException"},
		"DescribeScheduledActions":  {scaling, &applicationautoscaling.DescribeScheduledActionsInput{NextToken: token, ServiceNamespace: "ecs"}, "InvalidNextTokenException"},
		"DescribeScalingActivities": {scaling, &applicationautoscaling.DescribeScalingActivitiesInput{NextToken: token, ServiceNamespace: "ecs"}, "InvalidNextTokenException"},

		// both kinds of load balancer have it
		"DescribeLoadBalancers":         {h.elbv2, &elbv2.DescribeLoadBalancersInput{Marker: token}, "ValidationError"},
		"DescribeLoadBalancers.classic": {h.elb, &elb.DescribeLoadBalancersInput{Marker: token}, "ValidationError"},
	}
	for name, tc := range lists {
		err := h.send(tc.client, tc.input)
		if refusal, ok := errors.AsType[smithy.APIError](err); !ok || refusal.ErrorCode() != tc.code {
			t.Errorf("%s: %v, want %s", name, err, tc.code)
		}
	}
	for _, name := range h.paged() {
		if _, ok := lists[name]; !ok {
			t.Errorf("%s has pages and is not tested here", name)
		}
	}
}

// send calls the operation that the input belongs to.
func (h *house) send(client, input any) error {
	h.Helper()
	name := reflect.TypeOf(input).Elem().Name()
	method := reflect.ValueOf(client).MethodByName(name[:len(name)-len("Input")])
	out := method.Call([]reflect.Value{reflect.ValueOf(h.Context()), reflect.ValueOf(input)})
	err, _ := reflect.TypeAssert[error](out[1])
	return err
}

// paged returns the operations served whose inputs name a page.
func (h *house) paged() []string {
	h.Helper()
	services, err := api.Services(api.Options{Engine: h.Engine, Host: func() string { return "" }})
	must(h, services, err)
	var names []string
	for _, s := range services {
		for _, operation := range s.Operations() {
			for _, client := range []any{h.ecs, h.ecr, h.logs, h.elb, h.elbv2, (*cloudwatch.Client)(nil), (*eventbridge.Client)(nil), (*iam.Client)(nil), (*applicationautoscaling.Client)(nil)} {
				if method, ok := reflect.TypeOf(client).MethodByName(operation); ok && hasPages(method.Type.In(2).Elem()) {
					names = append(names, operation)
				}
			}
		}
	}
	return names
}

func hasPages(input reflect.Type) bool {
	_, token := input.FieldByName("NextToken")
	_, marker := input.FieldByName("Marker")
	return token || marker
}
