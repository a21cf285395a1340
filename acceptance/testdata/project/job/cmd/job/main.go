// Command job does what scripts ask of a container: it runs on, writes, reads what is typed, and ends with a code.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	command, args := "serve", os.Args[1:]
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "serve":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		fmt.Println("serving")
		<-stop
		fmt.Println("stopping")
	case "say": // WORD...: prints the words and a variable of its environment
		fmt.Println(os.Getenv("GREETING"), strings.Join(args, " "))
	case "count": // N: prints so many lines
		for i := range number(args) {
			fmt.Println("line", i+1)
		}
	case "fail": // CODE: ends with it
		fmt.Fprintln(os.Stderr, "giving up")
		os.Exit(number(args))
	case "repeat": // prints each line that it reads, until there are no more
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			fmt.Println("read", lines.Text())
		}
	default:
		fmt.Fprintln(os.Stderr, "unknown command", command)
		os.Exit(2)
	}
}

func number(args []string) int {
	if len(args) == 0 {
		return 0
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return n
}
