package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// serveHello is the application of the tests: a page that tells the image's GREETING, and a probe.
func serveHello([]string) error {
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		log.Println(r.Method, r.URL.Path, "from", r.RemoteAddr)
		fmt.Fprintln(w, "hello", os.Getenv("GREETING"))
	})
	log.Println("http: listening on :8080")
	return http.ListenAndServe(":8080", nil)
}

// slowAtMost bounds a pull that hangs: the kubelet cancels no pull, not even when the pod is
// deleted, so the pod is Terminating until the pull ends.
const slowAtMost = 2 * time.Minute

// serveRegistry is an image registry that has no image and fails in five ways, chosen by the first
// part of the image's name. What a pod then says as its container's waiting reason and message is
// in the testbed's README. GET /release ends the slow pulls that hang now.
func serveRegistry([]string) error {
	var slow release
	http.HandleFunc("/release", func(http.ResponseWriter, *http.Request) { slow.now() })
	http.HandleFunc("/v2/", func(w http.ResponseWriter, r *http.Request) {
		log.Println(r.Method, r.URL.Path)
		kind, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/")
		switch kind {
		case "":
			w.WriteHeader(http.StatusOK)
		case "denied":
			registryError(w, http.StatusForbidden, "DENIED", "requested access to the resource is denied")
		case "unauthorized":
			registryError(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		case "flaky":
			registryError(w, http.StatusServiceUnavailable, "UNAVAILABLE", "the registry is down")
		case "slow":
			slow.wait(r.Context())
			registryError(w, http.StatusServiceUnavailable, "UNAVAILABLE", "the registry is too slow")
		default:
			registryError(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
		}
	})
	log.Println("registry: listening on 127.0.0.1:5000")
	return http.ListenAndServe("127.0.0.1:5000", nil)
}

// release lets everybody go on who waits at the time.
type release struct {
	mutex   sync.Mutex
	waiting []context.CancelFunc
}

func (r *release) wait(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, slowAtMost)
	r.mutex.Lock()
	r.waiting = append(r.waiting, cancel)
	r.mutex.Unlock()
	<-ctx.Done()
}

func (r *release) now() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, cancel := range r.waiting {
		cancel()
	}
	r.waiting = nil
}

func registryError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`+"\n", code, message)
}
