// Asks PostgreSQL about roles, for logins of users that the configuration does not know: over one
// connection for each place, which is none of a pool's and is closed when nobody asks any more.
#pragma once

#include <pgweir/auth/key_cache.hpp>
#include <pgweir/auth/role_desk.hpp>
#include <pgweir/net/asio.hpp>
#include <pgweir/net/channel.hpp>
#include <pgweir/net/names.hpp>
#include <pgweir/net/options.hpp>
#include <pgweir/net/server_login.hpp>
#include <pgweir/net/spawn.hpp>
#include <pgweir/net/waiters.hpp>
#include <pgweir/wire/messages.hpp>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace pgweir::net {

/// Belongs to one io_context, and must outlive its tasks, as must what it is given.
class RoleLookup {
public:
    RoleLookup(Executor executor, ContextCache& contexts, auth::KeyCache& keys, Names& names)
        : tasks_{std::move(executor)}, contexts_{contexts}, keys_{keys}, names_{names}
    {
    }

    /// What PostgreSQL says of `user` now. Not available: nobody could be asked until `deadline`.
    Task<auth::RoleAnswer> find(RoleSource source, std::string user, TimePoint deadline);
    /// What was answered, or not permitted, says nothing any more: there is a new configuration.
    void forget() { desks_.clear(); }

    void set_socket(const SocketOptions& socket) { socket_ = socket; }

private:
    using QuestionRef = auth::RoleDesk::QuestionRef;
    struct Desk {
        explicit Desk(RoleSource from) : source{std::move(from)} {}

        RoleSource source;
        auth::RoleDesk questions;
        std::unordered_map<QuestionRef, Waiters> waiters;
        std::shared_ptr<Timer> idle; // of who serves it and has nothing to do
        bool is_served = false;
    };
    using DeskRef = std::shared_ptr<Desk>;
    struct Asked {
        std::optional<auth::Role> role;
        wire::ErrorText error;
        bool is_lost = false;    // the connection is; else it can be used again
        bool is_refused = false; // our login was
    };

    [[nodiscard]] DeskRef desk_of(const RoleSource& source);
    Task<void> serve(DeskRef desk);
    Task<Asked> ask(const Desk* desk, const std::string* user, std::unique_ptr<Channel>* channel);
    Task<Asked> ask_over(Channel* channel, const std::string* query, const std::string* user);
    Task<bool> wait_for_work(DeskRef desk);
    static void conclude(Desk& desk, const QuestionRef& question, Asked asked);
    static void wake(Desk& desk, const QuestionRef& answered);

    Tasks tasks_;
    ContextCache& contexts_;
    auth::KeyCache& keys_;
    Names& names_;
    SocketOptions socket_;
    std::vector<DeskRef> desks_; // few: as many as there are upstreams
};

} // namespace pgweir::net
