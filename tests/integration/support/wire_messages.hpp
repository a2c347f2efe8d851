// Messages of PostgreSQL's protocol as bytes, and what comes back as one line of text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::test::message {

inline constexpr std::uint32_t version_3_0 = 0x0003'0000;
inline constexpr std::uint32_t version_3_2 = 0x0003'0002;

[[nodiscard]] std::string be16(std::size_t value);
[[nodiscard]] std::string be32(std::size_t value);
/// Any message: the type, the length that fits, the body.
[[nodiscard]] std::string typed(char type, std::string_view body);

[[nodiscard]] std::string startup(
    const std::map<std::string, std::string>& parameters, std::uint32_t version = version_3_0
);
[[nodiscard]] std::string ssl_request();
[[nodiscard]] std::string gss_request();
[[nodiscard]] std::string cancel_request(std::string_view pid_and_key);

[[nodiscard]] std::string query(std::string_view sql);
[[nodiscard]] std::string parse(std::string_view name, std::string_view sql);
/// Binds the unnamed portal, text in and out.
[[nodiscard]] std::string bind(std::string_view name, const std::vector<std::string>& values = {});
[[nodiscard]] std::string bind_portal(std::string_view portal, std::string_view name);
/// `kind` is 'S' for a statement, 'P' for a portal.
[[nodiscard]] std::string describe(char kind, std::string_view name);
[[nodiscard]] std::string close(char kind, std::string_view name);
[[nodiscard]] std::string execute(std::string_view portal = "", std::size_t rows_max = 0);
[[nodiscard]] std::string sync();
[[nodiscard]] std::string flush();
[[nodiscard]] std::string terminate();
[[nodiscard]] std::string password(std::string_view text);
[[nodiscard]] std::string copy_data(std::string_view bytes);
[[nodiscard]] std::string copy_done();
[[nodiscard]] std::string copy_fail(std::string_view why);

} // namespace pgweir::test::message

namespace pgweir::test {

struct Message {
    char type;
    std::string body;

    /// The type, and what is worth comparing: "Z(I)", "E(22012)", "D(1|NULL)", "C(SELECT 1)".
    [[nodiscard]] std::string text() const;
    /// A field of an ErrorResponse or NoticeResponse, e.g. 'M' for its words.
    [[nodiscard]] std::string field(char code) const;
};

} // namespace pgweir::test
