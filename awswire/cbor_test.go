package awswire

import (
	"bytes"
	"compress/gzip"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// sameCBOR compares documents by what they say: the order of members and the width of numbers are the writer's choice.
func sameCBOR(t *testing.T, want, got []byte) {
	t.Helper()
	if len(want) == 0 {
		want = []byte{0xa0}
	}
	w, err := jsonOfCBOR(want, defaultMaxItems)
	if err != nil {
		t.Fatal(err)
	}
	g, err := jsonOfCBOR(got, defaultMaxItems)
	if err != nil {
		t.Fatalf("%v in %x", err, got)
	}
	sameJSON(t, w, g)
}

func TestGoldenCBORRequestsDecodeToWhatTheSDKSendsAgain(t *testing.T) {
	t.Parallel()
	for _, m := range rpcModules {
		service, protocol := m.service(nil), rpcv2.NewCBOR(m.schema)
		for _, file := range m.goldenFiles(t, "request_snapshot/*.request.snap") {
			g := readGolden(t, file)
			t.Run(m.name+"/"+g.name, func(t *testing.T) {
				t.Parallel()
				op := service.operations[g.name]
				in := reflect.New(op.in).Interface()
				text, err := jsonOfCBOR(g.body, defaultMaxItems)
				if err != nil {
					t.Fatal(err)
				}
				if err := service.inputs.read(text, in, defaultMaxItems, func(path string) { t.Errorf("unknown member %s", path) }); err != nil {
					t.Fatal(err)
				}
				schema, err := schemaOf(op.in)
				if err != nil {
					t.Fatal(err)
				}
				r := smithyhttp.NewStackRequest().(*smithyhttp.Request)
				ctx := middleware.WithOperationName(t.Context(), g.name)
				if err := protocol.SerializeRequest(ctx, smithy.NewOperationSchema(schema, schema, nil), in.(smithy.Serializable), r); err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(r.Build(t.Context()).Body)
				if err != nil {
					t.Fatal(err)
				}
				sameCBOR(t, g.body, body)
			})
		}
	}
}

func TestGoldenCBORAnswersReadByTheSDKAreWrittenAgain(t *testing.T) {
	t.Parallel()
	for _, m := range rpcModules {
		service, protocol, w := m.service(nil), rpcv2.NewCBOR(m.schema), &jsonWriter{cbor: true}
		for _, file := range m.goldenFiles(t, "response_snapshot/*.response.snap") {
			g := readGolden(t, file)
			t.Run(m.name+"/"+g.name, func(t *testing.T) {
				t.Parallel()
				op := service.operations[g.name]
				out := reflect.New(op.out).Interface()
				schema, err := schemaOf(op.out)
				if err != nil {
					t.Fatal(err)
				}
				r := &smithyhttp.Response{Response: &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(g.body))}}
				if err := protocol.DeserializeResponse(t.Context(), smithy.NewOperationSchema(schema, nil, schema), m.registry, r, out.(smithy.Deserializable)); err != nil {
					t.Fatal(err)
				}
				body, err := w.write(nil, out)
				if err != nil {
					t.Fatal(err)
				}
				sameCBOR(t, g.body, body)
			})
		}
	}
}

func TestGoldenCBORErrorsReadByTheSDKAreWrittenAgain(t *testing.T) {
	t.Parallel()
	for _, m := range rpcModules {
		protocol, w := rpcv2.NewCBOR(m.schema), &jsonWriter{cbor: true}
		for _, file := range m.goldenFiles(t, "response_snapshot/*.error.snap") {
			g := readGolden(t, file)
			t.Run(m.name+"/"+g.name, func(t *testing.T) {
				t.Parallel()
				r := &smithyhttp.Response{Response: &http.Response{StatusCode: g.status, Body: io.NopCloser(bytes.NewReader(g.body))}}
				err := protocol.DeserializeResponse(t.Context(), smithy.NewOperationSchema(nil, nil, nil), m.registry, r, nil)
				a, withheld := answerFor(err, protocolCBOR)
				if withheld {
					t.Fatalf("%v is no API error", err)
				}
				if a.status != g.status {
					t.Errorf("status = %d, want %d", a.status, g.status)
				}
				sameCBOR(t, g.body, w.failure(a))
			})
		}
	}
}

// alarms serves CloudWatch's operations with the answer that they are given.
func alarms(out any, err error, o Options) http.Handler {
	m := rpcModules[0]
	return Handler(o, m.service(func(*operation, any) (any, error) { return out, err }))
}

