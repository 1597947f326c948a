"""All kinds of causes: the vocabulary of the answer, of its JSON and of the documentation."""

from __future__ import annotations

from typing import NamedTuple

STATUS, RUN = "status", "run"


class CauseKind(NamedTuple):
    """A kind of cause: its id, what it says, and whether status or a run of the app shows it."""

    id: str
    says: str
    shown_by: str


_STATUS = {
    "image-not-found": "The image or its tag does not exist.",
    "image-denied": "The registry requires credentials, or rejects them.",
    "registry-unreachable": "The node cannot reach the registry.",
    "image-name": "The image name is not valid.",
    "image-never-pulled": "The image is not on the node, and imagePullPolicy is Never.",
    "image-arch": "The image is built for another architecture than the node's.",
    "image-pull": "The image cannot be pulled.",
    "image-pulling": "The node is still pulling the image.",
    "image-user": "The image sets its user by name, but runAsNonRoot needs a UID.",
    "node-full": "The node has no space for the image.",
    "missing-config-map": "A ConfigMap that the pod needs does not exist.",
    "missing-secret": "A Secret that the pod needs does not exist.",
    "missing-key": "A ConfigMap or Secret does not have a key that the pod needs.",
    "missing-claim": "A PersistentVolumeClaim does not exist.",
    "unbound-claim": "A PersistentVolumeClaim has no volume.",
    "volume-mount": "A volume cannot be attached or mounted.",
    "unschedulable-resources": "No node has enough CPU, memory or other resources.",
    "unschedulable-node": "No node matches the selectors, affinity or tolerations of the pod.",
    "host-port": "The host port is in use on every node.",
    "scheduling-gate": "A scheduling gate keeps the pod from being scheduled.",
    "evicted": "The node evicted the pod.",
    "preempted": "A pod of higher priority preempted the pod.",
    "node-not-ready": "The node is not ready.",
    "oom-killed": "The container was killed at its memory limit.",
    "liveness-probe": "The liveness probe fails, so the container is restarted.",
    "startup-probe": "The startup probe fails, so the container is restarted.",
    "readiness-probe": "The readiness probe fails, so the pod gets no traffic.",
    "root-forbidden": "The image runs as root, and runAsNonRoot forbids that.",
    "command-not-found": "The container's command is not found.",
    "command-not-executable": "The container's command cannot be executed.",
    "working-dir": "The working directory cannot be used.",
    "sub-path": "A subPath cannot be mounted.",
    "quota": "A quota does not allow the pod.",
    "pod-rejected": "An admission webhook or policy rejects the pod.",
    "service-account": "The service account does not exist.",
    "deadline-exceeded": "The pod ran for longer than its deadline.",
    "hook-failed": "A postStart hook failed.",
    "terminating": "The pod is being deleted.",
    "cannot-start": "The container runtime cannot start the container.",
    "pod-sandbox": "The node cannot create the pod's sandbox (network, runtime).",
    "security-profile": "A seccomp or AppArmor profile is not on the node.",
    "init-container": "An init container has not finished.",
    "other-container": "Another container of the pod fails.",
    "no-scheduler": "The scheduler in schedulerName is not running.",
    "limit-range": "A LimitRange does not allow the pod's resources.",
    "scaled-to-zero": "The workload is scaled to 0 replicas.",
    "paused": "The workload is paused.",
    "suspended": "The workload is suspended.",
    "not-scheduled-yet": "The CronJob has not run yet.",
    "job-failed": "The Job has failed.",
}
_RUN = {
    "missing-file": "The app needs a file that does not exist.",
    "near-name": "The app needs a file that exists under a similar name: a typo, or another"
    " suffix.",
    "missing-folder": "The app needs a folder that does not exist.",
    "file-permission": "The app's user has no permission to read or write a file.",
    "folder-permission": "The app's user has no permission to enter, read or write a folder.",
    "read-only-root": "The app writes to the container's read-only root file system.",
    "read-only-volume": "The app writes to a volume that is read-only.",
    "not-a-directory": "A part of a path is a file, not a folder.",
    "is-a-directory": "The app opens a folder as a file.",
    "missing-library": "A program needs a shared library that the image does not have.",
    "library-version": "A program needs a newer version of a shared library.",
    "missing-interpreter": "The interpreter of a script, or the loader of a program, is missing.",
    "script-line-ends": "A script has Windows line endings.",
    "exec-format": "A file is a program for another architecture, or is not a program.",
    "not-executable": "A program is not executable for the app's user.",
    "missing-program": "A command is not in the image.",
    "missing-module": "A module or class is not found.",
    "privileged-port": "The app has no permission to listen on a port below 1024.",
    "port-in-use": "The port that the app listens on is in use.",
    "address-not-available": "The app listens on an address that the pod does not have.",
    "connection-refused": "Nothing listens on the address that the app connects to.",
    "no-endpoints": "The app connects to a Service that has no ready endpoint.",
    "service-port": "The app connects to a port that the Service or its pods do not have.",
    "connection-timed-out": "A server does not answer.",
    "network-policy": "A NetworkPolicy does not allow a connection.",
    "unreachable-network": "The pod has no route to an address.",
    "dns-name": "A name does not exist in DNS.",
    "dns-server": "The DNS server does not answer.",
    "dns-failure": "The DNS server answers with an error.",
    "missing-socket": "A unix socket does not exist.",
    "socket-permission": "The app's user has no permission to connect to a unix socket.",
    "missing-variable": "The app needs an environment variable that is not set.",
    "empty-variable": "The app needs an environment variable that is empty.",
    "bad-argument": "The app rejects its arguments.",
    "bad-config": "The app cannot read its configuration.",
    "tls-trust": "The app does not trust a server's certificate.",
    "no-space": "A disk or volume is full.",
    "too-many-files": "The limit of open files or file watches is reached.",
    "too-many-processes": "The limit of processes and threads is reached.",
    "memory-limit": "The app reached its memory limit, or that of its own heap.",
    "memory-request": "The app cannot allocate memory.",
    "capability": "The app needs a capability that it does not have.",
    "system-call": "The app makes a system call that is not allowed or not supported.",
    "lock-held": "Another process holds a lock that the app needs, or a lock file exists.",
    "segfault": "The app crashed with an invalid memory access.",
    "abort": "The app ended with abort(), a trap or a division by zero.",
    "illegal-instruction": "The app uses an instruction that the processor does not support.",
    "killed": "The app was killed by SIGKILL.",
    "terminated": "The app was terminated by another signal.",
    "ends-by-itself": "The app exited without an error, but should keep running.",
    "probe-port": "The app listens on another port or address than its probe uses.",
    "hang-network": "The app waits for a server that does not answer.",
    "hang-lock": "The app waits for a lock.",
    "hang-input": "The app waits for input from a pipe.",
    "hang-idle": "The app is stuck and does not listen on its port.",
    "setuid": "A setuid program does not get its owner's privileges.",
}
CAUSE_KINDS = tuple(
    CauseKind(key, says, shown_by)
    for table, shown_by in ((_STATUS, STATUS), (_RUN, RUN))
    for key, says in table.items()
)
# What is told without a cause: the app's own end, and runs that show nothing.
NO_CAUSE = {
    "exits-with-code": "The app exited with an error code, and no cause was found.",
    "self-tracing": "The app traces itself, so it cannot be traced.",
    "runs": "The app works.",
}


def cause_kind(key: str) -> CauseKind | None:
    """Return the kind of an id; None for an unknown one."""
    return next((kind for kind in CAUSE_KINDS if kind.id == key), None)
