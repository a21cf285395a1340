package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
	"github.com/slipway-cd/slipway/traffic"
)

// demoReport is what `slipway demo --output json` ends with.
type demoReport struct {
	Runtime  string         `json:"runtime"`        // what ran the containers, in words
	Versions []demoOutcome  `json:"versions"`       // in the order of their deployment
	Traffic  traffic.Report `json:"traffic"`        // every answer, counted
	Wanted   int            `json:"requestsWanted"` // so many requests at the least
	Seconds  float64        `json:"seconds"`        // that all of it took
}

type demoOutcome struct {
	Version   string             `json:"version"`
	Outcome   deploy.Outcome     `json:"outcome"`
	Seconds   float64            `json:"seconds"`
	Diagnosis *rollout.Diagnosis `json:"diagnosis,omitempty"`
}

// conclude tells what the demo showed; it is an error when a request was lost.
func (d *demonstration) conclude(r demoReport) error {
	if d.output == outputJSON {
		if err := d.JSONLine(r); err != nil {
			return err
		}
	} else {
		d.showReport(r)
	}
	if r.Traffic.Failed > 0 {
		return fault.New(fault.Internal, "%d of %d requests failed: %v", r.Traffic.Failed, r.Traffic.Sent, r.Traffic.Failures)
	}
	return nil
}

func (d *demonstration) showReport(r demoReport) {
	d.heading("What this showed, in %.0f s", r.Seconds)
	t := terminal.Table{}
	for _, v := range r.Versions {
		why := ""
		if v.Diagnosis != nil {
			why = string(v.Diagnosis.Cause)
		}
		t.Add(v.Version, string(v.Outcome), fmt.Sprintf("%.1f s", v.Seconds), why)
	}
	d.Table(t)
	tone := terminal.Good
	if r.Traffic.Failed > 0 {
		tone = terminal.Bad
	}
	d.Printf("%s\n", d.Style(tone, fmt.Sprintf("%d failed requests out of %d", r.Traffic.Failed, r.Traffic.Sent)))
	for _, v := range slices.Sorted(maps.Keys(r.Traffic.Versions)) {
		d.Printf("  %6d answered by %s\n", r.Traffic.Versions[v], v)
	}
	d.Printf("  half of the answers took %v, 99 %% at most %v, the slowest %v\n",
		r.Traffic.P50.Round(10*time.Microsecond), r.Traffic.P99.Round(10*time.Microsecond), r.Traffic.Slowest.Round(10*time.Microsecond))
}

// leave keeps the engine up until the user ends it, and says what can be tried.
func (d *demonstration) leave(ctx context.Context) error {
	d.heading("The engine stays up until you press Ctrl-C. Try, in another terminal:")
	d.Say("  export AWS_ENDPOINT_URL=%s AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo AWS_REGION=us-east-1", d.engine.Endpoint())
	d.Say("  slipway status --cluster %s --service hid-generator", demoCluster)
	d.Say("  slipway rollback --cluster %s --service hid-generator", demoCluster)
	d.Say("  curl -i http://%s/", d.address)
	d.Say("  aws --endpoint-url $AWS_ENDPOINT_URL ecs describe-services --cluster %s --services hid-generator", demoCluster)
	d.Say("  cd %s      # the example project: change it, then", d.project)
	d.Say("  slipway deploy --set registry=%s --set clusterName=%s", d.engine.Addr(), demoCluster)
	select {
	case <-ctx.Done():
	case <-d.engine.StopAsked():
	}
	return nil
}
