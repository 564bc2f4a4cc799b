"""Pages of simple indexes, and the addresses at which they are looked for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.publishers.index.listings import JSON_TYPE, ListedFile, parse_listing, parse_provenance, project_name
from hatch_sign.publishers.index.places import simple_indexes, takes_attestations
from hatch_sign.publishers.index.translate import hides_nothing

AT = "https://index.example/simple/demo/"
DIGEST = "ab" * 32


def page(**entry: object) -> bytes:
    return json.dumps(
        {"meta": {"api-version": "1.0"}, "name": "demo", "files": [{"filename": "demo.whl", **entry}]}
    ).encode()


def test_json_tells_address_digest_and_provenance() -> None:
    body = page(url="../../files/demo.whl", hashes={"sha256": DIGEST}, provenance="/integrity/demo")
    expected = ListedFile(
        "https://index.example/files/demo.whl", bytes.fromhex(DIGEST), "https://index.example/integrity/demo"
    )
    assert parse_listing(JSON_TYPE, body, AT) == {"demo.whl": expected}


@pytest.mark.parametrize("hashes", [{}, {"md5": DIGEST}, {"sha256": None}, {"sha256": "AB" * 32}, {"sha256": DIGEST + "00"}])
def test_what_is_no_digest_is_none(hashes: object) -> None:
    found = parse_listing("application/json", page(url="demo.whl", hashes=hashes, provenance=None), AT)
    assert found == {"demo.whl": ListedFile(f"{AT}demo.whl")}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (JSON_TYPE, b"{"),
        (JSON_TYPE, b"[]"),
        (JSON_TYPE, b'{"files": 1}'),
        (JSON_TYPE, b'{"files": [1]}'),
        (JSON_TYPE, b'{"files": [{"filename": "x"}]}'),
        (JSON_TYPE, page(url="demo.whl", hashes=[])),
        (JSON_TYPE, page(url=1)),
        (JSON_TYPE, page(url="http://[broken")),
        (JSON_TYPE, b"[" * 100_000),
        ("text/html", b'<a href="http://[broken">x</a>'),
        ("text/plain", page(url="demo.whl")),
        ("", b""),
    ],
)
def test_what_is_no_listing_is_none(content_type: str, body: bytes) -> None:
    assert parse_listing(content_type, body, AT) is None


def test_html_tells_the_same() -> None:
    provenance = 'data-provenance="/integrity/demo"'
    body = (
        f'<a href="../../files/demo-1.0%2Blocal.whl#sha256={DIGEST}" {provenance}>demo-1.0+local.whl</a>'
        '<a href="other.whl#md5=ab">other.whl</a><a name="top">top</a><b href="no.whl">no</b>'
    )
    found = parse_listing("text/html; charset=utf-8", body.encode(), AT)
    assert found == {
        "demo-1.0+local.whl": ListedFile(
            "https://index.example/files/demo-1.0%2Blocal.whl", bytes.fromhex(DIGEST), "https://index.example/integrity/demo"
        ),
        "other.whl": ListedFile(f"{AT}other.whl"),
    }


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("<A class='x' HREF = 'demo.whl' >", "demo.whl"),
        ("<a href=demo.whl>", "demo.whl"),
        ('<a\n  data-requires-python=">=3.8"\n  href="demo.whl?a=1&amp;b=2">', "demo.whl?a=1&b=2"),
        ('<!-- old --><a data-yanked href="demo.whl">', "demo.whl"),
    ],
)
def test_links_are_read_however_they_are_written(link: str, address: str) -> None:
    assert parse_listing("text/html", f"<p>{link}demo</a>".encode(), AT) == {"demo.whl": ListedFile(f"{AT}{address}")}


@pytest.mark.parametrize(
    "page", ['<!-- <a href="demo.whl"> -->', '<abbr href="demo.whl">', "<a hreflang='demo.whl'>", '<a href="">']
)
def test_what_is_no_link_lists_nothing(page: str) -> None:
    assert parse_listing("text/html", page.encode(), AT) == {}


@pytest.mark.parametrize(
    "piece", ["<a ", "<!--", "<![", "</", "<a href='", '<a b="', "&#9", "<a href=&#9", "<script>", "<a x=", "<a\n\t "]
)
def test_a_page_that_never_ends_its_tags_is_read_in_one_pass(piece: str) -> None:
    """Otherwise this would take hours: an index, or who speaks in its place, could hold up a release by one page."""
    assert set(parse_listing("text/html", (piece * 100_000).encode(), AT) or {}) <= {"\t"}


@given(st.binary(max_size=300), st.sampled_from([JSON_TYPE, "text/html"]))
def test_no_bytes_raise(body: bytes, content_type: str) -> None:
    parse_listing(content_type, body, AT)
    parse_provenance(body)


_KEYS = st.sampled_from(["files", "filename", "url", "hashes", "attestation_bundles", "attestations", "envelope"])
_LEAVES = st.none() | st.integers() | st.text(max_size=5)


@given(st.recursive(_LEAVES, lambda some: st.lists(some) | st.dictionaries(_KEYS, some)))
def test_no_json_raises(content: object) -> None:
    body = json.dumps(content).encode()
    parse_listing(JSON_TYPE, body, AT)
    parse_provenance(body)


def test_provenance_gives_the_envelopes_of_all_publishers() -> None:
    bundles = [{"attestations": [{"envelope": {"a": 1}}]}, {"attestations": [{"envelope": {"b": 2}}]}]
    assert parse_provenance(json.dumps({"attestation_bundles": bundles}).encode()) == [{"a": 1}, {"b": 2}]
    assert parse_provenance(b'{"attestation_bundles": [{"attestations": [{}]}]}') is None


@pytest.mark.parametrize(
    ("filename", "project"),
    [
        ("Demo_Pkg-1.0-py3-none-any.whl", "demo-pkg"),
        ("demo_pkg-1.0.tar.gz", "demo-pkg"),
        ("demo-pkg-1.0rc1.tar.gz", "demo-pkg"),
    ],
)
def test_a_file_tells_its_project(filename: str, project: str) -> None:
    assert project_name(filename) == project


@pytest.mark.parametrize(
    ("upload_url", "expected"),
    [
        ("https://upload.pypi.org/legacy/", "https://pypi.org/simple/"),
        ("https://test.pypi.org/legacy/", "https://test.pypi.org/simple/"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/simple/"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/simple/"),
        ("http://127.0.0.1:3141/root/dev/", "http://127.0.0.1:3141/root/dev/+simple/"),
        ("https://a.example/artifactory/api/pypi/local", "https://a.example/artifactory/api/pypi/local/simple/"),
        ("https://n.example/repository/pypi-hosted/", "https://n.example/repository/pypi-hosted/simple/"),
        (
            "https://gitlab.example/api/v4/projects/1/packages/pypi",
            "https://gitlab.example/api/v4/projects/1/packages/pypi/simple/",
        ),
        ("https://pkgs.dev.azure.com/o/_packaging/f/pypi/upload/", "https://pkgs.dev.azure.com/o/_packaging/f/pypi/simple/"),
        ("https://warehouse.example/legacy/?a=b", "https://warehouse.example/simple/"),
    ],
)
def test_the_simple_index_is_looked_for_where_it_is(upload_url: str, expected: str) -> None:
    assert expected in simple_indexes(upload_url)


def test_pypi_is_asked_nowhere_else() -> None:
    assert simple_indexes("https://upload.pypi.org/legacy/") == ["https://pypi.org/simple/"]
    assert takes_attestations("https://upload.pypi.org/legacy/")
    assert not takes_attestations("https://index.example/upload.pypi.org/")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("no such user", True),
        ("token pypi-AgEIcHlwaS5vcmc", False),
        ("TOKEN PYPI-AGEICHLWAS", False),
        ("begins with pypi-Ag", True),
        ("short hunter2 word", False),
    ],
)
def test_a_text_with_a_piece_of_a_secret_is_known(text: str, *, hidden: bool) -> None:
    assert hides_nothing(text, ("pypi-AgEIcHlwaS5vcmc", "hunter2")) is hidden