// sendCBOR sends a request as no SDK would.
func sendCBOR(h http.Handler, path string, body []byte, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Smithy-Protocol", rpcProtocol)
	r.Header.Set("Content-Type", "application/cbor")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const alarmsPath = "/service/GraniteServiceVersion20100801/operation/"

func TestBadCBORRequestsAreRefusedWithAReason(t *testing.T) {
	t.Parallel()
	h := alarms(&cloudwatch.DescribeAlarmsOutput{}, nil, Options{MaxItems: 20, MaxBody: 2000})
	deep := append(bytes.Repeat([]byte{0x81}, 100), 0x00)
	for name, tc := range map[string]struct {
		path, body, code, message string
		status                    int
		header                    map[string]string
	}{
		"unknown operation":   {"Fly", "\xa0", "UnknownOperationException", `The operation "Fly" of GraniteServiceVersion20100801 is not served here.`, 400, nil},
		"unknown protocol":    {"DescribeAlarms", "\xa0", "UnknownOperationException", `The protocol "rpc-v2-xml" is not served here.`, 400, map[string]string{"Smithy-Protocol": "rpc-v2-xml"}},
		"path of nothing":     {"../x", "\xa0", "UnknownOperationException", "The path names no operation", 400, nil},
		"JSON":                {"DescribeAlarms", "{}", "SerializationException", "The content type \"application/json\" is not served: use application/cbor.", 415, map[string]string{"Content-Type": "application/json"}},
		"cut":                 {"DescribeAlarms", "\xbf", "SerializationException", "EOF", 400, nil},
		"two documents":       {"DescribeAlarms", "\xa0\xa0", "SerializationException", "extraneous data", 400, nil},
		"list":                {"DescribeAlarms", "\x80", "SerializationException", "START_ARRAY cannot be converted to structure", 400, nil},
		"twice the same":      {"DescribeAlarms", "\xa2\x61a\x00\x61a\x00", "SerializationException", "duplicate map key", 400, nil},
		"number for a text":   {"DescribeAlarms", "\xa1\x69NextToken\x01", "SerializationException", "NextToken: NUMBER_VALUE cannot be converted to String", 400, nil},
		"fraction":            {"DescribeAlarms", "\xa1\x6aMaxRecords\xf9\x3e\x00", "SerializationException", "MaxRecords: 1.5 is no Integer", 400, nil},
		"huge list":           {"DescribeAlarms", "\xa1\x6aAlarmNames\x9b\x00\x00\xff\xff\xff\xff\xff\xff", "SerializationException", "exceeded max number of elements", 400, nil},
		"too many items":      {"DescribeAlarms", "\xa2\x6aAlarmNames\x8b" + strings.Repeat("\x61a", 11) + "\x6aAlarmTypes\x8b" + strings.Repeat("\x61a", 11), "SerializationException", "too many list elements", 400, nil},
		"deep":                {"DescribeAlarms", string(deep), "SerializationException", "exceeded max nested level", 400, nil},
		"unknown tag":         {"DescribeAlarms", "\xa1\x69NextToken\xd8\x2a\x61x", "SerializationException", "a CBOR value of type cbor.Tag has no place in a request", 400, nil},
		"no UTF-8":            {"DescribeAlarms", "\xa1\x69NextToken\x61\xff", "SerializationException", "UTF-8", 400, nil},
		"large":               {"DescribeAlarms", strings.Repeat("x", 2001), "RequestEntityTooLargeException", "larger than 2000 bytes", 413, nil},
		"no gzip":             {"DescribeAlarms", "\xa0", "SerializationException", "the body is no gzip", 400, map[string]string{"Content-Encoding": "gzip"}},
		"other compression":   {"DescribeAlarms", "\xa0", "SerializationException", `the content encoding "br" is not served`, 400, map[string]string{"Content-Encoding": "br"}},
		"small but it swells": {"DescribeAlarms", string(zip(make([]byte, 100_000))), "RequestEntityTooLargeException", "larger than 2000 bytes", 413, map[string]string{"Content-Encoding": "gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := sendCBOR(h, alarmsPath+tc.path, []byte(tc.body), tc.header)
			var answer map[string]string
			if err := cbor.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatalf("%v in %q", err, w.Body)
			}
			if w.Code != tc.status || answer["__type"] != tc.code || !strings.Contains(answer["message"], tc.message) {
				t.Errorf("%d %q", w.Code, answer)
			}
			if got := w.Header().Get("Smithy-Protocol"); got != rpcProtocol {
				t.Errorf("Smithy-Protocol: %q", got)
			}
		})
	}
}

func zip(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body)
	_ = w.Close()
	return b.Bytes()
}

