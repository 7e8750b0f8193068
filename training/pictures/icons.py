"""The icon packages that training draws from: fetched through npm, pinned by version and digest.

They are no dependency of Hearth. Which registry serves them is the machine's configuration; the digest makes them the
same everywhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

# An icon set is a few MB of JSON; anything far above is not the file we know.
ARCHIVE_BYTES_MAX = 16 * 1024 * 1024
FETCH_SECONDS_MAX = 300


@dataclass(frozen=True)
class IconPackage:
    """One icon set. `integrity` is the sha512 of its archive, in npm's notation."""

    style: str
    name: str
    version: str
    licence: str
    integrity: str

    @property
    def archive(self) -> str:
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


PACKAGES = (
    IconPackage(
        style="noto",
        name="@iconify-json/noto",
        version="1.2.9",
        licence="Apache-2.0",
        integrity="sha512-DQiuXENbun41ch+XPSV55H9FaWKpHTyz46YIKtSaKYD4fIDDzL1tR6H4np/T38jfrTAeI3rcKF0mqHYeZVAuaw==",
    ),
    IconPackage(
        style="fluent",
        name="@iconify-json/fluent-emoji-flat",
        version="1.2.6",
        licence="MIT",
        integrity="sha512-RY47RgPb47fYUiyrA64sIOL0+UU02s29sXpNBbIQRBUlPlfNFTKUmZDERGuxDs/7yNGWqQYvuaSYM1M4fRXlUw==",
    ),
)
STYLES = tuple(package.style for package in PACKAGES)


def read_icons(package: IconPackage, folder: Path) -> dict[str, str]:
    """Every icon of `package` as a whole SVG document, by its name. Fetches the archive into `folder` if need be."""
    archive = folder / package.archive
    if not archive.exists():
        fetch_archive(package, folder)
    check_archive(package, archive)
    with tarfile.open(archive) as files:
        member = files.extractfile("package/icons.json")
        assert member is not None, f"{archive} holds no icons.json"
        icons = json.load(member)
    width, height = icons.get("width", 16), icons.get("height", 16)
    return {
        name: (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="0 0 {icon.get("width", width)} {icon.get("height", height)}">{icon["body"]}</svg>'
        )
        for name, icon in icons["icons"].items()
        if not icon.get("hidden")
    }


def fetch_archive(package: IconPackage, folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(f"npm was not found. Install Node.js, or place {package.archive} into {folder}.")
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(  # noqa: S603 - every argument is a constant of this file
        [npm, "pack", "--silent", f"{package.name}@{package.version}"],
        cwd=folder,
        check=True,
        timeout=FETCH_SECONDS_MAX,
        stdout=subprocess.DEVNULL,
    )


def check_archive(package: IconPackage, archive: Path) -> None:
    size = archive.stat().st_size
    if size > ARCHIVE_BYTES_MAX:
        raise ValueError(f"{archive} has {size} bytes, more than {ARCHIVE_BYTES_MAX}. Delete it and run again.")
    digest = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != package.integrity:
        raise ValueError(
            f"{archive} is not {package.name} {package.version}: its digest is {digest}, not {package.integrity}. "
            "Delete it and run again."
        )
