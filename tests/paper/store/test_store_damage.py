"""Whatever is wrong with a file, the answer is one clear `RunFileError`, and nothing in it is executed."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from saved_cycles import small_cycle

from cyclescope.core.codec import encode
from cyclescope.core.errors import RunFileError
from cyclescope.store.archive import MEMBER_LIMIT_BYTES
from cyclescope.store.run_file import load, save


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("intact") / "run.cycle"
    save(small_cycle(), path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch") / "run.cycle"


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_document(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    parts = members(content)
    document = json.loads(parts["cycle.json"])
    change(document)
    return packed(parts | {"cycle.json": json.dumps(document).encode()})


def npy(array: Any, *, allow_pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def refused(path: Path, content: bytes) -> RunFileError:
    path.write_bytes(content)
    with pytest.raises(RunFileError) as caught:
        load(path)
    assert str(path) in str(caught.value.fact)
    assert caught.value.way_out
    return caught.value


def test_every_cut_is_refused(intact: bytes, scratch: Path) -> None:
    # Every length would be thousands of files; each byte of both ends and every seventh between them finds them all.
    lengths = sorted({*range(200), *range(0, len(intact), 7), *range(len(intact) - 200, len(intact))})
    for length in lengths:
        refused(scratch, intact[:length])


def test_a_changed_byte_is_refused_or_harmless(intact: bytes, scratch: Path) -> None:
    truth = encode(small_cycle())[0]
    noticed = 0
    for place in range(0, len(intact), 11):
        content = bytearray(intact)
        content[place] ^= 0xFF
        scratch.write_bytes(content)
        try:
            assert encode(load(scratch))[0] == truth
        except RunFileError:
            noticed += 1
    assert noticed > len(intact) // 11 // 2


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=400), begins_as_zip=st.booleans())
def test_any_bytes_are_refused(scratch: Path, content: bytes, begins_as_zip: bool) -> None:
    refused(scratch, b"PK\x03\x04" + content if begins_as_zip else content)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match=r"There is no file .*nowhere\.cycle"):
        load(tmp_path / "nowhere.cycle")


def test_what_is_no_ordinary_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, Path(os.devnull), tmp_path / "pipe"):
        with pytest.raises(RunFileError, match="not an ordinary file"):
            load(path)


def test_an_empty_file_is_named_so(scratch: Path) -> None:
    assert "empty" in str(refused(scratch, b"").cause)


def test_foreign_files_are_named_by_what_they_are(scratch: Path) -> None:
    assert "JSON" in str(refused(scratch, b'{"schema": "cyclescope/cycle"}').cause)
    assert "pickle" in str(refused(scratch, pickle.dumps({"a": 1})).cause)
    assert "does not begin like a run file" in str(refused(scratch, "纯文本".encode()).cause)
    assert "zip of something else" in str(refused(scratch, packed({"readme.txt": b"hello"})).cause)
    assert refused(scratch, packed({})).cause
    assert "document" in str(refused(scratch, packed({"cycle.json": b'{"schema": "another"}'})).cause)
    assert "document" in str(refused(scratch, packed({"cycle.json": b"[1, 2]"})).cause)


def test_a_newer_format_says_which_version_reads_it(intact: bytes, scratch: Path) -> None:
    def newer(document: dict[str, Any]) -> None:
        document["version"] = 7
        document["cycle"]["version"] = "9.8.7"

    error = refused(scratch, with_document(intact, newer))
    assert "too new" in str(error.fact)
    assert "format 7" in str(error.cause)
    assert "9.8.7" in str(error.way_out)


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.0, None, [1]])
def test_an_impossible_version_is_refused(intact: bytes, scratch: Path, version: object) -> None:
    refused(scratch, with_document(intact, lambda document: document.update(version=version)))


class Trap:
    """Leaves a trace if it is ever unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return (Path.touch, (self.path,))


