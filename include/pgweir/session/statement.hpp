// Prepared statements: one object for each text, and the name that it has on every server.
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/session/sql.hpp>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pgweir::session {

/// 128 bits of SHA-256 over text, parameter types and the settings that it is parsed under: equal
/// on every worker without asking it, and nobody can make two texts that share one.
struct StatementId {
    std::uint64_t high;
    std::uint64_t low;

    friend bool operator==(const StatementId&, const StatementId&) = default;
};

struct StatementIdHash {
    std::size_t operator()(const StatementId& id) const noexcept { return id.low; }
};

/// "pgweir_" and the id in hexadecimal: what a statement is called on every server.
[[nodiscard]] std::string server_name_of(const StatementId& id);

/// The first such name in a text. Empty: there is none.
[[nodiscard]] std::optional<StatementId> find_server_name(std::string_view text);

/// Belongs to one worker: its reference count is not atomic.
class Statement : public boost::intrusive_ref_counter<Statement, boost::thread_unsafe_counter> {
public:
    static constexpr std::string_view name_prefix = "pgweir_";

    Statement(std::string_view query, Bytes types, std::uint64_t parse_hash);
    /// For another worker: it shares nothing with `other`.
    Statement(const Statement& other);
    Statement& operator=(const Statement&) = delete;

    [[nodiscard]] const std::string& query() const { return query_; }
    [[nodiscard]] Bytes types() const { return types_; }
    /// Settings::parse_hash of the session that prepared it: PostgreSQL reads literals such as
    /// '1/2/2003'::date, and looks names up, when it parses.
    [[nodiscard]] std::uint64_t parse_hash() const { return parse_hash_; }
    [[nodiscard]] const StatementId& id() const { return id_; }
    [[nodiscard]] const std::string& server_name() const { return server_name_; }
    /// See session::fingerprint().
    [[nodiscard]] std::uint64_t fingerprint() const { return fingerprint_; }
    [[nodiscard]] const SqlReading& reading() const { return reading_; }

private:
    std::string query_;
    Buffer types_;
    std::uint64_t parse_hash_;
    StatementId id_;
    std::string server_name_;
    std::uint64_t fingerprint_;
    SqlReading reading_;
};

using StatementRef = boost::intrusive_ptr<const Statement>;

/// Finds the one Statement for a text and the settings it is parsed under. Bounded: what no client
/// refers to is dropped when the table has grown past its limits.
class StatementTable {
public:
    struct Limits {
        std::size_t count_max = 20'000;
        std::size_t bytes_max = 32U << 20U;
    };

    StatementTable() = default;
    explicit StatementTable(Limits limits) : limits_{limits} {}

    [[nodiscard]] StatementRef intern(
        std::string_view query, Bytes types, std::uint64_t parse_hash = 0
    );

    /// Takes in one that nobody else refers to. Returns it, or the one that is here for its text.
    [[nodiscard]] StatementRef adopt(StatementRef statement);

    /// Has this text come by before? (By a hash in a small table: now and then it forgets, and
    /// once in a very long while it takes one text for another, which costs a parse and no more.)
    [[nodiscard]] bool seen_before(std::string_view query, Bytes types);

    [[nodiscard]] std::size_t size() const { return statements_.size(); }

private:
    static constexpr std::size_t seen_size = 4'096;

    [[nodiscard]] StatementRef find(
        std::uint64_t hash, std::string_view query, Bytes types, std::uint64_t parse_hash
    ) const;
    StatementRef add(std::uint64_t hash, StatementRef statement);
    void drop_unused();

    Limits limits_;
    std::unordered_multimap<std::uint64_t, StatementRef> statements_; // by hash of the text
    std::size_t bytes_ = 0;
    std::size_t drop_above_ = 0; // grows with what is in use, so that no sweep is in vain
    std::array<std::uint64_t, seen_size> seen_{};
};

} // namespace pgweir::session
