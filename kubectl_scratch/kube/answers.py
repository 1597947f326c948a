"""An API server's answer: parsed, and of the shape that the rest of the program relies on.

A proxy may answer in its place, and a cluster may be hostile: what comes out of here is an
object, or a list of objects, of the kind that was asked for, or else a ClusterError.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from kubectl_scratch.errors import ClusterError
from kubectl_scratch.kube.kinds import BUDGET, CLAIM, KINDS, POLICY
from kubectl_scratch.kube.objects import Json

# A Kubernetes object is nested twenty levels deep; Python's own limits are at some hundred.
MOST_NESTED = 100
# What a clock may be wrong by; a Date beyond it is nobody's time.
CLOCK_SKEW = timedelta(days=3660)
TEXT_LENGTH = 200
NOT_KUBERNETES, REDIRECTED = "NotKubernetes", "Redirected"


def body_of(status: int, data: bytes, action: str, location: str | None = None) -> Json:
    """Return the JSON object of an answer; raises ClusterError for a refusal and for nonsense.

    Status 0 is an answer of which nobody can tell what it stands for.
    """
    if 300 <= status < 400:
        raise ClusterError(0, REDIRECTED, redirection(status, location))
    body = parsed(data)
    if not isinstance(body, dict):
        raise nonsense(status, data, action)
    if status >= 400:
        raise refusal(status, body)
    if status < 200:
        raise nonsense(status, data, action)
    return body


def refusal(status: int, body: Json) -> ClusterError:
    """Return the error that a Status stands for, as far as it is one."""
    details = body.get("details")
    kind = _text(details.get("kind")) if isinstance(details, dict) else ""
    message = _text(body.get("message")) or f"HTTP {status}"
    return ClusterError(status, _text(body.get("reason")) or str(status), message, kind)


def parsed(data: bytes | str) -> object:
    """Return JSON as Python's values; None for what is no JSON, or nested beyond reason."""
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return None if _is_too_deep(value) else value


def _is_too_deep(value: object) -> bool:
    level: list[Any] = [value]
    for _ in range(MOST_NESTED):
        inner: list[Any] = []
        for outer in level:
            if isinstance(outer, dict):
                inner += outer.values()
            elif isinstance(outer, list):
                inner += outer
        if not inner:
            return False
        level = inner
    return True


def nonsense(status: int, data: bytes, action: str) -> ClusterError:
    """Return the error of an answer that is none of a Kubernetes API server."""
    text = data[:TEXT_LENGTH].decode(errors="replace").strip()
    return ClusterError(0, NOT_KUBERNETES, f"HTTP {status} to {action}: {text}")


def redirection(status: int, location: str | None) -> str:
    """Return what to say of a redirect; of where to, only the host: the rest may be a secret."""
    try:
        url = urlsplit(location or "")
        host = f" to {url.scheme}://{url.hostname}" if url.scheme and url.hostname else ""
    except ValueError:
        host = ""
    why = "redirects are not followed, because they would receive the credentials"
    return f"HTTP {status}: redirected{host}; {why}"


def time_of(date: str | None) -> datetime:
    """Return the moment that a Date header names; this machine's time if it names none."""
    now = datetime.now(timezone.utc)
    try:
        found = parsedate_to_datetime(date or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        # No API server leaves it out; a proxy may.
        return now
    found = found if found.tzinfo else found.replace(tzinfo=timezone.utc)
    return found if abs(found - now) < CLOCK_SKEW else now


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


# Shapes: a type; a check; a list of one shape; or the fields of an object, each of which may be
# missing or null unless its name ends with "!". "*" are all the others.
Shape = Any


def fits(value: object, shape: Shape) -> bool:
    """Say whether a value has a shape."""
    if isinstance(shape, type):
        # To Python a truth is a number.
        return isinstance(value, shape) and not (shape is int and isinstance(value, bool))
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(item, shape[0]) for item in value)
    if not isinstance(shape, dict):
        return bool(shape(value))
    if not isinstance(value, dict):
        return False
    if any(field.endswith("!") and value.get(field[:-1]) is None for field in shape):
        return False
    named = {field.removesuffix("!"): inner for field, inner in shape.items()}
    others = named.pop("*", None)
    return all(
        item is None or wanted is None or fits(item, wanted)
        for name, item in value.items()
        for wanted in [named.get(name, others)]
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable() and value != ""


_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})Z")


