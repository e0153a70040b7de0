"""The embedders: the same text, the same vector; nothing cut off, nothing downloaded, no weights but the recorded."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.embedding.hashing import WordTokeniser
from kb.embedding.load import DEFAULT_MODEL, describe, load, locate, tokeniser
from kb.embedding.protocol import Embedder, Tokeniser
from kb.embedding.query import cut_windows, embed_query
from kb.errors import EmbedderError, UsageError

WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TEXTS = [
    "The refund period is thirty days.",
    "",
    " \t\n",
    "日本語のテキスト",
    "def camelCase(self): return snake_case.attribute",
    "Ünïcödé, ﬁ ligature, \x00 zero and 😀",
    "x" * 500,
    *(f"Paragraph {n} tells of " + "storage, versions and snapshots, " * (n % 17) + "and ends." for n in range(24)),
]
MODELS = [DEFAULT_MODEL, "hashing:256"]


@pytest.fixture(scope="module", params=MODELS)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return load(request.param)


@pytest.fixture(scope="module")
def real() -> Embedder:
    return load(DEFAULT_MODEL)


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[Path]:
    model = tmp_path / "model"
    yield Path(shutil.copytree(locate(DEFAULT_MODEL)[1], model))
    # pytest keeps its directories for a while, and each copy has 90 MB.
    shutil.rmtree(model)


def change(path: Path, **settings: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


# The contract, on every embedder.


def test_vectors_are_unit_rows_in_the_callers_order(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    for row in (0, 4, len(TEXTS) - 1):
        assert np.array_equal(vectors[row], embedder.embed([TEXTS[row]])[0])


def test_a_vector_does_not_hang_on_its_neighbours(embedder: Embedder) -> None:
    vectors = dict(zip(TEXTS, embedder.embed(TEXTS), strict=True))
    shuffled = random.Random(7).sample(TEXTS, len(TEXTS))
    for text, vector in zip(shuffled, embedder.embed(shuffled), strict=True):
        assert np.array_equal(vector, vectors[text])


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimensions)


def test_its_name_loads_it_again(embedder: Embedder) -> None:
    again = load(embedder.name, embedder.digest)
    assert (again.name, again.digest, again.dimensions) == (embedder.name, embedder.digest, embedder.dimensions)
    described = describe(embedder.name)
    assert (described.name, described.digest, described.dimensions) == (again.name, again.digest, again.dimensions)
    assert tokeniser(embedder.name).digest == embedder.tokeniser.digest
    assert tokeniser(embedder.name).window == embedder.tokeniser.window


def test_another_digest_is_refused(embedder: Embedder) -> None:
    with pytest.raises(EmbedderError, match=f"{embedder.digest[:12]}.*{'f' * 12}"):
        load(embedder.name, "f" * 64)


def test_a_query_of_any_length_is_covered_whole(embedder: Embedder) -> None:
    window = embedder.tokeniser.window
    short, long = "refund period", " ".join(["refund"] * window + ["telescope"] * window)
    assert np.array_equal(embed_query(embedder, short), embedder.embed([short])[0])
    vector = embed_query(embedder, long)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    for word in ("refund", "telescope"):
        other = "telescope" if word == "refund" else "refund"
        wanted, one_sided = embedder.embed([word, " ".join([other] * (window // 3))])
        assert vector @ wanted > one_sided @ wanted + 0.1


# Tokenisers and windows.


@pytest.mark.parametrize("of", [WordTokeniser(5), tokeniser(DEFAULT_MODEL)], ids=["words", "wordpieces"])
@given(data=st.data())
def test_windows_hold_all_of_the_text_and_fit(of: Tokeniser, data: st.DataObject) -> None:
    word = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    text = " ".join(data.draw(st.lists(word, max_size=60))) * data.draw(st.integers(1, 8))
    windows = cut_windows(of, text)
    assert "".join(windows) == text
    assert all(len(of.offsets(window)) <= of.window for window in windows)


@pytest.mark.parametrize(
    "text", ["日" * 3_000, "a." * 4_000, "ab" * 5_000, "antidisestablishmentarianism" * 3 + " x" * 900]
)
def test_windows_of_text_without_words_fit(text: str) -> None:
    of = tokeniser(DEFAULT_MODEL)
    windows = cut_windows(of, text)
    assert "".join(windows) == text
    assert all(len(of.offsets(window)) <= of.window for window in windows)


def test_the_tokeniser_counts_text_alone_and_never_truncates() -> None:
    of = tokeniser(DEFAULT_MODEL)
    assert of.window == 254
    assert of.offsets("") == []
    text = "words and wörds " * 1_000
    offsets = of.offsets(text)
    assert len(offsets) == 3_000
    assert offsets[-1][1] == len(text) - 1
    assert [text[start:end] for start, end in offsets[:3]] == ["words", "and", "wörds"]


# The real model.


def test_it_is_the_published_model(real: Embedder) -> None:
    assert (real.name, real.digest, real.dimensions) == (DEFAULT_MODEL, WEIGHTS, 384)


def test_it_knows_meaning(real: Embedder) -> None:
    query, near, far = real.embed(
        ["How do I get my money back?", "Refunds are paid within thirty days.", "The telescope needs a new mirror."]
    )
    assert query @ near > query @ far + 0.2


def test_it_agrees_with_its_library(real: Embedder) -> None:
    from sentence_transformers import SentenceTransformer

    library = SentenceTransformer(str(locate(DEFAULT_MODEL)[1]), device="cpu", local_files_only=True)
    expected = library.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    np.testing.assert_allclose(real.embed(TEXTS), expected, rtol=0, atol=1e-6)


def test_a_text_past_the_window_is_refused_not_cut(real: Embedder) -> None:
    assert len(real.embed(["word " * 254])) == 1
    with pytest.raises(EmbedderError, match="257 tokens exceeds the 256"):
        real.embed(["fits", "word " * 255])


def test_an_alias_is_the_same_model() -> None:
    assert describe(f"sentence-transformers/{DEFAULT_MODEL}") == describe(DEFAULT_MODEL)


def test_naming_a_model_loads_no_library() -> None:
    program = (
        "import sys; from kb.embedding.load import *; load('all-MiniLM-L6-v2'); describe('all-MiniLM-L6-v2');"
        "sys.exit(bool({'torch', 'transformers', 'sentence_transformers'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# Model directories.


def test_a_directory_is_a_model_by_its_path(copied: Path, real: Embedder) -> None:
    other = load(str(copied))
    assert (other.name, other.digest) == (str(copied.resolve()), real.digest)
    assert np.array_equal(other.embed(TEXTS[:3]), real.embed(TEXTS[:3]))


def test_changed_weights_are_another_model(copied: Path) -> None:
    with (copied / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    assert describe(str(copied)).digest != WEIGHTS
    with pytest.raises(EmbedderError, match=r"not the recorded 53aa51172d14….*restore"):
        load(str(copied), WEIGHTS)


def test_a_directory_says_its_own_window_and_prompts(copied: Path, real: Embedder) -> None:
    change(copied / "sentence_bert_config.json", max_seq_length=64)
    change(copied / "config_sentence_transformers.json", prompts={"query": "query: ", "passage": "passage: "})
    prompted = load(str(copied))
    assert prompted.tokeniser.window == 64 - 2 - 2
    assert np.array_equal(prompted.embed(["refunds"]), real.embed(["passage: refunds"]))
    assert np.array_equal(embed_query(prompted, "refunds"), real.embed(["query: refunds"])[0])


def test_several_weights_have_one_digest_over_all(copied: Path) -> None:
    (copied / "1_Pooling" / "model.safetensors").write_bytes(b"one")
    first = describe(str(copied)).digest
    (copied / "1_Pooling" / "model.safetensors").write_bytes(b"two")
    assert len({first, describe(str(copied)).digest, WEIGHTS}) == 3


@pytest.mark.parametrize(
    ("breakage", "said"),
    [
        (lambda model: (model / "modules.json").unlink(), "no modules.json"),
        (lambda model: (model / "modules.json").write_text("{"), "cannot be read"),
        (lambda model: (model / "tokenizer.json").unlink(), "tokenizer.json"),
        (lambda model: (model / "tokenizer.json").write_text("{}"), "cannot be read"),
        (lambda model: (model / "model.safetensors").rename(model / "pytorch_model.bin"), "pytorch_model.bin"),
        (lambda model: (model / "model.safetensors").unlink(), "safetensors"),
        (lambda model: (model / "model.safetensors").write_bytes(b"torn"), "cannot be loaded"),
    ],
)
def test_a_broken_directory_is_refused_in_one_line(copied: Path, breakage, said: str) -> None:
    breakage(copied)
    with pytest.raises(EmbedderError, match=said) as caught:
        load(str(copied)).embed(["text"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("model", ["bert-base", "org/model", "hashing:0", "hashing:x", "hashing:", ""])
def test_an_unknown_name_is_refused_with_what_is_known(model: str) -> None:
    with pytest.raises(UsageError, match=r"all-MiniLM-L6-v2, hashing:N .*nothing is downloaded"):
        load(model)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match="no model directory at"):
        describe(str(tmp_path / "gone"))


def test_the_libraries_are_told_to_stay_offline() -> None:
    """In a process of its own: they read it once, when they are imported."""
    script = (
        "from kb.embedding.load import load\n"
        f"load({DEFAULT_MODEL!r}).embed(['words'])\n"
        "from huggingface_hub import constants\n"
        "print(constants.HF_HUB_OFFLINE, constants.HF_HUB_DISABLE_TELEMETRY)\n"
    )
    environment = {name: value for name, value in os.environ.items() if "OFFLINE" not in name}
    run = subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True)
    assert run.stdout.split() == ["True", "True"]
