"""The commands for callers' keys."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import click

from kb import duration
from kb.callers import add_key, remove_key
from kb.catalog import keys
from kb.cli import render
from kb.cli.frame import Invocation, emit, json_option, tell
from kb.keys import ROLES, Key


@click.group("key")
def key() -> None:
    """Keys of those who call over HTTP."""


@key.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What it may do.")
@click.option("--group", "groups", multiple=True, metavar="NAME", help="It sees what NAME may see; repeatable.")
@click.option("--expires", metavar="SPAN", help="When it ends, such as 90d; else never.")
@json_option
@click.pass_obj
def add(
    invocation: Invocation, name: str, role: str, groups: Sequence[str], expires: str | None, as_json: bool
) -> None:
    """Make a key and print it: it cannot be shown again."""
    with invocation.base() as base:
        made, token = add_key(base.catalog, name, role, tuple(groups), _span(expires))  # type: ignore[arg-type]
    emit({"key": token, "key_id": made.key_id, "name": name}, as_json, lambda: iter([token]))
    tell(f"{_line(made)}; keep it safe: it cannot be shown again")


@key.command("list")
@json_option
@click.pass_obj
def list_keys(invocation: Invocation, as_json: bool) -> None:
    """List the keys, without their secrets."""
    with invocation.base() as base, base.catalog.reading() as connection:
        found = keys.listed(connection)
    emit(found, as_json, lambda: _lines(found))


@key.command("remove")
@click.argument("name")
@json_option
@click.pass_obj
def remove(invocation: Invocation, name: str, as_json: bool) -> None:
    """Take a key back, at once."""
    with invocation.base() as base:
        remove_key(base.catalog, name)
    emit({"removed": name}, as_json, lambda: iter([f"removed {name}"]))


def _span(expires: str | None) -> timedelta | None:
    if expires is None:
        return None
    try:
        return timedelta(seconds=duration.seconds(expires))
    except ValueError as error:
        raise click.UsageError(f"--expires {error}") from error


def _lines(found: Sequence[Key]) -> Iterator[str]:
    yield from (_line(one) for one in found)
    if not found:
        yield "there is no key: on this machine nobody needs one, and nothing is served to others"


def _line(one: Key) -> str:
    sees = "everything" if one.groups is None else ", ".join(("everyone's", *one.groups))
    expires = f", until {render.moment(one.expires_at)}" if one.expires_at else ""
    return f"{one.name} ({one.key_id}): {one.role}, sees {sees}{expires}, last used {render.moment(one.last_used_at)}"
