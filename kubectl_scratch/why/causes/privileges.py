"""What needs a capability, and system calls that are not allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_scratch.why.causes.tracing import is_forbidden
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.rank import Evidence, FailedCall
from kubectl_scratch.why.report import Call, Run, Signal
from kubectl_scratch.why.wording import call_line, object_of, process_words, verb

NUMBERS = {
    "CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "KILL": 5, "SETGID": 6, "SETUID": 7,
    "NET_BIND_SERVICE": 10, "NET_ADMIN": 12, "NET_RAW": 13, "IPC_LOCK": 14, "SYS_MODULE": 16,
    "SYS_RAWIO": 17, "SYS_CHROOT": 18, "SYS_PTRACE": 19, "SYS_ADMIN": 21, "SYS_BOOT": 22,
    "SYS_NICE": 23, "SYS_RESOURCE": 24, "SYS_TIME": 25, "MKNOD": 27, "SYSLOG": 34, "PERFMON": 38,
    "BPF": 39, "SETPCAP": 8, "DAC_READ_SEARCH": 2,
}  # fmt: skip
_CALLS = {
    "CHOWN": "chown fchown lchown fchownat",
    "FOWNER": "chmod fchmod fchmodat fchmodat2 utimensat utime utimes",
    "KILL": "kill tgkill tkill rt_sigqueueinfo",
    "SETGID": "setgid setregid setresgid setgroups setfsgid",
    "SETUID": "setuid setreuid setresuid setfsuid",
    "NET_ADMIN": "setsockopt",
    "NET_RAW": "socket",
    "IPC_LOCK": "mlock mlock2 mlockall shmctl",
    "SYS_MODULE": "init_module finit_module delete_module",
    "SYS_RAWIO": "iopl ioperm",
    "SYS_CHROOT": "chroot",
    "SYS_PTRACE": "ptrace process_vm_readv process_vm_writev kcmp",
    "SYS_ADMIN": """mount umount umount2 unshare setns sethostname setdomainname pivot_root swapon
        swapoff quotactl move_mount fsopen fsmount open_tree clone clone3""",
    "SYS_BOOT": "reboot kexec_load",
    "SYS_NICE": "setpriority nice sched_setscheduler sched_setparam sched_setattr ioprio_set",
    "SYS_RESOURCE": "setrlimit prlimit64",
    "SYS_TIME": "settimeofday clock_settime adjtimex clock_adjtime stime",
    "MKNOD": "mknod mknodat",
    "SYSLOG": "syslog",
    "PERFMON": "perf_event_open",
    "BPF": "bpf",
    "SETPCAP": "capset",
    "DAC_READ_SEARCH": "open_by_handle_at",
}
CAPABILITY = {call: name for name, calls in _CALLS.items() for call in calls.split()}
# Not even a capability lets a container make these, with the default seccomp profile.
FILTERED = frozenset(
    (
        "keyctl", "add_key", "request_key", "userfaultfd", "io_uring_setup", "io_uring_enter",
        "io_uring_register", "kexec_load", "kexec_file_load", "acct", "nfsservctl", "uselib",
        "ustat", "sysfs", "_sysctl", "vm86", "personality", "modify_ldt", "lookup_dcookie",
        "get_kernel_syms", "query_module", "create_module", "pidfd_getfd",
        "set_mempolicy_home_node",
    )
)  # fmt: skip
CLONE_NEWUSER = 0x10000000
_WHAT = {
    "CHOWN": "change the owner of a file", "SETUID": "change its user",
    "SETGID": "change its groups", "NET_RAW": "open a raw socket", "KILL": "signal a process of"
    " another user", "SYS_CHROOT": "change its root folder", "MKNOD": "create a device",
    "SYS_TIME": "set the clock", "SYS_NICE": "raise its priority", "IPC_LOCK": "lock memory",
    "SYS_RESOURCE": "raise a limit", "FOWNER": "change the mode or time of a file of another user",
    "NET_ADMIN": "configure the network",
}  # fmt: skip
HINTS = {
    "CHOWN": "set the owner in the image, or set the pod's fsGroup, and configure the app not"
    " to chown",
    "SETUID": "start the app as the right user (securityContext.runAsUser), and configure it"
    " not to switch",
    "SETGID": "start the app with the right group (securityContext.runAsGroup), and configure"
    " it not"
    " to switch",
    "NET_RAW": "for ping, set securityContext.sysctls: net.ipv4.ping_group_range",
}


def find_privileges(evidence: Evidence) -> Iterator[Cause]:
    """Yield calls for which the app has no privilege, or that its seccomp profile stops."""
    for failed in evidence.failed:
        call = failed.call
        if call.error == "ENOSYS":
            yield _no_call(evidence, failed)
        elif call.error == "EPERM" and call.call in FILTERED:
            yield _filtered(evidence, failed)
        elif _is_of_users(call):
            yield _user_namespace(evidence, failed)
        elif _lacks(evidence.run, call):
            yield _capability(evidence, failed)
    for signal in evidence.run.signals:
        if signal.signal == "SIGSYS" and signal.fatal:
            yield _killed(evidence.run, signal)


def _lacks(run: Run, call: Call) -> str:
    """Return the capability that a call needs and the app has not; empty if it isn't that."""
    refused = call.error == "EPERM" or (call.error == "EACCES" and call.call in ("setpriority",))
    if call.call == "socket" and call.error in ("EPERM", "EACCES"):
        refused = True
    if call.call.startswith("mlock") and call.error in ("ENOMEM", "EAGAIN"):
        refused = True
    name = CAPABILITY.get(call.call, "")
    if not refused or not name:
        return ""
    return "" if run.capabilities >> NUMBERS[name] & 1 else name


