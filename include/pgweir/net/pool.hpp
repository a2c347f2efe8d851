// One pool: a database and a user, and all that workers and front door share about it.
#pragma once

#include <pgweir/auth/verifier.hpp>
#include <pgweir/base/clock.hpp>
#include <pgweir/net/class_notes.hpp>
#include <pgweir/net/options.hpp>
#include <pgweir/pool/budget.hpp>
#include <pgweir/pool/counters.hpp>
#include <pgweir/pool/options.hpp>
#include <pgweir/pool/shared.hpp>
#include <pgweir/session/senders.hpp>
#include <pgweir/session/settings.hpp>
#include <pgweir/wire/messages.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace pgweir::net {

/// Errors by SQLSTATE, of one worker and pool. Few and rare, hence a lock.
class ErrorCounts {
public:
    void add(std::string_view sqlstate);
    [[nodiscard]] std::map<std::string, std::uint64_t> read() const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::uint64_t, std::less<>> counts_;
};

/// Made on the first login, lives as long as the process: counters never go backwards.
class Pool final : public pool::Party, public std::enable_shared_from_this<Pool> {
public:
    struct Name {
        std::string database;
        std::string user;

        friend auto operator<=>(const Name&, const Name&) = default;
    };

    /// `budgets`: they outlive it; none if it shares no caps with others.
    Pool(
        Name name,
        Upstream upstream,
        const pool::Options& options,
        std::uint32_t worker_count,
        pool::Budgets* budgets = nullptr
    );

    [[nodiscard]] const Name& name() const { return name_; }
    [[nodiscard]] std::string label() const { return name_.database + '/' + name_.user; }
    [[nodiscard]] pool::Shared& shared() { return shared_; }
    [[nodiscard]] const pool::Shared& shared() const { return shared_; }
    [[nodiscard]] pool::Counters& counters(WorkerId worker) { return counters_[index_of(worker)]; }
    [[nodiscard]] const std::vector<pool::Counters>& counters() const { return counters_; }
    [[nodiscard]] ErrorCounts& errors() { return errors_; }
    [[nodiscard]] const ErrorCounts& errors() const { return errors_; }
    /// By the front door, which is one thread.
    [[nodiscard]] pool::Counters& front_door_counters() { return counters_.back(); }

    [[nodiscard]] session::Senders& senders() { return senders_; }
    [[nodiscard]] ClassNotes& class_notes() { return class_notes_; }
    [[nodiscard]] const ClassNotes& class_notes() const { return class_notes_; }

    // What may change while running. By value: another thread may change it meanwhile.
    [[nodiscard]] Upstream upstream() const;
    /// As PostgreSQL knows it.
    [[nodiscard]] std::string database() const;
    [[nodiscard]] pool::Options options() const;
    void configure(Upstream upstream, const pool::Options& options);

    /// What its clients have proved that they know, for where the configuration has no password.
    [[nodiscard]] std::optional<auth::Secret> secret() const;
    /// True: it is another one than before.
    bool set_secret(const auth::Secret& secret);
    /// Of the role, as the last client has found it. True: there was another role of that name.
    bool set_identity(const std::string& identity);

    /// RECONNECT, or a new upstream: servers whose connect began in an earlier epoch are replaced.
    void renew() { epoch_.fetch_add(1); }
    [[nodiscard]] std::uint32_t epoch() const { return epoch_.load(); }

    /// What the server reported when the last connection was opened: the ParameterStatus messages
    /// of a login. Empty: none was ever opened.
    [[nodiscard]] session::SettingsRef welcome() const;
    [[nodiscard]] std::vector<session::Settings::Entry> welcome_as_spelt() const;
    /// `epoch`: when the connect began.
    void set_welcome(std::vector<session::Settings::Entry> parameters, std::uint32_t epoch);
    /// It was of an earlier epoch: a server that is opened now may report something else.
    [[nodiscard]] bool has_old_welcome() const;

    /// Why the last connect failed.
    [[nodiscard]] wire::ErrorText last_error() const;
    void set_last_error(wire::ErrorText error);

    /// Of LISTEN; nobody else knows it: see session::Listening.
    [[nodiscard]] const std::string& cut_channel() const { return cut_channel_; }

    // Settings that a server has taken before: they will not fail.
    [[nodiscard]] bool is_proven(const session::Settings& settings) const;
    void set_proven(const session::Settings& settings);

private:
    Name name_;
    std::string cut_channel_;
    pool::Shared shared_;
    std::vector<pool::Counters> counters_; // one for each worker, and the front door's
    ErrorCounts errors_;
    ClassNotes class_notes_;
    session::Senders senders_;
    std::atomic<std::uint32_t> epoch_{0};

    mutable std::mutex mutex_; // guards what follows; held for copies only
    Upstream upstream_;
    pool::Options options_;
    std::optional<auth::Secret> secret_;
    std::string identity_;
    session::SettingsRef welcome_ = session::no_settings();
    std::vector<session::Settings::Entry> welcome_as_spelt_;
    std::uint32_t welcome_epoch_ = 0;
    wire::ErrorText last_error_;
    std::unordered_set<std::uint64_t> proven_;
};

} // namespace pgweir::net
