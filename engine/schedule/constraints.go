package schedule

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// obstacle returns the first requirement that the instance doesn't meet, "" when it meets all. Of the group's tasks on
// it, so many are taken to be gone.
func (f *Fleet) obstacle(ask *Ask, s *site, gone int) string {
	if reason := s.lacks(ask); reason != "" {
		return reason
	}
	return f.unsatisfied(ask, s, gone)
}

// lacks returns the first resource or attribute that the instance has too little of, whatever the constraints.
func (s *site) lacks(ask *Ask) string {
	switch {
	case !s.active(), s.disconnected():
		return reasonAgent
	case s.cpu < ask.cpu:
		return reasonCPU
	case s.memory < ask.memory:
		return reasonMemory
	}
	if _, ok := s.portsFor(ask); !ok {
		return reasonPorts
	}
	if len(s.gpus) < ask.gpus {
		return reasonGPU
	}
	if !s.capable(ask.Definition.Doc.RequiresAttributes) {
		return reasonAttribute
	}
	return ""
}

// active: tasks may be placed on the instance.
func (s *site) active() bool { return s.Doc.Status == nil || *s.Doc.Status == statusActive }

// disconnected: an instance that somebody described has lost its agent.
func (s *site) disconnected() bool { return s.Doc.ContainerInstanceArn != nil && !s.Doc.AgentConnected }

// capable reports whether the instance has the attributes. What an agent is capable of, every instance of ours is.
func (s *site) capable(attributes []types.Attribute) bool {
	for _, want := range attributes {
		name := aws.ToString(want.Name)
		if strings.HasPrefix(name, "com.amazonaws.ecs.capability.") || strings.HasPrefix(name, "ecs.capability.") {
			continue
		}
		has, ok := s.attribute(name)
		if !ok || want.Value != nil && has != *want.Value {
			return false
		}
	}
	return true
}

func (f *Fleet) unsatisfied(ask *Ask, s *site, gone int) string {
	for _, list := range [][]types.PlacementConstraint{ask.Constraints, ofDefinition(ask.Definition.Doc.PlacementConstraints)} {
		for _, c := range list {
			switch c.Type {
			case types.PlacementConstraintTypeDistinctInstance:
				if f.group(ask.Group).instances[s.ID] > gone {
					return reasonDistinct
				}
			case types.PlacementConstraintTypeMemberOf:
				q, err := f.query(aws.ToString(c.Expression))
				if err != nil || !q(f, s) {
					return reasonMember
				}
			}
		}
	}
	return ""
}

func ofDefinition(list []types.TaskDefinitionPlacementConstraint) []types.PlacementConstraint {
	var all []types.PlacementConstraint
	for _, c := range list {
		all = append(all, types.PlacementConstraint{Type: types.PlacementConstraintType(c.Type), Expression: c.Expression})
	}
	return all
}

// detail tells of an expression that could not be read.
func (f *Fleet) detail(ask *Ask, reason string) string {
	if reason != reasonMember {
		return ""
	}
	for _, list := range [][]types.PlacementConstraint{ask.Constraints, ofDefinition(ask.Definition.Doc.PlacementConstraints)} {
		for _, c := range list {
			if c.Type != types.PlacementConstraintTypeMemberOf {
				continue
			}
			if _, err := f.query(aws.ToString(c.Expression)); err != nil {
				return err.Error()
			}
		}
	}
	return ""
}

// compare puts the better of two instances first: by the strategies in their order, then to where fewest tasks of the
// group and fewest tasks at all are.
func (f *Fleet) compare(ask *Ask, a, b *site) int {
	g := f.group(ask.Group)
	if len(ask.Strategies) == 0 {
		if c := g.zones[a.Zone] - g.zones[b.Zone]; c != 0 {
			return c
		}
	}
	for _, s := range ask.Strategies {
		if c := f.byStrategy(ask, s, g, a, b); c != 0 {
			return c
		}
	}
	return cmp.Or(g.instances[a.ID]-g.instances[b.ID], a.tasks-b.tasks, cmp.Compare(a.ID, b.ID))
}

func (f *Fleet) byStrategy(ask *Ask, s types.PlacementStrategy, g *spread, a, b *site) int {
	field := aws.ToString(s.Field)
	switch s.Type {
	case types.PlacementStrategyTypeSpread:
		return f.spreadOver(field, g, a) - f.spreadOver(field, g, b)
	case types.PlacementStrategyTypeBinpack:
		if strings.EqualFold(field, "cpu") {
			return a.cpu - b.cpu
		}
		return a.memory - b.memory
	case types.PlacementStrategyTypeRandom:
		return cmp.Compare(draw(ask.Seed, a), draw(ask.Seed, b))
	default:
		return 0
	}
}

// spreadOver counts the group's tasks where the field has the same value as on this instance.
func (f *Fleet) spreadOver(field string, g *spread, s *site) int {
	switch field {
	case "instanceId", "host":
		return g.instances[s.ID]
	case "attribute:ecs.availability-zone":
		return g.zones[s.Zone]
	}
	name := strings.TrimPrefix(field, "attribute:")
	value, has := s.attribute(name)
	n := 0
	for _, other := range f.sites {
		if v, ok := other.attribute(name); ok == has && v == value {
			n += g.instances[other.ID]
		}
	}
	return n
}

// draw returns the instance's lot: the same for the same seed.
func draw(seed uint64, s *site) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, seed)) // never fails
	_, _ = h.Write([]byte(s.ID))
	return h.Sum64()
}
