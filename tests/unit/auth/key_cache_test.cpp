#include <pgweir/auth/key_cache.hpp>

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

using namespace pgweir;

namespace {

using Stats = auth::KeyCache::Stats;

const Bytes salt = as_bytes("sixteen bytes...");

} // namespace

TEST_CASE("auth/key_cache: the second time costs nothing and gives the same")
{
    auth::KeyCache cache;
    const auto keys = cache.get("pencil", salt, 2);

    CHECK(keys == auth::derive_scram_keys("pencil", salt, 2));
    CHECK(cache.get("pencil", salt, 2) == keys);
    CHECK(cache.stats() == Stats{.hits = 1, .misses = 1, .entries = 1});
}

TEST_CASE("auth/key_cache: another password, salt or count is another entry")
{
    auth::KeyCache cache;
    const auto keys = cache.get("pencil", salt, 2);

    CHECK(cache.get("pencils", salt, 2) != keys);
    CHECK(cache.get("pencil", salt.first(15), 2) != keys);
    CHECK(cache.get("pencil", salt, 3) != keys);
    CHECK(cache.stats() == Stats{.hits = 0, .misses = 4, .entries = 4});
}

TEST_CASE("auth/key_cache: where the salt ends and the password begins makes a difference")
{
    auth::KeyCache cache;
    const auto keys = cache.get("cd", as_bytes("ab"), 2);

    CHECK(cache.get("d", as_bytes("abc"), 2) != keys);
    CHECK(cache.get("bcd", as_bytes("a"), 2) != keys);
    CHECK(cache.stats() == Stats{.hits = 0, .misses = 3, .entries = 3});
}

TEST_CASE("auth/key_cache: what was not used for longest makes room")
{
    auth::KeyCache cache{2};
    static_cast<void>(cache.get("a", salt, 1));
    static_cast<void>(cache.get("b", salt, 1));
    static_cast<void>(cache.get("a", salt, 1)); // now "b" is the oldest
    static_cast<void>(cache.get("c", salt, 1));
    CHECK(cache.stats() == Stats{.hits = 1, .misses = 3, .entries = 2});

    static_cast<void>(cache.get("a", salt, 1));
    CHECK(cache.stats() == Stats{.hits = 2, .misses = 3, .entries = 2});
    static_cast<void>(cache.get("b", salt, 1));
    CHECK(cache.stats() == Stats{.hits = 2, .misses = 4, .entries = 2});
}

TEST_CASE("auth/key_cache: threads share it, and never see each other's keys")
{
    auth::KeyCache cache{3}; // less than there are passwords: so that they also evict
    std::vector<int> wrong(4, 0);
    std::vector<std::thread> threads;
    threads.reserve(wrong.size());
    for (int& mistakes : wrong) {
        threads.emplace_back([&cache, &mistakes] {
            for (int i = 0; i < 200; ++i) {
                const std::string password = std::to_string(i % 5);
                const auto keys = cache.get(password, salt, 1);
                if (keys != auth::derive_scram_keys(password, salt, 1)) ++mistakes;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();

    CHECK(wrong == std::vector<int>(4, 0));
    const auto stats = cache.stats();
    CHECK(stats.entries == 3);
    CHECK(stats.hits + stats.misses == 800);
}
