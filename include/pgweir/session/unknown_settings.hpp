// What has been said to change a session's settings since they were known. PostgreSQL tells of few
// of them at once, and a pipeline goes on before it does.
#pragma once

#include <cstdint>
#include <string_view>

namespace pgweir::session {

/// What a text does to the settings that PostgreSQL parses other texts by.
enum class SettingsChange : std::uint8_t {
    none,
    ends_transaction, // takes back what was changed, or some of it
    as_said,          // the same wherever the settings are the same
    unknown,
};

/// Of both, one behind the other.
[[nodiscard]] SettingsChange operator|(SettingsChange a, SettingsChange b);

/// A part of the names of statements that are parsed meanwhile: equal names mean equal settings.
class UnknownSettings {
public:
    /// `segment`: what is skipped together when it fails, and cannot be known before it is
    /// answered.
    void change(
        SettingsChange change, std::string_view text, std::uint64_t server, std::uint64_t segment
    );

    /// They are asked for, or were never different.
    void become_known();

    /// All that was said is answered, without an error.
    void settle() { is_unsettled_ = false; }

    /// Nobody knows what became of it.
    void fail(std::uint64_t server);

    [[nodiscard]] bool are_known() const { return hash_ == 0; }

    /// No other session may be in the same state.
    [[nodiscard]] bool are_private() const { return is_private_; }

    /// Settings::parse_hash, of what is known, with the rest.
    [[nodiscard]] std::uint64_t parse_hash(
        std::uint64_t known, std::uint64_t server, std::uint64_t segment
    );

private:
    void become_private(std::uint64_t server);

    std::uint64_t hash_ = 0;    // 0: all is known
    std::uint64_t count_ = 0;   // of private states, as long as the server lives
    std::uint64_t segment_ = 0; // of what was said last
    bool is_private_ = false;
    bool is_unsettled_ = false;
};

} // namespace pgweir::session
