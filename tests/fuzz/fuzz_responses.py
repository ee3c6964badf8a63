"""Coverage-guided fuzzing of what a call makes of a response; nothing that pytest collects.

    pip install atheris                                       (Linux; CPython for which it has a wheel)
    python -m tests.fuzz.fuzz_responses -max_total_time=300     libFuzzer's own options

It begins with the cases in ``tests/fuzz/corpus`` and the recorded responses, keeps what it finds in a temporary folder,
and stops at the first case that breaks a promise of ``tests.fuzz.target.check``. Such a case goes into the corpus, by
a name that says what it is, where ``tests/fuzz/test_corpus.py`` replays it for ever.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["workos_mfa", "json"]):
    from tests.fuzz.make_corpus import case_of
    from tests.fuzz.target import check
    from tests.operations import CALLS

CORPUS = Path(__file__).parent / "corpus"


def seed(folder: Path) -> None:
    """Give the fuzzer the recorded responses to begin with."""
    for number, call in enumerate(CALLS):
        for status in (0, 1, 8):
            body = b"" if call.body is None else json.dumps(call.body).encode()
            (folder / f"recorded-{number}-{status}").write_bytes(case_of(number, status, body))


def main() -> None:
    """Fuzz, for as long as libFuzzer's options say."""
    with tempfile.TemporaryDirectory() as name:
        found = Path(name) / "found"
        found.mkdir()
        seed(found)
        dictionary = Path(name) / "dictionary"
        words = {word for call in CALLS for word in json.dumps(call.body).split('"') if word.isidentifier()}
        dictionary.write_text("".join(f'"{word}"\n' for word in sorted(words | {"valid", "true", "errors", "NaN"})))
        options = [f"-dict={dictionary}", "-max_len=4096", "-timeout=10", "-rss_limit_mb=1024"]
        atheris.Setup([sys.argv[0], *options, *sys.argv[1:], str(found), str(CORPUS)], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
