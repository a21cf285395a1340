package ecs

import "github.com/aws/aws-sdk-go-v2/service/ecs"

// Client returns the client of the target, for commands whose calls and their order are what their callers rely on. It
// keeps to the target's limits and tries again as the target does.
func (t *Target) Client() *ecs.Client { return t.ecs }

// Sending makes a call send a document as it stands instead of its input.
func Sending(document []byte) func(*ecs.Options) { return sending(document) }

// Keeping makes a call store its answer's body as it came.
func Keeping(body *[]byte) func(*ecs.Options) { return keeping(body) }

// Failed returns an error of Client's calls as one for users: doing says what was tried, `describe service "web"`.
func (t *Target) Failed(doing string, err error) error { return t.failed(doing, err) }
