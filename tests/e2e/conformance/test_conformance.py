# SPDX-License-Identifier: Apache-2.0
"""The conformance service, as README.md beside this file describes it, in every language that was built."""
import datetime
import json
import math
import shutil
import time
import urllib.parse
import uuid

import pytest

from conftest import BUILD, Service

LANGUAGES = ["c", "zig", "rust", "go", "assemblyscript"]
ALWAYS_BUILT = ["c"]
GUESTS = BUILD / "tests" / "conformance"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def is_built(language):
    return (GUESTS / language / "service.wasm").exists()


@pytest.mark.parametrize("language", [language for language in LANGUAGES if not is_built(language)])
def test_is_built(language):
    """Stands for all tests of a language that is missing; its build says why."""
    reason = GUESTS / language / "skipped.txt"
    if not reason.exists():
        assert language not in ALWAYS_BUILT, f"{language} is always built"
        pytest.skip(f"{language}: there is no such guest in this build")
    pytest.skip(f"{language}: {reason.read_text().strip()}")


@pytest.fixture(scope="module", params=[language for language in LANGUAGES if is_built(language)])
def guest(request, tmp_path_factory, cache):
    directory = tmp_path_factory.mktemp(request.param) / "service"
    directory.mkdir()
    shutil.copy(GUESTS / request.param / "service.wasm", directory)
    service = Service(directory, cache)
    yield service
    code = service.stop()
    assert code == 0, "".join(service.log)


def quote(text):
    return urllib.parse.quote(text, safe="")


def failure(reply):
    error = reply.json()["error"]
    assert set(error) == {"code", "message"} and isinstance(error["message"], str)
    return reply.status, error["code"]


def wait_for_log(service, wanted, deadline_seconds=20):
    """The line of the log with `wanted`; lines arrive by another thread."""
    end = time.monotonic() + deadline_seconds
    while time.monotonic() < end:
        for line in list(service.log):
            if wanted in line:
                return line
        service.reader.join(0.01)
    pytest.fail(f"no line with {wanted!r} in:\n" + "".join(service.log))


# ---- requests and responses


@pytest.mark.parametrize("name", ["Ada", "Löve & Söhne", "<script>alert('x')</script>", '"quoted"', "𝄞", "a" * 1000])
def test_hello_escapes(guest, name):
    reply = guest.get("/hello/" + quote(name))
    escaped = (name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
               .replace("'", "&#39;"))
    assert reply.status == 200 and reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.text == f"<h1>Hello, {escaped}</h1>"


def test_head_is_get_without_its_body(guest):
    reply = guest.request("HEAD", "/hello/you")
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", str(len("<h1>Hello, you</h1>")))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_echo_of_each_method(guest, method):
    reply = guest.request(method, "/echo")
    assert reply.headers["content-type"] == "application/json"
    assert reply.json() == {"method": method, "path": "/echo", "query": {"a": None, "b": None, "ä": None},
                            "header": None, "cookie": None, "json": False, "html": False}


@pytest.mark.parametrize("query, wanted", [
    ("a=1&b=2", {"a": "1", "b": "2"}),
    ("b=&a", {"a": "", "b": ""}),
    ("a=x+y%20z%2B%26%3D", {"a": "x y z+&="}),
    ("%61=first&a=second", {"a": "first"}),
    ("%C3%A4=%C3%B6%F0%9D%84%9E", {"ä": "ö𝄞"}),
    ("a=%", {"a": "%"}),
    ("a=%zz%4", {"a": "%zz%4"}),
    ("a=%ff%C3", {"a": "\ufffd\ufffd"}),
    ("&&a=1&&", {"a": "1"}),
    ("a=b=c", {"a": "b=c"}),
    ("", {}),
])
def test_query_values_are_decoded(guest, query, wanted):
    assert guest.get("/echo?" + query).json()["query"] == {"a": None, "b": None, "ä": None, **wanted}


@pytest.mark.parametrize("header, wanted", [
    ("session=abc", "abc"),
    ("a=1; session=abc; b=2", "abc"),
    ('session="in quotes"', "in quotes"),
    ("xsession=1; session =  2 ", "2"),
    ("session=", ""),
    ("session", None),
    ("session=a=b", "a=b"),
])
def test_cookies(guest, header, wanted):
    assert guest.get("/echo", headers={"Cookie": header}).json()["cookie"] == wanted


