#include <pgweir/config/show.hpp>

#include <pgweir/config/rows.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

using namespace pgweir::config;

namespace {

// The rows that differ from their defaults.
std::string changes(const Settings& settings)
{
    std::string out;
    for (const ConfigRow& row : config_rows(settings)) {
        if (row.value == row.default_value) continue;
        out += row.key + "|" + row.value + "|" + row.default_value + "|"
               + (row.changeable ? "yes" : "no") + "\n";
    }
    return out;
}

} // namespace

TEST_CASE("config/show: settings that were not touched are their defaults, each in one row")
{
    CHECK(changes({}).empty());
    CHECK(config_rows({}).size() == setting_rows().size() + pool_rows().size());
}

TEST_CASE("config/show: rows say what is, what would be, and whether a reload can change it")
{
    const auto settings = settings_of(R"(
listen = ["[::1]:6432", "/run/pgweir"]
http = ""
unix_socket_mode = "0750"
max_packet_size = "1MiB"
upstream = "postgresql://app:hunter2@db/app?sslmode=require"
admin_users = ["alice", "bob"]
[log]
format = "json"
[pool]
query_timeout = "90s"
prepare_unnamed = false
[databases.shop]
upstream = "postgresql://shop:hunter3@db2:5433/"
[databases.shop.pool]
size = 20
[users.carol]
password = "hunter4"
[users.carol.pool]
mode = "session"
)");
    CHECK(changes(settings) == R"(listen|[::1]:6432,/run/pgweir|127.0.0.1:6432|no
unix_socket_mode|0750|0777|no
http||127.0.0.1:9930|no
max_packet_size|1MiB|16MiB|yes
upstream|postgresql://app:********@db:5432/app?sslmode=require||yes
admin_users|alice,bob||yes
log.format|json|text|yes
pool.query_timeout|90s|0|yes
pool.prepare_unnamed|false|true|yes
databases.shop.upstream|postgresql://shop:********@db2:5433/?sslmode=prefer||yes
databases.shop.pool.size|20||yes
users.carol.password|********||yes
users.carol.pool.mode|session||yes
)");
}
