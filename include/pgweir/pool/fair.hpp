// Groups of clients of one pool, which share its servers by weight while they compete for them.
#pragma once

#include <pgweir/base/clock.hpp>

#include <cstdint>

namespace pgweir::pool {

/// What makes clients a group.
enum class FairBy : std::uint8_t {
    none, // all of them are one
    application_name,
    address,
};

/// What a group is known by: a hash of its name.
enum class GroupId : std::uint32_t { none = 0 };

inline constexpr std::uint32_t weight_max = 1'000;

struct Group {
    GroupId id = GroupId::none;
    std::uint32_t weight = 1;

    friend bool operator==(const Group&, const Group&) = default;
};

/// What a group was charged for a server, before it is known how long it has it.
struct Charge {
    GroupId group = GroupId::none;
    std::uint32_t micros = 0; // none: nobody competed
};

} // namespace pgweir::pool