def test_a_pickled_array_is_never_opened(intact: bytes, scratch: Path, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    array = np.empty(1, dtype=object)
    array[0] = Trap(trap)
    content = npy(array, allow_pickle=True)
    np.load(io.BytesIO(content), allow_pickle=True)
    assert trap.exists()  # the trap works
    trap.unlink()
    error = refused(scratch, packed(members(intact) | {"arrays/0.npy": content}))
    assert not trap.exists()
    assert "object" in str(error.cause)


@pytest.mark.parametrize(
    "array",
    [
        np.array(["text"]),
        np.array([1 + 2j]),
        np.array([(1, 2.0)], dtype=[("a", "i8"), ("b", "f8")]),
        np.array(["2026-01-01"], dtype="M8[s]"),
        np.asfortranarray(np.ones((3, 2), dtype=np.int64)),
    ],
    ids=["text", "complex", "records", "dates", "column-major"],
)
def test_arrays_of_other_kinds_are_refused(intact: bytes, scratch: Path, array: Any) -> None:
    refused(scratch, packed(members(intact) | {"arrays/0.npy": npy(array)}))


def claim(shape: str, payload: bytes = b"") -> bytes:
    header = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + payload


@pytest.mark.parametrize(
    "shape",
    ["(1000000000000,)", "(2, 4611686018427387904)", "(-1,)", "(-2, -4)", "(9,)", "7", "(1.5,)", "(True,)", "((1,),)"],
)
def test_a_header_that_lies_costs_no_memory(intact: bytes, scratch: Path, shape: str) -> None:
    content = packed(members(intact) | {"arrays/0.npy": claim(shape, bytes(64))})
    tracemalloc.start()
    try:
        refused(scratch, content)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_a_zip_bomb_is_refused_before_it_unpacks(intact: bytes, scratch: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros, crc, size = bytes(1 << 20), 0, 0
    raw = b""
    for _ in range(400):
        raw += packer.compress(zeros)
        crc, size = zlib.crc32(zeros, crc), size + len(zeros)
    raw += packer.flush()
    scratch.write_bytes(_zip_of_one("cycle.json", raw, crc, size))
    assert scratch.stat().st_size < size // 500
    tracemalloc.start()
    try:
        with pytest.raises(RunFileError, match="claims"):
            load(scratch)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_a_member_above_the_limit_is_refused(scratch: Path) -> None:
    assert "cycle.json claims" in str(refused(scratch, _zip_of_one("cycle.json", b"", 0, MEMBER_LIMIT_BYTES + 1)).cause)


def test_a_member_that_unpacks_to_more_than_it_claims_is_cut_off(scratch: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = packer.compress(bytes(64 << 20)) + packer.flush()
    scratch.write_bytes(_zip_of_one("cycle.json", raw, zlib.crc32(bytes(64 << 20)), 100))
    tracemalloc.start()
    try:
        with pytest.raises(RunFileError):
            load(scratch)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def _zip_of_one(name: str, raw: bytes, crc: int, size: int) -> bytes:
    """A zip with one deflated member whose size and checksum are what the caller says."""
    common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, crc, len(raw), size, len(name), 0)
    local = b"PK\x03\x04" + common + name.encode() + raw
    central = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name.encode()
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(intact: bytes, scratch: Path, method: int) -> None:
    assert "never uses" in str(refused(scratch, packed(members(intact), method)).cause)


def test_a_member_too_many_twice_or_missing_is_refused(intact: bytes, scratch: Path) -> None:
    parts = members(intact)
    refused(scratch, packed(parts | {"../../etc/passwd": b"x"}))
    refused(scratch, packed({name: content for name, content in parts.items() if name != "arrays/1.npy"}))
    buffer = io.BytesIO(intact)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("cycle.json", parts["cycle.json"])
    refused(scratch, buffer.getvalue())


def test_deep_json_is_refused(scratch: Path) -> None:
    assert refused(scratch, packed({"cycle.json": b"[" * 200_000})).cause


def set_at(*path: str | int, value: object) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        at: Any = document["cycle"]
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value

    return change


CONTRADICTIONS = {
    "no cycle": lambda document: document.pop("cycle"),
    "cycle is a list": lambda document: document.update(cycle=[]),
    "unknown source": set_at("source", value="dreamt"),
    "text for a number": set_at("workload", "batch", value="one"),
    "missing field": lambda document: document["cycle"]["plan"].clear() or document["cycle"].pop("machine"),
    "unknown kind of operation": set_at("graph", "kinds", 0, value="magic"),
    "names too short": lambda document: document["cycle"]["graph"]["names"].pop(),
    "array out of range": set_at("graph", "flops", value={"$array": 10_000}),
    "array for the graph": set_at("graph", value={"$array": 0}),
    "array for the samples": set_at("samples", value={"$array": 0}),
    "number for an array": set_at("graph", "flops", value=3),
    "frames reversed": lambda document: [
        column.reverse() for column in document["cycle"]["graph"]["frames"]["$rows"].values()
    ],
    "no frames": set_at("graph", "frames", value=[]),
    "no tensors": set_at("graph", "tensors", value=[]),
    "columns of rows differ": lambda document: document["cycle"]["graph"]["frames"]["$rows"]["module"].pop(),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_document_that_contradicts_itself_is_refused(intact: bytes, scratch: Path, name: str) -> None:
    refused(scratch, with_document(intact, CONTRADICTIONS[name]))


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_swapped_arrays_are_refused_or_make_a_cycle_that_checks(
    intact: bytes, scratch: Path, data: st.DataObject
) -> None:
    parts = members(intact)
    names = [name for name in parts if name.startswith("arrays/")]
    victim = data.draw(st.sampled_from(names))
    shape = data.draw(st.sampled_from([(), (0,), (1,), (3,), (8,), (9,), (5, 2), (2, 2, 2)]))
    dtype = data.draw(st.sampled_from(["<i8", "<f8", "<u1", "|b1"]))
    fill = data.draw(st.sampled_from([0, 1, 200]))
    scratch.write_bytes(packed(parts | {victim: npy(np.full(shape, fill, dtype=dtype))}))
    try:
        cycle = load(scratch)
    except RunFileError:
        return
    cycle.graph.self_check()
    assert len(cycle.samples.instrumented.wall_ns) == len(cycle.samples.instrumented)


def test_unknown_fields_of_a_later_cyclescope_are_passed_over(intact: bytes, scratch: Path) -> None:
    scratch.write_bytes(with_document(intact, set_at("machine", "favourite_colour", value="red")))
    assert encode(load(scratch))[0] == encode(small_cycle())[0]


def test_fields_that_an_earlier_cyclescope_did_not_have_take_their_default(intact: bytes, scratch: Path) -> None:
    def earlier(document: dict[str, Any]) -> None:
        del document["cycle"]["machine"]["instruction_set"]

    scratch.write_bytes(with_document(intact, earlier))
    assert load(scratch).machine.instruction_set == ""
