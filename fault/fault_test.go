package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestNewKeepsTheCauseInTheChainAndPrintsItOnce(t *testing.T) {
	err := New(NotFound, "cannot read %q: %w", "web", io.EOF)
	if got, want := err.Error(), `cannot read "web": EOF`; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, io.EOF) {
		t.Error("the cause is not in the chain")
	}
}

func TestKindOfFindsTheFirstKindInTheChain(t *testing.T) {
	inner := New(Conflict, "version exists")
	for name, tc := range map[string]struct {
		err  error
		want Kind
	}{
		"bare":     {errors.New("x"), Internal},
		"nil":      {nil, Internal},
		"direct":   {inner, Conflict},
		"wrapped":  {fmt.Errorf("publish: %w", inner), Conflict},
		"problems": {fmt.Errorf("load: %w", Problems{{Message: "x"}}.Err()), Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			if got := KindOf(tc.err); got != tc.want {
				t.Errorf("KindOf = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestHintOfLooksThroughErrorsWithoutAHint(t *testing.T) {
	inner := New(Denied, "token expired").WithHint("log in again")
	outer := New(Internal, "cannot push: %w", inner)
	if got := HintOf(outer); got != "log in again" {
		t.Errorf("HintOf = %q", got)
	}
	if got := HintOf(errors.New("x")); got != "" {
		t.Errorf("HintOf(bare) = %q", got)
	}
}

func TestProblemsAreSortedByPosition(t *testing.T) {
	var ps Problems
	ps.Add(Position{"b.yaml", 1, 1}, "", "third")
	ps.Add(Position{"a.yaml", 2, 7}, "", "second")
	ps.Add(Position{"a.yaml", 2, 3}, "do that", "first")
	want := "a.yaml:2:3: first (do that)\na.yaml:2:7: second\nb.yaml:1:1: third"
	if got := ps.Err().Error(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if Problems(nil).Err() != nil {
		t.Error("no problems are not an error")
	}
}
