package ecsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// DeleteService drains a service. One that still wants tasks is deleted only by force; one that is DRAINING goes on so.
func (s *Server) DeleteService(_ context.Context, in *ecs.DeleteServiceInput) (*ecs.DeleteServiceOutput, error) {
	var doc types.Service
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		svc, err := deletable(tx.Snapshot, in)
		if err != nil {
			return err
		}
		if awsdoc.Or(svc.Doc.Status, "") == "ACTIVE" {
			changed := *svc
			changed.Doc.Status, changed.Doc.DesiredCount = awsdoc.Text("DRAINING"), 0
			changed.Changed, changed.Steady = s.engine.Now(), false
			tx.Put(&changed)
			svc = &changed
		}
		doc = s.describeService(tx.Snapshot, svc)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteServiceOutput{Service: &doc}, nil
}

func deletable(snap state.Snapshot, in *ecs.DeleteServiceInput) (*state.Service, error) {
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	ref := awsdoc.Or(in.Service, "")
	if err := sameCluster(c, ref); err != nil {
		return nil, err
	}
	svc, ok := snap.Service(serviceKey(c.Name, ref))
	switch {
	case !ok, awsdoc.Or(svc.Doc.Status, "") == "INACTIVE":
		return nil, serviceNotFound()
	case svc.Doc.DesiredCount > 0 && !svc.Daemon() && !awsdoc.Or(in.Force, false):
		return nil, invalid("The service cannot be stopped while it is scaled above 0.")
	}
	return svc, nil
}
