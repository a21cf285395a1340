package state

import (
	"iter"
	"strings"
)

// TokenSeparator stands in a task's Token between the client token of the request that started it and the request's digest.
const TokenSeparator = "\x00" // AWS allows none in a token

func tokenOfTask(t *Task) string {
	name, _, _ := strings.Cut(t.Token, TokenSeparator)
	return name
}

// ServicesOfToken returns the services that were created under a client token, whatever their status.
func (s Snapshot) ServicesOfToken(token string) iter.Seq[*Service] {
	return all[*Service](s, KindService, byToken, token)
}

// TasksOfToken returns the tasks that were started under a client token, whatever the request.
func (s Snapshot) TasksOfToken(token string) iter.Seq[*Task] {
	return all[*Task](s, KindTask, byToken, token)
}
