"""What a Sentence-Transformers model directory says of itself, read from its own files without loading the model."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.errors import EmbedderError

_QUERY_PROMPTS = ("query",)
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")


@dataclass(frozen=True, slots=True)
class ModelDirectory:
    """A model as its files describe it; `modules` are the directories of its stages, the transformer first."""

    path: Path
    modules: tuple[Path, ...]
    max_tokens: int
    """Special tokens counted."""
    lower_case: bool
    dimensions: int
    query_prompt: str
    document_prompt: str

    @property
    def tokeniser_file(self) -> Path:
        return self.modules[0] / "tokenizer.json"


def read_directory(path: Path) -> ModelDirectory:
    """Raises EmbedderError where `path` holds no Sentence-Transformers model that can be used."""
    stages = _json(path / "modules.json")
    if not isinstance(stages, list) or not stages:
        raise EmbedderError(f"{path} holds no Sentence-Transformers model: it has no modules.json that lists modules")
    modules = tuple(path / stage["path"] for stage in stages)
    kinds = [str(stage["type"]).rpartition(".")[2] for stage in stages]
    if kinds[0] != "Transformer" or not (modules[0] / "tokenizer.json").is_file():
        raise EmbedderError(f"the model in {path} does not start with a transformer that has a tokenizer.json")
    card = _json(path / "config_sentence_transformers.json") or {}
    settings = _json(modules[0] / "sentence_bert_config.json") or {}
    return ModelDirectory(
        path=path,
        modules=modules,
        max_tokens=_max_tokens(modules[0], settings),
        lower_case=bool(settings.get("do_lower_case", False)),
        dimensions=_dimensions(modules, kinds),
        query_prompt=_prompt(card, _QUERY_PROMPTS),
        document_prompt=_prompt(card, _DOCUMENT_PROMPTS),
    )


def weights_digest(directory: ModelDirectory) -> str:
    """SHA-256 of the weights file; of several, SHA-256 over their names and digests. Raises EmbedderError.

    Pickled weights are refused: reading them can run code, and they would escape the digest.
    """
    files = {file for module in directory.modules for file in module.glob("*.safetensors")}
    pickled = [file for module in directory.modules for file in module.glob("*.bin")]
    unsafe = [file for file in pickled if not any(other.parent == file.parent for other in files)]
    if unsafe or not files:
        found = unsafe[0].name if unsafe else "no *.safetensors"
        raise EmbedderError(f"the model in {directory.path} has {found}: save it with safe_serialization=True")
    digests = {file.relative_to(directory.path).as_posix(): _sha256(file) for file in files}
    if len(digests) == 1:
        return next(iter(digests.values()))
    return hashlib.sha256("".join(f"{name} {digests[name]}\n" for name in sorted(digests)).encode()).hexdigest()


def _max_tokens(transformer: Path, settings: Mapping[str, Any]) -> int:
    if settings.get("max_seq_length"):
        return int(settings["max_seq_length"])
    positions = (_json(transformer / "config.json") or {}).get("max_position_embeddings")
    tokens = (_json(transformer / "tokenizer_config.json") or {}).get("model_max_length")
    # A tokeniser without a limit of its own says 1e30.
    known = [int(limit) for limit in (positions, tokens) if limit is not None and 0 < limit < 1e9]
    if not known:
        raise EmbedderError(f"the model in {transformer} does not say its max_seq_length: set it and save the model")
    return min(known)


def _dimensions(modules: tuple[Path, ...], kinds: list[str]) -> int:
    dimensions = int((_json(modules[0] / "config.json") or {}).get("hidden_size", 0))
    for module, kind in zip(modules, kinds, strict=True):
        settings = _json(module / "config.json") or {}
        if kind == "Pooling":
            dimensions = _pooled_dimensions(settings, dimensions)
        elif kind == "Dense":
            dimensions = int(settings["out_features"])
    return dimensions


def _pooled_dimensions(settings: Mapping[str, Any], hidden: int) -> int:
    width = int(settings.get("embedding_dimension", settings.get("word_embedding_dimension", hidden)))
    modes = settings.get("pooling_mode")
    if modes is None:
        modes = [key for key, on in settings.items() if key.startswith("pooling_mode_") and on]
    return width * (1 if isinstance(modes, str) else max(len(modes), 1))


def _prompt(card: Mapping[str, Any], names: tuple[str, ...]) -> str:
    prompts = card.get("prompts") or {}
    chosen = (prompts[name] for name in (*names, card.get("default_prompt_name")) if name in prompts)
    return next(chosen, "") or ""


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise EmbedderError(f"{path} cannot be read: {error}; restore the model directory") from error


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbedderError(f"{path} cannot be read: {error.strerror}; restore the model directory") from error
