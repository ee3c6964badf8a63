"""Which rows can be imported, and what is said of the others."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from tests.leaks import shows
from workos_mfa._migration.check import check
from workos_mfa._migration.failed_file import write_failed
from workos_mfa._migration.row import Problem, Row, row_of
from workos_mfa._migration.table import FileError, open_table

SECRET = "JBSWY3DPEHPK3PXP"
OTHER = "GEZDGNBVGY3TQOJQ"
URI = f"otpauth://totp/Foo%20Corp:ann@example.com?secret={SECRET}&issuer=Foo%20Corp"

URI_2 = f"otpauth://totp/a?secret={OTHER}"


@pytest.mark.parametrize(
    ("fields", "issuer", "account"),
    [
        ({"secret": SECRET}, None, None),
        ({"secret": SECRET, "issuer": " Foo ", "account": "ann"}, "Foo", "ann"),
        ({"secret": "jbsw y3dp-ehpk\t3pxp"}, None, None),
        ({"secret": f" {SECRET}====== "}, None, None),
        ({"uri": URI}, "Foo Corp", "ann@example.com"),
        ({"uri": f"{URI}&algorithm=sha1&digits=6&period=30"}, "Foo Corp", "ann@example.com"),
        ({"uri": f"OTPAUTH://TOTP/ann?SECRET={SECRET.lower()}"}, None, "ann"),
        ({"uri": f"otpauth://totp/Bar:ann?secret={SECRET}", "account": "bob"}, "Bar", "bob"),
    ],
)
def test_what_can_be_imported(fields: dict[str, str], issuer: str | None, account: str | None) -> None:
    """A secret in any usual spelling, or a URI with SHA-1, 6 digits and 30 seconds; columns go before the URI."""
    row = row_of(2, {"user_id": " user_1 ", **fields})
    assert isinstance(row, Row)
    assert (row.line, row.user_id, row.secret) == (2, "user_1", SECRET)
    assert (row.issuer, row.account) == (issuer, account)
    assert SECRET not in repr(row)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "there is neither a secret nor a uri"),
        ({"secret": "====", "issuer": ""}, "the secret is empty"),
        ({"secret": SECRET, "uri": URI}, "there are a secret and a uri: one of them is enough"),
        ({"secret": f"{SECRET}01"}, "the secret is not Base32"),
        ({"secret": SECRET[:15]}, "the secret has fewer than 16 characters"),
        ({"secret": "A" * 520}, "the secret has more than 512 characters"),
        ({"secret": f"{SECRET}A"}, "the secret has a length that Base32 can't have"),
        ({"secret": SECRET, "issuer": "a\x1bb"}, "issuer holds a control character"),
        ({"uri": f"https://totp/?secret={SECRET}"}, "the URI does not begin with otpauth://"),
        ({"uri": "otpauth://[totp/?secret=x"}, "the URI can't be read"),
        ({"uri": f"otpauth-migration://offline?data={SECRET}"}, "the URI is an export of Google Authenticator's"),
        ({"uri": f"otpauth://hotp/a?secret={SECRET}&counter=1"}, "the URI is for codes by a counter"),
        ({"uri": f"{URI}&secret={OTHER}"}, "the URI has a parameter twice"),
        ({"uri": f"{URI}&algorithm=SHA256"}, "the URI asks for another algorithm than SHA-1"),
        ({"uri": f"{URI}&digits=8"}, "the URI asks for codes of other than 6 digits"),
        ({"uri": f"{URI}&period=60"}, "the URI asks for other than 30 seconds"),
        ({"uri": "otpauth://totp/a?issuer=b"}, "the secret is empty"),
        ({"uri": f"otpauth://totp/a%07?secret={SECRET}"}, "the URI's issuer or account holds a control character"),
    ],
)
def test_what_can_not(fields: dict[str, str], reason: str) -> None:
    """The reason is said in words, and nothing of a secret is in them."""
    problem = row_of(7, {"user_id": "user_1", **fields})
    assert isinstance(problem, Problem)
    assert (problem.line, problem.user_id) == (7, "user_1")
    assert problem.reason.startswith(reason)
    assert {SECRET, OTHER}.isdisjoint(problem.reason.replace("=", " ").split())


@pytest.mark.parametrize(
    ("user_id", "reason"),
    [
        ("", "user_id is empty"),
        (SECRET, "user_id is not that of a WorkOS user, which begins with user_"),
        ("user_\udcff", "user_id holds a control character, or bytes that are not UTF-8"),
    ],
)
def test_what_is_no_user(user_id: str, reason: str) -> None:
    """What is in the place of a user's id is not repeated: it may be a secret in the wrong column."""
    assert row_of(2, {"user_id": user_id, "secret": SECRET}) == Problem(2, "", reason)


