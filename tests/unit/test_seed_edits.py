"""The seed in the copy, and the container that it holds."""

from __future__ import annotations

from base64 import b64decode
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_scratch.kube.objects import all_containers, find
from kubectl_scratch.plan.podcopy.scheduling import pin_architecture
from kubectl_scratch.plan.podcopy.seed_edits import seed_copy
from kubectl_scratch.plan.seed import (
    Entrypoint,
    Seeding,
    config_map,
    entrypoint,
    has_toolkit,
    is_held,
)
from tests.support.builders import Json, a_container, a_pod

SEED = "/.scratch-seed/seed"
OURS = {"/.scratch-seed", "/.scratch"}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
ARM = {"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}
SSD = {"key": "disk", "operator": "In", "values": ["ssd"]}
NODE = {"key": "metadata.name", "operator": "In", "values": ["node-1"]}


def held(container: Json, said: tuple[str, ...] = (), **more: Any) -> Json:
    """Return the container as the copy has it, held by the seed."""
    pod = seeded(a_pod(containers=[container]), held=entrypoint(container, said), **more)
    found: Json = pod["spec"]["containers"][0]
    return found


def seeded(source: Json, **more: Any) -> Json:
    pod = deepcopy(source)
    list(seed_copy(pod, seeding=Seeding("mypod-scratch-bcdfg", "arm64", "app", **more)))
    return pod


@pytest.mark.parametrize(
    "fields, said, known",
    [
        ({"command": ["a", "b"], "args": ["c"]}, (), Entrypoint("spec", 2, ("a", "b", "c"))),
        ({"command": ["a"]}, (), Entrypoint("spec", 1, ("a",))),
        ({"args": ["c"]}, (), Entrypoint("image", 0, ("c",))),
        ({}, (), Entrypoint("image", 0, ())),
        ({"command": [], "args": None}, (), Entrypoint("image", 0, ())),
        ({"args": ["c"]}, ("x", "y"), Entrypoint("user", 2, ("x", "y", "c"))),
        ({"command": ["a"], "args": ["c"]}, ("x",), Entrypoint("user", 1, ("x", "c"))),
        ({"args": ["$(A)"]}, ("$(B)", "$$c"), Entrypoint("user", 2, ("$$(B)", "$$$$c", "$(A)"))),
        ({"command": ["$(A)", "$$"]}, (), Entrypoint("spec", 2, ("$(A)", "$$"))),
    ],
)
def test_what_is_known_of_an_entrypoint(
    fields: Json, said: tuple[str, ...], known: Entrypoint
) -> None:
    assert entrypoint(a_container(**fields), said) == known


@pytest.mark.parametrize(
    "fields, said, command, args",
    [
        ({"command": ["a", "$(B)"], "args": ["c"]}, (), ["spec", "2"], ["a", "$(B)", "c"]),
        ({"args": ["c"]}, (), ["image", "0"], ["c"]),
        ({"command": ["a"], "args": ["c"]}, ("x", "y"), ["user", "2"], ["x", "y", "c"]),
    ],
)
def test_the_seed_gets_the_words_of_the_app(
    fields: Json, said: tuple[str, ...], command: list[str], args: list[str]
) -> None:
    container = held(a_container(**fields), said)
    assert container["command"] == [SEED, "hold", *command, "--"]
    assert container["args"] == args
    assert is_held(container) and has_toolkit(container)


def test_a_start_hook_goes_from_a_held_target_alone() -> None:
    hook = {"postStart": {"exec": {"command": ["x"]}}}
    pod = a_pod(containers=[a_container(lifecycle=hook), a_container("other", lifecycle=hook)])
    app, other = seeded(pod, held=entrypoint(pod["spec"]["containers"][0]))["spec"]["containers"]
    assert "lifecycle" not in app and other["lifecycle"] == hook
    assert seeded(pod)["spec"]["containers"][0]["lifecycle"] == hook


def test_a_target_that_runs_keeps_its_command_and_has_the_tools() -> None:
    pod = a_pod(containers=[a_container(command=["serve"]), a_container("other")])
    app, other = seeded(pod)["spec"]["containers"]
    assert app["command"] == ["serve"] and not is_held(app)
    assert has_toolkit(app) and not has_toolkit(other)
    assert other == a_container("other")


def test_the_volumes_of_the_app_stay_beside_ours() -> None:
    mount = {"name": "data", "mountPath": "/data"}
    pod = seeded(
        a_pod(
            containers=[a_container(volumeMounts=[mount])],
            volumes=[{"name": "data", "emptyDir": {}}],
        )
    )
    (app,) = pod["spec"]["containers"]
    assert app["volumeMounts"][0] == mount
    assert {m["mountPath"] for m in app["volumeMounts"]} == {"/data", *OURS}
    data, seed, toolkit, beside = pod["spec"]["volumes"]
    assert data == {"name": "data", "emptyDir": {}}
    assert seed["configMap"] == {"name": "mypod-scratch-bcdfg", "defaultMode": 0o555}
    assert toolkit["emptyDir"] == beside["emptyDir"] == {}
    mounted = {m["name"] for m in app["volumeMounts"]}
    # The debug container's folder is no business of the app's.
    assert mounted == {v["name"] for v in pod["spec"]["volumes"]} - {beside["name"]}


def test_nothing_may_write_where_the_seed_is() -> None:
    mounts = {m["mountPath"]: m for m in held(a_container())["volumeMounts"]}
    assert mounts["/.scratch-seed"]["readOnly"] is True
    assert "readOnly" not in mounts["/.scratch"]


def test_with_hold_all_the_others_idle_and_plain_init_containers_go() -> None:
    hook = {"postStart": {"exec": {"command": ["x"]}}}
    native = a_container("native", restartPolicy="Always", args=["z"])
    source = a_pod(
        containers=[a_container(), a_container("other", lifecycle=hook, args=["y"])],
        initContainers=[a_container("setup"), native],
    )
    pod = seeded(source, held=Entrypoint("image", 0, ()), hold_all=True)
    assert [c["name"] for c in pod["spec"]["initContainers"]] == ["native"]
    for name in ("other", "native"):
        container = find(all_containers(pod), name) or {}
        assert (container["command"], container["args"]) == ([SEED, "idle", "0"], [])
        assert "lifecycle" not in container
        assert not has_toolkit(container)
    assert is_held(pod["spec"]["containers"][0])


def test_with_hold_all_an_init_container_that_is_the_target_stays() -> None:
    source = a_pod(
        containers=[a_container("main")],
        initContainers=[a_container("before"), a_container(), a_container("after")],
    )
    pod = seeded(source, held=Entrypoint("image", 0, ()), hold_all=True)
    (app,) = pod["spec"]["initContainers"]
    assert app["name"] == "app" and is_held(app)


def test_every_change_of_a_container_is_told() -> None:
    pod = a_pod(
        containers=[a_container(lifecycle={"postStart": {}}), a_container("other")],
        initContainers=[a_container("setup")],
    )
    seeding = Seeding("x", "amd64", "app", Entrypoint("image", 0, ()), True)
    fields = [edit.field for edit in seed_copy(pod, seeding=seeding)]
    assert fields == [
        "init container setup",
        "spec.affinity.nodeAffinity",
        "app.volumeMounts",
        "app.command",
        "app.lifecycle.postStart",
        "other.command",
    ]


def affinity(*terms: Json) -> Json:
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}


