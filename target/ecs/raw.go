package ecs

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// sending makes a call send a document as it stands instead of what the SDK would write: what AWS added after our SDK
// was made goes through as well. The SDK signs what is sent.
func sending(document []byte) func(*ecs.Options) {
	replace := middleware.SerializeMiddlewareFunc("SlipwayDocument",
		func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
			req, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("the request is a %T", in.Request)
			}
			req, err := req.SetStream(bytes.NewReader(document))
			if err != nil {
				return middleware.SerializeOutput{}, middleware.Metadata{}, err
			}
			in.Request = req
			return next.HandleSerialize(ctx, in)
		})
	return option(func(stack *middleware.Stack) error { return stack.Serialize.Add(replace, middleware.After) })
}

// keeping makes a call store its answer's body as it came, besides what the SDK reads of it.
func keeping(body *[]byte) func(*ecs.Options) {
	keep := middleware.DeserializeMiddlewareFunc("SlipwayAnswer",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			resp, ok := out.RawResponse.(*smithyhttp.Response)
			if err != nil || !ok {
				return out, metadata, err
			}
			all, err := io.ReadAll(resp.Body)
			if err != nil {
				return out, metadata, err
			}
			if err := resp.Body.Close(); err != nil {
				return out, metadata, err
			}
			*body, resp.Body = all, io.NopCloser(bytes.NewReader(all))
			return out, metadata, nil
		})
	return option(func(stack *middleware.Stack) error { return stack.Deserialize.Add(keep, middleware.After) })
}

func option(add func(*middleware.Stack) error) func(*ecs.Options) {
	return func(o *ecs.Options) { o.APIOptions = append(o.APIOptions, add) }
}