def _rows(path: Path, content: str | bytes) -> list[Row | Problem]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(open_table(path).rows())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", f"user_id,secret\nuser_1,{SECRET}\n\nuser_2,{OTHER}\n"),
        ("a", f"\ufeffissuer, user_id ,secret\r\n,user_1,{SECRET}\r\n\r\n,user_2,{OTHER}"),
        ("failed.csv", f"line,user_id,reason,secret\n9,user_1,none,{SECRET}\n\n11,user_2,none,{OTHER}\n"),
        ("a.csv", f'user_id,issuer,secret\nuser_1,"a ""b"", c",{SECRET}\n\nuser_2,d,{OTHER}\n'),
        (
            "a.jsonl",
            f'\n{{"user_id": "user_1", "secret": "{SECRET}"}}\n\n{{"line": 4, "user_id": "user_2", "uri": "{URI_2}"}}',
        ),
        ("a", f'  {{"user_id": "user_1", "secret": "{SECRET}"}}\n{{"user_id": "user_2", "secret": "{OTHER}"}}\n'),
    ],
)
def test_a_table(tmp_path: Path, name: str, content: str) -> None:
    """CSV or JSON lines, by the name or by how it begins; a mended file of failed rows too; empty lines are nothing."""
    rows = _rows(tmp_path / name, content)
    assert [(row.user_id, row.secret) for row in rows if isinstance(row, Row)] == [
        ("user_1", SECRET),
        ("user_2", OTHER),
    ]
    lines = content.splitlines()
    assert [SECRET in lines[rows[0].line - 1], OTHER in lines[rows[1].line - 1]] == [True, True]


@pytest.mark.parametrize(
    ("name", "content", "problems"),
    [
        (
            "a.csv",
            f'user_id,secret\nuser_1\nuser_2,{SECRET},x\nuser_3,"{SECRET}"x\nuser_4,"{SECRET}\nuser_5,x\n',
            [
                Problem(2, "", "the header has 2 columns, and this row has 1"),
                Problem(3, "", "the header has 2 columns, and this row has 3"),
                Problem(4, "", "the quotes are wrong, or a field is far too long"),
                Problem(5, "", "the quotes are wrong, from here to line 6, or a field is far too long"),
            ],
        ),
        (
            "a.jsonl",
            f'{{}}\n[]\n{{"user_id": 7}}\n{{"colour": "{SECRET}"}}\n{{"user_id": \n{"[" * 100_000}\n',
            [
                Problem(1, "", "user_id is empty"),
                Problem(2, "", "this line is no JSON object"),
                Problem(3, "", "user_id is no text"),
                Problem(4, "", "there is a field that is none of user_id, secret, uri, issuer, account"),
                Problem(5, "", "this line is no JSON object"),
                Problem(6, "", "this line is no JSON object"),
            ],
        ),
    ],
)
def test_rows_that_can_not_be_read(tmp_path: Path, name: str, content: str, problems: list[Problem]) -> None:
    """Each is named by the line on which it begins, and the rows after it are read."""
    assert _rows(tmp_path / name, content) == problems


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "", "it is empty"),
        ("a.csv", " \n", "it is empty"),
        ("a.json", json.dumps([{"user_id": "user_1"}]), "it is one JSON array: write each object on a line of its own"),
        ("a.csv", '{"user_id": "user_1"}', "it holds JSON lines: give it a name that ends in .jsonl"),
        ("a.csv", f"user_1,{SECRET}\n", "its first line is no header: it must name the columns, separated by commas"),
        ("a.csv", "user_id;secret\n", "its first line is no header"),
        ("a.csv", '"user_id"x,secret\n', "its first line is no header"),
        ("a.csv", f"user_id,secret,{SECRET}\n", "column 3 of its header is none of user_id, secret, uri"),
        ("a.csv", "user_id,secret,secret\n", "its header names a column twice"),
        ("a.csv", "secret,issuer\n", "its header has no user_id"),
        ("a.csv", "user_id,issuer\n", "its header has neither secret nor uri"),
    ],
)
def test_what_is_no_table(tmp_path: Path, name: str, content: str, reason: str) -> None:
    """One line tells what to do. Nothing of the content is in it: without a header it begins with a secret."""
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(FileError) as caught:
        open_table(path)
    assert str(caught.value).startswith(f"{path}: {reason}")
    assert shows(caught.value, SECRET) == []


