#include <pgweir/auth/role_desk.hpp>

#include <utility>

namespace pgweir::auth {

RoleDesk::QuestionRef RoleDesk::ask(TimePoint now, std::string_view user)
{
    std::string name{user};
    if (is_in_trouble(now)) {
        RoleAnswer answer = answer_in_trouble(now, name);
        return std::make_shared<Question>(Question{std::move(name), std::move(answer)});
    }
    const auto waiting = waiting_.find(name);
    if (waiting != waiting_.end()) return waiting->second;
    auto question = std::make_shared<Question>(Question{name, std::nullopt});
    waiting_.emplace(std::move(name), question);
    queue_.push_back(question);
    return question;
}

RoleDesk::QuestionRef RoleDesk::next()
{
    if (queue_.empty()) return nullptr;
    QuestionRef question = std::move(queue_.front());
    queue_.pop_front();
    waiting_.erase(question->user);
    return question;
}

void RoleDesk::answer(TimePoint now, Question& sent, std::optional<Role> role)
{
    trouble_ = Trouble::none;
    remember(now, sent.user, role);
    sent.answer = RoleAnswer{.role = std::move(role)};
}

bool RoleDesk::fail(TimePoint now, Question& sent)
{
    return begin_trouble(now, now + pause, Trouble::failed, sent);
}

bool RoleDesk::refuse(TimePoint now, Question& sent, Duration for_how_long)
{
    return begin_trouble(now, now + for_how_long, Trouble::refused, sent);
}

bool RoleDesk::begin_trouble(TimePoint now, TimePoint until, Trouble trouble, Question& sent)
{
    const bool is_news = std::exchange(trouble_, trouble) != trouble;
    trouble_until_ = until;
    sent.answer = answer_in_trouble(now, sent.user);
    while (const QuestionRef other = next()) other->answer = answer_in_trouble(now, other->user);
    return is_news;
}

RoleAnswer RoleDesk::answer_in_trouble(TimePoint now, const std::string& user) const
{
    if (trouble_ == Trouble::refused) return {.is_refused = true, .role = {}};
    const auto found = memory_of_.find(user);
    if (found == memory_of_.end() || now >= found->second->since + remembered_for) {
        return {.is_available = false, .role = {}};
    }
    return {.role = found->second->role};
}

void RoleDesk::remember(TimePoint now, const std::string& user, const std::optional<Role>& role)
{
    const auto found = memory_of_.find(user);
    if (found != memory_of_.end()) {
        memories_.erase(found->second);
        memory_of_.erase(found);
    }
    if (!role) return;
    memories_.push_front({user, *role, now});
    memory_of_.emplace(user, memories_.begin());
    if (memories_.size() <= remembered_max) return;
    memory_of_.erase(memories_.back().user);
    memories_.pop_back();
}

} // namespace pgweir::auth
