package elbv2api

import (
	"context"
	"maps"
	"reflect"
	"slices"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// CreateTargetGroup makes a set of targets. Repeated with the same settings it changes nothing, as with AWS.
func (s *Server) CreateTargetGroup(_ context.Context, in *v2.CreateTargetGroupInput) (*v2.CreateTargetGroupOutput, error) {
	g := &state.TargetGroup{Attributes: groupAttributes(), Tags: in.Tags}
	awsdoc.Assign(&g.Doc, in)
	g.Doc.TargetGroupName = in.Name
	defaultGroup(&g.Doc)
	if err := checkGroup(&g.Doc); err != nil {
		return nil, err
	}
	err := s.write(func(tx *state.Tx) error {
		for old := range tx.TargetGroups() {
			if *old.Doc.TargetGroupName != *in.Name {
				continue
			}
			if !sameGroup(old.Doc, g.Doc) {
				return &types.DuplicateTargetGroupNameException{Message: awsdoc.Text("A target group with the same name '%s' exists, but with different settings", *in.Name)}
			}
			g = old
			return nil
		}
		g.ARN = s.arn("targetgroup/" + *in.Name + "/" + newID())
		g.Doc.TargetGroupArn = &g.ARN
		tx.Put(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v2.CreateTargetGroupOutput{TargetGroups: []types.TargetGroup{g.Doc}}, nil
}

func sameGroup(a, b types.TargetGroup) bool {
	for _, doc := range []*types.TargetGroup{&a, &b} { // what is not decided by who creates it
		doc.TargetGroupArn, doc.LoadBalancerArns = nil, nil
	}
	return reflect.DeepEqual(a, b)
}

// defaultGroup fills in what AWS returns for members that were left out. [API reference: CreateTargetGroup]
func defaultGroup(doc *types.TargetGroup) {
	number := func(field **int32, otherwise int32) {
		if *field == nil {
			*field = &otherwise
		}
	}
	text := func(field **string, otherwise string) {
		if *field == nil {
			*field = &otherwise
		}
	}
	number(&doc.HealthCheckIntervalSeconds, 30)
	number(&doc.HealthCheckTimeoutSeconds, 5)
	number(&doc.HealthyThresholdCount, 5)
	number(&doc.UnhealthyThresholdCount, 2)
	text(&doc.HealthCheckPath, "/")
	text(&doc.HealthCheckPort, "traffic-port")
	text(&doc.ProtocolVersion, "HTTP1")
	if doc.HealthCheckEnabled == nil {
		yes := true
		doc.HealthCheckEnabled = &yes
	}
	if doc.HealthCheckProtocol == "" {
		doc.HealthCheckProtocol = types.ProtocolEnumHttp
	}
	if doc.Matcher == nil {
		doc.Matcher = &types.Matcher{HttpCode: awsdoc.Text("200")}
		if *doc.ProtocolVersion == "GRPC" {
			doc.Matcher = &types.Matcher{GrpcCode: awsdoc.Text("12")}
		}
	}
	if doc.TargetType == "" {
		doc.TargetType = types.TargetTypeEnumInstance
	}
	if doc.IpAddressType == "" {
		doc.IpAddressType = types.TargetGroupIpAddressTypeEnumIpv4
	}
	doc.LoadBalancerArns = []string{}
}

func checkGroup(doc *types.TargetGroup) error {
	switch {
	case !nameForm().MatchString(awsdoc.Or(doc.TargetGroupName, "")):
		return validation("The target group name '%s' must contain only alphanumeric characters and hyphens, and must not begin or end with a hyphen", awsdoc.Or(doc.TargetGroupName, ""))
	case doc.TargetType != types.TargetTypeEnumInstance && doc.TargetType != types.TargetTypeEnumIp:
		return &types.InvalidConfigurationRequestException{Message: awsdoc.Text("Target type '%s' is not served by this engine", doc.TargetType)}
	case doc.Protocol != types.ProtocolEnumHttp && doc.Protocol != types.ProtocolEnumHttps:
		return &types.UnsupportedProtocolException{Message: awsdoc.Text("Protocol '%s' of a target group is not served by this engine", doc.Protocol)}
	case awsdoc.Or(doc.Port, 0) < 1 || awsdoc.Or(doc.Port, 0) > 65535:
		return validation("A port must be specified, between 1 and 65535")
	}
	return checkHealth(doc)
}

func checkHealth(doc *types.TargetGroup) error {
	switch {
	case *doc.HealthCheckIntervalSeconds < 5 || *doc.HealthCheckIntervalSeconds > 300:
		return validation("Health check interval '%d' must be between 5 and 300", *doc.HealthCheckIntervalSeconds)
	case *doc.HealthCheckTimeoutSeconds < 2 || *doc.HealthCheckTimeoutSeconds > 120:
		return validation("Health check timeout '%d' must be between 2 and 120", *doc.HealthCheckTimeoutSeconds)
	case *doc.HealthCheckTimeoutSeconds >= *doc.HealthCheckIntervalSeconds:
		return validation("Health check timeout '%d' must be smaller than or equal to the interval '%d'", *doc.HealthCheckTimeoutSeconds, *doc.HealthCheckIntervalSeconds)
	case *doc.HealthyThresholdCount < 2 || *doc.HealthyThresholdCount > 10 || *doc.UnhealthyThresholdCount < 2 || *doc.UnhealthyThresholdCount > 10:
		return validation("Health check thresholds must be between 2 and 10")
	}
	return nil
}

// groupAttributes are those that the engine acts on. [Target groups: target group attributes]
func groupAttributes() map[string]string {
	return map[string]string{
		"deregistration_delay.timeout_seconds": "300",
		"stickiness.enabled":                   "false",
		"load_balancing.algorithm.type":        "round_robin",
		"slow_start.duration_seconds":          "0",
	}
}

// ModifyTargetGroup changes how the health of targets is checked.
func (s *Server) ModifyTargetGroup(_ context.Context, in *v2.ModifyTargetGroupInput) (*v2.ModifyTargetGroupOutput, error) {
	changed, err := s.changeGroup(in.TargetGroupArn, func(g *state.TargetGroup) error {
		awsdoc.Assign(&g.Doc, in)
		return checkHealth(&g.Doc)
	})
	if err != nil {
		return nil, err
	}
	return &v2.ModifyTargetGroupOutput{TargetGroups: []types.TargetGroup{changed.Doc}}, nil
}

// ModifyTargetGroupAttributes sets attributes; those left out stay as they are.
func (s *Server) ModifyTargetGroupAttributes(_ context.Context, in *v2.ModifyTargetGroupAttributesInput) (*v2.ModifyTargetGroupAttributesOutput, error) {
	changed, err := s.changeGroup(in.TargetGroupArn, func(g *state.TargetGroup) error {
		g.Attributes = maps.Clone(g.Attributes)
		for _, a := range in.Attributes {
			g.Attributes[awsdoc.Or(a.Key, "")] = awsdoc.Or(a.Value, "")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v2.ModifyTargetGroupAttributesOutput{Attributes: attributes(changed.Attributes)}, nil
}

func (s *Server) changeGroup(arn *string, alter func(*state.TargetGroup) error) (*state.TargetGroup, error) {
	var changed state.TargetGroup
	err := s.write(func(tx *state.Tx) error {
		g, err := targetGroup(tx.Snapshot, arn)
		if err != nil {
			return err
		}
		changed = *g
		if err := alter(&changed); err != nil {
			return err
		}
		tx.Put(&changed)
		return nil
	})
	return &changed, err
}

// DescribeTargetGroupAttributes describes the attributes of a target group.
func (s *Server) DescribeTargetGroupAttributes(_ context.Context, in *v2.DescribeTargetGroupAttributesInput) (*v2.DescribeTargetGroupAttributesOutput, error) {
	g, err := targetGroup(s.read(), in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	return &v2.DescribeTargetGroupAttributesOutput{Attributes: attributes(g.Attributes)}, nil
}

func attributes(values map[string]string) []types.TargetGroupAttribute {
	list := []types.TargetGroupAttribute{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := values[key]
		list = append(list, types.TargetGroupAttribute{Key: &key, Value: &value})
	}
	return list
}

// DescribeTargetGroups describes target groups by ARN, name or load balancer, or all.
func (s *Server) DescribeTargetGroups(_ context.Context, in *v2.DescribeTargetGroupsInput) (*v2.DescribeTargetGroupsOutput, error) {
	snap := s.read()
	for _, arn := range in.TargetGroupArns {
		if _, err := targetGroup(snap, &arn); err != nil {
			return nil, err
		}
	}
	var keys []string
	found := map[string]bool{}
	for g := range snap.TargetGroups() {
		if (len(in.TargetGroupArns) == 0 || slices.Contains(in.TargetGroupArns, g.ARN)) &&
			(len(in.Names) == 0 || slices.Contains(in.Names, *g.Doc.TargetGroupName)) &&
			(in.LoadBalancerArn == nil || slices.Contains(g.Doc.LoadBalancerArns, *in.LoadBalancerArn)) {
			keys, found[*g.Doc.TargetGroupName] = append(keys, g.ARN), true
		}
	}
	for _, name := range in.Names {
		if !found[name] {
			return nil, &types.TargetGroupNotFoundException{Message: awsdoc.Text("One or more target groups not found")}
		}
	}
	keys, next, err := page(keys, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &v2.DescribeTargetGroupsOutput{TargetGroups: []types.TargetGroup{}, NextMarker: next}
	for _, arn := range keys {
		g, _ := snap.TargetGroup(arn)
		out.TargetGroups = append(out.TargetGroups, g.Doc)
	}
	return out, nil
}

// DeleteTargetGroup deletes a target group that no rule forwards to.
func (s *Server) DeleteTargetGroup(_ context.Context, in *v2.DeleteTargetGroupInput) (*v2.DeleteTargetGroupOutput, error) {
	err := s.write(func(tx *state.Tx) error {
		g, ok := tx.TargetGroup(awsdoc.Or(in.TargetGroupArn, ""))
		if !ok {
			return nil
		}
		if len(g.Doc.LoadBalancerArns) > 0 {
			return &types.ResourceInUseException{Message: awsdoc.Text("Target group '%s' is currently in use by a listener or a rule", g.ARN)}
		}
		for _, t := range slices.Collect(tx.Targets(g.ARN)) {
			tx.Delete(t)
		}
		tx.Delete(g)
		return nil
	})
	return &v2.DeleteTargetGroupOutput{}, err
}
