// The part of Core that chooses among idle servers.
#include <pgweir/pool/core.hpp>

#include <algorithm>

namespace pgweir::pool {

// A server whose settings fit needs no SET; further down than this it is not worth the search.
Slot* Core::take_idle(const Request& request, TimePoint now)
{
    const auto bottom = idle_.rbegin()
                        + static_cast<std::ptrdiff_t>(std::min<std::size_t>(idle_.size(), 32));
    // By its address: it may be gone.
    auto chosen = std::ranges::find(idle_.rbegin(), bottom, request.last);
    const bool has_last = chosen != bottom && (*chosen)->state_hash == request.state_hash;
    if (!has_last) chosen = choose_idle(request.state_hash, now);

    Slot* const slot = *chosen;
    idle_.erase(std::next(chosen).base());
    publish();
    return slot;
}

// The one that was used last, but for those whose client may be back in a moment: it would miss
// what only that server has of its session. If there are no others, the one that is longest idle.
std::vector<Slot*>::reverse_iterator Core::choose_idle(std::uint64_t state_hash, TimePoint now)
{
    constexpr Duration moment = std::chrono::milliseconds{20};
    constexpr std::size_t depth = 8;

    const auto bottom = idle_.rbegin() + static_cast<std::ptrdiff_t>(std::min(idle_.size(), depth));
    auto best = idle_.rbegin();
    bool best_fits = false;
    for (auto each = idle_.rbegin(); each != bottom; ++each) {
        const bool fits = (*each)->state_hash == state_hash;
        if (best_fits && !fits) continue;
        const bool is_left = now - (*each)->idle_since >= moment;
        if (fits && is_left) return each;
        const bool best_is_left = now - (*best)->idle_since >= moment;
        if (fits != best_fits || !best_is_left) best = each;
        best_fits = fits;
    }
    return best;
}

} // namespace pgweir::pool
