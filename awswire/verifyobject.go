package awswire

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/smithy-go"
)

// VerifyObject checks the signature of a request to Amazon S3, which signs the path as it stands and a digest of the body
// that a header names: whoever reads the body must see that it has that digest. The error is a smithy.APIError with S3's
// code. [S3 API reference, "Signature Calculations for the Authorization Header"]
func VerifyObject(r *http.Request, secrets map[string]string, sessions Sessions, now time.Time) error {
	s, err := parseSignature(r)
	if err == nil {
		err = s.verifyObject(r, secrets, sessions, now)
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		message := refused.queryMessage
		if message == "" {
			message = refused.jsonMessage
		}
		return &smithy.GenericAPIError{Code: objectCode(refused.query), Message: message, Fault: smithy.FaultClient}
	}
	return err
}

// objectCode is S3's word for what the other services call otherwise. [S3 API reference, "Error responses"]
func objectCode(code string) string {
	switch code {
	case "MissingAuthenticationToken", "RequestExpired":
		return "AccessDenied"
	case "InvalidClientTokenId":
		return "InvalidAccessKeyId"
	case "IncompleteSignature":
		return "AuthorizationHeaderMalformed"
	}
	return code
}

func (s *signature) verifyObject(r *http.Request, secrets map[string]string, sessions Sessions, now time.Time) error {
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
	digest := r.Header.Get("X-Amz-Content-Sha256")
	if s.presigned || digest == "" {
		digest = "UNSIGNED-PAYLOAD"
	}
	return s.matches(s.canonical(r, strings.ReplaceAll(escape(r.URL.Path), "%2F", "/"), digest), secret)
}
