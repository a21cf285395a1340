package images

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"testing"
)

const (
	largeLayer = 300 << 20 // bytes

	// memoryBound is what pushing and pulling a large layer may allocate in all, client and server together, in bytes:
	// a copy buffer for each request, and small change. Bytes once allocated count although they were freed, so this
	// bounds the peak, too.
	memoryBound = 8 << 20
)

// Not parallel: it counts what the whole process allocates.
func TestALargeLayerTakesLittleMemory(t *testing.T) { //nolint:paralleltest // see above
	s := serve(t, Options{})
	sum := sha256.New()
	if _, err := io.Copy(sum, layerOfNoise()); err != nil {
		t.Fatal(err)
	}
	digest := "sha256:" + hex.EncodeToString(sum.Sum(nil))
	at := s.startUpload("app")

	pushed := allocated(func() {
		s.want(s.do("PUT", at+"?digest="+digest, layerOfNoise()), http.StatusCreated, "")
	})
	pulled := allocated(func() {
		sum.Reset()
		resp, err := s.http.Client().Get(s.http.URL + "/v2/app/blobs/" + digest)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.Copy(sum, resp.Body); err != nil {
			t.Fatal(err)
		}
	})
	if got := "sha256:" + hex.EncodeToString(sum.Sum(nil)); got != digest {
		t.Errorf("pulled %s, pushed %s", got, digest)
	}
	t.Logf("allocated %d KiB in the push and %d KiB in the pull of %d MiB", pushed>>10, pulled>>10, largeLayer>>20)
	if pushed > memoryBound || pulled > memoryBound {
		t.Errorf("push allocated %d bytes, pull %d; at most %d each", pushed, pulled, memoryBound)
	}
}

// layerOfNoise returns the same bytes each time; nothing of it is kept in memory.
func layerOfNoise() io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{1}), largeLayer)
}

// allocated returns the bytes that the process allocated while f ran.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
