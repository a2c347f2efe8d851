// The part of Shared that knows how many servers there may be.
#include <pgweir/pool/shared.hpp>

#include <algorithm>

namespace pgweir::pool {

namespace {

std::uint32_t least(std::uint32_t size, std::uint32_t cap)
{
    return cap == 0 ? size : std::min(size, cap);
}

} // namespace

void Shared::set_size(const Options& options)
{
    const std::uint32_t size = least(
        least(options.size, options.max_db_connections), options.max_user_connections
    );
    size_.store(size);
    if (budgets_ == nullptr) return set_bounds(size, size);
    Options within = options;
    within.size = size;
    budgets_->configure(*member_, within);
}

void Shared::join(
    Budgets& budgets, Party* party, const std::string& database, const std::string& user
)
{
    budgets_ = &budgets;
    member_ = &budgets.join(*this, party, database, user);
}

bool Shared::try_reserve(WorkerId worker, bool insists, Nudges& nudges)
{
    std::uint32_t seen = total_.load();
    if (seen >= size()) return false;
    if (budgets_ != nullptr && !budgets_->take(*member_, worker, insists, nudges)) return false;
    while (seen < size()) {
        if (total_.compare_exchange_weak(seen, seen + 1)) return true;
    }
    if (budgets_ != nullptr) budgets_->give_back(*member_, nudges);
    return false;
}

void Shared::unreserve(Nudges& nudges)
{
    total_.fetch_sub(1);
    if (budgets_ != nullptr) budgets_->give_back(*member_, nudges);
}

std::uint32_t Shared::lacking() const
{
    if (is_paused()) return 0;
    const std::uint32_t opening = this->opening();
    const std::uint32_t total = this->total();
    const std::uint32_t room = std::min(
        connect_parallel_max_.load() - std::min(opening, connect_parallel_max_.load()),
        size() - std::min(total, size())
    );
    const std::uint32_t first = is_first_awaited() && total == 0 ? 1 : 0;
    const std::uint32_t wanted = std::max(admissible(), first);
    return std::min(wanted - std::min(opening, wanted), room);
}

bool Shared::give_up(bool is_rested, Nudges& nudges)
{
    if (budgets_ == nullptr || !budgets_->give_up(*member_, is_rested, nudges)) return false;
    total_.fetch_sub(1);
    return true;
}

void Shared::return_unused(Nudges& nudges)
{
    if (budgets_ != nullptr) budgets_->return_unused(*member_, nudges);
}

std::vector<Budgets::Fullness> Shared::fullness() const
{
    if (budgets_ == nullptr) return {};
    return budgets_->fullness(*member_);
}

Budgets::Holding Shared::holding() const
{
    if (budgets_ == nullptr) return {total(), 0, 0};
    return budgets_->holding(*member_);
}

} // namespace pgweir::pool
