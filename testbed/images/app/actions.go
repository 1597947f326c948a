package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const crashAfter = 20 * time.Millisecond

// crash ends with code 3 soon after its start, as a server does whose configuration is wrong.
func crash([]string) error {
	time.Sleep(crashAfter)
	fmt.Fprintln(os.Stderr, "crash: cannot start: the configuration is wrong")
	os.Exit(3)
	return nil
}

// runActions does its arguments (NAME=VALUE) in order; without any it sleeps for ever.
func runActions(args []string) error {
	if len(args) == 0 {
		fmt.Println("args: no arguments, sleeping")
		select {}
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
	default:
		return fmt.Errorf("unknown argument %q: use print=, stderr=, sleep=, exit=, file=, write=", name)
	}
	return nil
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
