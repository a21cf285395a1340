package balance

import (
	"bytes"
	"strings"
)

// head is the first part of a message: its first line and its header fields. All texts are parts of the buffer it was
// read from.
type head struct {
	first  []byte // without its end
	fields []field
	size   int // bytes up to the body
}

type field struct{ name, value []byte }

// scanned is what came of looking for a head.
type scanned int

const (
	whole scanned = iota // it is there
	more                 // its end has not arrived
	odd                  // it is there, but unusual or wrong: for net/http to judge
)

// maxFields is how many header fields an ordinary message has at most.
const maxFields = 64

var headEnd = []byte("\r\n\r\n") //nolint:gochecknoglobals // a constant, but for Go

// scan reads a head from the beginning of b. It takes only what has one meaning: every line ends with CRLF, names are tokens
// without blanks around them, values have no control characters, nothing is folded. [RFC 9112, 2.2 and 5]
func (h *head) scan(b []byte) scanned {
	end := bytes.Index(b, headEnd)
	switch {
	case end >= 0:
	case bytes.Contains(b, []byte("\n\n")), bytes.Contains(b, []byte("\n\r\n")): // for who takes a line feed for an end
		return odd
	default:
		return more
	}
	h.size, h.fields = end+len(headEnd), h.fields[:0]
	lines := b[:end+2]
	first := true
	for len(lines) > 0 {
		n := bytes.IndexByte(lines, '\n')
		if n < 1 || lines[n-1] != '\r' {
			return odd
		}
		line := lines[:n-1]
		lines = lines[n+1:]
		if first {
			h.first, first = line, false
			continue
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 1 || len(h.fields) == maxFields || !isToken(line[:colon]) {
			return odd
		}
		value := bytes.Trim(line[colon+1:], " \t")
		if !isText(value) {
			return odd
		}
		h.fields = append(h.fields, field{line[:colon], value})
	}
	return whole
}

// is reports whether a field has the name, which is given in lower case.
func (f field) is(lower string) bool {
	if len(f.name) != len(lower) {
		return false
	}
	for i, c := range f.name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// tokens are the characters of names. [RFC 9110, 5.6.2]
var tokens = func() (set [256]bool) { //nolint:gochecknoglobals // a constant, but for Go
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
		set[c] = true
	}
	return set
}()

func isToken(b []byte) bool {
	for _, c := range b {
		if !tokens[c] {
			return false
		}
	}
	return len(b) > 0
}

// isText reports whether there are no control characters but tabs.
func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// decimal reads a number of at most 15 digits.
func decimal(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 15 {
		return 0, false
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// ask is an ordinary HTTP/1.1 request.
type ask struct {
	head
	method, target, host []byte
	length               int64 // of the body
	last                 bool  // the client wants no other answer over its connection
	forwarded            bool  // it has been forwarded before
	traced               []byte
}

// scan reads the head of a request. Everything that another message, another protocol or another framing begins with is
// odd, as is what a server must refuse.
func (a *ask) scan(b []byte) scanned {
	fields := a.fields
	*a = ask{head: head{fields: fields}}
	if found := a.head.scan(b); found != whole {
		return found
	}
	if !a.line() {
		return odd
	}
	seen := false
	for _, f := range a.fields {
		switch len(f.name) {
		case 2, 6, 7, 16, 17, 18, 19:
			if f.is("te") || f.is("expect") || f.is("upgrade") || f.is("trailer") || f.is("proxy-connection") ||
				f.is("transfer-encoding") || f.is("proxy-authenticate") || f.is("proxy-authorization") {
				return odd
			}
		case 4:
			if f.is("host") {
				if a.host != nil || !isHost(f.value) {
					return odd
				}
				a.host = f.value
			}
		case 10:
			switch {
			case f.is("keep-alive"):
				return odd
			case f.is("connection") && equalFold(f.value, "close"):
				a.last = true
			case f.is("connection") && !equalFold(f.value, "keep-alive"):
				return odd
			}
		case 14:
			if f.is("content-length") {
				n, ok := decimal(f.value)
				if !ok || seen {
					return odd
				}
				a.length, seen = n, true
			} else if f.is("http2-settings") {
				return odd
			}
		case 15:
			a.forwarded = a.forwarded || f.is("x-forwarded-for")
			if f.is("x-amzn-trace-id") && a.traced == nil {
				a.traced = f.value
			}
		}
	}
	if a.host == nil {
		return odd
	}
	return whole
}

// line reads the request line.
func (a *ask) line() bool {
	const version = " HTTP/1.1"
	rest, ok := bytes.CutSuffix(a.first, []byte(version))
	if !ok {
		return false
	}
	a.method, a.target, ok = bytes.Cut(rest, []byte{' '})
	return ok && isToken(a.method) && isTarget(a.target)
}

// isTarget reports whether a request asks for a path, written as it must be.
func isTarget(b []byte) bool {
	if len(b) == 0 || b[0] != '/' {
		return false
	}
	inPath := true
	for i, c := range b {
		switch {
		case c <= ' ' || c >= 0x7f || c == '#':
			return false
		case c == '?':
			inPath = false
		case c == '%' && inPath && (i+2 >= len(b) || !isHex(b[i+1]) || !isHex(b[i+2])):
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// isHost reports whether a Host header is a plain name or address, with or without a port.
func isHost(b []byte) bool {
	for _, c := range b {
		if !isAlphanumeric(rune(c)) && !strings.ContainsRune(".-:_[]", rune(c)) {
			return false
		}
	}
	return len(b) > 0
}

func equalFold(b []byte, lower string) bool { return field{name: b}.is(lower) }

// repeatable reports whether the request may be sent again when no answer came. [RFC 9110, 9.2.2]
func (a *ask) repeatable() bool {
	switch string(a.method) {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	default:
		return false
	}
}

// reply is the head of an ordinary answer.
type reply struct {
	head
	code    int
	length  int64 // of the body; -1: not told
	chunked bool
	last    bool // the target closes the connection after it
	dated   bool
}

// scan reads the head of an answer.
func (r *reply) scan(b []byte) scanned {
	fields := r.fields
	*r = reply{head: head{fields: fields}, length: -1}
	if found := r.head.scan(b); found != whole {
		return found
	}
	if !r.line() {
		return odd
	}
	for _, f := range r.fields {
		switch len(f.name) {
		case 4:
			r.dated = r.dated || f.is("date")
		case 7:
			if f.is("upgrade") {
				return odd
			}
		case 10:
			switch {
			case f.is("connection") && equalFold(f.value, "close"):
				r.last = true
			case f.is("connection") && !equalFold(f.value, "keep-alive"):
				return odd
			}
		case 14:
			if f.is("content-length") {
				n, ok := decimal(f.value)
				if !ok || r.length >= 0 {
					return odd
				}
				r.length = n
			}
		case 17:
			if f.is("transfer-encoding") {
				if !equalFold(f.value, "chunked") || r.chunked {
					return odd
				}
				r.chunked = true
			}
		}
	}
	if r.chunked && (r.length >= 0 || r.first[7] == '0') {
		return odd
	}
	return whole
}

// line reads the status line: HTTP/1.1 200 OK.
func (r *reply) line() bool {
	const prefix = "HTTP/1.1 "
	if len(r.first) < len(prefix)+3 || string(r.first[:7]) != "HTTP/1." || r.first[8] != ' ' || !isText(r.first) {
		return false
	}
	switch r.first[7] {
	case '1':
	case '0':
		r.last = true
	default:
		return false
	}
	code, ok := decimal(r.first[9:12])
	r.code = int(code)
	return ok && code >= 100 && (len(r.first) == 12 || r.first[12] == ' ')
}

// bare reports whether an answer has no body, whatever its head says. [RFC 9112, 6.3]
func (r *reply) bare(method []byte) bool {
	return r.code < 200 || r.code == 204 || r.code == 304 || string(method) == "HEAD"
}
