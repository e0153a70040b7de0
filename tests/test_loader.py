"""A loader as a source: added by the command, stored as JSON, indexed, followed and verified like any other."""

import json
from pathlib import Path

from cli_support import reply
from crash_support import call, sync, write

from indexer.creation import create

TESTS = Path(__file__).parent


def test_a_loader_is_a_source_like_any_other(tmp_path: Path) -> None:
    home = create(tmp_path / "home", "hashing:32")[0].path
    texts = tmp_path / "texts"
    write(
        texts, {"a.md": "# A\n\nalpha", "report.pdf": "# Report\n\nbeta, as it was made from a PDF", "page.html": "c"}
    )
    arguments = json.dumps({"root": str(texts)})
    added = reply(home, "source", "add", "mine", "loader", "loader=loader_files:Files", f"arguments={arguments}",
                  f"directory={TESTS}", "exclude=page.html")  # fmt: skip
    assert added["options"]["arguments"] == {"root": str(texts)}
    assert reply(home, "source", "check", "mine")["documents"] == 2
    sync(home)
    hits = reply(home, "search", "beta", "--mode", "bm25")["hits"]
    assert [(hit["provenance"]["uri"], hit["provenance"]["section"]) for hit in hits] == [("report.pdf", ["Report"])]
    assert reply(home, "search", "alpha", "--filter", "metadata.source=a.md")["hits"]
    assert reply(home, "verify", "--sources")["findings"] == []
    texts.rename(tmp_path / "away")
    refused = call("--home", home, "sync")
    assert refused.code == 6
    assert "loader loader_files:Files: FileNotFoundError" in refused.error
    assert reply(home, "status")["documents"] == 2
