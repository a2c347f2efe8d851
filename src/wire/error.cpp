#include <pgweir/wire/error.hpp>

#include <boost/system/error_category.hpp>

#include <string>

namespace pgweir::wire {

namespace {

class WireCategory final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "wire"; }

    std::string message(int value) const override
    {
        switch (static_cast<Errc>(value)) {
        case Errc::bad_length: return "message length is less than four";
        case Errc::frame_too_big: return "message is longer than allowed";
        case Errc::truncated: return "message ends in the middle of a field";
        case Errc::trailing_bytes: return "message goes on after its last field";
        case Errc::unknown_type: return "unknown message type";
        case Errc::not_postgres: return "first packet is not PostgreSQL's protocol";
        case Errc::old_protocol: return "protocol version 2 and older are not supported";
        case Errc::too_many_fields: return "too many startup parameters";
        }
        return "unknown wire error";
    }
};

} // namespace

ErrorCode make_error_code(Errc e) noexcept
{
    static const WireCategory category;
    return {static_cast<int>(e), category};
}

} // namespace pgweir::wire
