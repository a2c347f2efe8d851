// The runner of all integration tests: one cluster for the whole run, removed whatever happens.
#define DOCTEST_CONFIG_IMPLEMENT
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <iostream>

int main(int argc, char** argv)
{
    // Peers that vanish are what many tests are about; OpenSSL writes without MSG_NOSIGNAL.
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));

    doctest::Context context{argc, argv};
    const int code = context.run();
    pgweir::test::remove_postgres();

    if (pgweir::test::is_direct()) {
        std::cout << "direct: tested PostgreSQL itself, the tests of pooling were skipped\n";
    }
    return code;
}
