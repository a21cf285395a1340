package state

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// Names that are each other's beginnings, so that an index that compares beginnings is found out.
var someNames = []string{"a", "ab", "b", ""}

func drawTask(t *rapid.T) *Task {
	name := rapid.SampledFrom(someNames)
	task := &Task{
		ID: TaskID(fmt.Sprintf("t%d", rapid.IntRange(0, 15).Draw(t, "id"))), Cluster: ClusterName(name.Draw(t, "cluster")),
		Service: ServiceKey{Cluster: "c", Name: name.Draw(t, "service")}, Deployment: DeploymentID(name.Draw(t, "deployment")),
		Group: name.Draw(t, "group"), Instance: InstanceID(name.Draw(t, "instance")),
		CPU: rapid.IntRange(0, 9).Draw(t, "cpu"), Memory: rapid.IntRange(0, 9).Draw(t, "memory"),
		Last: rapid.SampledFrom([]TaskStatus{Pending, Running, Stopped}).Draw(t, "last"), Settled: rapid.Bool().Draw(t, "settled"),
		Address: rapid.SampledFrom([]netip.Addr{{}, instanceAddress, netip.MustParseAddr("10.0.0.9")}).Draw(t, "address"),
	}
	if token := rapid.SampledFrom(someNames).Draw(t, "token"); token != "" {
		task.Token = token + TokenSeparator + rapid.SampledFrom([]string{"1", "2"}).Draw(t, "request")
	}
	if rapid.Bool().Draw(t, "own address") {
		task.Attachments = []types.Attachment{{}}
	}
	for range rapid.IntRange(0, 2).Draw(t, "ports") {
		task.Ports = append(task.Ports, HostPort{Port: 32768 + rapid.IntRange(0, 5).Draw(t, "port"), Protocol: "tcp"})
	}
	return task
}

var instanceAddress = netip.MustParseAddr("127.1.0.1")

func ids(tasks iter.Seq[*Task]) []TaskID {
	var all []TaskID
	for t := range tasks {
		all = append(all, t.ID)
	}
	slices.Sort(all)
	return all
}

func scan(s Snapshot, keep func(*Task) bool) []TaskID {
	return ids(func(yield func(*Task) bool) {
		for t := range s.AllTasks() {
			if keep(t) && !yield(t) {
				return
			}
		}
	})
}

func TestIndexesAgreeWithAFullScan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		db := New(nil)
		for range rapid.IntRange(1, 6).Draw(t, "writes") {
			_ = db.Write(func(tx *Tx) error {
				for _, name := range someNames[:3] {
					tx.Put(&Instance{ID: InstanceID(name), Cluster: "c", Address: instanceAddress})
				}
				for range rapid.IntRange(1, 12).Draw(t, "changes") {
					if task := drawTask(t); rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
						tx.Delete(task)
					} else {
						tx.Put(task)
					}
				}
				if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
					return fmt.Errorf("refused")
				}
				return nil
			})
			compare(t, db.Read())
		}
	})
}

func compare(t *rapid.T, s Snapshot) {
	for _, name := range someNames[:3] {
		key := ServiceKey{Cluster: "c", Name: name}
		unsettled := func(t *Task) bool { return t.Last != Stopped || !t.Settled }
		for index, tc := range map[string]struct {
			got  iter.Seq[*Task]
			keep func(*Task) bool
		}{
			"cluster":    {s.Tasks(ClusterName(name)), func(t *Task) bool { return string(t.Cluster) == name }},
			"service":    {s.TasksOfService(key), func(t *Task) bool { return t.Service == key }},
			"deployment": {s.TasksOfDeployment(DeploymentID(name)), func(t *Task) bool { return string(t.Deployment) == name }},
			"instance":   {s.TasksOnInstance(InstanceID(name)), func(t *Task) bool { return string(t.Instance) == name }},
			"unsettled":  {s.UnsettledTasksOfService(key), func(t *Task) bool { return t.Service == key && unsettled(t) }},
			"group": {s.TasksOfGroup("a", name), func(t *Task) bool {
				return t.Cluster == "a" && t.Group == name && t.Last != Stopped
			}},
			"token": {s.TasksOfToken(name), func(t *Task) bool { return strings.HasPrefix(t.Token, name+TokenSeparator) }},
			"address": {s.TasksWithAddress(), func(t *Task) bool {
				return len(t.Attachments) > 0 && t.Address.IsValid() && t.Last != Stopped
			}},
		} {
			if diff := cmp.Diff(scan(s, tc.keep), ids(tc.got)); diff != "" {
				t.Fatalf("index %s of %q (-scan +index):\n%s", index, name, diff)
			}
		}
		after := TaskID("t4")
		for list, got := range map[string][2]iter.Seq[*Task]{
			"cluster": {s.Tasks(ClusterName(name)), s.TasksAfter(ClusterName(name), after)},
			"service": {s.TasksOfService(key), s.TasksOfServiceAfter(key, after)},
		} {
			want := slices.DeleteFunc(ids(got[0]), func(id TaskID) bool { return id <= after })
			if diff := cmp.Diff(want, ids(got[1]), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("tasks of %s %q after %s:\n%s", list, name, after, diff)
			}
		}
		compareUsage(t, s, InstanceID(name))
	}
}

func compareUsage(t *rapid.T, s Snapshot, id InstanceID) {
	want := &Usage{Instance: id}
	for task := range s.AllTasks() {
		if task.Instance != id || task.Last == Stopped {
			continue
		}
		want.CPU, want.Memory, want.Tasks = want.CPU+task.CPU, want.Memory+task.Memory, want.Tasks+1
		if !task.Address.IsValid() || task.Address == instanceAddress {
			want.Ports = append(want.Ports, task.Ports...)
		}
	}
	byPort := cmpopts.SortSlices(func(a, b HostPort) bool { return a.Port < b.Port })
	if diff := cmp.Diff(want, s.Usage(id), byPort, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Usage{}, "LastPort")); diff != "" {
		t.Fatalf("usage of %q (-scan +kept):\n%s", id, diff)
	}
}

func TestTargetsAreFoundByGroupAndByTask(t *testing.T) {
	t.Parallel()
	db := New(nil)
	first := &Target{Group: "g", ID: "i-1", Port: 80, Task: "a"}
	put(t, db, first, &Target{Group: "g", ID: "i-1", Port: 81, Task: "b"}, &Target{Group: "g2", ID: "i-1", Port: 80, Task: "a"})
	moved := *first
	moved.Task = "b"
	put(t, db, &moved)
	for name, tc := range map[string]struct {
		got  iter.Seq[*Target]
		want []string
	}{
		"group": {db.Read().Targets("g"), []string{"g|i-1|80", "g|i-1|81"}},
		"task":  {db.Read().TargetsOfTask("b"), []string{"g|i-1|80", "g|i-1|81"}},
		"other": {db.Read().TargetsOfTask("a"), []string{"g2|i-1|80"}},
	} {
		var got []string
		for target := range tc.got {
			got = append(got, target.Key())
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
