# SPDX-License-Identifier: Apache-2.0
"""The services that the guest libraries' READMEs begin with are those in their example folders, and they run."""
import shutil

import pytest

from conftest import BUILD, ROOT, Service

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
EXAMPLES = {"c": "notes.c", "zig": "notes.zig"}


@pytest.mark.parametrize("language", EXAMPLES)
def test_readme_shows_the_example(language):
    example = (ROOT / "sdk" / language / "example" / EXAMPLES[language]).read_text()
    code = example.split("\n", 1)[1]
    assert len(code.splitlines()) < 40
    assert f"\n{code}```\n" in (ROOT / "sdk" / language / "README.md").read_text()


def test_notes_in_zig(tmp_path, cache):
    built = BUILD / "tests" / "conformance" / "zig-notes"
    if (built / "skipped.txt").exists():
        pytest.skip((built / "skipped.txt").read_text().strip())
    shutil.copy(built / "service.wasm", tmp_path)
    service = Service(tmp_path, cache)
    try:
        for text in ("first", "%3Cb%3E"):
            reply = service.post("/", "text=" + text, headers=FORM)
            assert (reply.status, reply.headers["location"]) == (303, "/")
        assert service.get("/").text.endswith("<ul><li>&lt;b&gt;<li>first</ul>")
        assert service.post("/", "text=+", headers=FORM).status == 400
    finally:
        code = service.stop()
    assert code == 0, "".join(service.log)
