"""Turn the flags and words of a verb, as Click read them, into one typed request."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from kubectl_scratch.cli.values import (
    check_image,
    check_name,
    check_ttl,
    parse_pairs,
    parse_pod,
    parse_target,
)
from kubectl_scratch.errors import InvalidRequest
from kubectl_scratch.kube.connection import Connection, check_container
from kubectl_scratch.kube.kinds import KIND_NAMES
from kubectl_scratch.request import (
    CopyOptions,
    DebugRequest,
    ModeOptions,
    SessionRequest,
    WhyRequest,
)
from kubectl_scratch.runtime.durations import parse_duration

Values = Mapping[str, Any]

DEFAULT_TTL = 300.0
# Without a lease nothing can prolong a copy's life.
DEFAULT_DEADLINE = 3600.0
# There is none in a check: only its lease is shown to the API server.
NO_SESSION = SessionRequest(ttl=DEFAULT_TTL, timeout=0.0, longest=0.0)
# Flags about the copy, the seed or a target that is held; a running pod takes no volume.
NEED_A_COPY = (
    *("--hold", "--hold-all", "--learn", "--command", "--arch", "--toolkit-file", "--copy-name"),
    *("--reason", "--same-node", "--keep-labels", "--keep-annotations", "--no-mesh"),
    *("--writable", "--skip-volume", "--skip-init", "--set-image", "--image-pull-secret"),
)


# ``why`` has no session and no debug container: only the app runs in the copy, when it is traced.
_NO_SESSION_FLAGS: Values = {
    **{"image": None, "profile": "auto", "custom": None, "env": (), "image_pull_policy": None},
    **{"image_pull_secret": (), "view": "app", "hold": True, "hold_all": False, "tty": False},
    **{"shell": None, "toolkit_file": (), "stdin": None, "longest": "8h"},
}


class DebugArguments(NamedTuple):
    """``debug``: ``dry_run`` is none, client or server, ``output`` the form of its manifests."""

    request: DebugRequest
    connection: Connection
    dry_run: str
    output: str | None
    quiet: bool


class WhyArguments(NamedTuple):
    """``why``: ``output`` None is text, to which ``verbose`` adds what the app did."""

    request: WhyRequest
    connection: Connection
    output: str | None
    verbose: bool
    quiet: bool


class AttachArguments(NamedTuple):
    """``attach``: ``view`` None is the one of the session that created the copy."""

    copy: str
    session: SessionRequest
    connection: Connection
    view: str | None
    quiet: bool


class CheckArguments(NamedTuple):
    """``check``: ``output`` None is a table."""

    request: DebugRequest
    connection: Connection
    output: str | None


class ListArguments(NamedTuple):
    """``ls``: ``output`` None is a table."""

    connection: Connection
    everywhere: bool
    output: str | None


class VersionArguments(NamedTuple):
    """``version``: with ``client`` neither kubectl nor the cluster is asked."""

    connection: Connection
    client: bool
    output: str | None


def parse_debug(values: Values, command: tuple[str, ...]) -> DebugArguments:
    """Return what ``debug`` is asked for; raises InvalidRequest."""
    refuse_extra(values, hint="pass a command after --")
    refuse_combinations(values)
    session = parse_session(values, command)
    request = parse_request(values, session)._replace(in_place=values["in_place"])
    if values["linger"] is not None:
        request = request._replace(linger=parse_duration(values["linger"], "--linger"))
    if values["ttl"] is not None:
        request = request._replace(deadline=min(session.ttl, DEFAULT_DEADLINE))
    return DebugArguments(
        request, parse_connection(values), values["dry_run"], values["output"], values["quiet"]
    )


def parse_why(values: Values, command: tuple[str, ...]) -> WhyArguments:
    """Return what ``why`` is asked for; raises InvalidRequest."""
    refuse_extra({**values, "extra": (*values["extra"], *command)})
    given = {**_NO_SESSION_FLAGS, **values}
    copy = parse_request(given, parse_session(given, ()))
    request = WhyRequest(
        copy._replace(
            mode=copy.mode._replace(traced=True),
            deadline=min(copy.session.ttl, DEFAULT_DEADLINE),
        ),
        parse_duration(values["seconds"], "--for"),
    )
    return WhyArguments(
        request, parse_connection(values), values["output"], values["verbose"], values["quiet"]
    )


def parse_attach(values: Values, command: tuple[str, ...]) -> AttachArguments:
    """Return what ``attach`` is asked for; raises InvalidRequest."""
    refuse_extra(values, hint="pass a command after --")
    session = parse_session(values, command)
    copy = parse_pod(values["copy"])
    return AttachArguments(copy, session, parse_connection(values), values["view"], values["quiet"])


def parse_check(values: Values) -> CheckArguments:
    """Return what ``check`` is asked for; raises InvalidRequest."""
    refuse_extra(values)
    request = parse_request(values, NO_SESSION)
    return CheckArguments(request, parse_connection(values), values["output"])


def parse_ls(values: Values) -> ListArguments:
    """Return what ``ls`` is asked for; raises InvalidRequest."""
    refuse_extra(values)
    return ListArguments(parse_connection(values), values["all_namespaces"], values["output"])


def parse_version(values: Values) -> VersionArguments:
    """Return what ``version`` is asked for; raises InvalidRequest."""
    return VersionArguments(parse_connection(values), values["client"], values["output"])


def refuse_extra(values: Values, hint: str = "") -> None:
    """Raise InvalidRequest for an unexpected argument."""
    if not values["extra"]:
        return
    named, extra = values.get("target") or values.get("copy") or "", values["extra"][0]
    # As kubectl get has it; its debug, exec and logs do not.
    if named.lower().partition(".")[0] in KIND_NAMES:
        hint = f"did you mean {named}/{extra}?"
    raise InvalidRequest(f"unexpected argument {extra!r}", hint)


def refuse_combinations(values: Values) -> None:
    """Raise InvalidRequest for flags of ``debug`` that do not fit together."""
    in_place = values["in_place"]
    of_a_copy = {
        "--view app": values["view"] == "app",
        "--no-share-processes": not values["share_processes"],
        "--resources none": values["resources"] == "none",
        "-o": values["output"] is not None,
        "--ttl": values["ttl"] is not None,
        **{flag: values[flag.removeprefix("--").replace("-", "_")] for flag in NEED_A_COPY},
    }
    printed = "use --dry-run=client to print the manifests"
    refused = (
        (values["output"] and values["dry_run"] == "none", "-o needs --dry-run", printed),
        (values["linger"] is not None and not in_place, "--linger needs --in-place", ""),
        *(
            (in_place and given, f"{flag} needs a copy and cannot be combined with --in-place", "")
            for flag, given in of_a_copy.items()
        ),
    )
    for given, problem, hint in refused:
        if given:
            raise InvalidRequest(problem, hint)


def parse_session(values: Values, command: tuple[str, ...]) -> SessionRequest:
    """Return the session that the flags ask for; raises InvalidRequest."""
    ttl = values["ttl"]
    session = SessionRequest(
        ttl=DEFAULT_TTL if ttl is None else parse_duration(ttl, "--ttl"),
        timeout=parse_duration(values["timeout"], "--timeout"),
        longest=parse_duration(values["longest"], "--max"),
        command=command,
        tty=values["tty"],
        transport=values["transport"],
        shell=values["shell"],
        toolkit_files=values["toolkit_file"],
        stdin=values["stdin"],
    )
    check_ttl(session.ttl)
    if session.shell == "":
        raise InvalidRequest("--shell needs the name of a shell")
    if session.shell is not None and command:
        raise InvalidRequest("--shell cannot be combined with a command")
    if session.stdin is False and not command:
        raise InvalidRequest(
            "a shell needs stdin", "pass a command after --, or omit --stdin=false"
        )
    if session.toolkit_files:
        from kubectl_scratch.toolkit import archive

        # Each file of a folder, before anything is created.
        for path in session.toolkit_files:
            archive.user_entries(path)
    return session


def parse_request(values: Values, session: SessionRequest) -> DebugRequest:
    """Return what the flags that debug and check share ask for; raises InvalidRequest."""
    named, file = values["target"], values["filename"]
    if named is None and file is None:
        raise InvalidRequest("TARGET is missing", "name a pod or KIND/NAME, or use -f FILE")
    if named is not None and file is not None:
        raise InvalidRequest("TARGET and -f cannot be combined")
    if file == values["custom"] == "-":
        raise InvalidRequest("-f and --custom cannot both be read from stdin")
    request = DebugRequest(
        target=None if named is None else parse_target(named),
        container=values["container"],
        image=values["image"],
        deadline=DEFAULT_DEADLINE,
        session=session,
        file=file,
        profile=values["profile"],
        custom=read_custom(values["custom"]),
        options=parse_copy_options(values),
        mode=parse_mode(values),
    )
    check_container(request.container)
    if request.image is not None:
        check_image(request.image)
    return request


def parse_mode(values: Values) -> ModeOptions:
    """Return what the flags say of view and hold; raises InvalidRequest."""
    hold_all, hold = values["hold_all"], values["hold"]
    if hold_all and hold is False:
        raise InvalidRequest(
            "--hold-all also holds the target and cannot be combined with --no-hold"
        )
    return ModeOptions(
        view=values["view"],
        hold=True if hold_all else hold,
        hold_all=hold_all,
        command=split_words(values["command"]),
        learn=values["learn"],
        arch=values["arch"],
    )


def split_words(text: str | None) -> tuple[str, ...]:
    """Return the words of --command as a shell splits them; raises InvalidRequest."""
    if text is None:
        return ()
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise InvalidRequest("--command cannot be split into words", str(error).lower()) from error
    if not words:
        raise InvalidRequest("--command is empty")
    return words


def parse_copy_options(values: Values) -> CopyOptions:
    """Return what the flags say of the copy; raises InvalidRequest."""
    if values["copy_name"] is not None:
        check_name(values["copy_name"], "--copy-name")
    images = parse_pairs(tuple(_parts(values["set_image"])), "--set-image")
    for _, image in images:
        check_image(image)
    env = parse_pairs(values["env"], "--env")
    for name, _ in env:
        if not re.fullmatch(r"[-._A-Za-z][-._A-Za-z0-9]*", name):
            raise InvalidRequest(f"--env {name!r} is not a valid variable name")
    return CopyOptions(
        name=values["copy_name"],
        reason=values["reason"],
        same_node=values["same_node"],
        keep_labels=values["keep_labels"],
        keep_annotations=values["keep_annotations"],
        keep_mesh=not values["no_mesh"],
        share_processes=values["share_processes"],
        resources=values["resources"],
        writable=frozenset(_parts(values["writable"])),
        skip_volumes=frozenset(_parts(values["skip_volume"])),
        skip_init=frozenset(_parts(values["skip_init"])),
        images=images,
        env=env,
        pull_policy=values["image_pull_policy"],
        pull_secrets=tuple(_parts(values["image_pull_secret"])),
    )


def _parts(given: tuple[str, ...]) -> list[str]:
    """Return the words of a flag that may be repeated, and may have several with commas."""
    return [part for text in given for part in text.split(",") if part]


def read_custom(path: str | None) -> dict[str, Any] | None:
    """Return the partial container of --custom FILE; raises InvalidRequest."""
    if path is None:
        return None
    from kubectl_scratch.kube.yaml_files import read_objects

    return read_objects(path)[0]


def parse_connection(values: Values) -> Connection:
    """Return the connection flags; raises InvalidRequest."""
    given = {name: values[name] for name in Connection._fields}
    timeout = values["request_timeout"]
    # As for kubectl, zero is no limit.
    unlimited = re.fullmatch(r"0+(h|m|s|ms)?", timeout)
    given["request_timeout"] = None if unlimited else parse_duration(timeout, "--request-timeout")
    return Connection(**given)
