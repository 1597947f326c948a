package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// patience bounds what goes to the network; none unless "limit" was done.
var patience time.Duration

// connections keeps what is open until the end.
var connections []any

func init() {
	for name, action := range map[string]func(string) error{
		"limit":    limit,
		"connect":  func(address string) error { return dial("tcp", address) },
		"udp":      sendDatagram,
		"unix":     func(path string) error { return dial("unix", path) },
		"listen":   func(address string) error { return listen("tcp", address) },
		"bind":     func(address string) error { return listen("tcp", address) },
		"bindunix": func(path string) error { return listen("unix", path) },
		"bindudp":  func(address string) error { return listenPacket(address) },
		"resolve":  resolve,
		"get":      get,
		"secure":   secure,
		"answer":   func(address string) error { return dialAndRead(address) },
		"serve":    serve,
		"stuck":    stuck,
		"raw":      func(string) error { return socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_ICMP) },
		"packet":   func(string) error { return socket(syscall.AF_PACKET, syscall.SOCK_RAW, 0) },
	} {
		actions[name] = action
	}
}

func limit(rest string) (err error) {
	patience, err = time.ParseDuration(rest)
	return err
}

func dial(network, address string) error {
	connection, err := net.DialTimeout(network, address, patience)
	connections = append(connections, connection)
	return err
}

// dialAndRead waits for a word of the other side.
func dialAndRead(address string) error {
	connection, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return err
	}
	if patience > 0 {
		_ = connection.SetDeadline(time.Now().Add(patience))
	}
	_, err = connection.Read(make([]byte, 1))
	return err
}

func sendDatagram(address string) error {
	connection, err := net.Dial("udp", address)
	if err != nil {
		return err
	}
	if patience > 0 {
		_ = connection.SetDeadline(time.Now().Add(patience))
	}
	if _, err := connection.Write([]byte("hello")); err != nil {
		return err
	}
	_, err = connection.Read(make([]byte, 1))
	return err
}

func listen(network, address string) error {
	listener, err := net.Listen(network, address)
	connections = append(connections, listener)
	return err
}

func listenPacket(address string) error {
	connection, err := net.ListenPacket("udp", address)
	connections = append(connections, connection)
	return err
}

func resolve(name string) error {
	bounded, cancel := context.WithCancel(context.Background())
	if patience > 0 {
		bounded, cancel = context.WithTimeout(context.Background(), patience)
	}
	defer cancel()
	_, err := net.DefaultResolver.LookupHost(bounded, name)
	return err
}

func get(url string) error {
	client := http.Client{Timeout: patience}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		return errors.New(answer.Status)
	}
	return nil
}

// secure makes a TLS connection to an address, with the system's certificates.
func secure(address string) error {
	dialer := &net.Dialer{Timeout: patience}
	_, err := tls.DialWithDialer(dialer, "tcp", address, &tls.Config{MinVersion: tls.VersionTLS12})
	return err
}

func serve(address string) error {
	hello := func(writer http.ResponseWriter, request *http.Request) {
		if strings.HasPrefix(request.URL.Path, "/missing") {
			writer.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprintln(writer, "hello")
	}
	return http.ListenAndServe(address, http.HandlerFunc(hello))
}

// stuck listens on a port and accepts nothing: with its backlog full, the kernel drops who asks.
func stuck(port string) error {
	var number int
	if _, err := fmt.Sscan(port, &number); err != nil {
		return err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: number}); err != nil {
		return err
	}
	if err := syscall.Listen(fd, 0); err != nil {
		return err
	}
	for range 4 {
		connection, _ := net.DialTimeout("tcp", "127.0.0.1:"+port, retryAfter)
		connections = append(connections, connection)
	}
	return nil
}

func socket(family, kind, protocol int) error {
	_, err := syscall.Socket(family, kind, protocol)
	return err
}
