package cloudwatchapi

import (
	"context"
	"fmt"
	"slices"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// DescribeAlarmHistory tells what became of an alarm, or of all, newest first unless told otherwise.
func (s *Server) DescribeAlarmHistory(_ context.Context, in *cw.DescribeAlarmHistoryInput) (*cw.DescribeAlarmHistoryOutput, error) {
	if in.AlarmContributorId != nil {
		return nil, notServed("AlarmContributorId")
	}
	items := map[string]types.AlarmHistoryItem{} // by time and alarm, which is their order
	var keys []string
	if len(in.AlarmTypes) == 0 || slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm) {
		for h := range histories(s.read(), in.AlarmName) {
			for _, item := range h.List {
				if tells(item, in) {
					key := fmt.Sprintf("%020d %s", item.Timestamp.UnixNano(), h.Name)
					keys, items[key] = append(keys, key), item
				}
			}
		}
	}
	order := awsdoc.Descending
	if in.ScanBy == types.ScanByTimestampAscending {
		order = awsdoc.Ascending
	}
	keys, next, err := page(keys, order, in.NextToken, in.MaxRecords, 100, 100)
	if err != nil {
		return nil, err
	}
	out := &cw.DescribeAlarmHistoryOutput{NextToken: next, AlarmHistoryItems: []types.AlarmHistoryItem{}}
	for _, key := range keys {
		out.AlarmHistoryItems = append(out.AlarmHistoryItems, items[key])
	}
	return out, nil
}

func histories(snap state.Snapshot, name *string) func(func(*state.AlarmHistory) bool) {
	if name == nil {
		return snap.AlarmHistories()
	}
	return func(yield func(*state.AlarmHistory) bool) { yield(snap.AlarmHistory(*name)) }
}

func tells(item types.AlarmHistoryItem, in *cw.DescribeAlarmHistoryInput) bool {
	return (in.HistoryItemType == "" || in.HistoryItemType == item.HistoryItemType) &&
		(in.StartDate == nil || !item.Timestamp.Before(*in.StartDate)) && (in.EndDate == nil || !item.Timestamp.After(*in.EndDate))
}
