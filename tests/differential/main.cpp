// The differential check: generated streams of many clients, directly and through pgweir.
#define DOCTEST_CONFIG_IMPLEMENT
#include "differential/composer.hpp"
#include "differential/options.hpp"
#include "differential/report.hpp"
#include "differential/shrink.hpp"
#include "differential/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <iostream>
#include <set>
#include <stdexcept>

namespace pgweir::differential {

namespace {

/// A stream whose sessions on PostgreSQL are being started.
struct Round {
    Round(const Options& options, World& world, std::uint64_t its_seed)
        : seed{its_seed},
          composer{options, its_seed},
          cast{composer.cast()},
          duel{world.arena(), cast, options.servers, world.store()}
    {
    }

    std::uint64_t seed;
    Composer composer;
    Cast cast;
    Duel duel;
};

class Check {
public:
    explicit Check(const Options& options) : options_{options}, world_{options} {}

    /// How many streams differed.
    std::size_t run();

private:
    [[nodiscard]] bool passes(Round& round);
    /// On a pgweir that is started for it, in one of so many runs.
    [[nodiscard]] bool fails_again(
        const Cast& cast, const std::vector<Step>& steps, std::uint64_t repeat
    );
    void explain(const Round& round);
    void explain_shortest(const Round& round, const std::vector<Step>& steps, std::uint64_t repeat);

