#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <string>

using namespace pgweir::test;

namespace {

std::string conninfo_of(const Target& target)
{
    return "host=" + target.host + " port=" + std::to_string(target.port)
           + " dbname=app user=app_scram password=secret";
}

std::string unix_upstream()
{
    return "postgresql://app_scram:secret@/app?host=" + postgres().socket_directory().string()
           + "&port=" + std::to_string(postgres().port());
}

constexpr const char* peer_address = "SELECT coalesce(host(inet_client_addr()), 'unix')";

bool skipped_without_ipv6()
{
    if (host_has_ipv6()) return false;
    MESSAGE("skipped: this host has no IPv6 loopback");
    return true;
}

} // namespace

TEST_CASE("integration/sockets: clients come over a unix socket" * pooler_only())
{
    const TempDirectory directory;
    const Pgweir pgweir{{.listen = {directory.path()}}};
    const Target target = pgweir.target();
    CHECK(target.host == directory.path());
    CHECK(Connection{conninfo_of(target)}.query("SELECT 1").text() == "1");
}

TEST_CASE("integration/sockets: a unix socket is gone after a clean stop" * pooler_only())
{
    const TempDirectory directory;
    Pgweir pgweir{{.listen = {directory.path()}}};
    CHECK_FALSE(std::filesystem::is_empty(directory.path()));
    pgweir.stop();
    CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE(
    "integration/sockets: a unix socket that a crash left behind is taken over" * pooler_only()
)
{
    const TempDirectory directory;
    {
        Pgweir crashed{{.listen = {directory.path()}}};
        crashed.signal(SIGKILL);
        crashed.expect_exit(128 + SIGKILL);
    }
    REQUIRE_FALSE(std::filesystem::is_empty(directory.path()));
    const Pgweir pgweir{{.listen = {directory.path()}}};
    CHECK(Connection{conninfo_of(pgweir.target())}.query("SELECT 1").text() == "1");
}

TEST_CASE("integration/sockets: unix_socket_mode keeps others out" * pooler_only())
{
    const TempDirectory directory;
    const Pgweir pgweir{{.toml = "unix_socket_mode = \"0600\"\n", .listen = {directory.path()}}};
    const std::filesystem::path path = directory
                                       / (".s.PGSQL." + std::to_string(pgweir.target().port));
    using std::filesystem::perms;
    CHECK(
        (std::filesystem::status(path).permissions() & perms::all)
        == (perms::owner_read | perms::owner_write)
    );
}

TEST_CASE("integration/sockets: clients come over IPv6" * pooler_only())
{
    if (skipped_without_ipv6()) return;
    const Pgweir pgweir{{.listen = {"[::1]:0"}}};
    CHECK(pgweir.target().host == "::1");
    CHECK(Connection{conninfo_of(pgweir.target())}.query("SELECT 1").text() == "1");
}

TEST_CASE("integration/sockets: several addresses are one pooler" * pooler_only())
{
    const TempDirectory directory;
    const Pgweir pgweir{{.flags = {"--pool-size", "1"}, .listen = {"127.0.0.1:0", directory.path()}}
    };
    Connection tcp{conninfo_of(pgweir.target(0))};
    Connection local{conninfo_of(pgweir.target(1))};
    CHECK(tcp.backend_pid() == local.backend_pid());
}

TEST_CASE(
    "integration/sockets: PostgreSQL is reached over TCP, IPv6 and a unix socket" * pooler_only()
)
{
    const auto seen_from = [](const std::string& upstream) {
        const Pgweir pgweir{{.upstream = upstream}};
        return pgweir.connect().query(peer_address).text();
    };
    CHECK(seen_from(postgres().url("app_scram")) == "127.0.0.1");
    CHECK(seen_from(unix_upstream()) == "unix");
    if (skipped_without_ipv6()) return;
    CHECK(seen_from(postgres().url("app_scram", "[::1]")) == "::1");
}

TEST_CASE("integration/sockets: a host name is resolved" * pooler_only())
{
    const Pgweir pgweir{{.upstream = postgres().url("app_scram", "localhost")}};
    CHECK(pgweir.connect().query("SELECT 1").text() == "1");
}

TEST_CASE("integration/sockets: the next host is tried when one does not answer" * pooler_only())
{
    const Pgweir pgweir{{
        .upstream = "postgresql://app_scram:secret@127.0.0.1:" + std::to_string(free_port())
                    + ",127.0.0.1:" + std::to_string(postgres().port()) + "/app",
    }};
    CHECK(pgweir.connect().query("SELECT 1").text() == "1");
}