@pytest.mark.parametrize(
    "before, terms",
    [
        (None, [{"matchExpressions": [ARM]}]),
        ({}, [{"matchExpressions": [ARM]}]),
        ({"nodeAffinity": None}, [{"matchExpressions": [ARM]}]),
        (affinity({"matchExpressions": [SSD]}), [{"matchExpressions": [SSD, ARM]}]),
        (
            affinity({"matchExpressions": [SSD]}, {"matchFields": [NODE]}),
            [{"matchExpressions": [SSD, ARM]}, {"matchFields": [NODE], "matchExpressions": [ARM]}],
        ),
        (affinity({}, {"matchExpressions": [SSD]}), [{"matchExpressions": [SSD, ARM]}]),
    ],
    ids=["none", "empty", "null", "one", "each", "beside-an-empty-one"],
)
def test_only_nodes_of_the_architecture_take_the_copy(
    before: Json | None, terms: list[Json]
) -> None:
    fields: Json = {} if before is None else {"affinity": before}
    pod = a_pod(**fields)
    (edit,) = pin_architecture(pod, arch="arm64")
    after = pod["spec"]["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert after == terms and "arm64" in edit.reason


def test_what_is_preferred_and_the_affinity_to_pods_stay() -> None:
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}
    before = {"podAffinity": {"x": 1}, "nodeAffinity": preferred}
    after = seeded(a_pod(affinity=before))["spec"]["affinity"]
    assert after["podAffinity"] == {"x": 1}
    assert preferred.items() <= after["nodeAffinity"].items()


