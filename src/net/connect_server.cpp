#include <pgweir/net/connect.hpp>
#include <pgweir/net/server_login.hpp>
#include <pgweir/net/target.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <utility>

namespace pgweir::net {

using wire::ErrorText;
using Clock = std::chrono::steady_clock;

namespace {

// What libpq goes on for: nobody is there, or it is starting or stopping. Any other answer, a wrong
// password for example, would be the same elsewhere.
bool is_final(const ConnectOutcome& outcome)
{
    return outcome.has_answered && !outcome.error.sqlstate.starts_with("57P0");
}

std::uint64_t random_seed() { return std::random_device{}(); }

/// One look for a server among all hosts of an upstream.
class ServerSearch {
public:
    ServerSearch(ConnectRequest request, ContextCache& contexts, auth::KeyCache& keys, Names& names)
        : request_{std::move(request)}, contexts_{contexts}, keys_{keys}, names_{names}
    {
    }

    Task<ConnectOutcome> run();

private:
    enum class Verdict { next_address, next_host, done };

    Task<Verdict> try_host(HostPort host, TimePoint deadline);
    Task<Verdict> try_address(Address address, HostPort host, TimePoint deadline);
    Verdict judge(ConnectOutcome outcome);
    void note(ErrorText error);

    ConnectRequest request_;
    ContextCache& contexts_;
    auth::KeyCache& keys_;
    Names& names_;
    ConnectOutcome found_;
    ConnectOutcome second_best_; // for prefer-standby: a primary
    ErrorText problem_;          // of all hosts together
};

Task<ConnectOutcome> ServerSearch::run()
{
    const std::vector<HostPort> hosts = host_order(request_.upstream, request_.last, random_seed());
    std::size_t left = hosts.size();
    for (const HostPort& host : hosts) {
        const TimePoint deadline = share_of(Clock::now(), request_.deadline, left--);
        if (co_await try_host(host, deadline) == Verdict::done) co_return std::move(found_);
    }
    if (second_best_.server) co_return std::move(second_best_);
    if (hosts.empty()) problem_ = {"FATAL", "08006", "the upstream names no host", {}, {}};
    found_.error = std::move(problem_);
    co_return std::move(found_);
}

Task<ServerSearch::Verdict> ServerSearch::try_host(HostPort host, TimePoint deadline)
{
    Resolved resolved = co_await names_.find(host, deadline);
    if (resolved.addresses.empty()) note({"FATAL", "08006", resolved.problem, {}, {}});
    if (request_.upstream.balances_hosts) {
        std::ranges::shuffle(resolved.addresses, std::mt19937_64{random_seed()});
    }
    std::size_t left = resolved.addresses.size();
    for (const Address& address : resolved.addresses) {
        const TimePoint until = share_of(
            Clock::now(), deadline, left--, request_.upstream.connect_timeout
        );
        const Verdict verdict = co_await try_address(address, host, until);
        if (verdict != Verdict::next_address) co_return verdict;
    }
    co_return Verdict::next_host;
}

Task<ServerSearch::Verdict> ServerSearch::try_address(
    Address address, HostPort host, TimePoint deadline
)
{
    ConnectRequest request = request_;
    request.deadline = deadline;
    ConnectOutcome outcome = co_await log_in(
        address, std::move(host), std::move(request), contexts_, keys_
    );
    co_return judge(std::move(outcome));
}

ServerSearch::Verdict ServerSearch::judge(ConnectOutcome outcome)
{
    if (!outcome.server) {
        if (is_final(outcome)) {
            found_ = std::move(outcome);
            return Verdict::done;
        }
        note(std::move(outcome.error));
        return outcome.has_answered ? Verdict::next_host : Verdict::next_address;
    }
    OpenedServer& server = *outcome.server;
    const SessionAttrs wanted = request_.upstream.target_session_attrs;
    const std::string_view why_not = objection(wanted, server.role);
    if (why_not.empty()) {
        found_ = std::move(outcome);
        return Verdict::done;
    }
    if (wanted == SessionAttrs::prefer_standby && !second_best_.server) {
        second_best_ = std::move(outcome); // it stays open until it is known whether it is needed
        return Verdict::next_host;
    }
    note(
        {"FATAL",
         "57P03",
         "server at " + server.cancel.address.to_string() + ": " + std::string{why_not},
         {},
         {}}
    );
    Buffer good_bye;
    wire::append_empty(good_bye, wire::client_type::terminate);
    static_cast<void>(server.stream.write(good_bye));
    return Verdict::next_host;
}

// What one of them says for itself says more than that others are not there.
void ServerSearch::note(ErrorText error)
{
    if (problem_.message.empty()) {
        problem_ = std::move(error);
        return;
    }
    problem_.message += "; " + error.message;
    if (problem_.sqlstate == "08006") problem_.sqlstate = std::move(error.sqlstate);
    if (problem_.detail.empty()) problem_.detail = std::move(error.detail);
    if (problem_.hint.empty()) problem_.hint = std::move(error.hint);
}

} // namespace

// In a function of its own: the search must live as long as its tasks.
Task<ConnectOutcome> connect_server(
    ConnectRequest request, ContextCache& contexts, auth::KeyCache& keys, Names& names
)
{
    ServerSearch search{std::move(request), contexts, keys, names};
    co_return co_await search.run();
}

Task<void> cancel_on_server(CancelTarget target, TimePoint deadline, ContextCache& contexts)
{
    const auto executor = co_await asio::this_coro::executor;
    ConnectRequest request;
    request.upstream = target.upstream;
    request.deadline = deadline;
    Connected connected = co_await connect_to(
        executor, target.address, target.place.host, request, contexts
    );
    if (!connected.channel) co_return;
    Buffer packet;
    wire::append_cancel_request(packet, target.process_id, target.secret);
    if (co_await connected.channel->write(std::move(packet))) co_return;
    // PostgreSQL answers by closing, once the signal is sent.
    static_cast<void>(co_await connected.channel->read_single_byte());
}

} // namespace pgweir::net
