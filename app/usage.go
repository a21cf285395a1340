package app

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/slipway-cd/slipway/fault"
)

// usage is what a data directory remembers of the engines that used it. What they left behind is found again only by an
// engine that knows it.
type usage struct {
	Runtime   RuntimeName `json:"runtime,omitempty"` // that its containers belong to; empty when there are none
	Addresses []string    `json:"addresses"`         // host:port of the endpoint, the latest last: images are named so
}

func usageFile(dir string) string { return filepath.Join(dir, "engine.json") }

// readUsage returns what is remembered; of a new directory that is nothing.
func readUsage(dir string) (usage, error) {
	var u usage
	text, err := os.ReadFile(usageFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return u, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &u)
	}
	if err != nil {
		return u, fault.New(fault.Corrupt, "cannot read how the engine's directory was used: %w", err).
			WithHint("give another directory with --data")
	}
	return u, nil
}

// before returns the addresses that an engine had before it had this one.
func (u usage) before(address string) []string {
	return slices.DeleteFunc(slices.Clone(u.Addresses), func(a string) bool { return a == address })
}

// movedTo returns the address that the last engine had, empty when it is this one or there was none.
func (u usage) movedTo(address string) string {
	if n := len(u.Addresses); n > 0 && u.Addresses[n-1] != address {
		return u.Addresses[n-1]
	}
	return ""
}

// write remembers it, as a whole or not at all.
func (u usage) write(dir string) error {
	text, err := json.Marshal(u)
	if err != nil {
		return err
	}
	fresh := usageFile(dir) + ".new"
	if err := os.WriteFile(fresh, append(text, '\n'), 0o600); err != nil {
		return fault.New(fault.Internal, "cannot remember how the engine's directory is used: %w", err)
	}
	return os.Rename(fresh, usageFile(dir))
}

// choose returns the runtime to open, of what was asked for: the one that the directory's containers belong to, where it
// has any. Auto asks for that; any other is refused.
func (u usage) choose(dir string, asked RuntimeName) (RuntimeName, error) {
	if asked == "" {
		asked = Auto
	}
	switch {
	case !slices.Contains(RuntimeNames, asked):
		return "", fault.New(fault.Invalid, "there is no runtime %q", asked).WithHint("choose one of auto, docker, process, scripted")
	case u.Runtime == "" || u.Runtime == asked:
		return asked, nil
	case asked == Auto:
		return u.Runtime, nil
	default:
		return "", fault.New(fault.Invalid, "the engine's directory %s is used with the runtime %s: %s would lose its containers", dir, u.Runtime, asked).
			WithHint("use --runtime %s; or remove the containers first, with `slipway engine stop --clear`; or give another directory with --data", u.Runtime)
	}
}
