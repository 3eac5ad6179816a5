"""The scripts build their virtual environment whatever was left of it, and say in a line what keeps them from it.

They run in a clone of a small project: its build backend is in its own tree and needs no network, its Python makes a
virtual environment at once, without unpacking pip. Both do as the environment variables tell: wait at a fifo to be
interrupted, or fail.
"""

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "script"

SETUP_CFG = "[metadata]\nname = wyoming-openai-conversation\n"
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
BACKEND = """
import os, sys, zipfile

NAME = "wyoming_openai_conversation-1.dist-info"
METADATA = "Metadata-Version: 2.1\\nName: wyoming-openai-conversation\\nVersion: 1\\nProvides-Extra: dev\\n"

def get_requires_for_build_editable(config=None):
    return os.environ.get("NEEDS", "").split()

def build_editable(folder, config=None, metadata=None):
    with open("builds", "a") as builds:
        builds.write("x")
    if "FAILS" in os.environ:
        print(os.environ["FAILS"], file=sys.stderr)
        sys.exit(1)
    if os.environ.get("WAITS") == "install":
        open(os.environ["FIFO"], "w").close()
        open(os.environ["FIFO"]).close()
    name = "wyoming_openai_conversation-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("here.pth", os.getcwd())
        wheel.writestr(f"{NAME}/METADATA", METADATA)
        wheel.writestr(f"{NAME}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{NAME}/RECORD", "")
    return name
"""
QUICK_VENV = """
import os, sys

sys.path[:] = [folder for folder in sys.path if folder != os.environ["PYTHONPATH"]]
del sys.modules["venv"]
import venv

venv.EnvBuilder(symlinks=True).create(sys.argv[1])
if os.environ.get("WAITS") == "venv":
    open(os.environ["FIFO"], "w").close()
    open(os.environ["FIFO"]).close()
site = f"{sys.argv[1]}/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
with open(f"{site}/pip.pth", "w") as path:
    path.write(os.environ["PIP_FOLDER"])
"""


