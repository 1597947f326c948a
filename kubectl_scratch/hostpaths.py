"""Which paths of the node are harmless in a copy once they are read-only, and which are not.

Through a socket one commands what listens, and through a device what it stands for, whatever the
mount says.
"""

from __future__ import annotations

import posixpath

from kubectl_scratch.podjson import Json

# Of container runtimes, image builders and the kubelet, wherever a distribution has them.
SOCKETS = frozenset(
    {
        "buildkitd.sock",
        "containerd.sock",
        "containerd.sock.ttrpc",
        "cri-dockerd.sock",
        "crio.sock",
        "docker.sock",
        "dockershim.sock",
        "frakti.sock",
        "isulad.sock",
        "kubelet.sock",
        "podman.sock",
    }
)
# Folders that are there for such sockets, without /run, which is /var/run.
FOLDERS_OF_SOCKETS = (
    "/run/containerd",
    "/run/crio",
    "/run/k3s/containerd",
    "/run/podman",
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet/plugins_registry",
    "/var/lib/kubelet/pod-resources",
)
DEVICES = "/dev"
# Files in memory, no devices.
OF_MEMORY = ("/dev/hugepages", "/dev/mqueue", "/dev/shm")  # and hugepages-1Gi
SOCKET, DEVICE_TYPES = "Socket", ("BlockDevice", "CharDevice")
# The kubelet or the runtime makes what is not there; these say so, the others that it is.
MADE = {"DirectoryOrCreate": "Directory", "FileOrCreate": "File"}


def path_of(volume: Json) -> str | None:
    """Return the path of a hostPath volume, normalized; None for any other."""
    given = volume.get("hostPath")
    if not isinstance(given, dict) or not given.get("path"):
        return None
    path = posixpath.normpath("/" + str(given["path"]).lstrip("/"))
    return path[len("/var") :] if path == "/var/run" or path.startswith("/var/run/") else path


def type_of(volume: Json) -> str:
    """Return the type that a hostPath volume asks for; empty if none."""
    given = volume.get("hostPath")
    return str(given.get("type") or "") if isinstance(given, dict) else ""


def commands(volume: Json) -> str:
    """Return why read-only does not make a volume harmless: a runtime, devices; else nothing."""
    path = path_of(volume)
    if path is None:
        return ""
    if type_of(volume) in DEVICE_TYPES or (_is_in(path, DEVICES) and not _is_of_memory(path)):
        return "it gives access to devices of the node"
    if posixpath.basename(path) in SOCKETS or any(_is_in(path, f) for f in FOLDERS_OF_SOCKETS):
        return "it can command the node's container runtime"
    return ""


def may_reach(volume: Json) -> str:
    """Return what else one reaches through a volume that is kept; nothing if none is known."""
    path = path_of(volume)
    if path is None or commands(volume):
        return ""
    if type_of(volume) == SOCKET or path.endswith((".sock", ".socket")):
        return "what listens on it still takes commands"
    if any(_is_in(folder, path) for folder in (*FOLDERS_OF_SOCKETS, "/run/docker.sock")):
        return "it contains sockets, which still take commands"
    return ""


def _is_of_memory(path: str) -> bool:
    return path.startswith(OF_MEMORY)


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
