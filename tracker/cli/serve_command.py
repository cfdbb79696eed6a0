"""`run_tracker.py serve`: a page for the browser's camera and for files."""

import argparse
import secrets
import socket
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

from rich.console import Console

from ..errors import FaceTrackError
from ..face_tracker import FaceTracker
from ..landmarker import on_frames
from ..run.shared_landmarker import SharedLandmarker
from ..run.summary import StopRequest
from ..serve.access import AccessRules, ServeLimits, is_loopback
from ..streams.address import NetAddress
from ..tracker_config import TrackerConfig
from .arguments import add_network_flags
from .asked_networks import Networks, landmarker_of, load_analysis_networks, settle_weights
from .flag_types import port, positive

SERVE = "serve"
"""Names this command, whatever file is called so."""
_SHORTEST_TOKEN = 16


def build_serve_parser() -> argparse.ArgumentParser:
    """Its flags."""
    defaults, limits = TrackerConfig(), ServeLimits()
    parser = argparse.ArgumentParser(
        prog="run_tracker.py serve",
        description="Serve a page that shows the browser's camera with its landmarks, and makes "
        "tables of files. Nothing is stored. Ctrl-C ends it.",
    )
    parser.add_argument(
        "--host", default="127.0.0.1",
        help="where to listen; other than on this machine alone a token is needed, which is part "
        "of the address that is printed (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--port", type=port, default=8000, help="(default: %(default)s)")
    parser.add_argument("--token", help="of your own, at least 16 characters")
    parser.add_argument(
        "--certificate", type=Path, metavar="PEM",
        help="serve https, without which phones give no camera to a page; needs --key",
    )  # fmt: skip
    parser.add_argument("--key", type=Path, metavar="PEM", help="of the certificate")
    parser.add_argument(
        "--max-upload-mb", type=positive, default=limits.upload_bytes // 1_000_000, metavar="MB",
        help="largest file (default: %(default)s)",
    )  # fmt: skip
    tracking = parser.add_argument_group("tracking")
    add_network_flags(tracking)
    tracking.add_argument("--max-faces", type=positive, default=defaults.max_faces, metavar="N")
    tracking.add_argument(
        "--smoothing", type=float, default=defaults.smoothing, metavar="0..1",
        help="trades jitter against lag (default: %(default)s)",
    )  # fmt: skip
    return parser


def run_serve(argv: Sequence[str], networks: Networks, request: StopRequest) -> int:
    """Serve the page until the request to stop; returns the exit status.

    Raises:
        FaceTrackError: If something is missing, wrong or taken.
    """
    arguments, console = build_serve_parser().parse_args(argv), Console()
    settle_weights(arguments)
    try:
        web_app = import_module("..serve.web_app", __package__)
        web_server = import_module("..serve.web_server", __package__)
    except ImportError as error:
        raise FaceTrackError(
            f"serve needs more ({error}): run pip install 'star-tracker[serve]'"
        ) from error
    try:
        config = TrackerConfig(max_faces=arguments.max_faces, smoothing=arguments.smoothing)
    except ValueError as error:
        raise FaceTrackError(str(error)) from error
    limits = ServeLimits(upload_bytes=arguments.max_upload_mb * 1_000_000)
    token = _token(arguments)
    _check_certificate(arguments)
    network = SharedLandmarker(on_frames(landmarker_of(arguments, networks)))

    def new_tracker() -> FaceTracker:
        return FaceTracker(network, None, config)

    page = web_app.TrackerPage(
        new_tracker, AccessRules(token), limits, load_analysis_networks(networks)
    )

    def started(port: int) -> None:
        scheme = "https" if arguments.certificate else "http"
        secret = f"#token={quote(token, safe='')}" if token else ""
        address = f"{scheme}://{NetAddress(reached_at(arguments.host), port)}/{secret}"
        console.print(f"open {address}\nCtrl-C ends", highlight=False, markup=False, soft_wrap=True)
        if token and not arguments.certificate:
            console.print("browsers give cameras to https pages only: add --certificate and --key")

    listening = web_server.Listening(
        arguments.host, arguments.port, arguments.certificate, arguments.key
    )
    web_server.serve_until(request.stop, page.application(), listening, limits.frame_bytes, started)
    return 0


def reached_at(host: str) -> str:
    """What other machines call this one, where it listens on all its addresses."""
    if host not in ("0.0.0.0", "::"):
        return host
    family, far = (
        (socket.AF_INET6, "2001:db8::1") if host == "::" else (socket.AF_INET, "192.0.2.1")
    )
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((far, 9))  # sends nothing, and chooses the address to send it from
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])


def _token(arguments: argparse.Namespace) -> str | None:
    """The user's own, or a new one where other machines are served."""
    if arguments.token is not None:
        if len(arguments.token) < _SHORTEST_TOKEN:
            raise FaceTrackError(f"--token: give at least {_SHORTEST_TOKEN} characters")
        return str(arguments.token)
    return None if is_loopback(arguments.host) else secrets.token_urlsafe(16)


def _check_certificate(arguments: argparse.Namespace) -> None:
    if (arguments.certificate is None) != (arguments.key is None):
        raise FaceTrackError("--certificate and --key belong together: give both")
