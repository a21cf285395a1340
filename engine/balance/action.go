package balance

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// table is what a listener does with requests: the first rule that matches decides, the last one matches always.
// It is never changed, only replaced.
type table struct {
	rules    []rule
	fallback http.Handler
}

func (t *table) action(r *http.Request) http.Handler {
	for i := range t.rules {
		if t.rules[i].matches(r) {
			return t.rules[i].action
		}
	}
	return t.fallback
}

// forwarded returns where connections go when their bytes are not looked at, or nil.
func (t *table) forwarded() *forward {
	f, _ := t.fallback.(*forward)
	return f
}

// tableOf compiles the rules of a listener. What cannot be compiled answers 500, and is told.
func tableOf(s listenerSettings, m forwardMaker) (*table, []error) {
	t := &table{}
	var errs []error
	for _, doc := range s.Rules {
		action, err := actionOf(s, doc.Actions, m)
		if err != nil {
			errs = append(errs, fmt.Errorf("rule %s: %w", cmp.Or(value(doc.RuleArn), value(doc.Priority), "default"), err))
		}
		if action, err = transformed(action, doc.Transforms); err != nil {
			errs = append(errs, fmt.Errorf("rule %s: %w", cmp.Or(value(doc.RuleArn), value(doc.Priority), "default"), err))
		}
		r := rule{action: action}
		for _, c := range doc.Conditions {
			compiled, err := conditionOf(c)
			if err != nil {
				errs = append(errs, fmt.Errorf("rule %s: %w", cmp.Or(value(doc.RuleArn), value(doc.Priority)), err))
				compiled = func(*http.Request) bool { return false }
			}
			r.conditions = append(r.conditions, compiled)
		}
		t.rules = append(t.rules, r)
	}
	t.fallback = t.rules[len(t.rules)-1].action
	t.rules = t.rules[:len(t.rules)-1]
	return t, errs
}

// actionOf compiles the action that routes: the last one in order. What authenticates before it needs an identity
// provider, which the engine has not.
func actionOf(s listenerSettings, actions []v2.Action, m forwardMaker) (http.Handler, error) {
	if len(actions) == 0 {
		return fixed(http.StatusServiceUnavailable), nil
	}
	actions = slices.Clone(actions)
	slices.SortStableFunc(actions, func(a, b v2.Action) int { return cmp.Compare(value(a.Order), value(b.Order)) })
	for _, a := range actions {
		switch a.Type {
		case v2.ActionTypeEnumForward, v2.ActionTypeEnumRedirect, v2.ActionTypeEnumFixedResponse:
		default:
			return fixed(http.StatusInternalServerError), fmt.Errorf("action %q is not supported by the engine", a.Type)
		}
	}
	switch last := actions[len(actions)-1]; last.Type {
	case v2.ActionTypeEnumForward:
		return m.forward(s, last), nil
	case v2.ActionTypeEnumRedirect:
		return redirectOf(s, value(last.RedirectConfig)), nil
	default:
		return fixedOf(value(last.FixedResponseConfig))
	}
}

func fixedOf(c v2.FixedResponseActionConfig) (http.Handler, error) {
	status, err := strconv.Atoi(value(c.StatusCode))
	if err != nil || status < 200 || status > 599 {
		return fixed(http.StatusInternalServerError), fmt.Errorf("fixed response: %q is no status code", value(c.StatusCode))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answerWith(w, status, cmp.Or(value(c.ContentType), "text/plain; charset=utf-8"), value(c.MessageBody))
	}), nil
}

// redirectOf compiles a redirection. Members that are not given keep what the request had.
// [Application Load Balancers: Redirect actions]
func redirectOf(s listenerSettings, c v2.RedirectActionConfig) http.Handler {
	status := http.StatusFound
	if c.StatusCode == v2.RedirectActionStatusCodeEnumHttp301 {
		status = http.StatusMovedPermanently
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", location(s, c, r))
		answerPage(w, status)
	})
}

func location(s listenerSettings, c v2.RedirectActionConfig, r *http.Request) string {
	own := strings.ToLower(string(s.Protocol))
	fill := strings.NewReplacer(
		"#{protocol}", own,
		"#{host}", host(r),
		"#{port}", strconv.Itoa(int(s.At.Port())),
		"#{path}", strings.TrimPrefix(path(r), "/"),
		"#{query}", r.URL.RawQuery,
	)
	protocol := strings.ToLower(fill.Replace(cmp.Or(value(c.Protocol), "#{protocol}")))
	to := protocol + "://" + fill.Replace(cmp.Or(value(c.Host), "#{host}"))
	to += ":" + fill.Replace(cmp.Or(value(c.Port), "#{port}"))
	to += fill.Replace(cmp.Or(value(c.Path), "/#{path}"))
	query := "#{query}"
	if c.Query != nil {
		query = *c.Query
	}
	if query = fill.Replace(query); query != "" {
		to += "?" + query
	}
	return to
}

// fixed answers every request with a load balancer's own page for that status.
func fixed(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answerPage(w, status) })
}

// answerPage answers as the load balancer itself does, with a small page that names the status.
func answerPage(w http.ResponseWriter, status int) {
	answerWith(w, status, "text/html", page(status))
}

func page(status int) string {
	text := http.StatusText(status)
	switch status {
	case http.StatusServiceUnavailable:
		text = "Service Temporarily Unavailable"
	case http.StatusGatewayTimeout:
		text = "Gateway Time-out"
	}
	title := fmt.Sprintf("%d %s", status, text)
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
		"</h1></center>\r\n</body>\r\n</html>\r\n"
}

// pageResponse is the same answer where net/http doesn't write it.
func pageResponse(status int, last bool) *http.Response {
	body := page(status)
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Close: last,
		Header: http.Header{
			"Server": {ownName}, "Content-Type": {"text/html"}, "Date": {time.Now().UTC().Format(http.TimeFormat)},
		},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// ownName is what load balancers call themselves in the answers that are their own.
const ownName = "awselb/2.0"

func answerWith(w http.ResponseWriter, status int, contentType, body string) {
	h := w.Header()
	h.Set("Server", ownName)
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // a client that has gone needs no answer
}
