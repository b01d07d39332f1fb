"""The book as tests look at it: built once, however many tests and processes ask for it.

``make test`` builds it first and says so in LEWM_BUILT, so that nothing is built, or taken away, under a test that is
reading it. Where tests are started by themselves, ``make html`` brings it up to date, one process at a time.
"""

import fcntl
import os
import subprocess

import pytest


def built(root):
    """The folder of the built book."""
    folder = root / "_build" / "html"
    if not os.environ.get("LEWM_BUILT"):
        lock = root / "_build" / ".lock"
        lock.parent.mkdir(exist_ok=True)
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)  # let go of when the file is closed
            made = subprocess.run(["make", "html"], cwd=root, capture_output=True, text=True, check=False)
        if made.returncode:
            pytest.fail(f"make html failed:\n{made.stdout[-4000:]}\n{made.stderr[-4000:]}")
    return folder
