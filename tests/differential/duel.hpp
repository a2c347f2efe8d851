// One stream on both sides at once: each step is sent to both, and the replies are compared.
#pragma once

#include "differential/allowed_differences.hpp"
#include "differential/holders.hpp"
#include "differential/session.hpp"
#include "differential/session_store.hpp"
#include "differential/step.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace pgweir::differential {

struct Arena {
    Place expected; // PostgreSQL
    Place tested;
    Rules rules;
};

/// What each client says in its startup packet. Empty: it does not take part.
using Cast = std::vector<std::vector<wire::Parameter>>;

/// A step, and what PostgreSQL answered. The login is a step without bytes.
struct Exchange {
    Step step;
    std::vector<Message> replies;
};

struct Mismatch {
    std::size_t client = 0;
    std::vector<Message> expected;
    std::vector<Message> got;
    std::size_t first_difference = 0; // index into both
};

class Duel {
public:
    /// Connects to PostgreSQL and does not wait for it: so the next stream's sessions can start
    /// while this one runs.
    Duel(const Arena& arena, const Cast& cast, std::size_t servers, SessionStore& store);

    /// Both return false after a reply that differed.
    [[nodiscard]] bool log_in();
    [[nodiscard]] bool play(const Step& step);
    /// Everybody leaves.
    void end();

    [[nodiscard]] const Holders& holders() const { return holders_; }
    [[nodiscard]] const std::vector<Exchange>& history() const { return history_; }
    [[nodiscard]] const std::optional<Mismatch>& mismatch() const { return mismatch_; }

private:
    struct Pair {
        std::unique_ptr<Session> expected;
        std::unique_ptr<Session> tested;
    };

    [[nodiscard]] bool compare(
        const Step& step, std::vector<Message> expected, std::vector<Message> got
    );

    SessionStore& store_; // outlives every duel
    Arena arena_;
    Cast cast_;
    Holders holders_;
    std::vector<Pair> pairs_;
    std::vector<Exchange> history_;
    std::optional<Mismatch> mismatch_;
};

} // namespace pgweir::differential
