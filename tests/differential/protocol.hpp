// Batches that are about the protocol itself: prepared statements, portals, COPY, pipelines.
#pragma once

#include "differential/draw.hpp"
#include "differential/step.hpp"
#include "differential/vocabulary.hpp"

#include <functional>

namespace pgweir::differential {

/// One step with the names of prepared statements, which all clients share.
[[nodiscard]] Step prepared_step(Draw& draw, const Situation& situation);
[[nodiscard]] Step portals_step(Draw& draw, const Situation& situation);
[[nodiscard]] Step copy_step(Draw& draw, const Situation& situation);

/// Appends a statement by the extended protocol, without a name and without Sync.
void add_extended(Batch& batch, Draw& draw, const Statement& statement);

/// Several statements, and Syncs and Flushes between them as they come.
[[nodiscard]] Step pipeline_step(
    Draw& draw, const Situation& situation, const std::function<Statement()>& next_statement
);

} // namespace pgweir::differential
