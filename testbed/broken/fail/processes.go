package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const mib = 1 << 20

var signals = map[string]syscall.Signal{
	"ABRT": syscall.SIGABRT, "BUS": syscall.SIGBUS, "FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP,
	"ILL": syscall.SIGILL, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "PIPE": syscall.SIGPIPE,
	"QUIT": syscall.SIGQUIT, "SEGV": syscall.SIGSEGV, "SYS": syscall.SIGSYS, "TERM": syscall.SIGTERM,
	"USR1": syscall.SIGUSR1, "STOP": syscall.SIGSTOP, "TRAP": syscall.SIGTRAP,
}

// taken keeps memory until the end.
var taken [][]byte

func init() {
	for name, action := range map[string]func(string) error{
		"loud":      func(string) error { loud = true; return nil },
		"say":       func(text string) error { _, err := fmt.Println(text); return err },
		"warn":      func(text string) error { _, err := fmt.Fprintln(os.Stderr, text); return err },
		"exit":      func(rest string) error { code, err := strconv.Atoi(rest); os.Exit(code); return err },
		"sleep":     sleep,
		"pause":     func(string) error { sleepForEver(); return nil },
		"deadlock":  func(string) error { futexWait(); return nil },
		"deaf":      func(string) error { signal.Ignore(syscall.SIGTERM, syscall.SIGINT); return nil },
		"stdin":     func(string) error { _, err := bufio.NewReader(os.Stdin).ReadString('\n'); return err },
		"env":       func(name string) error { return needVariable(name, false) },
		"envset":    func(name string) error { return needVariable(name, true) },
		"panic":     func(text string) error { panic(text) },
		"exec":      replace,
		"run":       run,
		"start":     start,
		"allocate":  allocate,
		"map":       reserve,
		"threads":   threads,
		"processes": processes,
		"fds":       func(rest string) error { return setLimit(syscall.RLIMIT_NOFILE, rest) },
		"setuid":    number(func(id int) error { return identity(syscall.SYS_SETUID, id) }),
		"setgid":    number(func(id int) error { return identity(syscall.SYS_SETGID, id) }),
		"setgroups": number(func(id int) error { return syscall.Setgroups([]int{id}) }),
		"hostname":  func(name string) error { return syscall.Sethostname([]byte(name)) },
		"clock":     func(string) error { return syscall.Settimeofday(&syscall.Timeval{Sec: 1}) },
		"chroot":    syscall.Chroot,
		"mount":     func(path string) error { return syscall.Mount("none", path, "tmpfs", 0, "") },
		"unshare":   func(string) error { return syscall.Unshare(syscall.CLONE_NEWNS) },
		"nice":      number(func(level int) error { return syscall.Setpriority(syscall.PRIO_PROCESS, 0, level) }),
		"mlock":     number(func(size int) error { return syscall.Mlock(make([]byte, size*mib)) }),
		"traceme":   func(string) error { return traceme() },
		"signal":    signalSelf,
		"killother": func(name string) error { return syscall.Kill(1, signals[name]) },
	} {
		actions[name] = action
	}
}

func sleep(rest string) error {
	duration, err := time.ParseDuration(rest)
	time.Sleep(duration)
	return err
}

// futexWait blocks the main thread in the kernel on a lock that nobody gives up.
func futexWait() {
	runtime.LockOSThread()
	word := uint32(1)
	for {
		_, _, _ = syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(&word)), 0, 1, 0, 0, 0)
	}
}

func needVariable(name string, emptyWillDo bool) error {
	value, found := os.LookupEnv(name)
	if !found || (value == "" && !emptyWillDo) {
		return fmt.Errorf("no %s", name)
	}
	return nil
}

// replace executes a program, by its path or by PATH, in place of this one.
func replace(rest string) error {
	words := strings.Fields(rest)
	path := words[0]
	if !strings.Contains(path, "/") {
		found, err := exec.LookPath(path)
		if err != nil {
			return err
		}
		path = found
	}
	return syscall.Exec(path, words, os.Environ())
}

// run executes a program and fails as it does.
func run(rest string) error {
	words := strings.Fields(rest)
	command := exec.Command(words[0], words[1:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	return command.Run()
}

// start executes a program and goes on.
func start(rest string) error {
	words := strings.Fields(rest)
	return exec.Command(words[0], words[1:]...).Start()
}

// allocate takes a number of MiB, and uses them.
func allocate(rest string) error {
	count, err := strconv.Atoi(rest)
	for ; err == nil && count > 0; count-- {
		step := make([]byte, mib)
		for i := range step {
			step[i] = 1
		}
		taken = append(taken, step)
	}
	return err
}

// reserve maps a number of GiB without using them.
func reserve(rest string) error {
	count, err := strconv.Atoi(rest)
	if err != nil {
		return err
	}
	_, err = syscall.Mmap(-1, 0, count<<30, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	return err
}

// threads starts a number of threads of the kernel.
func threads(rest string) error {
	count, err := strconv.Atoi(rest)
	for ; err == nil && count > 0; count-- {
		go func() { runtime.LockOSThread(); sleepForEver() }()
	}
	time.Sleep(retryAfter)
	return err
}

// processes starts a number of children that sleep.
func processes(rest string) error {
	count, err := strconv.Atoi(rest)
	for ; err == nil && count > 0; count-- {
		err = exec.Command("/proc/self/exe", "pause").Start()
	}
	return err
}

func setLimit(what int, rest string) error {
	count, err := strconv.ParseUint(rest, 10, 64)
	if err != nil {
		return err
	}
	return syscall.Setrlimit(what, &syscall.Rlimit{Cur: count, Max: count})
}

// identity calls the kernel itself: Go's own functions end the program if one thread fails.
func identity(call uintptr, id int) error {
	if _, _, errno := syscall.RawSyscall(call, uintptr(id), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

func traceme() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PTRACE, syscall.PTRACE_TRACEME, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// signalSelf is killed by a signal. The kernel spares the first process of a container: that exits
// as a shell does whose child was killed.
func signalSelf(name string) error {
	chosen := signals[name]
	signal.Reset(chosen)
	if err := syscall.Kill(os.Getpid(), chosen); err != nil {
		return err
	}
	time.Sleep(retryAfter)
	os.Exit(128 + int(chosen))
	return nil
}

func number(act func(int) error) func(string) error {
	return func(rest string) error {
		value, err := strconv.Atoi(rest)
		if err != nil {
			return err
		}
		return act(value)
	}
}
