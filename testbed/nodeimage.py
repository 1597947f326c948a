"""Make a kind node image from Debian packages and Go modules, where none can be pulled."""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from testbed import archive, debian, golang
from testbed.archive import Entry, Image
from testbed.cache import HERE, Artifact, log_file
from testbed.proc import Failed, Steps, run

KIND = "sigs.k8s.io/kind@v0.33.0"
KUBERNETES = "v1.34.4"
# the versions that kubeadm v1.34 and kind's containerd configuration ask for
ETCD, COREDNS, PAUSES = "3.6.5-0", "v1.12.1", ("3.10", "3.10.1")
REGISTRY = "registry.k8s.io"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
IN_NODE = ("kubelet", "kubeadm", "kubectl", "crictl")
IN_CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
IPTABLES = tuple(
    f"{family}{verb}" for family in ("iptables", "ip6tables") for verb in ("", "-save", "-restore")
)
CONTAINERD_SECONDS = 20.0


def node_image() -> Artifact:
    """Return the node image, as `node.tar`."""
    words = [KIND, KUBERNETES, ETCD, COREDNS, *PAUSES, debian.base().key]
    sources = [HERE / "node", HERE / "archive.py", HERE / "golang.py", Path(__file__)]
    return Artifact("node", words, sources, _build)


def tag() -> str:
    """Return the node image's name, which tells one build from another."""
    return f"scratch-testbed/node:{KUBERNETES}-{node_image().key}"


def kind_program() -> Artifact:
    """Return kind itself, as `kind`."""
    return Artifact("kind", [KIND, archive.architecture()], [], _build_kind)


def _build_kind(target: Path, steps: Steps) -> None:
    with steps.step(f"go install {KIND} (half a minute)"):
        golang.install(KIND, target, log_file("kind-build"))


def _build(target: Path, steps: Steps) -> None:
    # the host's containerd unpacks the images that the node starts with
    debian.install(["containerd"], steps)
    work = target.parent
    _build_programs(work, steps)
    tree = work / "tree"
    debian.unpack_base(tree, steps)
    with steps.step("the node image"):
        _add_kind_files(tree)
        _adapt(tree)
        _add_programs(tree, work)
        images = work / "images.tar"
        archive.write_archive(images, [_kube(tree, work), _pause(work), _coredns(work)])
        _preload(tree, images, work)
        _clean(tree)
        _write(tree, target / "node.tar")


def _build_programs(work: Path, steps: Steps) -> None:
    major, minor, _ = KUBERNETES.lstrip("v").split(".")
    values = {"gitVersion": KUBERNETES, "gitMajor": major, "gitMinor": minor}
    values |= {"gitTreeState": "clean", "gitCommit": "local"}
    stamps = [
        f"-X {package}.{name}={value}"
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        for name, value in values.items()
    ]
    flags = ("-tags", "providerless,selinux", "-ldflags", " ".join(["-s -w", *stamps]))
    module = HERE / "node"
    with steps.step(f"go build of Kubernetes {KUBERNETES} (cold: 6 to 10 minutes)"):
        golang.build(module, ".", work / "node", log_file("kubernetes-build"), *flags)
        golang.build(module, "./pause", work / "pause", log_file("pause-build"))
    with steps.step(f"go build of CoreDNS {COREDNS} (cold: 1 to 4 minutes)"):
        golang.build(module / "coredns", ".", work / "coredns", log_file("coredns-build"))


def _add_kind_files(tree: Path) -> None:
    """Lay down kind's own files as the Dockerfile of its base image does."""
    files = golang.source(KIND) / "images" / "base" / "files"
    for path in sorted(files.rglob("*")):
        target = tree / path.relative_to(files)
        if path.is_dir():
            target.mkdir(exist_ok=True)
            continue
        # the module cache is read-only: only the content is taken
        target.write_bytes(path.read_bytes())
        target.chmod(0o755 if target.parent.name == "bin" else 0o644)
    for unit in _unwanted_units(tree):
        unit.unlink()
    with (tree / "etc/systemd/journald.conf").open("a") as config:
        config.write("ReadKMsg=no\n")
    units = ("kubelet.service", "containerd.service", "undo-mount-hacks.service")
    _systemctl(tree, "enable", *units)
    _systemctl(tree, "mask", "systemd-binfmt.service")
    for folder in ("etc/kubernetes/manifests", "etc/cni/net.d", "opt/cni", "kind/manifests"):
        (tree / folder).mkdir(parents=True, exist_ok=True)


