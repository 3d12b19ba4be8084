"""The local database and the disk below it, as tests spoil them."""
import ctypes
import glob
import os
import subprocess
import threading

import timbre
from timbre import check, equal, sig, text_of


def database(client):
    """The one timbre.db below a client's folder."""
    found = glob.glob(os.path.join(client.folder, "data", "*", "timbre.db"))
    equal(len(found), 1, "databases in the folder of %s" % client.name)
    return found[0]


def aside(client):
    """What was set aside, without what belongs to it."""
    return sorted(f for f in glob.glob(os.path.join(client.folder, "data", "*", "timbre.db.corrupt-*"))
                  if not f.endswith(("-wal", "-shm", "-journal", ".key")))


def log(client):
    text = ""
    for name in glob.glob(os.path.join(client.folder, "log", "*.log")):
        with open(name, encoding="utf-8") as f:
            text += f.read()
    return text


def spoil(path, at, count):
    """Writes over some bytes of a file."""
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(b"\xa5" * count)


def refused(client, word):
    r = client.login_again()
    check(r.code == 7010 and word in r.desc, "the login got %r, want 7010 and %r" % (r, word))
    equal((client.status(), client.user()), (timbre.UNLOGINED, ""), "the state")


def again(client):
    """Another process with the same folder, before its login."""
    if client.process.poll() is None:
        client.kill()
    client.process.stdin.close()
    client.process.stdout.close()
    client._spawn()
    equal(client.call("TIMInit", *client.settings).rc, 0, "TIMInit")
    return client


def held_to_permissions(make):
    """Runs make, which starts a process, so that the process has to keep to permissions even if root runs it."""
    if os.geteuid() != 0:
        return make()
    result = []

    def run():  # a thread of its own: what it gives away it cannot take back
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            check(libc.prctl(24, capability, 0, 0, 0) == 0, "PR_CAPBSET_DROP is refused")
        result.append(make())
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result[0]


class SmallDisk:
    """A disk of some MiB where the machine lets us mount one, else a bound for the sizes of a process's files."""

    def __init__(self, t, megabytes):
        self.folder, self.mounted = t.folder(), False
        if os.geteuid() == 0:
            self.mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % megabytes, "tmpfs", self.folder],
                                          stderr=subprocess.DEVNULL).returncode == 0
        if self.mounted:
            t.defer(lambda: subprocess.run(["umount", "-l", self.folder]))

    def fill(self, client):
        if not self.mounted:
            import resource
            resource.prlimit(client.process.pid, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
            return
        with open(os.path.join(self.folder, "filler"), "ab", buffering=0) as f:
            for size in (65536, 512, 1):
                try:
                    while f.write(b"x" * size):
                        pass
                except OSError:
                    pass

    def make_room(self, client):
        if not self.mounted:
            import resource
            resource.prlimit(client.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            return
        os.remove(os.path.join(self.folder, "filler"))


def all_texts(client, peer, count=100, **keys):
    return [text_of(m) for m in client.history(peer, count, **keys)]


def other_user_is_fine(client, name):
    equal(client.ask("TIMLogin", name, sig(name)).code, 0, "the login of another user in the same folder")
