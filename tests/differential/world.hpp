// The two databases, which begin every stream alike, and the pgweir in front of one of them.
#pragma once

#include "differential/duel.hpp"
#include "differential/options.hpp"
#include "integration/support/daemon.hpp"

#include <memory>
#include <set>
#include <vector>

namespace pgweir::differential {

class World {
public:
    explicit World(const Options& options);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    [[nodiscard]] const Arena& arena() const { return arena_; }
    [[nodiscard]] SessionStore& store() { return store_; }
    /// Their tables and sequences as they were at the start.
    void reset(const std::set<std::size_t>& clients);
    /// A pgweir that remembers nothing, with new server connections. No duel may be going on.
    void restart_pooler();

private:
    void create_databases();
    void start_pooler();
    void stop_pooler();

    Options options_;
    Arena arena_;
    SessionStore store_;
    std::vector<std::unique_ptr<test::Connection>> superusers_; // one for each database
    std::unique_ptr<test::Pgweir> pooler_;                      // none in a self-check
};

} // namespace pgweir::differential
