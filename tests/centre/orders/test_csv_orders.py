"""Orders from CSV: a corpus of files as people send them, and files as any program may write them."""

import csv
import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centre.orders.csv_orders import COLUMNS, parse_csv_orders
from centre.orders.csv_tables import MAX_ROWS
from centre.orders.file_errors import FileRefused, RowError

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.csv"))


def parse(data: bytes | str, renamed: dict[str, str] | None = None) -> list[dict[str, Any]]:
    orders = parse_csv_orders(data if isinstance(data, bytes) else data.encode(), renamed)
    return [{"row": one.row, "site": one.given.site, **one.given.manifest.document} for one in orders]


def errors(data: bytes | str, renamed: dict[str, str] | None = None) -> list[RowError]:
    with pytest.raises(FileRefused) as caught:
        parse(data, renamed)
    return caught.value.errors


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_corpus(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    if "errors" in expected:
        found = errors(path.read_bytes())
        assert [[one.row, one.column, one.expected, one.found] for one in found] == expected["errors"]
    else:
        assert parse(path.read_bytes(), expected.get("map")) == expected["orders"]


def test_a_file_has_bounds() -> None:
    assert "bytes" in errors(b"order,sku,quantity\n" + b" " * 50_000_000)[0].expected
    rows = "\n".join(f"SO-{number},P13,1" for number in range(MAX_ROWS + 1))
    assert "rows" in errors("order,sku,quantity\n" + rows)[0].expected


def test_a_cell_may_list_thousands_of_units() -> None:
    units = ";".join(f"R{number:09d}" for number in range(15000))
    (order,) = parse(f"order,sku,quantity,units\nSO-1,P13,15000,{units}\n")
    assert len(order["lines"][0]["units"]) == 15000


def test_an_order_too_large_for_a_kiosk_is_named() -> None:
    rows = "\n".join("SO-1,P13,1" for _ in range(501))
    (error,) = errors("order,sku,quantity\n" + rows)
    assert error.row == 2
    assert "500" in error.expected


def test_every_faulty_row_is_named_at_once() -> None:
    rows = "\n".join(f"SO-{number % 7},P{number},{number % 3}" for number in range(300))
    assert [one.row for one in errors("order,sku,quantity\n" + rows)] == [2 + number for number in range(0, 300, 3)]


@pytest.mark.parametrize(
    ("renamed", "expected"),
    [({"article": "x"}, "one of order, site"), ({"order": "SO_NUMBER"}, "this column in the header")],
)
def test_a_wrong_map_is_named(renamed: dict[str, str], expected: str) -> None:
    assert errors("order,sku,quantity\nSO-1,P13,1\n", renamed)[0].expected.startswith(expected)


# -- any program's files ---------------------------------------------------------------------------------------------

_plain = st.text(st.characters(codec="cp1252", categories=["Lu", "Ll"]), min_size=1, max_size=6)
_texts = st.text(st.sampled_from('aZ9äß€,;\t|"\n ?-'), max_size=8)
_ORDERS = st.dictionaries(
    st.builds("SO{}/{}".format, _plain, st.integers(0, 99)),
    st.lists(
        st.fixed_dictionaries(
            {
                "sku": st.builds("P{}-{}".format, _plain, st.integers(10, 99)),
                "name": _texts.map(str.strip),
                "quantity": st.integers(1, 1_000_000),
                "serialized": st.booleans(),
                "serial_length": st.none() | st.tuples(st.integers(1, 20), st.integers(21, 64)),
            }
        ),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=5,
)


@settings(deadline=None)
@given(
    orders=_ORDERS,
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    random=st.randoms(use_true_random=False),
)
def test_what_programs_write_is_read_back(
    orders: dict[str, Any], delimiter: str, encoding: str, end: str, quoting: Any, random: Any
) -> None:
    columns = ["order", *next(iter(orders.values()))[0]]
    random.shuffle(columns)
    rows = [{"order": name, **line} for name, lines in orders.items() for line in lines]
    places = {name: iter(lines) for name, lines in orders.items()}
    random.shuffle(rows)
    rows = [{"order": row["order"], **next(places[row["order"]])} for row in rows]  # apart, but in their order
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow([column.upper() for column in columns])
    for row in rows:
        bounds = row["serial_length"]
        row = {**row, "serial_length": "" if bounds is None else "-".join(map(str, bounds))}
        writer.writerow([row[column] for column in columns])
    found = {order["order"]: order["lines"] for order in parse(file.getvalue().encode(encoding))}
    assert found == {
        name: [
            {
                "line": str(number),
                "flow": "used",
                **{key: value for key, value in line.items() if value != "" and value is not None},
                **({} if line["serial_length"] is None else {"serial_length": list(line["serial_length"])}),
            }
            for number, line in enumerate(lines, 1)
        ]
        for name, lines in orders.items()
    }


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_file_is_read_or_refused(data: bytes) -> None:
    for content in (data, b"order,sku,quantity,units\n" + data):
        with suppress(FileRefused):
            parse_csv_orders(content)


def test_the_columns_are_those_of_the_contract() -> None:
    contract = "order,site,type,line,sku,name,gtin,barcode,flow,serialized,quantity,units,tacs,serial_length,picking"
    assert ",".join(COLUMNS) == contract + ",packing,shipping"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\n" * 5_000_000, "at most 1000000 rows, those without text among them"),
        (b"order,sku,quantity\n" + b",,\n" * 1_100_000, "at most 1000000 rows, those without text among them"),
        (b",".join(b"column%d" % number for number in range(100_000)), "at most 1000 columns"),
    ],
    ids=["line feeds", "blank rows", "columns"],
)
def test_a_file_of_nothing_is_refused_at_once(data: bytes, expected: str) -> None:
    with pytest.raises(FileRefused) as refused:
        parse_csv_orders(data)
    assert [error.expected for error in refused.value.errors] == [expected]