@dataclass
class Clone:
    """A clone of the project, and what its scripts find around them."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def remove_venv(self) -> None:
        if self.venv.is_file() or self.venv.is_symlink():
            self.venv.unlink()
        shutil.rmtree(self.venv, ignore_errors=True)

    @property
    def builds(self) -> int:
        """How often the project was installed."""
        path = self.root / "builds"
        return len(path.read_text()) if path.exists() else 0

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, f"script/{command[0]}", *command[1:]],
            cwd=self.root,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def run(self, *command: str, **environment: str) -> tuple[int, str, str]:
        """Exit status, output, and what the person reads beside it."""
        with self.start(*command, **environment) as script:
            output, errors = script.communicate()
        return script.returncode, output, errors

    def serves(self, **environment: str) -> bool:
        return self.run("run", **environment)[:2] == (0, "served\n")

    @contextmanager
    def waiting(self, where: str) -> Iterator[subprocess.Popen[str]]:
        """A script that is in the midst of it."""
        fifo = self.root / "fifo"
        os.mkfifo(fifo)
        try:
            with self.start("run", WAITS=where, FIFO=str(fifo)) as script:
                fifo.open().close()
                yield script
        finally:
            fifo.unlink()

    def go_on(self) -> None:
        (self.root / "fifo").open("w").close()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    root = tmp_path_factory.mktemp("clone")
    shutil.copytree(SCRIPTS, root / "script", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "setup.cfg").write_text(SETUP_CFG)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "backend.py").write_text(BACKEND)
    for module, text in (("wyoming_openai", "print('served')"), ("pytest", "print('tested')")):
        (root / module).mkdir()
        (root / module / "__init__.py").touch()
        (root / module / "__main__.py").write_text(text)
    pip = pytest.importorskip("pip")
    return Clone(root, dict(os.environ) | {"PIP_FOLDER": str(Path(pip.__file__).parent.parent), "PIP_RETRIES": "0"})


@pytest.fixture
def quick(clone: Clone, tmp_path: Path) -> Clone:
    """With a Python that makes virtual environments at once."""
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "__init__.py").touch()
    (tmp_path / "venv" / "__main__.py").write_text(QUICK_VENV)
    return Clone(clone.root, clone.environment | {"PYTHONPATH": str(tmp_path)})


@pytest.fixture
def finished(quick: Clone) -> Clone:
    """With everything installed."""
    assert quick.serves()
    return quick


def test_a_clean_clone_serves_and_is_built_once(clone: Clone) -> None:
    clone.remove_venv()
    status, output, errors = clone.run("run")
    assert (status, output) == (0, "served\n")
    assert "Setting up .venv" in errors
    assert clone.run("run") == (0, "served\n", "")


def empty(venv: Path) -> None:
    shutil.rmtree(venv)
    venv.mkdir()


def without_pip(venv: Path) -> None:
    shutil.rmtree(venv)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)  # noqa: S603


def dead_link(venv: Path) -> None:
    (venv / "bin" / "python").unlink()
    (venv / "bin" / "python").symlink_to("/usr/bin/python3.2")


def half_installed(venv: Path) -> None:
    """Pip lists the project as installed, but its files are not there."""
    (venv / ".installed").unlink()
    for path in venv.glob("lib/python*/site-packages/here.pth"):
        path.unlink()


def half_written(venv: Path) -> None:
    stamp = venv / ".installed"
    stamp.write_text(stamp.read_text()[:40])


def half_removed(venv: Path) -> None:
    shutil.rmtree(venv / "bin")


def a_file(venv: Path) -> None:
    shutil.rmtree(venv)
    venv.write_text("nothing")


def of_another_python(venv: Path) -> None:
    """As after an upgrade of the system from one minor version to the next."""
    stamp = json.loads((venv / ".installed").read_text())
    stamp["python"] = [part.replace("cpython-3", "cpython-2") for part in stamp["python"]]
    (venv / ".installed").write_text(json.dumps(stamp))
    for path in venv.glob("lib/python*"):
        path.rename(path.with_name("python3.2"))


def made_elsewhere(venv: Path) -> None:
    """As in a copied or moved clone."""
    stamp = json.loads((venv / ".installed").read_text())
    stamp["python"][0] = "/home/anna/wyoming_openai"
    (venv / ".installed").write_text(json.dumps(stamp))


DAMAGES = (
    empty,
    without_pip,
    dead_link,
    half_installed,
    half_written,
    half_removed,
    a_file,
    of_another_python,
    made_elsewhere,
)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_is_left_of_a_virtual_environment_is_built_again(finished: Clone, damage: Callable[[Path], None]) -> None:
    damage(finished.venv)
    assert finished.serves()
    assert finished.run("run") == (0, "served\n", "")


def test_another_folder_is_left_alone(finished: Clone, tmp_path: Path) -> None:
    """`.venv` was a link to an environment that is somebody else's."""
    finished.remove_venv()
    (tmp_path / "theirs").write_text("precious")
    finished.venv.symlink_to(tmp_path)
    assert finished.serves()
    assert (tmp_path / "theirs").read_text() == "precious"
    assert not finished.venv.is_symlink()


def test_what_is_installed_for_tests_serves_too(finished: Clone) -> None:
    finished.remove_venv()
    assert finished.run("test")[:2] == (0, "tested\n")
    assert finished.run("run") == (0, "served\n", "")
    assert finished.run("test") == (0, "tested\n", "")


def test_new_requirements_are_installed_into_what_there_is(finished: Clone) -> None:
    kept = finished.venv / "kept"
    kept.touch()
    (finished.root / "setup.cfg").write_text(f"{SETUP_CFG}# another\n")
    builds = finished.builds
    assert finished.serves()
    assert finished.builds == builds + 1
    assert kept.exists()


@pytest.mark.parametrize(
    ("where", "number"),
    [("venv", signal.SIGINT), ("install", signal.SIGINT), ("venv", signal.SIGHUP), ("install", signal.SIGTERM)],
)
def test_an_interruption_is_quiet_and_the_next_run_repairs(quick: Clone, where: str, number: signal.Signals) -> None:
    quick.remove_venv()
    with quick.waiting(where) as script:
        os.killpg(script.pid, number)
        output, errors = script.communicate()
    assert script.returncode == 128 + number
    assert output == ""
    assert len(errors.splitlines()) == 1, errors
    assert quick.serves()


