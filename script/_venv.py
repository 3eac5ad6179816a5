"""What the scripts share: the project's virtual environment, built when it is missing, unfinished or out of date.

Its stamp is written last and removed first. A `.venv` without one is whatever an interruption left behind: it is
cleared away and built again.
"""

import signal
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the message is for whoever has an older one
    sys.exit(
        f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}."
        f" If there is another one here, name it: python3.12 {sys.argv[0]}"
    )
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a script without a traceback

import fcntl
import getpass
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".installed"
LOG = VENV / "install.log"
BASE_PYTHON = Path(sys.executable).resolve()
"""The Python beneath a virtual environment that may be active."""

INSTALL = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--prefer-binary")
ENVIRONMENT = {"LC_ALL": "C", "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
LITTLE = 20_000_000  # bytes; none of our packages would fit

EXPLANATIONS = {
    r"Errno (28|122)\b|No space left|quota exceeded": "The disk is full: make room (half a gigabyte will do).",
    r"Errno (1|13|30)\b|Permission denied|Read-only file system": (
        "{user} may not write here. Make the folder yours (sudo chown -R {user} {root}),"
        " or clone the repository into a folder of your own."
    ),
    r"CERTIFICATE_VERIFY_FAILED|SSLError": (
        "The package index could not be trusted. Are this machine's date and time right? If so, a proxy stands between."
    ),
    r"command '\S+' failed|directory: '[^'/]*(cc|clang|\+\+)'|Unknown compiler|Python\.h|\b[Cc]argo\b|\b[Rr]ust\b": (
        "{package} has no ready-made build for Python {version} on {machine}, and there is no compiler that could"
        " build it. Debian: apt install build-essential python3-dev cargo"
    ),
    r"connection broken|Max retries|ConnectionError|[Tt]imeout|[Tt]imed out|name resolution|\(from versions: none\)": (
        "No network: the packages could not be downloaded. Connect this machine to the internet"
        " (or see that pip's index or proxy is right)."
    ),
    r"ensurepip|No module named (pip|venv)": (
        "This Python has neither venv nor pip. Debian and Ubuntu: apt install python3-venv"
    ),
}
"""What to tell the person, by what Python and pip print when they fail; the first match counts."""


def ensure(*extras: str) -> None:
    """Install the project with `extras` into .venv, unless it is there already for these requirements."""
    if _is_ready(extras):
        return
    try:
        with _lock() as lock, _ending_children():
            if not _is_ready(extras):  # another script may just have done it
                _build(extras, lock)
    except OSError as error:
        sys.exit(explained(str(error)))


def _is_ready(extras: tuple[str, ...]) -> bool:
    stamp = _stamp()
    wanted = {"python": _python(), "requirements": _requirements()}
    return PYTHON.exists() and stamp | wanted == stamp and set(extras) <= set(stamp["extras"])


def _python() -> list[str]:
    """Identify what a virtual environment is bound to. A patch release of Python may change beneath it."""
    return [str(ROOT), str(BASE_PYTHON), sys.base_prefix, str(sys.implementation.cache_tag), os.uname().machine]


def _requirements() -> str:
    return (ROOT / "setup.cfg").read_text("utf-8") + (ROOT / "pyproject.toml").read_text("utf-8")


def _stamp() -> dict:
    """What was installed for which Python; empty for a virtual environment that was not finished."""
    try:
        return json.loads(STAMP.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


@contextmanager
def _lock() -> Iterator[int]:
    """Keep other scripts from building; pip inherits the lock, so a killed script's pip still holds it."""
    with (ROOT / "setup.cfg").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _tell("Another script is setting up .venv; waiting for it ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            pass  # some network file systems have no such locks
        yield file.fileno()


@contextmanager
def _ending_children() -> Iterator[None]:
    """Exit on a signal by an exception, so that `_outcome` stops what it runs."""
    ours = {number for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if _is_default(number)}
    for number in ours:
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    yield
    for number in ours:
        signal.signal(number, signal.SIG_DFL)


def _is_default(number: signal.Signals) -> bool:
    return signal.getsignal(number) is signal.SIG_DFL


def _build(extras: tuple[str, ...], lock: int) -> None:
    _tell("Setting up .venv (once; a minute or less) ...")
    stamp = _stamp()
    if stamp:
        STAMP.unlink()
    if stamp.get("python") != _python() or not _has_pip(lock):
        _make_venv(lock)
    target = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    status, said = _outcome(lock, PYTHON, *INSTALL, "--editable", target)
    if status:
        sys.exit(explained(said, status))
    if stamp.get("requirements") == _requirements():
        extras = (*stamp["extras"], *extras)
    stamp = {"python": _python(), "requirements": _requirements(), "extras": extras}
    STAMP.write_text(json.dumps(stamp), "utf-8")


def _has_pip(lock: int) -> bool:
    try:
        return _outcome(lock, PYTHON, "-m", "pip", "--version")[0] == 0
    except OSError:  # the Python that it links to is gone
        return False


def _make_venv(lock: int) -> None:
    """Make an empty one; with `virtualenv`, fetched by pip, where Python comes without `venv`, as Debian's does."""
    _clear()
    status, said = _outcome(lock, BASE_PYTHON, "-m", "venv", VENV)
    if status == 0:
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        status, more = _outcome(lock, BASE_PYTHON, *INSTALL, "--target", folder, "virtualenv")
        if status == 0:
            options = ("--quiet", "--clear", "--no-periodic-update", "--app-data", f"{folder}/data")
            status, more = _outcome(lock, BASE_PYTHON, "-m", "virtualenv", *options, VENV, PYTHONPATH=folder)
    if status:
        sys.exit(explained(said + more, status))


def _clear() -> None:
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(VENV)
    VENV.mkdir()


def _outcome(lock: int, *command: str | Path, **environment: str) -> tuple[int, str]:
    """Run a command, and stop it when this script is stopped; gives its exit status and its output."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    environment = os.environ | ENVIRONMENT | environment
    options = {"env": environment, "pass_fds": (lock,), "process_group": 0, "text": True, "errors": "replace"}
    with subprocess.Popen(command, **pipes, **options) as child:
        try:
            said, _ = child.communicate()
        except BaseException:
            _stop(child)
            raise
    return child.returncode, said


def _stop(child: subprocess.Popen) -> None:
    """Interrupt it as Ctrl-C does, and kill it if it takes more than a few seconds to clean up."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGINT)
        try:
            child.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)


def explained(said: str, status: int = 1) -> str:
    """Say in a line or two what to do about a failure; the whole output goes to the log."""
    with suppress(OSError):
        LOG.write_text(said, "utf-8")
    if status == -signal.SIGKILL:
        return "The system ended the installation, most likely because memory ran out. Close something and try again."
    if shutil.disk_usage(ROOT).free < LITTLE:
        said += "No space left"  # venv does not say why pip could not be unpacked
    text = next((text for pattern, text in EXPLANATIONS.items() if re.search(pattern, said)), "{said}")
    package = re.search(r"Failed (?:building wheel for|to build) '?([\w.-]+)", said)
    return text.format(
        user=getpass.getuser(),
        root=ROOT,
        package=package[1] if package else "A package",
        version=f"{sys.version_info.major}.{sys.version_info.minor}",
        machine=os.uname().machine,
        said=f"The installation failed:\n{said.strip()}",
    ) + (f"\nWhat pip said: {LOG}" if LOG.exists() else "")


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


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


def become_in_root(*command: str) -> None:
    """Do so in the project's root."""
    os.chdir(ROOT)
    become(*command)
