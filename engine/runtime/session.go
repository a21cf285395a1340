package runtime

import "io"

// Session is a command in a running container, and whom it talks with.
type Session struct {
	Argv []string
	TTY  bool // the command has a terminal: what it prints goes to Stdout, and Stdin is typed
	// Stdin may be nil. It may be read from after the command has ended, until a read returns.
	Stdin          io.Reader
	Stdout, Stderr io.Writer   // nil: thrown away
	Resize         <-chan Size // of the terminal; nil: it keeps its size
}

// Size is a terminal's size, in characters.
type Size struct{ Columns, Rows uint16 }
