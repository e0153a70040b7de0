"""The plain model of a corpus with a history: what every version holds, worked out from the corpus alone."""

from collections.abc import Iterable

from scripts.benchmarks.store_parts.corpus import Corpus, Counts


class History:
    """Version 1 is the corpus as it starts, each later one a step further."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self._counts = [corpus.start()]
        self._documents = {document.uri: document for document in corpus.documents}

    def texts(self, version: int, uri: str) -> list[str]:
        """The passages of a document as of a version."""
        return self.corpus.texts(self._documents[uri], self._at(version))

    def text(self, version: int, slot: int) -> str:
        return self.corpus.text(slot, int(self._at(version)[slot]))

    def changed(self, version: int) -> Iterable[int]:
        """The slots whose text the version replaced; of the first, all slots."""
        return self.corpus.step(version - 1).slots if version > 1 else range(self.corpus.size)

    def _at(self, version: int) -> Counts:
        for number in range(len(self._counts), version):
            counts = self._counts[-1].copy()
            counts[self.corpus.step(number).slots] += 1
            self._counts.append(counts)
        return self._counts[version - 1]
