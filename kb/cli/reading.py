"""The commands that read."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from kb.cli import render
from kb.cli.frame import Invocation, emit, json_option, root

as_of_option = click.option("--as-of", default="head", metavar="REF", help="The version that is to answer.")


@root.command()
@click.argument("query")
@as_of_option
@click.option("-k", "k", default=10, show_default=True, help="How many hits.")
@click.option("--mode", type=click.Choice(["hybrid", "dense", "bm25"]), default="hybrid", show_default=True)
@click.option("--exact", is_flag=True, help="Score every live chunk: the reference for the quick path.")
@click.option(
    "--filter",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="By source, uri, media_type or section (globs), modified_after, modified_before, or metadata; repeatable.",
)
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Only what NAME may see; repeatable.")
@click.option("--budget-tokens", type=int, metavar="N", help="Of the k best, those that fit so many tokens, joined.")
@click.option("--expand", type=click.Choice(["section"]), help="Widen each hit to the section around it.")
@click.option("--per-document", type=int, metavar="N", help="At most so many hits of one document.")
@click.option("--rerank", metavar="DIR", help="Rank the best anew by the cross-encoder in that directory.")
@json_option
@click.pass_obj
def search(
    invocation: Invocation,
    /,
    query: str,
    as_of: str,
    k: int,
    mode: str,
    exact: bool,
    pairs: Sequence[str],
    groups: Sequence[str],
    as_json: bool,
    **settings: Any,
) -> None:
    """Search as of a version: the best passages, each with its provenance."""
    with invocation.base() as base:
        from kb.search.filters import parse_filters

        filters = parse_filters(pairs)
        settings |= {"filters": filters, "groups": groups or None}
        found = base.search(query, as_of=as_of, k=k, mode=mode, exact=exact, **settings)  # type: ignore[arg-type]
    emit(found, as_json, lambda: render.answer(found))


@root.command()
@click.option("-n", "limit", default=20, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--source", metavar="NAME", help="Only this source's snapshots.")
@json_option
@click.pass_obj
def log(invocation: Invocation, limit: int, source: str | None, as_json: bool) -> None:
    """List snapshots, newest first."""
    with invocation.base() as base:
        found = base.log(limit, source=source)
    emit(found, as_json, lambda: render.log(found))


@root.command()
@click.argument("reference", default="head")
@json_option
@click.pass_obj
def show(invocation: Invocation, reference: str, as_json: bool) -> None:
    """Show one snapshot: its counts, documents, pipeline and digests."""
    with invocation.base() as base:
        found = base.show(reference)
    emit(found, as_json, lambda: render.show(found))


@root.command()
@click.argument("before")
@click.argument("after", default="head")
@click.option("--level", type=click.Choice(["documents", "chunks", "results"]), default="documents", show_default=True)
@click.option("--text", is_flag=True, help="With unified diffs of the documents' texts.")
@click.option("--query", "queries", multiple=True, help="For --level results: a query whose hits are compared.")
@json_option
@click.pass_obj
def diff(
    invocation: Invocation, before: str, after: str, level: str, text: bool, queries: Sequence[str], as_json: bool
) -> None:
    """Show what differs between two versions."""
    with invocation.base() as base:
        found = base.diff(before, after, level=level, text=text, queries=queries)  # type: ignore[arg-type]
    emit(found, as_json, lambda: render.diff(found))


@root.command()
@click.argument("document")
@json_option
@click.pass_obj
def history(invocation: Invocation, document: str, as_json: bool) -> None:
    """List one document's versions; DOCUMENT is an id or SOURCE:URI."""
    with invocation.base() as base:
        found = base.history(document)
    emit(found, as_json, lambda: render.history(found))


@root.command()
@click.argument("document")
@as_of_option
@click.option("--original", is_flag=True, help="Its own bytes instead, where its source keeps them.")
@json_option
@click.pass_obj
def cat(invocation: Invocation, document: str, as_of: str, original: bool, as_json: bool) -> None:
    """Print a document's text as of a version, exactly."""
    with invocation.base() as base:
        if original:
            sys.stdout.buffer.write(base.original(document, as_of=as_of))
            return
        found = base.document(document, as_of=as_of)
    if as_json:
        emit(found, True, lambda: iter(()))
    else:
        # Bytes, so that the text's own line ends and offsets survive.
        sys.stdout.buffer.write(found.text.encode("utf-8", "surrogatepass"))


@root.command()
@click.argument("name", required=False)
@click.argument("reference", default="head")
@click.option("--list", "listing", is_flag=True, help="List all tags.")
@click.option("--delete", "delete", metavar="NAME", help="Delete a tag.")
@json_option
@click.pass_obj
def tag(
    invocation: Invocation, name: str | None, reference: str, listing: bool, delete: str | None, as_json: bool
) -> None:
    """Name a version, list the names, or delete one."""
    if sum(map(bool, (name, listing, delete))) != 1:
        raise click.UsageError("give one of: NAME [REF], --list, --delete NAME")
    with invocation.base() as base:
        if delete:
            base.delete_tag(delete)
            emit({"deleted": delete}, as_json, lambda: iter([f"deleted {delete}"]))
        elif name:
            version = base.tag(name, reference)
            emit({"name": name, "version": version}, as_json, lambda: iter([f"{name} is version {version}"]))
        else:
            found = base.tags()
            emit(found, as_json, lambda: iter(f"{version:>5}  {name}" for name, version in found.items()))


@root.command()
@json_option
@click.pass_obj
def status(invocation: Invocation, as_json: bool) -> None:
    """Show how the sources stand: freshness, last run, documents, quarantine; and sizes."""
    with invocation.base() as base:
        found = base.status()
    emit(found, as_json, lambda: render.status(found))


@root.group(invoke_without_command=True)
@json_option
@click.pass_context
def quarantine(context: click.Context, as_json: bool) -> None:
    """Documents that could not be taken in, with their reasons."""
    if context.invoked_subcommand is None:
        context.invoke(list_quarantine, source=None, as_json=as_json)


@quarantine.command("list")
@click.argument("source", required=False)
@json_option
@click.pass_obj
def list_quarantine(invocation: Invocation, source: str | None, as_json: bool) -> None:
    """List them."""
    with invocation.base() as base:
        found = base.quarantine(source)
    emit(found, as_json, lambda: render.quarantine(found))


@root.command()
@click.argument("reference", default="head")
@click.option("--sources", is_flag=True, help="Read the documents at their sources again and compare them, too.")
@json_option
@click.pass_context
def verify(context: click.Context, reference: str, sources: bool, as_json: bool) -> None:
    """Re-derive every digest, span and row up to a version; exit 1 where something does not hold."""
    with context.obj.base() as base:
        found = base.verify(reference, sources=sources)
    emit(found, as_json, lambda: render.verification(found))
    if found.findings:
        context.exit(1)
