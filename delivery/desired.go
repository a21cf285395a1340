package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/slipway-cd/slipway/artifact"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// Wish is a published version on its way to a scheduler: what should run, and how to bring it there.
type Wish struct {
	Desired rollout.Desired
	Policy  rollout.Policy
	Sum     string // SHA-256 of the version's manifest
}

// Wanted turns a published version into what an environment should run.
func (w *Workspace) Wanted(ctx context.Context, b artifact.Bundle, env config.Environment) (Wish, error) {
	docs := rollout.Documents{}
	for _, kind := range descriptor.Kinds() {
		if body, ok := b.File(env.Name, string(kind)+".json"); ok {
			docs[kind] = body
		}
	}
	ref, err := Reference(docs)
	if err != nil {
		return Wish{}, fault.New(fault.Invalid, "version %s of %s cannot be installed: %w", b.Manifest.Version, b.Manifest.Project, err)
	}
	wish := Wish{
		Desired: rollout.Desired{Ref: ref, Version: b.Manifest.Version.String()},
		Policy:  rollout.Policy{Timeout: env.Policy.Timeout, Bake: env.Policy.Bake, Rollback: env.Policy.Rollback},
		Sum:     b.Manifest.Sum,
	}
	values := w.Values(env, b.Manifest.Version, b.Manifest.Image.Digest)
	for _, c := range w.Project.Checks {
		check, err := w.expandCheck(ctx, env, c, values)
		if err != nil {
			return Wish{}, err
		}
		wish.Desired.Checks = append(wish.Desired.Checks, check)
	}
	return wish, nil
}

// loadBalancer stays in a check's URL until the rollout knows it.
const loadBalancer = "loadBalancer"

func (w *Workspace) expandCheck(ctx context.Context, env config.Environment, c config.Check, values config.Values) (rollout.Check, error) {
	values = config.Merge(values, config.Values{loadBalancer: {Text: "${" + loadBalancer + "}"}})
	url, err := w.expandText(ctx, env, c.HTTP, values)
	if err != nil {
		return rollout.Check{}, err
	}
	body, err := w.expandText(ctx, env, c.Body, values)
	if err != nil {
		return rollout.Check{}, err
	}
	check := rollout.Check{URL: url, Body: body, Timeout: c.Timeout}
	if url != "" {
		check.Status = c.Status
	}
	if check.Command, err = w.expandWords(ctx, env, c.Command, values); err != nil {
		return rollout.Check{}, err
	}
	check.Alarms, err = w.expandWords(ctx, env, c.Alarms, values)
	return check, err
}

func (w *Workspace) expandWords(ctx context.Context, env config.Environment, words []config.Text, values config.Values) ([]string, error) {
	var all []string
	for _, word := range words {
		text, err := w.expandText(ctx, env, word, values)
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}

// Reference reads from the descriptors which service they are about.
func Reference(docs rollout.Documents) (rollout.ServiceRef, error) {
	var definition struct{ Family string }
	var service struct{ Cluster, ServiceName, Service string }
	if err := read(docs, descriptor.TaskDefinition, &definition); err != nil {
		return rollout.ServiceRef{}, err
	}
	for _, kind := range []descriptor.Kind{descriptor.ServiceUpdate, descriptor.ServiceDefinition} {
		if _, ok := docs[kind]; ok {
			if err := read(docs, kind, &service); err != nil {
				return rollout.ServiceRef{}, err
			}
		}
	}
	name := service.ServiceName
	if name == "" {
		name = service.Service
	}
	if name == "" {
		return rollout.ServiceRef{}, fault.New(fault.Invalid, "no descriptor names a service")
	}
	if service.Cluster == "" {
		service.Cluster = "default"
	}
	return rollout.ServiceRef{
		Cluster: rollout.ClusterName(shortName(service.Cluster)), Service: rollout.ServiceName(shortName(name)),
		Family: rollout.Family(definition.Family), Wanted: docs,
	}, nil
}

func read(docs rollout.Documents, kind descriptor.Kind, into any) error {
	body, ok := docs[kind]
	if !ok {
		return fault.New(fault.NotFound, "the %s is missing", kind.Words())
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("the %s is no JSON: %w", kind.Words(), err)
	}
	return nil
}

// shortName returns the name at the end of an ARN, or the name itself.
func shortName(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }
