"""The frame of the `kb` command: its global options, its output and its exit codes."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kb.answers import plain
from kb.client.call import Call, Told
from kb.errors import Interrupted, KBError
from kb.home import locate, open_home

if TYPE_CHECKING:
    from kb.base import KnowledgeBase

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the global options say."""

    home: Path | None

    @contextmanager
    def base(self) -> "Iterator[KnowledgeBase]":
        """The knowledge base that the command is about. Raises NotFound or ConfigError."""
        # Here, for the catalog's library takes a while: a command that the daemon answers need not wait for it.
        from kb.base import KnowledgeBase

        with KnowledgeBase(open_home(locate(self.home))) as base:
            yield base

    def ask(self, call: Call[Told]) -> Told | None:
        """The answer of a daemon that has the model at hand; None where none answers: open the knowledge base then."""
        from kb.client import local

        return local.ask(open_home(locate(self.home)), call)


class Root(click.Group):
    """Ends as commands do: click itself would print an empty line for Ctrl-C, and exit 1 where a reader went away."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except KeyboardInterrupt:
            raise Interrupted("stopped; nothing that was published is lost") from None
        except BrokenPipeError:
            # A second error, when the rest is flushed at exit, would only be noise.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(0) from None


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--home", type=click.Path(path_type=Path), help="The knowledge base's directory; else KB_HOME, else .kb.")
@click.version_option(package_name="palimpsest", prog_name="kb")
@click.pass_context
def root(context: click.Context, home: Path | None) -> None:
    """Palimpsest: a knowledge base that answers as of any version, with proof."""
    # What goes wrong with a connection is raised; its pool would tell of it, too, with a traceback: also of Ctrl-C.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    context.obj = Invocation(home)


def json_option(command: Command) -> Command:
    """Adds `--json`, given to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def emit(value: Any, as_json: bool, lines: Callable[[], Iterator[str]]) -> None:
    """Prints the value as one JSON document, or as lines for people."""
    if as_json:
        click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))
        return
    for line in lines():
        click.echo(line)


def tell(text: str) -> None:
    """Words for people: never on stdout."""
    click.echo(text, err=True)


def run(group: click.Group) -> int:
    """Runs the command and returns its exit code; every error is one line on stderr."""
    try:
        return int(group.main(prog_name="kb", standalone_mode=False) or 0)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        tell(error.format_message())
        return 2
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "kb"
        tell(f"kb: {_one_line(error.format_message())} (see `{path} --help`)")
        return 2
    except click.Abort:
        return Interrupted.exit_code
    except KBError as error:
        tell(f"kb: {_one_line(str(error))}")
        return error.exit_code
    except PermissionError as error:
        tell(f"kb: {error.filename} cannot be used: permission denied; run as one who may, or change its permissions")
        return 1
    except Exception as error:
        if os.environ.get("KB_TRACEBACK"):
            raise
        tell(f"kb: {type(error).__name__}: {_one_line(str(error))} (KB_TRACEBACK=1 shows where)")
        return 1


def _one_line(text: str) -> str:
    return " ".join(text.split())
