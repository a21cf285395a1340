package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// programVersion is what `slipway version --output json` writes.
type programVersion struct {
	Version  string `json:"version"`
	Go       string `json:"go"`       // that it was built with
	Platform string `json:"platform"` // operating system and architecture
}

func (p *Program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Tell which Slipway this is",
		Example: "  slipway version --output json",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			if p.output == outputJSON {
				return p.JSON(programVersion{p.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
			}
			p.Printf("slipway %s (%s, %s/%s)\n", p.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
