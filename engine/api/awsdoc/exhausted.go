package awsdoc

import (
	"github.com/slipway-cd/slipway/fault"
)

// Exhausted tells whether an error says that the engine has no address left to give out, and in which words clients are
// told: as a quota that is used up, which is what an AWS account would meet first.
func Exhausted(err error) (message *string, ok bool) {
	if err == nil || fault.KindOf(err) != fault.Unavailable {
		return nil, false
	}
	return Text("%v. Container instances, load balancers and tasks with network mode awsvpc have an address each: "+
		"delete clusters, load balancers or tasks that are no longer needed.", err), true
}
