"""Make the images of pods that fail for a known reason: one of each family of apps."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from testbed import archive, debian, golang
from testbed.archive import Entry, Image
from testbed.cache import HERE, Artifact, log_file
from testbed.proc import Steps, run
from testbed.testimages import ELF_MACHINE, NO_MACHINE, PATH, PREFIX, TOOLS
from tools import zig

SOURCES = HERE / "broken"
PACKAGES = (
    *("ecj", "musl", "nginx-light", "nodejs", "openjdk-17-jre-headless", "python3"),
    *("netcat-openbsd", "gawk"),
)
DOWNLOAD_TIMEOUT, COMPILE_TIMEOUT = 900.0, 120.0
# whom a distroless image runs as
NONROOT = 65532
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
# where the compiler of Java is, and what keeps it from looking for more
ECJ = ("-cp", "/usr/share/java/eclipse-jdt-core.jar")
BATCH = ("org.eclipse.jdt.internal.compiler.batch.Main", "-proc:none", "-17", "-d", "/tmp/app")
USERS = (
    b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
    b"nonroot:x:65532:65532:nonroot:/home/nonroot:/bin/false\n"
)
NGINX = b"""error_log /dev/stderr notice;
pid /run/nginx.pid;
events {}
http {
  access_log off;
  include /etc/nginx/mime.types;
  include /etc/nginx/conf.d/*.conf;
}
"""
SITE = b"server {\n  listen 8080;\n  root /usr/share/nginx/html;\n}\n"


def broken_images() -> Artifact:
    """Return the images in one docker-archive, as `images.tar`."""
    words = [PREFIX, archive.architecture(), debian.base().key, zig.version(), *PACKAGES]
    sources = [SOURCES, HERE / "archive.py", HERE / "golang.py", Path(__file__)]
    return Artifact("brokenimages", words, sources, _build)


def _build(target: Path, steps: Steps) -> None:
    work = target.parent
    tree = work / "tree"
    debian.install(["debootstrap"], steps)
    debian.unpack_base(tree, steps)
    with steps.step("the packages of the broken pods' images"):
        _unpack_packages(tree, work)
    with steps.step("the programs of the broken pods"):
        _compile(tree, work)
    with steps.step("the broken pods' images"):
        archive.write_archive(target / "images.tar", list(_images(tree, work)))


def _unpack_packages(tree: Path, work: Path) -> None:
    """Unpack what the base tree lacks into it, without the packages' scripts."""
    _, mirror, *_ = (tree / "etc/apt/sources.list").read_text().split()
    options = ["--download-only", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    command: list[object] = ["debootstrap", *options, debian.codename(), work / "debs", mirror]
    run(command, log=log_file("brokenimages"), timeout=DOWNLOAD_TIMEOUT)
    there = (tree / "var/lib/dpkg/status").read_text()
    for package in sorted((work / "debs/var/cache/apt/archives").glob("*.deb")):
        if f"Package: {package.name.partition('_')[0]}\n" not in there:
            files = work / "files.tar"
            run(["sh", "-c", 'dpkg-deb --fsys-tarfile "$0" > "$1"', package, files])
            # /bin and /lib are links into /usr here, and folders in some packages
            run(["tar", "-C", tree, "--keep-directory-symlink", "-xf", files])


def _compile(tree: Path, work: Path) -> None:
    """Build the programs: static Go, C with glibc and with musl, Java."""
    golang.build(SOURCES / "fail", ".", work / "fail", log_file("brokenimages-go"))
    _compile_c(work, "fail-glibc", "gnu.2.36", "fail.c")
    _compile_c(work, "fail-musl", "musl", "-dynamic", "fail.c")
    _compile_library(work)
    java = _java_home(tree)
    (tree / "tmp/App.java").write_bytes((SOURCES / "App.java").read_bytes())
    # without /proc the launcher cannot find its libraries
    words = ["chroot", tree, f"{java}/bin/java", *ECJ, *BATCH, "/tmp/App.java"]
    run(words, env={"LD_LIBRARY_PATH": f"{java}/lib"}, timeout=COMPILE_TIMEOUT)


def _compile_library(work: Path) -> None:
    """Build a program with a library of its own, and that library in an older version."""
    for version in ("PART_1", "PART_2"):
        script = work / f"{version}.map"
        script.write_text(f"{version} {{ global: part_work; local: *; }};\n")
        flags = ["-shared", "-fPIC", "-Wl,-soname,libpart.so.1", f"-Wl,--version-script={script}"]
        _compile_c(work, f"libpart-{version}.so", "gnu.2.36", *flags, "part.c")
    _compile_c(work, "linked", "gnu.2.36", "linked.c", str(work / "libpart-PART_2.so"))


def _compile_c(work: Path, name: str, abi: str, *words: str) -> None:
    target = f"{MACHINES[archive.architecture()]}-linux-{abi}"
    command: list[object] = [
        zig.program(),
        "cc",
        "-target",
        target,
        "-O1",
        "-s",
        "-o",
        work / name,
        *words,
    ]
    run(command, cwd=SOURCES, env=zig.caches(work / "zig"), timeout=COMPILE_TIMEOUT)


def _images(tree: Path, work: Path) -> Iterator[Image]:
    fail = {"app/fail": Entry(work / "fail"), **_oddities(work / "fail")}
    home = _home()
    user = {"User": f"{NONROOT}:{NONROOT}"}
    # with nothing at all, and with what a distroless image has
    yield _image("scratch", fail, ["/app/fail"])
    yield _image("static", {**fail, **home}, ["/app/fail"], **user)
    glibc = {**home, **_programs(tree, "/bin/true"), **_linked(work)}
    yield _image("glibc", {**glibc, "app/fail": Entry(work / "fail-glibc")}, ["/app/fail"])
    yield _image("musl", {**home, **_alpine(tree, work)}, ["/app/fail"])
    full = {**_full(tree), **fail}
    yield _image("full", full, ["bash"])
    yield _image("nginx", {**full, **_nginx(tree)}, ["nginx", "-g", "daemon off;"])
    yield _image("python", {**home, **_python(tree)}, ["python3"], **user)
    yield _image("node", {**home, **_node(tree)}, ["node"], **user)
    java = {**home, **_java(tree)}
    yield _image("java", java, ["java", "-cp", "/app", "App"], _java_home(tree), **user)


def _image(
    family: str, tree: Mapping[str, Entry], command: list[str], home: str = "", **config: str
) -> Image:
    path = f"{PATH}:/app:{home}/bin" if home else f"{PATH}:/app"
    tree = {**tree, "srv": Entry(), "srv/app.conf": Entry(b"of the image\n", 0o644)}
    settings = {"Entrypoint": command, "Env": [path], "WorkingDir": "/srv", **config}
    return Image([f"{PREFIX}/broken-{family}:1"], tree, settings)


def _oddities(program: Path) -> dict[str, Entry]:
    """Return files that cannot be used: by their mode, their machine or their interpreter."""
    foreign = bytearray(program.read_bytes())
    foreign[ELF_MACHINE] = NO_MACHINE
    script = b"echo started\n"
    return {
        "app/foreign": Entry(bytes(foreign)),
        "app/no-mode": Entry(b"#!/bin/sh\n" + script, 0o644),
        "app/no-interpreter": Entry(b"#!/usr/bin/ruby\n" + script),
        "app/crlf": Entry(b"#!/bin/sh\r\necho started\r\n"),
        "app/no-magic": Entry(script),
        "app/empty": Entry(b""),
        "app/private.key": Entry(b"of root alone\n", 0o600),
        "app/private": Entry(mode=0o700),
        "app/private/file": Entry(b"in a folder of root alone\n", 0o644),
        "app/dangling": Entry("/app/nowhere"),
        "app/loop": Entry("loop"),
    }


def _home() -> dict[str, Entry]:
    return {
        "etc/passwd": Entry(USERS, 0o644),
        "etc/group": Entry(b"root:x:0:\nnonroot:x:65532:\nnogroup:x:65534:\n", 0o644),
        "etc/nsswitch.conf": Entry(b"hosts: files dns\n", 0o644),
        "home/nonroot": Entry(mode=0o700, uid=NONROOT),
        "root": Entry(mode=0o700),
        "run": Entry(),
        "tmp": Entry(mode=0o1777),
        "var/log": Entry(),
    }


def _programs(tree: Path, *programs: str) -> dict[str, Entry]:
    """Return programs with their libraries, and the links of a merged /usr."""
    files = debian.with_libraries(tree, programs)
    entries = {path: Entry(file) for path, file in files.items()}
    return entries | {name: Entry(f"usr/{name}") for name in ("bin", "sbin", "lib", "lib64")}


def _folder(tree: Path, folder: str, leave_out: Sequence[str] = ()) -> dict[str, Entry]:
    """Return a folder of the tree with everything in it, except some names."""
    entries = {}
    for parent, folders, files in os.walk(tree / folder.lstrip("/")):
        folders[:] = [name for name in folders if name not in leave_out]
        for name in [*folders, *files]:
            path = Path(parent, name)
            if name not in leave_out:
                entries[str(path.relative_to(tree))] = _entry(path)
    return entries


def _entry(path: Path) -> Entry:
    if path.is_symlink():
        return Entry(os.readlink(path))
    mode = stat.S_IMODE(path.stat().st_mode)
    return Entry(None if path.is_dir() else path, mode)


def _linked(work: Path) -> dict[str, Entry]:
    """Return programs whose library is missing, or older, and one that becomes root."""
    old = work / "libpart-PART_1.so"
    return {
        "app/linked": Entry(work / "linked"),
        "app/asroot": Entry(work / "fail-glibc", 0o4755),
        "app/go": Entry(work / "fail"),
        "opt/old/libpart.so.1": Entry(old),
        "opt/new/libpart.so.1": Entry(work / "libpart-PART_2.so"),
    }


def _alpine(tree: Path, work: Path) -> dict[str, Entry]:
    """Return a program of musl, its loader and library, and busybox as the shell."""
    machine = MACHINES[archive.architecture()]
    applets = debian.chroot(tree, "/bin/busybox", "--list").split()
    library = f"lib/ld-musl-{machine}.so.1"
    return {
        **{f"bin/{applet}": Entry("busybox") for applet in applets},
        "bin/busybox": Entry(tree / "bin/busybox"),
        library: Entry(tree / f"usr/lib/{machine}-linux-musl/libc.so"),
        "app/fail": Entry(work / "fail-musl"),
        # linked with glibc, whose loader is not here
        "app/glibc": Entry(work / "fail-glibc"),
    }


def _full(tree: Path) -> dict[str, Entry]:
    tools = [f"/usr/bin/{tool}" for tool in (*TOOLS, "curl", "gawk", "nc.openbsd", "mkfifo")]
    tools += ["/usr/bin/flock", "/usr/bin/nohup", "/usr/bin/setpriv", "/usr/bin/prlimit"]
    entries = {**_home(), **_programs(tree, "/usr/bin/bash", *tools), "usr/sbin": Entry()}
    links = {"sh": "bash", "nc": "nc.openbsd", "awk": "gawk"}
    return entries | {f"usr/bin/{name}": Entry(program) for name, program in links.items()}


def _nginx(tree: Path) -> dict[str, Entry]:
    return {
        **_programs(tree, "/usr/sbin/nginx"),
        **_folder(tree, "/usr/share/nginx/html"),
        "etc/nginx/mime.types": Entry(tree / "etc/nginx/mime.types", 0o644),
        "etc/nginx/nginx.conf": Entry(NGINX, 0o644),
        "etc/nginx/conf.d/default.conf": Entry(SITE, 0o644),
        "var/log/nginx": Entry(),
        "var/lib/nginx": Entry(),
    }


def _python(tree: Path) -> dict[str, Entry]:
    library = _folder(tree, "/usr/lib/python3.11", ("test", "idlelib", "pydoc_data"))
    extensions = [f"/{path}" for path in library if path.endswith(".so")]
    return {
        **_programs(tree, "/usr/bin/python3.11", *extensions),
        **library,
        "usr/bin/python3": Entry("python3.11"),
    }


def _node(tree: Path) -> dict[str, Entry]:
    # Debian's node reads a part of its own library from here
    library = _folder(tree, "/usr/share/nodejs", ("@types",))
    return {**_programs(tree, "/usr/bin/node"), **library}


def _java_home(tree: Path) -> str:
    return f"/usr/lib/jvm/java-17-openjdk-{archive.architecture()}"


def _java(tree: Path) -> dict[str, Entry]:
    home = _java_home(tree)
    files = _folder(tree, home, ("legal", "man", "docs", "ct.sym"))
    libraries = [f"/{path}" for path in files if path.endswith(".so")]
    return {
        **_programs(tree, f"{home}/bin/java", *libraries),
        **_folder(tree, "/etc/java-17-openjdk"),
        **files,
        "app/App.class": Entry(tree / "tmp/app/App.class", 0o644),
    }
