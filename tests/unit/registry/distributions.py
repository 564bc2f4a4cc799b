"""Real distributions for one test: a module and its metadata, written as an installer would, into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BACKEND = """\
from contextlib import contextmanager

from hatch_sign.contract import hookimpl


class Backend:
    name = "example"
    uri_schemes = ("example",)

    @contextmanager
    def open(self, reference, context):
        yield None


@hookimpl
def hatch_sign_register_backend():
    return Backend()
"""
"""The module of a plugin that keeps the contract."""


def write_distribution(
    folder: Path, name: str, *, entry_points: Mapping[str, str], source: str, version: str = "1.0"
) -> str:
    """Write distribution `name`, whose one module has this `source`; return the module's name.

    `entry_points` maps names to the objects that they name; ``{module}`` in one stands for the module.
    """
    module = name.replace("-", "_")
    information = folder / f"{module}-{version}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"{point} = {target.format(module=module)}" for point, target in entry_points.items()]
    (information / "entry_points.txt").write_text("[hatch_sign]\n" + "\n".join(lines) + "\n")
    (folder / f"{module}.py").write_text(source)
    return module
