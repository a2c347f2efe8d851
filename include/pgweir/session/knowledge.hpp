// What was learned about a database while its clients were served: names that their texts alone do
// not explain.
#pragma once

#include <pgweir/session/known_statements.hpp>
#include <pgweir/session/parts.hpp>
#include <pgweir/session/settings.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgweir::session {

/// Functions that may change the state of a session, by their names without schema. Upper and lower
/// case are one here: better one name too many.
class FunctionParts {
public:
    /// Parts of equal names add up.
    void add(std::string_view name, Parts parts);

    /// `word` as it stands in a statement. Empty: it changes nothing.
    [[nodiscard]] Parts find(std::string_view word) const;

private:
    std::vector<std::pair<std::string, Parts>> entries_; // sorted by name
};

/// What a database says of itself.
struct Catalog {
    FunctionParts functions;
    /// What triggers may change when rows are written.
    Parts by_triggers;
    /// Custom parameters that functions set, or seem to.
    std::vector<std::string> customs;
    /// Of custom parameters: those of ALTER DATABASE and ALTER ROLE, for who logs in here.
    std::vector<Settings::Entry> custom_defaults;

    [[nodiscard]] const std::string* find_custom_default(std::string_view name) const;
};

/// One worker's; the others are told of what is new.
struct Knowledge {
    KnownStatements statements;             // that PostgreSQL has parsed
    std::shared_ptr<const Catalog> catalog; // null: the database was not asked yet
    bool is_asked = true;             // false: nor will it be, as each server stays with its client
    std::vector<std::string> customs; // custom parameters that were ever set
    FunctionParts pinning;            // that the operator has named

    std::vector<std::string> sequence_readers; // application_name of those that call currval()
    /// A database is to be dropped or copied: servers that are idle there are in the way.
    std::string vacated;
    bool has_news = false; // that the other workers were not told yet

    /// Nothing that PostgreSQL would not take: these names stand in what all clients' servers are
    /// asked.
    void add_custom(std::string_view name);
    void add_sequence_reader(std::string_view application);
    [[nodiscard]] bool reads_sequences(std::string_view application) const;
};

} // namespace pgweir::session
