// Command program does, one after the other, what its arguments say. It is what the conformance suite runs in containers.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// verbs take one argument each; those in alone take none.
var verbs = map[string]func(string){
	"print":  func(s string) { fmt.Println(os.ExpandEnv(s)) },
	"eprint": func(s string) { fmt.Fprintln(os.Stderr, s) },
	"write":  func(s string) { fmt.Print(s) },
	"long":   func(s string) { fmt.Println(strings.Repeat("x", number(s))) },
	"exit":   func(s string) { os.Exit(number(s)) },
	"trap":   trap,
	"kill":   func(s string) { must(syscall.Kill(os.Getpid(), syscall.Signal(number(s)))); forever() },
	"serve":  func(s string) { go serve(os.ExpandEnv(s)) },
	"get":    get,
	"udp":    func(s string) { go udp(os.ExpandEnv(s)) },
	"eat":    eat,
	"after":  func(s string) { d, err := time.ParseDuration(s); must(err); time.Sleep(d) },
	"touch":  func(s string) { must(os.WriteFile(s, []byte("touched"), 0o644)) },
	"cat":    func(s string) { b, err := os.ReadFile(s); must(err); os.Stdout.Write(b) },
}

var alone = map[string]func(){
	"wait":     forever,
	"ignore":   func() { signal.Ignore(syscall.SIGTERM) },
	"cwd":      func() { d, err := os.Getwd(); must(err); fmt.Println(d) },
	"hostname": func() { h, err := os.Hostname(); must(err); fmt.Println(h) },
	"id":       func() { fmt.Printf("%d:%d\n", os.Getuid(), os.Getgid()) },
	"nofile":   nofile,
	"echo":     echo,
	"sized":    sized,
	"shm":      shm,
	"mknod":    func() { must(syscall.Mknod("/tmp/null", syscall.S_IFCHR|0o666, 1<<8|3)); fmt.Println("made") },
	"orphan":   orphan,
}

func main() {
	args := os.Args[1:]
	for len(args) > 0 {
		verb := args[0]
		if f, ok := alone[verb]; ok {
			f()
			args = args[1:]
			continue
		}
		f, ok := verbs[verb]
		if !ok || len(args) < 2 {
			fmt.Fprintf(os.Stderr, "unknown verb %q\n", verb)
			os.Exit(64)
		}
		f(args[1])
		args = args[2:]
	}
}

// forever sleeps: without anything that could wake it, Go would call an endless select a deadlock.
func forever() {
	for {
		time.Sleep(time.Hour)
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	must(err)
	return n
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(70)
	}
}

// trap makes SIGTERM end the program with a code.
func trap(code string) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	go func() { <-c; os.Exit(number(code)) }()
}

// serve answers over HTTP with the value of NAME.
func serve(addr string) {
	l, err := net.Listen("tcp", addr)
	must(err)
	fmt.Println("listening")
	must(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost { // echoes what it has read to the end, so that half-closed connections can be tried
			b, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%d bytes", len(b))
			return
		}
		fmt.Fprint(w, os.Getenv("NAME"))
	})))
}

// get prints what a server answers.
func get(url string) {
	answer, err := http.Get(os.ExpandEnv(url))
	must(err)
	body, err := io.ReadAll(answer.Body)
	must(err)
	fmt.Println(string(body))
}

// udp sends every datagram back.
func udp(addr string) {
	c, err := net.ListenPacket("udp", addr)
	must(err)
	fmt.Println("listening")
	buf := make([]byte, 2048)
	for {
		n, from, err := c.ReadFrom(buf)
		must(err)
		_, _ = c.WriteTo(buf[:n], from)
	}
}

func eat(mib string) {
	b := make([]byte, number(mib)<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	fmt.Println("ate", len(b))
}

func nofile() {
	var l syscall.Rlimit
	must(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l))
	fmt.Println(l.Max)
}

// echo prints each line that it reads, and at the end that there are no more.
func echo() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		fmt.Println("read", in.Text())
	}
	fmt.Println("end")
}

// window is a terminal's size as the kernel tells it. [TIOCGWINSZ(2const)]
type window struct{ rows, columns, x, y uint16 }

func size() (w window, ok bool) {
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, 1, syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&w)))
	return w, errno == 0
}

// sized waits until its terminal has a size, and prints it; "none" without a terminal.
func sized() {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)
	for {
		w, ok := size()
		if !ok {
			fmt.Println("none")
			return
		}
		if w.columns > 0 {
			fmt.Printf("%d x %d\n", w.columns, w.rows)
			return
		}
		<-changed
	}
}

// shm prints the size of the shared memory in MiB.
func shm() {
	var s syscall.Statfs_t
	must(syscall.Statfs("/dev/shm", &s))
	fmt.Println(s.Blocks * uint64(s.Bsize) >> 20)
}

// orphan leaves a child behind that has a session of its own, ignores SIGTERM and holds the output open.
func orphan() {
	self := os.Args[0]
	if _, err := os.Stat(self); err != nil { // it has no root directory of its own
		self = "/proc/self/exe"
	}
	cmd := exec.Command(self, "ignore", "print", "orphan", "wait")
	cmd.Stdout = os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	must(cmd.Start())
}
