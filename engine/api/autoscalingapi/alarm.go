package autoscalingapi

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// What AWS makes the alarms of a tracking policy of: out after 3 minutes above the target, in after 15 minutes below nine
// tenths of it. [alarms that AWS made; Application Auto Scaling User Guide, "Target tracking scaling policies"]
const (
	periodsOut = 3
	periodsIn  = 15
	inBelow    = 0.9
)

// alarmsOf returns the alarms that a policy makes: none unless it tracks a target value.
func (s *Server) alarmsOf(p *state.ScalingPolicy) []*state.Alarm {
	c := p.Doc.TargetTrackingScalingPolicyConfiguration
	if c == nil {
		return nil
	}
	high := s.alarm(p, "AlarmHigh", cwtypes.ComparisonOperatorGreaterThanThreshold, *c.TargetValue, periodsOut)
	if awsdoc.Or(c.DisableScaleIn, false) {
		return []*state.Alarm{high}
	}
	return []*state.Alarm{high, s.alarm(p, "AlarmLow", cwtypes.ComparisonOperatorLessThanThreshold, *c.TargetValue*inBelow, periodsIn)}
}

func (s *Server) alarm(p *state.ScalingPolicy, kind string, operator cwtypes.ComparisonOperator, threshold float64, periods int32) *state.Alarm {
	now := s.engine.Now()
	a := &state.Alarm{Name: "TargetTracking-" + p.Resource + "-" + kind + "-" + engine.NewUUID()}
	a.Doc = metricOf(p)
	a.Doc.AlarmName, a.Doc.AlarmArn = &a.Name, awsdoc.Text("%s", s.engine.Identity().ARN("cloudwatch", "alarm:"+a.Name))
	a.Doc.AlarmDescription = awsdoc.Text("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy %s.", *p.Doc.PolicyARN)
	a.Doc.AlarmActions, a.Doc.ActionsEnabled = []string{*p.Doc.PolicyARN}, new(true)
	a.Doc.ComparisonOperator, a.Doc.Threshold = operator, &threshold
	a.Doc.Period, a.Doc.EvaluationPeriods = aws.Int32(60), &periods
	a.Doc.StateValue, a.Doc.StateReason = cwtypes.StateValueInsufficientData, awsdoc.Text("Unchecked: Initial alarm creation")
	a.Doc.StateUpdatedTimestamp, a.Doc.StateTransitionedTimestamp, a.Doc.AlarmConfigurationUpdatedTimestamp = &now, &now, &now
	return a
}

// metricOf is the metric that a policy tracks.
func metricOf(p *state.ScalingPolicy) cwtypes.MetricAlarm {
	c := p.Doc.TargetTrackingScalingPolicyConfiguration
	if custom := c.CustomizedMetricSpecification; custom != nil {
		m := cwtypes.MetricAlarm{
			Namespace: custom.Namespace, MetricName: custom.MetricName, Statistic: cwtypes.Statistic(custom.Statistic),
			Unit: cwtypes.StandardUnit(awsdoc.Or(custom.Unit, "")),
		}
		for _, d := range custom.Dimensions {
			m.Dimensions = append(m.Dimensions, cwtypes.Dimension{Name: d.Name, Value: d.Value})
		}
		return m
	}
	key, _ := engine.ServiceOf(p.Resource)
	m := cwtypes.MetricAlarm{
		Namespace: aws.String("AWS/ECS"), Statistic: cwtypes.StatisticAverage,
		Dimensions: []cwtypes.Dimension{
			{Name: aws.String("ClusterName"), Value: aws.String(string(key.Cluster))}, {Name: aws.String("ServiceName"), Value: aws.String(key.Name)},
		},
	}
	switch spec := c.PredefinedMetricSpecification; spec.PredefinedMetricType {
	case types.MetricTypeECSServiceAverageCPUUtilization:
		m.MetricName = aws.String("CPUUtilization")
	case types.MetricTypeECSServiceAverageMemoryUtilization:
		m.MetricName = aws.String("MemoryUtilization")
	default:
		group, _ := groupOfLabel(awsdoc.Or(spec.ResourceLabel, ""))
		m.Namespace, m.MetricName, m.Statistic = aws.String("AWS/ApplicationELB"), aws.String("RequestCountPerTarget"), cwtypes.StatisticSum
		m.Dimensions = []cwtypes.Dimension{{Name: aws.String("TargetGroup"), Value: &group}}
	}
	return m
}

// groupOfLabel returns the target group of a label: of app/web/1/targetgroup/web/2 it is targetgroup/web/2.
func groupOfLabel(label string) (string, bool) {
	parts := strings.Split(label, "/")
	if len(parts) != 6 || parts[0] != "app" || parts[3] != "targetgroup" {
		return "", false
	}
	return strings.Join(parts[3:], "/"), true
}
