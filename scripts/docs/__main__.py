"""Write every generated part of docs/reference/ anew, and name the files that changed."""

from scripts.docs.blocks import pages
from scripts.docs.paths import ROOT


def main() -> None:
    for path, text in pages().items():
        if text != path.read_text("utf-8"):
            path.write_text(text, "utf-8")
            print(f"wrote {path.relative_to(ROOT)}")


main()
