package awswire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

var (
	signedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	secrets  = map[string]string{"AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
)

// signed is a request signed by the SDK's own signer.
func signed(t *testing.T, key, secret string, presign bool) (*http.Request, []byte) {
	t.Helper()
	body := []byte(`{"cluster":"default"}`)
	r := httptest.NewRequest(http.MethodPost, "http://localhost:4566/a%20b/c?z=1&a=x%20y&a-b=&a=%2F~", bytes.NewReader(body))
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListServices")
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Meta-Spaces", "  a   b ")
	r.Header.Set("User-Agent", "not signed")
	digest := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: key, SecretAccessKey: secret, SessionToken: "session"}
	hash := hex.EncodeToString(digest[:])
	if !presign {
		if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hash, "ecs", "us-east-1", signedAt); err != nil {
			t.Fatal(err)
		}
		return r, body
	}
	uri, headers, err := v4.NewSigner().PresignHTTP(t.Context(), credentials, r, hash, "sts", "us-east-1", signedAt)
	if err != nil {
		t.Fatal(err)
	}
	p := httptest.NewRequest(http.MethodPost, uri, bytes.NewReader(body))
	maps.Copy(p.Header, headers)
	return p, body
}

func TestSignaturesOfTheSDKAreVerified(t *testing.T) {
	t.Parallel()
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	replaceBody := func(_ *http.Request, body []byte) []byte { return append(body, ' ') }
	set := func(name, value string) func(*http.Request, []byte) []byte {
		return func(r *http.Request, body []byte) []byte { r.Header.Set(name, value); return body }
	}
	tests := map[string]struct {
		key, secret string
		presign     bool
		after       time.Duration
		change      func(*http.Request, []byte) []byte
		json, query string // codes; empty: accepted
		message     string
	}{
		"right":                      {key: "AKIDEXAMPLE", secret: secret},
		"right, presigned":           {key: "AKIDEXAMPLE", secret: secret, presign: true},
		"five minutes late":          {key: "AKIDEXAMPLE", secret: secret, after: 5 * time.Minute},
		"five minutes early":         {key: "AKIDEXAMPLE", secret: secret, after: -5 * time.Minute},
		"later":                      {key: "AKIDEXAMPLE", secret: secret, after: 301 * time.Second, json: "InvalidSignatureException", query: "SignatureDoesNotMatch", message: "Signature expired: 20260301T120000Z is now earlier than 20260301T120001Z (20260301T120501Z - 5 min.)"},
		"earlier":                    {key: "AKIDEXAMPLE", secret: secret, after: -301 * time.Second, json: "InvalidSignatureException", query: "SignatureDoesNotMatch", message: "Signature not yet current: 20260301T120000Z is still later than 20260301T115959Z (20260301T115459Z + 5 min.)"},
		"presigned, expired":         {key: "AKIDEXAMPLE", secret: secret, presign: true, after: 301 * time.Second, json: "InvalidSignatureException", query: "RequestExpired", message: "Request has expired."},
		"unknown key":                {key: "AKIDOTHER", secret: secret, json: "UnrecognizedClientException", query: "InvalidClientTokenId", message: "The security token included in the request is invalid."},
		"wrong secret":               {key: "AKIDEXAMPLE", secret: "x", json: "InvalidSignatureException", query: "SignatureDoesNotMatch"},
		"wrong secret, presigned":    {key: "AKIDEXAMPLE", secret: "x", presign: true, json: "InvalidSignatureException", query: "SignatureDoesNotMatch"},
		"other body":                 {key: "AKIDEXAMPLE", secret: secret, change: replaceBody, json: "InvalidSignatureException", query: "SignatureDoesNotMatch"},
		"other operation":            {key: "AKIDEXAMPLE", secret: secret, change: set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.DeleteCluster"), json: "InvalidSignatureException", query: "SignatureDoesNotMatch"},
		"unsigned X-Amz header":      {key: "AKIDEXAMPLE", secret: secret, change: set("X-Amz-Extra", "1"), json: "InvalidSignatureException", query: "SignatureDoesNotMatch", message: "'x-amz-extra' must be a 'SignedHeader' in the AWS Authorization."},
		"unsigned other header":      {key: "AKIDEXAMPLE", secret: secret, change: set("X-Forwarded-For", "1")},
		"presigned, added parameter": {key: "AKIDEXAMPLE", secret: secret, presign: true, change: func(r *http.Request, b []byte) []byte { r.URL.RawQuery += "&b=1"; return b }, json: "InvalidSignatureException", query: "SignatureDoesNotMatch"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, body := signed(t, tc.key, tc.secret, tc.presign)
			if tc.change != nil {
				body = tc.change(r, body)
			}
			s, err := parseSignature(r)
			if err == nil {
				err = s.verify(r, body, secrets, nil, signedAt.Add(tc.after))
			}
			checkRefusal(t, err, tc.json, tc.query, tc.message)
		})
	}
}

func checkRefusal(t *testing.T, err error, json, query, message string) {
	t.Helper()
	if json == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		t.Fatalf("err = %v, want %s", err, json)
	}
	if r.json != json || r.query != query || message != "" && r.jsonMessage != message {
		t.Errorf("refused with %s/%s %q,\nwant %s/%s %q", r.json, r.query, r.jsonMessage, json, query, message)
	}
}

func TestUnreadableSignaturesAreRefused(t *testing.T) {
	t.Parallel()
	const good = "AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1/ecs/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
	replace := func(old, other string) string { return strings.Replace(good, old, other, 1) }
	for name, tc := range map[string]struct{ header, date, json string }{
		"good":                {good, "20260301T120000Z", ""},
		"no spaces":           {strings.ReplaceAll(good, ", ", ","), "20260301T120000Z", ""},
		"none":                {"", "", "MissingAuthenticationTokenException"},
		"basic":               {"Basic Zm9vOmJhcg==", "", "IncompleteSignatureException"},
		"no signature":        {replace(", Signature=00", ""), "", "IncompleteSignatureException"},
		"no headers":          {replace("host;x-amz-date", ""), "", "IncompleteSignatureException"},
		"empty header":        {replace("host;", ";"), "", "IncompleteSignatureException"},
		"upper case header":   {replace("host", "Host"), "", "IncompleteSignatureException"},
		"twice":               {good + ", Signature=00", "", "IncompleteSignatureException"},
		"short credential":    {replace("/ecs", ""), "", "IncompleteSignatureException"},
		"no date":             {good, "", "IncompleteSignatureException"},
		"date of other day":   {good, "20260302T120000Z", "InvalidSignatureException"},
		"too many headers":    {replace("host", strings.Repeat("a;", maxSigned)+"host"), "", "IncompleteSignatureException"},
		"too long":            {good + strings.Repeat(" ", maxAuth), "", "IncompleteSignatureException"},
		"no key":              {replace("AK/", "/"), "", "IncompleteSignatureException"},
		"garbage after comma": {good + ", x", "", "IncompleteSignatureException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &http.Request{Header: http.Header{}, URL: &url.URL{}}
			r.Header.Set("Authorization", tc.header)
			r.Header.Set("X-Amz-Date", tc.date)
			_, err := parseSignature(r)
			if tc.json == "" && err == nil {
				return
			}
			refused, ok := errors.AsType[*refusal](err)
			if !ok || refused.json != tc.json {
				t.Errorf("err = %v, want %q", err, tc.json)
			}
		})
	}
}
