package conformance

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// names gives everything that has an identifier a short name: deployments D1, D2 in the order in which they were made,
// tasks numbers in the order in which they were started, service deployments S1, S2.
//
// Tasks that were started together are alike, and which of them is stopped first is chance. So a task gets its number when it
// is told of by itself for the first time: the lowest that is left of those that were started with it.
type names struct {
	deployments, histories map[string]string
	tasks                  map[string]*named
	places                 map[string]string // task → where it is
	starts                 map[string]string // tasks that were started together → what tells so
	started                int
	others                 map[string]string // identifier → name
	refs                   map[string]string // $name → identifier
}

// named is a task among those that were started with it.
type named struct {
	number int // 0: it has none yet
	peers  *[]int
}

func newNames() *names {
	return &names{
		deployments: map[string]string{}, histories: map[string]string{}, tasks: map[string]*named{}, places: map[string]string{}, starts: map[string]string{}, others: map[string]string{},
		refs: map[string]string{},
	}
}

// began notes tasks that were started together.
func (n *names) began(ids ...string) {
	var numbers []int
	for _, id := range ids {
		if n.tasks[id] == nil {
			n.started++
			numbers = append(numbers, n.started)
			n.tasks[id] = &named{peers: &numbers}
		}
	}
}

// task returns the name of a task.
func (n *names) task(id string) string {
	t := n.tasks[id]
	if t == nil {
		n.began(id)
		t = n.tasks[id]
	}
	if t.number == 0 {
		t.number, *t.peers = (*t.peers)[0], (*t.peers)[1:]
		n.refs[fmt.Sprintf("task.%d", t.number)] = id
	}
	return fmt.Sprint(t.number)
}

// rank orders tasks before they have names: by when they were started.
func (n *names) rank(id string) int {
	t := n.tasks[id]
	switch {
	case t == nil:
		return n.started + 1
	case t.number != 0:
		return t.number
	default:
		return (*t.peers)[0]
	}
}

// deployment names a deployment by its id, ecs-svc/NUMBER.
func (n *names) deployment(id string) string {
	number := strings.TrimPrefix(id, "ecs-svc/")
	if n.deployments[number] == "" {
		n.deployments[number] = fmt.Sprintf("D%d", len(n.deployments)+1)
	}
	return n.deployments[number]
}

// history names a service deployment by its ARN. "$deployment" is the newest one.
func (n *names) history(arn string) string {
	if n.histories[arn] == "" {
		n.histories[arn] = fmt.Sprintf("S%d", len(n.histories)+1)
		n.refs["deployment"] = arn
	}
	return n.histories[arn]
}

// other gives something else a name, by which steps may refer to it: kind.name.
func (n *names) other(kind, id, name string) {
	n.others[id], n.refs[kind+"."+name] = name, id
}

var (
	startEvent = regexp.MustCompile(`has started \d+ tasks: ((?:\(task [0-9a-f]{32}\) ?)+)`)
	taskID     = regexp.MustCompile(`\b[0-9a-f]{32}\b`)
	deployID   = regexp.MustCompile(`ecs-svc/(\d+)`)
	revision   = regexp.MustCompile(`arn:aws:ecs:[^ ,]*:service-revision/[^ /]+/[^ /]+/(\d+)`)
	pauseID    = regexp.MustCompile(`ecs-pause-[0-9A-Za-z_-]+`)
	anARN      = regexp.MustCompile(`arn:aws:[^ ,")]+`)
)

// text puts names in the place of identifiers.
func (n *names) text(s string) string {
	if m := startEvent.FindStringSubmatch(s); m != nil {
		s = strings.Replace(s, m[1], n.startedText(taskID.FindAllString(m[1], -1))+strings.Repeat(" ", len(m[1])-len(strings.TrimRight(m[1], " "))), 1)
	}
	s = revision.ReplaceAllStringFunc(s, func(arn string) string {
		return "revision " + n.deployment(arn[strings.LastIndexByte(arn, '/')+1:])
	})
	s = pauseID.ReplaceAllString(s, "ecs-pause-ID")
	s = deployID.ReplaceAllStringFunc(s, n.deployment)
	s = anARN.ReplaceAllStringFunc(s, n.arn)
	s = taskID.ReplaceAllStringFunc(s, func(id string) string {
		if name, ok := n.others[id]; ok {
			return name
		}
		return n.task(id)
	})
	for _, id := range slices.SortedFunc(keys(n.others), func(a, b string) int { return cmp.Compare(len(b), len(a)) }) {
		s = strings.ReplaceAll(s, id, n.others[id])
	}
	return s
}

// startedText tells tasks that are started together by the numbers that they share.
func (n *names) startedText(ids []string) string {
	told := strings.Join(ids, " ")
	if n.starts[told] == "" {
		n.starts[told] = n.newlyStarted(ids)
	}
	return n.starts[told]
}

func (n *names) newlyStarted(ids []string) string {
	n.began(ids...)
	var list []string
	for _, number := range n.numbers(ids) {
		list = append(list, fmt.Sprintf("(task %d)", number))
	}
	return strings.Join(list, " ")
}

// numbers returns the numbers that tasks have or share, lowest first.
func (n *names) numbers(ids []string) []int {
	var list []int
	for _, id := range ids {
		t := n.tasks[id]
		if t.number != 0 {
			list = append(list, t.number)
			continue
		}
		i := slices.IndexFunc(*t.peers, func(number int) bool { return !slices.Contains(list, number) })
		list = append(list, (*t.peers)[i])
	}
	slices.Sort(list)
	return list
}

func (n *names) arn(arn string) string {
	trimmed := strings.TrimRight(arn, ".")
	if name, ok := n.others[trimmed]; ok {
		return name + arn[len(trimmed):]
	}
	return arn
}

// fill puts identifiers in the place of $names.
func (n *names) fill(s string) string {
	return reference.ReplaceAllStringFunc(s, func(ref string) string {
		if number, ok := strings.CutPrefix(ref, "$task."); ok {
			n.number(number)
		}
		if id, ok := n.refs[ref[1:]]; ok {
			return id
		}
		return ref
	})
}

// number gives tasks their numbers until one has this number.
func (n *names) number(wanted string) {
	for _, id := range slices.SortedFunc(keys(n.tasks), func(a, b string) int { return n.rank(a) - n.rank(b) }) {
		if n.refs["task."+wanted] == "" {
			n.task(id)
		}
	}
}

var reference = regexp.MustCompile(`\$[a-z]+(\.[A-Za-z0-9-]+)?`)
