package awswire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxSkew is how far a signature's time may be from ours, to either side.
const maxSkew = 5 * time.Minute

// verify computes the signature again from what arrived and the caller's secret key. The SDK's signer cannot do this:
// it signs the headers that it chooses, where a client may have chosen others.
func (s *signature) verify(r *http.Request, body []byte, secrets map[string]string, sessions Sessions, now time.Time) error {
	secret, err := s.secret(r, secrets, sessions, now)
	if err != nil {
		return err
	}
	if err := s.checkTime(now); err != nil {
		return err
	}
	if err := s.checkHeaders(r); err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	return s.matches(s.canonical(r, strings.ReplaceAll(escape(r.URL.EscapedPath()), "%2F", "/"), hex.EncodeToString(sum[:])), secret)
}

// matches tells whether it was this canonical request that was signed.
func (s *signature) matches(canonical, secret string) error {
	digest := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{sigAlgorithm, s.at.Format(sigTimeLayout), s.scope(), hex.EncodeToString(digest[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, sigScopeEnd, text} {
		key = mac(key, part)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(key)), []byte(s.value)) {
		return errSignature("The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (s *signature) checkTime(now time.Time) error {
	now = now.UTC().Truncate(time.Second)
	from, to := now.Add(-maxSkew), now.Add(maxSkew)
	text := func(t time.Time) string { return t.Format(sigTimeLayout) }
	switch {
	case s.at.After(to):
		return errSignature("Signature not yet current: %s is still later than %s (%s + 5 min.)", text(s.at), text(to), text(now))
	case s.presigned && now.After(s.at.Add(s.expires)):
		return &refusal{
			json: "InvalidSignatureException", query: "RequestExpired", queryStatus: http.StatusBadRequest,
			jsonMessage: "Request has expired.",
		}
	case !s.presigned && s.at.Before(from):
		return errSignature("Signature expired: %s is now earlier than %s (%s - 5 min.)", text(s.at), text(from), text(now))
	}
	return nil
}

// checkHeaders sees to it that nothing that decides what a request does is left unsigned.
func (s *signature) checkHeaders(r *http.Request) error {
	if !slices.Contains(s.signedHeaders, "host") {
		return errSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(s.signedHeaders, name) {
			return errSignature("'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	return nil
}

// canonical returns the canonical request, of a path and a digest of the body that are written as the service has them.
func (s *signature) canonical(r *http.Request, path, digest string) string {
	if path == "" {
		path = "/"
	}
	var b strings.Builder
	b.WriteString(r.Method + "\n" + path + "\n" + canonicalQuery(r.URL.Query()) + "\n")
	for _, name := range s.signedHeaders {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(s.signedHeaders, ";") + "\n" + digest)
	return b.String()
}

// headerValue joins a header's values, with runs of spaces made one. Go keeps two headers out of the map.
func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return fmt.Sprint(r.ContentLength)
	}
	values := r.Header.Values(name)
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(trimmed, ",")
}

func canonicalQuery(query url.Values) string {
	var b strings.Builder
	for _, name := range slices.SortedFunc(maps.Keys(query), func(x, y string) int { return strings.Compare(escape(x), escape(y)) }) {
		if name == "X-Amz-Signature" {
			continue
		}
		values := make([]string, len(query[name]))
		for i, v := range query[name] {
			values[i] = escape(v)
		}
		slices.Sort(values)
		for _, v := range values {
			b.WriteString("&" + escape(name) + "=" + v)
		}
	}
	return strings.TrimPrefix(b.String(), "&")
}

// escape is RFC 3986's percent-encoding: url.QueryEscape differs from it in the space alone.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func errMissingToken() error {
	return &refusal{
		json: "MissingAuthenticationTokenException", jsonMessage: "Missing Authentication Token",
		query: "MissingAuthenticationToken", queryMessage: "Request is missing Authentication Token",
		queryStatus: http.StatusForbidden,
	}
}

func errUnknownKey() error {
	return &refusal{
		json: "UnrecognizedClientException", jsonMessage: "The security token included in the request is invalid.",
		query: "InvalidClientTokenId", queryStatus: http.StatusForbidden,
	}
}

func errSignature(format string, args ...any) error {
	return &refusal{
		json: "InvalidSignatureException", jsonMessage: fmt.Sprintf(format, args...),
		query: "SignatureDoesNotMatch", queryStatus: http.StatusForbidden,
	}
}

func errIncomplete(format string, args ...any) error {
	return &refusal{
		json: "IncompleteSignatureException", jsonMessage: fmt.Sprintf(format, args...),
		query: "IncompleteSignature", queryStatus: http.StatusForbidden,
	}
}
