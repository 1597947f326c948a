"""Build what is published: the krew archive with its manifest, an sdist and a wheel.

``python tools/dist.py [NAME]`` writes to dist/. NAME is the plugin's, "scratch" by default. The
archive is reproducible: pinned packages without machine code (packaging/lib.txt), sorted, one
time, no owner, no bytecode.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGING = ROOT / "packaging"
TEMPLATE = ROOT / "plugin.yaml"
NAME = "scratch"
# A stamp for make, what is published packed, and what a killed copy has left.
NOT_PUBLISHED = shutil.ignore_patterns("made", ".*", "busybox-amd64", "busybox-arm64")
# What lies in the packages and nobody runs: their tests, caches, metadata.
UNUSED = ("__pycache__", "tests", "test", "*_test.py", "*.dist-info", "*.egg-info", "bin", "*.pyi")
# What goes into pods, with what its licence asks for.
DATA = (
    *("applets", "busybox-amd64.lz4", "busybox-arm64.lz4", "seed-amd64", "seed-arm64"),
    *("CONFIG.busybox", "LICENSE.busybox", "SOURCE.busybox"),
)
LICENCES = re.compile(r"(?i)(licen[cs]e|copying|notice|authors)")
# The oldest time that a zip has, too; what is not under version control has no time of its own.
EPOCH = 315532800


def main() -> int:
    """Build all, or the archive alone if the name is another; return the exit code."""
    parser = argparse.ArgumentParser(prog="dist", description="Build what is published.")
    parser.add_argument("name", nargs="?", default=NAME, help="the plugin's name")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="DIR")
    given = parser.parse_args()
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", given.name):
        parser.error(f"{given.name!r} can't be the name of a plugin")
    given.output.mkdir(parents=True, exist_ok=True)
    made = build_archive(given.name, given.output)
    if given.name == NAME:
        made += build_packages(given.output)
    for path in made:
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path}")
    return 0


def build_archive(name: str, output: Path) -> list[Path]:
    """Build the krew archive and its manifest; return both."""
    archive, manifest = output / f"{name}.tar.gz", output / f"{name}.yaml"
    with tempfile.TemporaryDirectory() as folder:
        say("installing the packages of packaging/lib.txt")
        write_archive(build_tree(Path(folder), name), archive, time_of_source())
    manifest.write_text(fill_in(TEMPLATE.read_text(), name, archive))
    return [archive, manifest]


def build_tree(folder: Path, name: str) -> Path:
    """Lay out what the archive holds; return its folder."""
    tree, lib, licences = (folder / part for part in ("tree", "tree/lib", "tree/licenses"))
    install_packages(lib)
    for metadata in sorted(lib.glob("*.dist-info")):
        keep_licences(metadata, licences / metadata.name.removesuffix(".dist-info"))
    shutil.copytree(ROOT / "kubectl_scratch", lib / "kubectl_scratch", ignore=NOT_PUBLISHED)
    for pattern in UNUSED:
        for path in sorted(lib.rglob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    rename_plugin(lib / "kubectl_scratch" / "runtime" / "names.py", name)
    shutil.copy(PACKAGING / "start.py", lib / "start.py")
    shutil.copy(ROOT / "LICENSE", tree / "LICENSE")
    launcher = tree / program(name)
    shutil.copy(PACKAGING / "launcher.sh", launcher)
    launcher.chmod(0o755)
    check(tree)
    return tree


def install_packages(lib: Path) -> None:
    """Install the pinned packages, none of which has machine code."""
    how = ["--require-hashes", "--no-deps", "--no-compile", "--no-binary", "pyyaml"]
    where = ["--quiet", "--disable-pip-version-check", "--target", str(lib)]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *where, *how, "-r", str(PACKAGING / "lib.txt")],
        env={**os.environ, "PYYAML_FORCE_LIBYAML": "0"},
        check=True,
    )


def keep_licences(metadata: Path, folder: Path) -> None:
    """Copy a package's licence files; raises SystemExit if it has none."""
    found = [path for path in sorted(metadata.rglob("*")) if LICENCES.match(path.name)]
    files = [path for path in found if path.is_file()]
    if not files:
        raise SystemExit(f"dist: {metadata.name} has no licence file")
    folder.mkdir(parents=True)
    for path in files:
        shutil.copyfile(path, folder / path.name)


def rename_plugin(names: Path, name: str) -> None:
    """Set the name in names.py."""
    text, count = re.subn(
        r'^PLUGIN = ".*"$', f'PLUGIN = "{name}"', names.read_text(), flags=re.MULTILINE
    )
    assert count == 1
    names.write_text(text)


def program(name: str) -> str:
    """Return the file that kubectl looks for."""
    return f"kubectl-{name.replace('-', '_')}"


def check(tree: Path) -> None:
    """Raise SystemExit if the archive has what it must not have, or misses what it must have."""
    data = tree / "lib" / "kubectl_scratch" / "toolkit" / "data"
    for name in DATA:
        if not (data / name).is_file():
            raise SystemExit(f"dist: data/{name} is missing; make seed makes it")
    for path in tree.rglob("*"):
        if path.is_symlink() or path.suffix in (".so", ".dylib", ".pyd", ".pyc"):
            raise SystemExit(f"dist: {path.relative_to(tree)} must not be in the archive")


def write_archive(tree: Path, archive: Path, time: int) -> None:
    """Write the tree as a tar.gz that depends on nothing but its content and ``time``."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(tree.rglob("*"), key=lambda path: path.relative_to(tree).parts):
            entry = tar.gettarinfo(str(path), str(path.relative_to(tree)))
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = time
            entry.mode = 0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644
            with path.open("rb") if path.is_file() else io.BytesIO() as content:
                tar.addfile(entry, content)
    archive.write_bytes(gzip.compress(packed.getvalue(), 9, mtime=0))


def time_of_source() -> int:
    """Return $SOURCE_DATE_EPOCH, or the time of the last commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    command = ["git", "log", "-1", "--format=%ct"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return int(told.stdout or EPOCH)


def version() -> str:
    """Return the version, without running the package."""
    tree = ast.parse((ROOT / "kubectl_scratch" / "__init__.py").read_text())
    (found,) = (n.value for n in tree.body if isinstance(n, ast.Assign))
    return str(ast.literal_eval(found))


def fill_in(template: str, name: str, archive: Path) -> str:
    """Return the manifest of an archive."""
    sha = hashlib.sha256(archive.read_bytes()).hexdigest()
    head = "".join(line for line in template.splitlines(True) if line.startswith("#"))
    return (
        template.removeprefix(head)
        .replace("{{NAME}}", name)
        .replace("{{PROGRAM}}", program(name))
        .replace("{{VERSION}}", f"v{version()}")
        .replace("{{SHA256}}", sha)
    )


def build_packages(output: Path) -> list[Path]:
    """Build an sdist, and a wheel of it."""
    say("building sdist and wheel")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "build", "--outdir", folder, str(ROOT)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise SystemExit(done.stdout)
        built = sorted(Path(folder).iterdir())
        return [Path(shutil.copyfile(path, output / path.name)) for path in built]


def say(text: str) -> None:
    """Tell what happens."""
    print(f"dist: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
