package logsapi

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// retentions are the numbers of days that lines can be kept for. [API reference: PutRetentionPolicy]
var retentions = []int32{ //nolint:gochecknoglobals // a constant, but for Go
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

// PutRetentionPolicy says for how many days a group keeps its lines. Older ones are gone at once.
func (s *Server) PutRetentionPolicy(_ context.Context, in *cloudwatchlogs.PutRetentionPolicyInput) (*cloudwatchlogs.PutRetentionPolicyOutput, error) {
	days := awsdoc.Or(in.RetentionInDays, 0)
	if !slices.Contains(retentions, days) {
		texts := make([]string, len(retentions))
		for i, n := range retentions {
			texts[i] = strconv.Itoa(int(n))
		}
		return nil, invalid("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [%s]",
			days, strings.Join(texts, ", "))
	}
	if err := s.retain(in.LogGroupName, int(days)); err != nil {
		return nil, err
	}
	return &cloudwatchlogs.PutRetentionPolicyOutput{}, expireGroup(s.engine, groupName(in.LogGroupName, nil))
}

// DeleteRetentionPolicy has a group keep its lines for ever.
func (s *Server) DeleteRetentionPolicy(_ context.Context, in *cloudwatchlogs.DeleteRetentionPolicyInput) (*cloudwatchlogs.DeleteRetentionPolicyOutput, error) {
	return &cloudwatchlogs.DeleteRetentionPolicyOutput{}, s.retain(in.LogGroupName, 0)
}

func (s *Server) retain(name *string, days int) error {
	return s.engine.DB().Write(func(tx *state.Tx) error {
		g, err := group(tx.Snapshot, name, nil)
		if err != nil {
			return err
		}
		changed := *g
		changed.RetentionDays = days
		tx.Put(&changed)
		return nil
	})
}

// oldest is the time before which a group's lines are gone; zero when it keeps them for ever.
func oldest(g *state.LogGroup, now time.Time) time.Time {
	if g.RetentionDays == 0 {
		return time.Time{}
	}
	return now.AddDate(0, 0, -g.RetentionDays)
}

// later returns the later one of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Expire removes from disk what groups keep no longer. What is left of it, at most a file for each stream, is not shown.
func Expire(e *engine.Engine) error {
	var errs []error
	for g := range e.DB().Read().LogGroups() {
		if g.RetentionDays > 0 {
			errs = append(errs, expireGroup(e, g.Name))
		}
	}
	return errors.Join(errs...)
}

func expireGroup(e *engine.Engine, name string) error {
	snap := e.DB().Read()
	g, ok := snap.LogGroup(name)
	if !ok {
		return nil
	}
	var errs []error
	for stream := range snap.LogStreams(name) {
		errs = append(errs, e.Logs().Expire(name, stream.Name, oldest(g, e.Now())))
	}
	return errors.Join(errs...)
}
