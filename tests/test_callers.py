"""Callers over HTTP: keys, tokens of an issuer, who needs none, and what each may do."""

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from access_support import TEXT
from crash_support import call
from cryptography.hazmat.primitives.asymmetric import rsa
from reference_model import DIMENSIONS
from shelf import Paper, Shelf
from workbench import Workbench

import kb
from kb.callers import add_key, is_loopback, remove_key, require_callers
from kb.catalog import keys
from kb.errors import ConfigError, UsageError
from kb.home import CONFIG, open_home
from kb.http.app import make_app
from kb.http.server import Server

LISTS = {"open.md": None, "staff.md": ("staff",), "legal.md": ("legal",)}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    made = Workbench(tmp_path, DIMENSIONS)
    made.add_unregistered("shelf")
    made.sync_with("shelf", Shelf({uri: Paper(f"{TEXT} {uri}", access=access) for uri, access in LISTS.items()}))
    yield made
    made.close()


@pytest.fixture
def served(bench: Workbench) -> Iterator[tuple[kb.KnowledgeBase, httpx.Client, httpx.Client]]:
    """The knowledge base, and clients over TCP and over the socket."""
    with kb.open(bench.home.path) as base:
        server = Server(make_app(base, lambda: None), "127.0.0.1", 0, bench.path / "s")
        server.start()
        host, port = server.address
        with (
            httpx.Client(base_url=f"http://{host}:{port}/v1") as tcp,
            httpx.Client(
                base_url="http://localhost/v1", transport=httpx.HTTPTransport(uds=str(bench.path / "s"))
            ) as own,
        ):
            yield base, tcp, own
        server.stop()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def metrics(client: httpx.Client, **headers: str) -> httpx.Response:
    """What an auditor may ask."""
    return client.get(str(client.base_url).replace("/v1/", "/metrics"), headers=headers)


def test_nobody_needs_a_key_here_until_there_is_one(
    served: tuple[kb.KnowledgeBase, httpx.Client, httpx.Client],
) -> None:
    base, tcp, own = served
    assert tcp.get("/feedback").status_code == 200
    assert metrics(tcp).status_code == 200
    for strange in (
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"X-Forwarded-For": "192.0.2.1"},
        {"Origin": "null"},
        {"Host": "[::1"},
    ):
        assert tcp.get("/feedback", headers=strange).status_code in (400, 401), strange
    _, token = add_key(base.catalog, "app", "reader", ("staff",))
    refused = tcp.get("/feedback")
    assert (refused.status_code, refused.json()["title"]) == (401, "Unauthorized")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert tcp.get("/feedback", headers=bearer(token)).status_code == 200
    assert own.get("/feedback").status_code == 200
    assert metrics(own).status_code == 200, "the machine's own user is an admin"
    assert metrics(tcp, **bearer(token)).status_code == 403


def test_a_key_opens_what_its_groups_may_see_and_its_own_requests(
    served: tuple[kb.KnowledgeBase, httpx.Client, httpx.Client],
) -> None:
    base, tcp, _ = served
    tokens = {name: add_key(base.catalog, name, "reader", (name,))[1] for name in ("staff", "legal")}
    tokens["auditor"] = add_key(base.catalog, "auditor", "auditor", ())[1]
    asked = base.seen_by(["staff"], caller="staff").search("customers")
    place = f"/requests/{asked.request_id}"
    found = {name: tcp.get(place, headers=bearer(token)) for name, token in tokens.items()}
    assert {name: reply.status_code for name, reply in found.items()} == {"staff": 200, "legal": 404, "auditor": 200}
    never = tcp.get(f"/requests/{'0' * 32}", headers=bearer(tokens["legal"])).json()["detail"]
    assert found["legal"].json()["detail"] == never.replace("0" * 32, asked.request_id)
    again = tcp.post(f"{place}/replay", headers=bearer(tokens["staff"])).json()
    assert again["identical"]
    assert {hit["provenance"]["uri"] for hit in again["answer"]["hits"]} == {"open.md", "staff.md"}
    said = {"request_id": asked.request_id, "useful": False, "passage": "shelf:open.md"}
    assert tcp.post("/feedback", json=said, headers=bearer(tokens["legal"])).status_code == 404
    assert tcp.post("/feedback", json=said, headers=bearer(tokens["staff"])).status_code == 201
    counts = {name: len(tcp.get("/feedback", headers=bearer(token)).json()) for name, token in tokens.items()}
    assert counts == {"staff": 1, "legal": 0, "auditor": 1}


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Basic eDp5", "", "Bearer kb_", "Bearer " + "a." * 2_000, "\xff"]
)
def test_what_is_no_key_is_refused(served: tuple[kb.KnowledgeBase, httpx.Client, httpx.Client], header: str) -> None:
    base, tcp, _ = served
    add_key(base.catalog, "app", "reader", ())
    assert tcp.get("/feedback", headers={"Authorization": header.encode("latin-1")}).status_code == 401  # type: ignore[dict-item]


