"""Write the tables of docs/providers.md from the shipped manifests.

    python scripts/make_provider_table.py

Each stands between two comments that name it; the rest of the page is written by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "src" / "specado" / "catalog" / "providers"
PAGE = Path(__file__).parent.parent / "docs" / "providers.md"
BEGIN = "<!-- {name}: written by scripts/make_provider_table.py -->\n"
END = "<!-- end of {name} -->\n"
PARTS = ("address", "requests", "replies", "errors", "models")
EVIDENCE = ("recording", "documentation", "reported")
Row = dict[str, Any]


def dialects_of(manifest: Row) -> list[str]:
    return [each["name"] for each in manifest.get("dialects", ())] or [manifest["dialect"]]


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def code(texts: list[str], between: str = ", ") -> str:
    return between.join(f"`{each}`" for each in texts)


def key_of(manifest: Row) -> str:
    """Return the variables of a provider's key, in the order in which they count."""
    authentication = manifest["authentication"]
    variables = authentication.get("env", [])
    key = code(variables, ", else ") or "none"
    tokens = authentication.get("token_env")
    if tokens:
        return f"{key}, or an access token ({code(tokens)})"
    if authentication.get("kind") == "google":
        return f"an access token, or {key}"
    return f"not needed ({key})" if authentication.get("kind") == "none" else key


def address_of(manifest: Row) -> str:
    endpoints = manifest["endpoints"]
    address = "by location" if "cloud" in endpoints else f"`{endpoints['base_url']}`"
    authentication = manifest["authentication"]
    url, host = authentication.get("base_url_env"), authentication.get("host_env")
    variables = ([f"`{url}`"] if url else []) + ([f"`{host}`: the host alone"] if host else [])
    return f"{address} ({', '.join(variables)})" if variables else address


def provider_table(manifests: dict[str, Row]) -> str:
    """Return the table of providers: what to call them by, where they are, which key."""
    titles = ["provider", "", "dialects", "key", "default `base_url` (the variable for another)"]
    lines = [row(titles), "|---|---|---|---|---|\n"]
    for name, manifest in manifests.items():
        title = manifest["info"]["name"] + (" †" if manifest.get("ids_have_slashes") else "")
        dialects = code(dialects_of(manifest))
        lines.append(row([f"`{name}`", title, dialects, key_of(manifest), address_of(manifest)]))
    return "".join(lines)


def evidence_cell(evidence: Row | None) -> str:
    if evidence is None:
        return "not verified"
    if evidence["by"] == "reported":
        return f"not verified (reported {evidence['date']})"
    return f"{evidence['by']} {evidence['date']}"


def evidence_table(manifests: dict[str, Row]) -> str:
    """Return the table of what shows that each part of a manifest holds, and since when."""
    lines = [row(["provider", *PARTS]), "|---|---|---|---|---|---|\n"]
    for name, manifest in manifests.items():
        verification = manifest.get("verification", {})
        cells = [evidence_cell(verification.get(part)) for part in PARTS]
        lines.append(row([f"`{name}`", *cells]))
    return "".join(lines)


def make_page(page: str) -> str:
    """Return the page with its tables made anew."""
    paths = sorted(FOLDER.glob("*.json"))
    manifests = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}
    tables = {"providers": provider_table(manifests), "evidence": evidence_table(manifests)}
    for name, table in tables.items():
        begin, end = BEGIN.format(name=name), END.format(name=name)
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n{table}\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(make_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
