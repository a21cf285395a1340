package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"io"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/fault"
)

// pauseImage has nothing but a program that waits for ever. Its containers keep the networks of tasks, as those of the image
// "amazon-ecs-pause" do on AWS, for a network of Docker's ends with the container that it was made for. The number changes with
// the program.
const pauseImage = "slipway-pause:1"

// pauseCode are the instructions of the program, by architecture: two calls of Linux. It has the kernel forget its children that
// have died, of which it gets all orphans where a task's containers share their processes, and then waits, again and again.
//
//	rt_sigaction(SIGCHLD, &{SIG_IGN}, NULL, 8); for (;;) pause();
//
// What follows the code is the struct sigaction: SIG_IGN (1), and nothing else. [rt_sigaction(2), pause(2), syscall(2)]
func pauseCode(arch string) (machine uint16, code []byte) {
	switch arch {
	case "amd64":
		return 62, []byte{
			0xb8, 13, 0, 0, 0, // mov $SYS_rt_sigaction, %eax
			0xbf, 17, 0, 0, 0, // mov $SIGCHLD, %edi
			0x48, 0x8d, 0x35, 0x13, 0, 0, 0, // lea action(%rip), %rsi
			0x31, 0xd2, // xor %edx, %edx
			0x41, 0xba, 8, 0, 0, 0, // mov $8, %r10d
			0x0f, 0x05, // syscall
			0xb8, 34, 0, 0, 0, // wait: mov $SYS_pause, %eax
			0x0f, 0x05, // syscall
			0xeb, 0xf7, // jmp wait
		}
	case "arm64": // it has no pause: ppoll(NULL, 0, NULL, NULL, 0) is the same
		for _, instruction := range []uint32{
			0xd28010c8,                         // mov x8, #SYS_rt_sigaction
			0xd2800220,                         // mov x0, #SIGCHLD
			0x10000181,                         // adr x1, action
			0xaa1f03e2, 0xb27d03e3, 0xd4000001, // mov x2, #0; mov x3, #8; svc #0
			0xd2800928,                         // wait: mov x8, #SYS_ppoll
			0xaa1f03e0, 0xaa1f03e1, 0xaa1f03e2, // mov x0, #0; mov x1, #0; mov x2, #0
			0xaa1f03e3, 0xaa1f03e4, 0xd4000001, // mov x3, #0; mov x4, #0; svc #0
			0x17fffff9, // b wait
		} {
			code = binary.LittleEndian.AppendUint32(code, instruction)
		}
		return 183, code
	}
	return 0, nil
}

// pauseProgram is the program as a file that Linux can run: an ELF header, one program header, the code. Nil where there is no
// code for the architecture. [elf(5)]
func pauseProgram(arch string) []byte {
	const (
		headers = 64 + 56
		address = 0x400000
		action  = 32 // bytes
	)
	machine, code := pauseCode(arch)
	if code == nil {
		return nil
	}
	size := uint64(headers + len(code) + action)
	var file bytes.Buffer
	for _, part := range []any{
		[]byte("\x7fELF\x02\x01\x01"), make([]byte, 9), // 64 bits, little-endian
		uint16(2), machine, uint32(1), // an executable
		uint64(address + headers), uint64(64), uint64(0), uint32(0), // its entry; where its program headers are
		uint16(64), uint16(56), uint16(1), uint16(0), uint16(0), uint16(0),
		uint32(1), uint32(5), uint64(0), uint64(address), uint64(address), size, size, uint64(0x10000), // all of it is loaded, to be read and run
		code, uint64(1), make([]byte, action-8),
	} {
		_ = binary.Write(&file, binary.LittleEndian, part) // to a buffer, of fixed sizes
	}
	return file.Bytes()
}

// loadPause has Docker have the image.
func (r *Runtime) loadPause(ctx context.Context) error {
	_, err := r.api.ImageInspect(ctx, pauseImage)
	if err == nil {
		return nil
	}
	if !errdefs.IsNotFound(err) {
		return failed(err, "cannot find image %q", pauseImage)
	}
	archive, err := pauseArchive(r.arch)
	if err != nil {
		return err
	}
	loaded, err := r.api.ImageLoad(ctx, bytes.NewReader(archive), client.ImageLoadWithQuiet(true))
	if err != nil {
		return failed(err, "cannot load image %q", pauseImage)
	}
	defer loaded.Close()
	if _, err := io.Copy(io.Discard, loaded); err != nil { // it is there when Docker has said all
		return failed(err, "cannot load image %q", pauseImage)
	}
	return nil
}

// pauseArchive is the image as "docker save" writes it.
func pauseArchive(arch string) ([]byte, error) {
	program := pauseProgram(arch)
	if program == nil {
		return nil, fault.New(fault.Refused, "there is no program that keeps a network on machines of the architecture %q", arch)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if err := w.WriteHeader(&tar.Header{Name: "pause", Mode: 0o755, Size: int64(len(program))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(program); err != nil {
			return nil, err
		}
		return io.NopCloser(&b), w.Close()
	})
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	config := v1.ConfigFile{Architecture: arch, OS: "linux", Config: v1.Config{Entrypoint: []string{"/pause"}}}
	made, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config.RootFS, config.History = made.RootFS, made.History
	if image, err = mutate.ConfigFile(image, &config); err != nil {
		return nil, err
	}
	tag, err := name.NewTag(pauseImage)
	if err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	if err := tarball.Write(tag, image, &archive); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}
