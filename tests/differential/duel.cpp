#include "differential/allowed_differences.hpp"
#include "differential/duel.hpp"
#include "differential/report.hpp"

#include <algorithm>
#include <stdexcept>

namespace pgweir::differential {

namespace {

bool are_equal(const Message& a, const Message& b) { return a.type == b.type && a.body == b.body; }

// Empty: they are the same.
std::optional<std::size_t> first_difference(
    const std::vector<Message>& a, const std::vector<Message>& b
)
{
    const auto [in_a, in_b] = std::ranges::mismatch(a, b, are_equal);
    if (in_a == a.end() && in_b == b.end()) return std::nullopt;
    return static_cast<std::size_t>(in_a - a.begin());
}

} // namespace

Duel::Duel(const Arena& arena, const Cast& cast, std::size_t servers, SessionStore& store)
    : store_{store}, arena_{arena}, cast_{cast}, holders_{cast.size(), servers}, pairs_(cast.size())
{
    for (std::size_t i = 0; i < cast_.size(); ++i) {
        if (!cast_[i].empty()) {
            pairs_[i].expected = store_.take(arena_.expected, cast_[i]);
        }
    }
}

bool Duel::log_in()
{
    for (std::size_t i = 0; i < cast_.size(); ++i) {
        if (!cast_[i].empty()) {
            pairs_[i].tested = std::make_unique<Session>(arena_.tested, cast_[i]);
        }
    }
    for (std::size_t i = 0; i < cast_.size(); ++i) {
        if (cast_[i].empty()) continue;
        Comparable expected = make_login_comparable(pairs_[i].expected->greeting(), arena_.rules);
        Comparable got = make_login_comparable(pairs_[i].tested->greeting(), arena_.rules);
        Step login;
        login.client = i;
        if (!compare(login, std::move(expected.replies), std::move(got.replies))) return false;
    }
    return true;
}

bool Duel::play(const Step& step)
{
    Pair& pair = pairs_[step.client];
    pair.expected->send(step.bytes);
    pair.tested->send(step.bytes);
    if (step.leaves) {
        pair.expected->leave();
        pair.tested->leave();
        return compare(step, {}, {});
    }
    Comparable expected = make_comparable(pair.expected->receive(step.ready_count), arena_.rules);
    Comparable got = make_comparable(
        pair.tested->receive(step.ready_count, pair.expected->notification_count()), arena_.rules
    );
    std::ranges::move(expected.notifications, std::back_inserter(expected.replies));
    std::ranges::move(got.notifications, std::back_inserter(got.replies));
    return compare(step, std::move(expected.replies), std::move(got.replies));
}

bool Duel::compare(const Step& step, std::vector<Message> expected, std::vector<Message> got)
{
    holders_.on_reply(step, expected);
    const std::optional<std::size_t> difference = first_difference(expected, got);
    history_.push_back({step, expected});
    const bool is_login = step.bytes.empty();
    if (!is_login && !expected.empty() && expected.back().type == remark) {
        throw std::runtime_error{
            "PostgreSQL itself has ended a session:\n" + conversation(history_, step.client)
        };
    }
    if (difference) mismatch_ = {step.client, std::move(expected), std::move(got), *difference};
    return !difference;
}

void Duel::end()
{
    for (Pair& pair : pairs_) {
        if (pair.tested) pair.tested->leave();
    }
    for (Pair& pair : pairs_) {
        if (pair.expected) store_.give_back(std::move(pair.expected));
        if (pair.tested) pair.tested->await_end();
    }
    pairs_.clear();
}

} // namespace pgweir::differential
