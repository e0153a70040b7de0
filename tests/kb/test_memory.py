"""Memory that threads needed is not kept for each of them."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from kb import memory

THREADS = """
import ctypes, os, sys, threading
from kb.memory import bound

if sys.argv[1] == "bound":
    bound()
beside, ended = threading.Barrier(65), threading.Event()

def hold():
    held = bytearray(2_000)
    beside.wait()
    ended.wait()

threads = [threading.Thread(target=hold) for _ in range(64)]
for thread in threads:
    thread.start()
beside.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
told = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, told)
libc.fclose(told)
ended.set()
print(open(sys.argv[2]).read().count("<heap "), max(2, os.cpu_count() or 1))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's allocator has arenas")
@pytest.mark.parametrize("form", ["bound", "free"])
def test_threads_share_an_arena_for_each_core(form: str, tmp_path: object) -> None:
    command = [sys.executable, "-c", THREADS, form, f"{tmp_path}/told"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    arenas, most = map(int, told.stdout.split())
    assert (arenas <= most) == (form == "bound")


@pytest.mark.parametrize("form", ["bound", "free"])
def test_arrow_takes_the_systems_allocator(form: str) -> None:
    lines = ["import kb.cli, kb.memory", *(["kb.memory.bound()"] if form == "bound" else [])]
    lines += ["import pyarrow", "print(pyarrow.default_memory_pool().backend_name)"]
    # The tests' own process may be bound already.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARROW_")}
    program = [sys.executable, "-c", "\n".join(lines)]
    told = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    assert (told.stdout.strip() == "system") == (form == "bound")


@pytest.mark.parametrize(("limit", "expected"), [("1000000\n", 1_000_000), ("max\n", None), (None, None)])
def test_a_container_s_limit_is_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str | None, expected: int | None
) -> None:
    if limit is not None:
        (tmp_path / "memory.max").write_text(limit)
    monkeypatch.setattr(memory, "_LIMITS", (tmp_path / "memory.max",))
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert memory.held_at_most.__wrapped__() == (expected or machine)
