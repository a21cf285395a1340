package awswire

import (
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
)

// handler serves any number of services on one endpoint.
type handler struct {
	options  Options
	byPrefix map[string]Service
	byAction map[string]Service // by version
	json     jsonWriter
	xml      xmlWriter
}

// Handler serves all services on one endpoint. A request with X-Amz-Target goes to the JSON service of that prefix, any
// other to the Query service whose Version its form names; unsigned and presigned GET requests are served for Query.
// Of two services with the same prefix or version, the last wins.
func Handler(options Options, services ...Service) http.Handler {
	o := options.withDefaults()
	h := &handler{
		options: o, byPrefix: map[string]Service{}, byAction: map[string]Service{},
		json: jsonWriter{omitEmpty: o.OmitEmpty}, xml: xmlWriter{omitEmpty: o.OmitEmpty},
	}
	for _, s := range services {
		if s.protocol == protocolJSON {
			h.byPrefix[s.name] = s
		} else {
			h.byAction[s.name] = s
		}
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
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{handler: h, w: w, r: r, protocol: protocolQuery, contentType: "text/xml"}
	x.info.id = newRequestID()
	if r.Header.Get("X-Amz-Target") != "" {
		x.protocol, x.contentType = protocolJSON, "application/x-amz-json-1.1"
	}
	out, err := x.serve()
	if err != nil {
		x.fail(err)
		return
	}
	x.write(http.StatusOK, out)
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
	in, err := x.decode(request)
	if err != nil {
		return nil, err
	}
	out, err := x.call(in)
	if err != nil {
		return nil, err
	}
	if x.protocol == protocolJSON {
		return x.json.write(nil, out)
	}
	return x.xml.answer(x.service.xmlns, x.operation.name, out, x.info.id)
}

// read checks method and content type, and returns the body.
func (x *exchange) read() ([]byte, error) {
	want := "application/x-www-form-urlencoded"
	if x.protocol == protocolJSON {
		want = "application/x-amz-json-1.1"
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
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, &refusal{
			json: codeTooLarge, query: codeTooLarge, jsonStatus: http.StatusRequestEntityTooLarge,
			queryStatus: http.StatusRequestEntityTooLarge,
			jsonMessage: fmt.Sprintf("The request is larger than %d bytes.", x.options.MaxBody),
		}
	}
	if err != nil {
		return nil, malformed("the body cannot be read to its end")
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
	return sig.verify(x.r, body, x.options.Credentials, x.options.Now())
}

// decode finds the operation and reads its input.
func (x *exchange) decode(body []byte) (any, error) {
	var unknown func(string)
	if report := x.options.UnknownMember; report != nil {
		unknown = func(path string) { report(x.operation.name, path) }
	}
	if x.protocol == protocolJSON {
		if err := x.findTarget(); err != nil {
			return nil, err
		}
		in := reflect.New(x.operation.in).Interface()
		return in, x.service.inputs.read(body, in, x.options.MaxItems, unknown)
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

func (x *exchange) findTarget() error {
	target := x.r.Header.Get("X-Amz-Target")
	if len(target) > maxTarget {
		target = target[:maxTarget]
	}
	prefix, name, _ := strings.Cut(target, ".")
	s, ok := x.byPrefix[prefix]
	if !ok {
		return &refusal{json: codeUnknownOperation, jsonMessage: fmt.Sprintf("No service %q is served here.", prefix)}
	}
	if x.operation, ok = s.operations[name]; !ok {
		return &refusal{json: codeUnknownOperation, jsonMessage: fmt.Sprintf("The operation %q of %s is not served here.", name, prefix)}
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
	if x.protocol == protocolJSON {
		x.write(a.status, x.json.failure(a))
		return
	}
	x.write(a.status, x.xml.failure(x.service.xmlns, a, x.info.id))
}

func (x *exchange) write(status int, body []byte) {
	h := x.w.Header()
	h.Set("x-amzn-RequestId", x.info.id)
	h.Set("Content-Type", x.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // the caller went away: nobody is left to tell
}
