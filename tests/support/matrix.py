"""The matrix: apps, images, users and policies, the pod of each cell, and the table of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tests.support.manifests import Json, a_pod, app_image
from tests.support.pairs import Row, pairwise

ARBITRARY_UID, IMAGE_UID = 12345, 1000
PROGRAM = "/app/args"
WRONG = "/app/wrong"
NO_BINARY = "the image's command is unknown: stat /app/args: no such file or directory"


@dataclass(frozen=True)
class App:
    """How an app behaves: its arguments, and the code that ``run-app`` ends with.

    ``why`` is what ``run-app`` says if it cannot start the app. ``blocks`` is one that says
    "ready" and then ends by ^C only, ``loops`` one that Kubernetes starts again and again.
    """

    args: tuple[str, ...]
    code: int
    why: str = ""
    blocks: bool = False
    loops: bool = True


# 127 is a shell's code for a command that is not there, 128+n its code for signal n.
APPS = {
    "healthy": App(("print=ready", "sleep=1h"), 0, blocks=True, loops=False),
    "crashes at once": App(("exit=3",), 3),
    "crashes after 5 s": App(("sleep=5s", "exit=3"), 3),
    "hangs": App(("print=ready", "hang"), 130, blocks=True, loops=False),
    "OOM-killed": App(("oom",), 137),
    "missing file": App(("file=/etc/app/config",), 1),
    "wrong command": App((), 127, f"{WRONG}: no such file"),
    "image without the binary": App((), 1, NO_BINARY),
    "init container fails": App(("exit=4",), 4),
}
LEVELS = ("privileged", "baseline", "restricted")
AXES = (
    tuple(APPS),
    ("scratch", "distroless", "busybox", "full"),
    ("root", "non-root", "arbitrary UID"),
    LEVELS,
    ("writable", "read-only"),
    ("spec", "image"),
)


@dataclass(frozen=True)
class Cell:
    """One combination; ``command`` is where the app's command stands."""

    number: int
    app: str
    image: str
    user: str
    level: str
    root: str
    command: str

    @property
    def name(self) -> str:
        """Return the name of its source pod."""
        return f"cell-{self.number:02}"

    @property
    def uid(self) -> int:
        """Return the user that the app runs as."""
        return {"root": 0, "non-root": IMAGE_UID}.get(self.user, ARBITRARY_UID)

    @property
    def target(self) -> str:
        """Return the container that is looked into."""
        return "setup" if self.app == "init container fails" else "app"

    @property
    def flags(self) -> tuple[str, ...]:
        """Return what is asked for beside the pod's name."""
        # Of an app that starts again and again anyway the command is learned without a word.
        unknown = self.command == "image" and not APPS[self.app].loops
        return ("--learn",) if unknown else ()

    @property
    def refused(self) -> bool:
        """Say whether the namespace takes no pod such as this one."""
        return self.level == "restricted" and self.user == "root"

    def __str__(self) -> str:
        """Return it in words, for a test's name."""
        words = (self.app, self.image, self.user, self.level, self.root, self.command)
        return ",".join(words).replace(" ", "-")


@cache
def cells() -> tuple[Cell, ...]:
    """Return every pair of values in some cell, and what a policy refuses once for each image."""
    refused = [
        (app, image, "root", "restricted", "writable", "spec")
        for app, image in zip(tuple(APPS)[:4], AXES[1], strict=True)
    ]
    rows = [*pairwise(AXES, _is_possible), *refused]
    return tuple(Cell(number, *row) for number, row in enumerate(sorted(rows, key=_place)))


def _is_possible(row: Row) -> bool:
    """Say whether a combination exists, and is not refused: that would hide the others in it."""
    app, _, user, level, _, command = row
    commands = {"wrong command": "spec", "image without the binary": "image"}
    return commands.get(app, command) == command and (user, level) != ("root", "restricted")


def _place(row: Row) -> list[int]:
    return [axis.index(value) for axis, value in zip(AXES, row, strict=True)]


def source_of(cell: Cell) -> Json:
    """Return the pod of a cell."""
    pod = a_pod(cell.name, automountServiceAccountToken=False, terminationGracePeriodSeconds=1)
    target = _container(cell)
    if cell.target == "setup":
        app = {**target, "name": "app", "args": list(APPS["healthy"].args)}
        pod["spec"].update(initContainers=[target], containers=[app])
    else:
        pod["spec"]["containers"] = [target]
    return pod


def _container(cell: Cell) -> Json:
    container: Json = {
        "name": cell.target,
        "image": app_image(cell.image, _variant(cell)),
        "args": list(APPS[cell.app].args),
        "securityContext": _security(cell),
    }
    if cell.command == "spec":
        container["command"] = [WRONG if cell.app == "wrong command" else PROGRAM]
    if cell.app == "hangs":
        container["readinessProbe"] = {"tcpSocket": {"port": 8080}}
    if cell.app == "OOM-killed":
        container["resources"] = {"limits": {"memory": "32Mi"}}
    return container


def _variant(cell: Cell) -> str:
    if cell.app == "image without the binary":
        return "empty"
    return "nonroot" if cell.user == "non-root" else "root"


def _security(cell: Cell) -> Json:
    """Return a container's securityContext; a user is in it if the image does not name it."""
    says_user = cell.user == "arbitrary UID" or _variant(cell) == "empty"
    hardened = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
        **({"runAsNonRoot": True} if cell.user != "root" else {}),
    }
    return {
        **(hardened if cell.level == "restricted" else {}),
        **({"runAsUser": cell.uid} if says_user else {}),
        "readOnlyRootFilesystem": cell.root == "read-only",
    }
