package deploy

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// How often logs are read, well below the 5 searches a second that CloudWatch Logs answers for the whole account.
const (
	logsQuick  = time.Second     // while something is written
	logsSlow   = 3 * time.Second // the longest pause, reached when nothing is
	tasksAgain = 5 * time.Second // how often is looked for tasks that are new, or gone
	lastLines  = 5 * time.Second // for so long after a task's end its lines may still arrive
)

// follow reads until the context ends, or the one task that is meant has stopped and has nothing more to say. New tasks are
// found as they start.
func (l *logs) follow(ctx context.Context) error {
	looked, pause := time.Now(), logsQuick
	for trouble := logsQuick; ; {
		if !sleep(ctx, pause) {
			return nil
		}
		var err error
		if time.Since(looked) >= tasksAgain {
			looked = time.Now()
			err = l.again(ctx)
		}
		before := l.lines
		if err == nil {
			err = l.read(ctx)
		}
		switch {
		case gone(ctx):
			return nil
		case fault.MayPass(err):
			l.say("%v; trying again", err)
			trouble = min(2*trouble, time.Minute)
			pause = trouble
			continue
		case err != nil:
			return err
		case l.over(before):
			l.say("task %s has stopped: %s", l.task.ID, rollout.WhyStopped(l.task))
			return nil
		}
		trouble = logsQuick
		if pause = min(2*pause, logsSlow); l.lines > before {
			pause = logsQuick
		}
	}
}

// over reports that the one task that is meant has stopped, and that its last lines have arrived.
func (l *logs) over(before int) bool {
	return l.opts.Task != "" && l.task.Status == rollout.TaskOver && l.lines == before && time.Since(l.task.Stopped) >= lastLines
}

// again looks which tasks there are now. Those that have stopped a while ago write no more.
func (l *logs) again(ctx context.Context) error {
	if l.opts.Task == "" {
		tasks, err := l.reader.TaskReports(ctx, l.ref, rollout.TaskQuery{Stopped: true})
		if err != nil {
			return err
		}
		var live []rollout.TaskReport
		for _, t := range tasks {
			if t.Status != rollout.TaskOver || time.Since(t.Stopped) < lateness+tasksAgain {
				live = append(live, t)
			}
		}
		return l.choose(live)
	}
	tasks, err := l.reader.TaskReports(ctx, l.ref, rollout.TaskQuery{IDs: []rollout.TaskID{l.task.ID}})
	if err != nil || len(tasks) == 0 {
		return err
	}
	l.task = tasks[0]
	return l.choose(tasks)
}

func gone(ctx context.Context) bool { return ctx.Err() != nil }

// sleep waits, and reports whether the context is still going.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
