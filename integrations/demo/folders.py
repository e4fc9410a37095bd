"""The folders that starts of the demo have for themselves, ``demo.*``, each with the process id of its demo in it."""

import os
import shutil
from pathlib import Path

_PID = "demo.pid"


def sweep(mine: Path) -> None:
    """Mark this demo's folder as in use, and remove those beside it whose demo is no more. A folder that tells no process id stays."""
    if not _is_demo(mine):
        return
    (mine / _PID).write_text(str(os.getpid()))
    for folder in mine.parent.glob("demo.*"):
        if folder != mine and folder.is_dir() and not folder.is_symlink() and _is_over(folder):
            remove(folder)


def remove(folder: Path) -> None:
    if _is_demo(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _is_demo(folder: Path) -> bool:
    return folder.name.startswith("demo.")


def _is_over(folder: Path) -> bool:
    try:
        pid = int((folder / _PID).read_text())
        if pid > 0:
            os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):  # no id, or a process of somebody else
        return False
    return False
