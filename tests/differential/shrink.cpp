#include "differential/shrink.hpp"

#include <algorithm>

namespace pgweir::differential {

namespace {

std::vector<Step> without_client(const std::vector<Step>& steps, std::size_t client)
{
    std::vector<Step> rest;
    std::ranges::copy_if(steps, std::back_inserter(rest), [&](const Step& step) {
        return step.client != client;
    });
    return rest;
}

std::vector<Step> without_range(const std::vector<Step>& steps, std::size_t at, std::size_t size)
{
    std::vector<Step> rest = steps;
    const auto first = rest.begin() + static_cast<std::ptrdiff_t>(at);
    rest.erase(first, first + static_cast<std::ptrdiff_t>(std::min(size, rest.size() - at)));
    return rest;
}

} // namespace

std::vector<Step> shrink(
    std::vector<Step> steps,
    const std::function<bool(const std::vector<Step>&)>& fails,
    std::size_t attempts_max
)
{
    std::size_t attempts = 0;
    // True: it was still a failure, and `steps` is the shorter one now.
    const auto keep_if_fails = [&](std::vector<Step> shorter) {
        const bool changes = shorter.size() < steps.size() && !shorter.empty();
        if (!changes || attempts++ >= attempts_max || !fails(shorter)) return false;
        steps = std::move(shorter);
        return true;
    };

    std::size_t clients = 0;
    for (const Step& step : steps) clients = std::max(clients, step.client + 1);
    for (std::size_t i = 0; i < clients; ++i) {
        static_cast<void>(keep_if_fails(without_client(steps, i)));
    }
    for (std::size_t size = std::max<std::size_t>(steps.size() / 2, 1); size > 0; size /= 2) {
        for (std::size_t at = 0; at < steps.size();) {
            if (!keep_if_fails(without_range(steps, at, size))) at += size;
        }
    }
    return steps;
}

} // namespace pgweir::differential
