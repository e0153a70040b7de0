"""The embedder that runs a Sentence-Transformers model on the processor, the same vector for a text every time.

Each text goes through the model alone, in one thread. In a batch, a vector moves by up to 1.5e-7 with its neighbours
(padding and the shape of the matrices change the order of sums); alone it is the same bit for bit, on one core or many,
and as fast, since the texts run side by side.
"""

import hashlib
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer
from tokenizers.normalizers import Lowercase
from tokenizers.normalizers import Sequence as Normalisers

from kb.embedding.directory import ModelDirectory, read_directory, weights_digest
from kb.embedding.protocol import Tokeniser, Vectors
from kb.errors import EmbedderError

_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


class TransformerTokeniser:
    """A model's own `tokenizer.json`: no truncation, no padding, special tokens not counted."""

    def __init__(self, model_directory: Path | ModelDirectory) -> None:
        """Raises EmbedderError where the directory holds no usable model."""
        directory = model_directory if isinstance(model_directory, ModelDirectory) else read_directory(model_directory)
        self._tokenizer = read_tokenizer(directory.tokeniser_file, directory.lower_case)
        self.digest = hashlib.sha256(directory.tokeniser_file.read_bytes()).hexdigest()
        prompts = (directory.query_prompt, directory.document_prompt)
        prompt = max(len(self.offsets(prompt)) for prompt in prompts)
        self.window = directory.max_tokens - self._tokenizer.num_special_tokens_to_add(False) - prompt

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        offsets: list[tuple[int, int]] = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return offsets

    def ids(self, text: str) -> list[int]:
        """What the model is fed: special tokens included."""
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids


class TransformerEmbedder:
    """A model directory as an embedder. The weights' digest is taken at once, the model is loaded on first use."""

    def __init__(self, name: str, directory: Path, expected_digest: str | None = None) -> None:
        """Raises EmbedderError where there is no usable model, or its weights are not the expected ones."""
        self._directory = read_directory(directory)
        self._model: Any = None
        self._loading = threading.Lock()
        self.name = name
        self.digest = weights_digest(self._directory)
        if expected_digest not in (None, self.digest):
            raise EmbedderError(
                f"the weights in {directory} are {self.digest[:12]}…, not the recorded {str(expected_digest)[:12]}…: "
                "restore the recorded model there, or start a new knowledge base with this one"
            )
        self.dimensions = self._directory.dimensions
        self._tokeniser = TransformerTokeniser(self._directory)
        self.tokeniser: Tokeniser = self._tokeniser

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of documents' passages. Raises EmbedderError, also for a text that exceeds the window."""
        return self._embed(texts, self._directory.document_prompt)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Like `embed`, with the prompt that the model wants before a query."""
        return self._embed(texts, self._directory.query_prompt)

    def _embed(self, texts: Sequence[str], prompt: str) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        if not texts:
            return vectors
        self._load()
        with ThreadPoolExecutor(min(os.cpu_count() or 1, len(texts))) as threads:
            for row, vector in zip(vectors, threads.map(lambda text: self._vector(prompt + text), texts), strict=True):
                row[:] = vector
        return vectors

    def _vector(self, text: str) -> Vectors:
        import torch

        ids = self._tokeniser.ids(text)
        if len(ids) > self._directory.max_tokens:
            raise EmbedderError(f"a text of {len(ids)} tokens exceeds the {self._directory.max_tokens} of {self.name}")
        with torch.inference_mode():
            features = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
            vector: Vectors = self._model.forward(features)["sentence_embedding"][0].float().numpy()
        norm = np.linalg.norm(vector)
        if vector.shape != (self.dimensions,) or not 0 < norm < np.inf:
            raise EmbedderError(f"{self.name} gave no usable vector of {self.dimensions} dimensions; check the model")
        return vector / norm

    def _load(self) -> None:
        with self._loading:
            if self._model is None:
                self._model = load_model(self._directory.path, "SentenceTransformer")


def read_tokenizer(file: Path, lower_case: bool = False) -> Tokenizer:
    """A model's tokeniser that neither truncates nor pads. Raises EmbedderError."""
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # The Rust library raises nothing narrower.
        raise EmbedderError(f"{file} cannot be read: {error}; restore it") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if lower_case:
        rest = [tokenizer.normalizer] if tokenizer.normalizer else []
        tokenizer.normalizer = Normalisers([Lowercase(), *rest])
    return tokenizer


def load_model(path: Path, kind: str, **settings: Any) -> Any:
    """The model in a directory, by Sentence-Transformers' class of that name, as its authors saved it; for one thread.

    Raises EmbedderError.
    """
    # Before the import: the libraries read these once.
    os.environ.update(_OFFLINE)
    import sentence_transformers
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(1)
    try:
        return getattr(sentence_transformers, kind)(str(path), device="cpu", local_files_only=True, **settings).eval()
    except Exception as error:  # Whatever is wrong with the files surfaces here, as any of a dozen types.
        raise EmbedderError(f"the model in {path} cannot be loaded: {str(error).splitlines()[0]}") from error
