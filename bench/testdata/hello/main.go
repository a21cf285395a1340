// Command hello is the least that a Go program does: what slipway's start is measured against.
package main

import "os"

func main() { _, _ = os.Stdout.WriteString("hello, world\n") }
