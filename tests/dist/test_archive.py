"""The krew archive: reproducible, and as krew wants it."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dist.conftest import ROOT, build, unpack
from tests.support.krew import problems

Change = Callable[[dict[str, Any]], Any]


def test_two_builds_are_the_same(built: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    for name in ("scratch.tar.gz", "scratch.yaml"):
        assert (built / name).read_bytes() == (again / name).read_bytes()


def test_krew_would_take_it(built: Path) -> None:
    assert problems(built / "scratch.yaml", built / "scratch.tar.gz") == []


def test_one_word_makes_it_a_plugin_of_another_name(tmp_path: Path) -> None:
    build(tmp_path / "dist", "debug-scratch")
    manifest, archive = (tmp_path / "dist" / f"debug-scratch.{e}" for e in ("yaml", "tar.gz"))
    assert problems(manifest, archive) == []
    link = unpack(archive, tmp_path)
    assert link.name == "kubectl-debug_scratch"
    told = subprocess.run([link, "debug", "--help"], check=True, stdout=subprocess.PIPE, text=True)
    assert "kubectl debug-scratch debug mypod" in told.stdout
    assert "kubectl scratch" not in told.stdout


SEEDS = ("seed-amd64", "seed-arm64")
IN_PODS = ("busybox-amd64.lz4", "busybox-arm64.lz4", *SEEDS)
WITH_THEM = ("applets", *(f"{name}.busybox" for name in ("CONFIG", "LICENSE", "SOURCE")))


def test_it_has_machine_code_for_pods_alone_and_each_package_a_licence(built: Path) -> None:
    with tarfile.open(built / "scratch.tar.gz") as tar:
        names = tar.getnames()
        files = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        programs = {name for name, file in files.items() if file and file.read(4) == b"\x7fELF"}
    assert programs == {f"lib/kubectl_scratch/toolkit/data/{name}" for name in SEEDS}
    assert not [name for name in names if name.endswith((".so", ".dylib", ".pyd", ".pyc"))]
    packages = {name.split("/")[1] for name in names if name.startswith("lib/")}
    licensed = {name.split("/")[1] for name in names if name.count("/") == 2 and "licenses" in name}
    # What lies in lib/ besides packages that are named as their licences' folders.
    others = {"_yaml", "dateutil", "websocket", "yaml", "six.py", "start.py", "kubectl_scratch"}
    folders = {name.rpartition("-")[0] for name in licensed}
    assert packages - others <= folders
    assert {"pyyaml", "python_dateutil", "websocket_client", "six"} <= folders


def contents(archive: Path, folder: str) -> dict[str, bytes]:
    """Return the files that an archive has below a folder, by their path in it."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            found = {name: wheel.read(name) for name in wheel.namelist()}
    else:
        with tarfile.open(archive) as tar:
            files = ((member.name, tar.extractfile(member)) for member in tar)
            found = {name: file.read() for name, file in files if file}
    return {name.partition(folder)[2]: data for name, data in found.items() if folder in name}


def test_all_that_is_published_has_what_goes_into_pods(built: Path) -> None:
    data = ROOT / "kubectl_scratch" / "toolkit" / "data"
    wanted = {name: (data / name).read_bytes() for name in (*IN_PODS, *WITH_THEM)}
    archives = [path for path in sorted(built.iterdir()) if path.suffix in (".gz", ".whl")]
    assert len(archives) == 3
    scripts = ROOT / "kubectl_scratch" / "toolkit" / "shell"
    shell = {path.name: path.read_bytes() for path in scripts.iterdir()}
    for archive in archives:
        assert contents(archive, "kubectl_scratch/toolkit/data/") == wanted
        assert contents(archive, "kubectl_scratch/toolkit/shell/") == shell


def test_the_source_of_the_seed_goes_with_the_source(built: Path) -> None:
    (sdist,) = built.glob("kubectl_scratch-*.tar.gz")
    seed = ROOT / "seed"
    files = (path for path in seed.rglob("*") if path.is_file())
    wanted = {str(path.relative_to(seed)): path.read_bytes() for path in files}
    assert contents(sdist, "/seed/") == wanted


def test_the_release_bot_has_the_same_manifest(built: Path) -> None:
    made = yaml.safe_load((built / "scratch.yaml").read_text())
    bot = (ROOT / ".krew.yaml").read_text().replace("{{ .TagName }}", made["spec"]["version"])
    (line,) = (line for line in bot.splitlines() if "addURIAndSha" in line)
    (platform,) = made["spec"]["platforms"]
    assert f'"{platform["uri"]}"' in line
    bot = bot.replace(line, f"    uri: {platform['uri']}\n    sha256: {platform['sha256']}")
    assert yaml.safe_load(bot) == made


def set_in(*path: str | int, value: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        found: Any = document
        for part in path[:-1]:
            found = found[part]
        found[path[-1]] = value

    return change


PLATFORM = ("spec", "platforms", 0)


@pytest.mark.parametrize(
    "change, told",
    [
        (set_in("metadata", "name", value="a b"), "can't be the name"),
        (set_in("metadata", "name", value="nul"), "can't be the name"),
        (set_in("metadata", "name", value="other"), "the file is"),
        (set_in("spec", "shortDescription", value="x" * 51), "shortDescription"),
        (set_in("spec", "shortDescription", value="two\nlines"), "shortDescription"),
        (set_in("spec", "version", value="0.1.0"), "version"),
        (set_in(*PLATFORM, "sha256", value="A" * 64), "sha256"),
        (set_in(*PLATFORM, "files", value=[]), "files"),
        (set_in(*PLATFORM, "bin", value="other"), "not a program"),
        (
            set_in(*PLATFORM, "selector", value={"matchLabels": {"os": "linux"}}),
            "darwin/arm64 has 0",
        ),
    ],
)
def test_a_broken_manifest_is_refused(
    built: Path, tmp_path: Path, change: Change, told: str
) -> None:
    document = yaml.safe_load((built / "scratch.yaml").read_text())
    change(document)
    broken = tmp_path / "scratch.yaml"
    broken.write_text(yaml.safe_dump(document))
    assert any(told in line for line in problems(broken, built / "scratch.tar.gz"))


def a_link(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.type, info.linkname = tarfile.SYMTYPE, "kubectl-scratch"
    return info


def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    return info


@pytest.mark.parametrize(
    "name, shape, told",
    [
        ("kubectl-link", a_link, "neither a file nor a folder"),
        ("lib/../escape", plain, "lead out"),
    ],
)
def test_a_broken_archive_is_refused(
    built: Path,
    tmp_path: Path,
    name: str,
    shape: Callable[[tarfile.TarInfo], tarfile.TarInfo],
    told: str,
) -> None:
    archive, manifest = tmp_path / "scratch.tar.gz", tmp_path / "scratch.yaml"
    with tarfile.open(archive, "w:gz") as tar:
        for made in ("LICENSE", "kubectl-scratch"):
            tar.addfile(tarfile.TarInfo(made), io.BytesIO())
        tar.addfile(shape(tarfile.TarInfo(name)), io.BytesIO())
    shutil.copy(built / "scratch.yaml", manifest)
    sha = hashlib.sha256(archive.read_bytes()).hexdigest()
    document = yaml.safe_load(manifest.read_text())
    document["spec"]["platforms"][0]["sha256"] = sha
    manifest.write_text(yaml.safe_dump(document))
    found = problems(manifest, archive)
    assert any(told in line for line in found)
    # Its program has no exec bit.
    assert "kubectl-scratch is not a program of the archive" in found
