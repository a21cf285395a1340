package acceptance

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScript runs the command line as its users do: each script under testdata/script is one thing that it shows.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"), Setup: setUp, Cmds: commands,
		RequireUniqueNames: true, UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}

// setUp gives a script a home of its own and nothing of the machine's: no CI variables, no git or AWS configuration.
func setUp(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, ".home")
	if err := os.Mkdir(home, 0o755); err != nil {
		return err
	}
	env.Vars = append(env.Vars,
		"HOME="+home, "XDG_STATE_HOME="+home, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z",
		"SLIPWAY_NO_VERIFY=1",      // where containers are scripted there are no images; those scripts that verify unset it
		"GORACE=atexit_sleep_ms=0", // the race detector would have every command sleep for a second at its end
		"GOCACHE="+machine("GOCACHE", "go-build"), "GOFLAGS="+os.Getenv("GOFLAGS"),
	)
	return nil
}

// machine returns where the machine's Go keeps something, so that scripts that build need not begin from nothing.
func machine(variable, name string) string {
	if dir := os.Getenv(variable); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, name)
}

// commands are what scripts can call besides testscript's own commands.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"exits":    exits,
	"project":  project,
	"write":    writeLine,
	"replace":  replace,
	"capture":  capture,
	"engine":   startEngine,
	"detached": detached,
	"cluster":  createCluster,
	"balancer": createBalancer,
	"shifter":  createShifter,

	"parameter": putParameter,
	"secret":    createSecret,
	"recording": recordRequests,

	"pushed":      pushImage,
	"role":        createRole,
	"targetgroup": createTargetGroup,

	"alarm":   setAlarm,
	"answer":  answer,
	"written": written,
}
