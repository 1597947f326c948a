"""What helps a copy that does not start: the texts are those of a real v1.34 cluster."""

from __future__ import annotations

import pytest

from kubectl_scratch.plan.remedies import configuration_remedy, mount_remedy, scheduling_remedy
from kubectl_scratch.session.readiness import Failed, Waiting, Watched, mount_trouble, readiness_of
from tests.support.builders import Json, a_container, a_pod

CLAIMED: Json = {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}
OTHER: Json = {"name": "logs", "persistentVolumeClaim": {"claimName": "logs-0"}}
GENERIC: Json = {"name": "cache", "ephemeral": {"volumeClaimTemplate": {}}}
TIED: Json = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name"}]}]
        }
    }
}
ASKS = a_container(resources={"requests": {"cpu": "500"}})
AFTER = (
    ". no new claims to deallocate, preemption: 0/1 nodes are available:"
    " 1 Preemption is not helpful for scheduling."
)
NONE = "0/1 nodes are available: "
SELECTOR = "node(s) didn't match Pod's node affinity/selector"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims. not found"
TO_BIND = f"1 node(s) didn't find available persistent volumes to bind{AFTER}"

SCHEDULING = [
    (f"{NONE}1 Insufficient cpu{AFTER}", {"containers": [ASKS]}, "use --resources none"),
    (f"{NONE}1 Insufficient memory{AFTER}", {"containers": [ASKS]}, "use --resources none"),
    (f"{NONE}1 Insufficient nvidia.com/gpu{AFTER}", {"containers": [ASKS]}, "use --resources none"),
    (f"{NONE}1 cannot allocate all claims", {"resourceClaims": [{"name": "g"}]}, "use --resources"),
    (
        f'{NONE}resourceclaim "gpu" not found',
        {"resourceClaims": [{"name": "g"}]},
        "use --resources",
    ),
    # It asks for nothing: the node has no room for any pod.
    (f"{NONE}1 Insufficient cpu{AFTER}", {}, ""),
    (f"{NONE}1 Too many pods{AFTER}", {"containers": [ASKS]}, ""),
    (f"{NONE}1 {SELECTOR}{AFTER}", {"containers": [ASKS], "volumes": [CLAIMED]}, ""),
    (f"{NONE}1 node(s) had untolerated taint {{a: b}}{AFTER}", {"volumes": [CLAIMED]}, ""),
    (f"{NONE}1 node(s) were unschedulable{AFTER}", {"containers": [ASKS]}, ""),
    (
        f'{NONE}persistentvolumeclaim "data-0" not found. not found',
        {"volumes": [OTHER, CLAIMED]},
        "use --skip-volume data to copy without it",
    ),
    (NONE + UNBOUND, {"volumes": [GENERIC]}, "use --skip-volume cache to copy without it"),
    (NONE + TO_BIND, {"volumes": [GENERIC]}, "use --skip-volume cache to copy without it"),
    (
        NONE + TO_BIND,
        {"volumes": [CLAIMED, GENERIC]},
        "use --skip-volume NAME to copy without one: c",
    ),
    (
        f"{NONE}waiting for ephemeral volume controller to create the persistentvolumeclaim"
        ' "mypod-cache". not found',
        {"volumes": [CLAIMED, GENERIC]},
        "use --skip-volume cache to copy without it",
    ),
    (
        f"{NONE}1 node(s) had volume node affinity conflict{AFTER}",
        {"volumes": [CLAIMED, GENERIC], "containers": [ASKS]},
        "use --skip-volume data to copy without it",
    ),
    (
        f"0/3 nodes are available: 1 node(s) were unschedulable, 2 {SELECTOR}{AFTER}",
        {"volumes": [CLAIMED], "affinity": TIED},
        "use --skip-volume data to copy without it",
    ),
    (f"0/3 nodes are available: 3 {SELECTOR}{AFTER}", {"volumes": [CLAIMED]}, ""),
]


