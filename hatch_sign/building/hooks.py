"""The hooks of PEP 517 around those of another backend: what it builds is signed, or the reason is said why not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

from hatch_sign.building.guards import built_by_pip, reason_to_abstain
from hatch_sign.building.voice import PlainVoice
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError

Hook = Callable[..., Any]

_FOLDERS = {"build_sdist": "sdist_directory", "build_wheel": "wheel_directory", "build_editable": "wheel_directory"}
"""The hooks that build, and what each calls the folder for its result: its first argument."""


class SigningHooks:
    """Makes hooks that sign of hooks that build, for the project at `root`.

    Arguments are handed on as they came. `requires` is what a build needs only to sign.
    """

    def __init__(self, root: Path, requires: Sequence[str], environ: Mapping[str, str]) -> None:
        """Begin; nothing is read yet."""
        self._root = root
        self._requires = requires
        self._environ = environ
        self._voice = PlainVoice(environ)

    def requiring(self, hook: Hook) -> Hook:
        """Return a hook that asks for what signing needs too, unless what is built would not be signed anyway."""

        @wraps(hook)
        def get_requires(*arguments: Any, **named: Any) -> list[str]:  # noqa: ANN401 - the wrapped backend knows them
            wanted = list(hook(*arguments, **named))
            return wanted if built_by_pip(self._environ) else [*wanted, *self._requires]

        return get_requires

    def around(self, name: str, hook: Any) -> Any:  # noqa: ANN401 - as above; what is no building hook is returned as it is
        """Return the hook `name`, which signs what it has built; any other as it is."""
        folder = _FOLDERS.get(name)
        if folder is None:
            return hook
        version = "editable" if name == "build_editable" else "standard"

        @wraps(hook)
        def build(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as above
            output = Path(arguments[0] if arguments else named[folder]).absolute()
            return self._build(lambda: hook(*arguments, **named), output, version)

        return build

    def _build(self, build: Callable[[], Any], output: Path, version: str) -> Any:  # noqa: ANN401 - as above
        temporary = [Path(tempfile.gettempdir())]
        reason = reason_to_abstain(output, version=version, environ=self._environ, temporary=temporary)
        if reason is not None:
            name = build()
            self._voice.warn(f"{display(name)} is not signed: {reason}")
            return name
        from hatch_sign.building.build import Build  # noqa: PLC0415 - a build that abstains does not need it

        signing = Build(self._root, output, self._environ, self._voice)
        signing.start()
        name = build()
        if not _is_file_name(name):
            found = (
                f"the build backend answered {display(str(name))}, expected the name of a file in the folder it was given"
            )
            self._voice.abort(f"nothing is signed: {found}", HatchSignError.exit_code)
        signing.sign(output / name)
        return name


def _is_file_name(name: object) -> bool:
    """Return whether a hook answered by a base name (PEP 517): what else it says leads elsewhere, or to a whole folder."""
    return isinstance(name, str) and name not in {"", "..", "."} and Path(name).name == name
