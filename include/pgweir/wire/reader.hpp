// A bounds-checked cursor over the body of one message. After a read past the end it stays failed.
#pragma once

#include <pgweir/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgweir::wire {

/// Reads never go past the end: they return zero or empty, and ok() turns false for good, so a
/// parser asks once, at its end. Views point into the body.
class Reader {
public:
    explicit Reader(Bytes body) noexcept : rest_{body} {}

    [[nodiscard]] bool ok() const noexcept { return ok_; }
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
    [[nodiscard]] Bytes rest() const noexcept { return rest_; }

    std::uint8_t u8() noexcept
    {
        const Bytes field = bytes(1);
        return ok_ ? std::to_integer<std::uint8_t>(field[0]) : std::uint8_t{0};
    }

    std::uint16_t be16() noexcept
    {
        const Bytes field = bytes(2);
        return ok_ ? load_be16(field.data()) : std::uint16_t{0};
    }

    std::uint32_t be32() noexcept
    {
        const Bytes field = bytes(4);
        return ok_ ? load_be32(field.data()) : 0;
    }

    /// Up to the next zero byte, which is consumed and not returned.
    std::string_view cstring() noexcept
    {
        const std::string_view text = as_text(rest_);
        const std::size_t end = text.find('\0');
        if (end == std::string_view::npos) {
            fail();
            return {};
        }
        rest_ = rest_.subspan(end + 1);
        return text.substr(0, end);
    }

    Bytes bytes(std::size_t size) noexcept
    {
        if (size > rest_.size()) {
            fail();
            return {};
        }
        const Bytes field = rest_.first(size);
        rest_ = rest_.subspan(size);
        return field;
    }

private:
    void fail() noexcept
    {
        ok_ = false;
        rest_ = {};
    }

    Bytes rest_;
    bool ok_ = true;
};

} // namespace pgweir::wire
