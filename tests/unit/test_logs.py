"""The functions' log is ours alone, whatever is imported when."""

import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """
import io, sys
from chalicelib.web.logs import logger
theirs, sys.stdout = sys.stdout, io.StringIO()
import app
app.app.log.info("from Chalice")
logger.info("from us")
theirs.write(sys.stdout.getvalue())
"""


def test_each_line_is_told_once_and_in_json_when_the_output_was_replaced_before_the_app_is_imported() -> None:
    command = [sys.executable, "-c", PROGRAM]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [line["message"] for line in lines] == ["from Chalice", "from us"]
