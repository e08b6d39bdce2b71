"""A binding made from the headers alone: ctypes prototypes for every public function.

That this takes so few lines is a promise of the API: only fixed-size numbers, text, pointers to
arrays, opaque handles and plain callbacks cross it (include/rnnkit/api.h).
"""
import ctypes
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "abi"))
import headers  # noqa: E402

SCALARS = {
    "int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64, "uint64_t": ctypes.c_uint64,
    "size_t": ctypes.c_size_t, "float": ctypes.c_float, "double": ctypes.c_double,
}
CALLBACKS = {
    "rnnkit_allocate_fn": ctypes.CFUNCTYPE(
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p),
    "rnnkit_release_fn": ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p),
    "rnnkit_log_fn": ctypes.CFUNCTYPE(None, ctypes.c_int32, ctypes.c_char_p, ctypes.c_void_p),
}


def argument_type(parameter):
    kind, stars = re.fullmatch(r"(?:const )?(\w+) ((?:\*|const )*)\w+", parameter).groups()
    depth = stars.count("*")
    if kind in CALLBACKS:
        return CALLBACKS[kind]
    if kind.endswith("_fn"):
        return ctypes.c_void_p  # one that no test here gives
    if kind == "char" and depth == 1:
        return ctypes.c_char_p
    if depth == 0:
        return SCALARS[kind]
    base = SCALARS.get(kind, ctypes.c_void_p)
    if base is ctypes.c_void_p:
        depth -= 1  # a handle is a pointer already
    for _ in range(depth):
        base = ctypes.POINTER(base)
    return base


def load(library, folder):
    """(library with prototypes, {name of a constant: value})"""
    loaded = ctypes.CDLL(library)
    for function in headers.read(folder).functions:
        call = getattr(loaded, function.name)
        call.argtypes = [argument_type(p) for p in function.parameters if p != "void"]
        call.restype = {"void": None, "int32_t": ctypes.c_int32,
                        "const char *": ctypes.c_char_p}[function.result]
    constants = {}
    for path in pathlib.Path(folder).glob("*.h"):
        for name, value in re.findall(
                r"^#define (RNNKIT_\w+)\s+\(?(-?\d+)\)?", path.read_text(encoding="utf-8"), re.M):
            constants[name] = int(value)
    return loaded, constants


class Failure(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Api:
    """Calls by name without the prefix; a negative status is raised with the library's message."""

    def __init__(self, library, folder):
        self.library, self.constants = load(library, folder)

    def __getattr__(self, name):
        function = getattr(self.library, "rnnkit_" + name)

        def call(*arguments):
            result = function(*arguments)
            if function.restype is ctypes.c_int32 and result < 0:
                raise Failure(result, self.library.rnnkit_error_message().decode())
            return result

        return call

    def make(self, name, *arguments):
        """A call whose last argument is where the new handle goes."""
        out = ctypes.c_void_p()
        getattr(self, name)(*arguments, ctypes.byref(out))
        return out

    def text(self, name, *arguments):
        """A call that ends in (buffer, capacity, needed): asks for the size, then for the text."""
        needed = ctypes.c_int64()
        too_small = self.constants["RNNKIT_E_TOO_SMALL"]
        function = getattr(self.library, "rnnkit_" + name)
        status = function(*arguments, None, 0, ctypes.byref(needed))
        if status < 0 and status != too_small:
            raise Failure(status, self.library.rnnkit_error_message().decode())
        buffer = ctypes.create_string_buffer(needed.value)
        getattr(self, name)(*arguments, buffer, needed.value, ctypes.byref(needed))
        return buffer.value.decode()
