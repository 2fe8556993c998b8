"""Who may: the users' file, sessions, and how often a password may be tried."""

import stat

import pytest
from argon2 import PasswordHasher

from kittiwake.errors import ConfigError, UsageError
from kittiwake.window.sessions import IDLE_S, SESSIONS_LIMIT, TRIES, TRIES_S, Sessions, Tries
from kittiwake.window.users import Users

PASSWORD = "a good password: Ü"


@pytest.fixture
def users(tmp_path):
    # The cheapest argon2 there is; what it costs otherwise is argon2's matter.
    made = Users(tmp_path / "users", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    made.add("ann", PASSWORD, "operator")
    made.add("bob", "another password", "viewer")
    return made


def test_users_are_known_by_their_password_alone(users):
    assert users.check("ann", PASSWORD) == "operator"
    assert users.check("bob", "another password") == "viewer"
    wrong = (("ann", "another password"), ("eve", PASSWORD), ("ann", ""))
    assert [users.check(name, password) for name, password in wrong] == [None] * 3


def test_users_file_is_its_owners_alone_and_holds_no_password(users, tmp_path):
    path = tmp_path / "users"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert "good password" not in text and text.count("$argon2id$") == 2


def test_user_that_is_added_again_has_the_new_password_and_role(users):
    users.add("ann", "the second password", "viewer")
    assert users.check("ann", PASSWORD) is None and users.check("ann", "the second password") == "viewer"
    users.remove("ann")
    assert users.names() == {"bob": "viewer"}
    with pytest.raises(UsageError, match="there are bob"):
        users.remove("ann")


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "a b", "x" * 65, "../x"])
def test_name_that_would_break_the_file_is_refused(users, name):
    with pytest.raises(UsageError, match="is no name"):
        users.add(name, PASSWORD, "viewer")


def test_password_that_is_short_is_refused(users):
    with pytest.raises(UsageError, match="at least 10"):
        users.add("eve", "123456789", "viewer")


@pytest.mark.parametrize("line", ["ann", "ann:root:$argon2id$x", "ann:viewer:plain", "a b:viewer:$argon2id$x"])
def test_file_with_a_line_that_is_no_user_is_refused(users, tmp_path, line):
    with (tmp_path / "users").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ConfigError, match="line 4: is no user"):
        users.names()


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def test_session_ends_when_it_is_idle_or_ended():
    clock = Clock()
    sessions = Sessions(clock)
    one, two = sessions.begin("ann", "operator"), sessions.begin("ann", "operator")
    assert one != two and sessions.find(one).who == "ann"
    assert sessions.find(one).proof != sessions.find(two).proof and sessions.find("") is None
    clock.now_s = IDLE_S
    assert sessions.find(one)
    clock.now_s = IDLE_S + 1
    assert sessions.find(one) and sessions.find(two) is None
    sessions.end(one)
    sessions.end(one)
    assert sessions.find(one) is None


def test_sessions_are_bounded():
    sessions = Sessions()
    tokens = [sessions.begin("ann", "viewer") for _ in range(SESSIONS_LIMIT + 1)]
    assert sessions.find(tokens[0]) is None and sessions.find(tokens[1]) and sessions.find(tokens[-1])


def test_tries_are_so_many_a_minute_for_a_name_from_anywhere_and_an_address_with_any_name():
    clock = Clock()
    tries = Tries(clock)
    for _ in range(TRIES):
        assert tries.wait_s("name ann", "address 1") == 0
        tries.fail("name ann", "address 1")
        clock.now_s += 1
    assert tries.wait_s("name ann", "address 2") == TRIES_S - TRIES == tries.wait_s("name bob", "address 1")
    assert tries.wait_s("name bob", "address 2") == 0
    clock.now_s = TRIES_S
    assert tries.wait_s("name ann", "address 1") == 0


def test_try_that_succeeds_is_not_counted():
    tries = Tries(Clock())
    for _ in range(3 * TRIES):
        tries.fail("name ann")
        tries.succeed("name ann")
    assert tries.wait_s("name ann") == 0
