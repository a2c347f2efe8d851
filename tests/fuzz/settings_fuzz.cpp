#include <pgweir/session/settings.hpp>

#include <pgweir/base/assert.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace pgweir::session;

namespace {

// Reads SQL as PostgreSQL's lexer does: every statement ends outside of quotes, and only there.
std::size_t count_statements(std::string_view sql)
{
    std::size_t count = 0;
    char quote = 0;
    bool has_escapes = false;
    for (std::size_t i = 0; i < sql.size(); ++i) {
        const char c = sql[i];
        if (quote == 0) {
            if (c == ';') ++count;
            if (c == '\'' || c == '"') quote = c;
            has_escapes = c == '\'' && i > 0 && sql[i - 1] == 'E';
        } else if (c == '\\' && has_escapes) {
            ++i;
        } else if (c == quote) {
            quote = 0; // doubled: opens again at once
            if (i + 1 < sql.size() && sql[i + 1] == c) {
                quote = c;
                ++i;
            }
        }
    }
    PGWEIR_ASSERT(quote == 0);
    return count;
}

} // namespace

// The input is a startup packet: names and values, each with a zero behind it.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view rest{reinterpret_cast<const char*>(data), size};
    const auto take = [&rest] {
        const std::size_t end = std::min(rest.find('\0'), rest.size());
        std::string text{rest.substr(0, end)};
        rest.remove_prefix(std::min(end + 1, rest.size()));
        return text;
    };
    std::vector<std::pair<std::string, std::string>> parameters;
    while (!rest.empty()) {
        std::string name = take();
        parameters.emplace_back(std::move(name), take());
    }
    const StartupSettings startup = read_startup_settings(parameters);
    const Settings& settings = *startup.settings;
    PGWEIR_ASSERT(reconcile(settings, settings, {}).empty());
    PGWEIR_ASSERT(count_statements(reconcile({}, settings, {})) == settings.entries().size());
    PGWEIR_ASSERT(count_statements(reconcile(settings, {}, {})) == settings.entries().size());
    for (const auto& [name, value] : settings.entries()) {
        const std::string* const found = settings.find(name);
        PGWEIR_ASSERT(found != nullptr && *found == value);
    }
    return 0;
}
