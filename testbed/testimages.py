"""Make the images that tests run: applications with and without a shell, toolkits, a registry."""

import json
from collections.abc import Mapping
from pathlib import Path

from testbed import archive, debian, golang
from testbed.archive import Entry, Image
from testbed.cache import HERE, Artifact, log_file
from testbed.proc import Steps

PREFIX = "docker.io/scratch-testbed"
HTTP, CRASH, ARGS = f"{PREFIX}/http:1", f"{PREFIX}/crash:1", f"{PREFIX}/args:1"
BASH, REGISTRY = f"{PREFIX}/bash:1", f"{PREFIX}/registry:1"
FOREIGN = f"{PREFIX}/foreign:1"
# the product's default toolkit image; what is in it here is Debian's busybox-static
BUSYBOX = "docker.io/library/busybox:1.37.0"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
APP_USER = 1000
TERMINALS = ("xterm", "xterm-256color", "tmux", "tmux-256color", "screen", "linux", "dumb")
# coreutils and procps that a person at a shell expects; top is the full-screen program of the tests
TOOLS = (
    *(
        "basename",
        "cat",
        "chmod",
        "chown",
        "cp",
        "cut",
        "date",
        "dd",
        "df",
        "dirname",
        "du",
        "echo",
    ),
    *("env", "expr", "false", "find", "free", "grep", "head", "id", "kill", "ln", "ls", "md5sum"),
    *("mkdir", "mknod", "mv", "nl", "od", "pgrep", "pkill", "printenv", "ps", "pwd", "readlink"),
    *("realpath", "rm", "rmdir", "sed", "seq", "sha256sum", "sleep", "sort", "stat", "stty"),
    *("tail", "tee", "test", "timeout", "top", "touch", "tr", "true", "tty", "uname", "uniq"),
    *("uptime", "w", "wc", "whoami", "xargs", "yes"),
)
PASSWD = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
# where an ELF file names its machine, and one that no kernel of today runs or emulates: Itanium
ELF_MACHINE, NO_MACHINE = slice(18, 20), b"\x32\x00"


def test_images() -> Artifact:
    """Return all the images in one docker-archive, as `images.tar`, and their names."""
    words = [BUSYBOX, PREFIX, archive.architecture(), debian.base().key]
    sources = [HERE / "images", HERE / "archive.py", HERE / "golang.py", Path(__file__)]
    return Artifact("images", words, sources, _build)


def app_images() -> Artifact:
    """Return those images that need no Debian, for a docker that can pull the others."""
    words = [PREFIX, archive.architecture()]
    sources = [HERE / "images", HERE / "archive.py", HERE / "golang.py", Path(__file__)]
    return Artifact("appimages", words, sources, _build_apps)


def _build(target: Path, steps: Steps) -> None:
    tree = target.parent / "tree"
    debian.unpack_base(tree, steps)
    with steps.step("the test images"):
        busybox, full = _busybox_tree(tree), _debian_tree(tree)
        images = [
            *_apps(target.parent),
            Image([BUSYBOX], busybox, {"Env": [PATH], "Cmd": ["sh"]}),
            Image([BASH], full, {"Env": [PATH], "Cmd": ["bash"]}),
            *_matrix_images("busybox", target.parent / "app", busybox),
            *_matrix_images("full", target.parent / "app", full),
        ]
        _write(target, images)


def _build_apps(target: Path, steps: Steps) -> None:
    with steps.step("the test images"):
        _write(target, _apps(target.parent))


def _write(target: Path, images: list[Image]) -> None:
    archive.write_archive(target / "images.tar", images)
    names = [name for image in images for name in image.names]
    (target / "names.json").write_text(json.dumps(names))


def _apps(work: Path) -> list[Image]:
    app = work / "app"
    golang.build(HERE / "images" / "app", ".", app, log_file("app-build"))
    http_tree = {"srv/motd": Entry(b"a file of the image\n", 0o644), "tmp": Entry(mode=0o1777)}
    http_config = {
        "Env": ["PATH=/app", "GREETING=hello-from-the-image"],
        "WorkingDir": "/srv",
        "ExposedPorts": {"8080/tcp": {}},
    }
    user = {"User": f"{APP_USER}:{APP_USER}"}
    return [
        _app(app, HTTP, "http", {**http_config, **user}, http_tree),
        _app(app, CRASH, "crash", user, {}),
        _app(app, ARGS, "args", {}, {"tmp": Entry(mode=0o1777)}),
        _app(app, REGISTRY, "registry", {}, {}),
        *_matrix_images("scratch", app, {}),
        *_matrix_images("distroless", app, _distroless_tree()),
        _foreign(app),
    ]


