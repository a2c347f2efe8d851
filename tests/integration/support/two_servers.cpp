#include "integration/support/two_servers.hpp"

namespace pgweir::test {

namespace {

Start two_servers(const std::vector<std::string>& flags)
{
    Start start{.flags = {"--pool-size", "2", "--workers", "1"}};
    start.flags.insert(start.flags.end(), flags.begin(), flags.end());
    return start;
}

} // namespace

TwoServers::TwoServers(const std::vector<std::string>& flags) : pgweir{two_servers(flags)} {}

Connection TwoServers::hold(int pid) const
{
    Connection holder = connect();
    holder.query("BEGIN");
    if (holder.backend_pid() == pid) return holder;
    Connection second = connect(); // there is only one left
    second.query("BEGIN");
    REQUIRE(second.backend_pid() == pid);
    return second;
}

std::string TwoServers::everywhere(Connection& client, const std::string& sql) const
{
    if (is_direct()) return client.query(sql).text();
    const int here = client.backend_pid();
    std::string answer;
    int there = 0;
    {
        const Connection holder = hold(here);
        there = client.backend_pid();
        REQUIRE(there != here);
        answer = client.query(sql).text();
    }
    const Connection holder = hold(there);
    REQUIRE(client.backend_pid() == here);
    const std::string other_answer = client.query(sql).text();
    return other_answer == answer ? answer : answer + " / " + other_answer;
}

} // namespace pgweir::test
