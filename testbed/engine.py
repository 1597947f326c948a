"""Find the docker that kind uses, or start a private one where none answers."""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed import debian
from testbed.cache import folder
from testbed.proc import Failed, Steps, attempt, locked, run

# short on purpose: the path of a unix socket ends at 107 bytes, and a checkout's path may be long
RUN = Path("/run/scratch-testbed")
DATA = Path("/var/lib/scratch-testbed")
SOCKET, PIDFILE, BEFORE, LOG = (
    RUN / name for name in ("docker.sock", "dockerd.pid", "before.json", "dockerd.log")
)
CGROUP = "scratch-testbed"
# folders that dockerd makes in places of the host's, whatever its options say
STRAY_FOLDERS = ("/run/docker", "/run/containerd", "/opt/containerd")
# kernel-wide settings that dockerd, the nodes' kubelet and kube-proxy change
SYSCTLS = (
    *("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv6/conf/default/forwarding"),
    *("net/ipv4/conf/all/forwarding", "net/ipv4/conf/default/forwarding"),
    *("net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"),
    *("fs/file-max", "fs/nr_open", "vm/overcommit_memory", "vm/panic_on_oom"),
    *("kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys"),
    *("kernel/keys/root_maxbytes", "net/netfilter/nf_conntrack_max"),
)
CAP_SYS_RESOURCE = 1 << 24
START_TIMEOUT, STOP_TIMEOUT, LOCK_TIMEOUT = 60.0, 40.0, 900.0


@dataclass(frozen=True)
class Engine:
    """A docker daemon that answers."""

    env: dict[str, str] = field(default_factory=dict)

    @property
    def private(self) -> bool:
        """Tell whether it is the testbed's own daemon."""
        return bool(self.env)

    def docker(self, *words: object, timeout: float = 60) -> str:
        """Run the docker client and return its stdout."""
        return run(["docker", *words], env=self.env, timeout=timeout)

    def has_image(self, name: str) -> bool:
        """Tell whether the daemon has an image."""
        found = attempt(["docker", "image", "inspect", "-f", "x", name], env=self.env)
        return found.returncode == 0


def machine_lock() -> contextlib.AbstractContextManager[None]:
    """Hold the lock of the machine's daemon, so that no `down` stops it under somebody's `up`."""
    place = Path("/run") if os.geteuid() == 0 else folder()
    return locked(place, "another testbed's up or down on this machine", LOCK_TIMEOUT)


def find() -> Engine | None:
    """Return the daemon that is there, the private one first, or None."""
    for engine in (_private(), Engine()):
        if engine.private and not os.access(SOCKET, os.W_OK):
            continue
        command = ["docker", "version", "--format", "{{.Server.Version}}"]
        with contextlib.suppress(Failed):
            if attempt(command, env=engine.env, timeout=15).returncode == 0:
                return engine
    return None


def check_possible(engine: Engine | None) -> None:
    """Fail early where there is no docker and none can be started."""
    if engine is None and not debian.is_root_on_debian():
        raise Failed(
            "no docker daemon answers, and a private one needs root on Debian: start docker "
            "(or set DOCKER_HOST), or run this as root on Debian"
        )


def _private() -> Engine:
    # a folder of its own: the user's docker contexts and credential helpers have no part in this
    return Engine({"DOCKER_HOST": f"unix://{SOCKET}", "DOCKER_CONFIG": str(RUN / "client")})


def find_or_start(steps: Steps) -> Engine:
    """Return the daemon that is there, or start a private one; call with the machine's lock."""
    engine = find()
    if engine:
        return engine
    check_possible(engine)
    debian.install(["docker.io", "iptables", "nftables"], steps)
    # on a machine with systemd the package has just started Debian's own daemon
    engine = find()
    if engine:
        return engine
    with steps.step("a private dockerd"):
        _start()
    return _private()


