"""The examples run, as they stand, on a clip of the portrait."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pythonosc.osc_bundle import OscBundle
from test_library import CHECKOUT, folder  # noqa: F401

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, *arguments: str, cwd: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
        cwd=cwd, env=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_examples_are_short() -> None:
    names = sorted(path.name for path in EXAMPLES.glob("*.py"))
    assert names == ["attention_log.py", "avatar_vmc.py", "own_loop.py"]
    for name in names:
        assert len((EXAMPLES / name).read_text(encoding="utf-8").splitlines()) <= 30


def test_the_loop_prints_a_nose_in_every_frame(folder: Path) -> None:  # noqa: F811
    lines = run("own_loop.py", "clip.mp4", cwd=folder)
    assert len(lines) == 9
    assert all("face 0" in line and "±" in line for line in lines)


def test_the_log_says_when_somebody_faces_the_camera(folder: Path) -> None:  # noqa: F811
    assert run("attention_log.py", "clip.mp4", cwd=folder) == ["0.000,0,looks"]


def test_the_avatar_gets_its_bundles(folder: Path) -> None:  # noqa: F811
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        (said,) = run("avatar_vmc.py", "clip.mp4", address, cwd=folder)
        first = {message.address for message in OscBundle(receiver.recv(65_536))}
    assert said.startswith(f"VMC to {address}: ")
    assert {"/VMC/Ext/OK", "/VMC/Ext/T", "/VMC/Ext/Bone/Pos", "/VMC/Ext/Blend/Apply"} <= first


def test_the_cells_of_the_notebook_run(tmp_path: Path) -> None:
    notebook = json.loads((EXAMPLES / "notebook.ipynb").read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in cells)  # nobody's results are committed
    code = "\n".join("".join(cell["source"]) for cell in cells)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=CHECKOUT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    parts = {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines()}
    assert parts["jaw"] > parts["eyes"] > 0
    assert (tmp_path / "overlay.png").stat().st_size > 10_000


def test_a_stream_of_no_known_protocol_is_refused() -> None:
    from tracker import open_stream  # noqa: PLC0415

    with pytest.raises(ValueError, match="vmc, osc, openseeface, websocket"):
        open_stream("smoke signals", "127.0.0.1:1")
