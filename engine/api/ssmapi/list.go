package ssmapi

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// GetParametersByPath returns the values of the parameters right below a path, or of all below it.
func (s *Server) GetParametersByPath(_ context.Context, in *ssm.GetParametersByPathInput) (*ssm.GetParametersByPathOutput, error) {
	path := awsdoc.Or(in.Path, "")
	if !strings.HasPrefix(path, "/") {
		return nil, validation("The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\".")
	}
	tests, err := filters(in.ParameterFilters, "Type", "KeyId", "Label")
	if err != nil {
		return nil, err
	}
	snap := s.engine.DB().Read()
	names, next, err := page(choose(snap, append(tests, below(path, awsdoc.Or(in.Recursive, false)))), in.NextToken, in.MaxResults, 10)
	if err != nil {
		return nil, err
	}
	out := &ssm.GetParametersByPathOutput{Parameters: []types.Parameter{}, NextToken: next}
	for _, name := range names {
		p, _ := snap.Parameter(name)
		out.Parameters = append(out.Parameters, answer(p, p.Newest(), "", awsdoc.Or(in.WithDecryption, false)))
	}
	return out, nil
}

// DescribeParameters tells all of parameters but their values.
func (s *Server) DescribeParameters(_ context.Context, in *ssm.DescribeParametersInput) (*ssm.DescribeParametersOutput, error) {
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, validation("You can use either Filters or ParameterFilters in a single request.")
	}
	tests, err := filters(append(modern(in.Filters), in.ParameterFilters...), "Name", "Type", "KeyId", "Path", "Label", "Tier", "DataType", "tag:")
	if err != nil {
		return nil, err
	}
	snap := s.engine.DB().Read()
	names, next, err := page(choose(snap, tests), in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := &ssm.DescribeParametersOutput{Parameters: []types.ParameterMetadata{}, NextToken: next}
	for _, name := range names {
		p, _ := snap.Parameter(name)
		var doc types.ParameterMetadata
		awsdoc.Assign(&doc, new(p.Newest()))
		doc.ARN, doc.Name = &p.ARN, &p.Name
		out.Parameters = append(out.Parameters, doc)
	}
	return out, nil
}

// modern turns the older form of filters into the newer: names are compared by how they begin.
func modern(list []types.ParametersFilter) []types.ParameterStringFilter {
	var all []types.ParameterStringFilter
	for _, f := range list {
		n := types.ParameterStringFilter{Key: awsdoc.Text("%s", f.Key), Values: f.Values}
		if f.Key == types.ParametersFilterKeyName {
			n.Option = awsdoc.Text("BeginsWith")
		}
		all = append(all, n)
	}
	return all
}

type test func(*state.Parameter) bool

func choose(snap state.Snapshot, tests []test) []string {
	var names []string
	for p := range snap.Parameters() {
		if !slices.ContainsFunc(tests, func(passes test) bool { return !passes(p) }) {
			names = append(names, p.Name)
		}
	}
	return names
}

// below passes the parameters in a level of the hierarchy, or in all levels below it.
func below(path string, recursive bool) test {
	prefix := strings.TrimSuffix(path, "/") + "/"
	return func(p *state.Parameter) bool {
		rest, ok := strings.CutPrefix(p.Name, prefix)
		return ok && (recursive || !strings.Contains(rest, "/"))
	}
}

// filters makes tests of filters with these keys; "tag:" stands for all that begin so.
func filters(list []types.ParameterStringFilter, keys ...string) ([]test, error) {
	var tests []test
	for _, f := range list {
		key := awsdoc.Or(f.Key, "")
		kind := key
		if strings.HasPrefix(key, "tag:") {
			kind = "tag:"
		}
		if !slices.Contains(keys, kind) {
			return nil, &types.InvalidFilterKey{Message: awsdoc.Text("The following filter key is not valid: %s. Valid filter keys include: [%s].",
				key, strings.Join(keys, ", "))}
		}
		one, err := filter(kind, key, awsdoc.Or(f.Option, ""), f.Values)
		if err != nil {
			return nil, err
		}
		tests = append(tests, one)
	}
	return tests, nil
}

func filter(kind, key, option string, values []string) (test, error) {
	if kind == "Path" {
		if option != "" && option != "OneLevel" && option != "Recursive" {
			return nil, badOption(option, "OneLevel, Recursive")
		}
		return func(p *state.Parameter) bool {
			return slices.ContainsFunc(values, func(v string) bool { return below(v, option == "Recursive")(p) })
		}, nil
	}
	compare := map[string]func(s, v string) bool{
		"": equal, "Equals": equal, "BeginsWith": strings.HasPrefix, "Contains": strings.Contains,
	}[option]
	if compare == nil {
		return nil, badOption(option, "Equals, BeginsWith, Contains")
	}
	return func(p *state.Parameter) bool {
		return slices.ContainsFunc(texts(p, kind, key), func(text string) bool {
			return len(values) == 0 || slices.ContainsFunc(values, func(v string) bool { return compare(text, v) })
		})
	}, nil
}

func equal(s, v string) bool { return s == v }

func badOption(option, valid string) error {
	return &types.InvalidFilterOption{Message: awsdoc.Text("The following filter option is not valid: %s. Valid options include: [%s].", option, valid)}
}

// texts are what a filter is compared with.
func texts(p *state.Parameter, kind, key string) []string {
	v := p.Newest()
	switch kind {
	case "Name":
		return []string{p.Name}
	case "Type":
		return []string{string(v.Type)}
	case "Tier":
		return []string{string(v.Tier)}
	case "KeyId":
		return []string{awsdoc.Or(v.KeyId, "")}
	case "DataType":
		return []string{awsdoc.Or(v.DataType, "")}
	case "Label":
		return v.Labels
	default: // tag:KEY
		var list []string
		for _, t := range p.Tags {
			if "tag:"+awsdoc.Or(t.Key, "") == key {
				list = append(list, awsdoc.Or(t.Value, ""))
			}
		}
		return list
	}
}
