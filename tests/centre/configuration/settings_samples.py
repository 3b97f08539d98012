"""Ways to read a configuration."""

from pathlib import Path

import pytest

from centre.centre_errors import SettingsRefused
from centre.configuration.centre_settings import CentreSettings
from centre.configuration.settings_file import load


def settings_of(folder: Path, text: str, environ: dict[str, str] | None = None) -> CentreSettings:
    file = folder / "centre.toml"
    file.write_text(text, "utf-8")
    return load(file, environ=environ or {})


def problems_of(folder: Path, text: str) -> list[str]:
    """What is wrong, each without the name of the file."""
    with pytest.raises(SettingsRefused) as refused:
        settings_of(folder, text)
    start = f"{folder}/centre.toml: "
    assert all(line.startswith(start) for line in refused.value.problems)
    return [line.removeprefix(start) for line in refused.value.problems]
