"""Where a path of the target lies: in which volume of the pod, and what that should contain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kubectl_scratch.kube.objects import Json, all_containers, find, volumes
from kubectl_scratch.why.facts import ClusterFacts

# Volumes whose files are the keys of an object.
OF_OBJECTS = ("configMap", "secret", "projected", "downwardAPI")
# Volumes that one pod has for itself, and where the node's kubelet sets the group.
TAKES_A_GROUP = ("emptyDir", "persistentVolumeClaim", "ephemeral", "csi", *OF_OBJECTS)
TITLES = {
    "configMap": "ConfigMap",
    "secret": "Secret",
    "emptyDir": "emptyDir volume",
    "persistentVolumeClaim": "claim",
    "hostPath": "hostPath volume",
    "projected": "projected volume",
    "downwardAPI": "downwardAPI volume",
    "ephemeral": "ephemeral volume",
    "image": "image volume",
}


class KeyedObject(NamedTuple):
    """A ConfigMap or Secret in a volume: its keys and the files that it gives, as far as known."""

    kind: str
    name: str
    keys: frozenset[str] | None
    files: frozenset[str] | None
    optional: bool = False

    @property
    def title(self) -> str:
        """Return kind and name."""
        return f"{self.kind} {self.name}"


class Mount(NamedTuple):
    """A mount of the target that contains a path; ``rest`` is the path within it."""

    name: str
    kind: str
    path: str
    rest: str
    read_only: bool
    sub_path: str
    volume: Json
    objects: tuple[KeyedObject, ...]

    @property
    def title(self) -> str:
        """Return what the volume is, in a few words."""
        if len(self.objects) == 1:
            return self.objects[0].title
        if self.kind == "persistentVolumeClaim":
            return f"claim {self.source.get('claimName', '')}"
        return f"{TITLES.get(self.kind, self.kind + ' volume')} {self.name}"

    @property
    def source(self) -> Json:
        """Return the volume's own fields: those under its kind."""
        return self.volume.get(self.kind) or {}


def target_of(facts: ClusterFacts) -> Json:
    """Return the target container; empty if the pod has none of that name."""
    return find(all_containers(facts.pod), facts.target) or {}


def mount_of(facts: ClusterFacts, path: str) -> Mount | None:
    """Return the innermost mount that contains a path; None if it is the image's."""
    mounts = target_of(facts).get("volumeMounts") or []
    around = [found for found in mounts if _contains(str(found.get("mountPath", "")), path)]
    if not around:
        return None
    return _mount(facts, max(around, key=lambda found: len(str(found["mountPath"]))), path)


def mounts_below(facts: ClusterFacts, folder: str) -> list[Mount]:
    """Return the mounts that lie in a folder, itself excluded."""
    mounts = target_of(facts).get("volumeMounts") or []
    inside = [found for found in mounts if _contains(folder, str(found.get("mountPath", "")))]
    return [_mount(facts, found, str(found["mountPath"])) for found in inside]


def _contains(folder: str, path: str) -> bool:
    folder = folder.rstrip("/")
    return bool(path) and (path == folder or path.startswith(folder + "/"))


def _mount(facts: ClusterFacts, mount: Json, path: str) -> Mount:
    name = str(mount.get("name", ""))
    volume = find(volumes(facts.pod), name) or {"name": name}
    kind = next((key for key in volume if key != "name"), "emptyDir")
    where = str(mount["mountPath"]).rstrip("/") or "/"
    return Mount(
        name=name,
        kind=kind,
        path=where,
        rest=path[len(where) :].lstrip("/"),
        read_only=bool(mount.get("readOnly")),
        sub_path=str(mount.get("subPath") or mount.get("subPathExpr") or ""),
        volume=volume,
        objects=tuple(_objects(facts, volume)),
    )


def _objects(facts: ClusterFacts, volume: Json) -> Iterator[KeyedObject]:
    parts = [volume, *((volume.get("projected") or {}).get("sources") or [])]
    for part in parts:
        if part.get("configMap"):
            yield _object("ConfigMap", part["configMap"], facts.config_maps)
        if part.get("secret"):
            yield _object("Secret", part["secret"], facts.secrets)


def _object(kind: str, source: Json, known: Mapping[str, frozenset[str] | None]) -> KeyedObject:
    name = str(source.get("name") or source.get("secretName") or "")
    keys = known.get(name)
    items = source.get("items") or []
    files = frozenset(str(item.get("path", "")) for item in items) if items else keys
    return KeyedObject(kind, name, keys, files, bool(source.get("optional")))


def is_of_objects(mount: Mount | None) -> bool:
    """Say whether its files are keys of ConfigMaps and Secrets that somebody wrote."""
    return mount is not None and mount.kind in OF_OBJECTS and bool(mount.objects)


def writable_mount_yaml(folder: str) -> str:
    """Return what makes a folder writable: an emptyDir, as YAML in a line."""
    return (
        f"volumes: [{{name: scratch-space, emptyDir: {{}}}}] and, in the container,"
        f" volumeMounts: [{{name: scratch-space, mountPath: {folder}}}]"
    )


def has_read_only_root(facts: ClusterFacts) -> bool:
    """Say whether the target's own file system is read-only."""
    context = target_of(facts).get("securityContext") or {}
    return bool(context.get("readOnlyRootFilesystem"))
