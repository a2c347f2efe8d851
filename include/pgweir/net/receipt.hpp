// Who asked for something that is done elsewhere, on other threads, and waits until it is over.
#pragma once

#include <functional>
#include <memory>
#include <utility>

namespace pgweir::net {

/// Each that still has to do with it keeps a copy. Null: nobody waits.
using Receipt = std::shared_ptr<const void>;

/// `over` is called when the last copy goes, on whichever thread: done, given up, or nothing to do.
[[nodiscard]] inline Receipt make_receipt(std::function<void()> over)
{
    return {nullptr, [over = std::move(over)](const void*) { over(); }};
}

} // namespace pgweir::net
