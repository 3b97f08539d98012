"""A hook of mkdocs: in the site, a link to a file outside docs/ is the name of that file, since the file is not there.

In the repository these links work.
"""

import re
from pathlib import Path
from typing import Any

__all__ = ["on_page_markdown"]

_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>\.\./[^)\s#]+)\)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Return the page with the links that lead out of docs/ made code."""
    folder = Path(page.file.abs_src_path).parent

    def name(match: re.Match[str]) -> str:
        target = (folder / match["target"]).resolve()
        return match[0] if target.is_relative_to(config.docs_dir) else f"`{match['text']}`"

    return _LINK.sub(name, markdown)
