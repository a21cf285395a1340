package lifecycle

import (
	"strings"
	"testing"
)

// FuzzEnvironment: a container gets only what a line of an environment file says, in that line's words.
func FuzzEnvironment(f *testing.F) {
	for _, seed := range []string{"", "A=1\nB=2", "# A=1\r\nA=2\r\n", "=x\ny=\n", "A==\x00\nA=1", "A=1=2", "\ufeffA=1", "  # A=1", strings.Repeat("A", 5000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, value := range parseEnvironment(text) {
			if name == "" || value == "" || strings.ContainsAny(name, "=\n") || strings.Contains(value, "\n") || strings.HasPrefix(name, "#") {
				t.Errorf("%q = %q", name, value)
			}
			if !strings.Contains("\n"+text+"\n", "\n"+name+"="+value) {
				t.Errorf("%q = %q is in no line", name, value)
			}
		}
	})
}

// FuzzObjectOf: an environment file is where its ARN says, and nowhere when it doesn't.
func FuzzObjectOf(f *testing.F) {
	for _, seed := range []string{"arn:aws:s3:::bucket/key", "arn:aws:s3:::bucket/a/b.env", "arn:aws:s3:::/x", "arn:aws:s3:::b/", "s3://b/k", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arn string) {
		bucket, key, err := objectOf(arn)
		if err == nil && (bucket == "" || key == "" || strings.Contains(bucket, "/") || "arn:aws:s3:::"+bucket+"/"+key != arn) {
			t.Errorf("%q is %q in %q", arn, key, bucket)
		}
	})
}
