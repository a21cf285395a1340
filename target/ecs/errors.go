package ecs

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/slipway-cd/slipway/fault"
)

// meaning is what an error of AWS is to a user.
type meaning struct {
	kind fault.Kind
	hint string
}

var (
	badCredentials = meaning{fault.Denied, "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or --profile"}
	expired        = meaning{fault.Denied, "the credentials have expired: get new ones, for example with `aws sso login`"}
	noRight        = meaning{fault.Denied, "let the caller's IAM role or user do this"}
	noService      = meaning{fault.NotFound, "check --cluster, --service and --region"}
	noBalancer     = meaning{fault.NotFound, "create the load balancer, or correct its name in the service definition"}
	busy           = meaning{fault.Throttled, "AWS asks to slow down: try again in a moment"}
	broken         = meaning{fault.Unavailable, "AWS has trouble of its own: try again in a moment"}
)

// meanings are AWS's error codes: those common to all services, and those of ECS and Elastic Load Balancing.
var meanings = map[string]meaning{
	"UnrecognizedClientException":                    badCredentials,
	"InvalidClientTokenId":                           badCredentials,
	"InvalidSignatureException":                      badCredentials,
	"SignatureDoesNotMatch":                          badCredentials,
	"IncompleteSignature":                            badCredentials,
	"IncompleteSignatureException":                   badCredentials,
	"MissingAuthenticationToken":                     badCredentials,
	"InvalidAccessKeyId":                             badCredentials,
	"AuthFailure":                                    badCredentials,
	"ExpiredToken":                                   expired,
	"ExpiredTokenException":                          expired,
	"RequestExpired":                                 {fault.Denied, "check this machine's clock"},
	"AccessDenied":                                   noRight,
	"AccessDeniedException":                          noRight,
	"UnauthorizedOperation":                          noRight,
	"ClusterNotFoundException":                       {fault.NotFound, "create the cluster, or check --cluster and --region"},
	"ServiceNotFoundException":                       noService,
	"ServiceNotActiveException":                      noService,
	"LoadBalancerNotFound":                           noBalancer,
	"LoadBalancerNotFoundException":                  noBalancer,
	"AccessPointNotFound":                            noBalancer,
	"TargetGroupNotFound":                            {fault.NotFound, "create the target group, or correct its ARN in the service definition"},
	"TargetGroupNotFoundException":                   {fault.NotFound, "create the target group, or correct its ARN in the service definition"},
	"ResourceNotFoundException":                      {fault.NotFound, ""},
	"NoSuchEntity":                                   {fault.NotFound, ""},
	"NoSuchEntityException":                          {fault.NotFound, ""},
	"ClientException":                                {fault.Invalid, ""},
	"InvalidParameterException":                      {fault.Invalid, ""},
	"ValidationException":                            {fault.Invalid, ""},
	"ValidationError":                                {fault.Invalid, ""},
	"SerializationException":                         {fault.Invalid, ""},
	"UnknownParameter":                               {fault.Invalid, ""},
	"UnsupportedFeatureException":                    {fault.Invalid, ""},
	"PlatformUnknownException":                       {fault.Invalid, ""},
	"NamespaceNotFoundException":                     {fault.NotFound, ""},
	"ConflictException":                              {fault.Conflict, ""},
	"UpdateInProgressException":                      {fault.Conflict, ""},
	"BlockedException":                               {fault.Refused, "AWS has blocked the account: ask AWS Support"},
	"LimitExceededException":                         {fault.Refused, "ask AWS for a higher quota"},
	"ThrottlingException":                            busy,
	"Throttling":                                     busy,
	"ThrottledException":                             busy,
	"TooManyRequestsException":                       busy,
	"RequestLimitExceeded":                           busy,
	"ServerException":                                broken,
	"InternalFailure":                                broken,
	"InternalError":                                  broken,
	"ServiceUnavailable":                             broken,
	"ServiceUnavailableException":                    broken,
	"PlatformTaskDefinitionIncompatibilityException": {fault.Invalid, ""},
}

// failed returns an error of the SDK as one of ours: doing says what was tried, "describe service \"web\"".
func (t *Target) failed(doing string, err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		m, known := meanings[api.ErrorCode()]
		if !known {
			m.kind = fault.Internal
			if api.ErrorFault() == smithy.FaultServer {
				m = broken
			}
		}
		return &fault.Error{Kind: m.kind, Message: "cannot " + doing + ": " + told(api), Hint: hint(m, api.ErrorMessage()), Err: err}
	}
	if strings.Contains(err.Error(), "get credentials") || strings.Contains(err.Error(), "refresh cached credentials") {
		return &fault.Error{
			Kind: fault.Denied, Message: "cannot " + doing + ": no credentials were found", Err: err,
			Hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --profile",
		}
	}
	if send, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		return t.unreachable(doing, send)
	}
	return fault.New(fault.Unavailable, "cannot %s: %w", doing, err)
}

func (t *Target) unreachable(doing string, err *smithyhttp.RequestSendError) error {
	e := fault.New(fault.Unavailable, "cannot %s: the endpoint cannot be reached: %w", doing, err.Err)
	if t.endpoint == "" {
		return e.WithHint("check the network and --region")
	}
	e.Message = "cannot " + doing + ": " + t.endpoint + " cannot be reached: " + err.Err.Error()
	return e.WithHint("check --endpoint-url and AWS_ENDPOINT_URL; an engine of this machine is started with `slipway engine start`")
}

// told returns AWS's own sentence, or its code where there is none.
func told(err smithy.APIError) string {
	if err.ErrorMessage() == "" {
		return err.ErrorCode()
	}
	return strings.TrimSuffix(err.ErrorMessage(), ".")
}

// hint refines the remedy of an error code that ECS uses for many things by its text.
func hint(m meaning, text string) string {
	lower := strings.ToLower(text)
	switch {
	case m.hint != "":
		return m.hint
	case strings.Contains(lower, "assume role"), strings.Contains(lower, "role is not valid"):
		return "check that the role exists and that ecs.amazonaws.com may assume it"
	case strings.Contains(lower, "load balancer"), strings.Contains(lower, "target group"):
		return "create the load balancer, or correct the service definition"
	case strings.Contains(lower, "not idempotent"):
		return "a service of this name exists with other attributes; it is updated once it is seen"
	}
	return ""
}
