package image

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/fault"
)

const sum = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestParseTakesReferencesApart(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Reference{
		"mariadb":                                   {"", "mariadb", "", ""},
		"mariadb:latest":                            {"", "mariadb", "latest", ""},
		"team/app:1.0.15.RELEASE":                   {"", "team/app", "1.0.15.RELEASE", ""},
		"127.0.0.1:4566/hid-generator:1":            {"127.0.0.1:4566", "hid-generator", "1", ""},
		"localhost/app":                             {"localhost", "app", "", ""},
		"localhost:5000/a/b/c":                      {"localhost:5000", "a/b/c", "", ""},
		"registry.example.com/app@" + sum:           {"registry.example.com", "app", "", sum},
		"registry.example.com/app:1@" + sum:         {"registry.example.com", "app", "1", sum},
		"123.dkr.ecr.us-east-1.amazonaws.com/app:x": {"123.dkr.ecr.us-east-1.amazonaws.com", "app", "x", ""},
		"[::1]:5000/app:1":                          {"[::1]:5000", "app", "1", ""},
		"a/b__c/d-e.f":                              {"", "a/b__c/d-e.f", "", ""},
		"MyHost/app":                                {"MyHost", "app", "", ""},
	} {
		got, err := Parse(s)
		if err != nil {
			t.Errorf("Parse(%q): %v", s, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", s, diff)
		}
		if got.String() != s {
			t.Errorf("Parse(%q).String() = %q", s, got)
		}
	}
}

func TestParseRefusesWhatIsNoReference(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", ":", "app:", "app@", ":1", "@" + sum, "App", "_app", "app_", "a..b", "a___b", "a/", "/a", "a//b", "app:-x",
		"app:.x", "app:a b", "app:" + strings.Repeat("x", 129), "app@sha256:12", "app@md5:" + strings.Repeat("0", 64),
		"host:x/app", "host:/app", "host.:80/app", "-host.x/app", "a b", "app:1:2", "http://host/app", strings.Repeat("a", 256),
		"registry.example.com/", "registry.example.com/:1", "app@" + strings.ToUpper(sum), "[::1/app", "[x]:80/app",
	} {
		if r, err := Parse(s); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Parse(%q) = %+v, %v", s, r, err)
		}
	}
}

func TestNormalSaysWhatDockerTakesForGranted(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"mariadb":                   "docker.io/library/mariadb:latest",
		"team/app":                  "docker.io/team/app:latest",
		"index.docker.io/mariadb:1": "docker.io/library/mariadb:1",
		"host.x/app":                "host.x/app:latest",
		"mariadb@" + sum:            "docker.io/library/mariadb@" + sum,
	} {
		r, err := Parse(s)
		if err != nil || r.Normal().String() != want {
			t.Errorf("%q: %s, %v; want %s", s, r.Normal(), err, want)
		}
	}
}

func TestSameRepositoryLooksAtTheWholeName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"app:9", "app:1", true},
		{"app", "docker.io/library/app@" + sum, true},
		{"app:9", "registry.example.com/acct/app:1", false},
		{"app", "myapp", false},
		{"host:5000/app", "host:5001/app", false},
		{"a.b/app", "axb/app", false},
	} {
		a, errA := Parse(c.a)
		b, errB := Parse(c.b)
		if errA != nil || errB != nil || SameRepository(a, b) != c.want {
			t.Errorf("SameRepository(%s, %s) = %t, want %t (%v, %v)", c.a, c.b, !c.want, c.want, errA, errB)
		}
	}
}

func TestWithTagDropsTheDigestAndWithDigestKeepsTheTag(t *testing.T) {
	t.Parallel()
	r := Reference{"host.x", "app", "1", sum}
	if got, want := r.WithTag("2").String(), "host.x/app:2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := r.WithTag("2").WithDigest(sum).String(), "host.x/app:2@"+sum; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseReadsWhatStringWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := Reference{
			Registry:   Registry(rapid.SampledFrom([]string{"", "localhost", "127.0.0.1:4566", "registry.example.com"}).Draw(t, "registry")),
			Repository: Repository(rapid.StringMatching(`[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,8}){0,2}`).Draw(t, "repository")),
			Tag:        Tag(rapid.StringMatching(`([A-Za-z0-9_][A-Za-z0-9_.-]{0,20})?`).Draw(t, "tag")),
			Digest:     Digest(rapid.SampledFrom([]string{"", sum}).Draw(t, "digest")),
		}
		back, err := Parse(r.String())
		host, _, _ := strings.Cut(string(r.Repository), "/")
		if r.Registry == "" && strings.Contains(string(r.Repository), "/") && (strings.Contains(host, ".") || host == "localhost") {
			return // without a registry, such a repository's first part is one
		}
		if err != nil || back != r {
			t.Fatalf("Parse(%q) = %+v, %v", r, back, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"mariadb", "127.0.0.1:4566/hid-generator:1.0.15.RELEASE@" + sum, "a/b:c", "[::1]:5000/x", "a--b..c", "a-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s)
		if err != nil {
			return
		}
		if r.String() != s {
			t.Errorf("Parse(%q).String() = %q", s, r)
		}
		n := r.Normal()
		if again, err := Parse(n.String()); err != nil || again.Normal() != n {
			t.Errorf("the normal form %q of %q cannot be read back: %v", n, s, err)
		}
	})
}
