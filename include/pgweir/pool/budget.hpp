// How many server connections all pools of one database, or of one user, may have together, and
// whose turn it is when there are no more.
#pragma once

#include <pgweir/base/ids.hpp>
#include <pgweir/pool/options.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace pgweir::pool {

class Shared;

/// A pool, as its driver knows it: what that has for a pool derives from it.
class Party {
protected:
    Party() = default;
    Party(const Party&) = default;
    Party& operator=(const Party&) = default;
    ~Party() = default;
};

/// That worker is to call nudged() of its part of another pool, or of the same: it owes a server,
/// or may open one.
struct Nudge {
    Party* party;
    WorkerId worker;
};
using Nudges = std::vector<Nudge>;

/// All caps there are, and who has how much of them. A place belongs to a pool from before its
/// connect until its server is gone. Asked only where servers are opened and closed; a transaction
/// does not know of it. Thread-safe, by one lock: a place counts in two caps.
///
/// Nobody has more than his share while another wants, give or take one server: who wants may take
/// from those who hold at least two more than he, from anybody who holds more than his guarantee if
/// he is below his own, and what has been idle for a while from everybody. What he takes is given
/// to him by name, so that nobody else is faster.
class Budgets {
public:
    struct Budget; // of a database, or of a user
    class Member;  // a pool: it counts in one of each

    /// Why a pool can have no more: for whoever is told so.
    struct Fullness {
        const char* setting; // the cap's name
        std::string name;    // of the database or user
        std::uint32_t cap;
        std::uint32_t held;   // by all
        std::uint32_t kept;   // guaranteed to others, who do not need it now
        std::uint32_t own;    // held by this pool
        std::uint32_t others; // other pools that hold some
    };

    Budgets();
    Budgets(const Budgets&) = delete;
    Budgets& operator=(const Budgets&) = delete;
    ~Budgets();

    /// Both live as long as this.
    [[nodiscard]] Member& join(
        Shared& shared, Party* party, const std::string& database, const std::string& user
    );
    /// Whoever has to give something back does so when he is looked at.
    void configure(Member& member, const Options& options);

    /// A place, if there is one. `insists`: if there is none, one will be found for it, and
    /// `worker` be told.
    [[nodiscard]] bool take(Member& member, WorkerId worker, bool insists, Nudges& nudges);
    void give_back(Member& member, Nudges& nudges);
    /// True: this server of the member's is needed elsewhere. Its place is given away already.
    /// `is_rested`: it has been idle for a while.
    [[nodiscard]] bool give_up(Member& member, bool is_rested, Nudges& nudges);
    /// What it was given and does not need any more.
    void return_unused(Member& member, Nudges& nudges);

    /// For who is refused. Empty: it is not for a cap.
    [[nodiscard]] std::vector<Fullness> fullness(const Member& member) const;
    /// Places of a member, and those of them that no server is in yet.
    struct Holding {
        std::uint32_t held;
        std::uint32_t unused;
        std::uint32_t guaranteed; // the least it may be left with
    };
    [[nodiscard]] Holding holding(const Member& member) const;

private:
    using Scope = std::map<std::string, std::unique_ptr<Budget>>;
    using Wanters = std::array<Member*, 2>;

    static Budget& find_or_make(Scope& scope, const char* setting, const std::string& name);
    static void share_guarantees(Budget& budget);
    static void change(Member& member, std::int32_t by);
    static void set_wanting(Member& member, bool on);
    static void refresh(Member& member);
    static void resize(Member& member);
    void serve(const Member& member, Nudges& nudges);
    [[nodiscard]] bool grant_one(Budget& budget, Nudges& nudges);
    static void mark(const Member& member);
    static void mark(Budget& budget);
    static void look_for_idle(const Member& member, Nudges& nudges);
    [[nodiscard]] static Wanters pressing(const Budget& budget);

    mutable std::mutex mutex_; // guards all of it
    Scope databases_;
    Scope users_;
    std::vector<std::unique_ptr<Member>> members_;
    std::uint64_t turn_ = 0;
};

} // namespace pgweir::pool
