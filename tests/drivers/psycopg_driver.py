"""psycopg 3 against DATABASE_URL. Exits with a traceback if anything is not as in PostgreSQL itself."""

import os
import threading
import time

import psycopg
from psycopg import errors

URL = os.environ["DATABASE_URL"]
TABLE = "driver_psycopg"


def expect(error, action):
    try:
        action()
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


def prepared_statements(connection):
    for i in range(50):
        for column in ("a", "b", "c"):
            query = f"SELECT %s::int + 1 AS {column}, %s::text"
            assert connection.execute(query, (i, column), prepare=True).fetchone() == (i + 1, column)
    expect(errors.UndefinedTable, lambda: connection.execute("SELECT * FROM nowhere WHERE a = %s", (1,), prepare=True))
    assert connection.execute("SELECT %s::int", (7,), prepare=True).fetchone() == (7,)


def transactions(connection):
    connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
    connection.execute(f"CREATE TABLE {TABLE} (id int PRIMARY KEY, note text)")
    with connection.transaction():
        connection.execute(f"INSERT INTO {TABLE} VALUES (1, 'kept')")
        expect(errors.UniqueViolation, lambda: nested_failure(connection))
        assert connection.execute(f"SELECT count(*) FROM {TABLE}").fetchone() == (1,)
    with connection.transaction(force_rollback=True):
        connection.execute(f"INSERT INTO {TABLE} VALUES (2, 'not kept')")
    assert connection.execute(f"SELECT id FROM {TABLE}").fetchall() == [(1,)]


def nested_failure(connection):
    with connection.transaction():  # a savepoint
        connection.execute(f"INSERT INTO {TABLE} VALUES (1, 'again')")


def pipelines(connection):
    with connection.pipeline():
        cursors = [connection.execute("SELECT %s::int", (i,), prepare=i % 2 == 0) for i in range(100)]
        assert [cursor.fetchone()[0] for cursor in cursors] == list(range(100))

    def failing():
        with connection.pipeline():
            connection.execute("SELECT 1 / %s::int", (0,))
            connection.execute("SELECT 1")
    expect(errors.DivisionByZero, failing)
    assert connection.execute("SELECT 1").fetchone() == (1,)
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {TABLE} VALUES (%s, 'many')", [(i,) for i in range(10, 200)])


def copy(connection):
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {TABLE} FROM STDIN") as into:
            for i in range(1000, 6000):
                into.write_row((i, "x" * 200))
        with cursor.copy(f"COPY (SELECT id FROM {TABLE} WHERE id >= 1000 ORDER BY id) TO STDOUT") as out:
            assert [int(row[0]) for row in out.rows()] == list(range(1000, 6000))

    def bad_row():
        with connection.cursor() as cursor, cursor.copy(f"COPY {TABLE} FROM STDIN") as into:
            into.write(b"not a number\tx\n" * 10_000)
    expect(errors.InvalidTextRepresentation, bad_row)


def cursors(connection):
    with connection.transaction(), connection.cursor(name="many") as cursor:
        cursor.itersize = 10
        assert [row[0] for row in cursor.execute("SELECT generate_series(1, 100)")] == list(range(1, 101))


def cancel(connection):
    threading.Timer(0.3, connection.cancel).start()
    start = time.monotonic()
    expect(errors.QueryCanceled, lambda: connection.execute("SELECT pg_sleep(30)"))
    assert time.monotonic() - start < 10
    assert connection.execute("SELECT 'alive'").fetchone() == ("alive",)


with psycopg.connect(URL, autocommit=True) as main:
    for check in (prepared_statements, transactions, pipelines, copy, cursors, cancel):
        check(main)
    main.execute(f"DROP TABLE {TABLE}")
