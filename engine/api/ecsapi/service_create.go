package ecsapi

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// CreateService records what is to be kept running. The same request under the same client token is answered with the
// service that the first one made.
func (s *Server) CreateService(_ context.Context, in *ecs.CreateServiceInput) (*ecs.CreateServiceOutput, error) {
	in = asDaemon(in)
	if err := checkCreate(in); err != nil {
		return nil, err
	}
	request, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	var doc types.Service
	err = s.engine.DB().Write(func(tx *state.Tx) error {
		c, err := activeCluster(tx.Snapshot, in.Cluster)
		if err != nil {
			return err
		}
		key := state.ServiceKey{Cluster: c.Name, Name: *in.ServiceName}
		if old, ok := tx.Service(key); ok {
			same, err := repeated(old, in, request)
			if err != nil {
				return err
			}
			if same {
				doc = s.describeService(tx.Snapshot, old)
				doc.Tags = old.Doc.Tags
				return nil
			}
		}
		if err := tokenFree(tx.Snapshot, in); err != nil {
			return err
		}
		if controller(in.DeploymentController) == types.DeploymentControllerTypeExternal {
			doc, err = s.createExternal(tx, c, in, request)
			return err
		}
		svc, definition, err := s.newService(tx, c, in)
		if err != nil {
			return err
		}
		svc.Request = request
		forget(tx, key)
		tx.Put(svc)
		if managed(svc) {
			s.engine.NewTaskSet(tx, svc, definition, revisionOf(svc, in), firstTaskSet(svc))
			doc = s.describeService(tx.Snapshot, svc)
			doc.Tags = in.Tags
			return nil
		}
		s.engine.NewDeployment(tx, svc, definition, revisionOf(svc, in))
		doc = justMade(s.describeService(tx.Snapshot, svc))
		doc.Tags = in.Tags
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateServiceOutput{Service: &doc}, nil
}

// repeated reports whether a request for a name that is known is the one that made the service. [ecs-behaviour 1.9]
func repeated(old *state.Service, in *ecs.CreateServiceInput, request []byte) (bool, error) {
	switch awsdoc.Or(old.Doc.Status, "") {
	case "INACTIVE":
		return false, nil
	case "DRAINING":
		return false, invalid("Unable to Start a service that is still Draining.")
	}
	if old.Token != "" && old.Token == awsdoc.Or(in.ClientToken, "") && string(old.Request) == string(request) {
		return true, nil
	}
	return false, invalid("Creation of service was not idempotent.")
}

// tokenFree refuses a client token that made another service that is still there.
func tokenFree(snap state.Snapshot, in *ecs.CreateServiceInput) error {
	token := awsdoc.Or(in.ClientToken, "")
	if token == "" {
		return nil
	}
	for other := range snap.ServicesOfToken(token) {
		if awsdoc.Or(other.Doc.Status, "") == "ACTIVE" {
			return invalid("Creation of service was not idempotent.")
		}
	}
	return nil
}

// forget deletes what is left of an INACTIVE service, so that the new one of its name neither shows nor rolls back to it.
func forget(tx *state.Tx, key state.ServiceKey) {
	for _, d := range slices.Collect(tx.Deployments(key)) {
		tx.Delete(d)
	}
	for _, d := range slices.Collect(tx.ServiceDeployments(key)) {
		tx.Delete(d)
	}
	for _, r := range slices.Collect(tx.Revisions(key)) {
		tx.Delete(r)
	}
	if events := tx.Events(key); len(events.List) > 0 {
		tx.Delete(events)
	}
}

// checkCreate refuses what can be refused without looking at anything else.
func checkCreate(in *ecs.CreateServiceInput) error {
	daemon := in.SchedulingStrategy == types.SchedulingStrategyDaemon
	switch {
	case !name255().MatchString(awsdoc.Or(in.ServiceName, "")):
		return badName("Service name", awsdoc.Or(in.ServiceName, ""))
	case len(awsdoc.Or(in.ClientToken, "")) > 36:
		return invalid("idempotency token longer than 36.")
	case daemon && in.DesiredCount != nil:
		return invalid("The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again")
	case !daemon && in.DesiredCount == nil:
		return invalid("DesiredCount is missing")
	case awsdoc.Or(in.DesiredCount, 0) < 0:
		return invalid("DesiredCount can not be lesser than 0")
	case controller(in.DeploymentController) != types.DeploymentControllerTypeExternal && awsdoc.Or(in.TaskDefinition, "") == "":
		return invalid("TaskDefinition can not be blank.")
	}
	if err := checkDaemon(in); err != nil {
		return err
	}
	if err := checkManaged(in); err != nil {
		return err
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	if err := checkLaunch(in.LaunchType, in.CapacityProviderStrategy); err != nil {
		return err
	}
	if err := checkServed(in.DeploymentController, wishes{
		registries: len(in.ServiceRegistries), connect: in.ServiceConnectConfiguration, volumes: len(in.VolumeConfigurations),
		lattice: len(in.VpcLatticeConfigurations), gateways: len(in.GatewayConnectors),
	}); err != nil {
		return err
	}
	if err := checkStrategyMembers(in.DeploymentConfiguration, in.DeploymentConfiguration); err != nil {
		return err
	}
	return checkConfiguration(in.DeploymentConfiguration, in.AvailabilityZoneRebalancing)
}

// newService makes the service that a request asks for, checked.
func (s *Server) newService(tx *state.Tx, c *state.Cluster, in *ecs.CreateServiceInput) (*state.Service, *state.TaskDefinition, error) {
	definition, err := usableTaskDefinition(tx.Snapshot, *in.TaskDefinition)
	if err != nil {
		return nil, nil, err
	}
	svc := s.wish(c, in)
	svc.Doc.TaskDefinition = definition.Doc.TaskDefinitionArn
	if err := checkStrategy(c, svc.Doc.CapacityProviderStrategy); err != nil {
		return nil, nil, err
	}
	return svc, definition, s.checkService(tx.Snapshot, &svc.Doc, definition)
}

// wish fills in what AWS returns for members that were left out. [ecs-behaviour 1.1]
func (s *Server) wish(c *state.Cluster, in *ecs.CreateServiceInput) *state.Service {
	key := state.ServiceKey{Cluster: c.Name, Name: *in.ServiceName}
	svc := &state.Service{ID: key, Token: awsdoc.Or(in.ClientToken, ""), Changed: s.engine.Now()}
	doc, identity := &svc.Doc, s.engine.Identity()
	awsdoc.Assign(doc, in, "TaskDefinition", "Tags")
	doc.Tags = in.Tags
	doc.ServiceArn, doc.ClusterArn = awsdoc.Text("%s", identity.ServiceARN(key)), awsdoc.Text("%s", identity.ClusterARN(key.Cluster))
	doc.Status, doc.CreatedAt = awsdoc.Text("ACTIVE"), &svc.Changed
	doc.CreatedBy = awsdoc.Text("arn:aws:iam::%s:root", identity.Account)
	doc.RoleArn = awsdoc.Text("arn:aws:iam::%s:role/%s", identity.Account, roleName(in.Role))
	doc.DeploymentConfiguration = withDefaults(in.DeploymentConfiguration)
	doc.NetworkConfiguration = withPublicAddress(in.NetworkConfiguration)
	if doc.DeploymentController == nil {
		doc.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeEcs}
	}
	if doc.LaunchType == "" && len(doc.CapacityProviderStrategy) == 0 && !svc.Daemon() {
		doc.CapacityProviderStrategy = c.Doc.DefaultCapacityProviderStrategy
	}
	defaultService(doc)
	return svc
}
