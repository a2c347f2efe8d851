#include "differential/composer.hpp"
#include "differential/protocol.hpp"

#include <algorithm>

namespace pgweir::differential {

namespace {

FeatureSet draw_features(Draw& draw, const FeatureSet& enabled)
{
    constexpr std::size_t features_max = 6;
    const std::vector<Feature> all = enabled.list();
    FeatureSet chosen;
    for (std::size_t left = 1 + draw.below(features_max); left > 0; --left) {
        chosen.add(draw.pick(all));
    }
    return chosen;
}

// Rather few, so that each gets far, but mostly more than there are servers.
std::size_t draw_clients(Draw& draw, std::size_t clients_max)
{
    const std::size_t range = clients_max / 2 + 1;
    return clients_max - std::max(draw.below(range), draw.below(range));
}

} // namespace

Composer::Composer(const Options& options, std::uint64_t seed)
    : draw_{seed},
      seed_{seed},
      inserts_pin_{options.features.has(Feature::sequences)},
      features_{draw_features(draw_, options.features)},
      clients_{draw_clients(draw_, options.clients)},
      steps_left_{options.steps_max - draw_.below(options.steps_max / 2 + 1)},
      topic_(clients_),
      has_finished_(clients_)
{
}

Cast Composer::cast()
{
    Cast cast(clients_);
    for (std::size_t i = 0; i < clients_; ++i) {
        if (features_.has(Feature::startup) && draw_.below(2) == 0) cast[i] = draw_startup(draw_);
        cast[i].emplace_back("user", "app_trust");
    }
    return cast;
}

std::optional<Step> Composer::next(const Holders& holders)
{
    if (steps_left_ == 0) return last_step(holders);
    --steps_left_;
    const std::optional<std::size_t> client = next_client(holders);
    if (!client) return last_step(holders);
    client_ = *client;
    return make_step({
        .client = client_,
        .status = holders.status(client_),
        .may_pin = holders.may_pin(client_),
        .may_set = features_.has(Feature::settings),
        .may_misbind = features_.has(Feature::wrong_binds),
        .inserts_pin = inserts_pin_,
        .seed = seed_,
    });
}

std::optional<std::size_t> Composer::next_client(const Holders& holders)
{
    constexpr std::uint64_t often = 40;
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < clients_; ++i) {
        if (holders.may_step(i)) ready.push_back(i);
    }
    if (ready.empty()) return std::nullopt;
    const bool stays = draw_.chance(often) && std::ranges::count(ready, client_) > 0;
    return stays ? client_ : draw_.pick(ready);
}

Step Composer::make_step(const Situation& situation)
{
    constexpr std::uint64_t rarely = 2;
    if (features_.has(Feature::leave) && draw_.chance(rarely)) {
        return Batch{situation.client}.terminate().take();
    }
    const Feature feature = next_feature(situation.client);
    if (auto step = protocol_step(feature, situation)) return std::move(*step);
    return wrap(feature, situation);
}

Feature Composer::next_feature(std::size_t client)
{
    constexpr std::uint64_t often = 55;
    std::optional<Feature>& topic = topic_[client];
    const std::vector<Feature> all = features_.list();
    if (!topic || !draw_.chance(often)) topic = draw_.pick(all);
    return *topic;
}

std::optional<Step> Composer::protocol_step(Feature feature, const Situation& situation)
{
    switch (feature) {
    case Feature::prepared: return prepared_step(draw_, situation);
    case Feature::portals: return portals_step(draw_, situation);
    case Feature::copy: return copy_step(draw_, situation);
    case Feature::pipelines:
        return pipeline_step(draw_, situation, [&] {
            return statement(next_feature(situation.client), situation);
        });
    case Feature::startup:
    case Feature::settings:
    case Feature::roles:
    case Feature::functions:
    case Feature::transactions:
    case Feature::savepoints:
    case Feature::errors:
    case Feature::multi:
    case Feature::wrong_binds:
    case Feature::sql_prepare:
    case Feature::cursors:
    case Feature::hold:
    case Feature::temp:
    case Feature::discard:
    case Feature::listen:
    case Feature::channels:
    case Feature::locks:
    case Feature::sequences:
    case Feature::leave: return std::nullopt;
    }
    return std::nullopt;
}

Statement Composer::statement(Feature feature, const Situation& situation)
{
    constexpr std::uint64_t reading = 15;
    constexpr std::uint64_t ending = 12;
    constexpr std::uint64_t ending_after_error = 60;
    constexpr std::uint64_t often = 60;
    const bool is_open = situation.status != 'I';
    if (is_open && draw_.chance(situation.status == 'E' ? ending_after_error : ending)) {
        return end_transaction(draw_, situation, features_.has(Feature::savepoints));
    }
    const bool wants_block = feature == Feature::savepoints || feature == Feature::cursors
                             || (features_.has(Feature::transactions) && draw_.below(8) == 0);
    if (!is_open && wants_block && draw_.chance(often)) return {"BEGIN"};
    if (!has_statements(feature) || draw_.chance(reading)) return read_state(draw_, situation);
    return make_statement(feature, draw_, situation);
}

Step Composer::wrap(Feature feature, const Situation& situation)
{
    constexpr std::uint64_t sometimes = 25;
    const Statement first = statement(feature, situation);
    Batch batch{situation.client};
    if (features_.has(Feature::prepared) && draw_.chance(sometimes)) {
        add_extended(batch, draw_, first);
        return batch.sync().take();
    }
    std::string sql = first.sql;
    batch.may_pin(first.may_pin);
    if (features_.has(Feature::multi) && draw_.chance(sometimes)) {
        for (std::size_t more = 1 + draw_.below(3); more > 0; --more) {
            const Statement another = statement(next_feature(situation.client), situation);
            sql += "; " + another.sql;
            batch.may_pin(another.may_pin);
        }
    }
    return batch.query(sql).take();
}

// Those with a server of their own first, or nobody else gets one. Everything that a session
// still has in it is looked at.
std::optional<Step> Composer::last_step(const Holders& holders)
{
    for (const bool holding : {true, false}) {
        for (std::size_t i = 0; i < clients_; ++i) {
            if (has_finished_[i] || holders.is_gone(i) || holders.holds(i) != holding) continue;
            has_finished_[i] = true;
            Batch batch{i};
            if (holders.status(i) != 'I') batch.query("ROLLBACK");
            return batch.query(read_all_state()).take();
        }
    }
    return std::nullopt;
}

} // namespace pgweir::differential