def _unwanted_units(tree: Path) -> Iterator[Path]:
    system = tree / "lib/systemd/system"
    yield from (system / "sysinit.target.wants").glob("systemd-tmpfiles-setup.service")
    for wants in ("multi-user", "local-fs", "basic"):
        yield from (system / f"{wants}.target.wants").glob("*")
    for pattern in ("*udev*", "*initctl*"):
        yield from (system / "sockets.target.wants").glob(pattern)
    yield from (tree / "etc/systemd/system").glob("*.wants/*")


def _systemctl(tree: Path, *words: str) -> None:
    run(["chroot", tree, "systemctl", *words])


def _adapt(tree: Path) -> None:
    """Change what would not work on this kind of machine or with Debian's packages."""
    containerd = tree / "etc/containerd/config.toml"
    # root may lack CAP_SYS_RESOURCE, and then nothing can lower its own oom_score_adj
    _replace(containerd, "restrict_oom_score_adj = false", "restrict_oom_score_adj = true")
    drop_in = tree / "etc/systemd/system/service.d/10-no-sys-resource.conf"
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Service]\nOOMScoreAdjust=\n")
    # on cgroup v1 systemd and the kubelet race for the devices hierarchy: cgroupfs, not systemd
    _replace(containerd, "SystemdCgroup = true", "SystemdCgroup = false")
    kubelet = tree / "etc/default/kubelet"
    kubelet.write_text(f"{kubelet.read_text().strip()} --cgroup-driver=cgroupfs\n")
    # the node's systemd would set the host's kernel-wide settings
    for path in [*tree.glob("usr/lib/sysctl.d/*.conf"), tree / "etc/sysctl.d/99-sysctl.conf"]:
        path.unlink(missing_ok=True)
    # this name never resolves here, and asking for it costs 5 s of each start
    entrypoint = tree / "usr/local/bin/entrypoint"
    _replace(entrypoint, "timeout 5 getent ahostsv4 'host.docker.internal'", "true")
    for program in ("containerd", "ctr", "containerd-shim-runc-v2"):
        (tree / "usr/local/bin" / program).symlink_to(f"/usr/bin/{program}")
    (tree / "usr/local/sbin/runc").symlink_to("/usr/sbin/runc")
    (tree / "opt/cni/bin").symlink_to("/usr/lib/cni")
    (tree / "etc/containerd/cri-base.json").write_text(json.dumps(_base_spec(tree)))


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old not in text:
        raise Failed(f"{path.name} of {KIND} has no {old!r}: the node image needs a look")
    path.write_text(text.replace(old, new))


def _base_spec(tree: Path) -> dict[str, object]:
    """Return the OCI spec that containers start from: kind's changes, less CAP_SYS_RESOURCE."""
    spec: dict[str, object] = json.loads(debian.chroot(tree, "ctr", "oci", "spec"))
    process = spec["process"]
    assert isinstance(process, dict)
    process.pop("rlimits", None)
    process["capabilities"] = {
        kind: [name for name in names if name != "CAP_SYS_RESOURCE"]
        for kind, names in process["capabilities"].items()
    }
    spec["hooks"] = {"createContainer": [{"path": "/kind/bin/mount-product-files.sh"}]}
    return spec


def _add_programs(tree: Path, work: Path) -> None:
    shutil.copy(work / "node", tree / "usr/local/bin/node")
    for program in IN_NODE:
        (tree / "usr/bin" / program).symlink_to("/usr/local/bin/node")
    (tree / "kind/version").write_text(KUBERNETES)
    for manifest in (HERE / "node" / "kind").iterdir():
        shutil.copyfile(manifest, tree / "kind/manifests" / manifest.name)


