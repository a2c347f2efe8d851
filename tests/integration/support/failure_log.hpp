// Logs of the processes that a test started, printed only when that test fails.
#pragma once

#include <string>

namespace pgweir::test {

/// Remembers a text until the running test case ends.
void keep_for_failure(const std::string& title, const std::string& text);

} // namespace pgweir::test
