"""One broken pod whose cause is known: what the corpus of ``why`` is made of.

**To add a case**, add a ``Case`` to the ``CASES`` of ``second_half`` (several modules may make it
up). It needs to be named nowhere else: ``test_why`` takes what is there.

- ``name`` is that of the pod, or of the Deployment (see ``target``): a DNS label of at most 40
  characters that no other case has.
- ``kind`` is the id of the one right answer. Two ids only if a person who knows the cause would
  accept either.
- ``says``: words that the first cause must have in its sentence, evidence or remedy, whatever the
  case of their letters. Take what a reader needs to repair it: the path, the port, the name of the
  ConfigMap, the key that is nearly right. No phrase and no error's name: the wording is free.
- ``objects`` returns the manifests, the pod or the Deployment first: make them with ``app`` and its
  neighbours below. What it needs is applied before it; all is deleted afterwards.
- ``restricted``: the namespace enforces PodSecurity ``restricted``; give the pod
  ``securityContext=hardened()``.
- ``target``: what is asked about, if that is not the pod.
- ``until``: when to ask. ``failing`` (a container has ended or cannot be started, or the pod cannot
  be scheduled), ``running`` (it is up: a hang, a healthy pod), or the reason of a Warning event.
- ``seconds``: the longest time that the app is run for.

**The rules of the corpus.** The app says nothing of the cause in its log, unless the runtime, the
loader or the interpreter does so by itself. Each case must really fail as it says: apply it, look
at ``kubectl describe`` and at what the app did, and change it until it does. Vary the family of the
app, its user, and whether the command is the image's or the pod's. testbed/README.md lists the
images: they need no change for most kinds.

A healthy pod has the kind ``runs``, and ``until="running"``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.support.manifests import HARDENED, Json, a_pod

PREFIX = "docker.io/scratch-testbed/broken-"


class Case(NamedTuple):
    """A pod, and what is to be answered about it."""

    name: str
    kind: str | tuple[str, ...]
    says: tuple[str, ...]
    objects: Callable[[], list[Json]]
    restricted: bool = False
    target: str | None = None
    until: str = "failing"
    seconds: int = 10

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the ids that are right."""
        return (self.kind,) if isinstance(self.kind, str) else self.kind

    @property
    def family(self) -> str:
        """Return what the app is made of: the family of its image, or none for another image."""
        owner = self.objects()[0]
        template = owner["spec"].get("template", owner)
        image: str = template["spec"]["containers"][0]["image"]
        is_ours = image.startswith(PREFIX)
        return image.removeprefix(PREFIX).partition(":")[0] if is_ours else "none"


def broken_image(family: str) -> str:
    """Return the image of a family of apps."""
    return f"{PREFIX}{family}:1"


def app(name: str, family: str, *args: str, **fields: Any) -> Json:
    """Return a pod of one container, ``app``; ``fields`` are the container's or the pod's."""
    if args:
        fields["args"] = list(args)
    return a_pod(name, broken_image(family), labels={"app": name}, **fields)


def script(name: str, text: str, family: str = "full", **fields: Any) -> Json:
    """Return a pod that runs a text in a shell."""
    command = ["/bin/sh", "-c", textwrap.dedent(text)]
    return app(name, family, **fields, command=command)


def silent_python(code: str) -> tuple[str, str]:
    """Return arguments of python3 for code that exits with 1, without a word, if it fails."""
    body = textwrap.indent(textwrap.dedent(code).strip(), "    ")
    return "-c", f"import sys\ntry:\n{body}\nexcept Exception:\n    sys.exit(1)\n"


def silent_node(code: str) -> tuple[str, str]:
    """Return arguments of node for code that exits with 1, without a word, if it fails."""
    return "-e", f"process.on('uncaughtException', () => process.exit(1));\n{textwrap.dedent(code)}"


def hardened(user: int = 65532, **changes: Any) -> Json:
    """Return the securityContext that PodSecurity restricted wants."""
    return {**HARDENED, "runAsUser": user, **changes}


def mounted(**volumes: tuple[str, Json]) -> dict[str, Any]:
    """Return the fields of volumes, by name: where each is mounted, and its source."""
    return {
        "volumeMounts": [{"name": name, "mountPath": path} for name, (path, _) in volumes.items()],
        "volumes": [{"name": name, **source} for name, (_, source) in volumes.items()],
    }


def beside(pod: Json, name: str, family: str, *args: str, **fields: Any) -> Json:
    """Return the pod with a second container."""
    other = {"name": name, "image": broken_image(family), "args": list(args), **fields}
    spec = {**pod["spec"], "containers": [*pod["spec"]["containers"], other]}
    return {**pod, "spec": spec}


def config_map(name: str, data: dict[str, str]) -> Json:
    """Return a ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, data: dict[str, str]) -> Json:
    """Return a Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def service(name: str, port: int, to: str, target: int | None = None) -> Json:
    """Return a Service for pods of a label ``app``."""
    ports = [{"port": port, "targetPort": target or port}]
    spec = {"selector": {"app": to}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def deployment(pod: Json, **spec: Any) -> Json:
    """Return a Deployment of one replica of a pod."""
    labels = pod["metadata"]["labels"]
    template = {"metadata": {"labels": labels}, "spec": pod["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": pod["metadata"]["name"]},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }
