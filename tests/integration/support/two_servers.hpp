// A pool of two servers, and the way from one of them to the other.
#pragma once

#include "integration/support/daemon.hpp"

#include <string>
#include <vector>

namespace pgweir::test {

class TwoServers {
public:
    explicit TwoServers(const std::vector<std::string>& flags = {});

    [[nodiscard]] Connection connect(const std::string& more = "") const
    {
        return pgweir.connect(more);
    }

    /// Somebody else, who keeps the server with this pid in a transaction. It must be idle.
    [[nodiscard]] Connection hold(int pid) const;

    /// What the client is answered on each of the two: one text if both say the same.
    [[nodiscard]] std::string everywhere(Connection& client, const std::string& sql) const;

    Pgweir pgweir;
};

} // namespace pgweir::test
