"""Failed calls that say nothing: what programs try on their way, and do without.

Each line is a habit of a C library, of a runtime or of a program, seen in runs that went well.
"""

from __future__ import annotations

import re

from kubectl_scratch.why.report import Call, Run

# Errors that are part of a normal course, whatever the call.
HARMLESS = frozenset(
    (
        "EINTR", "EINPROGRESS", "EALREADY", "EISCONN", "ENOTCONN", "ENOTTY", "ESPIPE", "ECHILD",
        "ESRCH", "ENODATA", "EOPNOTSUPP", "ENOTSUP", "ENOPROTOOPT", "EPROTOTYPE", "EBADF",
        "EPIPE", "ERESTARTSYS", "ENOATTR", "EFAULT", "ERANGE",
    )
)  # fmt: skip
# Errors that are, of these calls.
HARMLESS_OF = {
    "ENOENT": """unlink unlinkat rmdir readlink readlinkat getxattr lgetxattr listxattr statfs
        inotify_add_watch utimensat""",
    "EEXIST": "mkdir mkdirat symlink symlinkat link linkat mknod mknodat",
    "EINVAL": """readlink readlinkat prctl madvise fsync fdatasync mmap sched_setaffinity
        setsockopt getsockopt fcntl socket sched_setscheduler rt_sigaction access mremap ioctl
        clone clone3 unshare""",
    "ENOSYS": """rseq clone3 statx membarrier openat2 faccessat2 close_range io_uring_setup
        copy_file_range set_robust_list landlock_create_ruleset map_shadow_stack futex_waitv
        getrandom memfd_create pidfd_open epoll_pwait2 fchmodat2 cachestat set_mempolicy
        get_mempolicy mbind""",
    "EPERM": """io_uring_setup io_uring_register perf_event_open epoll_ctl set_mempolicy
        get_mempolicy mbind move_pages sched_setattr membarrier userfaultfd prctl
        personality process_vm_readv pidfd_getfd memfd_create ioctl landlock_create_ruleset""",
    "EACCES": "setpriority sched_setscheduler io_uring_setup perf_event_open prctl",
    "ENOMEM": "mincore",
    "EAGAIN": """read readv recvfrom recvmsg recvmmsg accept accept4 write writev send sendto
        sendmsg sendmmsg futex epoll_wait rt_sigtimedwait getrandom pread64 connect nanosleep
        splice sendfile timerfd_settime""",
    "ENOTDIR": "rmdir readlink readlinkat",
    "ENOTEMPTY": "rmdir unlinkat",
    "EISDIR": "unlink unlinkat read",
    "EAFNOSUPPORT": "socket",
    "EPROTONOSUPPORT": "socket",
    "ENXIO": "lseek",
}
_HARMLESS_CALLS = {error: frozenset(calls.split()) for error, calls in HARMLESS_OF.items()}

