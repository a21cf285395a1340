package execapi

import (
	"strings"

	"github.com/slipway-cd/slipway/fault"
)

// words splits a command into its words as a shell would, with quotes and backslashes and nothing else: no variables, no
// pipes. It returns a fault of the kind Invalid for a quote that is not closed. [amazon-ssm-agent, shell plugin in containers]
func words(command string) ([]string, error) {
	var list []string
	var word strings.Builder
	begun, quote := false, rune(0)
	escaped := false
	for _, r := range command {
		switch {
		case escaped:
			if quote == '"' && r != '"' && r != '\\' {
				word.WriteRune('\\')
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, begun = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, begun = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if begun {
				list = append(list, word.String())
				word.Reset()
				begun = false
			}
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 || escaped {
		return nil, fault.New(fault.Invalid, "the command %q ends within a quote", command)
	}
	if begun {
		list = append(list, word.String())
	}
	if len(list) == 0 {
		return nil, fault.New(fault.Invalid, "the command is empty")
	}
	return list, nil
}