def test_a_key_ends_when_it_is_removed_or_expires(served: tuple[kb.KnowledgeBase, httpx.Client, httpx.Client]) -> None:
    base, tcp, _ = served
    _, token = add_key(base.catalog, "app", "reader", ())
    other = token[:-1] + ("a" if token[-1] != "a" else "b")
    assert tcp.get("/feedback", headers=bearer(token)).status_code == 200
    with base.catalog.reading() as connection:
        (listed,) = keys.listed(connection)
    assert listed.last_used_at is not None
    assert datetime.now(UTC) - listed.last_used_at < timedelta(minutes=1)
    assert token.split("_")[2] not in (base.home.path / "catalog.sqlite").read_bytes().decode("latin-1")
    wrong = tcp.get("/feedback", headers=bearer(other))
    add_key(base.catalog, "short", "admin", ())
    _, past = add_key(base.catalog, "past", "reader", (), timedelta(seconds=-1))
    remove_key(base.catalog, "app")
    gone = tcp.get("/feedback", headers=bearer(token))
    assert (gone.status_code, gone.json()) == (401, wrong.json())
    assert "expired" in tcp.get("/feedback", headers=bearer(past)).json()["detail"]


def test_an_address_of_the_world_needs_callers(bench: Workbench) -> None:
    catalog, config = bench.writer.catalog, bench.home.config
    for host in ("127.0.0.1", "localhost", "::1"):
        require_callers(catalog, config, host)
    for host in ("0.0.0.0", "::", "", "192.0.2.1", "no such host"):
        assert not is_loopback(host)
        with pytest.raises(UsageError, match="kb key add"):
            require_callers(catalog, config, host)
    add_key(catalog, "app", "reader", ())
    require_callers(catalog, config, "0.0.0.0")


def test_by_the_command_line(bench: Workbench) -> None:
    def kb_(*arguments: str) -> Any:
        called = call("--home", bench.home.path, "key", *arguments)
        assert called.code == 0, called
        return json.loads(called.out)

    made = kb_("add", "app", "--role", "reader", "--group", "staff", "--expires", "90d", "--json")
    assert made["key"].startswith(f"kb_{made['key_id']}_")
    (listed,) = kb_("list", "--json")
    assert (listed["name"], listed["role"], listed["groups"]) == ("app", "reader", ["staff"])
    assert made["key"] not in json.dumps(listed)
    for wrong in (("add", "app", "--role", "reader"), ("add", "x", "--role", "admin", "--group", "a")):
        assert call("--home", bench.home.path, "key", *wrong).code == 2
    assert call("--home", bench.home.path, "key", "add", "o:x", "--role", "reader").code == 2
    assert kb_("remove", "app", "--json") == {"removed": "app"}
    assert call("--home", bench.home.path, "key", "remove", "app").code == 3


# An issuer


class Keys(BaseHTTPRequestHandler):
    """Serves the public keys of the server's `signing`."""

    server: Any

    def do_GET(self) -> None:
        self.server.fetched += 1
        body = json.dumps({"keys": self.server.keys}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


class Issuing:
    """A real issuer's key server on this machine, whose keys are made here."""

    def __init__(self) -> None:
        self.server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
        self.server.keys, self.server.fetched = [], 0
        self.private: dict[str, rsa.RSAPrivateKey] = {}
        self.add("first")
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, name: str) -> None:
        self.private[name] = rsa.generate_private_key(65537, 2048)
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private[name].public_key()))
        self.server.keys = [*self.server.keys, {**public, "kid": name, "use": "sig", "alg": "RS256"}]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/jwks"

    def token(self, key: str = "first", **claims: Any) -> str:
        stated = {"iss": "https://id.example", "aud": "kb", "sub": "ann", "exp": in_seconds(60), **claims}
        return jwt.encode(stated, self.private[key], "RS256", headers={"kid": key})


