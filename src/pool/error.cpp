#include <pgweir/pool/error.hpp>

#include <boost/system/error_category.hpp>

#include <string>

namespace pgweir::pool {

namespace {

class PoolCategory final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "pool"; }

    std::string message(int value) const override
    {
        switch (static_cast<Errc>(value)) {
        case Errc::wait_timed_out: return "no server connection became free in time";
        case Errc::too_many_waiting: return "too many clients are waiting already";
        case Errc::overloaded: return "the queue stands, and it was not its turn in time";
        case Errc::server_unreachable: return "the server cannot be reached";
        }
        return "unknown pool error";
    }
};

} // namespace

ErrorCode make_error_code(Errc e) noexcept
{
    static const PoolCategory category;
    return {static_cast<int>(e), category};
}

} // namespace pgweir::pool
