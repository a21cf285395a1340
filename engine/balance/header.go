package balance

import (
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"strings"
)

// headerRules say what a listener does with the headers of requests and answers.
type headerRules struct {
	Forwarded  string // what becomes of X-Forwarded-For: append, preserve or remove
	ClientPort bool   // the client's port is told with its address
	KeepHost   bool   // the Host header is passed on as it came
	OnlyValid  bool   // headers whose names have other characters than letters, digits and hyphens are dropped
	TellTLS    bool   // the target is told version and cipher suite of the client's connection
	NoServer   bool   // answers don't tell what server they come from

	Answers []header // that answers are given
}

type header struct{ name, value string }

// answerHeaders are the headers that a listener can give answers, as its attributes spell them.
// [Application Load Balancers: HTTP header modification]
var answerHeaders = []string{ //nolint:gochecknoglobals // a constant, but for Go
	"Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods",
	"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Access-Control-Max-Age", "Content-Security-Policy",
	"Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options",
}

// headerRulesOf reads them from the attributes of a load balancer and of its listener.
func headerRulesOf(balancer, listener map[string]string) headerRules {
	r := headerRules{
		Forwarded:  balancer["routing.http.xff_header_processing.mode"],
		ClientPort: balancer["routing.http.xff_client_port.enabled"] == "true",
		KeepHost:   balancer["routing.http.preserve_host_header.enabled"] == "true",
		OnlyValid:  balancer["routing.http.drop_invalid_header_fields.enabled"] == "true",
		TellTLS:    balancer["routing.http.x_amzn_tls_version_and_cipher_suite.enabled"] == "true",
		NoServer:   listener["routing.http.response.server.enabled"] == "false",
	}
	if r.Forwarded == "" {
		r.Forwarded = "append"
	}
	for _, name := range answerHeaders {
		attribute := strings.ReplaceAll(strings.ToLower(name), "-", "_")
		if v := listener["routing.http.response."+attribute+".header_value"]; v != "" {
			r.Answers = append(r.Answers, header{name, v})
		}
	}
	return r
}

// changesAnswers reports whether answers get other headers than the target's.
func (r headerRules) changesAnswers() bool { return r.NoServer || len(r.Answers) > 0 }

// answer sets the headers of an answer.
func (r headerRules) answer(h http.Header) {
	if r.NoServer {
		delete(h, "Server")
	}
	for _, a := range r.Answers {
		h.Set(a.name, a.value)
	}
}

// host returns the Host header for the target: at a listener of one of the usual ports without any port, at others with the
// listener's when the client named none. [Application Load Balancers: Host header preservation]
func (r headerRules) host(host, port string) string {
	if r.KeepHost || host == "" {
		return host
	}
	name, _, err := net.SplitHostPort(host)
	usual := port == "80" || port == "443"
	switch {
	case err != nil && !usual:
		return host + ":" + port
	case err == nil && usual && strings.Contains(name, ":"):
		return "[" + name + "]"
	case err == nil && usual:
		return name
	default:
		return host
	}
}

// dropInvalid removes headers whose names have characters that AWS doesn't take for valid.
// [Application Load Balancers: routing.http.drop_invalid_header_fields.enabled]
func dropInvalid(h http.Header) {
	for name := range h {
		if strings.ContainsFunc(name, func(c rune) bool { return c != '-' && !isAlphanumeric(c) }) {
			delete(h, name)
		}
	}
}

func isAlphanumeric(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// forwardedFor returns X-Forwarded-For for the target, "" for none.
func (r headerRules) forwardedFor(prior []string, client string) string {
	before := strings.Join(prior, ", ")
	switch {
	case r.Forwarded == "remove":
		return ""
	case r.Forwarded == "preserve" || client == "":
		return before
	}
	if !r.ClientPort {
		if name, _, err := net.SplitHostPort(client); err == nil {
			client = name
		}
	}
	return strings.Join(slices.DeleteFunc([]string{before, client}, func(s string) bool { return s == "" }), ", ")
}

// opensslNames turns Go's names of cipher suites of TLS 1.2 into those of OpenSSL.
var opensslNames = strings.NewReplacer("TLS_", "", "_WITH", "", "AES_128", "AES128", "AES_256", "AES256", "_", "-") //nolint:gochecknoglobals // a constant, but for Go

// tellTLS tells the target what the client's connection is encrypted with, as OpenSSL calls it.
func tellTLS(h http.Header, with tls.ConnectionState) {
	suite := tls.CipherSuiteName(with.CipherSuite)
	if with.Version != tls.VersionTLS13 {
		suite = opensslNames.Replace(suite)
	}
	h["X-Amzn-Tls-Version"] = []string{strings.ReplaceAll(tls.VersionName(with.Version), "TLS ", "TLSv")}
	h["X-Amzn-Tls-Cipher-Suite"] = []string{suite}
}
