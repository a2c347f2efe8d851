// A lock on a table of pg_catalog, so that what pgweir asks a server takes as long as a test likes.
#pragma once

#include "integration/support/postgres.hpp"
#include "integration/support/wait.hpp"

#include <doctest/doctest.h>

#include <string>

namespace pgweir::test {

/// A catalog that nobody can read for as long as it lives: who does so, waits.
class CatalogLock {
public:
    explicit CatalogLock(const std::string& table)
    {
        superuser_.query("BEGIN");
        REQUIRE(superuser_.query("LOCK TABLE pg_catalog." + table).text() == "LOCK TABLE");
    }

    /// For the superuser itself there is no waiting.
    void wait_for_somebody()
    {
        wait_until([&] { return waiting() == "1"; }, "somebody waits");
    }
    void wait_for_nobody()
    {
        wait_until([&] { return waiting() == "0"; }, "nobody waits any more");
    }

private:
    std::string waiting()
    {
        return superuser_.query("SELECT count(*) FROM pg_locks WHERE NOT granted").text();
    }

    Connection superuser_{
        "host=" + postgres().socket_directory().string()
        + " port=" + std::to_string(postgres().port()) + " user=postgres dbname=app"
    };
};

} // namespace pgweir::test
