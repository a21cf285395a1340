package scripted

import (
	"strings"
)

const statements = "create, start, run, exit, signal, oom, stop, healthy, unhealthy, log, error, answer, refuse"

// statement reads one statement into the script.
func (p *parser) statement() {
	s := p.script
	switch t := p.next(); t.text {
	case "create":
		p.must("fails")
		s.CreateFails = p.quoted()
	case "start":
		p.start(t)
	case "run":
		s.Ends, s.Run = true, p.duration()
	case "exit":
		s.Ends, s.ExitCode = true, p.number(0, 255, "an exit code")
	case "signal":
		s.Ends, s.ExitCode = true, 128+p.number(1, 64, "a signal")
	case "oom":
		s.Ends, s.ExitCode, s.OutOfMem = true, 137, true
	case "stop":
		p.stop()
	case "healthy", "unhealthy":
		s.Health = append(s.Health, Turn{Healthy: t.text == "healthy", After: p.after()})
	case "log", "error":
		p.print(t.text == "error")
	case "answer":
		a := Answer{Status: p.number(100, 599, "an HTTP status")}
		if p.word("on") {
			a.Path = p.path()
		}
		a.After = p.after()
		s.Answers = append(s.Answers, a)
	case "refuse":
		s.Answers = append(s.Answers, Answer{After: p.after()})
	default:
		p.problems.Add(p.at(t.column), "statements begin with "+statements, "found %q: expected a statement", t.text)
	}
}

func (p *parser) must(word string) {
	if !p.word(word) {
		p.wrong(p.peek(), "expected %q", word)
	}
}

func (p *parser) start(t token) {
	next := p.peek()
	p.script.StartTakes = p.maybe()
	if p.word("fails") {
		p.script.StartFails = p.quoted()
	} else if next == p.peek() {
		p.wrong(p.peek(), `expected a duration, or "fails" and a text, after %q`, t.text)
	}
}

func (p *parser) stop() {
	if p.word("ignores") {
		p.script.StopIgnored = true
		return
	}
	next := p.peek()
	p.script.StopTakes = p.maybe()
	if p.word("exit") {
		p.script.StopCode = p.number(0, 255, "an exit code")
	} else if next == p.peek() {
		p.wrong(p.peek(), `expected a duration, "exit" and a code, or "ignores"`)
	}
}

func (p *parser) print(stderr bool) {
	line := Print{Stderr: stderr, Text: p.quoted(), After: p.after()}
	if strings.ContainsAny(line.Text, "\n") {
		p.problems.Add(p.at(p.peek().column), "write two statements", "a line of output has no line end inside")
	}
	if p.word("every") {
		t := p.peek()
		if line.Every = p.duration(); line.Every == 0 {
			p.wrong(t, "expected a duration above zero")
		}
	}
	p.script.Output = append(p.script.Output, line)
}

func (p *parser) path() string {
	t := p.next()
	if !strings.HasPrefix(t.text, "/") {
		p.wrong(t, `expected a path that begins with "/"`)
	}
	return t.text
}
