"""DER as trees that tests cut about: read and written here by hand, so that no reader under test judges itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

CONSTRUCTED = 0x20
SEQUENCE, SET, OID, OCTETS, INTEGER, NULL = 0x30, 0x31, 0x06, 0x04, 0x02, 0x05


@dataclass(eq=False)
class Node:
    """One value: its contents where it is primitive, else the values in it."""

    tag: int
    contents: bytes = b""
    children: list[Node] = field(default_factory=list)

    def encoded(self) -> bytes:
        """Return the DER, with all lengths as they have become."""
        contents = b"".join(child.encoded() for child in self.children) if self.tag & CONSTRUCTED else self.contents
        return bytes([self.tag]) + length(len(contents)) + contents

    def walk(self) -> Iterator[Node]:
        """Yield this value and all in it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def holders(self, *contents: bytes) -> list[Node]:
        """Return the values that hold a primitive one with any of these contents, the innermost last."""
        return [node for node in self.walk() if any(child.contents in contents for child in node.children if child.contents)]


def tree(data: bytes) -> Node:
    """Return the one value in `data`, which is DER."""
    (node,) = _read(data)
    return node


def length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    encoded = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(encoded)]) + encoded


def primitive(tag: int, contents: bytes) -> Node:
    return Node(tag, contents)


def sequence(*children: Node, tag: int = SEQUENCE) -> Node:
    return Node(tag, children=list(children))


def _read(data: bytes) -> list[Node]:
    found = []
    while data:
        tag, size, begin = data[0], data[1], 2
        if size >= 0x80:
            begin += size & 0x7F
            size = int.from_bytes(data[2:begin], "big")
        contents = data[begin : begin + size]
        found.append(Node(tag, children=_read(contents)) if tag & CONSTRUCTED else Node(tag, contents))
        data = data[begin + size :]
    return found
