// The process id that a client was told at login: what pg_backend_pid() tells it, and what others
// say to pg_terminate_backend() and pg_cancel_backend(). No process has that number: PostgreSQL is
// asked whether it would do it, and we do it.
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/base/ids.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgweir::session {

/// To a client.
struct Signal {
    ClientId to{};
    bool terminates = false; // its connection; else cancels what it is running
};

/// Who else is logged in.
class Clientele {
public:
    struct Member {
        ClientId id{};
        std::string role; // that its servers are logged in as
        bool is_of_own_role = false;
    };

    Clientele() = default;
    Clientele(const Clientele&) = delete;
    Clientele& operator=(const Clientele&) = delete;
    virtual ~Clientele() = default;

    /// By the process id that it was told. Nothing: nobody's, or of another PostgreSQL.
    [[nodiscard]] virtual std::optional<Member> find(std::uint32_t process_id) const = 0;
};

/// SELECT pg_terminate_backend(…), or the other one, and nothing else in the text, with a literal
/// or a parameter as its argument: then the call is made once, and its result is the only column of
/// the only row. Views of the text.
struct SignalCall {
    std::string_view text;     // from its name to its closing parenthesis
    std::string_view function; // its name, as it is written, and …
    std::string_view word;     // … without a schema
    std::string_view argument;
    std::optional<std::uint32_t> process_id; // nothing: it is the parameter $1
    bool terminates = false;
};
[[nodiscard]] std::optional<SignalCall> read_signal_call(std::string_view sql);

/// What a Bind gives to $1, from what stands behind its names. Nothing: no such number.
[[nodiscard]] std::optional<std::uint32_t> bound_process_id(Bytes formats_and_values);

/// The same statement, for PostgreSQL: true if a process of this role's might be signalled by who
/// asks, and its own error if not. No process is.
[[nodiscard]] std::string permission_sql(
    std::string_view sql, const SignalCall& call, std::string_view role
);

/// SELECT pg_backend_pid(), and nothing else in the text.
struct OwnIdCall {
    std::string_view text; // from its name to its closing parenthesis
    bool has_alias = false;
};
[[nodiscard]] std::optional<OwnIdCall> read_own_id_call(std::string_view sql);

/// The same statement, with the number in place of the call.
[[nodiscard]] std::string own_id_sql(
    std::string_view sql, const OwnIdCall& call, std::uint32_t process_id
);

/// The same statement, to the process that executes it.
[[nodiscard]] std::string own_signal_sql(std::string_view sql, const SignalCall& call);

} // namespace pgweir::session