def test_what_is_no_file(tmp_path: Path) -> None:
    """A missing file and a folder are told as what they are."""
    with pytest.raises(FileError, match="No such file"):
        open_table(tmp_path / "a.csv")
    with pytest.raises(FileError, match="it is no file; the rows are read twice"):
        open_table(tmp_path)


def test_duplicates(tmp_path: Path) -> None:
    """Of two rows with one user or one secret the second is a problem, however the secret is spelt; the others stay."""
    path = tmp_path / "a.csv"
    rows = [
        "user_id,secret",
        f"user_1,{SECRET}",
        f"user_1,{OTHER}",
        f"user_2,{SECRET.lower()}=",
        f"user_3,{OTHER}",
        "x,",
    ]
    path.write_text("\n".join(rows))
    checked = check(open_table(path))
    assert checked.problems == (
        Problem(3, "user_1", "user_id is the same as on line 2"),
        Problem(4, "user_2", "secret is the same as on line 2"),
        Problem(6, "", "user_id is not that of a WorkOS user, which begins with user_"),
    )
    assert checked.good == 2
    assert [row.user_id for row in checked.rows()] == ["user_1", "user_3"]


@pytest.mark.parametrize(
    ("name", "start", "reason"),
    [
        ("rows.csv", f"user_id,secret\nuser_1,{SECRET}\nuser_2,", "a field is far too long"),
        ("rows.csv", f'user_id,secret\nuser_1,{SECRET}\n"user_2,', "a field is far too long"),
        ("rows.jsonl", f'{{"user_id": "user_1", "secret": "{SECRET}"}}\n{{"user_id": "', "is far too long"),
    ],
)
def test_a_line_that_is_far_too_long(tmp_path: Path, name: str, start: str, reason: str) -> None:
    """It is told by its number, the lines after it are read, and it needs no more memory than a shorter one."""
    path = tmp_path / name
    *_, last = start.splitlines()
    path.write_text(start + "," * 20_000_000 + f"\n{start.splitlines()[-2].replace('user_1', 'user_3')}\n")
    tracemalloc.start()
    rows = list(open_table(path).rows())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000_000
    first, problem, third = rows
    assert isinstance(first, Row)
    assert isinstance(problem, Problem)
    assert reason in problem.reason
    assert isinstance(third, Row)
    assert (third.user_id, third.line) == ("user_3", problem.line + 1)
    assert last not in problem.reason


def test_a_header_that_is_far_too_long(tmp_path: Path) -> None:
    """It needs no more memory than a shorter one either."""
    path = tmp_path / "rows.csv"
    path.write_text("x" * 20_000_000)
    tracemalloc.start()
    with pytest.raises(FileError):
        open_table(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000_000


def test_failed_rows_that_can_not_be_written(tmp_path: Path) -> None:
    """If the file can't be put into its place, nothing is left beside it."""
    path = tmp_path / "failed.csv"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        write_failed(path, [Problem(2, "user_1", "it is bad")], "csv")
    assert list(tmp_path.iterdir()) == [path]
