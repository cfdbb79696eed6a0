"""How calm, how late and how true face landmarks are: anybody's, on films whose truth is known.

python -m benchmarks.jitter kit DIR                       # write the films and the rules
python -m benchmarks.jitter score DIR TRACKS… --page P    # figures of any tracker or filter
python -m benchmarks.jitter film CLIP TRACKS…             # of a film without truth
python -m benchmarks.jitter real FIGURES.json --films DIR   # do virtual and real films agree?
python -m benchmarks.jitter page FIGURES.json P.html      # the page again
python -m benchmarks.jitter [compare] --data 300w         # our tracker, our filter and others
"""

import sys
from collections.abc import Sequence
from importlib import import_module

_COMMANDS = {
    "kit": "kit.kit_command",
    "score": "score.score_command",
    "film": "film.film_command",
    "real": "real.real_command",
    "page": "page.page_command",
    "compare": "compare_filters",
}


def main(flags: Sequence[str] | None = None) -> None:
    """Hand over to a command; without the name of one, to `compare`."""
    flags = sys.argv[1:] if flags is None else list(flags)
    if flags[:1] in (["-h"], ["--help"]):
        sys.stdout.write(__doc__ or "")
        return
    name, rest = (flags[0], flags[1:]) if flags and flags[0] in _COMMANDS else ("compare", flags)
    import_module(f"benchmarks.jitter.{_COMMANDS[name]}").main(rest)


if __name__ == "__main__":
    main()
