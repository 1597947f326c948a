"""Which paths of the node are harmless in a copy once they are read-only, and which are not.

A socket passes commands to its server, and a device is used, whatever the mount says.
"""

from __future__ import annotations

import posixpath

from kubectl_scratch.kube.objects import Json

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
# Devices that every container has, through which nothing of the node is reached.
OF_EVERYBODY = frozenset(
    {"/dev/full", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero"}
)
# Sockets that have no such ending, and those of other folders than the above.
LISTENING = (
    "/dev/log",
    "/run/dbus/system_bus_socket",
    "/run/systemd/journal/dev-log",
    "/run/systemd/journal/stdout",
    "/run/systemd/notify",
    "/run/systemd/private",
)
SOCKET_ENDINGS = (".sock", ".socket", "/socket", "_socket")
# What pods mount only to read, even if they do not say so: a node's description of itself.
READ_FILES = frozenset(
    {
        "/",
        "/etc/group",
        "/etc/hostname",
        "/etc/hosts",
        "/etc/localtime",
        "/etc/machine-id",
        "/etc/nsswitch.conf",
        "/etc/os-release",
        "/etc/passwd",
        "/etc/resolv.conf",
        "/etc/timezone",
        "/var/lib/dbus/machine-id",
    }
)
READ_FOLDERS = (
    "/boot",
    "/etc/ca-certificates",
    "/etc/pki",
    "/etc/ssl",
    "/lib/modules",
    "/proc",
    "/sys",
    "/usr/lib",
    "/usr/local/share/ca-certificates",
    "/usr/share",
    "/usr/src",
)
SOCKET, DEVICE_TYPES = "Socket", ("BlockDevice", "CharDevice")
# The kubelet or the runtime makes what is not there; these say so, the others that it is.
MADE = {"DirectoryOrCreate": "Directory", "FileOrCreate": "File"}


def host_path_of(volume: Json) -> str | None:
    """Return the path of a hostPath volume, normalized; None for any other."""
    given = volume.get("hostPath")
    if not isinstance(given, dict) or not given.get("path"):
        return None
    path = posixpath.normpath("/" + str(given["path"]).lstrip("/"))
    return path[len("/var") :] if path == "/var/run" or path.startswith("/var/run/") else path


def host_path_type(volume: Json) -> str:
    """Return the type that a hostPath volume asks for; empty if none."""
    given = volume.get("hostPath")
    return str(given.get("type") or "") if isinstance(given, dict) else ""


def commanding_path(volume: Json) -> str:
    """Return why read-only does not make a volume harmless: a runtime, devices; else nothing."""
    path = host_path_of(volume)
    if path is None:
        return ""
    if path in OF_EVERYBODY or path in LISTENING:
        return ""
    if host_path_type(volume) in DEVICE_TYPES or (
        _is_in(path, DEVICES) and not _is_of_memory(path)
    ):
        return "it gives access to devices of the node"
    if posixpath.basename(path) in SOCKETS or any(_is_in(path, f) for f in FOLDERS_OF_SOCKETS):
        return "it can command the node's container runtime"
    return ""


def may_reach(volume: Json) -> str:
    """Return what else can be reached through a volume that is kept; empty if nothing is known."""
    path = host_path_of(volume)
    if path is None or commanding_path(volume):
        return ""
    if _is_socket(volume, path):
        return "the server behind it still accepts commands"
    if any(_is_in(each, path) for each in (*FOLDERS_OF_SOCKETS, "/run/docker.sock", *LISTENING)):
        return "it contains sockets, whose servers still accept commands"
    return ""


def is_only_read(volume: Json) -> bool:
    """Say whether an app works the same with a path that is read-only in the copy.

    A socket, or such a device, can be written to through a read-only mount, too.
    """
    path = host_path_of(volume)
    if path is None:
        return False
    is_read = path in READ_FILES or any(_is_in(path, folder) for folder in READ_FOLDERS)
    return is_read or path in OF_EVERYBODY or _is_socket(volume, path)


def _is_socket(volume: Json, path: str) -> bool:
    return host_path_type(volume) == SOCKET or path in LISTENING or path.endswith(SOCKET_ENDINGS)


def _is_of_memory(path: str) -> bool:
    return path.startswith(OF_MEMORY)


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
