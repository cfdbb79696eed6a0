"""The installed package: one import name, beside somebody else's packages of our folders' names."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from pathlib import Path

import pytest
from test_library import SNIPPETS, folder  # noqa: F401
from test_signals_and_streams import hears

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as pip would build it, with the build backend that is installed here."""
    output = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(output)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (built,) = output.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel and a foreign one that owns `models` and `tracker`.

    It sees the dependencies that are installed here, but not this checkout.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    inside = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    foreign = home / "foreign-1.0-py3-none-any.whl"
    with zipfile.ZipFile(foreign, "w") as archive:
        for name in ("models", "tracker", "train"):
            archive.writestr(f"{name}/__init__.py", f"WHO = 'somebody else: {name}'\n")
        archive.writestr("foreign-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: foreign\n")
        archive.writestr("foreign-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    for path in (wheel, foreign):
        zipfile.ZipFile(path).extractall(inside)
    # Not followed further: the checkout's own .pth files stay behind.
    (inside / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / ("Scripts" if os.name == "nt" else "bin") / "python"


def run(python: Path, *arguments: str, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [python, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_owns_one_name_and_brings_the_default_weights(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"star_tracker"}
    assert "star_tracker/models/weights/lite-300w.onnx" in names
    assert "star_tracker/py.typed" in names
    assert "star_tracker/tracker/serve/page/index.html" in names
    assert not [name for name in names if "train" in name or "test" in name.split("/")[-1]]
    described = next(name for name in names if name.endswith("METADATA"))
    needed = [
        re.split(r"[<>=!~;\[ ]", line.split(":")[1].strip())[0]
        for line in zipfile.ZipFile(wheel).read(described).decode().splitlines()
        if line.startswith("Requires-Dist") and "extra ==" not in line
    ]
    assert not {"torch", "h5py", "matplotlib", "jax", "safetensors"} & set(needed)
    assert len([one for one in needed if one.startswith("opencv")]) == 1


def test_it_lives_beside_packages_that_own_models_and_tracker(python: Path, tmp_path: Path) -> None:
    code = (
        "import models, tracker, train, star_tracker\n"
        "print(models.WHO, tracker.WHO, train.WHO, sep='; ')\n"
        "print(star_tracker.tracker.__name__, star_tracker.models.__name__)\n"
        "print(len(star_tracker.FaceTracker(star_tracker.load_landmarker()).layout.name))\n"
    )
    printed = run(python, "-c", code, cwd=tmp_path).splitlines()
    assert printed[0] == ("somebody else: models; somebody else: tracker; somebody else: train")
    assert printed[1:] == ["star_tracker.tracker star_tracker.models", "7"]


def test_the_snippets_of_the_manual_run_installed(
    python: Path,
    folder: Path,  # noqa: F811
) -> None:
    for code in SNIPPETS:
        if "VideoCapture(0)" not in code:
            assert run(python, "-c", code, cwd=folder)


def test_the_command_tracks_the_demo(python: Path, tmp_path: Path) -> None:
    printed = run(python, "-m", "star_tracker", "demo", cwd=tmp_path)
    assert "jitter while still" in printed
    assert (tmp_path / "demo-output/overlay.mp4").stat().st_size > 10_000
    entry = next(python.parent.parent.rglob("star_tracker-*.dist-info/entry_points.txt"))
    assert "run-tracker = star_tracker.__main__:main" in entry.read_text()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("wait_s", [0.0, 0.3])
def test_ctrl_c_while_the_command_loads_ends_without_a_traceback(
    python: Path, tmp_path: Path, wait_s: float
) -> None:
    code = "import sys; from star_tracker.__main__ import main; sys.exit(main(['demo']))"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    with subprocess.Popen(
        [python, "-c", code], cwd=tmp_path, env=environment, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 60
        while not hears(process, signal.SIGTERM):  # SIGINT Python itself hears from the beginning
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(wait_s)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (130, "")


def test_importing_it_loads_nothing_until_it_is_asked(python: Path, tmp_path: Path) -> None:
    code = (
        "import sys, star_tracker\n"
        "print('numpy' in sys.modules, star_tracker.Face.__name__, 'numpy' in sys.modules)\n"
        "from star_tracker import *\n"
        "print(FaceTracker.__name__, tracker.__name__)"
    )
    printed = run(python, "-c", code, cwd=tmp_path)
    assert printed == "False Face True\nFaceTracker star_tracker.tracker\n"
