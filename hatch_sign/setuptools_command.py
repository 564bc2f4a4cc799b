"""``python setup.py sdist bdist_wheel sign``, for who still builds so: signs what the commands before it have built.

setuptools imports this when the command is asked for. Builds by other front ends use ``hatch_sign.backend``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from setuptools import Command

from hatch_sign.building.voice import PlainVoice


class Sign(Command):  # type: ignore[misc] # setuptools is looked at without its types
    """Signs, verifies, and takes away what cannot be signed, as the project's configuration says."""

    description = "sign what was built, with the key in [tool.hatch-sign]"
    user_options: ClassVar[list[tuple[str, str, str]]] = []
    command_name = "sign"

    def initialize_options(self) -> None:
        """Take no option: the configuration says all."""

    def finalize_options(self) -> None:
        """Take no option, as above."""

    def run(self) -> None:
        """Sign every distribution that this run of ``setup.py`` has built; end it where one cannot be signed."""
        from hatch_sign.building.build import Build  # noqa: PLC0415 - listing the commands must not load what signs

        voice = PlainVoice(os.environ)
        files = built_files(self.distribution.dist_files)
        if not files:
            voice.abort("nothing was built by this run; write `setup.py sdist bdist_wheel sign`, in this order", 2)
        builds = {folder: Build(Path.cwd(), folder, os.environ, voice) for folder in {file.parent for file in files}}
        for build in builds.values():
            build.start()
        for file in files:
            builds[file.parent].sign(file)


def built_files(dist_files: Sequence[tuple[str, str, str]]) -> tuple[Path, ...]:
    """Return what setuptools has noted of its commands, absolute and each once: command, version of Python, and file."""
    return tuple(dict.fromkeys(Path(file).absolute() for _, _, file in dist_files))