def _capability(evidence: Evidence, failed: FailedCall) -> Cause:
    run, call = evidence.run, failed.call
    name = _lacks(run, call)
    what = _WHAT.get(name, f"call {call.call}")
    detail = _detail(call)
    root = "it runs as root without it" if run.uid == 0 else f"it runs as user {run.uid} without it"
    add = (
        f"add the capability: securityContext.capabilities.add: [{name}] (not allowed in a"
        f" restricted"
    )
    add += " namespace)" + ("" if run.uid == 0 else "; a non-root user gets it only from the file's"
                            " capabilities")  # fmt: skip
    hint = HINTS.get(name, "")
    return Cause(
        "capability",
        f"the app cannot {what}{detail}: this needs the capability {name}, and {root}",
        (call_line(call, run),),
        (f"{hint}; or {add}" if hint else add) + _of_setuid_programs(evidence, name),
        failed.weight + 3,
    )


def _of_setuid_programs(evidence: Evidence, name: str) -> str:
    """Return what a setuid program needs, if it is forbidden: it also becomes another user."""
    if name not in ("SETUID", "SETGID") or not evidence.run.uid or not is_forbidden(evidence):
        return ""
    return "; a setuid program needs securityContext.allowPrivilegeEscalation: true"


def _detail(call: Call) -> str:
    if call.path:
        return f" ({call.path})"
    return f" ({verb(call.call)} {object_of(call)})" if call.arguments else ""


def _filtered(evidence: Evidence, failed: FailedCall) -> Cause:
    call = failed.call
    return Cause(
        "system-call",
        f"the app needs the system call {call.call}, which the container's seccomp profile blocks",
        (call_line(call, evidence.run),),
        "use another profile (securityContext.seccompProfile), or configure the app not to use it",
        failed.weight + 2,
    )


def _is_of_users(call: Call) -> bool:
    """Say whether a new user namespace was refused, for which no capability is needed."""
    flags = [int(word) for word in call.arguments if word.isdecimal()]
    makes = call.call in ("unshare", "clone", "clone3", "setns")
    return makes and call.error == "EPERM" and any(flag & CLONE_NEWUSER for flag in flags)


def _user_namespace(evidence: Evidence, failed: FailedCall) -> Cause:
    call = failed.call
    return Cause(
        "system-call",
        f"the app wants a user namespace of its own ({verb(call.call)}), which the container's"
        " seccomp profile or the node does not allow",
        (call_line(call, evidence.run),),
        "let the app run without its own sandbox, or use another profile"
        " (securityContext.seccompProfile) that allows it",
        failed.weight + 3,
    )


def _no_call(evidence: Evidence, failed: FailedCall) -> Cause:
    call = failed.call
    return Cause(
        "system-call",
        f"the app needs the system call {call.call}, which the kernel or sandbox does not support",
        (call_line(call, evidence.run),),
        "use a newer kernel or another runtimeClass, or configure the app not to use it",
        failed.weight,
    )


def _killed(run: Run, signal: Signal) -> Cause:
    call = f"the system call {signal.call}" if signal.call else "a system call"
    known = CAPABILITY.get(re.sub(r"\W", "", signal.call), "")
    return Cause(
        "system-call",
        f"the app was killed because it made {call}, which its seccomp profile forbids",
        (
            f"{process_words(run, signal.pid)} received SIGSYS at"
            f" {signal.call or 'an unknown call'}",
        ),
        "allow it in the profile (securityContext.seccompProfile), or configure the app not to use"
        " it" + (f"; it also needs the capability {known}" if known else ""),
        96,
    )
