#include "surfaces.hpp"

namespace pgweir::app {

Surfaces::Surfaces(Daemon& daemon, net::asio::io_context& control_io) : daemon_{daemon}, io_{control_io}
{
}

std::string Surfaces::open_http(const std::string& /*address*/) { return {}; }

void Surfaces::open_console(net::ConsoleClient /*client*/) {}

} // namespace pgweir::app
