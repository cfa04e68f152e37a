from selfmx_backupd.policy.adaptation import Orphans, Principal, orphans


def named(*names: str, here: int = 0) -> list[Principal]:
    """Principals whose sids are those of one server; another server gives others."""
    return [Principal(name, f"{here} {name}".encode()) for name in names]


def test_users_whose_logins_are_here_have_lost_nothing() -> None:
    users = named("dbo", "app", "selfmx_backup")
    assert orphans(users, named("sa", "app", "selfmx_backup")) == Orphans((), ())


def test_a_user_of_another_server_gets_the_login_of_its_name() -> None:
    assert orphans(named("app", here=1), named("app", "sa")) == Orphans((("app", "app"),), ())


def test_names_are_the_same_in_any_case_and_keep_theirs() -> None:
    assert orphans(named("App", here=1), named("APP")) == Orphans((("App", "APP"),), ())


def test_a_user_without_a_namesake_is_left_and_named() -> None:
    users = [*named("old", "app", here=1), *named("known")]
    found = orphans(users, named("app", "known", "other"))
    assert found == Orphans((("app", "app"),), ("old",))


def test_the_owners_user_is_no_orphan() -> None:
    """It follows the database's owner."""
    assert orphans(named("dbo", "DBO", here=1), named("dbo")) == Orphans((), ())


def test_a_login_that_is_a_user_already_is_no_namesake() -> None:
    """A login can be one user only: error 15063."""
    login = Principal("app", b"1")
    users = [Principal("renamed", b"1"), Principal("app", b"2")]
    assert orphans(users, [login]) == Orphans((), ("app",))


def test_a_user_of_a_login_of_another_name_is_no_orphan() -> None:
    assert orphans([Principal("app", b"1")], [Principal("selfmx_app", b"1")]) == Orphans((), ())


def test_a_user_without_a_sid_is_lost() -> None:
    assert orphans([Principal("app", b"")], named("app")) == Orphans((("app", "app"),), ())


def test_orphans_keep_their_order() -> None:
    users = named("c", "x", "a", "y", "b", here=1)
    found = orphans(users, named("a", "b", "c"))
    assert found.mapped == (("c", "c"), ("a", "a"), ("b", "b"))
    assert found.left == ("x", "y")


def test_without_users_or_logins_there_is_nothing_to_map() -> None:
    assert orphans([], named("app")) == Orphans((), ())
    assert orphans(named("app"), []) == Orphans((), ("app",))
