// Places of a pool without budgets.
#pragma once

#include <pgweir/pool/shared.hpp>

namespace pgweir::pool {

inline bool reserve(Shared& shared)
{
    Nudges nudges;
    return shared.try_reserve(WorkerId{0}, false, nudges);
}

inline void unreserve(Shared& shared)
{
    Nudges nudges;
    shared.unreserve(nudges);
}

} // namespace pgweir::pool