func TestACompressedRequestIsServed(t *testing.T) {
	t.Parallel()
	w := sendCBOR(alarms(&cloudwatch.DescribeAlarmsOutput{}, nil, Options{}), "/some/where"+alarmsPath+"DescribeAlarms", zip([]byte{0xa0}), map[string]string{"Content-Encoding": "gzip"})
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/cbor" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestAnOperationWithoutMembersNeedsNoBody(t *testing.T) {
	t.Parallel()
	h := alarms(&cloudwatch.StartOTelEnrichmentOutput{}, nil, Options{})
	if w := sendCBOR(h, alarmsPath+"StartOTelEnrichment", nil, map[string]string{"Content-Type": ""}); w.Code != http.StatusOK {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// Clients that came from Query know an error by the code that it had there.
func TestQueryCompatibleClientsAreToldTheCodeOfQuery(t *testing.T) {
	t.Parallel()
	h := alarms(nil, &cwtypes.LimitExceededFault{}, Options{})
	for mode, want := range map[string]string{"true": "LimitExceeded;Sender", "": ""} {
		w := sendCBOR(h, alarmsPath+"PutMetricAlarm", []byte{0xa0}, map[string]string{"X-Amzn-Query-Mode": mode})
		if got := w.Header().Get("X-Amzn-Query-Error"); got != want {
			t.Errorf("mode %q: X-Amzn-Query-Error %q, want %q", mode, got, want)
		}
	}
	text := (&xmlWriter{}).failure("", first(answerFor(&cwtypes.ResourceNotFound{}, protocolQuery)), "id")
	if !bytes.Contains(text, []byte("<Code>ResourceNotFound</Code>")) {
		t.Errorf("%s", text)
	}
}

func first[A, B any](a A, _ B) A { return a }

// What is not served is refused alike over CBOR and JSON, and a service may speak all three.
func TestOneServerSpeaksAllProtocols(t *testing.T) {
	t.Parallel()
	m := rpcModules[0]
	s := m.service(func(*operation, any) (any, error) { return &cloudwatch.DeleteAlarmsOutput{}, nil }).
		WithQuery("2010-08-01", "http://monitoring.amazonaws.com/doc/2010-08-01/")
	s.target = s.rpc
	h := Handler(Options{}, s)
	for name, r := range map[string]*http.Request{
		"cbor":  httptest.NewRequest(http.MethodPost, alarmsPath+"DeleteAlarms", bytes.NewReader([]byte("\xa1\x6aAlarmNames\x81\x61x"))),
		"json":  httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"AlarmNames":["x"]}`)),
		"query": httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=DeleteAlarms&Version=2010-08-01&AlarmNames.member.1=x")),
	} {
		switch name {
		case "cbor":
			r.Header.Set("Smithy-Protocol", rpcProtocol)
			r.Header.Set("Content-Type", "application/cbor")
		case "json":
			r.Header.Set("X-Amz-Target", "GraniteServiceVersion20100801.DeleteAlarms")
			r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		case "query":
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
	}
}

func TestNumbersAreWrittenInTheFewestBytes(t *testing.T) {
	t.Parallel()
	for want, got := range map[string][]byte{
		"\x17":                                 appendCBORInt(nil, 23),
		"\x18\x18":                             appendCBORInt(nil, 24),
		"\x19\x01\x00":                         appendCBORInt(nil, 256),
		"\x1a\x00\x01\x00\x00":                 appendCBORInt(nil, 65536),
		"\x1b\x00\x00\x00\x01\x00\x00\x00\x00": appendCBORInt(nil, 1<<32),
		"\x20":                                 appendCBORInt(nil, -1),
		"\x3b\x7f\xff\xff\xff\xff\xff\xff\xff": appendCBORInt(nil, math.MinInt64),
		"\xfa\x3f\x80\x00\x00":                 appendCBORFloat(nil, 1, 32),
		"\xf5":                                 appendCBORBool(nil, true),
		"\x63\xef\xbf\xbd":                     appendCBORText(nil, "\xff"),
	} {
		if string(got) != want {
			t.Errorf("%x, want %x", got, want)
		}
	}
}

// What is read as an input is, written and read again, the same input.
func FuzzCBORInput(f *testing.F) {
	reader := withUnions(rpcModules[0].unions)
	for _, seed := range []string{"", "\xa0", "\xbf\xff", "\xa1\x69AlarmName\x61x", "\xbf\x69Threshold\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00\x67Metrics\x9f\xbf\x62Id\x61m\xff\xff\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		read := func(body []byte, in any, unknown func(string)) error {
			text, err := jsonOfCBOR(body, 1000)
			if err != nil {
				return err
			}
			return reader.read(text, in, 1000, unknown)
		}
		var in, again cloudwatch.PutMetricAlarmInput
		if err := read(body, &in, func(string) {}); err != nil {
			return
		}
		written, err := (&jsonWriter{cbor: true, stored: true}).write(nil, &in)
		if err != nil {
			t.Fatal(err)
		}
		if err := read(written, &again, func(path string) { t.Errorf("unknown: %s", path) }); err != nil {
			t.Fatalf("%v in %x", err, written)
		}
		if d := cmp.Diff(in, again, sameSDK, cmpopts.EquateNaNs()); d != "" {
			t.Error(d)
		}
	})
}
