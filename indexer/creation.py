"""Making a knowledge base."""

from dataclasses import replace
from pathlib import Path

from kb.catalog import Catalog
from kb.embedding.load import describe
from kb.errors import UsageError
from kb.home import CONFIG, DEFAULT_MODEL, Config, Home, open_home, write_config
from kb.unwritable import writes


def create(path: Path, model: str | None = None) -> tuple[Home, bool]:
    """Makes the home, or brings an existing one's tables up to date; returns it, and whether it is new.

    Raises UsageError or EmbedderError for a model that cannot be used, before anything is written.
    """
    path = path.absolute()
    if (path / CONFIG).is_file():
        home = open_home(path)
        if model is not None and describe(model).name != describe(home.config.model).name:
            raise UsageError(
                f"{path} has the model {home.config.model} already; to change it edit `model` in {path / CONFIG}"
            )
        Catalog(home.catalog_url).migrate()
        return home, False
    _check_empty(path)
    described = describe(model or DEFAULT_MODEL)
    home = Home(path, replace(Config(), model=described.name))
    with writes(path):
        path.mkdir(parents=True, exist_ok=True)
        Catalog(home.catalog_url).migrate()
        # The configuration comes last: a directory with one is a knowledge base, and whole.
        write_config(path / CONFIG, described.name)
    return home, True


def _check_empty(path: Path) -> None:
    if path.is_file():
        raise UsageError(f"{path} is a file: name a directory with --home")
    strange = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []
    if strange and not {"catalog.sqlite"} >= {name.removesuffix("-wal").removesuffix("-shm") for name in strange}:
        raise UsageError(f"{path} holds other files ({strange[0]}, ...): name an empty or a new directory with --home")
