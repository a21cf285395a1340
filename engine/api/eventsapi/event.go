package eventsapi

import (
	"context"
	"encoding/json"
	"strings"

	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/bus"
	"github.com/slipway-cd/slipway/engine/eventpattern"
)

// The bounds of PutEvents. [API reference]
const (
	maxEntries = 10
	maxEntry   = 256 << 10 // bytes of all entries together
)

// PutEvents sends events over the bus. Each entry succeeds or fails by itself.
func (s *Server) PutEvents(_ context.Context, in *eb.PutEventsInput) (*eb.PutEventsOutput, error) {
	if len(in.Entries) == 0 || len(in.Entries) > maxEntries {
		return nil, validation("1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and %d", maxEntries)
	}
	size := 0
	for _, e := range in.Entries {
		size += len(awsdoc.Or(e.Source, "")) + len(awsdoc.Or(e.DetailType, "")) + len(awsdoc.Or(e.Detail, ""))
	}
	if size > maxEntry {
		return nil, validation("Total size of the entries in the request is over the limit.")
	}
	out := &eb.PutEventsOutput{}
	for _, e := range in.Entries {
		result := s.putEvent(e)
		if result.ErrorCode != nil {
			out.FailedEntryCount++
		}
		out.Entries = append(out.Entries, result)
	}
	return out, nil
}

func (s *Server) putEvent(e types.PutEventsRequestEntry) types.PutEventsResultEntry {
	if code, message := s.refuseEvent(e); code != "" {
		return types.PutEventsResultEntry{ErrorCode: &code, ErrorMessage: &message}
	}
	id := engine.NewUUID()
	s.bus.Put(bus.Event{
		ID: id, Source: *e.Source, DetailType: *e.DetailType, Time: awsdoc.Or(e.Time, s.engine.Now()), Resources: e.Resources,
		Detail: json.RawMessage(*e.Detail),
	})
	return types.PutEventsResultEntry{EventId: &id}
}

// refuseEvent returns why an entry fails, in EventBridge's words; nothing when it doesn't.
func (s *Server) refuseEvent(e types.PutEventsRequestEntry) (code, message string) {
	missing := func(name string) (code, message string) {
		return "InvalidArgument", "Parameter " + name + " is not valid. Reason: " + name + " is a required argument."
	}
	var detail map[string]any
	switch {
	case awsdoc.Or(e.Source, "") == "":
		return missing("Source")
	case awsdoc.Or(e.DetailType, "") == "":
		return missing("DetailType")
	case awsdoc.Or(e.Detail, "") == "":
		return missing("Detail")
	case strings.HasPrefix(*e.Source, "aws."):
		return "NotAuthorizedForSourceException", "Not authorized for the source."
	case json.Unmarshal([]byte(*e.Detail), &detail) != nil:
		return "MalformedDetail", "Detail is malformed."
	}
	if err := s.checkBus(e.EventBusName); err != nil {
		return "ResourceNotFoundException", "Event bus " + *e.EventBusName + " does not exist."
	}
	return "", ""
}

// TestEventPattern tells whether a pattern matches an event.
func (s *Server) TestEventPattern(_ context.Context, in *eb.TestEventPatternInput) (*eb.TestEventPatternOutput, error) {
	p, err := eventpattern.Parse(*in.EventPattern)
	if err != nil {
		return nil, &types.InvalidEventPatternException{Message: awsdoc.Text("Event pattern is not valid. Reason: %v", err)}
	}
	var event struct {
		ID, Account, Source, Time, Region *string
		Resources                         []string
		DetailType                        *string `json:"detail-type"`
	}
	if err := json.Unmarshal([]byte(*in.Event), &event); err != nil || event.ID == nil || event.Account == nil || event.Source == nil ||
		event.Time == nil || event.Region == nil || event.Resources == nil || event.DetailType == nil {
		return nil, validation("Parameter Event is not valid.")
	}
	return &eb.TestEventPatternOutput{Result: p.Matches([]byte(*in.Event))}, nil
}
