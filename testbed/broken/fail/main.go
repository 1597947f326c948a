// Command fail does its arguments in order and ends at the first that fails, with exit code 1 and
// without a word: it is the app of pods whose failure is to be explained from what they did.
//
// An argument is ACTION:REST. ?ACTION:REST goes on if it fails, retry:ACTION:REST tries it for ever.
package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

const retryAfter = 200 * time.Millisecond

// loud makes failures be told on stderr, as an ordinary app does.
var loud bool

var actions = map[string]func(rest string) error{}

func main() {
	if len(os.Args) == 1 {
		sleepForEver()
	}
	for _, word := range os.Args[1:] {
		if err := do(word); err != nil {
			if loud {
				fmt.Fprintln(os.Stderr, "fail:", err)
			}
			os.Exit(1)
		}
	}
}

func do(word string) error {
	if again, found := strings.CutPrefix(word, "retry:"); found {
		for do(again) != nil {
			time.Sleep(retryAfter)
		}
		return nil
	}
	bare := strings.TrimPrefix(word, "?")
	name, rest, _ := strings.Cut(bare, ":")
	action, found := actions[name]
	if !found {
		fmt.Fprintf(os.Stderr, "fail: unknown action %q\n", name)
		os.Exit(64)
	}
	err := action(rest)
	if bare != word {
		return nil
	}
	return err
}

func sleepForEver() {
	for {
		time.Sleep(time.Hour)
	}
}
