"""What sources are in: a crash loop, a namespace that lets in only some pods."""

from __future__ import annotations

import json
import subprocess

from tests.cluster.conftest import Cluster, Json
from tests.support.manifests import HTTP, a_pod
from tests.support.patience import PATIENCE

LEVEL = "pod-security.kubernetes.io/enforce"


def crash_looping(cluster: Cluster, *names: str) -> None:
    """Wait until a container of each of these pods was started again."""
    cluster.wait_until(lambda: set(names) <= _restarted(cluster), "the sources crash-loop")


def _restarted(cluster: Cluster) -> set[str]:
    return {
        pod["metadata"]["name"]
        for pod in cluster.read("pods")["items"]
        for kind in ("containerStatuses", "initContainerStatuses")
        for status in pod["status"].get(kind) or []
        if status["restartCount"]
    }


def enforce(cluster: Cluster, level: str) -> None:
    """Let the namespace enforce a level of PodSecurity, whatever is in it already."""
    cluster.kubectl("label", "namespace", cluster.namespace, f"{LEVEL}={level}")
    if level != "privileged":
        refused = a_pod("refused", hostNetwork=True)
        cluster.wait_until(lambda: is_refused(cluster, refused), f"{level} is enforced")


def allow_only(cluster: Cluster, image: str) -> tuple[str, str]:
    """Let a ValidatingAdmissionPolicy refuse all other images; return what is to be deleted."""
    name = f"only-{cluster.namespace}"
    cluster.apply(*_policy(name, cluster.namespace, image))
    refused = a_pod("refused", HTTP)
    cluster.wait_until(lambda: is_refused(cluster, refused), "the policy is enforced")
    return f"validatingadmissionpolicybinding/{name}", f"validatingadmissionpolicy/{name}"


def is_refused(cluster: Cluster, pod: Json) -> bool:
    """Say whether the namespace refuses a pod, by a dry run."""
    done = subprocess.run(
        ["kubectl", "-n", cluster.namespace, "create", "--dry-run=server", "-f", "-"],
        input=json.dumps(pod),
        env=cluster.environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return done.returncode != 0


def _policy(name: str, namespace: str, image: str) -> tuple[Json, Json]:
    # What Kubernetes documents for all the containers of a pod.
    kinds = ("containers", "initContainers", "ephemeralContainers")
    every = " + ".join(f"object.spec.?{kind}.orValue([])" for kind in kinds)
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["pods", "pods/ephemeralcontainers"],
    }
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [
                {
                    "expression": f"({every}).all(c, c.image == '{image}')",
                    "message": "only the app's own image is allowed",
                }
            ],
        },
    }
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": selector},
        },
    }
    return policy, binding