def test_a_killed_script_leaves_its_lock_to_pip(quick: Clone) -> None:
    """So that the next run does not build beside an installation that goes on."""
    quick.remove_venv()
    with quick.waiting("install") as script:
        script.kill()
        script.wait()
        with quick.start("run") as next_one:
            assert next_one.stderr is not None
            assert "waiting" in next_one.stderr.readline()
            quick.go_on()
            assert next_one.communicate()[0] == "served\n"


def test_two_scripts_started_at_once_build_once(quick: Clone) -> None:
    quick.remove_venv()
    builds = quick.builds
    with quick.waiting("install") as first, quick.start("run") as second:
        assert second.stderr is not None
        assert "waiting" in second.stderr.readline()
        quick.go_on()
        assert first.communicate()[0] == second.communicate()[0] == "served\n"
    assert quick.builds == builds + 1


NO_NETWORK = (
    {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_EXTRA_INDEX_URL": ""},
    {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""},
)


@pytest.mark.parametrize("environment", NO_NETWORK, ids=["refused", "no index"])
def test_no_network_is_said_plainly(quick: Clone, environment: Mapping[str, str]) -> None:
    quick.remove_venv()
    status, _, errors = quick.run("run", NEEDS="no-such-package-anywhere", **environment)
    assert status == 1
    assert "No network" in errors
    assert len(errors.splitlines()) == 3
    assert "no-such-package" in (quick.venv / "install.log").read_text()


def test_neither_venv_nor_pip_names_the_package_to_install(quick: Clone, tmp_path: Path) -> None:
    for module in ("venv", "pip"):
        (tmp_path / f"bare/{module}").mkdir(parents=True)
        (tmp_path / f"bare/{module}/__init__.py").write_text(f"raise SystemExit('No module named {module}')")
    quick.remove_venv()
    status, _, errors = quick.run("run", PYTHONPATH=str(tmp_path / "bare"))
    assert status == 1
    assert "apt install python3-venv" in errors
    assert quick.serves()  # installed after the first try


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("PermissionError: [Errno 13] Permission denied: '/x/wyoming.egg-info'", "may not write here"),
        (
            "error: command 'gcc' failed: No such file or directory\nERROR: Failed to build orjson",
            "orjson has no ready",
        ),
        ("error: [Errno 2] No such file or directory: 'x86_64-linux-gnu-gcc'", "no compiler"),
        ("Cargo, the Rust package manager, is not installed or is not on PATH.", "no compiler"),
        ("SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate is not yet valid", "date and time"),
        ("ReadTimeoutError(\"HTTPSConnectionPool(host='x', port=443): Read timed out.\")", "No network"),
        ("Something that nobody foresaw", "Something that nobody foresaw"),
    ],
)
def test_a_failed_installation_says_what_to_do(quick: Clone, said: str, advice: str) -> None:
    quick.remove_venv()
    status, output, errors = quick.run("run", FAILS=said)
    assert (status, output) == (1, "")
    assert advice in errors
    assert "Traceback" not in errors


def test_a_folder_that_cannot_be_written_to_is_said_plainly(quick: Clone) -> None:
    quick.remove_venv()
    powerless = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if powerless and not shutil.which("setpriv"):
        pytest.skip("root may write everywhere")
    quick.root.chmod(0o555)
    try:
        command = [*powerless, sys.executable, "script/run"]
        script = subprocess.run(  # noqa: S603
            command, cwd=quick.root, env=quick.environment, capture_output=True, text=True, check=False
        )
    finally:
        quick.root.chmod(0o755)
    assert script.returncode == 1
    assert "may not write here" in script.stderr
    assert len(script.stderr.splitlines()) == 2


OLD_PYTHON = "import runpy, sys; sys.version_info = (3, 9, 2); sys.version = '3.9.2'; runpy.run_path('script/_venv.py')"


def test_an_old_python_is_told_so(clone: Clone) -> None:
    command = [sys.executable, "-c", OLD_PYTHON]
    script = subprocess.run(command, cwd=clone.root, capture_output=True, text=True, check=False)  # noqa: S603
    assert script.returncode == 1
    assert script.stderr.startswith("Python 3.11 or newer is needed; this is 3.9.2.")


@pytest.mark.parametrize("name", ["_venv.py", "run", "test", "setup"])
def test_an_old_python_can_read_so_far(name: str) -> None:
    ast.parse((SCRIPTS / name).read_text(encoding="utf-8"), feature_version=(3, 7))
