#include <pgweir/config/rows.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace pgweir;
using namespace pgweir::config;

namespace {

template <class Owner>
void check_rows(std::span<const Row<Owner>> rows)
{
    std::set<std::string_view> keys;
    for (const auto& row : rows) {
        CAPTURE(row.key);
        CHECK(keys.insert(row.key).second);
        CHECK(row.setting.meaning.ends_with('.'));
        CHECK(row.setting.meaning.size() > 20);

        // A default that its own range refuses could not be written down.
        Owner defaults{};
        const Field field = row.field(defaults);
        const Entry same{{}, Untyped{show(field, row.setting.rule)}, {}};
        const std::string before = show(field, row.setting.rule);
        if (row.setting.rule.kind != Kind::names)
            CHECK(assign(field, row.setting.rule, same).empty());
        CHECK(show(field, row.setting.rule) == before);
    }
}

// Every row has a member of its own: none was copied and forgotten.
template <class Owner>
void check_members(std::span<const Row<Owner>> rows)
{
    Owner owner{};
    std::set<const void*> members;
    for (const auto& row : rows) {
        const auto address = std::visit(
            [](const auto* p) -> const void* { return p; }, row.field(owner)
        );
        CAPTURE(row.key);
        CHECK(members.insert(address).second);
    }
}

} // namespace

TEST_CASE("config/rows: every default is within its own range")
{
    check_rows(setting_rows());
    check_rows(pool_rows());
    check_rows(database_rows());
    check_rows(user_rows());
}

TEST_CASE("config/rows: no two rows share a member")
{
    check_members(setting_rows());
    check_members(pool_rows());
    check_members(user_rows());
}

TEST_CASE("config/rows: a path finds its setting, in the database or user that it names")
{
    Draft draft;
    CHECK(find_slot(draft, {"pool", "size"}).value().field == Field{&draft.settings.pool.size});
    CHECK(
        find_slot(draft, {"client_tls", "key_file"}).value().field
        == Field{&draft.settings.client_tls.key_file}
    );
    CHECK(find_slot(draft, {"upstream"}).value().field == Field{&draft.upstream});

    const auto size = find_slot(draft, {"databases", "app", "pool", "size"});
    CHECK(size.value().field == Field{&draft.databases.at("app").pool.values.size});
    CHECK(draft.databases.at("app").pool.keys == std::set<std::string>{"size"});
    const auto password = find_slot(draft, {"users", "bob", "password"});
    CHECK(password.value().field == Field{&draft.users.at("bob").password});
}

TEST_CASE("config/rows: a path that is no setting adds nothing")
{
    Draft draft;
    for (const Path& path :
         {Path{},
          Path{"pool"},
          Path{"pool", "sise"},
          Path{"pool", "size", "x"},
          Path{"databases"},
          Path{"databases", "app"},
          Path{"databases", "app", "password"},
          Path{"users", "app", "upstream"},
          Path{"databases", "app", "pool", "sise"},
          Path{"users", "app", "pool"}}) {
        CAPTURE(to_key(path));
        CHECK_FALSE(find_slot(draft, path));
    }
    CHECK(draft.databases.empty());
    CHECK(draft.users.empty());
}
