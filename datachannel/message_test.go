package datachannel

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/fault"
)

func TestAMessageIsLaidOutAsTheSessionManagerPluginReadsIt(t *testing.T) {
	t.Parallel()
	m := Message{Type: Output, Sequence: 7, Kind: Text, Payload: []byte("hello"), At: time.UnixMilli(1700000000123).UTC()}
	for i := range m.ID {
		m.ID[i] = byte(i)
	}
	b := m.Bytes()
	for name, part := range map[string]struct{ got, want string }{
		"length of the head": {string(b[:4]), "\x00\x00\x00\x74"},
		"type":               {string(b[4:36]), "output_stream_data" + strings.Repeat(" ", 14)},
		"version":            {string(b[36:40]), "\x00\x00\x00\x01"},
		"number":             {string(b[48:56]), "\x00\x00\x00\x00\x00\x00\x00\x07"},
		"id":                 {string(b[64:80]), "\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x00\x01\x02\x03\x04\x05\x06\x07"},
		"kind":               {string(b[112:116]), "\x00\x00\x00\x01"},
		"length":             {string(b[116:120]), "\x00\x00\x00\x05"},
		"payload":            {string(b[120:]), "hello"},
	} {
		if part.got != part.want {
			t.Errorf("%s: %q, want %q", name, part.got, part.want)
		}
	}
	if got := m.IDText(); got != "00010203-0405-0607-0809-0a0b0c0d0e0f" {
		t.Error(got)
	}
	again, err := Parse(b)
	if diff := cmp.Diff(m, again); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestMessagesThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	good := New(Input, 0, Text, []byte("hello"), time.Now()).Bytes()
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "cut": good[:len(good)-1], "another head": change(3, 0), "a payload beyond the end": change(117, 255),
		"another payload": change(len(good)-1, 'O'), "too large": make([]byte, Largest+1),
	} {
		if _, err := Parse(b); fault.KindOf(err) != fault.Invalid || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(New(Input, 3, Size, []byte(`{"cols":80,"rows":24}`), time.Now()).Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(m.Bytes())
		if err != nil || string(again.Payload) != string(m.Payload) || again.Sequence != m.Sequence || again.ID != m.ID {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
	})
}
