"""The structures of C_Initialize lie in memory as PKCS#11 packs them, and its answers are heard."""

from __future__ import annotations

import ctypes
import importlib.util
import struct
import sys
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.bindings import _rust

from hatch_sign_pkcs11 import cryptoki
from hatch_sign_pkcs11.cryptoki import Cryptoki, CryptokiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OK, GENERAL_ERROR, NEED_TO_CREATE_THREADS, CANT_LOCK = 0x0, 0x5, 0x9, 0xA
NOT_INITIALIZED, ALREADY_INITIALIZED = 0x190, 0x191

POINTER = ctypes.sizeof(ctypes.c_void_p)
LONG = ctypes.sizeof(ctypes.c_ulong)


# --- the structures ---------------------------------------------------------------------------------------------------


def _as_on(platform: str, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - a module, read as it is
    """Return the module as it would be on another system; it is kept apart from the one in use."""
    monkeypatch.setattr(sys, "platform", platform)
    spec = importlib.util.spec_from_file_location(f"cryptoki_on_{platform}", cryptoki.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _offsets(structure: Any) -> dict[str, int]:  # noqa: ANN401 - a class of a module that was made for the test
    return {name: getattr(structure, name).offset for name, _ in structure._fields_}


@pytest.mark.parametrize("platform", ["linux", "darwin", "freebsd14"])
def test_structures_are_aligned_as_the_system_does(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `struct` lays out natively (``@``) is what the C compiler of this machine does."""
    module = _as_on(platform, monkeypatch)
    functions = _offsets(module._FunctionList)
    assert functions == {"version": 0, "initialize": struct.calcsize("@BB0P"), "finalize": struct.calcsize("@BBP0P")}
    assert ctypes.sizeof(module._FunctionList) == struct.calcsize("@BBPP")
    assert functions["initialize"] == POINTER
    arguments = _offsets(module._InitializeArguments)
    assert (arguments["flags"], arguments["reserved"]) == (struct.calcsize("@PPPP0L"), struct.calcsize("@PPPPL0P"))
    assert ctypes.sizeof(module._InitializeArguments) == struct.calcsize("@PPPPLP")


def test_structures_are_packed_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    module = _as_on("win32", monkeypatch)
    assert _offsets(module._FunctionList) == {"version": 0, "initialize": 2, "finalize": 2 + POINTER}
    assert ctypes.sizeof(module._FunctionList) == 2 + 2 * POINTER
    arguments = _offsets(module._InitializeArguments)
    assert (arguments["flags"], arguments["reserved"]) == (4 * POINTER, 4 * POINTER + LONG)
    assert ctypes.sizeof(module._InitializeArguments) == 5 * POINTER + LONG


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_the_callbacks_come_in_the_order_of_the_standard(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    offsets = _offsets(_as_on(platform, monkeypatch)._InitializeArguments)
    mutexes = ("create_mutex", "destroy_mutex", "lock_mutex", "unlock_mutex")
    assert [offsets[name] for name in mutexes] == [number * POINTER for number in range(4)]
    assert list(offsets) == [*mutexes, "flags", "reserved"]


# --- the calls --------------------------------------------------------------------------------------------------------


class ForeignFunction:
    """Stands for what ctypes makes of a library's function: the type of its result can be set, and must be wide enough."""

    def __init__(self, function: Callable[[Any], int]) -> None:
        self._function = function
        self.restype: type | None = None

    def __call__(self, found: Any) -> int:  # noqa: ANN401 - as below
        assert self.restype is ctypes.c_ulong
        return self._function(found)


class FakeModule:
    """Stands for a PKCS#11 module of two functions: gives the answers it was made with, and notes how it is called."""

    def __init__(self, *answers: int, listing: int = OK) -> None:
        self.calls: list[tuple[str, bytes | None]] = []
        self._answers = list(answers)
        self._listing = listing
        calls = cryptoki._Call(self._initialize), cryptoki._Call(self._finalize)
        self._functions = cryptoki._FunctionList(cryptoki._Version(2, 40), *calls)
        self.C_GetFunctionList = ForeignFunction(self.list_functions)

    def list_functions(self, found: Any) -> int:  # noqa: ANN401 - what ctypes makes of a reference
        found._obj.contents = self._functions
        return self._listing

    def _initialize(self, arguments: int | None) -> int:
        size = 5 * POINTER + LONG
        self.calls.append(("C_Initialize", None if arguments is None else ctypes.string_at(arguments, size)))
        return self._answers.pop(0)

    def _finalize(self, reserved: int | None) -> int:
        self.calls.append(("C_Finalize", None if reserved is None else b"?"))
        return self._answers.pop(0)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - a function of FakeModule
    def opened(module: FakeModule) -> Cryptoki:
        monkeypatch.setattr(ctypes, "CDLL", lambda _path: module)
        return Cryptoki("/usr/lib/module.so")

    return opened


OS_LOCKING = struct.pack("@PPPPLP", 0, 0, 0, 0, 0x2, 0)
"""No callbacks, CKF_OS_LOCKING_OK, and the reserved pointer NULL, without which a module must refuse (base 5.4)."""


def test_a_module_is_initialised_for_threads(opened: Any) -> None:  # noqa: ANN401 - the fixture
    module = FakeModule(OK)
    assert opened(module).initialize() is True
    assert module.calls == [("C_Initialize", OS_LOCKING)]


@pytest.mark.parametrize("refusal", [CANT_LOCK, NEED_TO_CREATE_THREADS])
def test_a_module_that_takes_no_threads_is_initialised_without(opened: Any, refusal: int) -> None:  # noqa: ANN401 - as above
    module = FakeModule(refusal, OK)
    assert opened(module).initialize() is False
    assert module.calls == [("C_Initialize", OS_LOCKING), ("C_Initialize", None)]


@pytest.mark.parametrize(("answers", "takes_threads"), [((OK, OK), True), ((NOT_INITIALIZED, CANT_LOCK, OK), False)])
def test_a_module_that_was_initialised_is_initialised_anew(
    opened: Any,  # noqa: ANN401 - as above
    answers: tuple[int, ...],
    *,
    takes_threads: bool,
) -> None:
    module = FakeModule(ALREADY_INITIALIZED, *answers)
    assert opened(module).initialize() is takes_threads
    assert module.calls[:3] == [("C_Initialize", OS_LOCKING), ("C_Finalize", None), ("C_Initialize", OS_LOCKING)]


def test_a_module_shares_its_functions_or_gives_each_caller_its_own(opened: Any) -> None:  # noqa: ANN401 - as above
    class Generous(FakeModule):
        """Gives each caller an instance, as p11-kit's client does."""

        def list_functions(self, found: Any) -> int:  # noqa: ANN401 - as above
            self._functions = cryptoki._FunctionList.from_buffer_copy(self._functions)
            self._kept = [*getattr(self, "_kept", []), self._functions]
            return super().list_functions(found)

    assert opened(FakeModule()).is_shared is True
    assert opened(Generous()).is_shared is False


@pytest.mark.parametrize(
    "answers",
    [
        (GENERAL_ERROR,),
        (0x80000042,),
        (CANT_LOCK, GENERAL_ERROR),
        (ALREADY_INITIALIZED, GENERAL_ERROR),
        (ALREADY_INITIALIZED, OK, ALREADY_INITIALIZED),
    ],
)
def test_a_module_that_cannot_be_initialised_says_why(opened: Any, answers: tuple[int, ...]) -> None:  # noqa: ANN401 - as above
    with pytest.raises(CryptokiError) as caught:
        opened(FakeModule(*answers)).initialize()
    assert caught.value.code == answers[-1]


@pytest.mark.parametrize("answer", [OK, NOT_INITIALIZED])
def test_a_module_is_finalised_whether_or_not_it_was_initialised(opened: Any, answer: int) -> None:  # noqa: ANN401 - as above
    module = FakeModule(answer)
    opened(module).finalize()
    assert module.calls == [("C_Finalize", None)]


def test_a_module_that_cannot_be_finalised_says_why(opened: Any) -> None:  # noqa: ANN401 - as above
    with pytest.raises(CryptokiError) as caught:
        opened(FakeModule(GENERAL_ERROR)).finalize()
    assert caught.value.code == GENERAL_ERROR


def test_a_module_that_gives_no_functions_says_why(opened: Any) -> None:  # noqa: ANN401 - as above
    module = FakeModule(listing=GENERAL_ERROR)
    with pytest.raises(CryptokiError) as caught:
        opened(module)
    assert caught.value.code == GENERAL_ERROR
    assert module.calls == []


def test_a_file_that_is_no_library_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        Cryptoki(f"{tmp_path}/absent.so")


def test_a_library_without_the_entry_point_is_told_apart() -> None:
    with pytest.raises(AttributeError, match="C_GetFunctionList"):
        Cryptoki(_rust.__file__)


def test_a_module_that_says_ok_and_gives_no_functions_is_one_error(opened: Any) -> None:  # noqa: ANN401 - as above
    class Empty(FakeModule):
        """Leaves the pointer NULL."""

        def list_functions(self, found: Any) -> int:  # noqa: ANN401, ARG002 - as above
            return OK

    with pytest.raises((OSError, CryptokiError)):
        opened(Empty())