def in_seconds(seconds: int) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.fixture
def issuing(bench: Workbench) -> Iterator[Issuing]:
    made = Issuing()
    with (bench.home.path / CONFIG).open("a") as file:
        file.write(f'oidc_issuer = "https://id.example"\noidc_audience = "kb"\noidc_jwks_url = "{made.url}"\n')
        file.write('oidc_role_claim = "access.roles"\n')
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_token_of_the_issuer_names_the_caller(issuing: Issuing, served: Any) -> None:
    base, tcp, _ = served

    def status(token: str, place: str = "/feedback") -> int:
        return int(tcp.get(place, headers=bearer(token)).status_code)

    require_callers(base.catalog, base.home.config, "0.0.0.0")
    assert tcp.get("/feedback").status_code == 401
    asked = base.seen_by(["staff"], caller="oidc:ann").search("customers")
    place = f"/requests/{asked.request_id}"
    assert status(issuing.token(groups=["staff"]), place) == 200
    hits = tcp.get(place, headers=bearer(issuing.token(groups=["", " ", 3, None]))).json()["hits"]
    assert len(hits) == 1, "no group: what is for everyone"
    assert status(issuing.token(sub="bob"), place) == 404
    assert status(issuing.token(sub="bob", access={"roles": ["x", "auditor", "reader"]}), place) == 200
    assert status(issuing.token(sub="bob", roles=["admin"], role="admin"), place) == 404
    before = issuing.server.fetched
    for _ in range(5):
        assert status(issuing.token()) == 200
    assert issuing.server.fetched == before, "the keys are kept"


def test_what_the_issuer_did_not_sign_so_is_refused(issuing: Issuing, served: Any) -> None:
    _, tcp, _ = served
    public = issuing.server.keys[0]
    own = rsa.generate_private_key(65537, 2048)
    endless = {"iss": "https://id.example", "aud": "kb", "sub": "ann"}
    claims = {**endless, "exp": in_seconds(60)}
    refused: Mapping[str, str] = {
        "expired": issuing.token(exp=in_seconds(-60)),
        "audience": issuing.token(aud="other"),
        "issuer": issuing.token(iss="https://other.example"),
        "not yet": issuing.token(nbf=in_seconds(300)),
        "no end": jwt.encode(endless, issuing.private["first"], "RS256", headers={"kid": "first"}),
        "other key": jwt.encode(claims, own, "RS256", headers={"kid": "first"}),
        "unknown key": jwt.encode(claims, own, "RS256", headers={"kid": "second"}),
        "no algorithm": jwt.encode(claims, None, "none", headers={"kid": "first"}),
        "symmetric": jwt.encode(claims, public["n"].encode(), "HS256", headers={"kid": "first"}),
    }
    for what, token in refused.items():
        reply = tcp.get("/feedback", headers=bearer(token))
        assert reply.status_code == 401, what
        assert reply.json()["title"] == "Unauthorized"
    fetched = issuing.server.fetched
    assert tcp.get("/feedback", headers=bearer(refused["unknown key"])).status_code == 401
    assert issuing.server.fetched == fetched, "an unknown key does not send us to the issuer each time"


def test_an_issuer_that_cannot_be_reached_is_no_fault_of_the_caller(issuing: Issuing, served: Any) -> None:
    _, tcp, _ = served
    token = issuing.token()
    issuing.server.shutdown()
    issuing.server.server_close()
    reply = tcp.get("/feedback", headers=bearer(token))
    assert reply.status_code == 503
    assert "Retry-After" in reply.headers


def test_an_issuer_is_configured_whole(bench: Workbench) -> None:
    with (bench.home.path / CONFIG).open("a") as file:
        file.write('oidc_issuer = "https://id.example"\noidc_audience = "kb"\n')
    for line in ("", 'oidc_jwks_url = "http://id.example/jwks"\n'):
        with (bench.home.path / CONFIG).open("a") as file:
            file.write(line)
        with pytest.raises(ConfigError, match="oidc_jwks_url"):
            require_callers(bench.writer.catalog, open_home(bench.home.path).config, "0.0.0.0")
