package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	criclient "k8s.io/cri-client/pkg"
	"k8s.io/klog/v2"
)

const (
	criSocket  = "unix:///run/containerd/containerd.sock"
	criTimeout = 10 * time.Second
)

// crictl answers the three calls that kind and the testbed make, in the shape of the real crictl's
// `-o json`: `ps` (running containers; `-a` for all), `images`, `inspecti IMAGE`. The real program
// is not a module that `go install` could get.
func crictl(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: crictl ps [-a] | images | inspecti IMAGE")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	all := flags.Bool("a", false, "list containers of every state")
	flags.String("o", "json", "the output is always JSON")
	flags.String("output", "json", "the output is always JSON")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "ps":
		return listContainers(*all)
	case "images":
		return listImages()
	case "inspecti":
		return inspectImage(flags.Arg(0))
	}
	return fmt.Errorf("this small crictl has no %q", args[0])
}

func listContainers(all bool) error {
	runtime, err := criclient.NewRemoteRuntimeService(criSocket, criTimeout, nil, &klog.Logger{})
	if err != nil {
		return err
	}
	filter := &runtimeapi.ContainerFilter{}
	if !all {
		filter.State = &runtimeapi.ContainerStateValue{State: runtimeapi.ContainerState_CONTAINER_RUNNING}
	}
	found, err := runtime.ListContainers(context.Background(), filter)
	if err != nil {
		return err
	}
	list := []map[string]any{}
	for _, c := range found {
		list = append(list, map[string]any{
			"id": c.Id, "podSandboxId": c.PodSandboxId, "state": c.State.String(), "labels": c.Labels,
			"metadata": map[string]any{"name": c.Metadata.Name, "attempt": c.Metadata.Attempt},
		})
	}
	return printJSON(map[string]any{"containers": list})
}

func listImages() error {
	images, err := criclient.NewRemoteImageService(criSocket, criTimeout, nil, &klog.Logger{})
	if err != nil {
		return err
	}
	found, err := images.ListImages(context.Background(), nil)
	if err != nil {
		return err
	}
	list := []map[string]any{}
	for _, i := range found {
		list = append(list, describeImage(i))
	}
	return printJSON(map[string]any{"images": list})
}

func inspectImage(name string) error {
	images, err := criclient.NewRemoteImageService(criSocket, criTimeout, nil, &klog.Logger{})
	if err != nil {
		return err
	}
	answer, err := images.ImageStatus(context.Background(), &runtimeapi.ImageSpec{Image: name}, false)
	if err != nil {
		return err
	}
	if answer.Image == nil {
		return fmt.Errorf("no such image %q present", name)
	}
	return printJSON(map[string]any{"status": describeImage(answer.Image)})
}

func describeImage(i *runtimeapi.Image) map[string]any {
	return map[string]any{
		"id": i.Id, "repoTags": i.RepoTags, "repoDigests": i.RepoDigests, "size": fmt.Sprint(i.Size),
	}
}

func printJSON(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}
