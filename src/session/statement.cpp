#include <pgweir/session/statement.hpp>

#include <pgweir/auth/crypto.hpp>
#include <pgweir/session/fingerprint.hpp>

#include <algorithm>
#include <charconv>
#include <functional>
#include <span>
#include <utility>

namespace pgweir::session {

namespace {

std::uint64_t hash_of(std::string_view query, Bytes types)
{
    constexpr std::uint64_t golden_ratio = 0x9e3779b97f4a7c15U;
    const std::hash<std::string_view> hash;
    return hash(query) ^ (hash(as_text(types)) * golden_ratio);
}

StatementId make_id(std::string_view query, Bytes types, std::uint64_t parse_hash)
{
    Buffer input;
    append(input, as_bytes(query));
    input.push_back(std::byte{0}); // ends the text, as it does in Parse
    append(input, types);
    append(input, std::as_bytes(std::span{&parse_hash, 1}));
    const auto digest = auth::sha256(input);
    const auto load_be64 = [](const std::byte* in) {
        return std::uint64_t{load_be32(in)} << 32U | load_be32(in + 4);
    };
    return {load_be64(&digest[0]), load_be64(&digest[8])};
}

std::size_t size_of(const Statement& statement)
{
    return sizeof(Statement) + statement.query().size() + statement.types().size();
}

} // namespace

std::string server_name_of(const StatementId& id)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string name{Statement::name_prefix};
    for (const std::uint64_t half : {id.high, id.low}) {
        for (unsigned shift = 64; shift > 0; shift -= 4) {
            name += digits[(half >> (shift - 4)) & 0xfU];
        }
    }
    return name;
}

std::optional<StatementId> find_server_name(std::string_view text)
{
    constexpr std::size_t half_size = 16;
    const std::size_t at = text.find(Statement::name_prefix);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view digits = text.substr(at + Statement::name_prefix.size(), 2 * half_size);
    if (digits.size() < 2 * half_size) return std::nullopt;
    StatementId id{};
    const char* const middle = digits.data() + half_size;
    const char* const end = middle + half_size;
    const auto high = std::from_chars(digits.data(), middle, id.high, 16);
    const auto low = std::from_chars(middle, end, id.low, 16);
    if (high.ptr != middle || low.ptr != end) return std::nullopt;
    return id;
}

Statement::Statement(std::string_view query, Bytes types, std::uint64_t parse_hash)
    : query_{query},
      types_{types.begin(), types.end()},
      parse_hash_{parse_hash},
      id_{make_id(query, types, parse_hash)},
      server_name_{server_name_of(id_)},
      fingerprint_{session::fingerprint(query_)},
      reading_{read_sql(query_)} // its names of calls point into the text: our own
{
}

Statement::Statement(const Statement& other)
    : intrusive_ref_counter{other}, // which counts anew
      query_{other.query_},
      types_{other.types_},
      parse_hash_{other.parse_hash_},
      id_{other.id_},
      server_name_{other.server_name_},
      fingerprint_{other.fingerprint_},
      reading_{read_sql(query_)}
{
}

StatementRef StatementTable::intern(std::string_view query, Bytes types, std::uint64_t parse_hash)
{
    const std::uint64_t hash = hash_of(query, types);
    if (StatementRef known = find(hash, query, types, parse_hash)) return known;
    return add(hash, StatementRef{new Statement{query, types, parse_hash}});
}

StatementRef StatementTable::adopt(StatementRef statement)
{
    const std::uint64_t hash = hash_of(statement->query(), statement->types());
    StatementRef known = find(
        hash, statement->query(), statement->types(), statement->parse_hash()
    );
    return known ? known : add(hash, std::move(statement));
}

StatementRef StatementTable::find(
    std::uint64_t hash, std::string_view query, Bytes types, std::uint64_t parse_hash
) const
{
    const auto [begin, end] = statements_.equal_range(hash);
    for (auto entry = begin; entry != end; ++entry) {
        const Statement& statement = *entry->second;
        const bool is_same = statement.parse_hash() == parse_hash && statement.query() == query
                             && as_text(statement.types()) == as_text(types);
        if (is_same) return entry->second;
    }
    return {};
}

StatementRef StatementTable::add(std::uint64_t hash, StatementRef statement)
{
    bytes_ += size_of(*statement);
    statements_.emplace(hash, statement);
    if (statements_.size() > limits_.count_max || bytes_ > limits_.bytes_max) drop_unused();
    return statement;
}

bool StatementTable::seen_before(std::string_view query, Bytes types)
{
    const std::uint64_t hash = hash_of(query, types) | 1U; // never the empty mark
    std::uint64_t& place = seen_[(hash >> 1U) % seen_size];
    if (place == hash) return true;
    place = hash;
    return false;
}

void StatementTable::drop_unused()
{
    if (statements_.size() < drop_above_) return;
    std::erase_if(statements_, [this](const auto& entry) {
        if (entry.second->use_count() > 1) return false;
        bytes_ -= size_of(*entry.second);
        return true;
    });
    drop_above_ = statements_.size() + statements_.size() / 4;
}

} // namespace pgweir::session
