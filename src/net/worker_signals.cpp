// The part of Worker that cancels and ends what clients of other workers do, for one of its own.
#include <pgweir/net/pool.hpp>
#include <pgweir/net/worker.hpp>

#include <utility>

namespace pgweir::net {

std::optional<session::Clientele::Member> SystemClients::find(std::uint32_t process_id) const
{
    const auto client = front_door_.find_client(process_id);
    if (!client) return std::nullopt;
    const Upstream theirs = client->pool->upstream();
    const Upstream ours = pool_.upstream();
    const bool is_same_system = theirs.hosts == ours.hosts
                                && theirs.target_session_attrs == ours.target_session_attrs;
    if (!is_same_system) return std::nullopt;
    const std::string& role = client->pool->name().user;
    return Member{client->id, role, role == pool_.name().user};
}

// Like PostgreSQL's functions, which return when the signal is sent.
void Worker::give_signal(const session::Signal& signal, ClientId sender)
{
    Receipt receipt = make_receipt([this, sender] {
        post([sender](Worker& home) {
            ClientSession* const waiting = home.find_client(sender);
            if (waiting != nullptr) waiting->signalled();
        });
    });
    pass_on({signal, std::move(receipt)}, WorkerId{0});
}

void Worker::pass_on(const Errand& errand, WorkerId worker)
{
    workers_[index_of(worker)]->post([errand](Worker& at) { at.run_errand(errand); });
}

// From worker to worker until it is done, and once more when its client was on the way from one to
// another.
void Worker::run_errand(const Errand& errand)
{
    const ClientId to = errand.signal.to;
    ClientSession* const session = find_client(to);
    if (session == nullptr) {
        const WorkerId next{index_of(id_) + 1};
        if (index_of(next) < workers_.size()) return pass_on(errand, next);
        const auto found = front_door_.find_client(process_id_of(to));
        if (found && found->id == to) pass_on(errand, WorkerId{0});
    } else if (errand.signal.terminates) {
        session->terminate();
    } else {
        cancel_client(to, errand.receipt);
    }
}

} // namespace pgweir::net
