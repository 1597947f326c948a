"""Record the README's picture: a real session on the testbed, rendered as an SVG.

``python tools/picture.py`` brings the testbed up and writes docs/session.svg. The app is the
demo's: an image from scratch, hardened, that crashes at once and has no shell.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
sys.path.insert(0, str(ROOT))

from tests.support.manifests import CRASH, HARDENED, a_pod  # noqa: E402
from tests.support.screen import Terminal  # noqa: E402

PICTURE = ROOT / "docs" / "session.svg"
POD, NAMESPACE = "shop", "demo"
PROMPT = "$"
SHELL = r"^app:\S*[#$]$"
SESSION = (
    (f"kubectl exec -it {POD} -- sh", r"^\$$"),
    (f"kubectl scratch debug {POD}", SHELL),
    ("id; touch /x", SHELL),
    ("run-app", SHELL),
    ("echo its code is $?", SHELL),
    ("show-app", SHELL),
    ("exit", r"^\$$"),
)
AFTER = ("kubectl get pods,jobs", rf"^pod/{POD} .*0/1.*\n(.*\n)*\$$")
OURS = ("-l", "app.kubernetes.io/managed-by=kubectl-scratch")
ROWS, COLUMNS = 60, 96
# rich's own template loads a font from a server: a picture in a README must not.
TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<title>A session of kubectl scratch</title>
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    """Run the session and write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        environ = make_environ(Path(folder) / "kubeconfig")
        kubectl(environ, "create", "namespace", NAMESPACE)
        try:
            kubectl(environ, "wait", "--for=create", "serviceaccount/default")
            pod = a_pod(POD, CRASH, securityContext=HARDENED)
            kubectl(environ, "apply", "-f", "-", stdin=json.dumps(pod))
            crashed = "--for=jsonpath={.status.containerStatuses[0].restartCount}=2"
            kubectl(environ, "wait", crashed, f"pod/{POD}", "--timeout=90s")
            PICTURE.write_text(render(record(environ)))
        finally:
            kubectl(environ, "delete", "namespace", NAMESPACE)
    print(f"wrote {PICTURE.relative_to(ROOT)}")


def make_environ(kubeconfig: Path) -> dict[str, str]:
    """Return an environment with the testbed's cluster and a namespace of the picture's own."""
    up = [sys.executable, "-m", "testbed", "up"]
    told = subprocess.run(up, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    shutil.copy(told.stdout.strip().removeprefix("export KUBECONFIG="), kubeconfig)
    environ = {
        **os.environ,
        "KUBECONFIG": str(kubeconfig),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PS1": f"{PROMPT} ",
    }
    kubectl(environ, "config", "set-context", "--current", f"--namespace={NAMESPACE}")
    return environ


def kubectl(environ: dict[str, str], *words: str, stdin: str = "") -> None:
    """Run kubectl quietly."""
    command = ["kubectl", *words]
    subprocess.run(
        command, env=environ, input=stdin, text=True, check=True, stdout=subprocess.DEVNULL
    )


def record(environ: dict[str, str]) -> Terminal:
    """Type the session as a person would; return the terminal with what it shows."""
    terminal = Terminal(["bash", "--norc", "--noprofile"], environ, rows=ROWS, columns=COLUMNS)
    terminal.wait_for(r"^\$$")
    for line, wanted in SESSION:
        enter(terminal, line, wanted)
    kubectl(environ, "wait", "--for=delete", "pods", *OURS, "--timeout=60s")
    enter(terminal, *AFTER)
    terminal.close()
    return terminal


def enter(terminal: Terminal, line: str, wanted: str) -> None:
    """Type a line, and wait for what it shows: a prompt that was there already does not count."""
    before = terminal.text()
    terminal.type(f"{line}\r")
    terminal.wait_for_more(before, wanted)


def render(terminal: Terminal) -> str:
    """Return the screen as an SVG."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    rows = terminal.text().count("\n") + 1
    for number in range(rows - 1):
        console.print(styled(terminal, number), no_wrap=True)
    return console.export_svg(
        title=f"kubectl scratch debug {POD}",
        theme=MONOKAI,
        code_format=TEMPLATE,
        unique_id="scratch",
    )


def styled(terminal: Terminal, number: int) -> Text:
    """Return a line of the screen with its colours; what was typed stands out."""
    row = terminal.screen.buffer[number]
    text = Text("".join(row[column].data for column in range(COLUMNS)).rstrip())
    for column in range(len(text)):
        cell = row[column]
        if cell.fg != "default" or cell.bold:
            colour = None if cell.fg == "default" else Color.parse(cell.fg)
            text.stylize(Style(color=colour, bold=cell.bold), column, column + 1)
    for prompt in ("$ ", "app:/# "):
        if text.plain.startswith(prompt):
            text.stylize("bold", len(prompt))
            text.stylize("green", 0, len(prompt))
    return text


if __name__ == "__main__":
    main()
