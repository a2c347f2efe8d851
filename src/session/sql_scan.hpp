// Looks through a statement for its end, and for the names that give it traits. It stops only at
// the few characters that can matter, and finds the name before a parenthesis by looking back.
#pragma once

#include <pgweir/session/sql_statement.hpp>

namespace pgweir::session::sql {

class Scan {
public:
    /// `start` is where the statement starts. What is found goes into `statement`.
    Scan(const char* start, const char* end, const SqlOptions& options, SqlStatement& statement);

    /// From `at` to the semicolon that ends the statement, or to the end.
    const char* to_statement_end(const char* at) { return run(at, true); }

    /// All of it, whatever semicolons there are: the body of a routine.
    void through(const char* at) { run(at, false); }

private:
    const char* run(const char* at, bool ends_at_semicolon);
    const char* string(const char* at);
    const char* quoted(const char* at);
    const char* dollar(const char* at);
    const char* pass(const char* closed);
    const char* comment(const char* at);
    const char* letter_p(const char* at);
    void call(const char* at);
    void set_config(const char* at);
    void temp(const char* start, const char* at);
    [[nodiscard]] std::string_view name_before(const char* at) const;
    [[nodiscard]] bool is_word_before(const char* at) const;

    const char* end_;
    const char* floor_;       // what stands before it has been dealt with
    std::string_view before_; // … but for this name, which ends there
    const SqlOptions& options_;
    SqlStatement& statement_;
    std::uint32_t endings_; // of the names worth a look
    int config_calls_ = 0;
};

} // namespace pgweir::session::sql
