package main

import (
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const crashAfter = 20 * time.Millisecond

const actions = "print=, stderr=, sleep=, exit=, file=, write=, hang, oom"

// allocateAtMost bounds what is taken where nothing kills: the node has other things to do.
const allocateAtMost, allocateStep = 256 << 20, 1 << 20

// crash ends with code 3 soon after its start, as a server does whose configuration is wrong.
func crash([]string) error {
	time.Sleep(crashAfter)
	fmt.Fprintln(os.Stderr, "crash: cannot start: the configuration is wrong")
	os.Exit(3)
	return nil
}

// runActions does its arguments (NAME=VALUE, or NAME) in order; without any it sleeps for ever.
func runActions(args []string) error {
	if len(args) == 0 {
		fmt.Println("args: no arguments, sleeping")
		select {}
	}
	if slices.Contains(args, "hang") {
		// Before a word is said: a signal that comes while this is done is lost.
		signal.Reset(syscall.SIGINT)
	}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		if err := doAction(name, value); err != nil {
			return err
		}
	}
	return nil
}

func doAction(name, value string) error {
	switch name {
	case "print":
		fmt.Println(value)
	case "stderr":
		fmt.Fprintln(os.Stderr, value)
	case "sleep":
		duration, err := time.ParseDuration(value)
		if err != nil {
			return err
		}
		time.Sleep(duration)
	case "exit":
		code, err := strconv.Atoi(value)
		if err != nil {
			return err
		}
		os.Exit(code)
	case "file":
		if _, err := os.Stat(value); err != nil {
			return fmt.Errorf("needs a file: %w", err)
		}
	case "write":
		return appendLine(value)
	case "hang":
		// Of SIGINT it dies, as a program does that has no handler for it.
		select {}
	case "oom":
		return allocate()
	default:
		return fmt.Errorf("unknown argument %q: use %s", name, actions)
	}
	return nil
}

// allocate takes memory, and uses it, until it is killed.
func allocate() error {
	var taken [][]byte
	for size := 0; size < allocateAtMost; size += allocateStep {
		step := make([]byte, allocateStep)
		for i := range step {
			step[i] = 1
		}
		taken = append(taken, step)
	}
	return fmt.Errorf("%d MiB taken, and no limit killed it", len(taken))
}

func appendLine(path string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = fmt.Fprintln(file, time.Now().UTC().Format(time.RFC3339Nano))
	return err
}
