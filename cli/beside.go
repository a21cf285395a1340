package cli

import (
	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/delivery"
	"github.com/slipway-cd/slipway/descriptor"
)

// tellUnapplied tells which documents of a version are published and nothing is done with: nobody is to believe otherwise.
func (p *Program) tellUnapplied(wish delivery.Wish) {
	for _, kind := range []descriptor.Kind{descriptor.Autoscaling, descriptor.ScheduledTasks} {
		if wish.Desired.Document(kind) != nil {
			p.Say("%s the %s is published and checked, but this version of Slipway does not install it", p.Style(terminal.Warn, "note:"), kind.Words())
		}
	}
}