WORDS = st.lists(st.text(max_size=8), max_size=3)
# What the seed takes the place of.
TAKEN = {"command", "args", "lifecycle", "volumeMounts"}
FOREIGN = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=6).map(lambda key: f"x{key}"),
    st.recursive(st.integers() | st.text(max_size=5), lambda v: st.lists(v, max_size=2)),
    max_size=3,
)


@st.composite
def containers(draw: st.DrawFn, /, name: str) -> Json:
    optional = {"command": WORDS, "args": WORDS, "env": st.just([{"name": "A", "value": "1"}])}
    given = draw(st.fixed_dictionaries({}, optional=optional))
    return a_container(name, **draw(FOREIGN), **given)


@st.composite
def pods(draw: st.DrawFn) -> Json:
    listed = [draw(containers("app")), draw(containers("other"))]
    fields: Json = {**draw(FOREIGN), **draw(some_affinity())}
    return a_pod(containers=listed, **fields)


def some_affinity() -> st.SearchStrategy[Json]:
    terms = st.lists(st.sampled_from([{"matchExpressions": [SSD]}, {"matchFields": [NODE]}]))
    there = terms.map(lambda found: {"affinity": {"xfield": 1, **affinity(*found)}})
    return st.one_of(st.builds(dict), there)


@given(pods(), st.booleans(), st.booleans())
def test_fields_that_nobody_has_heard_of_survive(source: Json, held: bool, hold_all: bool) -> None:
    known = entrypoint(source["spec"]["containers"][0]) if held else None
    pod = seeded(source, held=known, hold_all=hold_all)
    for before, after in zip(source["spec"]["containers"], pod["spec"]["containers"], strict=True):
        kept = {key: value for key, value in before.items() if key not in TAKEN}
        assert kept.items() <= after.items()
    kept = {k: v for k, v in source["spec"].items() if k not in ("containers", "affinity")}
    assert kept.items() <= pod["spec"].items()
    assert ("affinity" in source["spec"]) <= ("xfield" in pod["spec"]["affinity"])
    assert pod["metadata"] == source["metadata"]


@given(pods())
def test_the_words_of_the_app_are_all_there_and_in_their_order(source: Json) -> None:
    app = source["spec"]["containers"][0]
    found = held(app)
    words = [*(app.get("command") or []), *(app.get("args") or [])]
    assert found["args"] == words
    assert found["args"][: int(found["command"][3])] == (app.get("command") or [])


@given(pods(), st.booleans())
def test_no_term_lets_a_node_of_another_architecture_in(source: Json, hold_all: bool) -> None:
    pod = seeded(source, hold_all=hold_all)
    terms = pod["spec"]["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert terms and all(ARM in term["matchExpressions"] for term in terms)


def test_the_config_map_carries_the_seed() -> None:
    made = config_map("mypod-scratch-bcdfg", b"\x7fELF\0", {"a": "b"})
    assert b64decode(made["binaryData"]["seed"]) == b"\x7fELF\0"
    assert made["metadata"] == {"name": "mypod-scratch-bcdfg", "labels": {"a": "b"}}
