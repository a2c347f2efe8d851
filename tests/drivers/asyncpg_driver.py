"""asyncpg against DATABASE_URL. Exits with a traceback if anything is not as in PostgreSQL itself."""

import asyncio
import os
import time

import asyncpg

URL = os.environ["DATABASE_URL"]
TABLE = "driver_asyncpg"


async def expect(error, awaitable):
    try:
        await awaitable
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


async def prepared_statements(connection):
    for i in range(50):  # asyncpg names and keeps every statement by itself
        for column in ("a", "b", "c"):
            row = await connection.fetchrow(f"SELECT $1::int + 1 AS {column}, $2::text", i, column)
            assert tuple(row) == (i + 1, column)
    statement = await connection.prepare("SELECT $1::int * 2")
    assert [await statement.fetchval(i) for i in range(20)] == [2 * i for i in range(20)]
    await expect(asyncpg.UndefinedTableError, connection.fetch("SELECT * FROM nowhere WHERE a = $1", 1))


async def transactions(connection):
    await connection.execute(f"DROP TABLE IF EXISTS {TABLE}; CREATE TABLE {TABLE} (id int PRIMARY KEY, note text)")
    async with connection.transaction(isolation="serializable"):
        await connection.execute(f"INSERT INTO {TABLE} VALUES ($1, $2)", 1, "kept")
        async def again():
            async with connection.transaction():  # a savepoint
                await connection.execute(f"INSERT INTO {TABLE} VALUES ($1, $2)", 1, "again")
        await expect(asyncpg.UniqueViolationError, again())
        async for row in connection.cursor("SELECT generate_series(1, 200)", prefetch=10):
            assert row[0]
    outer = connection.transaction()
    await outer.start()
    await connection.execute(f"INSERT INTO {TABLE} VALUES (2, 'not kept')")
    await outer.rollback()
    assert await connection.fetchval(f"SELECT count(*) FROM {TABLE}") == 1


async def batches(connection):
    await connection.executemany(f"INSERT INTO {TABLE} VALUES ($1, $2)", [(i, "many") for i in range(10, 500)])
    await expect(asyncpg.UniqueViolationError, connection.executemany(
        f"INSERT INTO {TABLE} VALUES ($1, $2)", [(600, "none of them"), (10, "exists")]))
    assert await connection.fetchval(f"SELECT count(*) FROM {TABLE} WHERE id >= 10") == 490


async def copy(connection):
    await connection.copy_records_to_table(TABLE, records=[(i, "x" * 200) for i in range(1000, 6000)])
    received = bytearray()

    async def take(data):
        received.extend(data)
    await connection.copy_from_query(f"SELECT id FROM {TABLE} WHERE id >= 1000 ORDER BY id", output=take)
    assert [int(line) for line in received.split()] == list(range(1000, 6000))
    await expect(asyncpg.UniqueViolationError, connection.copy_records_to_table(TABLE, records=[(1000, "exists")]))


async def cancel(connection):
    start = time.monotonic()
    await expect(asyncio.TimeoutError, connection.fetchval("SELECT pg_sleep(30)", timeout=0.3))
    assert time.monotonic() - start < 10
    assert await connection.fetchval("SELECT 'alive'") == "alive"


async def many_at_once():
    async with asyncpg.create_pool(URL, min_size=8, max_size=8) as pool:
        async def one(i):
            async with pool.acquire() as connection, connection.transaction():
                return await connection.fetchval("SELECT $1::int", i)
        assert await asyncio.gather(*[one(i) for i in range(200)]) == list(range(200))


async def main():
    connection = await asyncpg.connect(URL)
    for check in (prepared_statements, transactions, batches, copy, cancel):
        await check(connection)
    await many_at_once()
    await connection.execute(f"DROP TABLE {TABLE}")
    await connection.close()


asyncio.run(main())
