package balance

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// The cookies of load balancers. [Application Load Balancers: Sticky sessions]
const (
	cookieTarget      = "AWSALB"
	cookieTargetCORS  = "AWSALBCORS"
	cookieProgram     = "AWSALBAPP-0"
	cookieGroup       = "AWSALBTG"
	cookieGroupCORS   = "AWSALBTGCORS"
	cookieLife        = 7 * 24 * time.Hour // whatever the bond's own duration, which is in the cookie's value
	cookieValueLength = 24
)

// visit is one request or connection of a client: what it is known by, and where it is sent.
type visit struct {
	source netip.Addr
	cookie func(name string) string // the value, "" when there is none

	group  *group
	target *target
}

// visitOf tells what a request is known by.
func visitOf(r *http.Request) *visit {
	v := &visit{cookie: func(name string) string {
		if c, err := r.Cookie(name); err == nil {
			return c.Value
		}
		return ""
	}}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		v.source = at.Addr()
	}
	return v
}

// bound returns the target that a client is bound to, or nil when it is not, no longer, or to one that takes no requests.
func (p *pool) bound(v *visit) *target {
	var wanted uint64
	switch p.routing.Sticky {
	case "source_ip":
		return p.nearest(v.source)
	case "lb_cookie":
		wanted = opened(v, cookieTarget, cookieTargetCORS)
	case "app_cookie":
		wanted = opened(v, cookieProgram)
	}
	if wanted == 0 {
		return nil
	}
	i := slices.IndexFunc(p.targets, func(t *target) bool { return t.fingerprint() == wanted })
	if i < 0 {
		return nil
	}
	return p.targets[i]
}

// nearest returns the same target for the same address, as long as it is there, whatever other ones come and go.
func (p *pool) nearest(source netip.Addr) *target {
	var best *target
	var most uint64
	address := source.Unmap().As16()
	for _, t := range p.targets {
		h := fnv.New64a()
		_, _ = h.Write(binary.BigEndian.AppendUint64(address[:], t.fingerprint())) // never fails
		if weight := h.Sum64(); best == nil || weight > most {
			best, most = t, weight
		}
	}
	return best
}

// fingerprint is a number that stands for a registration of a target, never 0.
func (t *target) fingerprint() uint64 {
	return fingerprint(t.key + t.registered.UTC().Format(time.RFC3339Nano))
}

func fingerprint(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails
	return max(h.Sum64(), 1)
}

// seal makes the value of a cookie: what it stands for, until when, and something that makes it another one each time.
// AWS encrypts it; here nobody gains anything by choosing a target.
func seal(of uint64, until time.Time) string {
	b := make([]byte, 0, cookieValueLength)
	b = binary.BigEndian.AppendUint64(b, of)
	b = binary.BigEndian.AppendUint64(b, uint64(until.UnixNano())) //nolint:gosec // long after 1970
	b = binary.BigEndian.AppendUint64(b, rand.Uint64())
	return base64.RawURLEncoding.EncodeToString(b)
}

// unseal returns what a cookie stands for, 0 when it is none of ours or too old.
func unseal(value string, now time.Time) uint64 {
	b, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || len(b) != cookieValueLength || binary.BigEndian.Uint64(b[8:]) < uint64(now.UnixNano()) { //nolint:gosec // long after 1970
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// opened returns what the first good one of a client's cookies stands for, 0 when there is none.
func opened(v *visit, names ...string) uint64 {
	if v == nil || v.cookie == nil {
		return 0
	}
	for _, name := range names {
		if of := unseal(v.cookie(name), time.Now()); of != 0 {
			return of
		}
	}
	return 0
}

// bind gives the client of an answer the cookies that bind it to its target, and to its target group.
func (f *forward) bind(v *visit, answer http.Header) {
	now := time.Now()
	if f.groupLasts > 0 && len(f.shares) > 1 {
		f.give(answer, now, seal(fingerprint(string(v.group.id)), now.Add(f.groupLasts)), cookieGroup, cookieGroupCORS)
	}
	p := v.group.pool.Load()
	if p == nil || v.target == nil {
		return
	}
	value := func() string { return seal(v.target.fingerprint(), now.Add(p.routing.Lasts)) }
	switch p.routing.Sticky {
	case "lb_cookie":
		f.give(answer, now, value(), cookieTarget, cookieTargetCORS)
	case "app_cookie":
		if sets(answer, p.routing.Cookie) {
			f.give(answer, now, value(), cookieProgram, "")
		}
	}
}

// give adds a cookie, and the same under another name for requests from pages of other sites.
func (f *forward) give(answer http.Header, now time.Time, value, name, cors string) {
	expires := "; Expires=" + now.Add(cookieLife).UTC().Format(http.TimeFormat) + "; Path=/"
	answer.Add("Set-Cookie", name+"="+value+expires)
	if cors == "" {
		return
	}
	last := "; SameSite=None"
	if f.protocol == "https" {
		last += "; Secure"
	}
	answer.Add("Set-Cookie", cors+"="+value+expires+last)
}

// sets reports whether an answer sets a cookie.
func sets(answer http.Header, name string) bool {
	return slices.ContainsFunc((&http.Response{Header: answer}).Cookies(), func(c *http.Cookie) bool { return c.Name == name })
}
