// libpq with owners: connections that close themselves, results as text, nothing that blocks.
#pragma once

#include "integration/support/wait.hpp"

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::test {

/// A transaction that has a server from the start: a BEGIN alone waits for its first statement.
inline constexpr const char* begin_at_once = "BEGIN; SELECT 1";

/// All that the server has, whoever asks: spelt so that pgweir does not see what is read, and
/// leaves it as it is.
inline constexpr const char* prepared_on_server = "U&\"pg\\005fprepared_statements\"";

using Values = std::vector<std::optional<std::string>>; // empty: NULL

class Result {
public:
    explicit Result(PGresult* result) : result_{result} {}

    [[nodiscard]] ExecStatusType status() const { return PQresultStatus(result_.get()); }
    [[nodiscard]] bool is_error() const;
    [[nodiscard]] std::string sqlstate() const { return field(PG_DIAG_SQLSTATE); }
    [[nodiscard]] std::string message() const { return field(PG_DIAG_MESSAGE_PRIMARY); }
    [[nodiscard]] std::string field(int code) const;
    [[nodiscard]] std::string tag() const { return PQcmdStatus(result_.get()); }
    [[nodiscard]] std::vector<std::string> columns() const;
    [[nodiscard]] int row_count() const { return PQntuples(result_.get()); }

    /// The value of the first column of the first row. Throws if there is none, e.g. on an error.
    [[nodiscard]] std::string value() const;
    /// A value by row and name of column. Throws if there is none.
    [[nodiscard]] std::string value(int row, const std::string& column) const;

    /// For comparing: rows as "a|b" joined by ';', an error as "ERROR 22012", a command as its tag.
    [[nodiscard]] std::string text() const;

    [[nodiscard]] PGresult* raw() const { return result_.get(); }

private:
    struct Clear {
        void operator()(PGresult* result) const { PQclear(result); }
    };
    std::unique_ptr<PGresult, Clear> result_;
};

/// One connection. Every call ends after `patience` by throwing, so a hang has a place and a name.
class Connection {
public:
    /// Throws when the login fails.
    explicit Connection(const std::string& conninfo);

    /// What PQexec does: the result of the last statement.
    Result query(const std::string& sql);
    /// The results of every statement.
    std::vector<Result> query_all(const std::string& sql);
    Result query_params(const std::string& sql, const Values& values);
    Result prepare(const std::string& name, const std::string& sql);
    Result execute(const std::string& name, const Values& values = {});
    Result describe(const std::string& name);

    /// Starts a query and returns at once. `next_result` brings what it says.
    void send(const std::string& sql);
    void send_params(const std::string& sql, const Values& values);
    void send_prepare(const std::string& name, const std::string& sql);
    void send_execute(const std::string& name, const Values& values = {});
    void flush();

    /// Empty: that was all of this query (in a pipeline: ask again for the next one).
    [[nodiscard]] std::optional<Result> next_result();
    /// The first, and then nothing is left.
    Result only_result();
    /// True when a result can be had without waiting.
    [[nodiscard]] bool has_result();

    void enter_pipeline();
    void exit_pipeline();
    void sync();
    void request_flush();
    /// The whole pipeline up to and including the next Sync, as texts joined by " / ".
    [[nodiscard]] std::string sync_and_read();
    [[nodiscard]] std::string read_until_sync();

    /// True once the other side has closed or broken the connection.
    [[nodiscard]] bool is_lost();
    /// "SQLSTATE message" of what the other side said last when it closed us, or what libpq says.
    [[nodiscard]] std::string last_words();

    [[nodiscard]] int backend_pid();
    [[nodiscard]] std::string parameter(const std::string& name) const;
    [[nodiscard]] PGTransactionStatusType transaction_status() const;
    /// What came without being asked for, one "NOTICE 00000 text" a line.
    [[nodiscard]] const std::string& notices() const { return *notices_; }
    [[nodiscard]] std::string cancel() const;
    [[nodiscard]] PGconn* raw() const { return connection_.get(); }

private:
    void wait_readable(const Deadline& deadline);

    struct Finish {
        void operator()(PGconn* connection) const { PQfinish(connection); }
    };
    // On the heap, so that a Connection can move while libpq holds the address.
    std::unique_ptr<std::string> notices_ = std::make_unique<std::string>();
    std::unique_ptr<PGconn, Finish> connection_;
};

/// Why a login failed, as "SQLSTATE message" when the server said so, or what libpq says; empty
/// when it did not fail.
[[nodiscard]] std::string login_error(const std::string& conninfo);

/// Texts of many results, joined by " / ".
[[nodiscard]] std::string texts(const std::vector<Result>& results);

} // namespace pgweir::test
