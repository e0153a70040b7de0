"""Reranking by a cross-encoder: a real one, tiny and of random weights, through the library that loads all of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from sentence_transformers import CrossEncoder
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast
from workbench import Workbench, fill

import kb
from indexer.creation import create
from indexer.writer import Writer
from kb.embedding.load import DEFAULT_MODEL, locate, tokeniser
from kb.embedding.reranker import Reranker
from kb.errors import EmbedderError, UsageError

TOKENS = 96
"""That the model reads at once."""
TEXTS = ["Customers have thirty days.", "The owner gives written notice.", "Goods", "thirty days " * 200]


INPUTS = ["input_ids", "attention_mask", "token_type_ids"]


def save_model(path: Path, labels: int = 1, inputs: int = 3) -> Path:
    """A model whose scores lie apart: random weights, well above those that training begins with."""
    torch.manual_seed(3)
    words = PreTrainedTokenizerFast(
        tokenizer_file=str(locate(DEFAULT_MODEL)[1] / "tokenizer.json"),
        model_max_length=TOKENS,
        model_input_names=INPUTS[:inputs],
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        unk_token="[UNK]",
    )
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    settings = {"vocab_size": words.vocab_size, "max_position_embeddings": TOKENS, "initializer_range": 0.5}
    BertForSequenceClassification(BertConfig(**shape, **settings, num_labels=labels)).save_pretrained(path)
    words.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("reranker"))


@pytest.mark.parametrize("inputs", [2, 3])
def test_scores_are_the_library_s(tmp_path: Path, inputs: int) -> None:
    model = save_model(tmp_path / "model", inputs=inputs)
    library = CrossEncoder(str(model), device="cpu", local_files_only=True)
    expected = [float(library.predict([("refund period", text)])[0]) for text in TEXTS[:3]]
    assert Reranker(str(model)).scores("refund period", TEXTS[:3]) == pytest.approx(expected, abs=1e-6)
    assert len({round(score, 4) for score in expected}) == 3


def test_a_score_is_the_same_whatever_stands_beside_it(model: Path) -> None:
    reranker = Reranker(str(model))
    together = reranker.scores("refund period", TEXTS)
    assert [reranker.scores("refund period", [text])[0] for text in TEXTS] == together
    assert Reranker(str(model)).scores("refund period", TEXTS[::-1]) == together[::-1]
    assert reranker.scores("refund period", []) == []


def test_nothing_is_cut_off(model: Path) -> None:
    """A text is as good as its best window: what stands at the end of a long one counts; so it does in a long query."""
    reranker = Reranker(str(model))
    filler = "written notice of the owner " * 60
    scores = dict(zip(WORDS, reranker.scores("refund", WORDS), strict=True))
    best, worst = max(WORDS, key=scores.__getitem__), min(WORDS, key=scores.__getitem__)
    long = reranker.scores("refund", [filler, filler + best * 30, filler + worst * 30])
    assert long[1] != long[0] != long[2]
    queries = [reranker.scores(query, TEXTS[:1])[0] for query in ("thirty days " * 300, "thirty days " * 300 + "goods")]
    assert queries[0] != queries[1]


PAPERWORK = "Paperwork follows. " * 30
WORDS = ["refund ", "period ", "customer ", "goods ", "thirty "]


def no_weights(model: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")


def no_tokeniser(model: Path) -> None:
    (model / "tokenizer.json").unlink()


def torn_weights(model: Path) -> None:
    (model / "model.safetensors").write_bytes(b"torn")


def torn_tokeniser(model: Path) -> None:
    (model / "tokenizer.json").write_text("{")


def two_labels(model: Path) -> None:
    save_model(model, labels=2)


@pytest.mark.parametrize("harm", [no_weights, no_tokeniser, torn_weights, torn_tokeniser, two_labels])
def test_what_is_no_usable_model_is_refused(model: Path, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    broken = Path(shutil.copytree(model, tmp_path / "broken"))
    harm(broken)
    with pytest.raises(EmbedderError, match="broken") as caught:
        Reranker(str(broken)).scores("refund", TEXTS[:1])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["cross-encoder/ms-marco-MiniLM-L6-v2", "", "no/such"])
def test_nothing_is_downloaded(name: str) -> None:
    with pytest.raises(UsageError, match="nothing is downloaded"):
        Reranker(name)


# In a search


def test_the_best_are_ranked_anew(model: Path, tmp_path: Path) -> None:
    bench = Workbench(tmp_path, 32)
    folder = bench.add_folder("docs")
    sections = [f"## Part {number}\n\nrefund period {'goods ' * (40 + number)}." for number in range(40)]
    fill(folder, {f"{number}.md": "\n\n".join(sections[number::2]) for number in range(2)})
    bench.sync("docs")
    with kb.open(bench.home.path) as base:
        ranked = base.search("refund period", k=50).hits
        expected = Reranker(str(model)).scores("refund period", [hit.text for hit in ranked])
        order = sorted(zip(expected, ranked, strict=True), key=lambda pair: -pair[0])
        for exact in (True, False):
            found = base.search("refund period", k=5, rerank=str(model), exact=exact)
            assert [(hit.score, hit.chunk_id) for hit in found] == [(score, hit.chunk_id) for score, hit in order[:5]]
            assert [hit.scores.rerank for hit in found] == [hit.score for hit in found]
            assert all(hit.scores.dense is not None for hit in found)
            assert list(found.timings) == ["resolve", "embed", "find", "score", "place", "rerank"]
            one = base.search("refund period", k=2, rerank=str(model), per_document=1, exact=exact)
            assert len({hit.document_id for hit in one}) == len(one) == 2
            assert one[0].chunk_id == found[0].chunk_id
        joined = base.search("refund period", k=5, rerank=str(model), expand="section", budget_tokens=10_000)
        assert max(hit.score for hit in joined) == order[0][0]
    bench.close()


def test_the_real_embedder_measures_a_budget_by_its_own_tokens(model: Path, tmp_path: Path) -> None:
    home = create(tmp_path / "home", DEFAULT_MODEL)[0]
    (tmp_path / "docs").mkdir()
    parts = [f"## Part {n}\n\nUncharacteristically, refunds take {n} days. {PAPERWORK}" for n in range(6)]
    fill(tmp_path / "docs", {"a.md": "\n\n".join(parts), "b.md": "\n\n".join(parts[:3])})
    writer = Writer(home)
    writer.add_source("docs", "folder", {"path": str(tmp_path / "docs")})
    writer.sync()
    count = tokeniser(DEFAULT_MODEL).offsets
    with kb.open(home.path) as base:
        (best, *_) = base.search("how many days do refunds take?", k=6)
        fewest = len(count(best.text))
        for budget in (fewest, 2 * fewest, 10 * fewest):
            found = base.search("how many days do refunds take?", k=6, budget_tokens=budget)
            assert 0 < sum(len(count(hit.text)) for hit in found) <= budget
            assert max(hit.score for hit in found) == best.score
            for hit in found:
                text = base.document(f"docs:{hit.provenance.uri}").text
                assert text[hit.provenance.start : hit.provenance.end] == hit.text
        assert any(hit.also for hit in base.search("days", k=6, budget_tokens=10 * fewest))
        reranked = base.search("days", k=3, rerank=str(model), mode="bm25", budget_tokens=500)
        assert reranked.hits
