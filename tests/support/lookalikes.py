"""Pods and Jobs that look like a copy and its lease, each but for one property."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubectl_scratch.plan import lease, metadata
from kubectl_scratch.plan.seed import seed_mounts
from tests.support.builders import a_container, a_pod

Json = dict[str, Any]
Change = Callable[[Json, Json], object]
COPY = "shop-scratch-bcdfg"


def a_pair(uid: str = "u") -> tuple[Json, Json]:
    """Return a copy and its lease, of that UID, as ``debug`` makes them."""
    marks = {metadata.SOURCE_ANNOTATION: "default/shop", metadata.CONTAINER_ANNOTATION: "app"}
    job = lease.lease_manifest(COPY, "bcdfg", "i", 300, dict(marks))
    job["metadata"].update(namespace="default", uid=uid)
    described: Json = {
        "labels": metadata.session_labels("bcdfg"),
        "annotations": {**marks, metadata.VIEW_ANNOTATION: "app"},
    }
    described |= {"ownerReferences": [lease.owner_reference(job)]}
    return a_pod(COPY, [a_container(volumeMounts=seed_mounts())], metadata=described), job


def _owner(**fields: Any) -> Change:
    return lambda pod, job: pod["metadata"]["ownerReferences"][0].update(fields)


def _of_pod(part: str, **fields: Any) -> Change:
    return lambda pod, job: pod["metadata"][part].update(fields)


def _of_job(part: str, **fields: Any) -> Change:
    return lambda pod, job: job["metadata"][part].update(fields)


def _spec(**fields: Any) -> Change:
    return lambda pod, job: job["spec"].update(fields)


def _second_owner(pod: Json, job: Json) -> None:
    pod["metadata"]["ownerReferences"].append({**lease.owner_reference(job), "uid": "other"})


def _owned(pod: Json, job: Json) -> None:
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": "c"}
    job["metadata"]["ownerReferences"] = [owner]


# What is wrong, and a word of what is said of it.
BROKEN: dict[str, tuple[Change, str]] = {
    "pod-label": (_of_pod("labels", **{metadata.MANAGED_BY: "helm"}), metadata.MANAGED_BY),
    "pod-no-session": (lambda p, j: p["metadata"]["labels"].pop(metadata.SESSION_LABEL), "session"),
    "pod-session": (_of_pod("labels", **{metadata.SESSION_LABEL: "zzzzz"}), "session"),
    "pod-no-source": (
        lambda p, j: p["metadata"]["annotations"].pop(metadata.SOURCE_ANNOTATION),
        "source",
    ),
    "pod-source": (
        _of_pod("annotations", **{metadata.SOURCE_ANNOTATION: "default/other"}),
        "source",
    ),
    "no-owner": (lambda p, j: p["metadata"].pop("ownerReferences"), "owner"),
    "owner-uid": (_owner(uid="another"), "owner"),
    "owner-name": (_owner(name="report"), "owner"),
    "owner-kind": (_owner(kind="CronJob"), "owner"),
    "owner-version": (_owner(apiVersion="batch/v1beta1"), "owner"),
    "owner-controls": (_owner(controller=True), "controls"),
    "second-owner": (_second_owner, "owner"),
    "job-label": (_of_job("labels", **{metadata.MANAGED_BY: "helm"}), metadata.MANAGED_BY),
    "job-no-labels": (lambda p, j: j["metadata"].pop("labels"), metadata.MANAGED_BY),
    "job-no-session": (lambda p, j: j["metadata"]["labels"].pop(metadata.SESSION_LABEL), "session"),
    "job-session": (_of_job("labels", **{metadata.SESSION_LABEL: "zzzzz"}), "session"),
    "job-no-marks": (lambda p, j: j["metadata"].pop("annotations"), "source"),
    "job-source": (_of_job("annotations", **{metadata.SOURCE_ANNOTATION: "a/b"}), "source"),
    "job-owned": (_owned, "has an owner"),
    "completions": (_spec(completions=1), "completions"),
    "no-completions": (lambda p, j: j["spec"].pop("completions"), "completions"),
    "completions-null": (_spec(completions=None), "completions"),
    "completions-false": (_spec(completions=False), "completions"),
    "parallelism": (_spec(parallelism=1), "parallelism"),
    "no-parallelism": (lambda p, j: j["spec"].pop("parallelism"), "parallelism"),
}