def _is_time(value: object) -> bool:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    try:
        return found is not None and bool(datetime.fromisoformat(found[1]))
    except ValueError:
        return False


_TEXTS = {"*": str}
_META = {
    "name!": _is_name,
    "uid!": _is_name,
    "namespace": str,
    "labels": _TEXTS,
    "annotations": _TEXTS,
    "ownerReferences": [{"uid": str, "kind": str, "name": str, "controller": bool}],
    "creationTimestamp": _is_time,
    "deletionTimestamp": str,
}
_SELECTOR = {
    "matchLabels": _TEXTS,
    "matchExpressions": [{"key!": str, "operator!": str, "values": [str]}],
}
_CONDITIONS = [{"type!": str, "status": str, "reason": str, "message": str}]
_REFERENCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef")
_SOURCES = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "hostPath",
    "image",
    "nfs",
    "persistentVolumeClaim",
    "projected",
    "secret",
)
_PROBE = {
    **dict.fromkeys(("httpGet", "tcpSocket", "grpc"), dict),
    "exec": {"command": [str]},
    **dict.fromkeys(
        ("initialDelaySeconds", "periodSeconds", "failureThreshold", "timeoutSeconds"), int
    ),
}
_CONTAINER = {
    "name!": str,
    "image": str,
    "command": [str],
    "args": [str],
    "restartPolicy": str,
    "env": [{"name!": str, "value": str, "valueFrom": dict.fromkeys(_REFERENCES, dict)}],
    "envFrom": [dict],
    "ports": [dict],
    "volumeMounts": [{"name!": str, "mountPath!": str, "subPath": str, "readOnly": bool}],
    "volumeDevices": [dict],
    "resources": {"requests": dict, "limits": dict},
    "securityContext": dict,
    **dict.fromkeys(("livenessProbe", "readinessProbe", "startupProbe"), _PROBE),
    "lifecycle": {"postStart": _PROBE},
}
_STATE = {
    "waiting": {"reason": str, "message": str},
    "running": {"startedAt": str},
    "terminated": {
        "exitCode": int,
        "reason": str,
        "message": str,
        "startedAt": str,
        "finishedAt": str,
    },
}
_STATUSES = [{"name!": str, "restartCount": int, "state": _STATE, "lastState": _STATE}]
_POD_SPEC = {
    "containers!": [_CONTAINER],
    "initContainers": [_CONTAINER],
    "ephemeralContainers": [_CONTAINER],
    "volumes": [{"name!": str, **dict.fromkeys(_SOURCES, dict)}],
    "nodeName": str,
    "nodeSelector": _TEXTS,
    "tolerations": [dict],
    "imagePullSecrets": [dict],
    "securityContext": dict,
    "affinity": {"nodeAffinity": dict},
    "schedulingGates": [dict],
    "terminationGracePeriodSeconds": int,
    "resources": {"requests": dict, "limits": dict},
}
_POD_STATUS = {
    **dict.fromkeys(("phase", "reason", "message"), str),
    "conditions": _CONDITIONS,
    "containerStatuses": _STATUSES,
    "initContainerStatuses": _STATUSES,
    "ephemeralContainerStatuses": _STATUSES,
}
_TEMPLATE = {"metadata": {"labels": _TEXTS, "annotations": _TEXTS}, "spec": _POD_SPEC}
_WORKLOAD = {"spec!": {"selector": _SELECTOR, "template": _TEMPLATE}}
_BY_LABELS = {"spec!": {"selector": _TEXTS, "template": _TEMPLATE}}
_EVENT = {
    "involvedObject": {"fieldPath": str, "uid": str, "name": str},
    "type": str,
    "reason": str,
    "message": str,
    "count": int,
    "series": dict,
}
# What else than its metadata is relied on, by the plural of a kind.
_SHAPES: dict[str, dict[str, Shape]] = {
    "pods": {"spec!": _POD_SPEC, "status": _POD_STATUS},
    "jobs": {
        "spec!": {"ttlSecondsAfterFinished": int, "template": _TEMPLATE, "selector": _SELECTOR},
        "status": {"completionTime": _is_time, "conditions": _CONDITIONS},
    },
    "services": _BY_LABELS,
    "replicationcontrollers": _BY_LABELS,
    "cronjobs": {"spec!": {"jobTemplate": {"spec": {"template": _TEMPLATE}}}},
    **dict.fromkeys(("deployments", "statefulsets", "daemonsets", "replicasets"), _WORKLOAD),
    "poddisruptionbudgets": {"spec": {"selector": _SELECTOR}},
    "networkpolicies": {"spec": {"podSelector": _SELECTOR}},
    "persistentvolumeclaims": {"spec": {"accessModes": [str], "volumeName": str}},
    "events": _EVENT,
    "nodes": {
        "spec": {"unschedulable": bool, "taints": [dict]},
        "status": {
            "conditions": _CONDITIONS,
            "images": [{"names": [str]}],
            "nodeInfo": {"architecture": str},
            "allocatable": dict,
        },
    },
}
_TITLES = {kind.plural: kind.title for kind in (*KINDS.values(), BUDGET, POLICY, CLAIM)} | {
    "configmaps": "ConfigMap",
    "events": "Event",
    "namespaces": "Namespace",
    "nodes": "Node",
}
VERSION = {"gitVersion": str, "major": str, "minor": str}
REVIEW = {"status!": {"allowed!": bool}}
TABLE = {
    "columnDefinitions!": [{"name!": str}],
    "rows": [{"cells!": [lambda cell: not isinstance(cell, (dict, list))]}],
}
_PATH = re.compile(
    r"/(?:api|apis/[^/]+)/[^/]+(?:/namespaces/[^/]+(?=/))?/(?P<plural>[^/]+)"
    r"(?:/(?P<name>[^/]+)(?:/(?P<sub>[^/]+))?)?"
)