_PATHS = r"""
    /etc/ld\.so\. | /etc/ld-musl- | /glibc-hwcaps(/|$)
    (lib|bin)(/[^.]*)?/(tls|haswell|avx512_1|x86_64)$
    /lib(32|64|x32)?/[^/]*-linux-(gnu|musl)[^/]*$
    # Locales and character sets.
    ^/usr/(local/)?(share|lib)/(.*/)?locale(s|-langpack)?/ | /locale\.alias$
    /locale-archive$ | /gconv/ | /LC_[A-Z]+$
    /usr/share/i18n | /(translit|intl)_?[^/]*$ | /libintl | \.mo$ | /C\.(UTF-8|utf8)/
    # Names of users, hosts and services.
    /etc/(nsswitch\.conf|host\.conf|hosts|hostname|resolv\.conf|gai\.conf|services|protocols)$
    /etc/(passwd|group|shadow|gshadow|ethers|networks|netgroup|mdns\.allow|aliases)$
    /etc/(hosts\.(allow|deny)|localtime|timezone|machine-id|environment|profile|debian_version)$
    /etc/(os-release|lsb-release|alpine-release|redhat-release|system-release|mtab|fstab|issue)$
    /etc/(default|sysconfig|security|selinux|pam\.d|profile\.d|crypto-policies|sysctl\.d)(/|$)
    /usr/lib/os-release$ | /nscd/ | /var/lib/(sss|misc|extrausers|dbus)/ | /run/systemd/
    /run/(utmp|udev|dbus|user|host|avahi)(/|$) | /var/run/(utmp|nscd|dbus|avahi)
    /var/log/(wtmp|btmp|lastlog)$ | /dev/log$ | /run/systemd | /\.(dockerenv|containerenv)$
    # Times.
    /zoneinfo(-icu)?(/|$) | /posixrules$ | /Etc/UTC$ | ^/usr/share/lib/zoneinfo
    # The system.
    ^/proc(/|$) | ^/sys(/|$) | ^/dev/(tty|console|null|random|urandom|hugepages|pts|fd)
    ^/dev/(kmsg|mem|shm|dri|nvidia|kfd|cpu|rtc|hwrng|vhost|net|fuse|std(in|out|err))
    ^/cgroup | /hugepages
    # Terminals and shells.
    /terminfo(/|$) | /termcap | /etc/(inputrc|bash\.bashrc|bash_completion|motd|shells|zsh)
    /\.(bashrc|bash_profile|bash_login|bash_history|bash_aliases|profile|inputrc|ash_history)$
    /\.(sh_history|zshrc|zshenv|vimrc|exrc|netrc|curlrc|wgetrc|hushlogin|nanorc|gitconfig)$
    /\.(npmrc|yarnrc|node_repl_history|pythonrc|python_history|psqlrc|pgpass|pg_service\.conf)
    /\.(my\.cnf|mylogin\.cnf|pip|pydistutils\.cfg|rnd|terminfo|termcap|hgrc|lesskey|rediscli)
    /\.(hotspotrc|hotspot_compiler|java|config|cache|local|aws|docker|kube|ssh|gnupg)(/|$)
    /\.(env(\.[a-z]+)?|git|svn|hg|editorconfig|netrc)$ | /_netrc$ | /busybox\.conf$
    # Cryptography: tls.py reads the missing authorities itself.
    /openssl[^/]*\.cnf(\.d)?$ | /ct_log_list\.cnf$ | /fipsmodule | /ossl-modules | /engines-\d
    ^/etc/ssl/?$ | ^/etc/ssl/(certs|cert\.pem|ca-bundle\.pem|ct)(/|$)
    ^/etc/pki/(tls|ca-trust|nssdb)/
    ^/etc/(ca-certificates|crypto|gnutls|krb5)([/.]|$) | /lib/ssl/ | /share/ca-certificates
    ^/usr/local/ssl/ | ^/usr/(local/)?share/certs | ^/var/lib/ca-certificates
    ^/system/etc/security | /krb5[^/]*$ | /gss/mech(\.d)? | /share/p11-kit
    # Python.
    /python\d[\d.]*\.zip$ | /python\d[\d.]*\._pth$ | \._pth$ | /pyvenv\.cfg$ | /__pycache__(/|$)
    \.py[co]$ | \.pth$ | /(site|dist)-packages(/|$) | /lib-dynload | /lib(64)?/python\d[^/]*/
    /lib(64)?/python\d[\d.]*$ | /pybuilddir\.txt$ | /Setup\.local$ | /(site|user)customize
    \.egg(-link|-info)?$ | /__init__\.[^/]*$ | /__main__\.py[^/]*$
    \.cpython-[^/]*\.so$ | \.abi3\.so$
    /bin/(python|pypy)[\d.]*$ | /_distutils_hack | /\.local/lib/python
    # Node.
    /package\.json$ | /node_modules(/|$) | /\.node_(modules|libraries)(/|$) | \.(mjs|cjs)$
    /lib/node$ | /\.yarnrc | /\.pnp\.[cm]?js$ | /node_api | /tsconfig\.json$ | /nodejs/
    # The JVM.
    /hsperfdata_ | /lib/jvm/ | /jvm(/|\.cfg) | /libj(li|vm|sig|ava)\.so | \.jsa$ | /\.java_pid
    /\.attach_pid | /(jre|jdk)[^/]*/ | /java-\d[^/]*/ | /etc/java[^/]*/ | /META-INF/ | /hs_err_pid
    /\.systemPrefs | /\.userPrefs | /openjdk | /tmp/\.java | /fontconfig | /lib/modules$
    # Other languages, servers and tools.
    /httpd\.conf$
    /mime\.(types|cache)$ | /share/mime | /globs2?$ | /magic(\.mgc)?$ | /gomod | /go\.(mod|work)$
    /perl5?/ | /perl-base | /sitelib | /ruby/ | /gems?/ | /rubygems | /php\.ini$ | /php/conf\.d
    /lib/lua/ | /share/lua/ | /jemalloc | /malloc\.conf$ | /malloc[^/]*\.conf | /numa | /libnuma
    /tcl\d | /icudt | /icu/ | /ICU[^/]*$ | /dotnet | /\.dotnet | /hostfxr | /coreclr | /glibc
    /etc/mecabrc | /GeoIP | /odbcinst | /my\.cnf(\.d)?$ | /etc/(curlrc|wgetrc|gitconfig|npmrc)
    /nginx/(body|client_body|proxy|fastcgi|uwsgi|scgi)[^/]*$ | /modules-enabled(/|$)
    # Shared libraries: libraries.py reads their search itself.
    \.so(\.\d+)*$
"""


def _joined(lines: str) -> re.Pattern[str]:
    kept = (line.strip() for line in lines.split("\n") if not line.strip().startswith("#"))
    return re.compile("|".join(part for line in kept if line for part in line.split(" | ")))


QUIET_PATHS = _joined(_PATHS)
# What Python and the JVM write for the next time, if they can.
_BYTECODE = re.compile(r"/__pycache__(/|$)|\.py[co](\.\d+)?$|/hsperfdata_")
# Calls that look for a file, and change nothing.
LOOKS_AT = frozenset(
    (
        "open", "openat", "openat2", "stat", "newfstatat", "statx", "lstat", "access",
        "faccessat", "faccessat2", "readlink", "readlinkat", "connect", "statfs", "chdir",
        "getxattr",
    )
)  # fmt: skip
# What Go and OpenSSL ask of the network while they order addresses.
ORDERING = frozenset({"ENETUNREACH", "EADDRNOTAVAIL", "EHOSTUNREACH", "EAFNOSUPPORT", "EACCES"})
FILE_ERRORS = frozenset(
    {"ENOENT", "ENOTDIR", "EACCES", "EPERM", "ENXIO", "ELOOP", "ENODEV", "EISDIR"}
)


def is_harmless(call: Call) -> bool:
    """Say whether this error is part of this call's normal course."""
    if call.call == "ioctl" or call.error in HARMLESS:
        return True
    return call.call in _HARMLESS_CALLS.get(call.error, ())


def is_quiet_path(call: Call) -> bool:
    """Say whether it is a file that programs look for and do without."""
    if _BYTECODE.search(call.path):
        return True
    if not call.path or call.call not in LOOKS_AT or call.create:
        return False
    wanted = call.error in FILE_ERRORS or (call.error == "EROFS" and _is_cache(call.path))
    return wanted and bool(QUIET_PATHS.search(call.path))


def _is_cache(path: str) -> bool:
    return bool(re.search(r"__pycache__|\.py[co]|hsperfdata_|/\.cache|^/(dev|proc|sys)/", path))


def is_quiet_connect(call: Call, run: Run) -> bool:
    """Say whether a connection only ordered addresses, or has a way around that was taken."""
    if not call.address:
        return False
    if call.protocol == "udp" and call.error in ORDERING and call.port != 53:
        return True
    if call.protocol == "udp" and call.call == "connect" and call.error in ORDERING:
        return True
    if call.family == "inet6" and call.error in ORDERING:
        return any(_is_the_other_family(call, other) for other in run.calls) or _reached(call, run)
    return _reached(call, run)


def _is_the_other_family(call: Call, other: Call) -> bool:
    return other.call == call.call and other.family == "inet" and other.port == call.port


def _reached(call: Call, run: Run) -> bool:
    """Say whether that port was connected to later, here or at another address."""
    return call.call == "connect" and any(
        peer.port == call.port and peer.protocol == call.protocol and peer.at >= call.at
        for peer in run.connected
    )


def is_noise(call: Call, run: Run) -> bool:
    """Say whether a failed call says nothing about how the run ended."""
    return (
        is_harmless(call)
        or is_quiet_path(call)
        or is_quiet_connect(call, run)
        or bool(call.found and call.error in ("ENOENT", "ENOTDIR", "EACCES"))
    )
