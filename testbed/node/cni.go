package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/vishvananda/netlink"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	cniConfig    = "/etc/cni/net.d/10-testbed.conflist"
	syncEvery    = time.Second
	apiWaitAtAll = 20 * time.Second
)

// kindcni gives a node the least network that pods need: addresses out of the node's own range, a
// route to the range of every other node, and masquerading of what leaves the pods' network. It
// asks for the list of nodes every second, which is cheap at this size and needs no watch.
func kindcni(ctx context.Context) error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	// kind sets this: kube-proxy may not have made the API's Service address work yet
	if endpoint := os.Getenv("CONTROL_PLANE_ENDPOINT"); endpoint != "" {
		config.Host = "https://" + endpoint
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := masquerade(os.Getenv("POD_SUBNET")); err != nil {
		return err
	}
	// The node becomes Ready with the CNI configuration, and CoreDNS starts then and asks the API's
	// Service address; if that does not answer yet, its next try is half a minute later.
	waitForAPIService()
	for ; ; time.Sleep(syncEvery) {
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err == nil {
			err = syncNodes(nodes.Items, os.Getenv("NODE_NAME"))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "kindcni:", err)
		}
	}
}

func masquerade(podSubnet string) error {
	rule := []string{"POSTROUTING", "-s", podSubnet, "!", "-d", podSubnet, "-j", "MASQUERADE"}
	if iptables("-C", rule) == nil {
		return nil
	}
	return iptables("-A", rule)
}

func iptables(action string, rule []string) error {
	args := append([]string{"-w", "-t", "nat", action}, rule...)
	if output, err := exec.Command("iptables", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("iptables %v: %w: %s", args, err, output)
	}
	return nil
}

func waitForAPIService() {
	address := net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))
	for end := time.Now().Add(apiWaitAtAll); time.Now().Before(end); time.Sleep(syncEvery / 10) {
		if conn, err := net.DialTimeout("tcp", address, syncEvery); err == nil {
			conn.Close()
			return
		}
	}
}

func syncNodes(nodes []corev1.Node, own string) error {
	var failed []error
	for i := range nodes {
		switch node := &nodes[i]; {
		case node.Spec.PodCIDR == "":
		case node.Name == own:
			failed = append(failed, writeConfig(node.Spec.PodCIDR))
		default:
			failed = append(failed, routeTo(node))
		}
	}
	return errors.Join(failed...)
}

func routeTo(node *corev1.Node) error {
	_, destination, err := net.ParseCIDR(node.Spec.PodCIDR)
	if err != nil {
		return err
	}
	for _, address := range node.Status.Addresses {
		gateway := net.ParseIP(address.Address).To4()
		if address.Type != corev1.NodeInternalIP || gateway == nil {
			continue
		}
		if err := netlink.RouteReplace(&netlink.Route{Dst: destination, Gw: gateway}); err != nil {
			return fmt.Errorf("route to %s via %s: %w", destination, gateway, err)
		}
	}
	return nil
}

// writeConfig writes the CNI configuration if it is not there with this range already.
func writeConfig(podCIDR string) error {
	ipam := map[string]any{
		"type": "host-local", "dataDir": "/run/cni-ipam-state",
		"routes": []any{map[string]string{"dst": "0.0.0.0/0"}},
		"ranges": []any{[]any{map[string]string{"subnet": podCIDR}}},
	}
	wanted, err := json.Marshal(map[string]any{
		"cniVersion": "0.3.1", "name": "testbed",
		"plugins": []any{
			map[string]any{"type": "ptp", "ipMasq": false, "mtu": 1500, "ipam": ipam},
			map[string]any{"type": "portmap", "capabilities": map[string]bool{"portMappings": true}},
		},
	})
	if err != nil {
		return err
	}
	if have, err := os.ReadFile(cniConfig); err == nil && string(have) == string(wanted) {
		return nil
	}
	// containerd reads the folder at any time: a half-written file must not have a name it takes
	partial := filepath.Join(filepath.Dir(cniConfig), ".partial")
	if err := os.WriteFile(partial, wanted, 0o644); err != nil {
		return err
	}
	return os.Rename(partial, cniConfig)
}
