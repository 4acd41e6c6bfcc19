"""Say in one sentence what this machine lacks to build specado, or nothing.

Runs before anything is installed, on whatever interpreter `make` was given: plain syntax only.
"""

import os
import shutil
import sys
import sysconfig

MINIMUM = (3, 9)


def find_lack():
    """Return what is missing and what to do about it, or None."""
    if sys.version_info < MINIMUM:
        found = ".".join(str(part) for part in sys.version_info[:3])
        return "%s is Python %s and specado needs 3.9 or newer: make PYTHON=/path/to/python" % (
            sys.executable,
            found,
        )
    if sys.platform == "win32":
        return None  # CMake finds the compiler of Visual Studio by itself.
    compilers = [os.environ["CC"].split()[0]] if os.environ.get("CC") else ["cc", "gcc", "clang"]
    if not any(shutil.which(compiler) for compiler in compilers):
        return (
            "there is no C compiler (looked for %s): install one, for example the package "
            "build-essential on Debian and Ubuntu, or set CC" % ", ".join(compilers)
        )
    header = os.path.join(sysconfig.get_path("include"), "Python.h")
    if not os.path.exists(header):
        return (
            "Python's headers are missing (%s): install them, for example the package "
            "python3-dev on Debian and Ubuntu" % header
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return (
            "%s cannot make virtual environments: install its venv module, for example the "
            "package python3-venv on Debian and Ubuntu" % sys.executable
        )
    return None


if __name__ == "__main__":
    lack = find_lack()
    if lack:
        sys.exit("specado: " + lack)
