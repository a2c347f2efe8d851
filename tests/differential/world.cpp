#include "differential/world.hpp"

#include <stdexcept>

namespace pgweir::differential {

namespace {

constexpr const char* expected_database = "diff_direct";
constexpr const char* tested_database = "diff_pooled";

// What nobody writes to.
constexpr const char* shared_objects = R"(
CREATE SCHEMA shared;
CREATE TABLE shared.big AS
    SELECT id, 'row ' || id AS tag, id / 7.0::float8 AS value FROM generate_series(1, 200) AS id;
ALTER TABLE shared.big ADD PRIMARY KEY (id);
CREATE TABLE shared.t (id int, tag text);
INSERT INTO shared.t VALUES (1, 'shared 1'), (2, 'shared 2');
CREATE TABLE public.t (id int, tag text);
INSERT INTO public.t VALUES (1, 'public 1');
CREATE TABLE shared.presets (name text, value text);
INSERT INTO shared.presets VALUES ('work_mem', '3MB'), ('DateStyle', 'SQL'), ('app.x', 'preset');
CREATE FUNCTION shared.set_it(name text, value text) RETURNS text LANGUAGE plpgsql AS
    'BEGIN RETURN set_config(name, value, false); END';
CREATE FUNCTION shared.set_locally(name text, value text) RETURNS text LANGUAGE plpgsql AS
    'BEGIN RETURN set_config(name, value, true); END';
CREATE FUNCTION shared.set_and_fail(name text, value text) RETURNS text LANGUAGE plpgsql AS
    'BEGIN PERFORM set_config(name, value, false); RAISE EXCEPTION ''failed after setting''; END';
CREATE FUNCTION shared.set_and_undo(name text, value text) RETURNS text LANGUAGE plpgsql AS
    'BEGIN PERFORM set_config(name, value, false); PERFORM 1/0; RETURN ''set'';
     EXCEPTION WHEN division_by_zero THEN RETURN ''undone''; END';
CREATE FUNCTION shared.with_own_setting() RETURNS text LANGUAGE sql SET work_mem = '2MB' AS
    'SELECT current_setting(''work_mem'')';
CREATE PROCEDURE shared.set_and_commit(name text, value text) LANGUAGE plpgsql AS
    'BEGIN PERFORM set_config(name, value, false); COMMIT; PERFORM 1/0; END';
GRANT USAGE ON SCHEMA shared TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA shared, public TO PUBLIC;
CREATE FUNCTION public.diff_reset(c int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DELETE FROM c%s.t; DELETE FROM c%s.n;', c, c);
    EXECUTE format('INSERT INTO c%s.t SELECT i, ''client %s row '' || i'
                   ' FROM generate_series(1, 3) AS i', c, c);
    PERFORM setval(format('c%s.s', c), 1, false), setval(format('c%s.n_id_seq', c), 1, false);
END $$;
)";

std::string objects_of_client(std::size_t client)
{
    const std::string schema = "c" + std::to_string(client);
    return "CREATE SCHEMA " + schema + " AUTHORIZATION app_trust; SET ROLE app_trust;"
           + "CREATE TABLE " + schema + ".t (id int PRIMARY KEY, tag text);" + "CREATE TABLE "
           + schema + ".n (id serial, tag text);" + "CREATE SEQUENCE " + schema + ".s;"
           + "GRANT USAGE ON SCHEMA " + schema + " TO diff_reader;"
           + "GRANT SELECT ON ALL TABLES IN SCHEMA " + schema + " TO diff_reader; RESET ROLE;";
}

void run(test::Connection& connection, const std::string& sql)
{
    for (const test::Result& result : connection.query_all(sql)) {
        if (result.is_error()) throw std::runtime_error{result.message() + " in: " + sql};
    }
}

std::unique_ptr<test::Connection> log_in_as_superuser(const std::string& database)
{
    const test::Postgres& postgres = test::postgres();
    return std::make_unique<test::Connection>(
        "host=" + postgres.socket_directory().string() + " port=" + std::to_string(postgres.port())
        + " user=postgres dbname=" + database
    );
}

} // namespace

World::World(const Options& options) : options_{options}
{
    test::Postgres& postgres = test::postgres();
    postgres.sql("CREATE ROLE diff_reader");
    postgres.sql("GRANT diff_reader TO app_trust");
    create_databases();

    const test::Target direct{postgres.socket_directory(), postgres.port()};
    arena_.expected = {"PostgreSQL", direct, expected_database};
    arena_.tested = {"PostgreSQL again", direct, tested_database};
    arena_.rules = {.source_positions = options_.source_positions};
    if (!options_.self_check) start_pooler();
}

World::~World() { stop_pooler(); }

// The second is a copy, page by page: the planner sees no difference, so neither do the answers.
void World::create_databases()
{
    test::Postgres& postgres = test::postgres();
    postgres.sql(std::string{"CREATE DATABASE "} + expected_database);
    {
        const auto superuser = log_in_as_superuser(expected_database);
        run(*superuser, shared_objects);
        for (std::size_t i = 0; i < options_.clients; ++i) {
            run(*superuser, objects_of_client(i) + "SELECT diff_reset(" + std::to_string(i) + ")");
        }
        run(*superuser, "VACUUM ANALYZE"); // plans are among the answers
    }
    const std::string copy = std::string{" TEMPLATE "} + expected_database;
    postgres.sql(std::string{"CREATE DATABASE "} + tested_database + copy);
    for (const std::string name : {expected_database, tested_database}) {
        postgres.sql("ALTER DATABASE " + name + " SET app.x = 'base'");
        postgres.sql("ALTER DATABASE " + name + " SET app.y = ''");
        postgres.sql("ALTER DATABASE " + name + " SET jit = off"); // slow where enable_* are off
        superusers_.push_back(log_in_as_superuser(name));
    }
}

void World::start_pooler()
{
    test::Start start{.user = "app_trust"};
    start.upstream = "postgresql://app_trust:secret@127.0.0.1:"
                     + std::to_string(test::postgres().port()) + "/" + tested_database;
    const bool listens = options_.features.has(Feature::listen); // then one is the listener
    const std::size_t size = options_.servers + (listens ? 1 : 0);
    start.flags = {"--pool-size", std::to_string(size), "--workers", "2"};
    for (const char* setting :
         {"auth.method=trust", "server_tls.mode=disable", "pool.query_wait_timeout=5s"}) {
        start.flags.insert(start.flags.end(), {"--set", setting});
    }
    pooler_ = std::make_unique<test::Pgweir>(start);
    arena_.tested = {"pgweir", pooler_->target(), tested_database};
    if (!options_.features.has(Feature::sequences)) return;

    // From the first such question on, pgweir knows what kind of an application this is.
    Session asks{arena_.tested, {{"user", "app_trust"}}};
    static_cast<void>(asks.receive(1));
    asks.send(Batch{0}.query("SELECT nextval('c0.s')").query("SELECT currval('c0.s')").take().bytes
    );
    static_cast<void>(asks.receive(2));
    asks.await_end();
    reset({0});
}

// It checks that it has left no server connection behind, and cannot tell ours from its own.
void World::stop_pooler()
{
    store_.clear();
    pooler_.reset();
}

void World::restart_pooler()
{
    if (!pooler_) return;
    stop_pooler();
    start_pooler();
}

void World::reset(const std::set<std::size_t>& clients)
{
    std::string sql;
    for (const std::size_t client : clients) {
        sql += "SELECT diff_reset(" + std::to_string(client) + ");";
    }
    if (sql.empty()) return;
    for (const auto& superuser : superusers_) run(*superuser, sql);
}

} // namespace pgweir::differential
