// Package datachannel speaks the data channel of AWS Systems Manager's Session Manager: how a client talks with a command
// in a container, over a WebSocket. It is what the session-manager-plugin of the AWS CLI speaks.
package datachannel

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/fault"
)

// Type is what a message is.
type Type string

// The types of messages. [session-manager-plugin, message/contracts.go]
const (
	Input       Type = "input_stream_data"  // from the client
	Output      Type = "output_stream_data" // to the client
	Acknowledge Type = "acknowledge"
	Closed      Type = "channel_closed" // to the client: the command has ended
	Pause       Type = "pause_publication"
	Resume      Type = "start_publication"
)

// Payload is what the payload of an Input or Output is.
type Payload uint32

// The kinds of payloads. ExitCode is sent to clients only that say that they are Slipway's: others would print it.
const (
	Text              Payload = 1 // what is typed or printed
	Size              Payload = 3 // of the terminal: a TerminalSize
	HandshakeRequest  Payload = 5
	HandshakeResponse Payload = 6
	HandshakeComplete Payload = 7
	ExitCode          Payload = 12 // a decimal number
)

// Message is one message, in either direction.
type Message struct {
	Type     Type
	Sequence int64 // counts the messages of a stream, from 0
	ID       [16]byte
	Kind     Payload
	Payload  []byte
	At       time.Time
}

// The places of a message's parts. The length at the beginning is that of all before the payload's length.
// [session-manager-plugin, message/messageparser.go]
const (
	atType     = 4
	atVersion  = 36
	atCreated  = 40
	atSequence = 48
	atFlags    = 56
	atID       = 64
	atDigest   = 80
	atKind     = 112
	atLength   = 116
	atPayload  = 120
)

// Largest is how many bytes a message may have.
const Largest = 1 << 20

// New returns a message with an id of its own.
func New(t Type, sequence int64, kind Payload, payload []byte, at time.Time) Message {
	m := Message{Type: t, Sequence: sequence, Kind: kind, Payload: payload, At: at}
	_, _ = rand.Read(m.ID[:]) // never fails
	m.ID[6], m.ID[8] = m.ID[6]&0x0f|0x40, m.ID[8]&0x3f|0x80
	return m
}

// IDText is the message's id as acknowledgements name it: a UUID.
func (m Message) IDText() string {
	x := hex.EncodeToString(m.ID[:])
	return fmt.Sprintf("%s-%s-%s-%s-%s", x[:8], x[8:12], x[12:16], x[16:20], x[20:])
}

// Bytes returns the message as it goes over the wire.
func (m Message) Bytes() []byte {
	b := make([]byte, atPayload, atPayload+len(m.Payload))
	put := binary.BigEndian
	put.PutUint32(b, atLength)
	copy(b[atType:atVersion], strings.Repeat(" ", atVersion-atType))
	copy(b[atType:atVersion], m.Type)
	put.PutUint32(b[atVersion:], 1)
	put.PutUint64(b[atCreated:], uint64(m.At.UnixMilli())) //nolint:gosec // a time after 1970
	put.PutUint64(b[atSequence:], uint64(m.Sequence))      //nolint:gosec // as its bits are
	put.PutUint64(b[atFlags:], m.flags())
	copy(b[atID:], m.ID[8:]) // the less significant half comes first
	copy(b[atID+8:], m.ID[:8])
	sum := sha256.Sum256(m.Payload)
	copy(b[atDigest:], sum[:])
	put.PutUint32(b[atKind:], uint32(m.Kind))
	put.PutUint32(b[atLength:], uint32(len(m.Payload))) //nolint:gosec // at most Largest
	return append(b, m.Payload...)
}

// flags mark the first message of a stream, and what stands alone.
func (m Message) flags() uint64 {
	const first, alone = 1, 3
	switch {
	case m.Type == Acknowledge:
		return alone
	case m.Sequence == 0:
		return first
	}
	return 0
}

// Parse reads a message, whose payload stays in b. It returns a fault of the kind Invalid.
func Parse(b []byte) (Message, error) {
	if len(b) < atPayload || len(b) > Largest {
		return Message{}, fault.New(fault.Invalid, "a message of %d bytes is none of a data channel", len(b))
	}
	get := binary.BigEndian
	head, length := uint64(get.Uint32(b)), uint64(get.Uint32(b[atLength:]))
	if head != atLength || length > uint64(len(b))-atPayload {
		return Message{}, fault.New(fault.Invalid, "a message of %d bytes says that its head has %d and its payload %d", len(b), head, length)
	}
	m := Message{
		Type:     Type(strings.Trim(string(b[atType:atVersion]), " \x00")),
		Sequence: int64(get.Uint64(b[atSequence:])), //nolint:gosec // as its bits are
		Kind:     Payload(get.Uint32(b[atKind:])),
		Payload:  b[atPayload : atPayload+length],
		At:       time.UnixMilli(int64(get.Uint64(b[atCreated:]))).UTC(), //nolint:gosec // as its bits are
	}
	copy(m.ID[8:], b[atID:])
	copy(m.ID[:8], b[atID+8:atDigest])
	if sum := sha256.Sum256(m.Payload); string(sum[:]) != string(b[atDigest:atKind]) {
		return Message{}, fault.New(fault.Invalid, "a message of the type %q has another payload than its digest says", m.Type)
	}
	return m, nil
}

// Acknowledgement returns the message that acknowledges another.
func (m Message) Acknowledgement(at time.Time) Message {
	payload, _ := json.Marshal(Receipt{Type: m.Type, ID: m.IDText(), Sequence: m.Sequence, Sequential: true}) // cannot fail
	return New(Acknowledge, 0, 0, payload, at)
}

// Receipt is the payload of a message of the type Acknowledge: which message has arrived.
type Receipt struct {
	Type       Type   `json:"AcknowledgedMessageType"`
	ID         string `json:"AcknowledgedMessageId"`
	Sequence   int64  `json:"AcknowledgedMessageSequenceNumber"`
	Sequential bool   `json:"IsSequentialMessage"`
}

// Opening is the first thing that a client sends, as text: whose session it is.
type Opening struct {
	MessageSchemaVersion string
	RequestID            string `json:"RequestId"`
	TokenValue           string
	ClientID             string `json:"ClientId"`
	ClientVersion        string
}

// ClientVersion is the version of the session-manager-plugin whose ways Slipway's own client has: agents read it as a number.
const ClientVersion = "1.2.707.0"

// UserAgent is how Slipway's own client says who it is, to whoever serves the WebSocket. AWS takes no notice of it.
const UserAgent = "slipway"

// TerminalSize is the payload of the kind Size.
type TerminalSize struct {
	Columns uint32 `json:"cols"`
	Rows    uint32 `json:"rows"`
}

// Handshake is the payload of the kind HandshakeRequest.
type Handshake struct {
	AgentVersion           string
	RequestedClientActions []Action
}

// Action is what a handshake asks for.
type Action struct {
	ActionType       string
	ActionParameters any
}

// Closing is the payload of a message of the type Closed.
type Closing struct {
	MessageID     string `json:"MessageId"`
	CreatedDate   string
	DestinationID string `json:"DestinationId"`
	SessionID     string `json:"SessionId"`
	MessageType   Type
	SchemaVersion int
	Output        string // told to the user
}
