package awswire

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	sigAlgorithm  = "AWS4-HMAC-SHA256"
	sigTimeLayout = "20060102T150405Z"
	sigScopeEnd   = "aws4_request"
)

// signature is what a request says about how it was signed (AWS: "Create a signed AWS API request", Signature Version 4).
type signature struct {
	accessKey, date, region, service string
	signedHeaders                    []string // lower case, sorted by the client
	value                            string   // hexadecimal
	at                               time.Time
	presigned                        bool
	expires                          time.Duration // of a presigned request
}

func (s *signature) scope() string {
	return s.date + "/" + s.region + "/" + s.service + "/" + sigScopeEnd
}

// parseSignature reads the Authorization header, or the query parameters of a presigned request.
func parseSignature(r *http.Request) (*signature, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		s, err := parseAuthorization(header)
		if err != nil {
			return nil, err
		}
		stamp := r.Header.Get("X-Amz-Date")
		return s, s.setTime(stamp)
	}
	query := r.URL.Query()
	if !query.Has("X-Amz-Signature") {
		return nil, errMissingToken()
	}
	return parsePresigned(query)
}

// parseAuthorization reads "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…", in any order.
func parseAuthorization(header string) (*signature, error) {
	if len(header) > maxAuth {
		return nil, errIncomplete("Authorization header is longer than %d bytes.", maxAuth)
	}
	algorithm, rest, _ := strings.Cut(header, " ")
	if algorithm != sigAlgorithm {
		return nil, errIncomplete("Authorization header names %.40q where %s is expected.", algorithm, sigAlgorithm)
	}
	fields := url.Values{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || fields.Has(name) {
			return nil, errIncomplete("Authorization header cannot be read at %.40q.", part)
		}
		fields.Set(name, value)
	}
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if fields.Get(name) == "" {
			return nil, errIncomplete("Authorization header requires '%s' parameter.", name)
		}
	}
	s := &signature{value: fields.Get("Signature")}
	if err := s.setHeaders(fields.Get("SignedHeaders")); err != nil {
		return nil, err
	}
	return s, s.setCredential(fields.Get("Credential"))
}

func parsePresigned(query url.Values) (*signature, error) {
	if got := query.Get("X-Amz-Algorithm"); got != sigAlgorithm {
		return nil, errIncomplete("X-Amz-Algorithm is %.40q where %s is expected.", got, sigAlgorithm)
	}
	seconds := 5 * 60
	if text := query.Get("X-Amz-Expires"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 7*24*60*60 {
			return nil, errIncomplete("X-Amz-Expires is %.40q where 1 to 604800 seconds are expected.", text)
		}
		seconds = n
	}
	s := &signature{value: query.Get("X-Amz-Signature"), presigned: true, expires: time.Duration(seconds) * time.Second}
	if err := s.setHeaders(query.Get("X-Amz-SignedHeaders")); err != nil {
		return nil, err
	}
	if err := s.setCredential(query.Get("X-Amz-Credential")); err != nil {
		return nil, err
	}
	return s, s.setTime(query.Get("X-Amz-Date"))
}

func (s *signature) setHeaders(list string) error {
	s.signedHeaders = strings.SplitN(list, ";", maxSigned+1)
	if len(s.signedHeaders) > maxSigned {
		return errIncomplete("More than %d signed headers.", maxSigned)
	}
	for _, name := range s.signedHeaders {
		if name == "" || name != strings.ToLower(name) {
			return errIncomplete("SignedHeaders cannot be read at %.40q.", name)
		}
	}
	return nil
}

// setCredential reads ACCESSKEY/20260131/us-east-1/ecs/aws4_request.
func (s *signature) setCredential(credential string) error {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || parts[0] == "" || parts[4] != sigScopeEnd {
		return errIncomplete("Credential must have the form ACCESS_KEY/DATE/REGION/SERVICE/%s.", sigScopeEnd)
	}
	s.accessKey, s.date, s.region, s.service = parts[0], parts[1], parts[2], parts[3]
	return nil
}

func (s *signature) setTime(stamp string) error {
	t, err := time.Parse(sigTimeLayout, stamp)
	if err != nil {
		return errIncomplete("X-Amz-Date is %.40q where a time like 20260131T120000Z is expected.", stamp)
	}
	if !strings.HasPrefix(stamp, s.date) {
		return errSignature("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%.20s' != '%.8s', from '%s'.",
			s.date, stamp, stamp)
	}
	s.at = t
	return nil
}
