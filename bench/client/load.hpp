// An open loop: requests begin when they are due, whether or not earlier ones have ended.
#pragma once

#include <iosfwd>

namespace bench {

/// Reads streams of requests from `in`, a line each, with tabs between the words:
///   label  start  end  rate  connections  patience  statement [statement...]
/// start, end: seconds. rate: requests a second, or 0: one for each connection at the start.
/// patience: milliseconds after which a client closes its connection and opens another, or 0.
/// The statements of a request are sent one after the other; "%n" in them is a number of its own.
/// Runs until all have ended, and writes a line for each request:
///   label  due(ms)  latency(ms)  outcome
/// outcome: "ok", an SQLSTATE, "lost" (the connection broke) or "gave_up".
void load(const char* conninfo, std::istream& in, std::ostream& out);

} // namespace bench