def _start() -> None:
    RUN.mkdir(mode=0o700, exist_ok=True)
    for path in ("client", "exec"):
        (RUN / path).mkdir(exist_ok=True)
    for path in ("data", "lib/upper/modules", "lib/work", "etc"):
        (DATA / path).mkdir(parents=True, exist_ok=True)
    if not BEFORE.exists():
        BEFORE.write_text(json.dumps(_host_state()))
    PIDFILE.unlink(missing_ok=True)
    (RUN / "daemon.json").write_text(json.dumps(_configuration()))
    # In a mount namespace of its own: what it mounts is not seen on the host, and what it would
    # make in the host's folders (/lib/modules for kind, a key in /etc/docker) is made in DATA.
    script = (
        f"set -e; mount -n -t overlay -o lowerdir=/usr/lib,upperdir={DATA}/lib/upper,"
        f"workdir={DATA}/lib/work overlay /usr/lib; "
        f"[ ! -d /etc/docker ] || mount -n --bind {DATA}/etc /etc/docker; "
        f"exec dockerd --config-file {RUN}/daemon.json"
    )
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
    _await_answer(process)


def _await_answer(process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_TIMEOUT
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        if SOCKET.exists() and find() == _private():
            return
        time.sleep(0.1)
    tail = "\n".join(LOG.read_text(errors="replace").splitlines()[-15:])
    raise Failed(f"dockerd did not answer; `python -m testbed down` cleans up\n{tail}\n({LOG})")


def _configuration() -> dict[str, object]:
    configuration: dict[str, object] = {
        "hosts": [f"unix://{SOCKET}"],
        "pidfile": str(PIDFILE),
        "exec-root": str(RUN / "exec"),
        "data-root": str(DATA / "data"),
        "bridge": "none",
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "cgroup-parent": f"/{CGROUP}",
    }
    if not _has_sys_resource():
        configuration["runtimes"] = {"runc-here": {"path": str(_runtime())}}
        configuration["default-runtime"] = "runc-here"
    return configuration


def _has_sys_resource() -> bool:
    found = re.search(r"^CapEff:\s*(\w+)", Path("/proc/self/status").read_text(), re.M)
    return bool(found and int(found.group(1), 16) & CAP_SYS_RESOURCE)


def _runtime() -> Path:
    """Write a runc that asks for no CAP_SYS_RESOURCE, which root has not got everywhere."""
    path = DATA / "runc-here"
    path.write_text(
        "#!/bin/sh\n"
        "# --privileged asks for every capability; take out the one that cannot be had,\n"
        "# from a bundle's config.json or from the file of an exec's process.\n"
        "before=\n"
        'for word in "$@"; do\n'
        "  case $before in --bundle) file=$word/config.json ;; --process) file=$word ;; esac\n"
        "  before=$word\n"
        "done\n"
        'if [ -f "${file:-}" ]; then\n'
        """  sed -i 's/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g' "$file"\n"""
        "fi\n"
        f'exec {shutil.which("runc") or "/usr/sbin/runc"} "$@"\n'
    )
    path.chmod(0o755)
    return path


def stop(engine: Engine | None) -> None:
    """Stop the private daemon and take away what it left; call with the machine's lock."""
    if engine and engine.private:
        attempt(["docker", "network", "rm", "kind"], env=engine.env)
    pid = _pid()
    if pid:
        _end(pid)
    _kill_remains()
    _remove_cgroups()
    before = json.loads(BEFORE.read_text()) if BEFORE.exists() else _host_state()
    for name in _bridges() - set(before["links"]):
        attempt(["ip", "link", "delete", name])
    for command in ("iptables", "ip6tables"):
        _restore_iptables(command, before["rules"][command])
    _restore_sysctls(before["sysctls"])
    for path in STRAY_FOLDERS:
        if path not in before["folders"]:
            shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(DATA, ignore_errors=True)
    shutil.rmtree(RUN, ignore_errors=True)


def has_remains() -> bool:
    """Tell whether there is something of a private daemon on this machine, running or not."""
    return RUN.exists() or DATA.exists()


def _pid() -> int | None:
    """Return the private daemon's process id, if that process is it."""
    try:
        pid = int(PIDFILE.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if b"dockerd" in command and str(RUN).encode() in command else None


def _end(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + STOP_TIMEOUT
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        time.sleep(0.1)


def _cgroups() -> Iterator[Path]:
    """Give the cgroups under the daemon's, the innermost first."""
    hierarchies = Path("/sys/fs/cgroup")
    for root in (hierarchies / CGROUP, *hierarchies.glob(f"*/{CGROUP}")):
        if root.is_dir():
            for place, _, _ in os.walk(root, topdown=False):
                yield Path(place)


def _kill_remains() -> None:
    """Kill what outlives a dockerd that was itself killed: containers' processes and shims."""
    for pid in [*_processes_in_containers(), *_shims()]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _processes_in_containers() -> Iterator[int]:
    for group in _cgroups():
        with contextlib.suppress(OSError):
            yield from map(int, (group / "cgroup.procs").read_text().split())


def _shims() -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if any(word.startswith(f"{RUN}/exec/".encode()) for word in words):
                yield int(path.parent.name)


def _remove_cgroups() -> None:
    end = time.monotonic() + 5
    while (groups := list(_cgroups())) and time.monotonic() < end:
        for group in groups:
            with contextlib.suppress(OSError):
                group.rmdir()
        time.sleep(0.05)


def _host_state() -> dict[str, Any]:
    """Return what the daemon changes on the host, as it is now."""
    values = [(name, Path("/proc/sys", name)) for name in SYSCTLS]
    return {
        "links": sorted(_bridges()),
        "rules": {command: _rules(command) for command in ("iptables", "ip6tables")},
        "sysctls": {name: path.read_text().strip() for name, path in values if path.exists()},
        "folders": [path for path in STRAY_FOLDERS if Path(path).exists()],
    }


def _bridges() -> set[str]:
    return {path.name for path in Path("/sys/class/net").iterdir() if path.name.startswith("br-")}


def _rules(command: str) -> list[str]:
    """Return the lines of iptables-save, each with its table before it."""
    table, lines = "", []
    for line in attempt([f"{command}-save"]).stdout.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line[:1] in (":", "-"):
            # without the counters of packets and bytes
            lines.append(f"{table} {line.partition(' [')[0]}")
    return lines


def _restore_iptables(command: str, before: list[str]) -> None:
    """Delete the rules and chains that are new and docker's, and set policies back."""
    new = [line.split(" ", 1) for line in _rules(command) if line not in before]
    docker = re.compile(r"DOCKER|\bbr-[0-9a-f]{12}\b|-s (\S+) -d \1 .*-j MASQUERADE")
    for table, line in new:
        if line.startswith("-A") and docker.search(line):
            attempt([command, "-w", "-t", table, "-D", *shlex.split(line)[1:]])
    chains = [(table, line[1:].split()[0]) for table, line in new if line.startswith(":DOCKER")]
    for action in ("-F", "-X"):
        for table, chain in chains:
            attempt([command, "-w", "-t", table, action, chain])
    for table, line in new:
        # docker sets FORWARD to DROP where it was the one to switch forwarding on
        if line == ":FORWARD DROP":
            attempt([command, "-w", "-t", table, "-P", "FORWARD", "ACCEPT"])
    _delete_empty_tables(command, {line.split()[0] for line in before})


def _delete_empty_tables(command: str, before: set[str]) -> None:
    left = _rules(command)
    for table in {line.split()[0] for line in left} - before:
        lines = [line.split(" ", 1)[1] for line in left if line.startswith(f"{table} ")]
        if all(line.startswith(":") and line.endswith(" ACCEPT") for line in lines):
            attempt(["nft", "delete", "table", "ip" if command == "iptables" else "ip6", table])


def _restore_sysctls(before: dict[str, str]) -> None:
    for name, value in before.items():
        path = Path("/proc/sys", name)
        with contextlib.suppress(OSError):
            if path.read_text().strip() != value:
                path.write_text(value)
