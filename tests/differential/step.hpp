// What one client sends before the next one's turn, and how such a batch is written.
#pragma once

#include <pgweir/base/bytes.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::differential {

struct Step {
    std::size_t client = 0;
    Buffer bytes;                // whole messages
    std::size_t ready_count = 0; // of the ReadyForQuery that answer them
    bool may_pin = false;        // may leave state that keeps the client's server to itself
    bool leaves = false;         // says Terminate: no answer comes
};

/// SQL that some feature came up with.
struct Statement {
    std::string sql;
    bool may_pin = false;
};

/// A value of a parameter; empty: NULL.
using Value = std::optional<std::string>;

/// Collects messages of one client.
class Batch {
public:
    explicit Batch(std::size_t client) { step_.client = client; }

    Batch& query(std::string_view sql);
    Batch& parse(
        std::string_view name, std::string_view sql, const std::vector<std::uint32_t>& types = {}
    );
    struct Binding {
        std::string portal{};
        std::string statement{};
        std::vector<Value> values{};
        bool is_binary = false; // the results
    };
    Batch& bind(const Binding& binding);
    /// `kind` is 'S' for a statement, 'P' for a portal.
    Batch& describe(char kind, std::string_view name);
    Batch& execute(std::string_view portal = "", std::uint32_t rows_max = 0);
    Batch& close(char kind, std::string_view name);
    Batch& flush();
    Batch& sync();
    Batch& copy_data(std::string_view bytes);
    Batch& copy_done();
    Batch& copy_fail(std::string_view reason);
    Batch& terminate();

    Batch& may_pin(bool yes = true)
    {
        step_.may_pin = step_.may_pin || yes;
        return *this;
    }

    [[nodiscard]] Step take() { return std::move(step_); }

private:
    Step step_;
};

} // namespace pgweir::differential
