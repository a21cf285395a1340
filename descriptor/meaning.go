package descriptor

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/slipway-cd/slipway/fault"
)

// CheckMeaning reports what AWS would refuse although every member has the right type, in each document and between
// them: the facts are those of the ECS API reference (RegisterTaskDefinition, CreateService, UpdateService).
func CheckMeaning(docs []*Document) fault.Problems {
	var f findings
	var task *Document
	for _, d := range docs {
		if d.Kind == TaskDefinition {
			task = d
			f.taskDefinition(d.view())
		}
	}
	var created *Document
	for _, d := range docs {
		switch d.Kind {
		case ServiceDefinition:
			created = d
			f.serviceDefinition(d.view(), task)
		case ServiceUpdate:
			f.serviceUpdate(d.view(), task)
		case Autoscaling:
			f.autoscaling(d.view())
			f.besideService(d, docs)
		case ScheduledTasks:
			f.scheduledTasks(d.view(), task)
			f.besideService(d, docs)
		case TaskDefinition:
		}
	}
	for _, d := range docs {
		if d.Kind == ServiceUpdate && created != nil {
			f.sameService(created.view(), d.view())
		}
	}
	return f.problems
}

// awsName is what families, containers, services and clusters may be called.
var awsName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`) })

func (f *findings) name(w view) {
	if w.exists() && !awsName().MatchString(w.text()) {
		f.add(w, "letters, digits, _ and -, at most 255", "%s: %q is not a name that AWS takes", w.path, w.text())
	}
}

// lastPart returns what comes after the last slash: the name in an ARN.
func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// familyOf returns the family of family, family:revision, or a task definition's ARN.
func familyOf(taskDefinition string) string {
	family, _, _ := strings.Cut(lastPart(taskDefinition), ":")
	return family
}

// besideService reports a document that belongs to a service where none is described.
func (f *findings) besideService(d *Document, docs []*Document) {
	isService := func(d *Document) bool { return d.Kind == ServiceDefinition || d.Kind == ServiceUpdate }
	if !slices.ContainsFunc(docs, isService) && len(docs) > 1 {
		f.add(d.view(), "add a service definition or update", "%s belongs to a service, and no descriptor names one", d.Kind.phrase())
	}
}
