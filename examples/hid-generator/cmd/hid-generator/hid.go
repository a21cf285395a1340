package main

import (
	"fmt"
	"math/rand/v2"
)

var (
	adjectives = []string{
		"amber", "brave", "calm", "clever", "crisp", "eager", "fair", "fond", "gentle", "golden", "happy", "honest",
		"jolly", "keen", "kind", "lively", "lucky", "mellow", "merry", "mild", "noble", "proud", "quick", "quiet",
		"rapid", "sharp", "silver", "snug", "sunny", "swift", "warm", "wise",
	}
	animals = []string{
		"badger", "beaver", "bison", "crane", "dolphin", "eagle", "falcon", "ferret", "finch", "fox", "gecko", "hare",
		"heron", "ibex", "jackal", "koala", "lemur", "lynx", "marten", "moose", "newt", "otter", "owl", "panda",
		"puffin", "raven", "robin", "seal", "stork", "tapir", "walrus", "wren",
	}
)

// newHID returns an identifier that people can read to each other over the telephone: swift-otter-4821. There are ten
// million; it is no secret.
func newHID() string {
	return fmt.Sprintf("%s-%s-%04d", adjectives[rand.IntN(len(adjectives))], animals[rand.IntN(len(animals))], rand.IntN(10_000)) //nolint:gosec // no secret
}
