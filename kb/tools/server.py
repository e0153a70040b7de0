"""The MCP server: lists the tools, has their verbs answer, and makes one line of every error."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from inspect import cleandoc
from typing import Any, Final

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
    Tool,
    ToolAnnotations,
)
from pydantic import ValidationError

from kb.answers import Diff, plain
from kb.base import KnowledgeBase
from kb.errors import KBError
from kb.tools import shapes, verbs
from kb.tools.place import TEMPLATE
from kb.wire import parsed, schema

BaseOf = Callable[[Any], KnowledgeBase]
"""The knowledge base as the one who sent a request sees it; the request is None over stdio."""

_LOG = logging.getLogger(__name__)
_INSTRUCTIONS: Final = """\
A knowledge base that keeps every version of what it knew. `search` finds passages as of any version, `fetch` gives a \
found document's text at that version; `list_versions`, `diff_versions` and `document_history` tell what changed."""
_UNEXPECTED: Final = "this failed in a way that was not expected: see the server's log"


@dataclass(frozen=True, slots=True)
class _Verb:
    answer: Callable[[KnowledgeBase, Any], Any]
    title: str
    asked: type
    told: type


_VERBS: Final[Mapping[str, _Verb]] = {
    "search": _Verb(verbs.search, "Search", shapes.SearchAsked, shapes.SearchTold),
    "fetch": _Verb(verbs.fetch, "Fetch a document", shapes.FetchAsked, shapes.FetchTold),
    "list_versions": _Verb(verbs.list_versions, "List versions", shapes.VersionsAsked, shapes.VersionsTold),
    "diff_versions": _Verb(verbs.diff_versions, "Compare versions", shapes.DiffAsked, Diff),
    "document_history": _Verb(verbs.document_history, "A document's versions", shapes.HistoryAsked, shapes.HistoryTold),
}


def make_server(base_of: BaseOf) -> Server[Any]:
    return Server(
        "palimpsest",
        version=version("palimpsest"),
        title="Palimpsest",
        instructions=_INSTRUCTIONS,
        on_list_tools=_list_tools,
        on_call_tool=partial(_call, base_of),
        on_list_resources=_list_resources,
        on_list_resource_templates=_list_templates,
        on_read_resource=partial(_read, base_of),
    )


def serve_stdio(base: KnowledgeBase) -> None:
    """Answers on standard input and output until the input ends."""
    asyncio.run(_serve_stdio(make_server(lambda _request: base)))


async def _serve_stdio(server: Server[Any]) -> None:
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


# Tools


async def _list_tools(_context: Any, _asked: PaginatedRequestParams | None) -> ListToolsResult:
    return ListToolsResult(tools=[_tool(name, verb) for name, verb in _VERBS.items()])


def _tool(name: str, verb: _Verb) -> Tool:
    return Tool(
        name=name,
        title=verb.title,
        description=cleandoc(verb.asked.__doc__ or ""),
        input_schema=schema(verb.asked),
        output_schema=schema(verb.told),
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )


async def _call(base_of: BaseOf, context: Any, asked: CallToolRequestParams) -> CallToolResult:
    verb = _VERBS.get(asked.name)
    if verb is None:
        raise MCPError(INVALID_PARAMS, f"there is no tool {asked.name!r}; known: {', '.join(_VERBS)}")
    try:
        arguments = parsed(verb.asked, asked.arguments or {})
        told = plain(await asyncio.to_thread(verb.answer, base_of(context.request), arguments))
    except ValidationError as error:
        return _refused(_first(error))
    except KBError as error:
        return _refused(str(error))
    except Exception:
        _LOG.exception("the tool %s failed", asked.name)
        return _refused(_UNEXPECTED)
    written = sound(json.dumps(told, ensure_ascii=False))
    return CallToolResult(content=[_text(written)], structured_content=json.loads(written))


def _refused(words: str) -> CallToolResult:
    return CallToolResult(content=[_text(" ".join(words.split()))], is_error=True)


def sound(text: str) -> str:
    """As long as it was: half of a pair of surrogates, which a document may hold, is no text to the protocol."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _text(text: str) -> TextContent:
    return TextContent(type="text", text=text)


def _first(error: ValidationError) -> str:
    one = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, one['loc']))}: {one['msg']}"


# Resources


async def _list_resources(_context: Any, _asked: PaginatedRequestParams | None) -> ListResourcesResult:
    """None by name: there is one for each document and version."""
    return ListResourcesResult(resources=[])


async def _list_templates(_context: Any, _asked: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
    template = ResourceTemplate(
        uri_template=TEMPLATE,
        name="document",
        title="A document as of a version",
        description="Its text; the version may be any reference: head, 42, a tag, a date.",
        mime_type="text/plain",
    )
    return ListResourceTemplatesResult(resource_templates=[template])


async def _read(base_of: BaseOf, context: Any, asked: ReadResourceRequestParams) -> ReadResourceResult:
    try:
        document = await asyncio.to_thread(verbs.document_at, base_of(context.request), asked.uri)
    except KBError as error:
        code = INVALID_PARAMS if error.http_status < 500 else INTERNAL_ERROR
        raise MCPError(code, str(error)) from error
    except Exception as error:
        _LOG.exception("the resource could not be read")
        raise MCPError(INTERNAL_ERROR, _UNEXPECTED) from error
    text = TextResourceContents(uri=asked.uri, text=sound(document.text), mime_type="text/plain")
    return ReadResourceResult(contents=[text])
