"""Mutations of JSON: of its bytes, of what it holds, and of how that is spelled."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .mutating import replace_bytes

if TYPE_CHECKING:
    import random

Path = tuple[str | int, ...]


def unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), "what has a member twice has two meanings"
    return dict(pairs)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return a copy with one to three mutations."""
    if rng.random() < 0.5:
        for _ in range(rng.randint(1, 3)):
            data = rng.choice(BYTE_MUTATIONS)(data, rng)
        return data
    table = json.loads(data)
    for _ in range(rng.randint(1, 3)):
        paths = list(paths_of(table))
        rng.choice(TREE_MUTATIONS)(table, rng.choice(paths), rng)
    return rng.choice(SPELLINGS)(table)


def paths_of(value: Any, above: Path = ()) -> Iterator[Path]:  # noqa: ANN401 - JSON
    """Yield the path of every member and item below `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*above, name)
        yield from paths_of(inner, (*above, name))


def holder(table: Any, path: Path) -> Any:  # noqa: ANN401 - JSON
    """Return the object or array that holds the last step of `path`."""
    for step in path[:-1]:
        table = table[step]
    return table


def swap_character(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + rng.choice([b'"', b"A", b"=", b"0", b",", b"}", b"\\", b" ", b"/", b"\xff"]) + data[at + 1 :]


def cut(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randint(1, 40) :] or b"{"


def repeat(data: bytes, rng: random.Random) -> bytes:
    at, end = sorted(rng.sample(range(len(data) + 1), 2)) if len(data) > 1 else (0, 1)
    return data[:end] + data[at:]


def remove(table: Any, path: Path, rng: random.Random) -> None:  # noqa: ANN401 - JSON
    del rng  # there is one way
    del holder(table, path)[path[-1]]
    table.setdefault("verificationMaterial", {"publicKey": {}})


def put_value(table: Any, path: Path, rng: random.Random) -> None:  # noqa: ANN401 - JSON
    holder(table, path)[path[-1]] = rng.choice(
        ["", "QQ==", "SHA2_512", None, 0, -1, 1.5, True, [], {}, [[]], {"hint": ""}, {"rawBytes": "QQ=="}, 10**30]
    )


def copy_value(table: Any, path: Path, rng: random.Random) -> None:  # noqa: ANN401 - JSON
    other = rng.choice(list(paths_of(table)))
    text = json.dumps(holder(table, other)[other[-1]])  # a copy, or an object would come to hold itself
    holder(table, path)[path[-1]] = json.loads(text)


def rename(table: Any, path: Path, rng: random.Random) -> None:  # noqa: ANN401 - JSON
    container = holder(table, path)
    value = container.pop(path[-1])
    if isinstance(container, dict):
        container[
            rng.choice(["certificate", "x509CertificateChain", "tlogEntries", "payload", "keyid", "", "Signature"])
        ] = value
    else:
        container += [value, value]


def change_text(table: Any, path: Path, rng: random.Random) -> None:  # noqa: ANN401 - JSON
    container = holder(table, path)
    text = container[path[-1]]
    if isinstance(text, str) and text:
        at = rng.randrange(len(text))
        character = rng.choice("ABCDabcd0123+/=-_ \n\u00e9")
        container[path[-1]] = text[:at] + character + text[at + rng.randint(0, 1) :]


def flip_decoded(table: Any, path: Path, rng: random.Random) -> None:  # noqa: ANN401 - JSON
    """Flip a bit behind the base64, which is then canonical again."""
    container = holder(table, path)
    try:
        data = bytearray(base64.b64decode(container[path[-1]], validate=True))
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    except (TypeError, ValueError):
        return
    container[path[-1]] = base64.b64encode(data).decode()


BYTE_MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [replace_bytes, swap_character, cut, repeat]

TREE_MUTATIONS: list[Callable[[Any, Path, random.Random], None]] = [
    remove,
    put_value,
    copy_value,
    rename,
    change_text,
    flip_decoded,
]

SPELLINGS: list[Callable[[Any], bytes]] = [
    lambda table: json.dumps(table).encode(),
    lambda table: json.dumps(table, indent=1, sort_keys=True).encode(),
    lambda table: json.dumps(table, ensure_ascii=False).encode("utf-8", "surrogatepass"),
    lambda table: json.dumps(table).encode().replace(b'"signature"', b'"signature":"","signature"', 1),
]
