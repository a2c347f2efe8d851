// A queue that is always too long, and clients that give up in it.
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <list>
#include <string>

using namespace pgweir::test;

namespace {

/// One server, which somebody has, and clients that wait for it.
class Queue {
public:
    explicit Queue(const std::string& target)
        : pgweir{{
              .flags =
                  {"--pool-size",
                   "1",
                   "--set",
                   "pool.queue_target=" + target,
                   "--set",
                   "pool.quick_reserve=0",
                   "--set",
                   "pool.queue_interval=50ms",
                   "--set",
                   "pool.queue_timeout=1s"},
          }},
          holder{pgweir.connect()}
    {
        CHECK(holder.query("CREATE TEMP TABLE its_server_is_kept ()").sqlstate().empty());
    }

    Connection& join(const std::string& sql)
    {
        Connection& client = clients_.emplace_back(pgweir.connect());
        client.send(sql);
        client.flush();
        pgweir.wait_for_waiting(++waiting_);
        return client;
    }
    void give_up()
    {
        {
            Connection hasty = pgweir.connect();
            hasty.send("SELECT 5");
            hasty.flush();
            pgweir.wait_for_waiting(waiting_ + 1);
        }
        pgweir.wait_for_waiting(waiting_);
    }
    void release_after(const std::string& seconds)
    {
        CHECK(holder.query("SELECT pg_sleep(" + seconds + ")").sqlstate().empty());
        CHECK(holder.query("DROP TABLE its_server_is_kept").sqlstate().empty());
    }

    Pgweir pgweir;
    Connection holder;

private:
    std::list<Connection> clients_;
    int waiting_ = 0;
};

// Its place in the order of being served; then it keeps the server for some time.
std::string told_after(const std::string& seconds)
{
    return "SELECT extract(epoch FROM clock_timestamp()) FROM pg_sleep(" + seconds + ")";
}

double served(Connection& client) { return std::stod(client.only_result().text()); }

} // namespace

TEST_CASE(
    "integration/overload: when all wait too long and some give up, the newest go first, and who "
    "is "
    "left behind is told"
    * pooler_only()
)
{
    Queue queue{"100ms"};
    Connection& first = queue.join(told_after("0.2"));
    Connection& second = queue.join(told_after("0.2"));
    Connection& third = queue.join(told_after("0.2"));
    Connection& last = queue.join(told_after("3"));
    queue.give_up();
    queue.release_after("0.2");

    const double at_first = served(first);
    CHECK(at_first < served(second));
    const Result refused = third.only_result();
    CHECK(refused.sqlstate() == "53300");
    CHECK_FALSE(refused.field(PG_DIAG_MESSAGE_DETAIL).empty());
    CHECK_FALSE(refused.field(PG_DIAG_MESSAGE_HINT).empty());
    CHECK(queue.pgweir.metrics().find("pgweir_waiters_shed_total") != std::string::npos);
    CHECK(served(last) > at_first);
    CHECK(third.query("SELECT 'served'").text() == "served");
}

TEST_CASE(
    "integration/overload: as long as nobody gives up, all are served in their order"
    * pooler_only()
)
{
    Queue queue{"100ms"};
    Connection& first = queue.join(told_after("0.2"));
    Connection& second = queue.join(told_after("0.2"));
    Connection& third = queue.join(told_after("1.5"));
    Connection& last = queue.join("SELECT extract(epoch FROM clock_timestamp())");
    queue.release_after("0.2");

    const double at_first = served(first);
    const double at_second = served(second);
    const double at_third = served(third);
    CHECK(at_first < at_second);
    CHECK(at_second < at_third);
    CHECK(at_third < served(last));
}
