"""Extraction asks nothing of the network: no model is fetched, no usage reported."""

import subprocess
import sys
from pathlib import Path

FILES = Path(__file__).parents[3] / "shared" / "data" / "messy" / "files"
NAMES = ("un__simple.docx", "un__simple.pptx", "un__stanley-cups.xlsx", "un__example-10k-1p.html", "un__fake-email.eml")
WATCHED = """
import sys, threading
from pathlib import Path

seen = []
WATCH = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request", "subprocess.Popen")
sys.addaudithook(lambda event, arguments: seen.append((event, arguments)) if event in WATCH else None)

from indexer.extract import extract

for path in map(Path, sys.argv[1:]):
    assert extract(path.read_bytes(), path.name, boilerplate=True).text
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join(10)
from unstructured.nlp import tokenize

assert tokenize._get_nlp().pipe_names == ["sentencizer"], tokenize._get_nlp().pipe_names
assert tokenize.sent_tokenize("One sentence. Another one.") == ["One sentence.", "Another one."]
assert "unstructured_inference" not in sys.modules
print(seen)
"""


def test_nothing_is_asked_of_the_network() -> None:
    command = [sys.executable, "-c", WATCHED, *(str(FILES / name) for name in NAMES)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, env={})
    assert (run.returncode, run.stdout.strip()) == (0, "[]"), run.stderr
