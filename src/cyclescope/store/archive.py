"""The container of a run file: one JSON document and its numpy arrays in a zip, read without trusting any of it."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from cyclescope.core.message import Message, m
from cyclescope.core.units import AnyArray
from cyclescope.store.recognizing import DOCUMENT

MEMBER_LIMIT_BYTES = 1 << 30  # ten million operations need 80 MB a column
TOTAL_LIMIT_BYTES = 1 << 32
# Deflate can blow up a thousandfold. Real times are noisy and shrink about threefold, so a file of this size and beyond
# that claims more than a hundredfold is made to harm.
_SUSPECT_FROM_BYTES = 1 << 28
_SUSPECT_RATIO = 100

# Of stamps of a million operations level 6, the default, takes four times as long and saves 1 % more.
_EFFORT = 3

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: equal content gives equal bytes
_PLAIN_FILE = 0o100644 << 16
_KINDS = "biuf"  # booleans, whole numbers, reals; nothing that could hold a Python object
_HEADER_LIMIT = 4096
_CHUNK_BYTES = 1 << 20

# What the standard library and numpy raise on damaged input; anything else is a defect of ours.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    ValueError,
    KeyError,
    IndexError,
)


class ArchiveError(Exception):
    """The bytes are not an archive of this kind; `cause` is the sentence that says what is wrong."""

    def __init__(self, cause: Message) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass(frozen=True, eq=False)
class Archive:
    """A JSON document and the arrays it refers to by number."""

    document: Any
    arrays: Sequence[AnyArray]


def _array_name(number: int) -> str:
    return f"arrays/{number}.npy"


def write_archive(file: BinaryIO, archive: Archive, document: str = DOCUMENT) -> None:
    """Write `archive` to the seekable `file`, its JSON as the member `document`.

    Raises `ArchiveError` if it is larger than `read_archive` accepts.
    """
    text = json.dumps(archive.document, separators=(",", ":")).encode("ascii")
    arrays = [_portable(array) for array in archive.arrays]
    sizes = [len(text), *(array.nbytes for array in arrays)]
    if max(sizes) > MEMBER_LIMIT_BYTES - _HEADER_LIMIT or sum(sizes) > TOTAL_LIMIT_BYTES - _HEADER_LIMIT * len(sizes):
        raise ArchiveError(m("The run has {bytes} bytes, more than a run file may hold.", bytes=sum(sizes)))
    with zipfile.ZipFile(file, "w") as archive_file:
        archive_file.writestr(_member(document), text, compresslevel=_EFFORT)
        for number, array in enumerate(arrays):
            content = io.BytesIO()
            npy.write_array(content, array, version=(1, 0), allow_pickle=False)
            archive_file.writestr(_member(_array_name(number)), content.getbuffer(), compresslevel=_EFFORT)


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3  # Unix, wherever it is written
    info.external_attr = _PLAIN_FILE
    return info


def _portable(array: AnyArray) -> AnyArray:
    """`array` in row-major order and little-endian, so that equal values are equal bytes."""
    if array.dtype.kind not in _KINDS:
        raise ArchiveError(m("An array of {dtype} cannot be stored.", dtype=str(array.dtype)))
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def read_archive(file: BinaryIO, size: int, document: str = DOCUMENT) -> Archive:
    """The archive in `file` of `size` bytes, its JSON in the member `document`.

    Raises `ArchiveError`; sizes are checked before memory is taken.
    """
    try:
        with zipfile.ZipFile(file) as archive_file:
            members = _checked_members(archive_file, size, document)
            content = json.loads(_content(archive_file, members[document]))
            arrays = [_read_array(archive_file, members[_array_name(n)]) for n in range(len(members) - 1)]
    except ArchiveError:
        raise
    except RecursionError:
        raise ArchiveError(m("Its JSON is nested too deeply.")) from None
    except MemoryError:
        raise ArchiveError(m("It needs more memory than this machine has.")) from None
    except _DAMAGE as exc:
        raise ArchiveError(m("It is cut or damaged ({why}).", why=str(exc))) from exc
    return Archive(content, arrays)


def _checked_members(archive_file: zipfile.ZipFile, size: int, document: str) -> dict[str, zipfile.ZipInfo]:
    """The members by name: `document`, and arrays numbered without a gap."""
    infos = archive_file.infolist()
    members = {info.filename: info for info in infos}
    expected = {document, *(_array_name(number) for number in range(len(infos) - 1))}
    if set(members) != expected or len(members) != len(infos):
        raise ArchiveError(m("It is a zip of something else."))
    for info in infos:
        if info.compress_type not in _METHODS or info.flag_bits & 0x1:
            raise ArchiveError(m("It is packed in a way that cyclescope never uses."))
        if info.file_size > MEMBER_LIMIT_BYTES:
            raise ArchiveError(
                m("{name} claims {bytes} bytes, more than a run has.", name=info.filename, bytes=info.file_size)
            )
    total = sum(info.file_size for info in infos)
    if total > TOTAL_LIMIT_BYTES or (total > _SUSPECT_FROM_BYTES and total > _SUSPECT_RATIO * size):
        raise ArchiveError(m("It claims to unpack to {bytes} bytes, more than a run has.", bytes=total))
    return members


def _content(archive_file: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytearray:
    """Exactly the declared bytes of a member, taken piece by piece: a lie about the size costs no memory."""
    content = bytearray()
    with archive_file.open(info) as member:
        while piece := member.read(_CHUNK_BYTES):
            content += piece
    if len(content) != info.file_size:
        raise ArchiveError(m("{name} is shorter than it claims.", name=info.filename))
    return content


def _read_array(archive_file: zipfile.ZipFile, info: zipfile.ZipInfo) -> AnyArray:
    """A member in numpy's format (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)."""
    content = _content(archive_file, info)
    header = io.BytesIO(content[:_HEADER_LIMIT])
    if npy.read_magic(header) != (1, 0):
        raise ArchiveError(
            m("{name} is in a version of numpy's format that cyclescope never uses.", name=info.filename)
        )
    shape, fortran_order, dtype = npy.read_array_header_1_0(header, max_header_size=_HEADER_LIMIT)
    if dtype.kind not in _KINDS or dtype.hasobject:
        raise ArchiveError(
            m(
                "{name} holds {dtype}, which could run code when read or is no number.",
                name=info.filename,
                dtype=str(dtype),
            )
        )
    if fortran_order or any(side < 0 for side in shape):
        raise ArchiveError(m("{name} has an impossible shape.", name=info.filename))
    count = 1
    for side in shape:
        count *= side
    if count * dtype.itemsize != len(content) - header.tell():
        raise ArchiveError(m("{name} does not have the size that its header claims.", name=info.filename))
    array = np.frombuffer(content, dtype=dtype, offset=header.tell(), count=count).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)
