package acceptance

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/rogpeppe/go-internal/testscript"
)

// parameter NAME VALUE [TYPE]
//
// puts a parameter into the Parameter Store of the script's engine: a String unless another type is named.
func putParameter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: parameter NAME VALUE [TYPE]")
	}
	kind := types.ParameterTypeString
	if len(args) == 3 {
		kind = types.ParameterType(args[2])
	}
	_, err := ssm.NewFromConfig(engineConfig(ts, "")).PutParameter(context.Background(), &ssm.PutParameterInput{
		Name: &args[0], Value: &args[1], Type: kind,
	})
	ts.Check(err)
}

// secret NAME VALUE
//
// makes a secret in the Secrets Manager of the script's engine.
func createSecret(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: secret NAME VALUE")
	}
	_, err := secretsmanager.NewFromConfig(engineConfig(ts, "")).CreateSecret(context.Background(), &secretsmanager.CreateSecretInput{
		Name: &args[0], SecretString: &args[1],
	})
	ts.Check(err)
}

// recording
//
// puts a listener between slipway and the script's engine, which keeps the last request of each operation as it came over
// the wire: $WORK/sent/OPERATION.json.
func recordRequests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: recording")
	}
	dir := ts.MkAbs(filepath.Join(ts.Getenv("WORK"), "sent"))
	ts.Check(os.MkdirAll(dir, 0o755))
	engine, err := url.Parse(ts.Getenv("AWS_ENDPOINT_URL"))
	ts.Check(err)
	proxy := httputil.NewSingleHostReverseProxy(engine)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if _, operation, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
			if err := os.WriteFile(filepath.Join(dir, operation+".json"), append(body, '\n'), 0o644); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	ts.Defer(server.Close)
	ts.Setenv("AWS_ENDPOINT_URL", server.URL)
}
