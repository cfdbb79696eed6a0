"""OSC messages as one bundle, encoded by `python-osc`."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from ..errors import SinkError

Argument = tuple[str, Any]
"""OSC's type tag and a value: i 32-bit integer, f float, d double, s text."""


class BundleWriter:
    """Encodes messages that belong together, to be used at once.

    Raises:
        SinkError: If `python-osc` is not installed.
    """

    def __init__(self) -> None:
        try:
            self._bundles = import_module("pythonosc.osc_bundle_builder")
            self._messages = import_module("pythonosc.osc_message_builder")
        except ImportError as error:
            raise SinkError(
                f"OSC needs python-osc ({error}): run pip install 'star-tracker[streams]'"
            ) from error

    def __call__(self, messages: Iterable[tuple[str, Iterable[Argument]]]) -> bytes:
        """The bundle as a datagram."""
        bundle = self._bundles.OscBundleBuilder(self._bundles.IMMEDIATELY)
        for address, arguments in messages:
            message = self._messages.OscMessageBuilder(address=address)
            for tag, value in arguments:
                message.add_arg(value, tag)
            bundle.add_content(message.build())
        return bytes(bundle.build().dgram)


def floats(values: Iterable[Any]) -> list[Argument]:
    """Arguments of type f."""
    return [("f", float(value)) for value in values]
