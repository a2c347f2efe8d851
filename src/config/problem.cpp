#include <pgweir/config/problem.hpp>

namespace pgweir::config {

std::string Problem::to_string() const
{
    std::string out = source;
    if (line > 0) out += ":" + std::to_string(line);
    if (!key.empty()) out += ": " + key;
    return out + ": " + text;
}

} // namespace pgweir::config