def test_headers_and_content_types(guest):
    headers = {"X-Test": 'a "b"', "Content-Type": "Application/JSON; charset=utf-8",
               "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    reply = guest.request("POST", "/echo", body="{}", headers=headers).json()
    assert (reply["header"], reply["json"], reply["html"]) == ('a "b"', True, True)
    headers = {"Content-Type": "application/problem+json", "Accept": "application/json, text/html"}
    reply = guest.request("POST", "/echo", body="{}", headers=headers).json()
    assert (reply["json"], reply["html"]) == (True, False)


def test_form_fields(guest):
    reply = guest.post("/form", "name=Ada+L%C3%B6ve&x=1&x=2&empty=&bare&%26=%3D", headers=FORM)
    assert reply.json() == {"name": "Ada Löve", "fields": [
        {"name": "name", "value": "Ada Löve"}, {"name": "x", "value": "1"}, {"name": "x", "value": "2"},
        {"name": "empty", "value": ""}, {"name": "bare", "value": ""}, {"name": "&", "value": "="}]}


def test_form_of_another_content_type_has_no_fields(guest):
    reply = guest.post("/form", "name=Ada", headers={"Content-Type": "text/plain"})
    assert reply.json() == {"name": None, "fields": []}


@pytest.mark.parametrize("text", [
    "{}",
    '{"a": 1, "b": [1, -2, [], {}, {"c": [null, true, false]}], "": ""}',
    '{"text": "\\u00e9\\ud834\\udd1e\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f é𝄞"}',
    '{"least": -9223372036854775808, "most": 9223372036854775807, "beyond": 9007199254740993}',
    ' \n\t{ "spaces" :\r[ 1 , 2 ] } ',
    '{"<é>": {"nested": {"deeper": {"still": [[[[1]]]]}}}}',
])
def test_json_is_parsed_and_written(guest, text):
    reply = guest.post("/json", text.encode(), headers={"Content-Type": "application/json"})
    assert reply.status == 200 and reply.headers["content-type"] == "application/json"
    assert reply.json() == json.loads(text)
    assert list(reply.json()) == list(json.loads(text))
    assert "<" not in reply.text, "JSON may stand in a script element"


def test_special_characters_at_every_position(guest):
    texts = ["x" * before + special + "z" * after for before in range(18) for after in (0, 1, 9)
             for special in ("\"", "\\", "<", "\n", "\x1f", "\x7f", "!", "é", "𝄞", "\\\"<<\x00")]
    assert guest.post("/json", {"raw": texts}).json() == {"raw": texts}
    body = json.dumps({"raw": texts}, ensure_ascii=False)
    assert guest.post("/json", body.encode()).json() == {"raw": texts}
    for before in range(18):
        reply = guest.get("/hello/" + quote("x" * before + "<&é" + "y" * 9))
        assert reply.text == f"<h1>Hello, {'x' * before}&lt;&amp;é{'y' * 9}</h1>"


DOUBLES = [0.1, -0.5, 1e300, 5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 1e21, 1e22, 123456789.125, 1e-7,
           0.30000000000000004, 4.35, 9007199254740993.0, 3.141592653589793]


def test_json_doubles_come_back_the_same(guest):
    reply = guest.post("/json", json.dumps({"doubles": DOUBLES}))
    assert reply.json()["doubles"] == DOUBLES
    reply = guest.post("/json", '{"a": 1.0, "b": -0.0, "c": 2e3, "d": 1E-400}').json()
    assert all(isinstance(value, float) for value in reply.values())
    assert list(reply.values()) == [1.0, 0.0, 2000.0, 0.0] and math.copysign(1, reply["b"]) == -1


@pytest.mark.parametrize("text", [
    "", "null", "[]", "1", '"text"', "{", '{"a"}', '{"a":}', '{"a":1,}', "{'a':1}", '{"a":01}', '{"a":1.}', '{"a":.5}',
    '{"a":+1}', '{"a":1e}', '{"a":"\n"}', '{"a":"\\x"}', '{"a":"\\ud834"}', '{"a":"\\udd1e"}', '{"a":"unended}', '{"a":tru}',
    '{"a":9223372036854775808}', '{"a":1e400}', '{"a":NaN}', '{} {}', '{"a":[1,]}', '{"a":[1 2]}', "{" * 1000,
    '{"a":' + "[" * 40 + "]" * 40 + "}", b'{"a":"\xff"}', b'{"a":"\xc0\x80"}', b'{"a":"\xed\xa0\x80"}',
])
def test_what_is_not_json_is_refused(guest, text):
    reply = guest.post("/json", text if isinstance(text, bytes) else text.encode())
    assert failure(reply) == (400, "malformed")


def test_a_large_document_comes_back(guest):
    body = {"rows": [{"id": i, "text": "ä" * (i % 50), "half": i / 2} for i in range(5000)]}
    assert guest.post("/json", body).json() == body


def test_memory_of_a_request_is_given_back(guest):
    body = json.dumps({"rows": ["x" * 1000] * 600})
    for _ in range(150):
        assert guest.post("/json", body).status == 200


@pytest.mark.parametrize("size", [0, 1, 16 * 1024, 700_000])
def test_bodies_of_all_sizes_arrive_whole(guest, size):
    body = bytes(i * 7 % 251 for i in range(size))
    assert guest.post("/size", body).json() == {"size": size, "sum": sum(body)}


def test_values_of_all_kinds(guest):
    reply = guest.get("/values")
    wanted = {"text": "é \"\\/\n\x01</script> 𝄞", "least": -2**63, "most": 2**63 - 1,
              "doubles": [0.1, -1.5e300, 5e-324, 100.0, None], "yes": True, "no": False, "nothing": None,
              "empty": [], "object": {}}
    assert reply.json() == wanted and list(reply.json()) == list(wanted)
    assert "<" not in reply.text and isinstance(reply.json()["doubles"][3], float)


def test_redirect(guest):
    reply = guest.get("/redirect")
    assert (reply.status, reply.headers["location"], reply.body) == (303, "/hello/you", b"")
    assert guest.get("/redirect?to=" + quote("/a?b=c")).headers["location"] == "/a?b=c"


@pytest.mark.parametrize("code", [200, 201, 204, 304, 404, 418, 503, 599])
def test_status_and_headers(guest, code):
    reply = guest.raw(f"GET /status/{code} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    head, body = reply.split(b"\r\n\r\n", 1)
    lines = [line.lower() for line in head.split(b"\r\n")]
    assert lines[0].startswith(b"http/1.1 %d" % code)
    assert b"x-conformance: yes" in lines and b"set-cookie: a=1; path=/" in lines and b"set-cookie: b=2; httponly" in lines
    assert body == (b"" if code in (204, 304) else b"status")


@pytest.mark.parametrize("code", ["x", "199", "600", "-200", "200x", "99999999999999999999"])
def test_status_that_is_none(guest, code):
    assert failure(guest.get(f"/status/{code}")) == (400, "invalid")


def test_bytes(guest):
    reply = guest.get("/bytes")
    assert reply.headers["content-type"] == "application/octet-stream" and reply.body == bytes(range(256))


def test_unknown_paths_and_methods_are_the_hosts(guest):
    assert guest.get("/nowhere").status == 404
    reply = guest.request("DELETE", "/hello/you")
    assert reply.status == 405 and "GET" in reply.headers["allow"]


# ---- one store and its queries


def add(guest, **note):
    reply = guest.post("/notes", note)
    assert reply.status == 201, reply.text
    return reply.json()


@pytest.fixture
def tag():
    """A mark by which a test's own notes are found among those of other tests."""
    return "tag-" + uuid.uuid4().hex


def test_a_note_is_inserted_found_changed_and_deleted(guest, tag):
    reply = guest.post("/notes", {"title": "  Grüße <b>  ", "rank": 7, "tags": [tag, 1, 1.5, None, {"a": [True]}]})
    note = reply.json()
    assert reply.status == 201 and reply.headers["x-id"] == note["_id"]
    assert uuid.UUID(note["_id"]).version == 7
    assert note == {"_id": note["_id"], "title": "Grüße <b>", "rank": 7, "tags": [tag, 1, 1.5, None, {"a": [True]}],
                    "at": "2026-01-02T03:04:05.678Z"}
    path = "/notes/" + note["_id"]
    assert guest.get(path).json() == note
    assert guest.get(path.upper().replace("/NOTES", "/notes")).json() == note
    changed = guest.request("PUT", path, body={"rank": 8, "more.inner": "x"})
    assert changed.status == 200 and changed.json() == {**note, "rank": 8, "more": {"inner": "x"}}
    assert guest.get(path).json() == changed.json()
    reply = guest.request("DELETE", path)
    assert (reply.status, reply.body) == (204, b"")
    for method, body in (("GET", None), ("PUT", {"rank": 1}), ("DELETE", None)):
        assert failure(guest.request(method, path, body=body)) == (404, "not_found")


@pytest.mark.parametrize("identity", ["1", "x" * 36, "0190a000-0000-7000-8000-00000000000", "0190a000_0000_7000_8000_000000000000"])
def test_an_id_that_is_none(guest, identity):
    for method, body in (("GET", None), ("PUT", {}), ("DELETE", None)):
        assert failure(guest.request(method, f"/notes/{identity}", body=body)) == (400, "invalid")


@pytest.mark.parametrize("body, code", [("{", "malformed"), ("{}", "invalid"), ('{"title": " "}', "invalid"), ('{"title": 1}', "invalid")])
def test_a_note_that_is_none(guest, body, code):
    assert failure(guest.post("/notes", body)) == (400, code)


def test_the_engines_refusal_comes_through(guest, tag):
    note = add(guest, title="a", tags=[tag])
    reply = guest.request("PUT", "/notes/" + note["_id"], body={"_id": "another"})
    assert failure(reply) == (400, "invalid") and reply.json()["error"]["message"]
    assert guest.get("/notes/" + note["_id"]).json() == note


def ranks(reply):
    return [note["rank"] for note in reply.json()["notes"]]


def test_lists_are_filtered_and_ordered(guest, tag):
    for rank in (3, -1, 2, 10, -4):
        add(guest, title=f"Note {rank}", rank=rank, tags=[tag])
    query = f"/notes?tag={tag}"
    assert ranks(guest.get(query)) == [-4, -1, 2, 3, 10]
    assert ranks(guest.get(query + "&order=down")) == [10, 3, 2, -1, -4]
    assert ranks(guest.get(query + "&min=2")) == [2, 3, 10]
    assert ranks(guest.get(query + "&outside=3")) == [-4, 10]
    assert ranks(guest.get(query + "&title=NOTE%201")) == [10]
    assert ranks(guest.get(query + "&title=nothing")) == []
    assert guest.get(query).json()["next"] is None
    for more, count in (("", 5), ("&min=2", 3), ("&outside=3", 2), ("&min=100", 0)):
        assert guest.get(f"/notes/count?tag={tag}{more}").json() == {"count": count}


def test_lists_go_on_behind_a_cursor(guest, tag):
    for rank in range(7):
        add(guest, title="n", rank=rank, tags=[tag])
    seen, after, pages = [], "", 0
    while after is not None:
        reply = guest.get(f"/notes?tag={tag}&limit=3&after={quote(after)}")
        seen, after, pages = seen + ranks(reply), reply.json()["next"], pages + 1
    assert (seen, pages) == (list(range(7)), 3)


def test_named_fields_only(guest, tag):
    note = add(guest, title="n", rank=1, tags=[tag])
    assert guest.get(f"/notes?tag={tag}&short=1").json()["notes"] == [{"_id": note["_id"], "title": "n"}]


@pytest.mark.parametrize("query", ["after=!", "after=A", "after=AAAA", "limit=0", "limit=-1", "limit=100001"])
def test_a_query_that_the_engine_refuses(guest, query):
    assert failure(guest.get("/notes?" + query)) == (400, "invalid")


def test_a_long_reply_is_read_whole(guest, tag):
    for _ in range(20):
        add(guest, title="x" * 20_000, rank=1, tags=[tag])
    notes = guest.get(f"/notes?tag={tag}").json()["notes"]
    assert [len(note["title"]) for note in notes] == [20_000] * 20


# ---- several writes at once


def open_account(guest, name, balance):
    reply = guest.request("PUT", "/accounts/" + quote(name), body={"balance": balance})
    assert reply.status == 200, reply.text
    assert reply.json() == {"_id": name, "balance": balance}


def balances(guest, *names):
    return [guest.get("/accounts/" + quote(name)).json()["balance"] for name in names]


def test_a_transfer_is_all_or_nothing(guest, tag):
    rich, poor = "Ä " + tag[-10:], "b " + tag[-10:]
    open_account(guest, rich, 100)
    open_account(guest, poor, 1)
    receipt = str(uuid.uuid4())
    reply = guest.post("/transfer", {"from": rich, "to": poor, "amount": 30, "receipt": receipt})
    assert reply.status == 200 and reply.json() == {"_id": poor, "balance": 31}
    assert balances(guest, rich, poor) == [70, 31] and guest.get("/notes/" + receipt).json()["title"] == "receipt"
    reply = guest.post("/transfer", {"from": rich, "to": poor, "amount": 5, "receipt": receipt})
    assert failure(reply) == (409, "duplicate_key") and balances(guest, rich, poor) == [70, 31]
    assert failure(guest.post("/transfer", {"from": rich, "to": poor, "amount": 71})) == (409, "insufficient")
    assert failure(guest.post("/transfer", {"from": rich, "to": "none", "amount": 1})) == (404, "not_found")
    assert balances(guest, rich, poor) == [70, 31]
    assert guest.post("/transfer", {"from": rich, "to": poor, "amount": 70}).status == 200
    assert balances(guest, rich, poor) == [0, 101]


# ---- the host


@pytest.mark.parametrize("level", [1, 2, 3])
def test_log(guest, level):
    message = f"message of level {level}: é {uuid.uuid4()}"
    assert guest.post("/log", {"level": level, "message": message}).status == 204
    line = json.loads(wait_for_log(guest, message.rsplit(" ", 1)[1]))
    assert line["level"] == {1: "info", 2: "warn", 3: "error"}[level]
    assert line["scope"] == "guest" and line["message"].endswith(message)


def test_time_and_random(guest):
    first, second = guest.get("/now").json(), guest.get("/now").json()
    assert abs(first["ms"] / 1000 - time.time()) < 60 and first["ms"] <= second["ms"]
    assert first["date"].endswith("Z") and len(first["date"]) == 24
    assert uuid.UUID(first["id"]).version == 7 and uuid.UUID(first["id"]).variant == uuid.RFC_4122
    assert first["id"] < second["id"] and first["random"] != second["random"]


@pytest.mark.parametrize("ms, text", [
    (0, "1970-01-01T00:00:00.000Z"),
    (-1, "1969-12-31T23:59:59.999Z"),
    (951782399999, "2000-02-28T23:59:59.999Z"),
    (951782400000, "2000-02-29T00:00:00.000Z"),
    (951868800000, "2000-03-01T00:00:00.000Z"),
    (1709251199000, "2024-02-29T23:59:59.000Z"),
    (1735689599999, "2024-12-31T23:59:59.999Z"),
    (1761955200000, "2025-11-01T00:00:00.000Z"),
    (4107542400000, "2100-03-01T00:00:00.000Z"),
    (-2203891200000, "1900-03-01T00:00:00.000Z"),
    (-62167219200000, "0000-01-01T00:00:00.000Z"),
    (253402300799999, "9999-12-31T23:59:59.999Z"),
    (-62167219200001, -62167219200001),
    (253402300800000, 253402300800000),
    (2**63 - 1, 2**63 - 1),
    (-2**63, -2**63),
])
def test_dates(guest, ms, text):
    assert guest.get(f"/date/{ms}").json() == {"date": text}


def test_every_month_begins_where_it_should(guest):
    for year in (1899, 1999, 2023, 2024):
        for month in range(1, 13):
            moment = datetime.datetime(year, month, 1, tzinfo=datetime.timezone.utc)
            wanted = moment.strftime("%Y-%m-%dT00:00:00.000Z")
            assert guest.get(f"/date/{int(moment.timestamp()) * 1000}").json() == {"date": wanted}


@pytest.mark.parametrize("text", ["x", "1.5", "", "9223372036854775808", "1e3", "+1", "0x10", "1_000"])
def test_what_is_no_integer(guest, text):
    reply = guest.get(f"/date/{quote(text)}")
    assert reply.status == 404 if text == "" else failure(reply) == (400, "invalid")


def test_init_is_given_the_configuration(guest):
    for _ in range(3):
        assert guest.get("/service").json() == {"service": "conformance"}


@pytest.mark.parametrize("path, reason", [("/abort", "conformance abort"), ("/trap", "")])
def test_a_handler_that_fails_is_a_500_and_the_next_works(guest, path, reason):
    for _ in range(3):
        reply = guest.get(path)
        assert reply.status == 500 and b"never sent" not in reply.body
        assert reason in wait_for_log(guest, reply.headers["x-request-id"])
        assert guest.get("/hello/you").text == "<h1>Hello, you</h1>"
