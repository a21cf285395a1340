package runtime_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

func TestHubTellsEveryWatcherEachNameOnceWhileItIsNotTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var hub runtime.Hub
		got := make([][]runtime.Name, 2)
		for i := range got {
			go func() {
				for name := range hub.Watch(ctx) {
					got[i] = append(got[i], name)
				}
			}()
		}
		synctest.Wait()
		hub.Tell("a")
		synctest.Wait()
		hub.Tell("b")
		hub.Tell("a")
		synctest.Wait()
		cancel()
		synctest.Wait()
		for _, names := range got {
			slices.Sort(names)
			if diff := cmp.Diff([]runtime.Name{"a", "a", "b"}, names); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestHubNeverWaitsForAWatcher(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var hub runtime.Hub
		slow, count := make(chan struct{}), 0
		go func() {
			for range hub.Watch(ctx) {
				<-slow
				count++
			}
		}()
		synctest.Wait()
		for i := range 1000 {
			hub.Tell(runtime.Name(fmt.Sprint(i)))
		}
		close(slow)
		synctest.Wait()
		if count != 1000 {
			t.Errorf("the watcher was told %d names, want 1000", count)
		}
	})
}

func TestNameTakesWhatEveryRuntimeCanTake(t *testing.T) {
	t.Parallel()
	for name, ok := range map[runtime.Name]bool{
		"ecs-0a1b-web": true, "a": true, "a.b_c": true,
		"": false, "-a": false, "../a": false, "a/b": false, "ä": false,
	} {
		if err := name.Check(); (err == nil) != ok || err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", name, err)
		}
	}
}