@pytest.mark.parametrize("message, spec, way", SCHEDULING, ids=lambda value: str(value)[:50])
def test_where_no_node_takes_the_copy_only_what_can_help_is_named(
    message: str, spec: Json, way: str
) -> None:
    found = scheduling_remedy(a_pod(**spec), message)
    assert found.startswith(way) and bool(found) is bool(way)


def test_requests_that_a_limit_range_would_add_again_can_not_be_left_out() -> None:
    marks = {"annotations": {"kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu request"}}
    assert scheduling_remedy(a_pod(containers=[ASKS], metadata=marks), "1 Insufficient cpu") == ""


def a_volume(**source: Json) -> Json:
    return {"name": "cfg", **source}


SECRET, MAP = a_volume(secret={"secretName": "s"}), a_volume(configMap={"name": "there"})
SET_UP = 'MountVolume.SetUp failed for volume "cfg" : '
SKIP = "use --skip-volume cfg to copy without it"
MOUNTS = [
    (SECRET, f'{SET_UP}secret "nope" not found', f"create secret nope, or {SKIP}", True),
    (MAP, f'{SET_UP}configmap "nope" not found', f"create configmap nope, or {SKIP}", True),
    (
        MAP,
        f"{SET_UP}configmap references non-existent config key: k",
        f"add key k to configmap there, or {SKIP}",
        True,
    ),
    (
        SECRET,
        f"{SET_UP}references non-existent secret key: k",
        f"add key k to secret s, or {SKIP}",
        True,
    ),
    (
        a_volume(projected={}),
        f'{SET_UP}[secret "nope" not found, configmap "nope2" not found]',
        f"create secret nope and create configmap nope2, or {SKIP}",
        True,
    ),
    (
        a_volume(hostPath={}),
        f"{SET_UP}hostPath type check failed: /nope is not a directory",
        SKIP,
        True,
    ),
    (
        a_volume(csi={}),
        f"{SET_UP}kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name"
        " nope.example not found in the list of registered CSI drivers",
        SKIP,
        False,
    ),
    (
        a_volume(nfs={}),
        f"{SET_UP}mount failed: exit status 32\nMounting command: mount",
        SKIP,
        False,
    ),
    (
        a_volume(persistentVolumeClaim={"claimName": "c"}),
        'Multi-Attach error for volume "pvc-1f0e" Volume is already used by pod(s) web-0',
        SKIP,
        False,
    ),
    (
        a_volume(nfs={}),
        "Unable to attach or mount volumes: unmounted volumes=[cfg], unattached volumes=[],"
        " failed to process volumes=[]: timed out waiting for the condition",
        SKIP,
        False,
    ),
]
COPY = Watched("app", "container app", "--set-image app=IMAGE, --image IMAGE", arch_hint="--arch")


def an_event(reason: str, message: str, second: int = 0) -> Json:
    when = f"2026-01-01T12:00:{second:02}Z"
    return {"type": "Warning", "reason": reason, "message": message, "lastTimestamp": when}


@pytest.mark.parametrize("volume, message, way, hopeless", MOUNTS, ids=lambda v: str(v)[:60])
def test_where_a_volume_does_not_come_the_way_is_told(
    volume: Json, message: str, way: str, hopeless: bool
) -> None:
    pod = a_pod(volumes=[volume, {"name": "tmp", "emptyDir": {}}])
    found = mount_trouble([an_event("FailedMount", message)], pod, COPY)
    assert isinstance(found, Waiting)
    assert (found.hint, found.hopeless) == (way, hopeless)
    assert "FailedMount: " in found.what and "\n" not in found.what


def test_our_own_volume_that_is_on_its_way_has_no_remedy() -> None:
    pod = a_pod(volumes=[a_volume(configMap={"name": "mypod"})])
    assert mount_remedy(pod, f'{SET_UP}configmap "mypod" not found') == ""


@pytest.mark.parametrize("reason", ["Pulling", "Started"])
def test_a_volume_that_has_come_is_no_trouble(reason: str) -> None:
    late = an_event("FailedMount", f'{SET_UP}configmap "there" not found')
    then = {**an_event(reason, "..."), "type": "Normal"}
    assert mount_trouble([late, then], a_pod(volumes=[MAP]), COPY) is None
    assert mount_trouble([], a_pod(), COPY) is None


