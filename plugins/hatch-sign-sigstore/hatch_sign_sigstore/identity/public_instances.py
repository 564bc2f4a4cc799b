"""The trusted roots of Sigstore's public instances: as the installed sigstore carries them, or has fetched them since.

What was fetched lies in folders of the user, which the environment names: it is believed only where TUF's metadata beside it
leads there from the root of trust that sigstore carries (TUF specification §5.3 and §5.6). sigstore-python itself takes it
offline as it lies there.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from datetime import datetime
    from importlib.resources.abc import Traversable

PUBLIC_INSTANCES = {
    "production": "https://tuf-repo-cdn.sigstore.dev",
    "staging": "https://tuf-repo-cdn.sigstage.dev",
}
"""The TUF repositories of the instances, by name."""

_TRUSTED_ROOT = "trusted_root.json"
_ROOT, _TARGETS = "root", "targets"
"""Roles of TUF."""
_LARGEST = 1 << 22
"""Bytes of one file; a trusted root has some 7,000."""
_MOST_ROOTS = 1024
"""Versions of a root of trust; there was one in some four months."""


def read_trusted_root(name: str, now: datetime) -> bytes:
    """Return the trusted root, in JSON, of the public instance of that name; nobody is asked for it.

    Raises OSError or ImportError where the installed sigstore carries none.
    """
    from platformdirs import user_cache_dir, user_data_dir  # noqa: PLC0415 - where a rule is parsed only

    repository = quote(PUBLIC_INSTANCES[name], safe="")
    metadata, cache = (Path(place("sigstore-python", "sigstore"), "tuf") for place in (user_data_dir, user_cache_dir))
    return newest_trusted_root(files("sigstore") / "_store" / repository, metadata / repository, cache / repository, now)


def newest_trusted_root(store: Traversable, metadata: Path, cache: Path, now: datetime) -> bytes:
    """Return the trusted root that was fetched into `cache`, or the one in `store` unless `metadata` vouches for that.

    It does while it is current at `now`, which is aware. Raises OSError where there is none in `store`.
    """
    carried = (store / _TRUSTED_ROOT).read_bytes()
    try:
        fetched = _read(cache / _TRUSTED_ROOT)
        return fetched if fetched == carried or _is_vouched_for(fetched, store, metadata, now) else carried
    except Exception:  # noqa: BLE001 - what lies there, and is not what it should be, is passed over, whatever it is
        return carried


def _is_vouched_for(fetched: bytes, store: Traversable, metadata: Path, now: datetime) -> bool:
    from tuf.api.metadata import Metadata  # noqa: PLC0415 - 60 ms, where something else was fetched only

    root = _newest_root(store, metadata)
    signed = Metadata.from_bytes(_read(metadata / f"{_TARGETS}.json"))
    root.verify_delegate(_TARGETS, signed.signed_bytes, signed.signatures)
    targets: Any = signed.signed
    if targets.type != _TARGETS or root.is_expired(now) or targets.is_expired(now):
        return False
    targets.targets[_TRUSTED_ROOT].verify_length_and_hashes(fetched)
    return True


def _newest_root(store: Traversable, metadata: Path) -> Any:  # noqa: ANN401 - a class that tuf.api.metadata does not export
    """Return the root of trust to which the one in `store` leads, each version signed by itself and by the one before it."""
    from tuf.api.metadata import Metadata  # noqa: PLC0415 - as above

    root: Any = Metadata.from_bytes((store / f"{_ROOT}.json").read_bytes()).signed
    for version in range(root.version + 1, root.version + _MOST_ROOTS):
        path = metadata / "root_history" / f"{version}.root.json"
        if not path.is_file():
            break
        signed = Metadata.from_bytes(_read(path))
        newer: Any = signed.signed
        if (newer.type, newer.version) != (_ROOT, version):
            message = "a root of trust of another version"
            raise ValueError(message)
        for signer in (root, newer):
            signer.verify_delegate(_ROOT, signed.signed_bytes, signed.signatures)
        root = newer
    return root


def _read(path: Path) -> bytes:
    if not path.is_file():  # a pipe would be waited for
        raise FileNotFoundError
    with path.open("rb") as stream:
        data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        message = "a file that is too large"
        raise ValueError(message)
    return data
