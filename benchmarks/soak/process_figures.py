"""What a process holds: memory, threads and descriptors, as Linux counts them."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Held:
    """At one moment."""

    second: float
    megabytes: float
    """Resident."""
    threads: int
    descriptors: int


def held_now(second: float) -> Held:
    """Of this process.

    Args:
        second: Noted with it.

    Raises:
        FileNotFoundError: On a system without `/proc`.
    """
    status = Path("/proc/self/status").read_text()
    numbers = {
        line.split(":")[0]: line.split()[1] for line in status.splitlines() if len(line.split()) > 1
    }
    descriptors = len(os.listdir("/proc/self/fd"))
    return Held(second, int(numbers["VmRSS"]) / 1024, int(numbers["Threads"]), descriptors)


def growth(samples: list[Held]) -> dict[str, float]:
    """From the second quarter of the samples to the last one, by medians; what warms up is over.

    Returns:
        Megabytes, threads and descriptors that came, and megabytes at most.
    """
    quarter = max(len(samples) // 4, 1)
    early, late = samples[quarter : 2 * quarter] or samples[:1], samples[-quarter:]

    def came(name: str) -> float:
        first, last = (
            sorted(getattr(one, name) for one in part)[len(part) // 2] for part in (early, late)
        )
        return float(last - first)

    names = ("megabytes", "threads", "descriptors")
    return {name: came(name) for name in names} | {"most_mb": max(s.megabytes for s in samples)}
