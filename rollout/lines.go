package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A diagnosis shows at most so many lines of evidence and of logs: enough to see it, few enough to read at night.
const (
	evidenceLines = 6
	logLines      = 12
)

// lines tells the evidence, what speaks for the cause first, and what was said several times only once.
func lines(of, all []Evidence) []string {
	var order []string
	times := map[string]int{}
	for _, e := range append(slices.Clone(of), all...) {
		if e.Kind == LogLine || e.Text == "" {
			continue
		}
		text := line(e)
		if times[text] == 0 && (e.Kind == ContainerExit || !said(order, e.Text)) {
			bare := func(line string) bool { return strings.HasSuffix(text, ": "+line) } // as a task's reason, of its container
			order = append(slices.DeleteFunc(order, bare), text)
		}
		times[text]++
	}
	for _, e := range of { // these were gone through twice
		if e.Kind != LogLine && e.Text != "" {
			times[line(e)]--
		}
	}
	if len(order) > evidenceLines {
		order = order[:evidenceLines]
	}
	for i, text := range order {
		if times[text] > 1 {
			order[i] = fmt.Sprintf("%s (%d times)", text, times[text])
		}
	}
	return order
}

// said reports that a line tells this already, as what a target says is told by an event as well.
func said(lines []string, text string) bool {
	return slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, text) })
}

// line tells one piece of evidence without the names of tasks, so that what happened to several is told once.
func line(e Evidence) string {
	text := e.Text
	if e.Task != "" {
		text = strings.ReplaceAll(text, string(e.Task), "…")
	}
	switch {
	case e.Container != "" && e.ExitCode != nil:
		return fmt.Sprintf("container %s exited%s: %s", e.Container, code(e), text)
	case e.Container != "":
		return fmt.Sprintf("container %s: %s", e.Container, text)
	case e.Kind == TargetSick && e.Subject != "":
		return fmt.Sprintf("target in %s: %s", e.Subject, text)
	}
	return text
}

// logs returns the last lines that the container wrote which the cause is about: of the task that wrote last.
func logs(all, of []Evidence) []string {
	container := ""
	for _, e := range of {
		if e.Container != "" {
			container = e.Container
			break
		}
	}
	var written []Evidence
	for _, e := range all {
		if e.Kind == LogLine && (container == "" || e.Container == container) {
			written = append(written, e)
		}
	}
	if len(written) == 0 {
		return nil
	}
	newest := slices.MaxFunc(written, func(a, b Evidence) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Task, b.Task))
	})
	var texts []string
	for _, e := range written {
		if e.Task == newest.Task && e.Container == newest.Container {
			texts = append(texts, e.Text)
		}
	}
	return texts[max(0, len(texts)-logLines):]
}
