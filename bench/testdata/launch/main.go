// Command launch runs commands in turn, so many times each, and writes what every run took: the command's number, wall,
// user and system time in nanoseconds, and the most memory in KiB.
//
//	launch 50 slipway --help -- hello
//
// It is a program of its own because Linux counts the memory of whoever starts a program as that program's: this one is
// as small as can be.
package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
)

func main() {
	times, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	commands := split(os.Args[2:])
	for range times {
		for i, command := range commands {
			run(i, command, null.Fd())
		}
	}
}

func split(args []string) [][]string {
	if i := slices.Index(args, "--"); i >= 0 {
		return append([][]string{args[:i]}, split(args[i+1:])...)
	}
	return [][]string{args}
}

func run(number int, command []string, null uintptr) {
	var status syscall.WaitStatus
	var used syscall.Rusage
	begun := time.Now()
	pid, err := syscall.ForkExec(command[0], command, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{null, null, null}})
	if err == nil {
		_, err = syscall.Wait4(pid, &status, 0, &used)
	}
	took := time.Since(begun)
	if err != nil || status.ExitStatus() != 0 {
		panic(fmt.Sprint(command, ": ", err, ", exit code ", status.ExitStatus()))
	}
	fmt.Println(number, took.Nanoseconds(), used.Utime.Nano(), used.Stime.Nano(), used.Maxrss)
}
