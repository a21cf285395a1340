package cli

import (
	"testing"

	"github.com/slipway-cd/slipway/deploy"
)

func TestADemoThatIsInterruptedSaysSoAndExitsAsEveryCommandDoes(t *testing.T) {
	t.Parallel()
	good, broken := demoVersion{number: "1.0.16", exit: exitDone}, demoVersion{number: "1.0.17", exit: exitRolledBack}
	for name, tc := range map[string]struct {
		version demoVersion
		came    deploy.Outcome
		exit    int
	}{
		"a good version is proven":             {good, deploy.Proven, exitDone},
		"a good version is rolled back":        {good, deploy.RolledBack, exitError},
		"a broken version is rolled back":      {broken, deploy.RolledBack, exitDone},
		"a broken version is proven":           {broken, deploy.Proven, exitError},
		"a good version is interrupted":        {good, deploy.Interrupted, exitInterrupted},
		"a broken version is interrupted":      {broken, deploy.Interrupted, exitInterrupted},
		"a broken version could not be undone": {broken, deploy.NotRolledBack, exitError},
		"a broken version comes to no end":     {broken, deploy.TimedOut, exitError},
		"somebody else deploys into the demo":  {good, deploy.Superseded, exitError},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ExitCode(tc.version.judge(tc.came)); got != tc.exit {
				t.Errorf("exit code %d, want %d", got, tc.exit)
			}
		})
	}
}

func TestADemoThatCannotSucceedIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]demoOptions{
		"no requests":       {rate: 0, speed: 20},
		"no containers":     {runtime: "scripted", rate: 100, speed: 20},
		"negative requests": {rate: -1, speed: 20},
		"no speed":          {rate: 100, speed: 0},
		"a speed backwards": {rate: 100, speed: -20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ExitCode(o.check()); got != exitUsage {
				t.Errorf("exit code %d, want %d", got, exitUsage)
			}
		})
	}
	if err := (demoOptions{runtime: "process", rate: 1, speed: 0.5}).check(); err != nil {
		t.Errorf("slow but sure: %v", err)
	}
}
