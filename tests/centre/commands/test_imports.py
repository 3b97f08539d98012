"""Files by the command line: orders, lists, journals."""

import json
from pathlib import Path

import pytest

from centre.command_line import main
from tests.centre.commands.conftest import Command

ORDERS = "order,sku,quantity\nSO-1,P13,2\nSO-2,CASE,1\n"


def file_of(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def test_orders_are_created_once(centre: Command, tmp_path: Path) -> None:
    file = file_of(tmp_path, "orders.csv", ORDERS)
    would = centre("import", "orders", file, "--dry-run")
    counts = "2 would be created, 0 would be updated, 0 would be unchanged\n"
    assert would == (0, f"{counts}  created    SO-1\n  created    SO-2\n", "")
    assert centre("import", "orders", file).out == "2 created, 0 updated, 0 unchanged\n"
    assert centre("import", "orders", file).out == "0 created, 0 updated, 2 unchanged\n"


def test_columns_can_be_renamed(centre: Command, tmp_path: Path) -> None:
    file = file_of(tmp_path, "orders.txt", ORDERS.replace("order", "SO_NUMBER"))
    assert centre("import", "orders", file, "--map", "order=SO_NUMBER").out == "2 created, 0 updated, 0 unchanged\n"
    refused = centre("import", "orders", file, "--map", "colour=SO_NUMBER")
    assert refused.code == 1
    assert 'kiosk-centre: --map "colour=SO_NUMBER": expected COLUMN=HEADER' in refused.err


def test_other_headers_are_named_with_what_to_do(centre: Command, tmp_path: Path) -> None:
    file = file_of(tmp_path, "orders.csv", "SO_NUMBER;ARTICLE;QTY\nSO-1;P13;1\n")
    first, *faults, advice = centre("import", "orders", file).err.splitlines()
    assert first == f"kiosk-centre: {file} is refused, nothing is changed:"
    assert all(fault.endswith("found SO_NUMBER, ARTICLE, QTY") for fault in faults)
    assert "--map sku=ARTICLE" in advice


@pytest.mark.parametrize("order", [0, 1])
def test_several_columns_are_renamed_at_once(centre: Command, tmp_path: Path, order: int) -> None:
    file = file_of(tmp_path, "orders.csv", ORDERS.replace("order,sku", "SO_NUMBER,ARTICLE"))
    renamed = ["--map", "order=SO_NUMBER", "sku=ARTICLE"]
    arguments = [file, *renamed] if order else [*renamed, file]
    assert centre("import", "orders", *arguments).out == "2 created, 0 updated, 0 unchanged\n"


def test_a_file_must_be_named(centre: Command) -> None:
    for arguments in ([], ["--map", "order=SO_NUMBER"]):
        with pytest.raises(SystemExit) as ended:
            centre("import", "orders", *arguments)
        assert ended.value.code == 2


def test_every_faulty_row_is_named_and_nothing_is_taken(centre: Command, tmp_path: Path) -> None:
    file = file_of(tmp_path, "orders.csv", ORDERS + "SO-3,P13,many\nSO-4,,1\n")
    done = centre("import", "orders", file)
    assert (done.code, done.out) == (1, "")
    first, *others = done.err.splitlines()
    assert first == f"kiosk-centre: {file} is refused, nothing is changed:"
    assert [line.split(":")[0] for line in others] == ["  row 4, quantity", "  row 5, sku"]
    good = file_of(tmp_path, "good.csv", ORDERS)
    assert centre("import", "orders", good).out == "2 created, 0 updated, 0 unchanged\n"


def test_json_orders(centre: Command, tmp_path: Path) -> None:
    order = {"order": "SO-9", "type": "pos", "lines": [{"line": "1", "sku": "A", "quantity": 1, "serialized": False}]}
    file = file_of(tmp_path, "orders", json.dumps([order]))
    assert centre("import", "orders", file).out == "1 created, 0 updated, 0 unchanged\n"


@pytest.mark.parametrize(
    ("kind", "text", "count"),
    [
        ("operators", "operator,badges\nE7,B-1\nE8,B-2\n", 2),
        ("box-sizes", "code,length_mm,width_mm,height_mm\nM,300,200,150\n", 1),
        ("blocked", "unit\n356938030000017\n", 1),
    ],
)
def test_lists(centre: Command, tmp_path: Path, kind: str, text: str, count: int) -> None:
    file = file_of(tmp_path, "list.csv", text)
    start = f"{kind} of main: {count} items, "
    assert centre("import", kind, file, "--dry-run").out == f"{start}would be changed\n"
    assert centre("import", kind, file).out == f"{start}changed\n"
    assert centre("import", kind, file, "--site", "main").out == f"{start}nothing changes\n"
    refused = centre("import", kind, file, "--site", "elsewhere")
    assert (refused.code, refused.out) == (1, "")


def test_a_journal_with_lines_that_are_none(centre: Command, tmp_path: Path) -> None:
    event = {
        "specversion": "1.0",
        "id": "3F0C9A1B-000000000001-7d1e40aa",
        "source": "/kiosk/main/dock-3",
        "sequence": "000000000001",
        "type": "kiosk.operator.signed_in.v1",
        "time": "2026-11-28T12:00:00.000Z",
        "clocksynced": True,
        "data": {"operator": "E7", "station": "1"},
    }
    file = file_of(tmp_path, "journal.ndjson", json.dumps(event) + "\n")
    assert centre("import", "journal", file).out == "1 events stored, 0 were stored before, 0 refused\n"
    file = file_of(tmp_path, "journal.ndjson", json.dumps(event) + "\nno event\n")
    done = centre("import", "journal", file)
    assert done.code == 1
    assert done.out.splitlines()[0] == "0 events stored, 1 were stored before, 1 refused"
    assert done.out.splitlines()[1].startswith("  line 2: ")


def test_a_file_that_is_not_there(centre: Command, tmp_path: Path) -> None:
    done = centre("import", "orders", tmp_path / "none.csv")
    assert done == (1, "", f"kiosk-centre: cannot read {tmp_path}/none.csv: No such file or directory\n")


@pytest.mark.parametrize("argv", [["import"], ["import", "orders"], ["import", "people", "x"]])
def test_wrong_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(argv)
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith("usage: kiosk-centre import")
