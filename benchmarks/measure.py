"""What every benchmark says about where it ran."""

import os
import platform

import torch
from rich.console import Console

from train.run_folder import commit

_WIDTH_OF_PIPES = 140
"""Tables are wider than the 80 columns that files and pipes get."""


def wide_console() -> Console:
    """A console that does not squeeze tables where nobody watches."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH_OF_PIPES)


def machine() -> str:
    """Cores, processor, GPU and commit in one line."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{os.cpu_count()} cores, {_processor()}, {gpu}, commit {commit()}"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    except OSError:
        return platform.processor() or platform.machine()
    return names[0] if names else platform.machine()
