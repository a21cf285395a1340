package engine

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.etcd.io/bbolt"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

func TestEverythingIsThereAgainAfterTheNextOpen(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, h *house) {
		h.deploy("web:1", 2, func(s *state.Service, d *types.TaskDefinition) {
			s.Doc.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}}
			s.Doc.PropagateTags = types.PropagateTagsService
			d.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80)}}
		})
		h.until("it is steady", 10*time.Minute, h.steady)
		before := all(h.DB().Read())
		h.close()
		e, err := Open(t.Context(), h.options)
		if err != nil {
			t.Fatal(err)
		}
		after := all(e.DB().Read())
		h.Engine = e // to be closed
		if len(before) < 10 {
			t.Errorf("only %d records", len(before))
		}
		if diff := cmp.Diff(before, after, ignoreMarks, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Error(diff)
		}
	})
}

// ignoreMarks looks past the SDK's marks of types that cannot be documents.
var ignoreMarks = cmp.FilterPath(func(p cmp.Path) bool {
	f, ok := p.Last().(cmp.StructField)
	return ok && f.Name() == "noSmithyDocumentSerde"
}, cmp.Ignore())

func all(s state.Snapshot) map[string]state.Record {
	found := map[string]state.Record{}
	add := func(r state.Record) bool {
		found[string(r.Kind())+" "+r.Key()] = r
		return true
	}
	records(s)(add)
	for r := range s.Clusters() {
		add(r)
	}
	for r := range s.AllInstances() {
		add(r)
	}
	for r := range s.TaskDefinitions("") {
		add(r)
	}
	add(s.Events(key))
	return found
}

func TestStateThatIsNotOursIsRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, path string)
		kind  fault.Kind
	}{
		"no database": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("this is not a database, and long enough to be looked at"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, fault.Corrupt},
		"another format": {func(t *testing.T, path string) {
			put(t, path, metaBucket, "format", "99")
		}, fault.Invalid},
		"a record that cannot be read": {func(t *testing.T, path string) {
			put(t, path, []byte(state.KindTask), "x", "{")
		}, fault.Corrupt},
		"a kind of record of a later engine": {func(t *testing.T, path string) {
			put(t, path, []byte("spaceship"), "x", "{}")
		}, fault.Corrupt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t, newFake())
			tc.spoil(t, filepath.Join(o.Dir, "state.db"))
			for range 2 { // the lock of a failed attempt is gone
				if _, err := Open(t.Context(), o); fault.KindOf(err) != tc.kind {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

func put(t *testing.T, path string, bucket []byte, key, value string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(bucket)
		if err != nil {
			return err
		}
		return b.Put([]byte(key), []byte(value))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTwoEnginesLiveBesideEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, two := newHouse(t, nil), newHouse(t, nil)
		defer one.close()
		defer two.close()
		shared := newFake() // both on one runtime
		for _, h := range []*house{one, two} {
			h.close()
			h.options.Runtime, h.runtime = shared, shared
			h.open()
			h.deploy("web:1", 2, nil)
		}
		one.until("one is steady", 10*time.Minute, one.steady)
		two.until("two is steady", 10*time.Minute, two.steady)
		if err := one.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		if alive, _ := shared.count(); alive != 2 || two.tasks()["web:1"] != 2 {
			t.Errorf("%d containers run, %v", alive, two.tasks())
		}
	})
}

func TestAddressesAreGivenOutInTurnAndNeverTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, nil)
		defer h.close()
		given := 0
		h.write(func(tx *state.Tx) {
			for {
				a, err := h.Address(tx)
				if err != nil {
					if fault.KindOf(err) != fault.Unavailable || fault.HintOf(err) == "" {
						t.Errorf("got %v", err)
					}
					return
				}
				tx.Put(&state.ClassicBalancer{Name: a.String(), Address: a})
				given++
			}
		})
		if given != 256-3-4 { // without the network's, the engine's and the broadcast address, and four instances
			t.Errorf("%d addresses", given)
		}
	})
}