ENV: Json = {
    "env": [
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "pw"}}},
        {"name": "USER", "valueFrom": {"secretKeyRef": {"name": "db", "key": "user"}}},
        {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "db", "key": "mode"}}},
    ]
}
CONFIGURATIONS = [
    (
        ENV,
        'secret "db" not found',
        "create secret db, which sets variable PASSWORD (key pw), USER (key user)",
    ),
    (
        ENV,
        'configmap "db" not found',
        "create configmap db, which sets variable MODE (key mode)",
    ),
    (
        ENV,
        "couldn't find key user in Secret shop/db",
        "add key user to secret db, which sets variable USER",
    ),
    (
        ENV,
        "couldn't find key mode in ConfigMap shop/db",
        "add key mode to configmap db, which sets variable MODE",
    ),
    (
        {"envFrom": [{"secretRef": {"name": "all"}}]},
        'secret "all" not found',
        "create secret all, which sets variables",
    ),
    (
        {},
        'failed to prepare subPath for volumeMount "data" of container "app"',
        "use --skip-volume data to copy without it",
    ),
]


@pytest.mark.parametrize("fields, message, way", CONFIGURATIONS, ids=lambda v: str(v)[:50])
@pytest.mark.parametrize("init", [False, True], ids=["target", "init"])
def test_a_configuration_that_is_wrong_has_one_cure(
    fields: Json, message: str, way: str, init: bool
) -> None:
    waiting = {"waiting": {"reason": "CreateContainerConfigError", "message": message}}
    if init:
        spec = {"containers": [a_container()], "initContainers": [a_container("setup", **fields)]}
        status = {
            "initContainerStatuses": [{"name": "setup", "state": waiting}],
            "containerStatuses": [
                {"name": "app", "state": {"waiting": {"reason": "PodInitializing"}}}
            ],
        }
    else:
        spec = {"containers": [a_container(**fields)]}
        status = {"containerStatuses": [{"name": "app", "state": waiting}]}
    found = readiness_of(a_pod(status=status, nodeName="n", **spec), COPY)  # type: ignore[arg-type]
    assert isinstance(found, Failed)
    told = f"{found.why}; {found.hint}"
    assert way in told
    for useless in ("--set-image", "--arch", "--image", "--timeout"):
        assert useless not in told
    assert ("--skip-init setup" in told) is init


def test_a_container_that_is_not_the_target_is_not_taken_for_it() -> None:
    assert configuration_remedy(a_pod(), "nobody", 'secret "x" not found') == "create secret x"


SOON = [
    "failed to sync secret cache: timed out waiting for the condition",
    "services have not yet been read at least once, cannot construct envs",
]


@pytest.mark.parametrize("message", SOON)
def test_what_the_kubelet_has_not_read_yet_is_waited_for(message: str) -> None:
    waiting = {"waiting": {"reason": "CreateContainerConfigError", "message": message}}
    status = {"containerStatuses": [{"name": "app", "state": waiting}]}
    assert isinstance(readiness_of(a_pod(status=status, nodeName="n"), COPY), Waiting)


@pytest.mark.parametrize(
    "reason, message, arch",
    [
        ("ErrImagePull", 'failed to resolve reference "x": x: not found', False),
        ("ErrImagePull", "no match for platform in manifest: not found", True),
        ("RunContainerError", "exec format error", True),
        (
            "CreateContainerConfigError",
            'container has runAsNonRoot and image will run as root (pod: "x", container: app)',
            False,
        ),
    ],
)
def test_the_architecture_is_named_only_where_it_is_at_fault(
    reason: str, message: str, arch: bool
) -> None:
    waiting = {"waiting": {"reason": reason, "message": message}}
    status = {"containerStatuses": [{"name": "app", "state": waiting}]}
    found = readiness_of(a_pod(status=status, nodeName="n"), COPY)
    assert isinstance(found, Failed) and "--set-image app=IMAGE" in found.why
    assert ("--arch" in found.why) is arch
