"""What a diff of documents shows of their texts."""

from pathlib import Path

import pytest
from workbench import Workbench

import kb


@pytest.mark.parametrize("after", [b"one\r\ntwo\r\n", b"one\ntwo"])
def test_texts_that_differ_in_the_ends_of_lines_alone(tmp_path: Path, after: bytes) -> None:
    bench = Workbench(tmp_path, 32)
    folder = bench.add_folder("docs")
    for content in (b"one\ntwo\n", after):
        (folder / "a.txt").write_bytes(content)
        bench.sync("docs")
    bench.close()
    with kb.open(bench.home.path) as base:
        (change,) = base.diff(1, 2, text=True).documents
    assert change.text == "only the ends of lines differ"
