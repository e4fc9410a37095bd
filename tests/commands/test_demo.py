"""What a demo leaves behind: nothing after its end, its logs after a failure; told to end, it takes its children with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from integrations.demo import folders
from integrations.demo.processes import MANAGE


def folder_of(pid: object, path: Path) -> Path:
    path.mkdir()
    (path / "demo.pid").write_text(str(pid))
    return path


def test_only_folders_whose_demo_is_no_more_are_removed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    over = folder_of(ended.pid, tmp_path / "demo.over")
    (over / "web.log").write_text("")
    kept = [folder_of(pid, tmp_path / f"demo.{name}") for name, pid in {"alive": os.getppid(), "odd": "x", "zero": 0}.items()]
    kept += [folder_of(ended.pid, tmp_path / "other")]
    (tmp_path / "demo.unmarked").mkdir()
    (tmp_path / "demo.mine").mkdir()

    folders.sweep(tmp_path / "demo.mine")

    assert not over.exists()
    assert all(each.exists() for each in (*kept, tmp_path / "demo.unmarked"))
    assert (tmp_path / "demo.mine" / "demo.pid").read_text() == str(os.getpid())


def test_a_folder_that_is_not_a_demos_is_left_alone(tmp_path: Path) -> None:
    over = folder_of(2**22 + 1, tmp_path / "demo.over")
    (tmp_path / "var").mkdir()

    folders.sweep(tmp_path / "var")
    folders.remove(tmp_path / "var")

    assert over.exists()
    assert list((tmp_path / "var").iterdir()) == []


def demo(folder: Path, **environment: str) -> subprocess.Popen[str]:
    folder.mkdir()
    known = {"PATH": os.environ["PATH"], "VAR_DIR": str(folder), **environment}
    return subprocess.Popen(
        [sys.executable, str(MANAGE), "demo", "--once", "--bills", "20"],
        env=known,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def children_of(folder: Path) -> list[int]:
    """Processes that were started with this folder as theirs, the demo itself left out."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            environ, command = (each / "environ").read_bytes(), (each / "cmdline").read_bytes()
        except OSError:
            continue
        if f"VAR_DIR={folder}".encode() in environ.split(b"\0") and b"demo" not in command.split(b"\0"):
            found.append(int(each.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="children are found in /proc")
def test_told_to_end_the_demo_takes_its_children_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "demo.x"
    with demo(folder) as process:
        patience = time.monotonic() + 60
        while not (folder / "sandboxes.log").exists() and time.monotonic() < patience:
            time.sleep(0.05)
        assert children_of(folder)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)

    assert "Stopped." in said
    assert process.returncode == 0
    assert children_of(folder) == []
    assert not folder.exists()


@pytest.mark.slow
def test_a_demo_that_fails_keeps_its_logs_and_tells_where_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "demo.x"
    with demo(folder, DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing") as process:
        said, _ = process.communicate(timeout=60)

    assert process.returncode != 0
    assert f"The logs are kept: {folder}/*.log" in said
    assert folder.exists()
