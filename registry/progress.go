package registry

import (
	"crypto/sha256"
	"encoding/hex"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Progress is how far a push has come, in bytes. Total grows while it becomes known what there is to send.
type Progress struct {
	Done, Total int64
}

// follow returns a channel for updates, and one that is closed when the last has been reported.
func follow(report func(Progress)) (chan<- v1.Update, <-chan struct{}) {
	updates, reported := make(chan v1.Update), make(chan struct{})
	go func() {
		defer close(reported)
		for u := range updates {
			if report != nil && u.Error == nil {
				report(Progress{Done: u.Complete, Total: u.Total})
			}
		}
	}()
	return updates, reported
}

func sha256Of(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}
