package elbv2api

import (
	"context"
	"slices"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// changeCertificates changes the further certificates of a listener that ends TLS.
func (s *Server) changeCertificates(arn *string, alter func([]types.Certificate) []types.Certificate) error {
	return s.write(func(tx *state.Tx) error {
		l, err := listener(tx.Snapshot, arn)
		if err != nil {
			return err
		}
		if len(l.Doc.Certificates) == 0 {
			return &types.UnsupportedProtocolException{Message: awsdoc.Text("Listener '%s' of protocol '%s' has no certificates", l.ARN, l.Doc.Protocol)}
		}
		changed := *l
		changed.Certificates = alter(slices.Clone(l.Certificates))
		tx.Put(&changed)
		return nil
	})
}

func names(certificates []types.Certificate, c types.Certificate) bool {
	return slices.ContainsFunc(certificates, func(other types.Certificate) bool {
		return awsdoc.Or(other.CertificateArn, "") == awsdoc.Or(c.CertificateArn, "")
	})
}

// AddListenerCertificates records further certificates.
func (s *Server) AddListenerCertificates(_ context.Context, in *v2.AddListenerCertificatesInput) (*v2.AddListenerCertificatesOutput, error) {
	out := &v2.AddListenerCertificatesOutput{}
	err := s.changeCertificates(in.ListenerArn, func(all []types.Certificate) []types.Certificate {
		no := false
		for _, c := range in.Certificates {
			if c.IsDefault = &no; !names(all, c) {
				all = append(all, c)
			}
			out.Certificates = append(out.Certificates, c)
		}
		return all
	})
	return out, err
}

// RemoveListenerCertificates forgets further certificates.
func (s *Server) RemoveListenerCertificates(_ context.Context, in *v2.RemoveListenerCertificatesInput) (*v2.RemoveListenerCertificatesOutput, error) {
	return &v2.RemoveListenerCertificatesOutput{}, s.changeCertificates(in.ListenerArn, func(all []types.Certificate) []types.Certificate {
		return slices.DeleteFunc(all, func(c types.Certificate) bool { return names(in.Certificates, c) })
	})
}

// DescribeListenerCertificates describes the certificates of a listener, its default one first.
func (s *Server) DescribeListenerCertificates(_ context.Context, in *v2.DescribeListenerCertificatesInput) (*v2.DescribeListenerCertificatesOutput, error) {
	l, err := listener(s.read(), in.ListenerArn)
	if err != nil {
		return nil, err
	}
	yes := true
	byKey, keys := map[string]types.Certificate{}, []string{}
	add := func(order string, c types.Certificate) {
		key := order + awsdoc.Or(c.CertificateArn, "")
		byKey[key], keys = c, append(keys, key)
	}
	for _, c := range l.Doc.Certificates {
		c.IsDefault = &yes
		add("0", c)
	}
	for _, c := range l.Certificates {
		add("1", c)
	}
	keys, next, err := page(keys, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &v2.DescribeListenerCertificatesOutput{Certificates: []types.Certificate{}, NextMarker: next}
	for _, key := range keys {
		out.Certificates = append(out.Certificates, byKey[key])
	}
	return out, nil
}
