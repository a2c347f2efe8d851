// The part of ClientForwarder that tells under which settings a statement will be parsed. They are
// a part of what it is called on the server.
#include <pgweir/session/forward.hpp>

namespace pgweir::session {

// Of the settings that its client has now, and of what may have changed them since.
std::uint64_t ClientForwarder::parse_hash_now() const
{
    const std::uint64_t known = client_.wanted->parse_hash();
    if (server_ == nullptr || server_->unknown_settings.are_known()) return known;
    return server_->unknown_settings.parse_hash(known, server_->serial, server_->segment);
}

StatementRef ClientForwarder::intern(const wire::ParseBody& body)
{
    return table_.intern(body.query, body.types, parse_hash_now());
}

} // namespace pgweir::session
