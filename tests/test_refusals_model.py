"""A model that is unknown, or no longer the recorded one, is refused before anything changes."""

import os
import shutil
from pathlib import Path

from crash_support import QuickWriter, call, sync, write
from refusals_support import check, unchanged

import kb
from kb.embedding.load import locate


def test_unknown_model(tmp_path: Path) -> None:
    check(call("--home", tmp_path / "home", "init", "--model", "all-MiniLM"), 2, "all-MiniLM", "nothing is downloaded")
    check(call("--home", tmp_path / "home", "init", "--model", str(tmp_path)), 1, str(tmp_path), "modules.json")
    assert not (tmp_path / "home").exists()


def test_other_weights_than_the_recorded_ones(tmp_path: Path) -> None:
    model = Path(shutil.copytree(locate("all-MiniLM-L6-v2")[1], tmp_path / "model"))
    write(tmp_path / "docs", {"one.md": "# One\n\nalpha"})
    home = tmp_path / "home"
    assert call("--home", home, "init", "--model", str(model)).code == 0
    QuickWriter(home).add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    sync(home)
    flip(model / "model.safetensors")
    write(tmp_path / "docs", {"two.md": "# Two\n\nbeta"})
    with unchanged(home):
        for arguments in (("sync", "--json"), ("search", "alpha"), ("search", "alpha", "--mode", "dense", "--json")):
            check(call("--home", home, *arguments), 1, str(model), "not the recorded", "restore")
    assert call("--home", home, "search", "alpha", "--mode", "bm25").code == 0
    flip(model / "model.safetensors")
    sync(home)
    with kb.open(home) as base:
        assert base.status().documents == 2
        assert len(base.search("beta", mode="dense")) == 2


def flip(path: Path) -> None:
    """Changes one bit in the middle; the second time, changes it back."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
