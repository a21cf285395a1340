package runtime

// Volume is a directory that outlives containers, under a name: letters, digits, "_", "." and "-", at most 255 characters.
type Volume struct {
	Name    string
	Driver  string // empty: the runtime's own
	Options map[string]string
	Labels  map[string]string
}

// Mount is a directory that a container sees at a path of its own.
type Mount struct {
	Path     string // in the container, absolute
	Source   string // an absolute path of the host; made if it isn't there. Empty: Volume
	Volume   string // a volume's name. A new one begins with what the image has at the path, where the runtime can do that
	ReadOnly bool
}

// VolumesFrom is another container whose mounts a container has, too. It must have been created before.
type VolumesFrom struct {
	Name     Name
	ReadOnly bool
}

// Link is another container that is to be reachable under a host name. It must have been started before.
type Link struct {
	Name  Name
	Alias string
}
