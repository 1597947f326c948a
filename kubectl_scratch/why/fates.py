"""What became of the app and of its processes, seen from the end of the run."""

from __future__ import annotations

from kubectl_scratch.why.report import Run, TracedProcess
from kubectl_scratch.why.wording import process_of

# How soon a parent ends because of its child, in ms.
BECAUSE = 2000
# So often makes what is tried again and again.
RETRIES = 3


def went_wrong(run: Run) -> bool:
    """Say whether the app failed, or goes on while its children fail again and again."""
    if not run.running:
        return run.code != 0
    if run.listening:
        return False
    failed: dict[tuple[str, ...], int] = {}
    for process in run.processes:
        if process.code or process.signal:
            failed[process.words] = failed.get(process.words, 0) + 1
    return max(failed.values(), default=0) >= RETRIES


def fate_of(run: Run, pid: int) -> str:
    """Say what became of a process, seen from the app's end."""
    if pid in (0, run.pid):
        return "its own"
    process = process_of(run, pid)
    if process is None:
        return "unknown"
    if process.end is None:
        return "its own"
    if process.code == 0:
        return "went well"
    return "ended the app" if _ended_its_parents(run, process) else "was survived"


def _ended_its_parents(run: Run, process: TracedProcess) -> bool:
    """Say whether each process up to the app ended soon after its child."""
    for _ in range(64):
        if process.pid == run.pid or process.end is None:
            return True
        parent = process_of(run, process.parent)
        end = parent.end if parent and parent.pid != run.pid else (None if run.running else run.at)
        if end is None or end - process.end > BECAUSE:
            return False
        if parent is None or parent.pid == process.pid:
            return True
        process = parent
    return False
