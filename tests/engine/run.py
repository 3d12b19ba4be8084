#!/usr/bin/env python3
"""Runs the engine's tests: the real library against a real timbred.

    tests/engine/run.py [-j N] [-l] [--full] [NAME...]

NAME picks the tests whose name contains it; -l lists them; --full (or TIMBRE_TEST=full, or CI=true) runs those that can
also with restarts in their middle. Inside tests/with_server.sh the ordinary tests use that server, else one of their own;
tests that stop, restart or configure a server always have their own. Prints `ok NAME` with its seconds a test, what went
wrong with a failed one, and ends with the number of failures as status.
"""
import argparse
import importlib
import itertools
import os
import queue
import shutil
import sys
import tempfile
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "python")]
sys.dont_write_bytecode = True
import timbre  # noqa: E402

numbers = itertools.count(1)


class Shared:
    """The server that ordinary tests share."""

    def __init__(self):
        self.lock, self.own, self.given = threading.Lock(), None, os.environ.get("TIM_SERVER_URL")

    @property
    def url(self):
        if self.given:
            return self.given
        with self.lock:
            if not self.own:
                self.own = timbre.Server().start()
            return self.own.url

    def close(self):
        if self.own:
            self.own.close()


class Test:
    """What a test gets: users, servers and folders that go away with it."""

    def __init__(self, shared):
        self.server, self.closing, self.names = shared, [], {}
        self.number = next(numbers)

    def folder(self):
        path = tempfile.mkdtemp(prefix="timbre-test-")
        self.closing.append(lambda: shutil.rmtree(path, ignore_errors=True))
        return path

    def name(self, base):
        """A user's id that no other test has."""
        return "%s-%d-%d" % (base, os.getpid() % 100000, self.number)

    def own_server(self, **options):
        s = timbre.Server(**options)
        self.closing.append(s.close)
        self.server = s.start()
        return s

    def client(self, base, **options):
        """A process, before TIMInit."""
        if "url" not in options and "server" not in options:
            options["server"] = self.server
        c = timbre.Client(self.name(base), **options)
        self.closing.append(c.close)
        return c

    def user(self, base, **options):
        """A process with a logged-in user."""
        return self.client(base, **options).start()

    def users(self, *bases):
        return [self.user(b) for b in bases]

    def defer(self, fn):
        self.closing.append(fn)

    def close(self):
        for fn in reversed(self.closing):
            try:
                fn()
            except Exception as e:  # the test's own outcome matters more
                print("cleaning up: %s" % e, file=sys.stderr)


def tests(full):
    for file in sorted(os.listdir(HERE)):
        if file.startswith("test_") and file.endswith(".py"):
            module = importlib.import_module(file[:-3])
            for name in [n for n in vars(module) if n.startswith("test_")]:
                base, fn = file[5:-3] + "." + name[5:], getattr(module, name)
                if hasattr(fn, "variants"):  # see talks.py
                    yield from ((base + "/" + kind, run) for kind, run in fn.variants(full))
                else:
                    yield base, fn


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-j", type=int, default=4, help="tests at a time")
    parser.add_argument("-l", action="store_true", help="list the tests")
    parser.add_argument("--full", action="store_true", help="restarts too",
                        default=os.environ.get("TIMBRE_TEST") == "full" or os.environ.get("CI") == "true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    chosen = [(n, f) for n, f in tests(options.full) if not options.names or any(w in n for w in options.names)]
    if options.l:
        print("\n".join(n for n, _ in chosen))
        return 0
    work, shared, lock, failed = queue.Queue(), Shared(), threading.Lock(), []
    for item in sorted(chosen, key=lambda c: not hasattr(c[1], "long")):  # the long ones first: shorter in the end
        work.put(item)
    begun = time.monotonic()

    def run():
        while True:
            try:
                name, fn = work.get_nowait()
            except queue.Empty:
                return
            t, start, error = Test(shared), time.monotonic(), None
            try:
                fn(t)
            except timbre.Failure as e:
                error = str(e) + "\n  at " + traceback.format_tb(e.__traceback__)[-1].strip() + where(e)
            except Exception:
                error = traceback.format_exc()
            finally:
                seconds = time.monotonic() - start
                t.close()
            with lock:
                print("%s %-58s %5.1f s" % ("FAIL" if error else "ok  ", name, seconds), flush=True)
                if error:
                    failed.append(name)
                    print("     " + error.replace("\n", "\n     "), flush=True)
    threads = [threading.Thread(target=run) for _ in range(min(options.j, len(chosen)))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    shared.close()
    print("%d tests, %d failed, %.1f s%s" % (len(chosen), len(failed), time.monotonic() - begun,
                                             ": " + ", ".join(failed) if failed else ""))
    return 1 if failed or not chosen else 0


def where(e):
    """The line of the test itself."""
    for frame in reversed(traceback.extract_tb(e.__traceback__)):
        if os.path.basename(frame.filename).startswith("test_"):
            return "\n  in %s:%d: %s" % (os.path.basename(frame.filename), frame.lineno, frame.line)
    return ""


if __name__ == "__main__":
    sys.exit(main())
