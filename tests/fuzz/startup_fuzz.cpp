// The first packet of a stranger: whatever it is, it is refused or understood, and what we
// understood would be sent again in the same words.

#include <pgweir/wire/startup.hpp>

#include <pgweir/base/assert.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <variant>

using namespace pgweir;
using namespace pgweir::wire;

namespace {

void check_cancel(const CancelRequest& cancel, Bytes packet)
{
    PGWEIR_ASSERT(!cancel.secret.empty() && cancel.secret.size() <= cancel_key_size_max);
    Buffer again;
    append_cancel_request(again, cancel.process_id, cancel.secret);
    PGWEIR_ASSERT(std::ranges::equal(again, packet));
}

void check_startup(const StartupMessage& startup, Bytes packet)
{
    PGWEIR_ASSERT(startup.version.major == 3);
    Buffer again;
    append_startup(again, startup.version, startup.parameters);
    PGWEIR_ASSERT(std::ranges::equal(again, packet));
    for (const auto& [name, value] : startup.parameters) {
        PGWEIR_ASSERT(!name.empty());
        static_cast<void>(startup.find(name));
    }
}

void parse(Bytes packet)
{
    const auto parsed = parse_startup_packet(packet);
    if (!parsed) return;
    if (const auto* const cancel = std::get_if<CancelRequest>(&*parsed))
        check_cancel(*cancel, packet);
    if (const auto* const startup = std::get_if<StartupMessage>(&*parsed)) {
        check_startup(*startup, packet);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const Bytes input = std::as_bytes(std::span{data, size});
    const auto claimed = startup_packet_size(input);
    if (claimed && claimed->has_value()) {
        PGWEIR_ASSERT(**claimed >= 8 && **claimed <= startup_packet_size_max);
        if (**claimed <= size) parse(input.first(**claimed));
    }

    parse(input);
    // The same with a length that is right: few inputs have one.
    Buffer packet(4);
    append(packet, input);
    store_be32(packet.data(), static_cast<std::uint32_t>(packet.size()));
    parse(packet);
    return 0;
}
