package ecsdeploy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/image"
)

// wish is which images a new revision has: that of one repository, or another tag for all.
type wish struct {
	image   image.Reference // with tag or digest
	tagOnly image.Tag       // not empty: only the tags change, of every container
}

// wished reads -i, -e and -to. variable returns an environment variable.
func (o options) wished(variable func(string) string) (wish, error) {
	if o.tagOnly != "" {
		if err := image.CheckTag(o.tagOnly); err != nil {
			return wish{}, wrong(exitImage, "-to: %v", err)
		}
		return wish{tagOnly: image.Tag(o.tagOnly)}, nil
	}
	ref, err := image.Parse(o.image)
	switch {
	case err != nil:
		return wish{}, wrong(exitImage, "-i: %v", err)
	case ref.Tag != "" && ref.Digest != "":
		return wish{}, wrong(exitImage, "-i: %q has a tag and a digest: leave one of them out", o.image)
	case ref.Tag != "":
		return wish{image: ref}, nil
	case o.tagVariable != "":
		tag := variable(o.tagVariable)
		if tag == "" {
			return wish{}, wrong(exitFailed, "-e: the environment variable %s is not set", o.tagVariable)
		}
		if err := image.CheckTag(tag); err != nil {
			return wish{}, wrong(exitFailed, "-e: the environment variable %s: %v", o.tagVariable, err)
		}
		return wish{image: ref.WithTag(image.Tag(tag))}, nil
	case ref.Digest == "":
		ref.Tag = image.Latest
	}
	return wish{image: ref}, nil
}

// change is what becomes of one container's image.
type change struct{ container, from, to string }

func (c change) String() string {
	if c.from == c.to {
		return fmt.Sprintf("container %s: %s, as before", c.container, c.to)
	}
	return fmt.Sprintf("container %s: %s → %s", c.container, c.from, c.to)
}

// replaced returns the image of a container that has this one now, and whether it is one of those that are wished for.
func (w wish) replaced(now string) (string, bool, error) {
	ref, err := image.Parse(now)
	if w.tagOnly != "" {
		return ref.WithTag(w.tagOnly).String(), true, err
	}
	ours := err == nil && image.SameRepository(ref, w.image) // what is no reference is of no repository
	return w.image.String(), ours, nil
}

// revise returns a task definition with the images that are wished for. Everything else stays as it stands, also what
// nobody here knows. It is an error when no container has an image of the repository.
func revise(definition []byte, w wish) ([]byte, []change, error) {
	document, err := object(definition)
	if err != nil {
		return nil, nil, fault.New(fault.Invalid, "cannot read the task definition: %w", err)
	}
	var containers []json.RawMessage
	if err := json.Unmarshal(document["containerDefinitions"], &containers); err != nil || len(containers) == 0 {
		return nil, nil, fault.New(fault.Invalid, "the task definition has no containerDefinitions")
	}
	var changes []change
	var images []string
	for i := range containers {
		c, now, err := w.reviseContainer(&containers[i])
		if err != nil {
			return nil, nil, err
		}
		if images = append(images, now); c != nil {
			changes = append(changes, *c)
		}
	}
	if len(changes) == 0 {
		slices.Sort(images)
		return nil, nil, fault.New(fault.NotFound, "no container has an image of repository %s; there are %s", w.image.Name(), strings.Join(slices.Compact(images), ", ")).
			WithHint("give -i with the repository of one of them")
	}
	if document["containerDefinitions"], err = written(containers); err != nil {
		return nil, nil, err
	}
	revised, err := written(document)
	return revised, changes, err
}

// reviseContainer changes one container's image, if it is one of those that are wished for, and returns what it was.
func (w wish) reviseContainer(container *json.RawMessage) (*change, string, error) {
	members, err := object(*container)
	if err != nil {
		return nil, "", fault.New(fault.Invalid, "cannot read a container of the task definition: %w", err)
	}
	var name, now string
	for member, into := range map[string]*string{"name": &name, "image": &now} {
		if members[member] != nil {
			if err := json.Unmarshal(members[member], into); err != nil {
				return nil, "", fault.New(fault.Invalid, "cannot read the %s of a container: %w", member, err)
			}
		}
	}
	to, ours, err := w.replaced(now)
	if err != nil {
		return nil, "", fault.New(fault.Invalid, "container %s: %w", name, err)
	}
	if !ours {
		return nil, now, nil
	}
	if members["image"], err = written(to); err != nil {
		return nil, "", err
	}
	*container, err = written(members)
	return &change{name, now, to}, now, err
}

// object reads the members of a JSON object as they stand.
func object(text []byte) (map[string]json.RawMessage, error) {
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	return members, nil
}

// written writes JSON with < > & as they are.
func written(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fault.New(fault.Internal, "cannot write the task definition: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
