package state

import (
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// EventRule says which events, or which times, go to which targets. Doc is what EventBridge describes.
type EventRule struct {
	Name    string
	Doc     types.Rule
	Targets []types.Target
	Tags    []types.Tag
}

func (r *EventRule) Kind() Kind  { return KindEventRule }
func (r *EventRule) Key() string { return r.Name }

// Active reports whether the rule does anything: it is enabled and has targets.
func (r *EventRule) Active() bool {
	return r.Doc.State != types.RuleStateDisabled && len(r.Targets) > 0
}

// EventRule returns the rule with that name.
func (s Snapshot) EventRule(name string) (*EventRule, bool) {
	return get[*EventRule](s, KindEventRule, name)
}

// EventRules returns all rules, by name.
func (s Snapshot) EventRules() iter.Seq[*EventRule] { return all[*EventRule](s, KindEventRule, "") }

// APIDestination is an HTTP endpoint that events can be sent to. Doc is what EventBridge describes.
type APIDestination struct {
	Name        string
	Description string
	Doc         types.ApiDestination
}

func (d *APIDestination) Kind() Kind  { return KindAPIDestination }
func (d *APIDestination) Key() string { return d.Name }

// APIDestination returns the destination with that name.
func (s Snapshot) APIDestination(name string) (*APIDestination, bool) {
	return get[*APIDestination](s, KindAPIDestination, name)
}

// APIDestinations returns all destinations, by name.
func (s Snapshot) APIDestinations() iter.Seq[*APIDestination] {
	return all[*APIDestination](s, KindAPIDestination, "")
}
