package cli

import (
	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/cli/ecsdeploy"
)

// ecsDeployCommand hands all its arguments on as they are: its flags are written and read as the script does.
func (p *Program) ecsDeployCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "ecs-deploy -c CLUSTER -n SERVICE -i IMAGE [flags]",
		Short: "Deploy with the flags of the ecs-deploy script",
		Long: `Do what the ecs-deploy script does, with its flags, its order of calls and its exit codes, but without its
mistakes. There is also a program of its own, ecs-deploy, for jobs that call it by that name.

A flag and its value are two words; --flag=value is not known, and -to is one flag. Nothing of slipway.yaml
is read. Standard output is the ARN of the new revision, and that of the task with --run-task.

Exit codes: 0 done, 1 it failed, 3 no or unknown argument, 5 neither -n nor -d, 6 both, 7 no -c, 8 no -i, 9
--max-definitions is no number, 10 --launch-type, 11 --network-configuration or --wait-for-success, 12
--platform-version without --run-task, 13 -i is no image.`,
		Example: "  slipway ecs-deploy -c production -n web -i registry.example.com/web:1.0.16.RELEASE -t 300 --enable-rollback\n" +
			"  slipway ecs-deploy -c production -n web --force-new-deployment\n" +
			"  slipway ecs-deploy -d migrate -i registry.example.com/web:1.0.16.RELEASE --run-task --wait-for-success -c production",
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			room := &ecsdeploy.Program{Name: c.CommandPath(), Version: p.Version, Out: p.Out, Err: p.Err, Environ: p.Environ}
			if code := ecsdeploy.Main(c.Context(), room, args); code != exitDone {
				return quiet{code}
			}
			return nil
		},
	}
	for _, f := range ecsdeploy.Flags { // for the help alone
		short := f.Short
		usage := f.Usage
		if len(short) > 1 {
			short, usage = "", usage+"; also written -"+f.Short
		}
		if f.Value == "" {
			c.Flags().BoolP(f.Long, short, false, usage)
		} else {
			c.Flags().StringP(f.Long, short, "", usage)
		}
	}
	return c
}
