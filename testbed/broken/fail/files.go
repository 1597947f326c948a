package main

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

const fillStep = 1 << 20

// opened keeps files open until the end.
var opened []*os.File

func init() {
	for name, action := range map[string]func(string) error{
		"open":     func(path string) error { return open(path, os.O_RDONLY) },
		"edit":     func(path string) error { return open(path, os.O_RDWR) },
		"create":   func(path string) error { return open(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC) },
		"append":   func(path string) error { return open(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND) },
		"new":      func(path string) error { return open(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL) },
		"read":     read,
		"write":    write,
		"stat":     func(path string) error { _, err := os.Stat(path); return err },
		"list":     func(path string) error { _, err := os.ReadDir(path); return err },
		"folder":   os.Chdir,
		"mkdir":    func(path string) error { return os.Mkdir(path, 0o755) },
		"mkdirs":   func(path string) error { return os.MkdirAll(path, 0o755) },
		"remove":   os.Remove,
		"fifo":     func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"truncate": func(path string) error { return os.Truncate(path, 0) },
		"access":   func(path string) error { return syscall.Access(path, 2) },
		"fill":     fill,
		"files":    openMany,
		"rename":   pair(os.Rename),
		"link":     pair(os.Link),
		"symlink":  pair(os.Symlink),
		"chmod":    numbered(8, func(path string, mode int) error { return os.Chmod(path, os.FileMode(mode)) }),
		"chown":    numbered(10, func(path string, id int) error { return os.Chown(path, id, id) }),
		"lock":     func(path string) error { return lock(path, syscall.LOCK_EX|syscall.LOCK_NB) },
		"lockwait": func(path string) error { return lock(path, syscall.LOCK_EX) },
		"lockfile": func(path string) error { return recordLock(path, syscall.F_SETLK) },
		"lockfilewait": func(path string) error {
			return recordLock(path, syscall.F_SETLKW)
		},
	} {
		actions[name] = action
	}
}

func open(path string, flags int) error {
	file, err := os.OpenFile(path, flags, 0o644)
	if err == nil {
		opened = append(opened, file)
	}
	return err
}

func read(path string) error {
	content, err := os.ReadFile(path)
	if err == nil && len(content) == 0 {
		return errors.New("empty")
	}
	return err
}

// write takes PATH=TEXT.
func write(rest string) error {
	path, text, _ := strings.Cut(rest, "=")
	return os.WriteFile(path, []byte(text), 0o644)
}

// fill takes PATH=MIB, or PATH alone: a GiB.
func fill(rest string) error {
	path, size, _ := strings.Cut(rest, "=")
	count, err := strconv.Atoi(size)
	if err != nil {
		count = 1024
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	for step := make([]byte, fillStep); count > 0; count-- {
		if _, err := file.Write(step); err != nil {
			return err
		}
	}
	return file.Sync()
}

// openMany takes a number of files to keep open at a time.
func openMany(rest string) error {
	count, err := strconv.Atoi(rest)
	for ; err == nil && count > 0; count-- {
		err = open("/proc/self/status", os.O_RDONLY)
	}
	return err
}

func lock(path string, how int) error {
	if err := open(path, os.O_CREATE|os.O_RDWR); err != nil {
		return err
	}
	return syscall.Flock(int(opened[len(opened)-1].Fd()), how)
}

func recordLock(path string, how int) error {
	if err := open(path, os.O_CREATE|os.O_RDWR); err != nil {
		return err
	}
	whole := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	return syscall.FcntlFlock(opened[len(opened)-1].Fd(), how, &whole)
}

// pair makes an action of A=B.
func pair(act func(from, to string) error) func(string) error {
	return func(rest string) error {
		from, to, _ := strings.Cut(rest, "=")
		return act(from, to)
	}
}

// numbered makes an action of PATH=NUMBER.
func numbered(base int, act func(path string, number int) error) func(string) error {
	return func(rest string) error {
		path, digits, _ := strings.Cut(rest, "=")
		number, err := strconv.ParseInt(digits, base, 32)
		if err != nil {
			return err
		}
		return act(path, int(number))
	}
}
