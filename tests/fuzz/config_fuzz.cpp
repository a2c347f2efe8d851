// A configuration is written by friends, but a connection string may come from anywhere: whatever
// it is, we answer with settings or with problems, and what we show of settings reads back.

#include <pgweir/base/assert.hpp>
#include <pgweir/config/address.hpp>
#include <pgweir/config/load.hpp>
#include <pgweir/config/passfile.hpp>
#include <pgweir/config/show.hpp>
#include <pgweir/config/units.hpp>
#include <pgweir/config/upstream.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace pgweir;
using namespace pgweir::config;

namespace {

void load_document(const std::string& text)
{
    const auto result = load_text(text, {.file = "f", .overrides = {}, .environment = {}});
    PGWEIR_ASSERT(result.settings.has_value() == result.problems.empty());
    if (!result.settings) return;
    PGWEIR_ASSERT(!config_rows(*result.settings).empty());
    static_cast<void>(result.settings->find_upstream("any"));
}

void load_override(std::string_view text)
{
    const auto equals = text.find('=');
    if (equals == text.npos) return;
    const std::string key{text.substr(0, equals)};
    const std::string value{text.substr(equals + 1)};
    const LoadRequest request{
        .file = {},
        .overrides = {{key, value}},
        .environment = {{"PGWEIR_" + key, value}, {"DATABASE_URL", "postgresql://h"}},
    };
    const auto result = load_text({}, request);
    PGWEIR_ASSERT(result.settings.has_value() == result.problems.empty());
}

// The default of a passfile is empty here, so that nothing on this machine is read.
void parse_connection(const std::string& text)
{
    Notes notes;
    const auto upstream = parse_upstream(text, {}, notes);
    PGWEIR_ASSERT(upstream.has_value() == notes.problems.empty());
    if (!upstream) return;
    PGWEIR_ASSERT(!upstream->hosts.empty());

    net::Upstream open = *upstream;
    open.has_password = false; // else it is masked
    Notes none;
    const auto again = parse_upstream(format_upstream(open), {}, none);
    PGWEIR_ASSERT(again.has_value());
    PGWEIR_ASSERT(again->hosts == upstream->hosts && again->dbname == upstream->dbname);
    PGWEIR_ASSERT(again->user == upstream->user);
}

void parse_words(std::string_view text)
{
    if (const auto duration = parse_duration(text)) {
        PGWEIR_ASSERT(parse_duration(format_duration(*duration)) == duration);
    }
    if (const auto address = parse_address(text)) {
        PGWEIR_ASSERT(parse_address(format_address(*address)) == address);
    }
    static_cast<void>(parse_size(text));
    static_cast<void>(find_password(text, {.host = "h", .port = "1", .dbname = "d", .user = "u"}));
    static_cast<void>(find_service(text, "s"));
    static_cast<void>(to_path(text));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::string text(data + 1, data + size);
    switch (data[0] % 4) {
    case 0: load_document(text); break;
    case 1: load_override(text); break;
    case 2: parse_connection(text); break;
    default: parse_words(text); break;
    }
    return 0;
}
