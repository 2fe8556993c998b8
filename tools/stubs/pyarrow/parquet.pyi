"""What we use of pyarrow.parquet."""

from os import PathLike
from typing import Self

from pyarrow import Schema, Table

class FileMetaData:
    num_rows: int

class ParquetWriter:
    def __init__(self, where: str | PathLike[str], schema: Schema, *, compression: str = "snappy") -> None: ...
    def write_table(self, table: Table) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *args: object) -> None: ...

def read_metadata(where: str | PathLike[str]) -> FileMetaData: ...
