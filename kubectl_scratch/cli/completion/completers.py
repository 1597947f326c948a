"""Complete a half-typed word; modules for the cluster are imported only if it is asked.

Callbacks of Click's ``shell_complete``. They may raise what a request raises: the caller ignores
it, because completion reports no errors.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from kubectl_scratch.kube.kinds import KIND_NAMES, KINDS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from kubectl_scratch.kube.client import Client
    from kubectl_scratch.kube.objects import Json

# Seconds that a person waits at a half-typed line.
PATIENCE = 5.0


def complete_nothing(
    ctx: click.Context, param: click.Parameter, typed: str
) -> list[CompletionItem]:
    """Return no candidate."""
    return []


def complete_files(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Let the shell complete file names."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(typed, type="file")]


def complete_pods(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Return the namespace's pods, without copies, with their states."""
    return _pods(ctx, typed, "!=")


# A pod's name needs no kind, and Deployments have replaced ReplicationControllers.
WORKLOADS = sorted(f"{kind}/" for kind in KINDS.keys() - {"pod", "replicationcontroller"})


def complete_targets(
    ctx: click.Context, param: click.Parameter, typed: str
) -> list[CompletionItem]:
    """Return pods and kinds of workloads, or after a kind its objects."""
    kind = KIND_NAMES.get(typed.partition("/")[0], "pod")
    if "/" not in typed:
        return [
            *_matching(typed, ((kind, "") for kind in WORKLOADS)),
            *complete_pods(ctx, param, typed),
        ]
    return complete_pods(ctx, param, typed) if kind == "pod" else _workloads(ctx, kind, typed)


def _workloads(ctx: click.Context, kind: str, typed: str) -> list[CompletionItem]:
    from kubectl_scratch.kube import paths

    connected, where = _connect(ctx), KINDS[kind]
    rows = _rows(connected.table(paths.objects(where.root, connected.namespace, where.plural)))
    prefix = typed.partition("/")[0]
    return _matching(typed, ((f"{prefix}/{found}", state) for found, state in rows))


def complete_copies(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Return the namespace's copies, with their states."""
    return _pods(ctx, typed, "=")


def complete_containers(
    ctx: click.Context, param: click.Parameter, typed: str
) -> list[CompletionItem]:
    """Return the containers of the typed target, with their images."""
    from kubectl_scratch.cli.values import parse_target
    from kubectl_scratch.kube import paths
    from kubectl_scratch.kube.objects import containers, init_containers
    from kubectl_scratch.lookup.pod_template import pod_of

    # While the value of a flag is missing, Click keeps the other words here.
    typed_target = parse_target(ctx.params["target"] or next(iter(ctx.args)))
    where = KINDS[typed_target.kind]
    connected = _connect(ctx)
    path = paths.objects(where.root, connected.namespace, where.plural, typed_target.name)
    found = connected.get(path).body
    pod = found if typed_target.kind == "pod" else pod_of(found, connected.namespace)
    if pod is None:
        return []
    named = [*containers(pod), *init_containers(pod)]
    return _matching(typed, ((c["name"], c.get("image", "")) for c in named))


def complete_namespaces(
    ctx: click.Context, param: click.Parameter, typed: str
) -> list[CompletionItem]:
    """Return the cluster's namespaces."""
    from kubectl_scratch.kube import paths

    return _matching(typed, _rows(_connect(ctx).table(paths.namespaces())))


def complete_contexts(
    ctx: click.Context, param: click.Parameter, typed: str
) -> list[CompletionItem]:
    """Return the kubeconfig's contexts."""
    return _configured(ctx, "contexts", typed)


def complete_clusters(
    ctx: click.Context, param: click.Parameter, typed: str
) -> list[CompletionItem]:
    """Return the kubeconfig's clusters."""
    return _configured(ctx, "clusters", typed)


def complete_users(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Return the kubeconfig's users."""
    return _configured(ctx, "users", typed)


def _pods(ctx: click.Context, typed: str, equal: str) -> list[CompletionItem]:
    """Return pods by our label; ``equal`` is "=" or "!="."""
    from kubectl_scratch.kube import paths
    from kubectl_scratch.plan.metadata import MANAGED_BY, MANAGER

    ours = f"{MANAGED_BY}{equal}{MANAGER}"
    connected = _connect(ctx)
    kind, slash, _ = typed.rpartition("/")
    rows = _rows(connected.table(paths.pods(connected.namespace), labelSelector=ours))
    return _matching(typed, ((f"{kind}{slash}{pod}", state) for pod, state in rows))


def _configured(ctx: click.Context, kind: str, typed: str) -> list[CompletionItem]:
    from kubectl_scratch.cli.parse import parse_connection
    from kubectl_scratch.kube.kubeconfig import read_config

    config = read_config(parse_connection(ctx.params), os.environ)
    return _matching(typed, ((item["name"], "") for item in config[kind]))


def _connect(ctx: click.Context) -> Client:
    from kubectl_scratch.cli.parse import parse_connection
    from kubectl_scratch.kube.access import read_access
    from kubectl_scratch.kube.client import Client

    connection = parse_connection(ctx.params)
    timeout = connection.request_timeout or PATIENCE
    return Client(read_access(connection, os.environ), timeout, login_timeout=PATIENCE)


def _rows(table: Json) -> Iterable[tuple[str, str]]:
    """Return names and states of a Table, or only names if the server has no Tables."""
    from kubectl_scratch.kube.objects import name

    if table.get("kind") != "Table":
        return [(name(item), "") for item in table.get("items") or []]
    titles = [str(column["name"]) for column in table["columnDefinitions"]]
    at, state = titles.index("Name"), titles.index("Status") if "Status" in titles else None
    rows: list[list[Any]] = [row["cells"] for row in table.get("rows") or []]
    return [(row[at], "" if state is None else row[state]) for row in rows]


def _matching(typed: str, found: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(value, help=text) for value, text in found if value.startswith(typed)]
