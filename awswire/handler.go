package awswire

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
)

// handler serves any number of services on one endpoint.
type handler struct {
	options  Options
	byPrefix map[string]Service
	byName   map[string]Service
	byAction map[string]Service // by version
	json     jsonWriter
	cbor     jsonWriter
	xml      xmlWriter
}

// Handler serves all services on one endpoint. A request with Smithy-Protocol goes to the RPC service that its path names,
// one with X-Amz-Target to the JSON service of that prefix, any other to the Query service whose Version its form names;
// unsigned and presigned GET requests are served for Query. Of two services with the same name, prefix or version, the
// last wins.
func Handler(options Options, services ...Service) http.Handler {
	o := options.withDefaults()
	h := &handler{
		options: o, byPrefix: map[string]Service{}, byName: map[string]Service{}, byAction: map[string]Service{},
		json: jsonWriter{omitEmpty: o.OmitEmpty}, cbor: jsonWriter{omitEmpty: o.OmitEmpty, cbor: true},
		xml: xmlWriter{omitEmpty: o.OmitEmpty},
	}
	for _, s := range services {
		h.byPrefix[s.target], h.byName[s.rpc], h.byAction[s.version] = s, s, s
	}
	for _, by := range []map[string]Service{h.byPrefix, h.byName, h.byAction} {
		delete(by, "") // what a service doesn't speak
	}
	return h
}

// exchange is one request on its way through the handler.
type exchange struct {
	*handler
	w           http.ResponseWriter
	r           *http.Request
	protocol    protocol
	contentType string // of the answer
	service     Service
	operation   *operation
	info        requestInfo
	answers     *[]byte // empty, for the answer to be written into
}

// answers are written one after the other into the same memory, but for large ones.
var answers = sync.Pool{New: func() any { return new([]byte) }}

const largeAnswer = 64 << 10 // bytes

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{handler: h, w: w, r: r, protocol: protocolQuery, contentType: "text/xml"}
	x.info.id = newRequestID()
	switch {
	case r.Header.Get("Smithy-Protocol") != "":
		x.protocol, x.contentType = protocolCBOR, "application/cbor"
	case r.Header.Get("X-Amz-Target") != "":
		x.protocol, x.contentType = protocolJSON, "application/x-amz-json-1.1"
	}
	x.answers = answers.Get().(*[]byte) //nolint:forcetypeassert // the pool holds nothing else
	defer answers.Put(x.answers)
	out, err := x.serve()
	if err != nil {
		x.fail(err)
		return
	}
	x.write(http.StatusOK, out)
	if cap(out) <= largeAnswer {
		*x.answers = out[:0]
	}
}

// newRequestID returns a random UUID, as AWS's request ids are.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// serve returns the body of a successful answer.
func (x *exchange) serve() (body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler { //nolint:errorlint // what was thrown is compared, not an error of a chain
				panic(p)
			}
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	request, err := x.read()
	if err != nil {
		return nil, err
	}
	if err := x.authenticate(request); err != nil {
		return nil, err
	}
	if request, err = x.unpack(request); err != nil {
		return nil, err
	}
	in, err := x.decode(request)
	if err != nil {
		return nil, err
	}
	out, err := x.call(in)
	if err != nil {
		return nil, err
	}
	switch x.protocol {
	case protocolCBOR:
		return x.cbor.write(*x.answers, out)
	case protocolJSON:
		return x.json.write(*x.answers, out)
	}
	return x.xml.answer(x.service.xmlns, x.operation.name, out, x.info.id)
}

// read checks method and content type, and returns the body.
func (x *exchange) read() ([]byte, error) {
	want := "application/x-www-form-urlencoded"
	if x.protocol != protocolQuery {
		want = x.contentType
	}
	get := x.protocol == protocolQuery && x.r.Method == http.MethodGet
	if x.r.Method != http.MethodPost && !get {
		return nil, &refusal{
			json: codeUnknownOperation, query: codeQueryAction, jsonStatus: http.StatusMethodNotAllowed,
			queryStatus: http.StatusMethodNotAllowed, jsonMessage: "The method " + x.r.Method + " is not allowed: use POST.",
		}
	}
	found, _, _ := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	switch {
	case found == want, get && found == "":
	case x.protocol == protocolCBOR && found == "" && x.r.ContentLength == 0: // of an operation without members
	case x.protocol == protocolJSON && (found == "application/x-amz-json-1.0" || found == "application/json"):
		x.contentType = found
	default:
		return nil, &refusal{
			json: codeSerialization, query: codeQueryMalformed, jsonStatus: http.StatusUnsupportedMediaType,
			queryStatus: http.StatusUnsupportedMediaType,
			jsonMessage: fmt.Sprintf("The content type %.100q is not served: use %s.", found, want),
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, x.options.MaxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, x.tooLarge()
	}
	if err != nil {
		return nil, malformed("the body cannot be read to its end")
	}
	return body, nil
}

func (x *exchange) tooLarge() error {
	return &refusal{
		json: codeTooLarge, query: codeTooLarge, jsonStatus: http.StatusRequestEntityTooLarge,
		queryStatus: http.StatusRequestEntityTooLarge,
		jsonMessage: fmt.Sprintf("The request is larger than %d bytes.", x.options.MaxBody),
	}
}

// unpack returns a body that came compressed as it was before: the SDKs compress what CloudWatch's PutMetricData sends.
// The signature is of the compressed one, and the bound holds for both.
func (x *exchange) unpack(body []byte) ([]byte, error) {
	switch encoding := x.r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		return body, nil
	case "gzip":
	default:
		return nil, malformed("the content encoding %.40q is not served: use gzip, or none", encoding)
	}
	packed, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, malformed("the body is no gzip: %v", err)
	}
	body, err = io.ReadAll(io.LimitReader(packed, x.options.MaxBody+1))
	if err != nil {
		return nil, malformed("the body is no gzip: %v", err)
	}
	if int64(len(body)) > x.options.MaxBody {
		return nil, x.tooLarge()
	}
	return body, nil
}

