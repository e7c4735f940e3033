package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A truth is a target that takes a known time, freezes for a second, and says
// itself how long it took. It is a process of its own on the first CPU: in this
// program it would share the client's CPU, and the client would be blamed.
type truth struct {
	cmd   *exec.Cmd
	alive io.Closer // its standard input: it ends with it
	addr  string
}

func startTruth() (*truth, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t := &truth{cmd: exec.Command("taskset", "-c", "0", self, "-truth")}
	t.cmd.Stderr = os.Stderr
	if t.alive, err = t.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := t.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := fmt.Fscan(out, &t.addr); err != nil {
		t.stop()
		return nil, fmt.Errorf("the target does not say where it listens: %w", err)
	}
	return t, nil
}

func (t *truth) stop() {
	_ = t.alive.Close()
	_ = t.cmd.Wait()
}

// quantile is how long answers of /const truly took, in µs, from the arrival of
// the request to the write of its answer.
func (t *truth) quantile(q float64) (float64, error) {
	resp, err := http.Get(fmt.Sprintf("http://%s/quantile/%g", t.addr, q))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(string(text), 64)
}

// The kinds of a truth's answers. Those of a kind become due in the order in
// which they were asked for.
const (
	afterTen    = iota // /const: 10 ms
	afterSecond        // /second
	whenThawed         // /stall: at once, but for a second, two after the first
	kinds
)

const (
	thawedFor = 2 * time.Second
	frozenFor = time.Second
)

// A target is the truth's own side: one loop on one thread, as cheap as can be.
type target struct {
	epoll, timer, listener int
	start                  time.Time
	visitors               map[int]*visitor
	waiting                [kinds][]answerDue
	stalled                time.Duration // when /stall was first asked for; 0: not yet
	took                   []float64     // µs, /const
	answer                 []byte
}

// A visitor is a connection; a new one may have the descriptor of one that left.
type visitor struct {
	fd int
	in []byte // of a request that is not complete
}

type answerDue struct {
	to      *visitor
	at, due time.Duration
}

// serveTruth is the life of the target's process; it ends with standard input.
func serveTruth() error {
	runtime.LockOSThread()
	t := &target{
		start: time.Now(), visitors: map[int]*visitor{},
		answer: fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer),
	}
	if err := t.listen(); err != nil {
		return err
	}
	events := make([]unix.EpollEvent, 256)
	for {
		n, err := unix.EpollWait(t.epoll, events, -1)
		if err != nil && err != unix.EINTR {
			return err
		}
		for _, e := range events[:max(n, 0)] {
			switch int(e.Fd) {
			case 0:
				return nil
			case t.listener:
				err = t.accept()
			case t.timer:
				var expired [8]byte
				_, _ = unix.Read(t.timer, expired[:]) // nothing to read is nothing to do
			default:
				t.read(t.visitors[int(e.Fd)])
			}
			if err != nil {
				return err
			}
		}
		if err := t.reply(); err != nil {
			return err
		}
	}
}

func (t *target) now() time.Duration { return time.Since(t.start) }

// listen says on standard output where.
func (t *target) listen() (err error) {
	if t.listener, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return err
	}
	if err := unix.Bind(t.listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	if err := unix.Listen(t.listener, 4096); err != nil {
		return err
	}
	if t.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return err
	}
	if t.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	for _, fd := range []int{0, t.timer, t.listener} {
		if err := t.watch(fd); err != nil {
			return err
		}
	}
	own, err := unix.Getsockname(t.listener)
	if err != nil {
		return err
	}
	fmt.Printf("127.0.0.1:%d\n", own.(*unix.SockaddrInet4).Port)
	return nil
}

func (t *target) watch(fd int) error {
	return unix.EpollCtl(t.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (t *target) accept() error {
	for {
		fd, _, err := unix.Accept4(t.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err == unix.EAGAIN {
			return nil
		}
		if err != nil {
			return err
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // late then, and seen
		t.visitors[fd] = &visitor{fd: fd}
		if err := t.watch(fd); err != nil {
			return err
		}
	}
}

func (t *target) read(v *visitor) {
	at := t.now()
	var buf [4096]byte
	n, err := unix.Read(v.fd, buf[:])
	if err == unix.EAGAIN {
		return
	}
	if err != nil || n == 0 {
		delete(t.visitors, v.fd)
		_ = unix.Close(v.fd)
		return
	}
	v.in = append(v.in, buf[:n]...)
	if !bytes.HasSuffix(v.in, []byte("\r\n\r\n")) {
		return
	}
	path := strings.Fields(string(v.in))[1]
	v.in = v.in[:0]
	t.ask(v, path, at)
}

func (t *target) ask(v *visitor, path string, at time.Duration) {
	kind, due := whenThawed, at
	switch path {
	case "/const":
		kind, due = afterTen, at+10*time.Millisecond
	case "/second":
		kind, due = afterSecond, at+time.Second
	case "/stall":
		if t.stalled == 0 {
			t.stalled = at
		}
		if thaw := t.stalled + thawedFor + frozenFor; at >= thaw-frozenFor && at < thaw {
			due = thaw
		}
	default:
		q, _ := strconv.ParseFloat(path[strings.LastIndexByte(path, '/')+1:], 64)
		slices.Sort(t.took)
		text := "0"
		if len(t.took) > 0 {
			text = fmt.Sprint(t.took[int(q*float64(len(t.took)-1))])
		}
		t.write(v, fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text))
		return
	}
	t.waiting[kind] = append(t.waiting[kind], answerDue{v, at, due})
}

// reply answers what is due and sets the timer for what comes next.
func (t *target) reply() error {
	var next time.Duration
	for kind := range t.waiting {
		queue := t.waiting[kind]
		for len(queue) > 0 && queue[0].due <= t.now() {
			a := queue[0]
			queue = queue[1:]
			t.write(a.to, t.answer)
			if kind == afterTen {
				t.took = append(t.took, float64((t.now()-a.at).Nanoseconds())/1e3)
			}
		}
		t.waiting[kind] = queue
		if len(queue) > 0 && (next == 0 || queue[0].due < next) {
			next = queue[0].due
		}
	}
	if next == 0 {
		return nil
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(max(next-t.now(), 1).Nanoseconds())}
	return unix.TimerfdSettime(t.timer, 0, &spec, nil)
}

// write sends an answer, which every socket buffer has room for, unless its
// reader has left.
func (t *target) write(v *visitor, p []byte) {
	if t.visitors[v.fd] == v {
		_, _ = unix.Write(v.fd, p) // a reader that leaves is counted by itself
	}
}
