"""The library as seen from Python, for tests: facts about the interface, and a class that calls any function by name.

The signatures come from the public headers, the finer facts (which NULL is allowed, which text is JSON) from api/*.yaml,
read line by line so that no package is needed. Every callback is recorded under the word given as user_data.
"""
import ctypes
import glob
import os
import re
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIBRARY = os.path.join(os.environ.get("TIMBRE_LIB_DIR") or os.path.join(ROOT, "build", "lib"), "libImSDK.so")

# What makes, picks and ends instances: called among all the others, they would turn those to another account.
INSTANCES = {"TIMExtInstanceCreate", "TIMExtInstanceSetCurrent", "TIMExtInstanceGetCurrent", "TIMExtInstanceDestroy"}
NUMBERS = {"int": ctypes.c_int, "int32_t": ctypes.c_int32, "uint32_t": ctypes.c_uint32, "int64_t": ctypes.c_int64,
           "uint64_t": ctypes.c_uint64, "bool": ctypes.c_bool}


class Param:
    def __init__(self, ctype, name):
        self.type, self.name = ctype, name
        self.optional, self.json, self.bad, self.empty = False, "", 0, 0

    @property
    def kind(self):
        """s text, o buffer, u user_data, c callback, n number."""
        fixed = {"const char*": "s", "char*": "o", "const void*": "u"}
        return fixed.get(self.type) or ("c" if self.type.endswith("Callback") else "n")


class Function:
    def __init__(self, name, returns, params):
        self.name, self.returns, self.params = name, returns, params
        self.state, self.empty_result, self.built = "any", "", False

    @property
    def setter(self):
        return self.returns == "void"

    @property
    def callback(self):
        """The parameter that receives the result, if there is one."""
        return next((p for p in self.params if p.kind == "c"), None) if not self.setter else None


def _params(text):
    out = []
    for part in text.split(","):
        part = part.strip()
        if part and part != "void":
            ctype, name = re.match(r"(.*?)(\w+)$", part).groups()
            out.append(Param(ctype.strip(), name))
    return out


def _headers():
    functions, callbacks = {}, {}
    for path in sorted(glob.glob(os.path.join(ROOT, "include", "TIM*.h"))):
        with open(path, encoding="ascii") as f:
            text = f.read()
        for ret, name, params in re.findall(r"^TIM_API (.+?) ?TIM_DECL (\w+)\((.*?)\);", text, re.M | re.S):
            functions[name] = Function(name, ret.strip(), _params(params))
        for name, params in re.findall(r"^typedef void \(TIM_DECL \*(\w+)\)\((.*?)\);", text, re.M | re.S):
            callbacks[name] = _params(params)
        for old, new in re.findall(r"^typedef (TIM\w+Callback) (TIM\w+Callback);", text, re.M):
            callbacks[new] = callbacks[old]
    return functions, callbacks


def _catalogue(functions):
    """Adds what only the catalogue knows."""
    for path in sorted(glob.glob(os.path.join(ROOT, "api", "*.yaml"))):
        inside, fn, param = False, None, None
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
        for line in lines:
            if re.match(r"\w", line):
                inside = line.startswith("functions:")
            elif not inside:
                continue
            elif m := re.match(r"  - name: (\w+)$", line):
                fn, param = functions[m[1]], None
            elif m := re.match(r"      - name: (\w+)$", line):
                param = next(p for p in fn.params if p.name == m[1])
            elif m := re.match(r"        (optional|json|bad|empty): (\S+)$", line):
                value = {"optional": lambda v: v == "true", "json": str, "bad": int, "empty": int}[m[1]](m[2])
                setattr(param, m[1], value)
            elif m := re.match(r"    (state|built|empty_result): (.+)$", line):
                value = m[2]
                if m[1] == "empty_result":
                    value = value.strip('"').replace('\\"', '"')
                setattr(fn, m[1], value == "true" if m[1] == "built" else value)


def facts():
    functions, callbacks = _headers()
    _catalogue(functions)
    return functions, callbacks


