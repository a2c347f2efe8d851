// What PostgreSQL is asked about names that log in, and who shares an answer. Knows no socket.
#pragma once

#include <pgweir/base/clock.hpp>

#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pgweir::auth {

/// A role, as far as a login is concerned.
struct Role {
    std::string password;   // as in pg_authid; empty: it has none, or its time is over
    bool may_log_in = true; // LOGIN
    std::string identity;   // another one when a role of this name is made anew; empty: not known

    friend bool operator==(const Role&, const Role&) = default;
};

struct RoleAnswer {
    bool is_available = true; // false: nobody could be asked
    bool is_refused = false;  // PostgreSQL does not answer us: as if nobody had the name
    std::optional<Role> role; // nothing: nobody has that name

    friend bool operator==(const RoleAnswer&, const RoleAnswer&) = default;
};

/// Every login is a question of its own, since a password may have been changed a moment ago. Only
/// those who ask for the same name before it is sent share one: a storm of logins is two questions.
///
/// What was answered is remembered for the time when nobody can be asked.
class RoleDesk {
public:
    static constexpr Duration remembered_for = std::chrono::minutes{5};
    static constexpr std::size_t remembered_max = 10'000;
    /// Nobody is asked for so long after a failure.
    static constexpr Duration pause = std::chrono::seconds{1};
    /// The same when PostgreSQL does not permit the question: that seldom changes.
    static constexpr Duration long_pause = std::chrono::minutes{1};

    struct Question {
        std::string user;
        std::optional<RoleAnswer> answer;
    };
    using QuestionRef = std::shared_ptr<Question>;

    /// Has an answer already where nobody may be asked now.
    [[nodiscard]] QuestionRef ask(TimePoint now, std::string_view user);
    /// The next one to send; from then on nobody joins it. Null: nobody waits.
    [[nodiscard]] QuestionRef next();
    [[nodiscard]] bool is_empty() const { return queue_.empty(); }

    void answer(TimePoint now, Question& sent, std::optional<Role> role);
    /// Nobody can be asked: all who wait are answered with what is remembered. True: it is news.
    bool fail(TimePoint now, Question& sent);
    /// PostgreSQL does not answer us: as if nobody had any of the names. True: it is news.
    bool refuse(TimePoint now, Question& sent, Duration for_how_long);

private:
    struct Memory {
        std::string user;
        Role role;
        TimePoint since;
    };
    enum class Trouble { none, failed, refused };

    [[nodiscard]] bool is_in_trouble(TimePoint now) const { return now < trouble_until_; }
    [[nodiscard]] RoleAnswer answer_in_trouble(TimePoint now, const std::string& user) const;
    bool begin_trouble(TimePoint now, TimePoint until, Trouble trouble, Question& sent);
    void remember(TimePoint now, const std::string& user, const std::optional<Role>& role);

    std::deque<QuestionRef> queue_;
    std::unordered_map<std::string, QuestionRef> waiting_; // those in the queue, by user
    Trouble trouble_ = Trouble::none;
    TimePoint trouble_until_ = TimePoint::min();
    std::list<Memory> memories_; // newest first
    std::unordered_map<std::string, std::list<Memory>::iterator> memory_of_;
};

} // namespace pgweir::auth