def is_list(path: str) -> bool:
    """Say whether a path is that of a list."""
    found = _PATH.fullmatch(path)
    return found is not None and found["name"] is None


def check_list(body: Json, path: str) -> bool:
    """Say whether a body is the list that a path names."""
    plural = _plural(path)
    item = {"metadata!": _META, "spec": dict, "status": dict, **_SHAPES.get(plural, {})}
    whole = {"metadata": {"continue": str}, "items": [item]}
    return "items" in body and _is_called(body, plural, "List") and fits(body, whole)


def check_object(body: Json, path: str) -> bool:
    """Say whether a body is an object of the kind that a path names, of that name if it has one."""
    found = _PATH.fullmatch(path)
    plural, wanted = _plural(path), found["name"] if found else None
    shape = {"metadata!": _META, "spec": dict, "status": dict, **_SHAPES.get(plural, {})}
    if not _is_called(body, plural) or not fits(body, shape):
        return False
    return wanted is None or body["metadata"]["name"] == wanted


def check_deletion(body: Json, path: str) -> bool:
    """Say whether a body says that the object of a path is deleted, or will be."""
    if body.get("kind") == "Status":
        return body.get("status") == "Success"
    return check_object(body, path)


def _plural(path: str) -> str:
    found = _PATH.fullmatch(path)
    return found["plural"] if found else ""


def _is_called(body: Json, plural: str, suffix: str = "") -> bool:
    """Say whether a body calls itself what it was asked for, or nothing at all."""
    kind, title = body.get("kind") or "", _TITLES.get(plural, "")
    if not isinstance(kind, str):
        return False
    if suffix:
        return not kind or (kind.endswith(suffix) and kind.lower().startswith(title.lower()))
    return not kind or not title or kind == title
