from collections.abc import Sequence

# named, placed, begin, duration, correlation, external, kept, flags, start, stop, id, start and stop of the arguments
Columns = tuple[
    bytearray, bytearray, bytearray, bytearray, bytearray, bytearray, bytearray, bytearray, bytearray, bytearray,
    bytearray, bytearray, bytearray,
]  # fmt: skip
# Rows where a name, a place and a record of arguments appears first.
Firsts = tuple[list[int], list[int], list[int]]

class Scanner:
    def __init__(
        self, correlation: Sequence[bytes], external: Sequence[bytes], kept: Sequence[bytes], seed: int
    ) -> None: ...
    def scan(self, text: bytes) -> tuple[Columns, Firsts]: ...
