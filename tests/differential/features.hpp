// The groups of statements that a stream may be made of, switched by --features.
#pragma once

#include <array>
#include <bitset>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::differential {

enum class Feature : unsigned char {
    startup,      // settings in the startup packet, "options" among them
    settings,     // SET, RESET, SHOW, set_config, current_setting
    roles,        // SET ROLE, SET SESSION AUTHORIZATION
    functions,    // functions, procedures and DO blocks that set parameters
    transactions, // BEGIN to COMMIT with all their modes
    savepoints,
    errors,
    multi,       // several statements in one simple query
    prepared,    // the extended protocol: statements with and without names
    wrong_binds, // with another number of values than the statement has parameters
    portals,     // named portals, fetched in pieces
    pipelines,   // several Syncs in flight, or none between several statements
    sql_prepare, // PREPARE, EXECUTE, DEALLOCATE
    cursors,
    hold, // cursors WITH HOLD
    temp,
    discard,
    listen,
    channels, // what pg_listening_channels() says
    locks,
    sequences,
    copy,
    leave, // clients that go away with whatever they have
};

inline constexpr std::array<std::string_view, 23> feature_names{
    "startup",     "settings", "roles",     "functions",   "transactions", "savepoints",
    "errors",      "multi",    "prepared",  "wrong_binds", "portals",      "pipelines",
    "sql_prepare", "cursors",  "hold",      "temp",        "discard",      "listen",
    "channels",    "locks",    "sequences", "copy",        "leave",
};

class FeatureSet {
public:
    [[nodiscard]] static FeatureSet all();
    /// "settings,savepoints", "all", "all,-listen". Throws, and names a word that is no feature.
    [[nodiscard]] static FeatureSet parse(std::string_view text);

    [[nodiscard]] bool has(Feature feature) const { return bits_[index(feature)]; }
    void add(Feature feature) { bits_.set(index(feature)); }
    [[nodiscard]] bool empty() const { return bits_.none(); }
    [[nodiscard]] std::vector<Feature> list() const;
    /// As parse() takes it.
    [[nodiscard]] std::string text() const;

private:
    static std::size_t index(Feature feature) { return static_cast<std::size_t>(feature); }

    std::bitset<feature_names.size()> bits_;
};

} // namespace pgweir::differential
