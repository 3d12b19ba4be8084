#!/usr/bin/env python3
"""Makes the fixture of a release: what its own library and server leave on the disk.

    tests/upgrade/make.py NAME COMMIT [--built FOLDER]

Clones this repository at the commit, builds library and server there (or takes a clone that is built), plays the conversation of
talk.py, kills alice with messages on their way, and packs the server's folder, the clients' folders and what each user
saw into fixtures/NAME.tar.gz. Made once and kept: a release's files do not change any more.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LEFT_OUT = ("log", "stderr", "timbred.log", ".log", ".lock", "-shm")  # a -shm is made anew


def build(commit, folder):
    subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    subprocess.run(["git", "checkout", "-q", commit], cwd=folder, check=True)
    for what in ("lib", "server"):
        subprocess.run(["./build.sh", what], cwd=folder, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("commit")
    parser.add_argument("--built", help="a clone at this commit with its build folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="timbre-fixture-") as folder:
        built = options.built or os.path.join(folder, "clone")
        if not options.built:
            build(options.commit, built)
        os.environ["TIMBRE_LIB_DIR"] = os.path.join(built, "build/lib")
        os.environ["TIMBRED"] = os.path.join(built, "build/bin/timbred")
        play(options, os.path.join(folder, "left"))


def play(options, folder):
    sys.path.insert(0, os.path.join(ROOT, "tests/python"))
    import timbre  # not before the environment says which library and server
    from state import seen
    from talk import Talk
    os.makedirs(os.path.join(folder, "server"))
    server = timbre.Server(devices="all", folder=os.path.join(folder, "server"), options=[])
    talk = Talk(server.start(), folder)
    talk.play()
    facts = {"release": options.name, "commit": options.commit, "group": talk.group, "encrypted": talk.encrypted, "sees": {
        c.name: seen(c) for c in (talk.alice, talk.bob, talk.carol)}}
    for c in (talk.bob, talk.carol):
        c.logout()
        c.call("TIMUninit")
        c.close()
    facts["pending"] = talk.cut_short()
    talk.alice.close()
    for file in glob.glob(os.path.join(folder, "alice/data/*/accepted.jsonl")):
        timbre.check(os.path.getsize(file) > 0, "the last message was stored before the process died: try again")
    with open(os.path.join(folder, "facts.json"), "w") as f:
        json.dump(facts, f, ensure_ascii=False, indent=1)
    out = os.path.join(HERE, "fixtures", options.name + ".tar.gz")
    with tarfile.open(out, "w:gz", compresslevel=9) as tar:
        for name in ("facts.json", "server", "alice", "bob", "carol"):
            tar.add(os.path.join(folder, name), name, filter=lambda t: None if t.name.endswith(LEFT_OUT) else anonymous(t))
    print("%s: %d KB" % (out, os.path.getsize(out) >> 10))


def anonymous(t):
    t.uid = t.gid = 0
    t.uname = t.gname = ""
    return t


if __name__ == "__main__":
    main()
