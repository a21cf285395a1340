package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Lookup says where a value is found that slipway.yaml doesn't state. Its texts are templates, which may use the values
// that are not looked up.
type Lookup struct {
	Kind      LookupKind
	Name      Text // a variable, path, parameter, secret, STACK.Output, or the path or s3:// URL of a Terraform state
	Output    Text // of a Terraform state: the output; or, in its place,
	Resource  Text // a resource by its address, for example module.net.aws_subnet.a[0],
	Attribute Text // and which attribute of it, for example arn or tags.Name
	Sensitive bool // take a sensitive one, which makes it public in the documents
}

// LookupKind is where a value is looked up.
type LookupKind string

// The kinds of look-ups. Their texts are the members that stand for them in slipway.yaml.
const (
	FromEnv            LookupKind = "env"            // an environment variable
	FromFile           LookupKind = "file"           // a file of the project, without the newline at its end
	FromSSM            LookupKind = "ssm"            // a parameter of AWS Systems Manager, no SecureString
	FromSecretARN      LookupKind = "secretArn"      // the ARN of a secret of AWS Secrets Manager, by its name
	FromCloudFormation LookupKind = "cloudformation" // an output of a stack
	FromTerraform      LookupKind = "terraform"      // an output or attribute in a state, format version 4
)

var lookupKinds = []LookupKind{FromEnv, FromFile, FromSSM, FromSecretARN, FromCloudFormation, FromTerraform}

// String says what is looked up: `SSM parameter "/qa/db/host"`.
func (l Lookup) String() string {
	switch l.Kind {
	case FromEnv:
		return fmt.Sprintf("environment variable %q", l.Name)
	case FromFile:
		return fmt.Sprintf("file %q", l.Name)
	case FromSSM:
		return fmt.Sprintf("SSM parameter %q", l.Name)
	case FromSecretARN:
		return fmt.Sprintf("the ARN of secret %q", l.Name)
	case FromCloudFormation:
		return fmt.Sprintf("CloudFormation output %q", l.Name)
	case FromTerraform:
		if l.Output.IsZero() {
			return fmt.Sprintf("%s of %s in Terraform state %q", l.Attribute, l.Resource, l.Name)
		}
		return fmt.Sprintf("output %q of Terraform state %q", l.Output, l.Name)
	}
	return string(l.Kind)
}

// Texts returns the look-up's templates, to be expanded in place.
func (l *Lookup) Texts() []*Text { return []*Text{&l.Name, &l.Output, &l.Resource, &l.Attribute} }

func (r *reader) lookup(n *yaml.Node, path string) *Lookup {
	known := []string{"output", "resource", "attribute", "sensitive"}
	for _, k := range lookupKinds {
		known = append(known, string(k))
	}
	o, ok := r.object(n, path, known...)
	if !ok {
		return nil
	}
	l := &Lookup{}
	for _, k := range lookupKinds {
		if o.find(string(k)) == nil {
			continue
		}
		if l.Kind != "" {
			r.problem(o.find(string(k)).key, "keep one", "%s: a value is found in one place, and %s is another", path, k)
			continue
		}
		l.Kind, l.Name = k, o.text(string(k))
	}
	l.Output, l.Resource, l.Attribute = o.text("output"), o.text("resource"), o.text("attribute")
	l.Sensitive = o.boolean("sensitive", false)
	r.lookupParts(o, l)
	return l
}

// lookupParts reports members that don't go together.
func (r *reader) lookupParts(o *object, l *Lookup) {
	literal := !strings.Contains(l.Name.Text, "${")
	switch {
	case l.Kind == "" && len(o.members) > 0:
		r.problem(o.node, "one of env, file, ssm, secretArn, cloudformation, terraform", "%s: where to look is missing", o.path)
	case l.Kind == "":
		r.problem(o.node, "for example {ssm: /qa/db/host}", "%s: expected a value, or where to look it up", o.path)
	case l.Kind == FromTerraform:
		r.terraformParts(o)
	default:
		for _, name := range []string{"output", "resource", "attribute", "sensitive"} {
			if m := o.find(name); m != nil {
				r.problem(m.key, "remove it", "%s belongs to terraform, and this is %s", o.name(name), l.Kind)
			}
		}
	}
	switch stack, output := CutOutput(l.Name.Text); {
	case l.Kind == FromCloudFormation && literal && (stack == "" || output == "") && !l.Name.IsZero():
		r.problems.Add(l.Name.Position, "write STACK.Output", "%s: %q doesn't name a stack and one of its outputs", o.name(string(l.Kind)), l.Name)
	case (l.Kind == FromFile || l.Kind == FromTerraform) && filepath.IsAbs(l.Name.Text):
		r.problems.Add(l.Name.Position, "write it relative to "+FileName, "%s: %q is an absolute path", o.name(string(l.Kind)), l.Name)
	}
}

func (r *reader) terraformParts(o *object) {
	given := []bool{o.find("output") != nil, o.find("resource") != nil, o.find("attribute") != nil}
	if !slices.Equal(given, []bool{true, false, false}) && !slices.Equal(given, []bool{false, true, true}) {
		r.problem(o.node, "for example {terraform: terraform.tfstate, output: db_host}, or resource: aws_db_instance.main with attribute: address",
			"%s: expected either output, or resource and attribute", o.path)
	}
}

// CutOutput takes the name of a stack's output apart. Names of stacks have no dots.
func CutOutput(name string) (stack, output string) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return name, ""
	}
	return name[:i], name[i+1:]
}