    Options options_;
    World world_;
    std::unique_ptr<Duel> last_failure_; // of fails_again()
};

// Those who may have changed their tables or sequences.
std::set<std::size_t> writers(const std::vector<Exchange>& history)
{
    constexpr std::array<std::string_view, 6> words{
        "UPDATE", "DELETE", "INSERT", "COPY", "nextval", "setval"
    };
    std::set<std::size_t> found;
    for (const Exchange& exchange : history) {
        const std::string_view text = as_text(exchange.step.bytes);
        const bool writes = std::ranges::any_of(words, [&](std::string_view word) {
            return text.find(word) != std::string_view::npos;
        });
        if (writes) found.insert(exchange.step.client);
    }
    return found;
}

bool Check::passes(Round& round)
{
    if (!round.duel.log_in()) return false;
    while (const std::optional<Step> step = round.composer.next(round.duel.holders())) {
        if (!round.duel.play(*step)) return false;
    }
    return true;
}

std::size_t Check::run()
{
    std::size_t failures = 0;
    const std::uint64_t rounds = options_.streams * options_.repeat;
    const auto prepare = [&](std::uint64_t i) {
        return i == rounds
                   ? nullptr
                   : std::make_unique<Round>(options_, world_, options_.seed + i / options_.repeat);
    };
    std::unique_ptr<Round> next = prepare(0);
    for (std::uint64_t i = 1; i <= rounds; ++i) {
        const std::unique_ptr<Round> round = std::move(next);
        next = prepare(i);
        const bool passed = passes(*round);
        round->duel.end();
        world_.reset(writers(round->duel.history()));
        if (options_.prints_streams) {
            std::cout << "stream " << round->seed << " of " << round->composer.features().text()
                      << '\n'
                      << conversation(round->duel.history());
        }
        if (passed) continue;

        ++failures;
        const Mismatch& mismatch = *round->duel.mismatch();
        std::cout << "seed " << round->seed
                  << " differs: " << summary(mismatch, round->duel.history().back().step) << '\n';
        if (next) next->duel.end(); // it knows the old pgweir
        if (!options_.keep_going) {
            explain(*round);
            return failures;
        }
        world_.restart_pooler();
        next = prepare(i);
    }
    return failures;
}

// Who says nothing takes no part; but a login may be all that fails.
Cast those_who_speak(const Cast& cast, const std::vector<Step>& steps)
{
    if (steps.empty()) return cast;
    Cast present(cast.size());
    for (const Step& step : steps) present[step.client] = cast[step.client];
    return present;
}

bool Check::fails_again(const Cast& cast, const std::vector<Step>& steps, std::uint64_t repeat)
{
    const Cast present = those_who_speak(cast, steps);
    world_.restart_pooler();
    bool is_equal = true;
    for (std::uint64_t i = 0; i < repeat && is_equal; ++i) {
        auto duel = std::make_unique<Duel>(
            world_.arena(), present, options_.servers, world_.store()
        );
        is_equal = duel->log_in();
        for (const Step& step : steps) {
            if (!is_equal || !duel->holders().may_step(step.client)) break;
            is_equal = duel->play(step);
        }
        duel->end();
        world_.reset(writers(duel->history()));
        if (!is_equal) last_failure_ = std::move(duel);
    }
    return !is_equal;
}

void Check::explain(const Round& round)
{
    const Mismatch& mismatch = *round.duel.mismatch();
    std::cout << "the stream of client " << mismatch.client << ":\n"
              << conversation(round.duel.history(), mismatch.client) << "the difference:\n"
              << difference(mismatch, world_.arena());

    std::vector<Step> steps;
    for (const Exchange& exchange : round.duel.history()) {
        if (!exchange.step.bytes.empty()) steps.push_back(exchange.step);
    }
    // What pgweir has learned from a stream may be what it takes.
    constexpr std::uint64_t repeat_max = 3;
    Options again = options_;
    again.seed = round.seed;
    for (again.repeat = 1; again.repeat <= repeat_max; ++again.repeat) {
        if (!fails_again(round.cast, steps, again.repeat)) continue;
        explain_shortest(round, steps, again.repeat);
        std::cout << "again: differential_tests " << command_line(again) << '\n';
        return;
    }
    std::cout << "it does not differ when it runs alone: earlier streams left something. "
              << "Run them as well: --seed " << options_.seed << " --streams "
              << round.seed - options_.seed + 1 << '\n';
}

void Check::explain_shortest(
    const Round& round, const std::vector<Step>& steps, std::uint64_t repeat
)
{
    constexpr std::size_t attempts_max = 150;
    if (steps.empty()) { // a login: whoever else logs in should not matter
        Cast alone(round.cast.size());
        alone[round.duel.mismatch()->client] = round.cast[round.duel.mismatch()->client];
        static_cast<void>(fails_again(alone, steps, repeat));
    }
    const auto fails = [&](const std::vector<Step>& shorter) {
        return fails_again(round.cast, shorter, repeat);
    };
    static_cast<void>(shrink(steps, fails, attempts_max));
    std::cout << "the shortest stream that differs, all its clients"
              << (repeat > 1 ? ", when it runs again:\n" : ":\n")
              << conversation(last_failure_->history()) << "its difference:\n"
              << difference(*last_failure_->mismatch(), world_.arena());
}

std::size_t run(const Options& options)
{
    Check check{options};
    const std::size_t failures = check.run();
    std::cout << (options.keep_going || failures == 0 ? options.streams : 1)
              << " streams from seed " << options.seed << ", " << failures << " differ\n";
    return failures;
}

} // namespace

} // namespace pgweir::differential

int main(int argc, char** argv)
{
    using namespace pgweir;
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    static bool daemon_failed =
        false; // what the supporting classes find, such as a sanitizer's word
    doctest::Context context;
    context.setAsDefaultForAssertsOutOfTestCases();
    context.setAssertHandler([](const doctest::AssertData& data) {
        if (!data.m_failed) return;
        daemon_failed = true;
        std::cout << data.m_file << ':' << data.m_line << ": " << data.m_expr << '\n';
    });

    bool passed = false;
    try {
        const auto options = differential::read_options({argv + 1, argv + argc});
        if (options.asks_help) {
            std::cout << differential::help_text();
            return 0;
        }
        passed = differential::run(options) == 0;
    } catch (const std::exception& problem) {
        std::cout << "differential_tests: " << problem.what() << '\n';
    }
    test::remove_postgres();
    return passed && !daemon_failed ? 0 : 1;
}
