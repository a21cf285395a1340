package images

import (
	"errors"
	"net/http"
	"syscall"

	"github.com/slipway-cd/slipway/fault"
)

// code is an error code of the OCI Distribution Specification 1.1, "Error Codes".
type code string

const (
	blobUnknown         code = "BLOB_UNKNOWN"
	uploadInvalid       code = "BLOB_UPLOAD_INVALID"
	uploadUnknown       code = "BLOB_UPLOAD_UNKNOWN"
	digestInvalid       code = "DIGEST_INVALID"
	manifestBlobUnknown code = "MANIFEST_BLOB_UNKNOWN"
	manifestInvalid     code = "MANIFEST_INVALID"
	manifestUnknown     code = "MANIFEST_UNKNOWN"
	nameInvalid         code = "NAME_INVALID"
	nameUnknown         code = "NAME_UNKNOWN"
	sizeInvalid         code = "SIZE_INVALID"
	tagInvalid          code = "TAG_INVALID"
	denied              code = "DENIED"
	unsupported         code = "UNSUPPORTED"
	unknown             code = "UNKNOWN"

	notServed   code = "NOT_FOUND"                 // a path that is none of the protocol's; not a code of the specification
	tagFixed    code = "TAG_IMMUTABLE"             // sent as TAG_INVALID, the code that Amazon ECR answers with
	rangeWrong  code = "RANGE_INVALID"             // sent as BLOB_UPLOAD_INVALID with 416
	inUse       code = "CONTENT_IN_USE"            // sent as DENIED with 409
	nameTaken   code = "NAME_IN_USE"               // never sent: only Create returns it
	pageInvalid code = "PAGINATION_NUMBER_INVALID" // Docker's own
	corrupt     code = "CONTENT_CORRUPT"           // sent as UNKNOWN
	notStored   code = "CONTENT_NOT_STORED"        // sent as UNKNOWN
)

// answer is how a refusal looks on the wire and to a Go caller.
type answer struct {
	code   code
	status int
	kind   fault.Kind
}

// answerToError returns how an error is answered. A full disk has a status of its own: the server is not broken, it
// needs room. [RFC 4918, section 11.5]
func answerToError(err error) answer {
	a := answerTo(codeOf(err))
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		a.code, a.status = unknown, http.StatusInsufficientStorage
	}
	return a
}

// answerTo returns how a code is answered.
func answerTo(c code) answer {
	switch c {
	case blobUnknown, uploadUnknown, manifestUnknown, nameUnknown, notServed:
		return answer{c, http.StatusNotFound, fault.NotFound}
	case digestInvalid, manifestBlobUnknown, manifestInvalid, nameInvalid, tagInvalid, uploadInvalid, pageInvalid:
		return answer{c, http.StatusBadRequest, fault.Invalid}
	case sizeInvalid:
		return answer{c, http.StatusRequestEntityTooLarge, fault.Invalid}
	case unsupported:
		return answer{c, http.StatusMethodNotAllowed, fault.Invalid}
	case denied:
		return answer{c, http.StatusForbidden, fault.Denied}
	case tagFixed:
		return answer{tagInvalid, http.StatusBadRequest, fault.Conflict}
	case rangeWrong:
		return answer{uploadInvalid, http.StatusRequestedRangeNotSatisfiable, fault.Conflict}
	case inUse, nameTaken:
		return answer{denied, http.StatusConflict, fault.Conflict}
	case corrupt:
		return answer{unknown, http.StatusInternalServerError, fault.Corrupt}
	default:
		return answer{unknown, http.StatusInternalServerError, fault.Internal}
	}
}

// refusal is an error with the code that a client of the protocol gets; the fault inside has the kind for Go callers.
type refusal struct {
	code code
	err  *fault.Error
}

// Error returns the sentence.
func (r *refusal) Error() string { return r.err.Error() }

// Unwrap returns the fault, so that fault.KindOf finds the kind.
func (r *refusal) Unwrap() error { return r.err }

func refuse(c code, format string, args ...any) error {
	return &refusal{c, fault.New(answerTo(c).kind, format, args...)}
}

// codeOf returns the code of an error, UNKNOWN for those that are no refusals.
func codeOf(err error) code {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.code
	}
	return unknown
}
