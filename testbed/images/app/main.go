// Command app is every program of the testbed's own images, static and with the standard library
// only. The name it is called by chooses what it is; an unknown name makes the first argument do so.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

var programs = map[string]func(args []string) error{
	"args":     runActions,
	"crash":    crash,
	"http":     serveHello,
	"registry": serveRegistry,
}

func main() {
	exitOnSIGTERM()
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	if programs[name] == nil && len(args) > 0 {
		name, args = args[0], args[1:]
	}
	program := programs[name]
	if program == nil {
		fail(fmt.Errorf("%s is none of args, crash, http, registry", name))
	}
	if err := program(args); err != nil {
		fail(err)
	}
}

// exitOnSIGTERM ends the program at once on SIGTERM or SIGINT: as PID 1 it has no default action
// for them, and a pod that ignores SIGTERM costs its whole grace period.
func exitOnSIGTERM() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		fmt.Fprintln(os.Stderr, "ends on signal:", <-signals)
		os.Exit(0)
	}()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "app:", err)
	os.Exit(1)
}
