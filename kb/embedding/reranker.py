"""Reranking by a Sentence-Transformers cross-encoder, which reads the query and a text together.

As the embedder does, it reads each pair alone and in one thread: the same score every time, whatever stands beside it.
"""

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import isfinite
from pathlib import Path
from typing import Any

from kb.embedding.query import cut_windows
from kb.embedding.transformer import load_model, read_tokenizer
from kb.errors import EmbedderError, UsageError


class Reranker:
    """The model in a directory, loaded on first use. For any number of threads."""

    def __init__(self, name: str) -> None:
        """Raises UsageError where there is no such directory, EmbedderError where it holds no usable model."""
        self._path = _directory(name)
        self._tokenizer = read_tokenizer(self._path / "tokenizer.json")
        self._model: Any = None
        self._loading = threading.Lock()

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the query. Raises EmbedderError.

        Nothing is cut off: of what is too long windows are read. A text is as good as its best window, on average over
        the query's.
        """
        if not texts:
            return []
        self._load()
        with ThreadPoolExecutor(min(os.cpu_count() or 1, len(texts))) as threads:
            return list(threads.map(lambda text: self._score(query, text), texts))

    def _score(self, query: str, text: str) -> float:
        room: int = self._model.max_seq_length - self._tokenizer.num_special_tokens_to_add(True)
        questions = cut_windows(_Windows(self._tokenizer, room // 2), query)
        rest = room - max(len(_offsets(self._tokenizer, question)) for question in questions)
        windows = cut_windows(_Windows(self._tokenizer, rest), text)
        best = [max(self._read(question, window) for window in windows) for question in questions]
        return sum(best) / len(best)

    def _read(self, query: str, text: str) -> float:
        import torch

        pair = self._tokenizer.encode(query, text)
        known = {"input_ids": pair.ids, "attention_mask": pair.attention_mask, "token_type_ids": pair.type_ids}
        # Those that its own tokeniser gives: some models were trained without types.
        wanted = {
            name: torch.tensor([known[name]]) for name in self._model.tokenizer.model_input_names if name in known
        }
        with torch.inference_mode():
            score = float(self._model.activation_fn(self._model.forward(wanted)["scores"].float())[0, 0])
        if not isfinite(score):
            raise EmbedderError(f"the cross-encoder in {self._path} gave no usable score; check the model")
        return score

    def _load(self) -> None:
        with self._loading:
            if self._model is None:
                self._model = _load_model(self._path)


class _Windows:
    """A tokeniser with a window of its own."""

    digest = ""

    def __init__(self, tokenizer: Any, window: int) -> None:
        self._tokenizer = tokenizer
        self.window = window

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        return _offsets(self._tokenizer, text)


def _offsets(tokenizer: Any, text: str) -> Sequence[tuple[int, int]]:
    offsets: list[tuple[int, int]] = tokenizer.encode(text, add_special_tokens=False).offsets
    return offsets


def _directory(name: str) -> Path:
    path = Path(name)
    if not name or not path.is_dir():
        raise UsageError(f"there is no cross-encoder at {name!r}: name its directory (nothing is downloaded)")
    if not any(path.glob("*.safetensors")) or not (path / "tokenizer.json").is_file():
        raise EmbedderError(
            f"the model in {path} has no *.safetensors or no tokenizer.json: save it with safe_serialization=True"
        )
    return path


def _load_model(path: Path) -> Any:
    # Pickled weights are refused: reading them can run code.
    model = load_model(path, "CrossEncoder", model_kwargs={"use_safetensors": True})
    if model.num_labels != 1 or not model.max_seq_length:
        raise EmbedderError(f"the model in {path} is no cross-encoder of one score that says its max_seq_length")
    return model
