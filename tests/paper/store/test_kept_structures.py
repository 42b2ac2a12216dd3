"""Graphs on disk: found again unchanged, never believed where they are damaged, and held to a size."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from paper_models import PaperBert

from cyclescope.core.codec import encode
from cyclescope.core.graph.graph import Graph
from cyclescope.store import kept_structures
from cyclescope.store.archive import Archive, write_archive
from cyclescope.store.kept_structures import digest_of, find_structure, keep_structure

GRAPH = PaperBert(2, 1, 4, 8, 16).graph()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def same(a: Graph, b: Graph) -> bool:
    (one, arrays), (other, others) = encode(a), encode(b)
    return bool(one == other and all((x == y).all() for x, y in zip(arrays, others, strict=True)))


def kept(name: str = "a") -> Path:
    path = keep_structure(digest_of({"name": name}), GRAPH)
    assert path is not None
    return path


def found(name: str = "a") -> Graph | None:
    return find_structure(Graph, digest_of({"name": name}))


def test_what_is_kept_is_found_again_unchanged() -> None:
    kept()
    again = found()
    assert again is not None
    assert same(again, GRAPH)
    assert found("b") is None


def test_the_order_of_a_configuration_makes_no_other_key() -> None:
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_cut_file_holds_no_graph_and_is_written_anew(share: float) -> None:
    path = kept()
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert found() is None
    kept()
    assert found() is not None


def test_every_flipped_byte_gives_the_same_graph_or_none() -> None:
    path = kept()
    content = path.read_bytes()
    for at in range(0, len(content), 37):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
        graph = found()
        assert graph is None or same(graph, GRAPH)


def test_a_file_of_another_key_version_or_kind_is_not_taken() -> None:
    path = kept()
    data, arrays = encode(GRAPH)
    digest = digest_of({"name": "a"})
    whole = {
        "schema": kept_structures.SCHEMA,
        "version": kept_structures.VERSION,
        "key": digest,
        "kind": "Graph",
        "value": data,
    }
    others = (
        {"schema": "cyclescope/cycle"},
        {"version": 99},
        {"key": "0"},
        {"kind": "Cycle"},
        {"value": {"names": 1}},
        {"value": None},
    )
    for change in ({}, *others):
        content = io.BytesIO()
        write_archive(content, Archive({**whole, **change}, arrays))
        path.write_bytes(content.getvalue())
        assert (found() is None) == bool(change)


def test_what_was_used_longest_ago_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [kept(name) for name in "abc"]
    for age, path in zip((30, 20, 10), paths, strict=True):
        os.utime(path, (1e9 - age, 1e9 - age))
    assert found("a") is not None  # used again, so that "b" is now the oldest
    monkeypatch.setattr(kept_structures, "MOST_BYTES", 3 * paths[0].stat().st_size + 100)
    kept("d")
    assert [found(name) is not None for name in "abcd"] == [True, False, True, True]


def test_a_place_that_cannot_be_written_keeps_nobody_from_tracing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path / "file"))
    assert keep_structure(digest_of({}), GRAPH) is None
    assert find_structure(Graph, digest_of({})) is None
