package state

import (
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
)

// Namespace groups the services of AWS Cloud Map, which are registries here, under one name. Doc is what Cloud Map describes.
type Namespace struct {
	ID   string // "ns-…"
	Doc  types.Namespace
	Tags []types.Tag
}

func (n *Namespace) Kind() Kind  { return KindNamespace }
func (n *Namespace) Key() string { return n.ID }

// Registry is what Cloud Map calls a service: the name in a namespace that instances are found under. Doc is what it describes.
type Registry struct {
	ID        string // "srv-…"
	Namespace string // its id; empty for none
	Doc       types.Service
	Tags      []types.Tag
}

func (r *Registry) Kind() Kind  { return KindRegistry }
func (r *Registry) Key() string { return r.ID }

// Registered is an instance that somebody has registered. Those of tasks have no records: they are drawn from the tasks.
type Registered struct {
	Registry string // its id
	Doc      types.Instance
	Health   types.HealthStatus
}

func (i *Registered) Kind() Kind  { return KindRegistered }
func (i *Registered) Key() string { return i.Registry + "/" + aws.ToString(i.Doc.Id) }

// Operation is something that Cloud Map was asked to do. It has been done.
type Operation struct {
	ID  string
	Doc types.Operation
}

func (o *Operation) Kind() Kind  { return KindOperation }
func (o *Operation) Key() string { return o.ID }

// registryOfRevision is the ARN of the registry that the tasks of a revision are found in; empty for none.
func registryOfRevision(r *Revision) string {
	if len(r.Doc.ServiceRegistries) == 0 {
		return ""
	}
	return aws.ToString(r.Doc.ServiceRegistries[0].RegistryArn)
}

// Namespace returns the namespace with that id.
func (s Snapshot) Namespace(id string) (*Namespace, bool) {
	return get[*Namespace](s, KindNamespace, id)
}

// Namespaces returns all namespaces, by id.
func (s Snapshot) Namespaces() iter.Seq[*Namespace] { return all[*Namespace](s, KindNamespace, "") }

// Registry returns the registry with that id.
func (s Snapshot) Registry(id string) (*Registry, bool) { return get[*Registry](s, KindRegistry, id) }

// Registries returns all registries, by id.
func (s Snapshot) Registries() iter.Seq[*Registry] { return all[*Registry](s, KindRegistry, "") }

// RegistriesOf returns the registries of a namespace, by id.
func (s Snapshot) RegistriesOf(namespace string) iter.Seq[*Registry] {
	return all[*Registry](s, KindRegistry, byOwner, namespace)
}

// RegisteredIn returns the instances that somebody has registered in a registry, by id.
func (s Snapshot) RegisteredIn(registry string) iter.Seq[*Registered] {
	return all[*Registered](s, KindRegistered, byOwner, registry)
}

// Registered returns an instance that somebody has registered.
func (s Snapshot) Registered(registry, id string) (*Registered, bool) {
	return get[*Registered](s, KindRegistered, registry+"/"+id)
}

// Operation returns the operation with that id.
func (s Snapshot) Operation(id string) (*Operation, bool) {
	return get[*Operation](s, KindOperation, id)
}

// Operations returns all operations, by id.
func (s Snapshot) Operations() iter.Seq[*Operation] { return all[*Operation](s, KindOperation, "") }

// RevisionsIn returns the service revisions whose tasks are found in the registry with that ARN, by ARN.
func (s Snapshot) RevisionsIn(registry string) iter.Seq[*Revision] {
	return all[*Revision](s, KindRevision, byRegistry, registry)
}
