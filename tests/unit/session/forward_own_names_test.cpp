// While pg_prepared_statements is read, the server knows a client's statements as the client does.
#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace pgweir;
using namespace pgweir::test;
using session::Stop;

namespace {

const std::string view = "TABLE pg_prepared_statements";
const std::string shown = reply::complete("SELECT 1");

std::string run(const std::string& statement) { return say::bind(statement) + say::execute(); }

std::string unnamed_view() { return say::parse("", view) + run(""); }

} // namespace

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: a query finds the client's name, not ours")
{
    client(say::query(view));
    CHECK(
        to_server()
        == lines(
            "Close S <A>",
            "Parse a A",
            "Sync",
            "Query TABLE pg_prepared_statements",
            "Close S a",
            "Sync"
        )
    );
    server(reply::closed() + reply::parsed() + reply::ready());
    server(shown + reply::ready() + reply::closed() + reply::ready());
    CHECK(to_client() == lines("Complete SELECT 1", "Ready I"));
    CHECK(server_state().is_idle());
    CHECK(server_state().lent.names.empty());
    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: in the order in which they were made")
{
    for (const std::string name : {"z", "y", "x", "b"}) {
        client(say::parse(name, "of " + name) + say::sync());
        server(reply::parsed() + reply::ready());
    }
    take_back();
    lend(1);
    forget_output();
    client(say::query(view));
    CHECK(
        to_server()
        == lines(
            "Parse a A",
            "Sync",
            "Parse z of z",
            "Sync",
            "Parse y of y",
            "Sync",
            "Parse x of x",
            "Sync",
            "Parse b of b",
            "Sync",
            "Query TABLE pg_prepared_statements",
            "Close S a",
            "Close S z",
            "Close S y",
            "Close S x",
            "Close S b",
            "Sync"
        )
    );
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: another client's are not there")
{
    serve(1);
    client(say::query(view));
    CHECK(to_server() == lines("Close S <A>", "Query TABLE pg_prepared_statements"));
    server(reply::closed() + shown + reply::ready());
    CHECK(to_client() == lines("Complete SELECT 1", "Ready I"));
    CHECK_FALSE(server_state().lent.are_all);
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: one that cannot be parsed is just missing")
{
    client(say::query(view));
    server(reply::closed() + reply::error("42P01", "no such table") + reply::ready());
    server(shown + reply::ready() + reply::closed() + reply::ready());
    CHECK(to_client() == lines("Complete SELECT 1", "Ready I"));
    CHECK(server_state().is_idle());
    CHECK(server_state().errors.empty());
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: nor does it make a transaction fail")
{
    client(say::query("BEGIN"));
    server(reply::complete("BEGIN") + reply::ready('T'));
    forget_output();
    client(unnamed_view() + say::sync());
    CHECK(
        to_server()
        == lines(
            "Close S <A>",
            "Query SAVEPOINT \"pgweir names\"",
            "Parse a A",
            "Sync",
            "Query ROLLBACK TO SAVEPOINT \"pgweir names\"",
            "Query RELEASE SAVEPOINT \"pgweir names\"",
            "Parse - TABLE pg_prepared_statements",
            "Bind - -",
            "Execute",
            "Sync",
            "Close S a",
            "Sync"
        )
    );
    server(reply::closed() + reply::complete("SAVEPOINT") + reply::ready('T'));
    server(reply::error("42P01", "no such table") + reply::ready('E'));
    server(reply::complete("ROLLBACK") + reply::ready('T'));
    server(reply::complete("RELEASE") + reply::ready('T'));
    server(reply::parsed() + reply::bound() + shown + reply::ready('T'));
    server(reply::closed() + reply::ready('T'));
    CHECK(to_client() == lines("ParseComplete", "BindComplete", "Complete SELECT 1", "Ready T"));
    CHECK(server_state().status == 'T');
    CHECK(server_state().is_quiet());
}

TEST_CASE_FIXTURE(
    Prepared, "session/forward_own_names: in a failed transaction nothing is parsed, but ours go"
)
{
    client(say::query("BEGIN"));
    server(reply::complete("BEGIN") + reply::error("22012", "zero") + reply::ready('E'));
    forget_output();
    client(say::query("ROLLBACK; " + view));
    CHECK(to_server() == lines("Close S <A>", "Query ROLLBACK; TABLE pg_prepared_statements"));
    server(reply::closed() + reply::complete("ROLLBACK") + shown + reply::ready());
    CHECK(to_client() == lines("Complete ROLLBACK", "Complete SELECT 1", "Ready I"));
    CHECK(server_state().is_idle());
    CHECK_FALSE(server_state().lent.are_all);
}

TEST_CASE_FIXTURE(
    Prepared, "session/forward_own_names: a BEGIN that was owed is answered before anything is lent"
)
{
    take_back();
    options.begins_lazily = true;
    client(say::query("BEGIN") + say::query(view));
    CHECK(client_stop == Stop::need_server);
    lend(0);
    CHECK(
        to_server()
        == lines("Parse - BEGIN", "Bind - -", "Execute", "Close S -", "Close P -", "Sync")
    );
    server(reply::parsed() + reply::bound() + reply::complete("BEGIN"));
    server(reply::closed() + reply::closed());
    CHECK(to_server() == lines());
    server(reply::ready('T'));
    CHECK(to_server().starts_with("Close S <A>\nQuery SAVEPOINT"));
    CHECK(to_client() == lines("Complete BEGIN", "Ready T"));
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: what came before is waited for")
{
    client(say::query("DROP TABLE t") + say::query(view));
    CHECK(to_server() == lines("Query DROP TABLE t"));
    CHECK(client_stop == Stop::need_replies);
    server(reply::complete("DROP TABLE") + reply::ready());
    CHECK(to_server().starts_with("Close S <A>\nParse a A\nSync\nQuery "));
}

TEST_CASE_FIXTURE(
    Prepared, "session/forward_own_names: a named statement that reads keeps its name"
)
{
    client(say::parse("v", view) + say::sync());
    CHECK(
        to_server()
        == lines(
            "Close S <A>",
            "Parse a A",
            "Sync",
            "Parse v TABLE pg_prepared_statements",
            "Sync",
            "Close S a",
            "Close S v",
            "Sync"
        )
    );
    server(reply::closed() + reply::parsed() + reply::ready() + reply::parsed() + reply::ready());
    server(reply::closed() + reply::closed() + reply::ready());
    CHECK(to_client() == lines("ParseComplete", "Ready I"));
    CHECK(server_state().prepared.size() == 0);

    client(run("v") + say::sync());
    CHECK(
        to_server()
        == lines(
            "Parse a A",
            "Sync",
            "Parse v TABLE pg_prepared_statements",
            "Sync",
            "Bind - v",
            "Execute",
            "Sync",
            "Close S a",
            "Close S v",
            "Sync"
        )
    );
}

TEST_CASE_FIXTURE(
    Prepared, "session/forward_own_names: in a pipeline each sees what is there by then"
)
{
    client(unnamed_view() + say::parse("b", "B") + say::bind("a") + unnamed_view());
    client(say::close("a") + unnamed_view() + say::sync());
    CHECK(
        to_server()
        == lines(
            "Close S <A>",
            "Parse a A",
            "Sync",
            "Parse - TABLE pg_prepared_statements",
            "Bind - -",
            "Execute",
            "Parse b B",
            "Bind - a",
            "Parse - TABLE pg_prepared_statements",
            "Bind - -",
            "Execute",
            "Close S a",
            "Parse - TABLE pg_prepared_statements",
            "Bind - -",
            "Execute",
            "Sync",
            "Close S a",
            "Close S b",
            "Sync"
        )
    );
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: in the midst of a segment, too")
{
    client(say::parse("b", "B") + run("b") + run("a") + unnamed_view());
    const std::string all = to_server();
    CHECK(all.starts_with("Parse <B> B\nBind - <B>\nExecute\nBind - <A>\nExecute\nClose S <"));
    CHECK(all.ends_with(lines(
        "Parse a A", "Parse b B", "Parse - TABLE pg_prepared_statements", "Bind - -", "Execute"
    )));
    client(say::sync());
    CHECK(to_server() == lines("Sync", "Close S a", "Close S b", "Sync"));
}

TEST_CASE_FIXTURE(
    Prepared, "session/forward_own_names: there, what may not be parsed any more is left out"
)
{
    server_state().prepared.schema_changed();
    client(say::parse("", "S") + run("") + unnamed_view() + say::sync());
    CHECK(
        to_server()
        == lines(
            "Parse - S",
            "Bind - -",
            "Execute",
            "Close S <A>",
            "Parse - TABLE pg_prepared_statements",
            "Bind - -",
            "Execute",
            "Sync"
        )
    );
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: a segment that fails leaves what was there")
{
    client(say::parse("", "S") + run("") + unnamed_view() + say::parse("b", "B") + say::sync());
    server(reply::error("42601", "S is nothing") + reply::ready());
    server(reply::closed() + reply::closed() + reply::ready());
    CHECK(to_client() == lines("ERROR 42601 S is nothing", "Ready I"));
    forget_output();
    client(run("a") + run("b") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Execute", "Bind - b", "Execute", "Sync"));
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: an unnamed one follows to the next server")
{
    client(say::parse("", view) + say::sync());
    server(reply::closed() + reply::parsed() + reply::ready());
    server(reply::parsed() + reply::ready() + reply::closed() + reply::ready());
    CHECK(server_state().is_idle());
    take_back();
    lend(1);
    forget_output();
    client(say::bind("") + say::sync());
    CHECK(
        to_server()
        == lines(
            "Parse a A",
            "Sync",
            "Parse - TABLE pg_prepared_statements",
            "Bind - -",
            "Sync",
            "Close S a",
            "Sync"
        )
    );
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: DEALLOCATE means the name that is there")
{
    client(
        unnamed_view() + say::parse("", "DEALLOCATE a") + run("") + unnamed_view() + say::sync()
    );
    CHECK(to_server().find("Parse - DEALLOCATE \"a\"\n") != std::string::npos);
    server(reply::closed() + reply::parsed() + reply::ready());
    server(reply::parsed() + reply::bound() + shown);
    server(reply::parsed() + reply::bound() + reply::complete("DEALLOCATE"));
    CHECK_FALSE(client_state().statements->contains("a"));
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: a name that is taken stays taken")
{
    client(unnamed_view() + say::parse("a", "B") + say::sync());
    CHECK(to_server().find("Execute\nParse a B\nSync\n") != std::string::npos);
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: EXECUTE of one that reads")
{
    client(say::parse("v", view) + say::sync());
    server(reply::closed() + reply::parsed() + reply::ready() + reply::parsed() + reply::ready());
    server(reply::closed() + reply::closed() + reply::ready());
    forget_output();
    client(say::query("EXECUTE v"));
    CHECK(to_server().starts_with("Parse a A\nSync\nParse v TABLE pg_prepared_statements\nSync\n"));
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: … that SQL has made")
{
    const session::SqlPrepared all{{"q", "PREPARE q AS " + view}, {"r", "PREPARE r AS SELECT 1"}};
    client_state().sql_prepared = std::make_shared<const session::SqlPrepared>(all);
    client(say::query("EXECUTE r"));
    CHECK(to_server() == lines("Query EXECUTE r"));
    server(shown + reply::ready());
    client(say::query("EXECUTE q"));
    CHECK(to_server().starts_with("Close S <A>\nParse a A\nSync\nQuery EXECUTE q\n"));
}

TEST_CASE_FIXTURE(
    Prepared, "session/forward_own_names: behind a COPY from the client nothing comes"
)
{
    client(say::query(view + "; COPY t FROM STDIN"));
    CHECK(to_server() == lines("Query TABLE pg_prepared_statements; COPY t FROM STDIN"));
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: a COPY to the client is like any other")
{
    client(say::query("COPY (" + view + ") TO STDOUT"));
    CHECK(to_server().starts_with("Close S <A>\nParse a A\nSync\nQuery COPY ("));
}

TEST_CASE_FIXTURE(Prepared, "session/forward_own_names: what may stand there unknown to us goes")
{
    const session::StatementId id = client_state().statements->at("a").statement->id();
    server_state().prepared.forget(id);
    server_state().prepared.suspect(id);
    client(say::query(view));
    CHECK(to_server().starts_with("Close S <A>\nParse a A\n"));
}
