#include <pgweir/pool/placement.hpp>

#include <algorithm>
#include <functional>
#include <numeric>
#include <tuple>

namespace pgweir::pool {

namespace {

constexpr std::uint32_t everybody = 100; // percent

// Room for a client whose load nobody knows yet.
bool has_room(const WorkerLoad& worker, std::uint32_t load_max)
{
    return worker.percent < load_max * 2 / 3;
}

// Half of what makes a worker share: what was put together does not fall apart at once.
bool fit_together(const WorkerLoad& one, const WorkerLoad& other, std::uint32_t load_max)
{
    return one.percent + other.percent < load_max / 2;
}

// The first worker below `self` that could do the work of both.
std::optional<WorkerId> merges_into(
    std::span<const WorkerLoad> workers, std::uint32_t self, std::uint32_t load_max
)
{
    if (workers[self].clients == 0) return std::nullopt;
    for (std::uint32_t i = 0; i < self; ++i) {
        if (fit_together(workers[i], workers[self], load_max)) return WorkerId{i};
    }
    return std::nullopt;
}

} // namespace

// What was published is a moment old: workers that are about equally busy take turns by the number
// of their clients, so that a rush of logins does not go to one of them.
WorkerId worker_for_client(std::span<const WorkerLoad> workers, std::uint32_t load_max)
{
    constexpr std::uint32_t about = 10; // percent

    std::uint32_t least = 0;
    for (std::uint32_t i = 0; i < workers.size(); ++i) {
        if (has_room(workers[i], load_max)) return WorkerId{i};
        const auto rank = [&](const WorkerLoad& worker) {
            return std::tuple{worker.percent / about, worker.clients};
        };
        if (rank(workers[i]) < rank(workers[least])) least = i;
    }
    return WorkerId{least};
}

std::vector<ClientId> choose_clients(std::vector<ClientWork> clients, const Handover& handover)
{
    constexpr std::size_t count_max = 128;

    std::uint64_t all = 0;
    for (const ClientWork& each : clients) all += each.work;
    std::uint64_t budget = all * handover.percent / 100;
    std::ranges::stable_sort(clients, std::greater{}, &ClientWork::work);

    std::vector<ClientId> chosen;
    for (const ClientWork& each : clients) {
        if (chosen.size() == count_max) break;
        const bool is_wanted = each.work > 0 || handover.percent >= everybody;
        if (each.is_bound || !is_wanted || each.work > budget) continue;
        budget -= each.work;
        chosen.push_back(each.client);
    }
    return chosen;
}

Balance::Verdict Balance::look(std::span<const WorkerLoad> workers, TimePoint now)
{
    auto handover = spread(workers);
    Aim aim = handover ? Aim::spread : Aim::none;
    if (!handover) {
        handover = merge(workers);
        if (handover) aim = Aim::merge;
    }
    const Duration patience = aim == Aim::spread ? spread_patience : merge_patience;
    const bool is_new = aim != aim_;
    const bool is_due = !is_new && aim != Aim::none && now - since_ >= patience;
    if (!is_new && !is_due) return {};

    aim_ = aim;
    since_ = now; // also after a handover: first see what it has done
    return {.starts_counting = aim != Aim::none, .handover = is_due ? handover : std::nullopt};
}

std::optional<Handover> Balance::spread(std::span<const WorkerLoad> workers) const
{
    const std::uint32_t own = workers[index_of(self_)].percent;
    if (own <= load_max_) return std::nullopt;
    std::vector<std::uint32_t> busiest_first(workers.size());
    std::iota(busiest_first.begin(), busiest_first.end(), 0U);
    std::ranges::sort(busiest_first, std::greater{}, [&](std::uint32_t i) {
        return std::tuple{workers[i].percent, i}; // of the idle ones the lowest comes last
    });
    const auto place = std::ranges::find(busiest_first, index_of(self_)) - busiest_first.begin();
    const std::uint32_t partner = *(busiest_first.end() - 1 - place);
    const std::uint32_t theirs = workers[partner].percent;
    if (own < theirs + gap_min) return std::nullopt;
    return Handover{WorkerId{partner}, (own - theirs) * 100 / 2 / own};
}

std::optional<Handover> Balance::merge(std::span<const WorkerLoad> workers) const
{
    const std::uint32_t self = index_of(self_);
    for (auto i = static_cast<std::uint32_t>(workers.size()) - 1; i > self; --i) {
        if (merges_into(workers, i, load_max_)) return std::nullopt; // its turn comes first
    }
    const auto to = merges_into(workers, self, load_max_);
    if (!to) return std::nullopt;
    return Handover{*to, everybody};
}

} // namespace pgweir::pool
