// `pgweir check`: reads the configuration as a start would, and tries each upstream once.
#pragma once

#include <pgweir/config/load.hpp>

namespace pgweir::app {

/// Prints what it finds; the exit code: 0 all is well, 1 something is not.
[[nodiscard]] int check(const config::LoadRequest& request);

/// `pgweir status`: asks /readyz of the pgweir that runs with this configuration.
[[nodiscard]] int status(const config::LoadRequest& request);

} // namespace pgweir::app
