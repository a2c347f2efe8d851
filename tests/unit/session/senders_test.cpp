#include <pgweir/session/senders.hpp>

#include <doctest/doctest.h>

#include <memory>

using namespace pgweir;
using namespace pgweir::session;

TEST_CASE("session/senders: a server's sender is who has notified there, until another has it")
{
    Senders senders;
    SenderEntry entry;
    entry.open(senders, 700);
    CHECK(senders.find(700) == 0);
    entry.set(ClientId{5});
    CHECK(senders.find(700) == process_id_of(ClientId{5}));
    entry.lent_to(ClientId{5});
    CHECK(entry.find(700) == process_id_of(ClientId{5}));
    entry.lent_to(ClientId{6}); // it may notify without our knowing
    CHECK(senders.find(700) == 0);
    entry.set(ClientId{6});
    CHECK(senders.find(700) == process_id_of(ClientId{6}));
    CHECK(senders.find(701) == 0);
}

TEST_CASE("session/senders: a server that is gone leaves nothing behind")
{
    Senders senders;
    auto entry = std::make_unique<SenderEntry>();
    entry->open(senders, 700);
    entry->set(ClientId{5});
    entry.reset();
    CHECK(senders.find(700) == 0);
}
