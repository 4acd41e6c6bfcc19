"""PyInstaller hook: names the modules and data files that its analysis of imports cannot see.

Compiled modules import others out of its sight, some modules are imported only when a call needs
them, and the providers' manifests are data files.
"""

from __future__ import annotations

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

_OPTIONAL = "specado.integrations"  # each needs a package that the application may not have

hiddenimports = collect_submodules("specado", filter=lambda name: not name.startswith(_OPTIONAL))
datas = collect_data_files("specado")
