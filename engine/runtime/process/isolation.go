package process

// Isolation is how much of its own a container has.
type Isolation string

// The levels of isolation, the most first.
const (
	// Network: its own network with nothing but loopback, and all that Host has. A program listens on its containerPort,
	// unmodified; the supervisor forwards the host port.
	Network Isolation = "network"
	// Host: its own processes, files, host name; the network is the host's. HOST and PORT (HOST_n and PORT_n for
	// container port n) tell the program where to listen: its host address and host port.
	Host Isolation = "host"
	// Bare: no namespaces. As root its own files, by chroot; else it runs out of the unpacked image's directory, which
	// suits static programs. HOST and PORT as with Host.
	Bare Isolation = "bare"
)

func (i Isolation) words() string {
	switch i {
	case Network:
		return "processes in their own network namespaces"
	case Host:
		return "processes, HOST and PORT tell them where to listen"
	default:
		return "processes without namespaces, HOST and PORT tell them where to listen"
	}
}

// Bounds are how much an image may unpack to.
type Bounds struct {
	Bytes int64
	Files int
}

// DefaultBounds are far above what images for services have, and below what fills a disk unnoticed.
var DefaultBounds = Bounds{Bytes: 16 << 30, Files: 1 << 20}
