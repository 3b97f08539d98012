"""Write a migration: what `centre/store/schema.py` has and the migrations do not.

Usage: python -m scripts.migration "WHAT IT DOES" [--rewrite]
With --rewrite the newest migration is written again, with the same number: for one that was not released yet.
Read what was written: Alembic does not see changed CHECK constraints, nor that a column was renamed.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command

from centre.store.database import Database
from centre.store.migration import alembic_config, newest_schema, upgrade_schema

VERSIONS = Path(__file__).parents[1] / "centre" / "store" / "migrations" / "versions"


def file_of(number: int) -> Path:
    return VERSIONS / f"revision_{number:04}.py"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("message", help="one line")
    parser.add_argument("--rewrite", action="store_true")
    arguments = parser.parse_args()
    number = len(list(VERSIONS.glob("revision_*.py"))) + (not arguments.rewrite)
    if arguments.rewrite:
        file_of(number).unlink()
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.sqlite")
        if number > 1:
            upgrade_schema(database)
        with database.writing() as connection:
            script = command.revision(
                alembic_config(connection), arguments.message, autogenerate=True, rev_id=f"{number:04}"
            )
        database.dispose()
    assert script is not None
    assert not isinstance(script, list)
    text = Path(script.path).read_text("utf-8")
    Path(script.path).unlink()
    file_of(number).write_text(re.sub(r"^    # ### .*\n", "", text, flags=re.MULTILINE), "utf-8")
    ruff = str(Path(sys.executable).with_name("ruff"))
    for step in (["format"], ["check", "--fix"]):
        subprocess.run([ruff, *step, "--quiet", file_of(number)], check=True)
    print(f"wrote {file_of(number)}; the newest schema is {newest_schema()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
