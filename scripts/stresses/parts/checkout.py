"""A work tree with two branches that differ in very many files."""

import os
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path


class Tree:
    """On branch `main`; of `other` each file differs, one in ten has another name. `digests` holds what each has."""

    def __init__(self, path: Path, files: int) -> None:
        self.path = path
        self.branch = "main"
        path.mkdir()
        texts = {branch: self._texts(branch, files) for branch in ("main", "other")}
        self.digests = {
            branch: {name: sha256(text.encode()).hexdigest() for name, text in found.items()}
            for branch, found in texts.items()
        }
        self._git("init", "--quiet", "--initial-branch=main")
        self._commit(texts["main"])
        self._git("checkout", "--quiet", "-b", "other")
        for name in texts["main"].keys() - texts["other"].keys():
            (path / name).unlink()
        self._commit(texts["other"])
        self._git("checkout", "--quiet", "main")

    def checkout(self, branch: str) -> None:
        self._git("checkout", "--quiet", branch)
        self.branch = branch

    def _texts(self, branch: str, files: int) -> Mapping[str, str]:
        names = {
            n: f"{n % 50}/{n}.md" if n % 10 or branch == "main" else f"{branch}/{n % 50}/{n}.md" for n in range(files)
        }
        return {name: f"# {n}\n\nDocument {n} as it is on {branch}.\n" for n, name in names.items()}

    def _commit(self, texts: Mapping[str, str]) -> None:
        for name, text in texts.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)
        self._git("add", "--all")
        self._git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "--message", "x")

    def _git(self, *arguments: str) -> None:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", "-C", str(self.path), *arguments], env=environment, check=True, capture_output=True)
