#include <pgweir/admin/command.hpp>
#include <pgweir/base/assert.hpp>
#include <pgweir/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

using namespace pgweir;

// Whatever text comes: commands or an error, never both, and nothing for who has no access.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto text = as_text(std::as_bytes(std::span{data, size}));
    const admin::Parsed parsed = admin::parse_commands(text);
    PGWEIR_ASSERT(!parsed.error || parsed.commands.empty());
    for (const admin::Command& command : parsed.commands) {
        PGWEIR_ASSERT(!admin::tag_of(command).empty());
        PGWEIR_ASSERT(admin::refusal(command, admin::Access::none).has_value());
        PGWEIR_ASSERT(!admin::refusal(command, admin::Access::admin).has_value());
    }
    return 0;
}
