#include <pgweir/session/channels.hpp>

#include <pgweir/session/sql_lexer.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace pgweir::session {

namespace {

void append_each(std::string& sql, std::string_view command, const Channels& channels)
{
    for (const std::string& name : channels) {
        if (!sql.empty()) sql += "; ";
        sql += command;
        sql += ' ';
        append_identifier(sql, name);
    }
}

} // namespace

ChannelsRef make_channels(std::vector<std::string> names)
{
    if (names.empty()) return nullptr;
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return std::make_shared<const Channels>(std::move(names));
}

const Channels& all_of(const ChannelsRef& channels)
{
    static const Channels none;
    return channels ? *channels : none;
}

bool same_channels(const ChannelsRef& a, const ChannelsRef& b)
{
    return a == b || (a && b && *a == *b);
}

bool contains(const Channels& channels, std::string_view name)
{
    return std::binary_search(channels.begin(), channels.end(), name);
}

bool contains_all(const Channels& channels, const Channels& others)
{
    return std::ranges::includes(channels, others);
}

Channels without(const Channels& channels, const Channels& others)
{
    Channels left;
    std::ranges::set_difference(channels, others, std::back_inserter(left));
    return left;
}

Channels common(const Channels& channels, const Channels& others)
{
    Channels both;
    std::ranges::set_intersection(channels, others, std::back_inserter(both));
    return both;
}

Channels together(const Channels& channels, const Channels& others)
{
    Channels all;
    std::ranges::set_union(channels, others, std::back_inserter(all));
    return all;
}

// PostgreSQL does all of it at once, when the transaction commits: what is in both is never
// interrupted.
std::string listen_sql(const Channels& from, const Channels& to)
{
    const Channels gone = without(from, to);
    std::string sql;
    if (!gone.empty() && gone.size() == from.size()) {
        sql = "UNLISTEN *";
    } else {
        append_each(sql, "UNLISTEN", gone);
    }
    append_each(sql, "LISTEN", without(to, from));
    return sql;
}

} // namespace pgweir::session
