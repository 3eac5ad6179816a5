"""What the scripts share: the project's virtual environment, made and filled when it is missing or out of date."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def ensure(*extras: str) -> None:
    """Install the project with `extras` into .venv, unless it is there already for these requirements."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the message is for whoever has an older one
        sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    requirements = (ROOT / "setup.cfg").read_bytes() + (ROOT / "pyproject.toml").read_bytes() + sys.version.encode()
    stamp = hashlib.sha256(requirements).hexdigest()
    done = VENV / f".installed-{'-'.join(extras) or 'base'}"
    if PYTHON.exists() and done.exists() and done.read_text() == stamp:
        return
    print("Setting up .venv (once; a minute or less) ...", file=sys.stderr, flush=True)
    if not PYTHON.exists():
        _make_venv()
    target = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary"]
    if subprocess.run([*command, "--editable", target], stdout=sys.stderr, check=False).returncode:
        sys.exit("The installation failed; what pip said is above.")
    done.write_text(stamp)


def _make_venv() -> None:
    if subprocess.run([sys.executable, "-m", "venv", VENV], stdout=sys.stderr, check=False).returncode == 0:
        return
    # Debian's python3 without python3-venv: virtualenv from pip does the same.
    for command in (["-m", "pip", "install", "--quiet", "--user", "virtualenv"], ["-m", "virtualenv", "--quiet", VENV]):
        if subprocess.run([sys.executable, *command], stdout=sys.stderr, check=False).returncode:
            sys.exit("No virtual environment could be made: install python3-venv (apt install python3-venv) and retry.")


def run(*command: str) -> int:
    """Run a tool of the virtual environment in the project's root; gives its exit status."""
    return subprocess.run([PYTHON, "-m", *command], cwd=ROOT, check=False).returncode


def tool(name: str, *arguments: str) -> int:
    """Run a program that the virtual environment holds; gives its exit status."""
    return subprocess.run([VENV / "bin" / name, *arguments], cwd=ROOT, check=False).returncode


def python(program: str, *arguments: str) -> int:
    """Run a few lines in the virtual environment's Python; gives the exit status."""
    return subprocess.run([PYTHON, "-c", program, *arguments], cwd=ROOT, check=False).returncode


def become(*command: str) -> None:
    """Replace this process by the virtual environment's Python, so that signals reach the program itself."""
    os.execv(PYTHON, [str(PYTHON), "-m", *command])
