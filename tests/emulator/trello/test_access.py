"""Credentials, order of checks, error texts, and the limits of a token and of a key in ten seconds."""

import pytest
import requests

MISSING = "0" * 24


@pytest.fixture
def bare(emulator):
    """`bare(method, path, **options)` sends no credentials of its own."""
    return lambda method, path, **options: requests.request(method, f"{emulator.url}/1/{path}", timeout=5, **options)


def seen(answer):
    return answer.status_code, answer.text


# Ways to send credentials


def test_credentials_by_query_header_or_body(emulator, bare):
    key, token = emulator.trello.key, emulator.trello.token
    both = {"key": key, "token": token}
    header = {"Authorization": f'OAuth oauth_consumer_key="{key}", oauth_token="{token}"'}
    todo = emulator.trello.list_id("TODO")
    assert bare("GET", "members/me", params=both).ok
    assert bare("GET", "members/me", headers=header, params={"key": "bad", "token": "bad"}).ok
    assert bare("POST", "cards", json=both | {"idList": todo}).ok
    assert bare("POST", "cards", data=both | {"idList": todo}).ok


@pytest.mark.parametrize(
    ("query", "method", "path", "status", "text"),
    [
        pytest.param({"key": "bad"}, "GET", "members/me", 401, "invalid key", id="unknown-key"),
        pytest.param({"key": ""}, "GET", "members/me", 401, "invalid key", id="empty-key"),
        pytest.param({"token": "bad"}, "GET", "members/me", 401, "invalid token", id="unknown-token"),
        pytest.param({"token": ""}, "GET", "members/me", 401, '{"message":"missing scopes"}', id="empty-token"),
        pytest.param({"token": "bad"}, "GET", "cards/123", 400, "invalid id", id="id-format-before-credentials"),
        pytest.param({"token": "bad"}, "GET", f"cards/{MISSING}", 401, "invalid token", id="token-before-existence"),
        pytest.param({"token": "bad"}, "POST", "cards", 401, "invalid token", id="token-before-values"),
    ],
)
def test_wrong_credentials_word_for_word(emulator, bare, query, method, path, status, text):
    params = {"key": emulator.trello.key, "token": emulator.trello.token} | query
    assert seen(bare(method, path, params=params)) == (status, text)


@pytest.mark.parametrize(
    ("method", "path", "text"),
    [
        ("GET", "boards/{board}", "unauthorized permission requested"),
        ("GET", "cards/{card}", "unauthorized card permission requested"),
        ("POST", "cards", '{"message":"missing scopes"}'),
        ("DELETE", "cards/{card}", '{"message":"missing scopes"}'),
    ],
)
def test_no_credentials_at_all(emulator, bare, method, path, text):
    path = path.format(board=emulator.trello.board_id, card=emulator.trello.add_card())
    assert seen(bare(method, path)) == (401, text)


def test_token_without_key_under_both_readings(make):
    for reading, text in (("invalid key", "invalid key"), ("missing scopes", '{"message":"missing scopes"}')):
        emulator = make(trello_keyless_text=reading)
        answer = requests.get(emulator.url + "/1/members/me", params={"token": emulator.trello.token}, timeout=5)
        assert seen(answer) == (401, text)


def test_read_only_revoked_and_expired_tokens(emulator, trello):
    reader = emulator.trello.add_token(writes=False)
    short = emulator.trello.add_token(expires_in=60)
    body = {"idList": emulator.trello.list_id("TODO")}
    assert trello(emulator, reader)("GET", "members/me").ok
    assert seen(trello(emulator, reader)("POST", "cards", json=body)) == (401, '{"message":"missing scopes"}')
    emulator.clock.advance(61)
    assert seen(trello(emulator, short)("GET", "members/me")) == (401, "expired token")
    emulator.trello.revoke_token()
    assert seen(trello(emulator)("GET", "members/me")) == (401, "invalid token")


def test_token_begins_with_atta_and_key_is_32_hex(emulator):
    assert emulator.trello.token.startswith("ATTA")
    assert len(emulator.trello.token) == 76
    assert len(emulator.trello.key) == 32


# Paths


@pytest.mark.parametrize("text", ["123", "invalid", "a" * 23, "a" * 25, "rec" + "A" * 14])
@pytest.mark.parametrize("model", ["boards", "cards", "lists"])
def test_malformed_id_is_400(emulator, trello, model, text):
    assert seen(trello(emulator)("GET", f"{model}/{text}")) == (400, "invalid id")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (f"cards/{MISSING}", "The requested resource was not found."),
        ("cards/AbCdEf12", "The requested resource was not found."),
        (f"boards/{MISSING}", "The requested resource was not found."),
        (f"boards/{MISSING}/cards", "The requested resource was not found."),
        (f"actions/{MISSING}", "The requested resource was not found."),
        (f"lists/{MISSING}", "model not found"),
        (f"lists/{MISSING}/cards", "model not found"),
    ],
)
def test_unknown_id_is_404(emulator, trello, path, text):
    answer = trello(emulator)("GET", path)
    assert seen(answer) == (404, text)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_unknown_route_echoes_the_query(emulator, bare, trello):
    """Key and token land in logs; with header credentials nothing secret is echoed."""
    query = f"key={emulator.trello.key}&token={emulator.trello.token}"
    assert seen(bare("GET", f"nonsense?{query}")) == (404, f"Cannot GET /1/nonsense?{query}")
    assert seen(trello(emulator)("GET", "cards/")) == (404, "Cannot GET /1/cards/")
    assert seen(trello(emulator)("PATCH", f"cards/{MISSING}")) == (404, f"Cannot PATCH /1/cards/{MISSING}")


