#include <pgweir/session/notification.hpp>

#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace pgweir;
using namespace pgweir::session;

namespace {

std::shared_ptr<const Notification> notification(std::string channel, std::string payload)
{
    return std::make_shared<const Notification>(
        Notification{7, std::move(channel), std::move(payload)}
    );
}

std::string drain(Inbox& inbox)
{
    Buffer out;
    inbox.drain(out, 99);
    return std::string{as_text(out)};
}

} // namespace

TEST_CASE("session/notification: an inbox gives all back as messages, once, in order")
{
    Inbox inbox;
    CHECK(inbox.empty());
    CHECK(inbox.push(notification("a", "1")) == 0);
    CHECK(inbox.push(notification("b", "")) == 0);
    CHECK_FALSE(inbox.empty());
    CHECK(
        drain(inbox)
        == std::string{"A\0\0\0\x0c\0\0\0\x07" "a\0" "1\0", 13}
               + std::string{"A\0\0\0\x0b\0\0\0\x07" "b\0" "\0", 12}
    );
    CHECK(inbox.empty());
    CHECK(drain(inbox).empty());
}

TEST_CASE("session/notification: one's own are the last of the server's, and only a copy changes")
{
    Inbox inbox;
    const auto own = notification("a", "2");
    inbox.push(notification("a", "1"));
    inbox.push(own);
    inbox.push(std::make_shared<const Notification>(Notification{8, "a", "3"}));
    inbox.claim(1, 7, 99);
    CHECK(own->process_id == 7);
    CHECK(
        drain(inbox)
        == std::string{"A\0\0\0\x0c\0\0\0\x07" "a\0" "1\0", 13}
               + std::string{"A\0\0\0\x0c\0\0\0\x63" "a\0" "2\0", 13}
               + std::string{"A\0\0\0\x0c\0\0\0\x08" "a\0" "3\0", 13}
    );
    inbox.claim(1, 7, 99); // nothing is there
    CHECK(inbox.empty());
}

TEST_CASE("session/notification: a sender that is known is told by the number that clients know")
{
    Inbox inbox;
    inbox.push(std::make_shared<const Notification>(Notification{8, "a", "1", 98}));
    inbox.push(std::make_shared<const Notification>(Notification{8, "a", "2", 99}));
    CHECK(
        drain(inbox) // the client is 99, and has not sent the second one
        == std::string{"A\0\0\0\x0c\0\0\0\x62" "a\0" "1\0", 13}
               + std::string{"A\0\0\0\x0c\0\0\0\x08" "a\0" "2\0", 13}
    );
}

TEST_CASE("session/notification: what is no longer wanted is forgotten")
{
    Inbox inbox;
    inbox.push(notification("a", "1"));
    inbox.push(notification("b", "2"));
    inbox.keep_only({"b"});
    CHECK(inbox.count() == 1);
    CHECK(drain(inbox).find("2") != std::string::npos);
}

TEST_CASE("session/notification: a full inbox loses the oldest, and says how many")
{
    Inbox inbox;
    std::size_t dropped = 0;
    for (std::size_t i = 0; i < Inbox::count_max + 3; ++i) {
        dropped += inbox.push(notification("a", std::to_string(i)));
    }
    CHECK(dropped == 3);
    CHECK(inbox.count() == Inbox::count_max);
    const std::string text = drain(inbox);
    CHECK(text.front() == 'N');
    CHECK(text.find("01000") != std::string::npos);
    CHECK(text.find("3 notifications were dropped") != std::string::npos);
    CHECK(
        text.find(std::string{
            "a\0"
            "2\0",
            4
        })
        == std::string::npos
    );
    CHECK(
        text.find(std::string{
            "a\0"
            "3\0",
            4
        })
        != std::string::npos
    );
    CHECK(inbox.empty());
}

TEST_CASE("session/notification: large ones fill it earlier")
{
    Inbox inbox;
    const std::string payload(7'999, 'x');
    for (int i = 0; i < 1'000; ++i) inbox.push(notification("a", payload));
    CHECK(inbox.count() < Inbox::size_max / payload.size());
    CHECK(inbox.count() > 100);
}

TEST_CASE("session/notification: what was missed is said first")
{
    Inbox inbox;
    inbox.push(notification("a", "1"));
    inbox.note_missed();
    inbox.note_missed();
    const std::string text = drain(inbox);
    CHECK(text.find("notifications may have been missed") < text.find(std::string{"a\0", 2}));
    CHECK(text.find("missed") == text.rfind("missed"));
}
