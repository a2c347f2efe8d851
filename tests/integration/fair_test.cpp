// Who floods a pool takes nothing from other applications.
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <list>
#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

/// One server, which somebody keeps while clients queue for it.
class Crowd {
public:
    explicit Crowd(std::vector<std::string> settings)
        : pgweir{{.flags = flags(std::move(settings))}}, holder_{pgweir.connect()}
    {
    }

    void keep_server()
    {
        CHECK(holder_.query("CREATE TEMP TABLE its_server_is_kept ()").sqlstate().empty());
    }
    /// `surplus`: of those who wait, for whom there is no room then.
    void join(const std::string& application, int count, int surplus = 0)
    {
        for (int i = 0; i < count; ++i) {
            join(application, pgweir.connect("application_name=" + application));
        }
        waiting_ += count - surplus;
        pgweir.wait_for_waiting(waiting_);
    }
    void join(const std::string& name, Connection connection)
    {
        Client& client = clients_.emplace_back(Client{name, std::move(connection)});
        client.connection.send("SELECT extract(epoch FROM clock_timestamp())");
        client.connection.flush();
    }
    /// Whose they were, in the order in which they were served. Who was refused is first.
    std::vector<std::string> serve()
    {
        CHECK(holder_.query("DROP TABLE its_server_is_kept").sqlstate().empty());
        std::vector<std::pair<double, std::string>> served;
        for (Client& client : clients_) {
            const Result result = client.connection.only_result();
            if (result.sqlstate().empty()) {
                served.emplace_back(std::stod(result.text()), client.name);
            } else {
                CHECK(result.sqlstate() == "53300");
                served.emplace_back(0, "no " + client.name);
            }
            CHECK(client.connection.query("SELECT 1").text() == "1"); // its session lives on
        }
        std::ranges::sort(served);
        std::vector<std::string> names;
        for (const auto& [time, name] : served) names.push_back(name);
        return names;
    }

    Pgweir pgweir;

private:
    struct Client {
        std::string name;
        Connection connection;
    };

    static std::vector<std::string> flags(std::vector<std::string> settings)
    {
        std::vector<std::string> all{"--pool-size", "1", "--set", "pool.quick_reserve=0"};
        for (std::string& setting : settings) {
            all.emplace_back("--set");
            all.push_back(std::move(setting));
        }
        return all;
    }

    Connection holder_;
    std::list<Client> clients_;
    int waiting_ = 0;
};

std::ptrdiff_t place_of_last(const std::vector<std::string>& names, const std::string& name)
{
    return names.rend() - std::find(names.rbegin(), names.rend(), name);
}

} // namespace

TEST_CASE(
    "integration/fair: an application that floods a pool is not served before others"
    * pooler_only()
)
{
    Crowd crowd{{}};
    crowd.keep_server();
    crowd.join("flood", 40);
    crowd.join("web", 3);
    const auto names = crowd.serve();
    REQUIRE(names.size() == 43);
    CHECK(names[1] == "web");
    CHECK(place_of_last(names, "web") < 30); // they take turns, by the time that each has taken
}

TEST_CASE("integration/fair: without groups it is first come, first served" * pooler_only())
{
    Crowd crowd{{"pool.fair_by=none"}};
    crowd.keep_server();
    crowd.join("flood", 10);
    crowd.join("web", 1);
    CHECK(crowd.serve().back() == "web");
}

TEST_CASE("integration/fair: all that comes from one address may be one group" * pooler_only())
{
    Crowd crowd{{"pool.fair_by=address", "pool.fair_weights=127.0.0.0/8=4,::1=4,unix=4"}};
    crowd.keep_server();
    crowd.join("flood", 10);
    crowd.join("web", 1);
    CHECK(crowd.serve().back() == "web");
}

TEST_CASE("integration/fair: who changes his name changes his group" * pooler_only())
{
    Crowd crowd{{}};
    Connection renamed = crowd.pgweir.connect("application_name=flood");
    REQUIRE(renamed.query("SET application_name = 'web'").sqlstate().empty());
    crowd.keep_server();
    crowd.join("flood", 10);
    crowd.join("renamed", std::move(renamed));
    crowd.join("web", 0, -1);
    CHECK(crowd.serve()[1] == "renamed");
}

TEST_CASE("integration/fair: a flood that fills the queue gives way to others" * pooler_only())
{
    Crowd crowd{{"pool.max_waiting=5"}};
    crowd.keep_server();
    crowd.join("flood", 5);
    Connection late = crowd.pgweir.connect("application_name=flood");
    CHECK(late.query("SELECT 1").sqlstate() == "53300");
    crowd.join("web", 2, 2);
    const auto names = crowd.serve();
    CHECK(std::ranges::count(names, "web") == 2);
    CHECK(std::ranges::count(names, "flood") == 3);
    CHECK(std::ranges::count(names, "no flood") == 2);
}