// authenticate notes who calls, and refuses those whose signature is not theirs.
func (x *exchange) authenticate(body []byte) error {
	sig, err := parseSignature(x.r)
	if sig != nil {
		x.info.caller = Caller{AccessKey: sig.accessKey, Region: sig.region, Service: sig.service}
	}
	if x.options.Credentials == nil {
		return nil
	}
	if err != nil {
		return err
	}
	return sig.verify(x.r, body, x.options.Credentials, x.options.Sessions, x.options.Now())
}

// decode finds the operation and reads its input.
func (x *exchange) decode(body []byte) (any, error) {
	var unknown func(string)
	if report := x.options.UnknownMember; report != nil {
		unknown = func(path string) { report(x.operation.name, path) }
	}
	if x.protocol != protocolQuery {
		return x.decodeShapes(body, unknown)
	}
	form, err := formOf(x.r.URL.RawQuery, body)
	if err != nil {
		return nil, err
	}
	if x.service, x.operation, err = actionOf(form, x.byAction); err != nil {
		return nil, err
	}
	in := reflect.New(x.operation.in).Interface()
	return in, readQuery(form, in, x.options.MaxItems, unknown)
}

// decodeShapes reads what comes in JSON or CBOR.
func (x *exchange) decodeShapes(body []byte, unknown func(string)) (any, error) {
	find := x.findTarget
	if x.protocol == protocolCBOR {
		find = x.findPath
	}
	if err := find(); err != nil {
		return nil, err
	}
	if x.protocol == protocolCBOR {
		var err error
		if body, err = jsonOfCBOR(body, x.options.MaxItems); err != nil {
			return nil, err
		}
	}
	in := reflect.New(x.operation.in).Interface()
	return in, x.service.inputs.read(body, in, x.options.MaxItems, unknown)
}

// findPath finds the operation by the path /service/NAME/operation/OPERATION, which may stand behind others.
// [Smithy RPC v2 CBOR: requests]
func (x *exchange) findPath() error {
	if found := x.r.Header.Get("Smithy-Protocol"); found != rpcProtocol {
		return &refusal{json: codeUnknownOperation, jsonMessage: fmt.Sprintf("The protocol %.40q is not served here.", found)}
	}
	steps := strings.Split(x.r.URL.Path, "/")
	n := len(steps)
	if len(x.r.URL.Path) > maxPath || n < 4 || steps[n-4] != "service" || steps[n-2] != "operation" {
		return &refusal{json: codeUnknownOperation, jsonMessage: "The path names no operation: /service/NAME/operation/OPERATION is expected."}
	}
	return x.find(x.byName, steps[n-3], steps[n-1])
}

func (x *exchange) findTarget() error {
	target := x.r.Header.Get("X-Amz-Target")
	if len(target) > maxTarget {
		target = target[:maxTarget]
	}
	prefix, name, _ := strings.Cut(target, ".")
	return x.find(x.byPrefix, prefix, name)
}

func (x *exchange) find(services map[string]Service, service, operation string) error {
	s, ok := services[service]
	if !ok {
		return &refusal{json: codeUnknownOperation, jsonMessage: fmt.Sprintf("No service %q is served here.", service)}
	}
	if x.operation, ok = s.operations[operation]; !ok {
		message := fmt.Sprintf("The operation %q of %s is not served here.", operation, service)
		if x.options.Page != "" {
			message += fmt.Sprintf(" The page %s lists what is.", x.options.Page)
		}
		return &refusal{json: codeUnknownOperation, jsonMessage: message}
	}
	x.service = s
	return nil
}

func (x *exchange) call(in any) (any, error) {
	ctx := context.WithValue(x.r.Context(), requestKey{}, x.info)
	if x.options.Before != nil {
		if err := x.options.Before(ctx, x.operation.name, in); err != nil {
			return nil, err
		}
	}
	return x.operation.call(ctx, in)
}

func (x *exchange) fail(err error) {
	a, withheld := answerFor(err, x.protocol)
	if withheld {
		name := ""
		if x.operation != nil {
			name = x.operation.name
		}
		x.options.Log.ErrorContext(x.r.Context(), "request failed",
			slog.String("operation", name), slog.String("requestId", x.info.id), slog.Any("error", err))
	}
	if x.protocol != protocolQuery && x.r.Header.Get("X-Amzn-Query-Mode") == "true" {
		x.w.Header().Set("X-Amzn-Query-Error", a.queryCode()+";"+a.sender())
	}
	switch x.protocol {
	case protocolCBOR:
		x.write(a.status, x.cbor.failure(a))
	case protocolJSON:
		x.write(a.status, x.json.failure(a))
	default:
		x.write(a.status, x.xml.failure(x.service.xmlns, a, x.info.id))
	}
}

func (x *exchange) write(status int, body []byte) {
	h := x.w.Header()
	h.Set("x-amzn-RequestId", x.info.id)
	h.Set("Content-Type", x.contentType)
	if x.protocol == protocolCBOR {
		h.Set("Smithy-Protocol", rpcProtocol)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // the caller went away: nobody is left to tell
}
