// Appends messages to a buffer and patches their lengths.
#pragma once

#include <pgweir/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgweir::wire {

/// One message under construction; its length is right once finish() was called.
/// `type` zero: no type byte, as in startup packets.
class Writer {
public:
    Writer(Buffer& out, char type) : out_{out}
    {
        if (type != 0) out_.push_back(static_cast<std::byte>(type));
        length_at_ = out_.size();
        out_.resize(out_.size() + 4);
    }

    Writer& u8(std::uint8_t value)
    {
        out_.push_back(static_cast<std::byte>(value));
        return *this;
    }

    Writer& be16(std::uint16_t value)
    {
        out_.push_back(static_cast<std::byte>(value >> 8U));
        out_.push_back(static_cast<std::byte>(value & 0xffU));
        return *this;
    }

    Writer& be32(std::uint32_t value)
    {
        out_.resize(out_.size() + 4);
        store_be32(&out_[out_.size() - 4], value);
        return *this;
    }

    Writer& bytes(Bytes value)
    {
        append(out_, value);
        return *this;
    }

    Writer& text(std::string_view value) { return bytes(as_bytes(value)); }
    Writer& cstring(std::string_view value) { return text(value).u8(0); }

    /// `more` counts bytes of the same message that somebody else sends behind these.
    void finish(std::size_t more = 0)
    {
        store_be32(&out_[length_at_], static_cast<std::uint32_t>(out_.size() - length_at_ + more));
    }

private:
    Buffer& out_;
    std::size_t length_at_;
};

} // namespace pgweir::wire
