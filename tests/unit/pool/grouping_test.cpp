#include <pgweir/pool/grouping.hpp>

#include <doctest/doctest.h>

using namespace pgweir::pool;

namespace {

Options by(FairBy what, std::vector<std::string> weights = {})
{
    Options options;
    options.fair_by = what;
    options.fair_weights = std::move(weights);
    return options;
}

} // namespace

TEST_CASE("pool/grouping: equal names are one group, others are others")
{
    const Grouping grouping{by(FairBy::application_name)};
    CHECK(grouping.group_of("web") == grouping.group_of("web"));
    CHECK(grouping.group_of("web").id != grouping.group_of("batch").id);
    CHECK(grouping.group_of("").id != GroupId::none); // those without a name are one, too
    CHECK(grouping.group_of("web").weight == 1);
}

TEST_CASE("pool/grouping: where nobody is told apart, all are in no group")
{
    const Grouping grouping{by(FairBy::none)};
    CHECK(grouping.group_of("web") == Group{});
    CHECK(Grouping{}.group_of("web") == Group{});
}

TEST_CASE("pool/grouping: who is listed has his weight")
{
    const Grouping grouping{by(FairBy::application_name, {"web=4", "a=b=2", "10.0.0.0/8=9"})};
    CHECK(grouping.group_of("web").weight == 4);
    CHECK(grouping.group_of("a=b").weight == 2);
    CHECK(grouping.group_of("10.0.0.1").weight == 1); // a name like others
}

TEST_CASE("pool/grouping: of prefixes the longest counts, and each address is a group")
{
    const Grouping grouping{by(
        FairBy::address, {"10.0.0.0/8=2", "10.1.2.0/23=3", "10.1.2.9=5", "fd00::/16=7", "unix=11"}
    )};
    CHECK(grouping.group_of("10.9.9.9").weight == 2);
    CHECK(grouping.group_of("10.1.3.200").weight == 3);
    CHECK(grouping.group_of("10.1.4.1").weight == 2);
    CHECK(grouping.group_of("10.1.2.9").weight == 5);
    CHECK(grouping.group_of("fd00::1").weight == 7);
    CHECK(grouping.group_of("fe00::1").weight == 1);
    CHECK(grouping.group_of("11.0.0.1").weight == 1);
    CHECK(grouping.group_of("unix").weight == 11);
    CHECK(grouping.group_of("::ffff:10.1.2.9").weight == 5); // the same, by another name
    CHECK(grouping.group_of("10.9.9.9").id != grouping.group_of("10.9.9.8").id);
}

TEST_CASE("pool/grouping: a prefix of nothing is everybody of that kind")
{
    const Grouping grouping{by(FairBy::address, {"0.0.0.0/0=2", "::/0=3"})};
    CHECK(grouping.group_of("192.0.2.1").weight == 2);
    CHECK(grouping.group_of("2001:db8::1").weight == 3);
}

TEST_CASE("pool/grouping: what is no weight is said")
{
    const std::string name =
        R"(each must be a name and its weight, 1 to 1000, such as "batch=1", is )";
    CHECK(problem_in_weights(by(FairBy::application_name, {"web=4", "batch=1"})).empty());
    for (const char* entry :
         {"web", "=1", "web=", "web=0", "web=1001", "web=1.5", "web= 1", "web=-1"}) {
        CAPTURE(entry);
        CHECK(
            problem_in_weights(by(FairBy::application_name, {entry})) == name + '"' + entry + '"'
        );
    }
    CHECK(
        problem_in_weights(by(FairBy::application_name, {"web=1", "web=2"}))
        == R"(must name each once, has "web" twice)"
    );
    CHECK(problem_in_weights(by(FairBy::none, {"web=1"})).empty()); // for those that go by names
    CHECK(problem_in_weights(by(FairBy::none)).empty());
}

TEST_CASE("pool/grouping: what is no address is said")
{
    CHECK(problem_in_weights(by(FairBy::address, {"10.0.0.0/8=2", "::1=3", "unix=2"})).empty());
    for (const char* entry :
         {"web=4", "10.0.0.0/33=1", "10.0.0=1", "::/129=1", "::1/=1", "10.0.0.0/8"}) {
        CAPTURE(entry);
        CHECK(
            problem_in_weights(by(FairBy::address, {entry}))
            == R"(each must be an address or prefix and its weight, 1 to 1000, such as )"
               R"("10.1.0.0/16=4" or "unix=2", is ")"
                   + std::string{entry} + '"'
        );
    }
}
