#include <pgweir/session/reply_queue.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::session;

namespace {

Effect effect_on(std::string name)
{
    Effect effect;
    effect.client_name = std::move(name);
    effect.changes_client = true;
    return effect;
}

struct Queue : ReplyQueue {
    std::string undone;

    void fail()
    {
        fail_to_sync([this](Effect& effect) {
            undone += effect.client_name + (effect.changes_client ? " " : "(overruled) ");
        });
    }
};

} // namespace

TEST_CASE_FIXTURE(Queue, "session/reply_queue: an error drops what is expected up to the next Sync")
{
    push({.reply = Reply::parse}, effect_on("a"));
    push({.reply = Reply::bind});
    push({.reply = Reply::parse}, effect_on("b"));
    push({.reply = Reply::sync});
    push({.reply = Reply::parse}, effect_on("c"));
    fail();
    CHECK(undone == "b a ");
    CHECK(size() == 2);
    CHECK(front_is(Reply::sync));
    CHECK_FALSE(is_skipping());
}

TEST_CASE_FIXTURE(Queue, "session/reply_queue: without a Sync it skips until one is sent")
{
    push({.reply = Reply::bind});
    fail();
    CHECK(is_skipping());
    push({.reply = Reply::execute});
    CHECK(empty());
    push({.reply = Reply::sync});
    CHECK(size() == 1);
    CHECK_FALSE(is_skipping());
}

TEST_CASE_FIXTURE(Queue, "session/reply_queue: a later meaning of a name is not undone")
{
    push({.reply = Reply::parse}, effect_on("a"));
    push({.reply = Reply::sync});
    push({.reply = Reply::parse}, effect_on("a"));
    fail();
    CHECK(undone == "a(overruled) ");
}

TEST_CASE_FIXTURE(Queue, "session/reply_queue: effects come out with their replies")
{
    push({.reply = Reply::bind});
    push({.reply = Reply::close}, effect_on("a"));
    CHECK(front_effect() == nullptr);
    CHECK_FALSE(pop());
    REQUIRE(front_effect() != nullptr);
    Effect effect;
    CHECK(pop(&effect));
    CHECK(effect.client_name == "a");
}

TEST_CASE_FIXTURE(Queue, "session/reply_queue: a drop is awaited until it is answered, or skipped")
{
    push({.reply = Reply::query, .drops_statements = true});
    push({.reply = Reply::bind});
    push({.reply = Reply::query, .drops_statements = true});
    CHECK(pop() == false);
    CHECK(awaits_drop());
    fail();
    CHECK_FALSE(awaits_drop());
}

TEST_CASE_FIXTURE(Queue, "session/reply_queue: only what is closed needs no Sync")
{
    CHECK_FALSE(needs_sync());
    push({.reply = Reply::query});
    CHECK_FALSE(needs_sync());
    push({.reply = Reply::execute});
    CHECK(needs_sync());
    push({.reply = Reply::sync});
    CHECK_FALSE(needs_sync());
}

TEST_CASE_FIXTURE(Queue, "session/reply_queue: a COPY takes the Syncs up to its end with it")
{
    push({.reply = Reply::execute});
    push({.reply = Reply::sync});
    push({.reply = Reply::copy_end});
    push({.reply = Reply::sync});
    CHECK(drop_syncs_of_copy_in());
    CHECK(size() == 2);
}