def test_invisible_board_is_401_not_404(emulator, trello):
    card = emulator.trello.add_card()
    emulator.trello.hide_board()
    call, board = trello(emulator), emulator.trello.board_id
    assert seen(call("GET", f"boards/{board}")) == (401, "unauthorized permission requested")
    assert seen(call("GET", f"cards/{card}")) == (401, "unauthorized card permission requested")
    assert call("GET", "members/me/boards").json() == []
    emulator.trello.show_board()
    assert call("GET", f"cards/{card}").ok


def test_card_moved_out_of_sight_is_401(emulator, trello):
    card = emulator.trello.add_card()
    emulator.trello.move_to_board(card, emulator.trello.add_board("Secret", visible=False))
    assert trello(emulator)("GET", f"cards/{card}").status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "status", "answer"),
    [
        ("boards", {}, 400, '{"message":"invalid value for name","error":"ERROR"}'),
        ("lists", {"name": ""}, 400, '{"message":"invalid value for name","error":"BAD_REQUEST_ERROR"}'),
        ("lists", {"name": "x"}, 400, "invalid value for idBoard"),
        ("lists", {"name": "x", "idBoard": MISSING}, 401, f"unauthorized board list requested {MISSING}"),
    ],
)
def test_refused_boards_and_lists(emulator, trello, path, body, status, answer):
    assert seen(trello(emulator)("POST", path, json=body)) == (status, answer)


# Rates


def statuses(call, count, path="boards/{board}"):
    return [call("GET", path).status_code for _ in range(count)]


def test_headers_tell_what_is_left_in_both_modes(make, trello):
    for strict in (False, True):
        emulator = make(strict=strict)
        call = trello(emulator)
        answer = [call("GET", "tokens/" + emulator.trello.token) for _ in range(3)][-1]
        expected = {
            "X-Rate-Limit-Api-Token-Interval-Ms": "10000",
            "X-Rate-Limit-Api-Token-Max": "100",
            "X-Rate-Limit-Api-Token-Remaining": "97",
            "X-Rate-Limit-Api-Key-Interval-Ms": "10000",
            "X-Rate-Limit-Api-Key-Max": "300",
            "X-Rate-Limit-Api-Key-Remaining": "297",
            "X-Server-Time": str(int(emulator.clock.now() * 1000)),
            "Server": "AtlassianEdge",
        }
        assert {name: answer.headers[name] for name in expected} == expected


def test_hundred_calls_per_token_and_window(make, trello):
    emulator = make(strict=True)
    call = trello(emulator)
    path = f"boards/{emulator.trello.board_id}"
    assert statuses(call, 101, path) == [200] * 100 + [429]
    answer = call("GET", path)
    assert answer.json() == {"message": "Rate limit exceeded", "error": "API_TOKEN_LIMIT_EXCEEDED"}
    assert answer.headers["X-Rate-Limit-Api-Token-Remaining"] == "0"
    assert "Retry-After" not in answer.headers
    emulator.clock.advance(9.9)
    assert call("GET", path).status_code == 429
    emulator.clock.advance(0.2)
    assert call("GET", path).status_code == 200


def test_three_hundred_calls_per_key(make, trello):
    emulator = make(strict=True)
    path = f"boards/{emulator.trello.board_id}"
    for _ in range(3):
        assert set(statuses(trello(emulator, emulator.trello.add_token()), 100, path)) == {200}
    answer = trello(emulator)("GET", path)
    assert (answer.status_code, answer.json()["error"]) == (429, "API_KEY_LIMIT_EXCEEDED")
    other = emulator.trello.add_key()
    assert trello(emulator, emulator.trello.add_token(key=other), other)("GET", path).ok


def test_member_route_has_a_limit_of_its_own(make, trello):
    """100 per 900 s; nested member routes do not count for it."""
    emulator = make(strict=True)
    call = trello(emulator)
    assert set(statuses(call, 100, "members/me")) == {200}
    emulator.clock.advance(11)
    answer = call("GET", "members/me")
    assert (answer.status_code, answer.json()["error"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert call("GET", "members/me/boards").ok
    emulator.clock.advance(900)
    assert call("GET", "members/me").ok


def test_more_than_two_hundred_rejections_block_the_whole_key(make, trello):
    """Other tokens of the key suffer until the window ends."""
    emulator = make(strict=True)
    other, path = emulator.trello.add_token(), f"boards/{emulator.trello.board_id}"
    emulator.trello.foreign_calls(100)
    assert set(statuses(trello(emulator), 200, path)) == {429}
    assert trello(emulator, other)("GET", path).ok
    statuses(trello(emulator), 1, path)
    answer = trello(emulator, other)("GET", path)
    assert (answer.status_code, answer.json()["error"]) == (429, "API_KEY_LIMIT_EXCEEDED")
    emulator.clock.advance(10.1)
    assert trello(emulator, other)("GET", path).ok


def test_retry_after_by_knob(make, trello):
    emulator = make(strict=True, trello_retry_after=3)
    emulator.trello.foreign_calls(100)
    assert trello(emulator)("GET", "members/me").headers["Retry-After"] == "3"


@pytest.mark.parametrize(("cost", "left"), [("one", "99"), ("each", "97")])
def test_cost_of_batch_under_both_readings(make, trello, cost, left):
    emulator = make(trello_batch_cost=cost)
    urls = ",".join([f"/boards/{emulator.trello.board_id}"] * 3)
    answer = trello(emulator)("GET", "batch", params={"urls": urls})
    assert answer.headers["X-Rate-Limit-Api-Token-Remaining"] == left


def test_refused_write_changes_nothing(make, trello):
    emulator = make(strict=True)
    emulator.trello.foreign_calls(100)
    assert trello(emulator)("POST", "cards", json={"idList": emulator.trello.list_id("TODO")}).status_code == 429
    assert not emulator.trello.cards()
