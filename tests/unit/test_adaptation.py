from selfmx_backupd.policy.adaptation import Orphans, Principal, orphans

ALICE, BOB = Principal("alice", b"a"), Principal("bob", b"b")


def moved(one: Principal) -> Principal:
    """The same name on another server, where it has another sid."""
    return Principal(one.name, one.sid + b"!")


def test_a_user_whose_sid_a_login_has_is_no_orphan() -> None:
    assert orphans([ALICE, BOB], [ALICE, BOB]) == Orphans((), ())
    assert orphans([Principal("other name", b"a")], [ALICE]) == Orphans((), ())


def test_an_orphan_is_given_to_the_login_of_its_name() -> None:
    assert orphans([ALICE, BOB], [moved(ALICE), BOB]) == Orphans((("alice", "alice"),), ())
    assert orphans([ALICE], [Principal("ALICE", b"x")]).mapped == (("alice", "ALICE"),)


def test_an_orphan_without_such_a_login_is_named() -> None:
    assert orphans([ALICE, BOB], [moved(ALICE)]) == Orphans((("alice", "alice"),), ("bob",))


def test_a_login_that_has_a_user_already_is_not_given_another() -> None:
    taken = Principal("alice", b"t")
    assert orphans([ALICE, Principal("someone", b"t")], [taken]) == Orphans((), ("alice",))


def test_the_owners_user_is_no_orphan() -> None:
    assert orphans([Principal("dbo", b"gone")], [ALICE]) == Orphans((), ())
