package api_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// push pushes a random image to the engine's registry with a foreign client, and returns its digest.
func (h *house) push(repository, tag string) string {
	h.Helper()
	image, err := random.Image(64, 1)
	must(h, image, err)
	ref, err := name.ParseReference(strings.TrimPrefix(h.server.URL, "http://")+"/"+repository+":"+tag, name.Insecure)
	must(h, ref, err)
	if err := remote.Write(ref, image, remote.WithContext(h.Context())); err != nil {
		h.Fatal(err)
	}
	digest, err := image.Digest()
	return must(h, digest, err).String()
}

func TestRepositoryIsCreatedPushedToTaggedAndDeleted(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	repository := aws.String("team/web")
	created, err := h.ecr.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: repository, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}})
	r := must(h, created, err).Repository
	h.golden("ecr-create-repository.json")
	if want := strings.TrimPrefix(h.server.URL, "http://") + "/team/web"; *r.RepositoryUri != want {
		t.Errorf("URI %s, expected %s", *r.RepositoryUri, want)
	}
	_, err = h.ecr.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: repository})
	if want := "RepositoryAlreadyExistsException: The repository with name 'team/web' already exists in the registry with id '000000000000'"; code(err) != want {
		t.Error(code(err))
	}
	digest := h.push("team/web", "1.0")
	got, err := h.ecr.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: repository, ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("1.0")}, {ImageTag: aws.String("2.0")}}})
	if must(h, got, err); len(got.Images) != 1 || len(got.Failures) != 1 || *got.Images[0].ImageId.ImageDigest != digest {
		t.Fatalf("images: %s", h.last.answer())
	}
	put := &ecr.PutImageInput{RepositoryName: repository, ImageManifest: got.Images[0].ImageManifest, ImageTag: aws.String("latest")}
	_, err = h.ecr.PutImage(t.Context(), put)
	must(h, 0, err)
	if _, err = h.ecr.PutImage(t.Context(), put); !strings.HasPrefix(code(err), "ImageAlreadyExistsException: ") {
		t.Errorf("the same tag again: %v", err)
	}
	_, err = h.ecr.PutImageTagMutability(t.Context(), &ecr.PutImageTagMutabilityInput{RepositoryName: repository, ImageTagMutability: types.ImageTagMutabilityImmutable})
	must(h, 0, err)
	h.push("team/web", "2.0")
	other, err := h.ecr.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: repository, ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("2.0")}}})
	put.ImageManifest = must(h, other, err).Images[0].ImageManifest
	if _, err = h.ecr.PutImage(t.Context(), put); !strings.HasPrefix(code(err), "ImageTagAlreadyExistsException: The image tag 'latest' already exists") {
		t.Errorf("a tag that must not move: %v", err)
	}
	images, err := h.ecr.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: repository, ImageIds: []types.ImageIdentifier{{ImageDigest: &digest}}})
	if must(h, images, err); strings.Join(images.ImageDetails[0].ImageTags, " ") != "1.0 latest" {
		t.Errorf("images: %s", h.last.answer())
	}
	list, err := h.ecr.ListImages(t.Context(), &ecr.ListImagesInput{RepositoryName: repository})
	if must(h, list, err); len(list.ImageIds) != 3 {
		t.Errorf("tags: %s", h.last.answer())
	}
	tags, err := h.ecr.ListTagsForResource(t.Context(), &ecr.ListTagsForResourceInput{ResourceArn: r.RepositoryArn})
	if must(h, tags, err); len(tags.Tags) != 1 {
		t.Errorf("tags: %s", h.last.answer())
	}
	deleted, err := h.ecr.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{RepositoryName: repository, ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("2.0")}, {ImageTag: aws.String("9")}}})
	if must(h, deleted, err); len(deleted.ImageIds) != 1 || deleted.Failures[0].FailureCode != types.ImageFailureCodeImageNotFound {
		t.Errorf("deleted: %s", h.last.answer())
	}
	if _, err = h.ecr.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: repository}); !strings.HasPrefix(code(err), "RepositoryNotEmptyException: ") {
		t.Errorf("delete with images: %v", err)
	}
	_, err = h.ecr.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: repository, Force: true})
	must(h, 0, err)
	_, err = h.ecr.DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"team/web"}})
	if want := "RepositoryNotFoundException: The repository with name 'team/web' does not exist in the registry with id '000000000000'"; code(err) != want {
		t.Error(code(err))
	}
}

func TestDockerLoginGetsAUserAndAnEndpoint(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	out, err := h.ecr.GetAuthorizationToken(t.Context(), &ecr.GetAuthorizationTokenInput{})
	data := must(h, out, err).AuthorizationData[0]
	token, err := base64.StdEncoding.DecodeString(*data.AuthorizationToken)
	if must(h, token, err); !strings.HasPrefix(string(token), "AWS:") || *data.ProxyEndpoint != h.server.URL {
		t.Errorf("%s at %s", token, *data.ProxyEndpoint)
	}
}

func TestCallerIsTheAccountsRoot(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	out, err := h.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if must(h, out, err); *out.Account != "000000000000" || *out.Arn != "arn:aws:iam::000000000000:root" || *out.UserId != "AKIDEXAMPLE" {
		t.Errorf("caller: %s", h.last.answer())
	}
}
