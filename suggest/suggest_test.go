package suggest

import "testing"

func TestNearestFindsWhatWasProbablyMeant(t *testing.T) {
	t.Parallel()
	names := []string{"clusterName", "containerName", "family", "desiredCount", "memory", "memoryReservation"}
	for name, want := range map[string]string{
		"clusterNme":           "clusterName",
		"ClusterName":          "clusterName",
		"memroy":               "memory",
		"memoryReservaton":     "memoryReservation",
		"desired_count":        "desiredCount",
		"familiy":              "family",
		"zzz":                  "",
		"":                     "",
		"serviceDiscoveryName": "",
	} {
		if got := Nearest(name, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestNearestDoesNotDependOnTheOrderOfCandidates(t *testing.T) {
	t.Parallel()
	if a, b := Nearest("cat", []string{"car", "cab"}), Nearest("cat", []string{"cab", "car"}); a != b || a != "cab" {
		t.Errorf("got %q and %q, want cab", a, b)
	}
}

func TestHintOrListNamesTheChoicesWhenNothingIsNear(t *testing.T) {
	t.Parallel()
	if got, want := HintOrList("kubernetes", []string{"nomad", "ecs"}), "one of ecs, nomad"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := HintOrList("ECS", []string{"nomad", "ecs"}), `did you mean "ecs"?`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := HintOrList("x", nil); got != "" {
		t.Errorf("got %q", got)
	}
}
