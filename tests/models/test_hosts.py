"""Names of processes: who has one, who has lost one, and what a restored database does to them."""

from models import Database, Host, hosts


def taken(database: Database, process_id: str, name: str = "box") -> Host:
    with database.write() as session:
        hosts.claim(session, Host(kind="worker", name=name, process_id=process_id, version="1"))
        return session.get_one(Host, ("worker", name))


def row(database: Database, name: str = "box") -> Host:
    with database.read() as session:
        return session.get_one(Host, ("worker", name))


def test_a_later_process_takes_the_name_and_the_earlier_one_learns_it(database: Database) -> None:
    first, second = taken(database, "a" * 32), taken(database, "b" * 32)
    assert (first.incarnation, second.incarnation) == (1, 2)
    with database.write() as session:
        assert not hosts.sign(session, first)
        assert hosts.sign(session, second)
        hosts.leave(session, first)
    assert row(database).process_id == "b" * 32
    assert row(database).seen_at is not None, "who has lost the name cannot give it up"
    with database.write() as session:
        hosts.leave(session, second)
    assert row(database).seen_at is None


def test_a_sign_of_life_changes_the_time_even_if_the_clock_is_wrong(database: Database) -> None:
    own = taken(database, "a" * 32)
    with database.write() as session:
        assert hosts.sign(session, own)
    assert row(database).seen_at != own.seen_at


def test_a_restored_database_takes_no_name_away(database: Database) -> None:
    own = taken(database, "a" * 32)
    with database.write() as session:
        yesterday = session.get_one(Host, ("worker", "box"))
        own.incarnation = 7
        yesterday.incarnation, yesterday.process_id = 5, "z" * 32
    with database.write() as session:
        assert hosts.sign(session, own)
    assert (row(database).incarnation, row(database).process_id) == (7, "a" * 32)
    with database.write() as session:
        session.delete(session.get_one(Host, ("worker", "box")))
    with database.write() as session:
        assert hosts.sign(session, own)
    assert row(database).incarnation == 7


def test_a_bot_and_a_worker_may_have_one_name(database: Database) -> None:
    taken(database, "a" * 32)
    with database.write() as session:
        bot = Host(kind="bot", name="box", process_id="b" * 32, version="1")
        assert hosts.claim(session, bot) is None
    with database.read() as session:
        assert [(each.kind, each.incarnation) for each in hosts.living(session)] == [
            ("bot", 1),
            ("worker", 1),
        ]
