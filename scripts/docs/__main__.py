"""Write every generated part of docs/reference/ anew, and name the files that changed."""

from scripts.docs.blocks import pages
from scripts.docs.paths import ROOT
from scripts.docs.schema_files import FOLDER, schema_files


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    texts = {**pages(), **schema_files()}
    for path, text in texts.items():
        if not path.exists() or text != path.read_text("utf-8"):
            path.write_text(text, "utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    for path in set(FOLDER.iterdir()) - texts.keys():
        path.unlink()
        print(f"removed {path.relative_to(ROOT)}")


main()
