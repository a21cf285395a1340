package build

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/slipway-cd/slipway/fault"
)

// certificatesPath is where Go programs, among other places, look for certificate authorities (crypto/x509, root_linux.go).
const certificatesPath = "/etc/ssl/certs/ca-certificates.crt"

// entry is a file or directory of the layer, owned by root.
type entry struct {
	path    string
	mode    int64
	content []byte // nil for a directory
}

// layerOf packs the program and what goes with it. The layer is kept in memory, compressed.
func layerOf(opts GoOptions, binary, target string) (v1.Layer, error) {
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	entries := []entry{
		{path: path.Dir(target), mode: 0o755},
		{path: target, mode: 0o755, content: program},
	}
	if opts.CACertificates {
		certificates, err := hostCertificates()
		if err != nil {
			return nil, err
		}
		entries = append(
			entries,
			entry{path: "/etc", mode: 0o755},
			entry{path: "/etc/ssl", mode: 0o755},
			entry{path: "/etc/ssl/certs", mode: 0o755},
			entry{path: certificatesPath, mode: 0o644, content: certificates},
		)
	}
	entries = append(entries, entry{path: "/tmp", mode: 0o1777})
	packed, err := pack(entries)
	if err != nil {
		return nil, err
	}
	return partial.CompressedToLayer(packed)
}

// packed is a compressed layer in memory, with what a manifest says of it.
type packed struct {
	content        []byte
	digest, diffID v1.Hash
}

// pack writes the entries in their order to a compressed archive with fixed times and owners.
func pack(entries []entry) (*packed, error) {
	var content bytes.Buffer
	sum := sha256.New()
	zip := gzip.NewWriter(&content)
	archive := tar.NewWriter(io.MultiWriter(zip, sum))
	for _, e := range entries {
		if err := archive.WriteHeader(e.header()); err != nil {
			return nil, err
		}
		if _, err := archive.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		return nil, err
	}
	digest, _, err := v1.SHA256(bytes.NewReader(content.Bytes()))
	return &packed{
		content: content.Bytes(),
		digest:  digest,
		diffID:  v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum.Sum(nil))},
	}, err
}

// Digest returns the SHA-256 of the compressed content.
func (p *packed) Digest() (v1.Hash, error) { return p.digest, nil }

// DiffID returns the SHA-256 of the uncompressed content.
func (p *packed) DiffID() (v1.Hash, error) { return p.diffID, nil }

// Size returns the bytes of the compressed content.
func (p *packed) Size() (int64, error) { return int64(len(p.content)), nil }

// MediaType returns the type of compressed OCI layers.
func (p *packed) MediaType() (types.MediaType, error) { return types.OCILayer, nil }

// Compressed returns the content.
func (p *packed) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(p.content)), nil
}

func (e entry) header() *tar.Header {
	h := &tar.Header{
		Typeflag: tar.TypeReg,
		Name:     e.path[1:],
		Mode:     e.mode,
		Size:     int64(len(e.content)),
		ModTime:  time.Unix(0, 0),
		Format:   tar.FormatUSTAR,
	}
	if e.content == nil {
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
	}
	return h
}

// hostCertificates returns the certificate authorities of this machine, from where the common Linux distributions and
// macOS keep them as one file (crypto/x509, root_linux.go and root_bsd.go).
func hostCertificates() ([]byte, error) {
	for _, file := range []string{certificatesPath, "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"} {
		if content, err := os.ReadFile(file); err == nil {
			return content, nil
		}
	}
	return nil, fault.New(fault.NotFound, "this machine has no file of certificate authorities").
		WithHint("install the package ca-certificates, or build without them")
}
