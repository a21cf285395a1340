package lifecycle

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/logs"
	"github.com/slipway-cd/slipway/engine/state"
)

// logStream returns the stream that the output of a container goes to; empty when its log driver is not awslogs.
// Without a prefix the stream is named as Docker would: by the container. [ECS guide, awslogs-stream-prefix]
func (w *work) logStream(container string) (stream, group string) {
	d, _ := w.definition.Container(container)
	l := d.LogConfiguration
	if l == nil || l.LogDriver != types.LogDriverAwslogs || l.Options["awslogs-group"] == "" {
		return "", ""
	}
	if prefix := l.Options["awslogs-stream-prefix"]; prefix != "" {
		return prefix + "/" + container + "/" + string(w.task.ID), l.Options["awslogs-group"]
	}
	return string(Name(w.task.ID, container)), l.Options["awslogs-group"]
}

// outlet is where a container's output goes.
type outlet struct {
	group, stream string         // empty when its log driver is not awslogs
	first         *regexp.Regexp // what the first line of each event matches; nil: each line is one
}

func (w *work) outlet(container string) outlet {
	stream, group := w.logStream(container)
	o := outlet{group: group, stream: stream}
	if d, _ := w.definition.Container(container); stream != "" {
		o.first, _ = firstLine(d.LogConfiguration.Options) // openLog has refused what is wrong
	}
	return o
}

// events yields what is to be stored, in batches.
func (o outlet) events(ctx context.Context, lines <-chan logs.Event) iter.Seq[[]logs.Event] {
	if o.first == nil {
		return batches(lines)
	}
	return func(yield func([]logs.Event) bool) {
		for e := range gather(ctx, lines, o.first, patient) {
			if !yield([]logs.Event{e}) {
				return
			}
		}
	}
}

// openLog makes the stream for a container's output, and its group where the definition asks for that.
func (w *work) openLog(c state.Container, d types.ContainerDefinition) error {
	stream, group := w.logStream(c.Name)
	if stream == "" {
		return nil
	}
	if _, err := firstLine(d.LogConfiguration.Options); err != nil {
		return err
	}
	create := strings.EqualFold(d.LogConfiguration.Options["awslogs-create-group"], "true")
	if _, ok := w.snap.LogGroup(group); !ok && !create { //nolint:lll // AWS's own text
		return fmt.Errorf("create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1")
	}
	w.keepLog(group, stream, c.Name)
	return nil
}

// keepLog writes down that a stream is there, and its group.
func (w *work) keepLog(group, stream, container string) {
	arn := w.ARN("logs", "log-group:"+group)
	at, task := now(), w.task.ID
	w.write(func(tx *state.Tx) {
		if _, ok := tx.LogGroup(group); !ok {
			tx.Put(&state.LogGroup{Name: group, ARN: arn + ":*", Created: at})
		}
		tx.Put(&state.LogStream{
			Group: group, Name: stream, ARN: arn + ":log-stream:" + stream, Created: at, Task: task, Container: container,
		})
	})
}
