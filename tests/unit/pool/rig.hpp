// Two workers of a pool, and what their cores want done, as text.
#pragma once

#include <pgweir/pool/core.hpp>

#include "unit/pool/places.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <variant>

namespace pgweir::pool {

using namespace std::chrono_literals;

inline constexpr TimePoint t0 = TimePoint{} + 1h;
inline constexpr WorkerId w0{0};
inline constexpr WorkerId w1{1};

struct NamedSlot : Slot {
    explicit NamedSlot(std::string given) : name{std::move(given)} {}
    std::string name;
};

inline std::string name_of(const Slot* slot)
{
    return slot == nullptr ? "nobody" : static_cast<const NamedSlot*>(slot)->name;
}

inline std::string text(WorkerId worker, ClientId client)
{
    return "c" + std::to_string(static_cast<std::uint64_t>(client)) + " on w"
           + std::to_string(index_of(worker));
}

inline std::string text(CloseReason reason)
{
    switch (reason) {
    case CloseReason::idle_too_long: return "idle too long";
    case CloseReason::too_old: return "too old";
    case CloseReason::over_size: return "over size";
    case CloseReason::evicted: return "evicted";
    case CloseReason::unwanted: return "unwanted";
    }
    return "?";
}

inline std::string text(const Open& /*command*/) { return "open"; }
inline std::string text(const Close& c)
{
    return "close " + name_of(c.slot) + ": " + text(c.reason);
}
inline std::string text(const Grant& c)
{
    return "grant " + name_of(c.slot) + " to " + text(c.to.worker, c.to.client);
}
inline std::string text(const Refuse& c)
{
    return "refuse " + text(c.worker, c.client) + ": " + make_error_code(c.reason).message();
}
inline std::string text(const Ask& c) { return "ask w" + std::to_string(index_of(c.worker)); }

inline std::string text(const Nudge& c) { return "nudge w" + std::to_string(index_of(c.worker)); }

template <class... Lines>
std::string lines(const Lines&... each)
{
    return (std::string{} + ... + (std::string{each} + "\n"));
}

/// Everything the core wants done now, one command a line: it reads well when it differs.
inline std::string commands(Core& core)
{
    std::string all;
    while (core.has_commands()) {
        all += std::visit([](const auto& c) { return text(c); }, core.next_command()) + "\n";
    }
    return all;
}

/// Two workers, some clients of each, and servers to be used in this order.
struct Rig {
    explicit Rig(const Options& initial) : options{initial} {}

    void configure(const Options& changed)
    {
        shared.configure(changed);
        first.configure(changed);
        second.configure(changed);
    }

    /// Opened by the first worker, and idle there.
    void open(Slot& slot, TimePoint now = t0)
    {
        REQUIRE(shared.try_start_open());
        REQUIRE(reserve(shared));
        first.opened(slot, now);
    }

    std::string acquire(Core& core, Waiter& waiter, TimePoint now, std::uint64_t hash = 0)
    {
        return acquire(core, waiter, now, Core::Request{ClassId::none, hash});
    }
    std::string acquire(Core& core, Waiter& waiter, TimePoint now, const Core::Request& request)
    {
        const auto answer = core.acquire(waiter, now, request);
        if (answer.error) return answer.error.message();
        return answer.slot != nullptr ? name_of(answer.slot) : "wait";
    }

    ~Rig()
    {
        for (Waiter* waiter : {&c1, &c2, &c3, &c4}) shared.withdraw(*waiter);
    }

    Options options;
    Shared shared{2, options};
    Core first{shared, w0, options};
    Core second{shared, w1, options};
    NamedSlot s1{"s1"};
    NamedSlot s2{"s2"};
    NamedSlot s3{"s3"};
    Waiter c1{ClientId{1}, w0};
    Waiter c2{ClientId{2}, w0};
    Waiter c3{ClientId{3}, w1};
    Waiter c4{ClientId{4}, w1};
};

} // namespace pgweir::pool
