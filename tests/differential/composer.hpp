// Makes one stream from its seed: who is next, and what they send. Looks at the state of the
// sessions on PostgreSQL, and never at what pgweir says, so a seed is the same stream for ever.
#pragma once

#include "differential/draw.hpp"
#include "differential/duel.hpp"
#include "differential/features.hpp"
#include "differential/options.hpp"
#include "differential/vocabulary.hpp"

#include <optional>
#include <vector>

namespace pgweir::differential {

class Composer {
public:
    Composer(const Options& options, std::uint64_t seed);

    /// Fewer features at a time go deeper: each stream has some of those that are switched on.
    [[nodiscard]] const FeatureSet& features() const { return features_; }
    [[nodiscard]] Cast cast();
    /// Empty: the stream is over.
    [[nodiscard]] std::optional<Step> next(const Holders& holders);

private:
    [[nodiscard]] std::optional<std::size_t> next_client(const Holders& holders);
    /// Mostly the last one's again, so that a cursor is also fetched from.
    [[nodiscard]] Feature next_feature(std::size_t client);
    [[nodiscard]] Step make_step(const Situation& situation);
    [[nodiscard]] std::optional<Step> protocol_step(Feature feature, const Situation& situation);
    [[nodiscard]] Statement statement(Feature feature, const Situation& situation);
    [[nodiscard]] Step wrap(Feature feature, const Situation& situation);
    [[nodiscard]] std::optional<Step> last_step(const Holders& holders);

    Draw draw_;
    std::uint64_t seed_;
    bool inserts_pin_;
    FeatureSet features_;
    std::size_t clients_;
    std::size_t steps_left_;
    std::size_t client_ = 0;                    // who had the last turn
    std::vector<std::optional<Feature>> topic_; // of each client's last step
    std::vector<bool> has_finished_;            // by client
};

} // namespace pgweir::differential
