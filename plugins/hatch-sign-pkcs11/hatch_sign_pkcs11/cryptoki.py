"""Initialising a module for threads, which python-pkcs11 cannot do.

It calls ``C_Initialize(NULL)``, which tells the module that one thread will use it (PKCS#11 v2.40 base §5.4), and then lets
many threads in, for it releases the interpreter's lock while it signs: modules crash. Here the same module is initialised
again, with CKF_OS_LOCKING_OK. The structures are those of PKCS#11 v2.40 base §3.6 and §3.7; on Windows they are packed.
"""

from __future__ import annotations

import ctypes
import sys

CKR_OK = 0x000
CKR_GENERAL_ERROR = 0x005
CKR_CANT_LOCK = 0x00A
CKR_NEED_TO_CREATE_THREADS = 0x009
CKR_CRYPTOKI_NOT_INITIALIZED = 0x190
CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191

_CKF_OS_LOCKING_OK = 0x2
_PACKING = 1 if sys.platform == "win32" else 0
_REFUSALS_OF_THREADS = frozenset({CKR_CANT_LOCK, CKR_NEED_TO_CREATE_THREADS})


class CryptokiError(Exception):
    """A call of C_Initialize or C_Finalize failed; `code` is the CK_RV."""

    def __init__(self, code: int) -> None:
        super().__init__(f"CKR 0x{code:X}")
        self.code = code


class _Version(ctypes.Structure):
    _fields_ = (("major", ctypes.c_ubyte), ("minor", ctypes.c_ubyte))


class _InitializeArguments(ctypes.Structure):
    if _PACKING:
        _pack_ = _PACKING
    _fields_ = (
        ("create_mutex", ctypes.c_void_p),
        ("destroy_mutex", ctypes.c_void_p),
        ("lock_mutex", ctypes.c_void_p),
        ("unlock_mutex", ctypes.c_void_p),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


_Call = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)
"""C_Initialize(CK_VOID_PTR) and C_Finalize(CK_VOID_PTR) look alike."""


class _FunctionList(ctypes.Structure):
    """The beginning of CK_FUNCTION_LIST, as far as it is used here."""

    if _PACKING:
        _pack_ = _PACKING
    _fields_ = (("version", _Version), ("initialize", _Call), ("finalize", _Call))


class Cryptoki:
    """The two calls of a module that concern all its users in this process."""

    def __init__(self, path: str) -> None:
        """Load the module from `path`. Raises OSError, CryptokiError, and AttributeError where it is no module."""
        self._library = ctypes.CDLL(path)  # As long as it is held, the module stays loaded.
        self._functions = self._ask_for_functions()

    @property
    def is_shared(self) -> bool:
        """Whether all who ask get the same functions; p11-kit's client gives each an instance of its own."""
        return ctypes.addressof(self._ask_for_functions()) == ctypes.addressof(self._functions)

    def initialize(self) -> bool:
        """Initialise the module, anew where it was initialised already; return whether it takes threads.

        Raises CryptokiError.
        """
        try:
            return self._initialize()
        except CryptokiError as error:
            if error.code != CKR_CRYPTOKI_ALREADY_INITIALIZED:
                raise
        self.finalize()
        return self._initialize()

    def finalize(self) -> None:
        """End every session and login of this process with the module, if there was any. Raises CryptokiError."""
        code = self._functions.finalize(None)
        if code != CKR_CRYPTOKI_NOT_INITIALIZED:
            _require(code)

    def _ask_for_functions(self) -> _FunctionList:
        functions = ctypes.POINTER(_FunctionList)()
        self._library.C_GetFunctionList.restype = ctypes.c_ulong
        _require(self._library.C_GetFunctionList(ctypes.byref(functions)))
        if ctypes.cast(functions, ctypes.c_void_p).value is None:
            raise CryptokiError(CKR_GENERAL_ERROR)
        return functions.contents

    def _initialize(self) -> bool:
        arguments = _InitializeArguments(flags=_CKF_OS_LOCKING_OK)
        code = self._functions.initialize(ctypes.byref(arguments))
        if code in _REFUSALS_OF_THREADS:
            _require(self._functions.initialize(None))
            return False
        _require(code)
        return True


def _require(code: int) -> None:
    if code != CKR_OK:
        raise CryptokiError(code)
