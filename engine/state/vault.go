package state

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	secrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	ssm "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Secret is a secret of Secrets Manager. Doc is what is described of it, without its values; which version has which
// stages is in Versions alone.
type Secret struct {
	Name     string
	Doc      secrets.SecretListEntry
	Versions []SecretVersion // oldest first
}

// SecretVersion is one value that a secret has or had. It has a text or bytes, or neither while nothing was put.
type SecretVersion struct {
	ID      string
	Stages  []string // "AWSCURRENT", "AWSPREVIOUS" and whatever else; none: deprecated
	Created time.Time
	Text    *string
	Bytes   []byte
}

func (s *Secret) Kind() Kind  { return KindSecret }
func (s *Secret) Key() string { return s.Name }

// The stages that Secrets Manager moves by itself.
const (
	StageCurrent  = "AWSCURRENT"
	StagePrevious = "AWSPREVIOUS"
)

// Version returns the version with that id, stage, or both; the current one when neither is given.
func (s *Secret) Version(id, stage string) (SecretVersion, bool) {
	if id == "" && stage == "" {
		stage = StageCurrent
	}
	for _, v := range s.Versions {
		if (id == "" || v.ID == id) && (stage == "" || slices.Contains(v.Stages, stage)) {
			return v, true
		}
	}
	return SecretVersion{}, false
}

// Parameter is a parameter of Systems Manager with its history: oldest version first, the last one is in force.
type Parameter struct {
	Name    string
	ARN     string
	History []ssm.ParameterHistory
	Tags    []ssm.Tag
}

func (p *Parameter) Kind() Kind  { return KindParameter }
func (p *Parameter) Key() string { return p.Name }

// Newest returns the version in force.
func (p *Parameter) Newest() ssm.ParameterHistory { return p.History[len(p.History)-1] }

// Secret returns the secret with that name.
func (s Snapshot) Secret(name string) (*Secret, bool) { return get[*Secret](s, KindSecret, name) }

// SecretByARN returns the secret with that ARN.
func (s Snapshot) SecretByARN(arn string) (*Secret, bool) {
	for found := range all[*Secret](s, KindSecret, byARN, arn) {
		return found, true
	}
	return nil, false
}

// Secrets returns all secrets, by name.
func (s Snapshot) Secrets() iter.Seq[*Secret] { return all[*Secret](s, KindSecret, "") }

// Parameter returns the parameter with that name.
func (s Snapshot) Parameter(name string) (*Parameter, bool) {
	return get[*Parameter](s, KindParameter, name)
}

// Parameters returns all parameters, by name.
func (s Snapshot) Parameters() iter.Seq[*Parameter] { return all[*Parameter](s, KindParameter, "") }

// FindSecret finds a secret by what clients call it: its name, its ARN, or its ARN without the six characters at its
// end. [API reference, GetSecretValue, SecretId]
func (s Snapshot) FindSecret(id string) (*Secret, bool) {
	_, name, isARN := strings.Cut(id, ":secret:")
	if !isARN {
		return s.Secret(id)
	}
	if found, ok := s.SecretByARN(id); ok {
		return found, true
	}
	found, ok := s.Secret(name)
	if !ok || !strings.HasPrefix(*found.Doc.ARN, id+"-") {
		return nil, false
	}
	return found, true
}

// FindParameter finds a version of a parameter by what clients call it: name, name:version, name:label, or any of them
// at the end of its ARN; "selector" is what follows the name. [API reference, GetParameter, Name]
func (s Snapshot) FindParameter(id string) (p *Parameter, version ssm.ParameterHistory, selector string, ok bool) {
	_, resource, isARN := strings.Cut(id, ":parameter/")
	if isARN {
		id = resource
	}
	name, selector, selected := strings.Cut(id, ":")
	if p, ok = s.Parameter(name); !ok && isARN {
		p, ok = s.Parameter("/" + name) // the ARN of /a/b ends with parameter/a/b
	}
	if !ok {
		return nil, version, selector, false
	}
	if !selected {
		return p, p.Newest(), "", true
	}
	for _, v := range p.History {
		if strconv.FormatInt(v.Version, 10) == selector || slices.Contains(v.Labels, selector) {
			return p, v, selector, true
		}
	}
	return p, version, selector, false
}
