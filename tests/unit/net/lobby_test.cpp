#include <pgweir/net/lobby.hpp>

#include "support/run_task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace pgweir;
using namespace pgweir::net;
using namespace std::chrono_literals;

namespace {

constexpr int steps_of_login = 5;

struct House {
    asio::io_context io{1};
    Lobby lobby{io};
    std::vector<int> begun;
    std::vector<int> done;
    int in_progress_max = 0;

    Task<void> log_in(int guest, TimePoint deadline = TimePoint::max())
    {
        co_await lobby.wait(deadline);
        begun.push_back(guest);
        in_progress_max = std::max(in_progress_max, static_cast<int>(begun.size() - done.size()));
        for (int i = 0; i < steps_of_login; ++i) co_await asio::post(io, use_task);
        done.push_back(guest);
    }

    void arrive(int guest)
    {
        asio::co_spawn(io, log_in(guest), [](std::exception_ptr) {});
    }
};

} // namespace

TEST_CASE_FIXTURE(House, "net/lobby: who comes alone does not wait")
{
    arrive(1);
    io.run_one();
    CHECK(begun == std::vector<int>{1});
    io.run();
    CHECK(done == std::vector<int>{1});
}

TEST_CASE_FIXTURE(House, "net/lobby: of many, those who have begun are finished first")
{
    std::vector<int> all;
    for (int guest = 0; guest < 1'000; ++guest) {
        arrive(guest);
        all.push_back(guest);
    }
    io.run();
    CHECK(done == all);
    CHECK(in_progress_max <= steps_of_login + 2);
    CHECK(lobby.size() == 0);
}

TEST_CASE_FIXTURE(House, "net/lobby: who comes later finds it as it was")
{
    for (int guest = 0; guest < 10; ++guest) arrive(guest);
    io.run();
    io.restart();
    arrive(10);
    io.run_one();
    CHECK(begun.back() == 10);
    io.run();
    CHECK(done.size() == 11);
}

TEST_CASE_FIXTURE(House, "net/lobby: nobody waits past his deadline")
{
    for (int guest = 0; guest < 100; ++guest) arrive(guest);
    const TimePoint over = std::chrono::steady_clock::now() - 1s;
    asio::co_spawn(io, log_in(100, over), [](std::exception_ptr) {});
    io.run();
    CHECK(done.size() == 101);
    CHECK(done.back() != 100);
}
