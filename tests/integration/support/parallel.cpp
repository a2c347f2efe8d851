#include "integration/support/parallel.hpp"

#include <utility>

namespace pgweir::test {

Parallel::Parallel(int count, std::function<void(int)> work)
    : work_{std::move(work)}, running_{count}
{
    for (int i = 0; i < count; ++i) threads_.emplace_back([this, i] { run(i); });
}

void Parallel::join()
{
    threads_.clear();
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Parallel::run(int index)
{
    try {
        work_(index);
    } catch (...) {
        const std::scoped_lock lock{mutex_};
        if (!failure_) failure_ = std::current_exception();
    }
    --running_;
}

} // namespace pgweir::test
