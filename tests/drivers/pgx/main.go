// pgx against DATABASE_URL. Panics if anything is not as in PostgreSQL itself.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const table = "driver_pgx"

var ctx = context.Background()

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func check(ok bool, what string) {
	if !ok {
		panic(what)
	}
}

func expect(sqlstate string, err error) {
	var got *pgconn.PgError
	check(errors.As(err, &got) && got.Code == sqlstate, fmt.Sprintf("not %s but %v", sqlstate, err))
}

func connect() *pgx.Conn {
	conn, err := pgx.Connect(ctx, os.Getenv("DATABASE_URL"))
	must(err)
	return conn
}

func preparedStatements(conn *pgx.Conn) {
	for i := 0; i < 50; i++ { // pgx names and keeps every statement by itself
		for _, column := range []string{"a", "b", "c"} {
			var n int
			var s string
			must(conn.QueryRow(ctx, "SELECT $1::int + 1 AS "+column+", $2::text", i, column).Scan(&n, &s))
			check(n == i+1 && s == column, "prepared")
		}
	}
	_, err := conn.Prepare(ctx, "twice", "SELECT $1::int * 2")
	must(err)
	var n int
	must(conn.QueryRow(ctx, "twice", 21).Scan(&n))
	check(n == 42, "named")
	must(conn.Deallocate(ctx, "twice"))
	_, err = conn.Exec(ctx, "SELECT * FROM nowhere WHERE a = $1", 1)
	expect("42P01", err)
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec,
		pgx.QueryExecModeSimpleProtocol,
	} {
		must(conn.QueryRow(ctx, "SELECT $1::int", mode, 5).Scan(&n))
		check(n == 5, mode.String())
	}
}

func transactions(conn *pgx.Conn) {
	_, err := conn.Exec(ctx, "DROP TABLE IF EXISTS "+table+"; CREATE TABLE "+table+" (id int PRIMARY KEY, note text)")
	must(err)
	must(pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO "+table+" VALUES ($1, $2)", 1, "kept")
		must(err)
		expect("23505", pgx.BeginFunc(ctx, tx, func(nested pgx.Tx) error { // a savepoint
			_, err := nested.Exec(ctx, "INSERT INTO "+table+" VALUES ($1, $2)", 1, "again")
			return err
		}))
		return nil
	}))
	tx, err := conn.Begin(ctx)
	must(err)
	_, err = tx.Exec(ctx, "INSERT INTO "+table+" VALUES (2, 'not kept')")
	must(err)
	must(tx.Rollback(ctx))
	check(count(conn, "true") == 1, "rollback")
}

func count(conn *pgx.Conn, where string) (n int) {
	must(conn.QueryRow(ctx, "SELECT count(*) FROM "+table+" WHERE "+where).Scan(&n))
	return n
}

func batches(conn *pgx.Conn) {
	batch := &pgx.Batch{}
	for i := 0; i < 200; i++ {
		batch.Queue("SELECT $1::int", i)
	}
	results := conn.SendBatch(ctx, batch)
	for i := 0; i < 200; i++ {
		var n int
		must(results.QueryRow().Scan(&n))
		check(n == i, "batch")
	}
	must(results.Close())

	failing := &pgx.Batch{}
	failing.Queue("INSERT INTO "+table+" VALUES ($1, 'none of them')", 600)
	failing.Queue("SELECT 1 / $1::int", 0)
	expect("22012", conn.SendBatch(ctx, failing).Close())
	check(count(conn, "id = 600") == 0, "a failed batch is one transaction")
}

func copies(conn *pgx.Conn) {
	rows := make([][]any, 0, 5000)
	for i := 1000; i < 6000; i++ {
		rows = append(rows, []any{i, strings.Repeat("x", 200)})
	}
	n, err := conn.CopyFrom(ctx, pgx.Identifier{table}, []string{"id", "note"}, pgx.CopyFromRows(rows))
	must(err)
	check(n == 5000, "copy in")
	var out bytes.Buffer
	_, err = conn.PgConn().CopyTo(ctx, &out, "COPY (SELECT id FROM "+table+" WHERE id >= 1000) TO STDOUT")
	must(err)
	check(bytes.Count(out.Bytes(), []byte("\n")) == 5000, "copy out")
	_, err = conn.CopyFrom(ctx, pgx.Identifier{table}, []string{"id", "note"}, pgx.CopyFromRows(rows))
	expect("23505", err)
}

func cancel(conn *pgx.Conn) {
	start := time.Now()
	time.AfterFunc(300*time.Millisecond, func() { must(conn.PgConn().CancelRequest(ctx)) })
	_, err := conn.Exec(ctx, "SELECT pg_sleep(30)")
	expect("57014", err)
	check(time.Since(start) < 10*time.Second, "slow cancel")
	var n int
	must(conn.QueryRow(ctx, "SELECT 1").Scan(&n))

	// A context that ends takes its connection with it, in the middle of a query.
	doomed := connect()
	short, stop := context.WithTimeout(ctx, 300*time.Millisecond)
	defer stop()
	_, err = doomed.Exec(short, "SELECT pg_sleep(30)")
	check(errors.Is(err, context.DeadlineExceeded), "no deadline")
}

func manyAtOnce() {
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			conn := connect()
			defer conn.Close(ctx)
			for j := 0; j < 50; j++ {
				must(pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
					var n int
					must(tx.QueryRow(ctx, "SELECT $1::int", i*100+j).Scan(&n))
					check(n == i*100+j, "many at once")
					return nil
				}))
			}
		}(i)
	}
	group.Wait()
}

func main() {
	conn := connect()
	defer conn.Close(ctx)
	preparedStatements(conn)
	transactions(conn)
	batches(conn)
	copies(conn)
	cancel(conn)
	manyAtOnce()
	_, err := conn.Exec(ctx, "DROP TABLE "+table)
	must(err)
}
