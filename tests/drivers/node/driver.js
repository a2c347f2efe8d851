// node-postgres against DATABASE_URL. Exits with a stack trace if anything is not as in PostgreSQL itself.
'use strict'

const assert = require('node:assert')
const { pipeline } = require('node:stream/promises')
const { Readable } = require('node:stream')
const { Client, Pool, Query } = require('pg')
const Cursor = require('pg-cursor')
const { from: copyFrom, to: copyTo } = require('pg-copy-streams')

const options = { connectionString: process.env.DATABASE_URL }
const table = 'driver_node'

async function preparedStatements(client) {
  for (let i = 0; i < 50; ++i) {
    for (const column of ['a', 'b', 'c']) {
      const query = { name: `plus-${column}`, text: `SELECT $1::int + 1 AS ${column}`, values: [i] }
      assert.strictEqual((await client.query(query)).rows[0][column], i + 1)
      assert.strictEqual((await client.query('SELECT $1::text AS t', [column])).rows[0].t, column)
    }
  }
  const missing = { name: 'missing', text: 'SELECT * FROM nowhere WHERE a = $1', values: [1] }
  await assert.rejects(client.query(missing), { code: '42P01' })
  await assert.rejects(client.query(missing), { code: '42P01' })
}

async function transactions(client) {
  await client.query(`DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (id int PRIMARY KEY, note text)`)
  await client.query('BEGIN')
  await client.query(`INSERT INTO ${table} VALUES ($1, $2)`, [1, 'kept'])
  await client.query('SAVEPOINT s')
  await assert.rejects(client.query(`INSERT INTO ${table} VALUES ($1, $2)`, [1, 'again']), { code: '23505' })
  await assert.rejects(client.query('SELECT 1'), { code: '25P02' })
  await client.query('ROLLBACK TO s')
  await client.query('COMMIT')
  await client.query('BEGIN')
  await client.query(`INSERT INTO ${table} VALUES (2, 'not kept')`)
  await client.query('ROLLBACK')
  assert.strictEqual((await client.query(`SELECT count(*)::int AS n FROM ${table}`)).rows[0].n, 1)
}

async function queued(client) {
  const results = await Promise.all([...Array(200).keys()].map((i) => client.query('SELECT $1::int AS n', [i])))
  results.forEach((result, i) => assert.strictEqual(result.rows[0].n, i))
  const [bad, good] = await Promise.allSettled([client.query('SELECT 1 / $1::int', [0]), client.query('SELECT 1')])
  assert.strictEqual(bad.reason.code, '22012')
  assert.strictEqual(good.status, 'fulfilled')
}

async function cursors(client) {
  await client.query('BEGIN')
  const cursor = client.query(new Cursor('SELECT generate_series(1, $1::int) AS n', [100]))
  let sum = 0
  for (let rows = await cursor.read(7); rows.length; rows = await cursor.read(7)) {
    sum += rows.reduce((total, row) => total + row.n, 0)
  }
  await cursor.close()
  await client.query('COMMIT')
  assert.strictEqual(sum, 5050)
}

async function copies(client) {
  const lines = () => Readable.from([...Array(5000).keys()].map((i) => `${1000 + i}\t${'x'.repeat(200)}\n`))
  await pipeline(lines(), client.query(copyFrom(`COPY ${table} FROM STDIN`)))
  const chunks = []
  for await (const chunk of client.query(copyTo(`COPY (SELECT id FROM ${table} WHERE id >= 1000) TO STDOUT`))) chunks.push(chunk)
  assert.strictEqual(Buffer.concat(chunks).toString().trim().split('\n').length, 5000)
  await assert.rejects(pipeline(lines(), client.query(copyFrom(`COPY ${table} FROM STDIN`))), { code: '23505' })
}

async function cancel(client) {
  const start = Date.now()
  let query
  const failed = new Promise((resolve, reject) => {
    query = client.query(new Query('SELECT pg_sleep(30)'))
    query.on('error', reject)
    query.on('end', resolve)
  })
  setTimeout(() => new Client(options).cancel(client, query), 300)
  await assert.rejects(failed, { code: '57014' })
  assert(Date.now() - start < 10000, 'slow cancel')
  assert.strictEqual((await client.query('SELECT 1 AS n')).rows[0].n, 1)
}

async function manyAtOnce() {
  const pool = new Pool({ ...options, max: 8 })
  const one = async (i) => (await pool.query({ name: 'echo', text: 'SELECT $1::int AS n', values: [i] })).rows[0].n
  assert.deepStrictEqual(await Promise.all([...Array(200).keys()].map(one)), [...Array(200).keys()])
  await pool.end()
}

async function main() {
  const client = new Client(options)
  await client.connect()
  for (const check of [preparedStatements, transactions, queued, cursors, copies, cancel]) await check(client)
  await manyAtOnce()
  await client.query(`DROP TABLE ${table}`)
  await client.end()
}

main().catch((problem) => {
  console.error(problem)
  process.exit(1)
})
