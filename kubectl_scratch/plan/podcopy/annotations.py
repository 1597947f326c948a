"""The annotations of the copy.

Most say something about the source: who deployed it, which address it got, what a tool saw.
These are dropped. Some change how the pod runs, and a copy without them would not behave as
the source does:

- the beta annotations for AppArmor and the alpha ones for seccomp, which older nodes obey;
- the networks of Multus and the bandwidth limits of the CNI plugin of that name;
- CRI-O's user namespace;
- the container that is the default one;
- what a mesh's injector is asked to do (mesh.py).

An address is the source's, and is never copied: a second pod that has it takes its traffic.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from kubectl_scratch.kube.objects import (
    DEFAULT_CONTAINER,
    Json,
    all_containers,
    annotations_of,
    find,
)
from kubectl_scratch.plan.findings import Edit, Finding, Level
from kubectl_scratch.plan.metadata import KEY_PREFIX
from kubectl_scratch.plan.podcopy import mesh

NETWORKS = "k8s.v1.cni.cncf.io/networks"
# https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-config-mirror
MIRROR = "kubernetes.io/config.mirror"
STATIC = (MIRROR, "kubernetes.io/config.source")

# Prefixes that a container's name follows; admission rejects a name that the pod does not have.
OF_CONTAINERS = (
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
)
CHANGE_HOW_IT_RUNS = frozenset(
    {
        DEFAULT_CONTAINER,
        NETWORKS,
        "io.kubernetes.cri-o.userns-mode",
        "kubernetes.io/egress-bandwidth",
        "kubernetes.io/ingress-bandwidth",
        "seccomp.security.alpha.kubernetes.io/pod",
        "v1.multus-cni.io/default-network",
    }
)
# What the network writes: the address that a pod got.
OF_ADDRESSES = (
    "cni.projectcalico.org/containerID",
    "cni.projectcalico.org/floatingIPs",
    "cni.projectcalico.org/hwAddr",
    "cni.projectcalico.org/ipAddrs",
    "cni.projectcalico.org/podIP",
    "k8s.ovn.org/",
    "k8s.v1.cni.cncf.io/network-status",
    "k8s.v1.cni.cncf.io/networks-status",
    "ovn.kubernetes.io/",
    "vpc.amazonaws.com/pod-",
)
# Marks of the source alone, whatever the user asks for. With config.mirror and no nodeName a
# pod is refused (ValidatePodSpecificAnnotations).
NEVER = (
    *OF_ADDRESSES,
    "argocd.argoproj.io/",
    "kueue.x-k8s.io/",
    KEY_PREFIX,
    "kubectl.kubernetes.io/last-applied-configuration",
    "kubernetes.io/config.",
)
# What a network attachment may ask for that one pod alone can have (Multus, "runtime configs").
_ADDRESSES = ("infiniband-guid", "ips", "mac")


def choose_annotations(pod: Json, *, keep_all: bool) -> Iterator[Edit | Finding]:
    """Drop the annotations that describe the source."""
    found = annotations_of(pod)
    if any(mark in found for mark in STATIC):
        text = "the source is a static pod, from a file on its node; the copy is an ordinary pod"
        yield Finding(Level.DETAIL, text)
    kept = {k: v for k, v in found.items() if _stays(pod, k, keep_all=keep_all)}
    pod["metadata"]["annotations"] = kept
    if kept:
        why = "as asked" if keep_all else "because they change how the pod runs"
        yield Edit("metadata.annotations", f"kept, {why}: {_list(kept)}")
    if dropped := found.keys() - kept.keys():
        why = "because they describe the source"
        yield Edit("metadata.annotations", f"dropped, {why}: {_list(dropped)}")


def drop_addresses(pod: Json) -> Iterator[Edit]:
    """Drop the fixed addresses that the pod asks additional networks for."""
    annotations = pod["metadata"]["annotations"]
    try:
        networks = json.loads(annotations.get(NETWORKS, ""))
    except ValueError:  # the short form, NAMESPACE/NAME@INTERFACE, has no addresses
        return
    wanted = [n for n in networks if isinstance(n, dict)] if isinstance(networks, list) else []
    if not any(key in network for network in wanted for key in _ADDRESSES):
        return
    for network in wanted:
        for key in _ADDRESSES:
            network.pop(key, None)
    annotations[NETWORKS] = json.dumps(networks)
    yield Edit(NETWORKS, "without the addresses, which the source uses")


def _stays(pod: Json, key: str, *, keep_all: bool) -> bool:
    for prefix in OF_CONTAINERS:
        if key.startswith(prefix):
            return find(all_containers(pod), key[len(prefix) :]) is not None
    if key.startswith(NEVER):
        return False
    return keep_all or key in CHANGE_HOW_IT_RUNS or mesh.is_request(key)


def _list(keys: Iterable[str]) -> str:
    return ", ".join(sorted(keys))
