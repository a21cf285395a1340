package state

import (
	"fmt"
	"net/netip"
	"time"

	classic "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// ClassicBalancer is a classic load balancer. Doc is what AWS describes; its instances are told by its targets.
type ClassicBalancer struct {
	Name       string
	Address    netip.Addr // where it listens; also its DNS name
	Doc        classic.LoadBalancerDescription
	Attributes classic.LoadBalancerAttributes
	Tags       []classic.Tag
}

func (b *ClassicBalancer) Kind() Kind  { return KindClassicBalancer }
func (b *ClassicBalancer) Key() string { return b.Name }

// ClassicGroup is the Group of the targets of the classic load balancer with that name.
func ClassicGroup(name string) string { return "classic/" + name }

// Balancer is an application or network load balancer. Doc is what AWS describes.
type Balancer struct {
	ARN        string
	Address    netip.Addr // where it listens; also its DNS name
	Doc        v2.LoadBalancer
	Attributes map[string]string
	Tags       []v2.Tag
}

func (b *Balancer) Kind() Kind  { return KindBalancer }
func (b *Balancer) Key() string { return b.ARN }

// Listener is a port of a load balancer; what it does with a request its rules tell, its default rule last.
type Listener struct {
	ARN      string
	Balancer string // ARN
	Doc      v2.Listener

	Attributes   map[string]string // those that were set; nil: none
	Certificates []v2.Certificate  // further ones than Doc's
	Tags         []v2.Tag
}

func (l *Listener) Kind() Kind  { return KindListener }
func (l *Listener) Key() string { return l.ARN }

// Rule is one rule of a listener. Doc is what AWS describes: priority, conditions, actions.
type Rule struct {
	ARN      string
	Listener string // ARN
	Doc      v2.Rule
	Tags     []v2.Tag
}

func (r *Rule) Kind() Kind  { return KindRule }
func (r *Rule) Key() string { return r.ARN }

// TargetGroup is a set of targets and how their health is checked. Doc is what AWS describes.
type TargetGroup struct {
	ARN        string
	Doc        v2.TargetGroup
	Attributes map[string]string
	Tags       []v2.Tag
}

func (g *TargetGroup) Kind() Kind  { return KindTargetGroup }
func (g *TargetGroup) Key() string { return g.ARN }

// Target is one place that a load balancer sends requests to: an instance or an address, and a port.
type Target struct {
	Group      string // ARN of the target group, or ClassicGroup
	ID         string // EC2 instance id, or IP address, as it was registered
	Port       int    // the port it was registered with; for classic load balancers the instance port
	Zone       string
	Address    netip.AddrPort // where it really listens
	Task       TaskID         // the task behind it; empty when it was registered by hand
	Registered time.Time

	Health      v2.TargetHealthStateEnum // initial, healthy, unhealthy, unused, draining
	Reason      v2.TargetHealthReasonEnum
	Description string    // "Health checks failed with these codes: [503]"
	Since       time.Time // when Health became what it is
	Draining    time.Time // when it was deregistered; zero while it takes new requests
}

func (t *Target) Kind() Kind  { return KindTarget }
func (t *Target) Key() string { return TargetKey(t.Group, t.ID, t.Port) }

// TargetKey returns the key of a target: a group knows an id and port once.
func TargetKey(group, id string, port int) string { return fmt.Sprintf("%s|%s|%d", group, id, port) }
