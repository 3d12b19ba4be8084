"""The disk that is full, or broken, at each of its steps: two Go tests put a file system that fails under SQLite and repeat their
script with the failure one step later each time, until it comes too late to matter. Their checks are those of the matrix;
here they are run and counted."""
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TESTS = {"./sqlite": ("TestEveryStepMayFail", "a database, plain and encrypted: insert, delete, checkpoint, shrink, close, open"),
         "./core/message": ("TestEveryWriteMayFail", "a client that sends, receives and deletes; there is room again later")}
KINDS = ("full", "broken (I/O error)")


def each_step():
    """Runs the tests; returns ([(kind, what, steps)], what failed)."""
    counts, failed = [], []
    for package, (test, what) in TESTS.items():
        run = subprocess.run(["go", "test", "-count=1", "-v", "-run", "^%s$" % test, package], cwd=ROOT, text=True,
                             env=dict(os.environ, CGO_ENABLED="0", TIMBRE_TEST="full"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        found = re.findall(r"kind (\d).*?: (\d+) steps", run.stdout)
        if run.returncode or not found:
            failed.append("%s in %s" % (test, package))
            print(run.stdout[-4000:], flush=True)
        for n, kind in enumerate(KINDS):
            steps = sum(int(s) for k, s in found if int(k) == n)
            if steps:
                counts.append((kind, what, steps))
    return counts, failed