def _kube(tree: Path, work: Path) -> Image:
    """Return the one image that is the control plane, kube-proxy and the CNI daemon."""
    plugins = [f"/{path.relative_to(tree)}" for path in tree.glob("usr/lib/*/xtables/*.so")]
    sbin = [f"/usr/sbin/{name}" for name in ("xtables-nft-multi", "xtables-legacy-multi", "nft")]
    programs = [*plugins, *sbin, "/usr/sbin/conntrack", "/usr/bin/kmod", "/usr/bin/dash"]
    files = debian.with_libraries(tree, programs)
    entries = {path: Entry(file) for path, file in files.items()}
    entries |= {name: Entry(f"usr/{name}") for name in ("bin", "sbin", "lib", "lib64")}
    entries |= {"tmp": Entry(mode=0o1777), "etc": Entry()}
    entries["usr/local/bin/node"] = Entry(work / "node")
    for program in ("etcd", "kindcni", *IN_CONTROL_PLANE):
        entries[f"usr/local/bin/{program}"] = Entry("node")
    for program in IPTABLES:
        entries[f"usr/sbin/{program}"] = Entry("xtables-nft-multi")
    entries |= {"usr/bin/sh": Entry("dash"), "usr/sbin/modprobe": Entry("../bin/kmod")}
    names = [f"{REGISTRY}/{name}:{KUBERNETES}" for name in IN_CONTROL_PLANE]
    names += [f"{REGISTRY}/etcd:{ETCD}", "docker.io/scratch-testbed/kindcni:1"]
    return Image(names, entries, {"Env": [PATH]}, compress=True)


def _pause(work: Path) -> Image:
    names = [f"{REGISTRY}/pause:{version}" for version in PAUSES]
    return Image(names, {"pause": Entry(work / "pause")}, {"Entrypoint": ["/pause"]})


def _coredns(work: Path) -> Image:
    names = [f"{REGISTRY}/coredns/coredns:{COREDNS}"]
    tree = {"coredns": Entry(work / "coredns")}
    return Image(names, tree, {"Entrypoint": ["/coredns"]}, compress=True)


def _preload(tree: Path, images: Path, work: Path) -> None:
    """Put images into the node's containerd, with a containerd of the host on the same folder."""
    state = work / "containerd"
    state.mkdir()
    socket, log = state / "sock", log_file("containerd")
    (state / "config.toml").write_text(
        f'version = 2\nroot = "{tree}/var/lib/containerd"\nstate = "{state}/state"\n'
        f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "{socket}"\n'
    )
    # one shell in a mount namespace of its own: whatever is mounted is gone when it ends
    script = (
        # it also makes folders in these two places of the host's
        "mount -n -t tmpfs tmpfs /run && mount -n -t tmpfs tmpfs /opt || exit 1\n"
        'containerd --config "$1" & server=$!\n'
        'for i in $(seq "$4"); do ctr -a "$2" version > /dev/null 2>&1 && break; sleep .1; done\n'
        'ctr -a "$2" -n k8s.io images import --snapshotter overlayfs "$3"; code=$?\n'
        "kill $server; wait $server; exit $code"
    )
    tries = str(round(CONTAINERD_SECONDS * 10))
    words = [state / "config.toml", socket, images, tries]
    run(["unshare", "-m", "sh", "-c", script, "sh", *words], log=log, timeout=300)


def _clean(tree: Path) -> None:
    for folder in ("tmp", "run"):
        shutil.rmtree(tree / folder)
        (tree / folder).mkdir()
    (tree / "tmp").chmod(0o1777)


def _write(tree: Path, target: Path) -> None:
    """Write the tree as a docker-archive; `docker import` could not set the stop signal."""
    layer = target.with_name("layer.tar")
    run(["tar", "-C", tree, "--numeric-owner", "--xattrs", "-cf", layer, "."], timeout=300)
    digest = hashlib.sha256()
    with layer.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    config = archive.describe(
        {
            "Env": [PATH, "container=docker"],
            "Entrypoint": ["/usr/local/bin/entrypoint", "/sbin/init"],
            # systemd ends on this signal; SIGTERM makes it execute itself anew
            "StopSignal": "SIGRTMIN+3",
        },
        digest.hexdigest(),
    )
    names = target.with_name("config.json"), target.with_name("manifest.json")
    names[0].write_bytes(config)
    names[1].write_text(json.dumps([archive.manifest_item("config.json", [tag()], "layer.tar")]))
    with tarfile.open(target, "w") as out:
        for path in (names[1], names[0], layer):
            out.add(path, path.name)
            path.unlink()