def _app(
    app: Path, image: str, name: str, config: Mapping[str, object], tree: Mapping[str, Entry]
) -> Image:
    """Return an image from scratch that holds the app under one of its names, and no shell."""
    tree = {**tree, f"app/{name}": Entry(app)}
    return Image([image], tree, {"Entrypoint": [f"/app/{name}"], **config})


def _matrix_images(base: str, app: Path, tree: Mapping[str, Entry]) -> list[Image]:
    """Return images on a base: for root, for another user, and one that lacks its program."""
    with_app = {**tree, "app/args": Entry(app), "srv/motd": Entry(b"a file of the image\n", 0o644)}
    config = {
        "Entrypoint": ["/app/args"],
        "Env": [PATH, "GREETING=hello-from-the-image"],
        "WorkingDir": "/srv",
    }
    name = f"{PREFIX}/app-{base}"
    return [
        Image([f"{name}:root"], with_app, config),
        Image([f"{name}:nonroot"], with_app, {**config, "User": f"{APP_USER}:{APP_USER}"}),
        Image([f"{name}:empty"], {**tree, "srv": Entry()}, config),
    ]


def _distroless_tree() -> dict[str, Entry]:
    """Return what programs ask for that are linked statically: users, certificates, time zones."""
    return {
        **_home(),
        "etc/nsswitch.conf": Entry(b"hosts: files dns\n", 0o644),
        "etc/os-release": Entry(b'PRETTY_NAME="Distroless"\n', 0o644),
        "etc/ssl/certs/ca-certificates.crt": Entry(b"# none: nothing here uses TLS\n", 0o644),
        "usr/share/zoneinfo": Entry(),
    }


def _foreign(app: Path) -> Image:
    """Return a toolkit image whose programs are for no machine that a node could be."""
    program = bytearray(app.read_bytes())
    program[ELF_MACHINE] = NO_MACHINE
    tree = {f"bin/{name}": Entry(bytes(program)) for name in ("sh", "sleep", "true")}
    return Image([FOREIGN], tree, {"Env": [PATH]})


def _busybox_tree(tree: Path) -> dict[str, Entry]:
    busybox = tree / "bin/busybox"
    entries = {f"bin/{applet}": Entry("busybox") for applet in _applets(tree)}
    entries["bin/busybox"] = Entry(busybox)
    return entries | _home()


def _applets(tree: Path) -> list[str]:
    listed = debian.chroot(tree, "/bin/busybox", "--list").split()
    return [applet for applet in listed if applet != "busybox"]


def _home() -> dict[str, Entry]:
    return {
        "etc/passwd": Entry(PASSWD, 0o644),
        "etc/group": Entry(b"root:x:0:\nnogroup:x:65534:\n", 0o644),
        "root": Entry(mode=0o700),
        "tmp": Entry(mode=0o1777),
    }


def _debian_tree(tree: Path) -> dict[str, Entry]:
    """Return what is cut out of Debian: bash, core tools, top and vi, with their libraries."""
    tools = [f"/usr/bin/{tool}" for tool in TOOLS]
    files = debian.with_libraries(tree, ["/usr/bin/bash", "/usr/bin/vim.tiny", *tools])
    entries = {path: Entry(file) for path, file in files.items()}
    entries |= {name: Entry(f"usr/{name}") for name in ("bin", "sbin", "lib", "lib64")}
    entries |= {f"usr/bin/{link}": Entry("vim.tiny") for link in ("vi", "vim")}
    entries |= {"usr/bin/sh": Entry("bash"), "usr/sbin": Entry(), **_home()}
    for terminal in TERMINALS:
        name = f"lib/terminfo/{terminal[0]}/{terminal}"
        entries[f"usr/{name}"] = Entry(tree / name, 0o644)
    return entries
