package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

func TestLayerIsSentInPartsAndFetchedAgain(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	repository := aws.String("app")
	_, err := h.ecr.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: repository})
	must(h, 0, err)
	layer := bytes.Repeat([]byte("0123456789"), 300_000) // more than the 1 MiB of other requests
	sum := sha256.Sum256(layer)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	available := func() types.LayerAvailability {
		out, err := h.ecr.BatchCheckLayerAvailability(t.Context(), &ecr.BatchCheckLayerAvailabilityInput{RepositoryName: repository, LayerDigests: []string{digest, "nonsense"}})
		must(h, out, err)
		if len(out.Layers) != 1 || len(out.Failures) != 1 || out.Failures[0].FailureCode != types.LayerFailureCodeInvalidLayerDigest {
			t.Fatalf("availability: %s", h.last.answer())
		}
		return out.Layers[0].LayerAvailability
	}
	if got := available(); got != types.LayerAvailabilityUnavailable {
		t.Error(got)
	}
	begin, err := h.ecr.InitiateLayerUpload(t.Context(), &ecr.InitiateLayerUploadInput{RepositoryName: repository})
	id := must(h, begin, err).UploadId
	part := func(from, to int64) error {
		_, err := h.ecr.UploadLayerPart(t.Context(), &ecr.UploadLayerPartInput{
			RepositoryName: repository, UploadId: id, PartFirstByte: &from, PartLastByte: aws.Int64(to - 1), LayerPartBlob: layer[from:to],
		})
		return err
	}
	complete := func(digest string) error {
		_, err := h.ecr.CompleteLayerUpload(t.Context(), &ecr.CompleteLayerUploadInput{RepositoryName: repository, UploadId: id, LayerDigests: []string{digest}})
		return err
	}
	if got := code(complete(digest)); !strings.HasPrefix(got, "EmptyUploadException: ") {
		t.Errorf("without parts: %s", got)
	}
	must(h, 0, part(0, 2_000_000))
	if got := code(part(2_500_000, 3_000_000)); got != "InvalidLayerPartException: The layer part of bytes 2500000 to 2999999 with 500000 bytes does not follow the 2000000 bytes that were received" {
		t.Errorf("a gap: %s", got)
	}
	must(h, 0, part(2_000_000, 3_000_000))
	must(h, 0, complete(digest))
	if got := available(); got != types.LayerAvailabilityAvailable {
		t.Error(got)
	}
	if got := code(part(3_000_000, 3_000_000)); !strings.HasPrefix(got, "UploadNotFoundException: The upload with id '") {
		t.Errorf("a part after the end: %s", got)
	}
	url, err := h.ecr.GetDownloadUrlForLayer(t.Context(), &ecr.GetDownloadUrlForLayerInput{RepositoryName: repository, LayerDigest: &digest})
	resp, err := http.Get(*must(h, url, err).DownloadUrl)
	must(h, resp, err)
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, layer) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	_, err = h.ecr.GetDownloadUrlForLayer(t.Context(), &ecr.GetDownloadUrlForLayerInput{RepositoryName: repository, LayerDigest: aws.String("sha256:" + strings.Repeat("0", 64))})
	if got := code(err); !strings.HasPrefix(got, "LayersNotFoundException: ") {
		t.Error(got)
	}
	begin, err = h.ecr.InitiateLayerUpload(t.Context(), &ecr.InitiateLayerUploadInput{RepositoryName: repository})
	id = must(h, begin, err).UploadId
	must(h, 0, part(0, 1000))
	if got := code(complete("sha256:" + strings.Repeat("0", 64))); !strings.HasPrefix(got, "InvalidLayerException: ") {
		t.Errorf("another digest: %s", got)
	}
}