class Record(list):
    """Every callback that came for one word: tuples of their arguments, without user_data."""


class Library:
    """One loaded library. Callbacks run hook(word, args), when given, on the library's thread."""

    def __init__(self, path=LIBRARY):
        self.functions, self.callbacks = facts()
        self.lib = ctypes.CDLL(path)
        self.changed = threading.Condition()
        self.got = {}
        self.threads = set()
        self.hook = None
        self.errors = []
        self._next = 1000
        self._types, self._entries = {}, {}
        self._raw = {}

    def _ctype(self, p):
        if p.kind in "su":
            return {"s": ctypes.c_char_p, "u": ctypes.c_void_p}[p.kind]
        if p.kind in "oc":
            return ctypes.c_void_p
        return NUMBERS.get(p.type, ctypes.c_int)

    def entry(self, callback):
        """The C function that records calls of a callback type."""
        if callback not in self._entries:
            params = self.callbacks[callback]

            def run(*args):
                try:
                    self._came(args[-1] or 0, args[:-1])
                except Exception as e:  # an exception would vanish inside ctypes
                    self.errors.append(repr(e))
            self._types[callback] = ctypes.CFUNCTYPE(None, *[self._ctype(p) for p in params])
            self._entries[callback] = self._types[callback](run)
        return ctypes.cast(self._entries[callback], ctypes.c_void_p).value

    def _came(self, word, args):
        args = tuple(a.decode("utf-8", "surrogateescape") if isinstance(a, bytes) else a for a in args)
        with self.changed:
            self.threads.add(threading.get_native_id())
            self.got.setdefault(word, Record()).append(args)
            self.changed.notify_all()
        if self.hook:
            self.hook(word, args)

    def word(self):
        with self.changed:
            self._next += 1
            return self._next

    def raw(self, name):
        """The function with its types set, by name."""
        if name not in self._raw:
            fn, f = self.functions[name], getattr(self.lib, name)
            f.argtypes = [self._ctype(p) for p in fn.params]
            f.restype = {"void": None, "const char*": ctypes.c_char_p}.get(fn.returns) or \
                NUMBERS.get(fn.returns, ctypes.c_int) if fn.returns != "void" else None
            self._raw[name] = f
        return self._raw[name]

    def call(self, name, **given):
        """Calls a function. Parameters that are not given: NULL, 0, the recording callback and a new word.
        Returns (result, word)."""
        word, args = given.pop("word", None) or self.word(), []
        for p in self.functions[name].params:
            if p.name in given:
                v = given.pop(p.name)
                args.append(v.encode("utf-8", "surrogateescape") if isinstance(v, str) else v)
            elif p.kind == "u":
                args.append(word)
            elif p.kind == "c":
                args.append(self.entry(p.type))
            else:
                args.append(None if p.kind in "so" else 0)
        if given:
            raise TypeError(f"{name} has no parameter {list(given)}")
        return self.raw(name)(*args), word

    def count(self, word):
        with self.changed:
            return len(self.got.get(word, ()))

    def wait(self, word, timeout=100):
        """The arguments of the first callback for a word; fails when none comes."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.got.get(word), timeout):
                raise TimeoutError(f"no callback within {timeout} s")
            return self.got[word][0]

    def barrier(self, timeout=100):
        """Returns when everything queued before has run: callbacks come in order."""
        ret, word = self.call("TIMSetConfig", json_config="{}")
        assert ret == 0, ret
        self.wait(word, timeout)


def inputs(fn, kind, out):
    """The arguments of a function as the record's three inputs have them."""
    args = {}
    for p in fn.params:
        if p.kind == "s":
            plausible = {"object": "{}", "array": "[]"}.get(p.json, "bob")
            bad = "{" if p.json else "bob"
            args[p.name] = {"plausible": plausible, "null": None, "bad": bad}[kind]
        elif p.kind == "o":
            args[p.name] = ctypes.addressof(out)
        elif p.kind == "n":
            args[p.name] = 1
    return args
