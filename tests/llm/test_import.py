"""What the program pays before it is asked anything."""

import subprocess
import sys


def test_the_sdk_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys; from wyoming_openai.llm.client import ModelSettings, create_model; create_model(ModelSettings());"
        " sys.exit(bool({'openai', 'httpx2'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603