func TestImagesExpireByTheirLifecyclePolicy(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	repository := aws.String("app")
	_, err := h.ecr.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: repository})
	must(h, 0, err)
	for i := range 4 {
		h.push("app", fmt.Sprintf("1.%d", i))
	}
	text := aws.String(`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":2},"action":{"type":"expire"}}]}`)
	if _, err := h.ecr.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: repository}); code(err) != "LifecyclePolicyNotFoundException: Lifecycle policy does not exist for the repository with name 'app' in the registry with id '000000000000'" {
		t.Error(code(err))
	}
	_, err = h.ecr.StartLifecyclePolicyPreview(t.Context(), &ecr.StartLifecyclePolicyPreviewInput{RepositoryName: repository, LifecyclePolicyText: text})
	must(h, 0, err)
	preview, err := h.ecr.GetLifecyclePolicyPreview(t.Context(), &ecr.GetLifecyclePolicyPreviewInput{RepositoryName: repository})
	if must(h, preview, err); preview.Status != "COMPLETE" || len(preview.PreviewResults) != 2 || *preview.Summary.ExpiringImageTotalCount != 2 {
		t.Errorf("preview: %s", h.last.answer())
	}
	left := func() string {
		out, err := h.ecr.ListImages(t.Context(), &ecr.ListImagesInput{RepositoryName: repository})
		must(h, out, err)
		seen := map[string]bool{}
		for _, id := range out.ImageIds {
			seen[*id.ImageTag] = true
		}
		return fmt.Sprint(len(seen), seen["1.2"], seen["1.3"])
	}
	if got := left(); got != "4 true true" {
		t.Errorf("after the preview: %s", got)
	}
	_, err = h.ecr.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: repository, LifecyclePolicyText: text})
	must(h, 0, err)
	if got := left(); got != "2 true true" {
		t.Errorf("after the policy: %s", got)
	}
	policy, err := h.ecr.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: repository})
	if must(h, policy, err); *policy.LifecyclePolicyText != *text || policy.LastEvaluatedAt.IsZero() {
		t.Errorf("policy: %s", h.last.answer())
	}
	_, err = h.ecr.DeleteLifecyclePolicy(t.Context(), &ecr.DeleteLifecyclePolicyInput{RepositoryName: repository})
	must(h, 0, err)
	_, err = h.ecr.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: repository, LifecyclePolicyText: aws.String(`{"rules":[]}`)})
	if got := code(err); got != "InvalidParameterException: Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: it has 0 rules, there must be 1 to 50'" {
		t.Error(got)
	}
}

func TestTagsMoveOnlyWhereTheyMay(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	repository := aws.String("app")
	filters := []types.ImageTagMutabilityExclusionFilter{{FilterType: types.ImageTagMutabilityExclusionFilterTypeWildcard, Filter: aws.String("latest*")}}
	created, err := h.ecr.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{
		RepositoryName: repository, ImageTagMutability: types.ImageTagMutabilityImmutableWithExclusion, ImageTagMutabilityExclusionFilters: filters,
	})
	if must(h, created, err); len(created.Repository.ImageTagMutabilityExclusionFilters) != 1 {
		t.Errorf("repository: %s", h.last.answer())
	}
	h.push("app", "latest")
	h.push("app", "latest")
	h.push("app", "1.0")
	other := h.push("app", "2.0")
	image, err := h.ecr.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: repository, ImageIds: []types.ImageIdentifier{{ImageDigest: &other}}})
	must(h, image, err)
	_, err = h.ecr.PutImage(t.Context(), &ecr.PutImageInput{RepositoryName: repository, ImageManifest: image.Images[0].ImageManifest, ImageTag: aws.String("1.0")})
	if got := code(err); !strings.HasPrefix(got, "ImageTagAlreadyExistsException: ") {
		t.Errorf("a tag that is not excluded: %s", got)
	}
	_, err = h.ecr.PutImageTagMutability(t.Context(), &ecr.PutImageTagMutabilityInput{RepositoryName: repository, ImageTagMutability: types.ImageTagMutabilityMutable, ImageTagMutabilityExclusionFilters: filters})
	if got := code(err); !strings.HasPrefix(got, "InvalidParameterException: ") {
		t.Errorf("filters that nothing is excluded by: %s", got)
	}
	_, err = h.ecr.PutImageTagMutability(t.Context(), &ecr.PutImageTagMutabilityInput{RepositoryName: repository, ImageTagMutability: types.ImageTagMutabilityMutable})
	must(h, 0, err)
	h.push("app", "1.0")
	described, err := h.ecr.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"app"}})
	if r := must(h, described, err).Repositories[0]; r.ImageTagMutability != "MUTABLE" || len(r.ImageTagMutabilityExclusionFilters) != 0 {
		t.Errorf("repository: %s", h.last.answer())
	}
}

func TestRepositoryPolicyIsRecorded(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.push("app", "1.0") // its record is made by what is decided about it
	repository, text := aws.String("app"), aws.String(`{"Version":"2012-10-17","Statement":[]}`)
	get := func() string {
		out, err := h.ecr.GetRepositoryPolicy(t.Context(), &ecr.GetRepositoryPolicyInput{RepositoryName: repository})
		if err != nil {
			return code(err)
		}
		return *out.PolicyText
	}
	const none = "RepositoryPolicyNotFoundException: Repository policy does not exist for the repository with name 'app' in the registry with id '000000000000'"
	if got := get(); got != none {
		t.Error(got)
	}
	_, err := h.ecr.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: repository, PolicyText: text})
	must(h, 0, err)
	if got := get(); got != *text {
		t.Error(got)
	}
	_, err = h.ecr.DeleteRepositoryPolicy(t.Context(), &ecr.DeleteRepositoryPolicyInput{RepositoryName: repository})
	must(h, 0, err)
	if got := get(); got != none {
		t.Error(got)
	}
	_, err = h.ecr.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: repository, PolicyText: aws.String("{}")})
	if got := code(err); got != "InvalidParameterException: Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'" {
		t.Error(got)
	}
}
