// What has been read and not yet used. Bytes are read into a buffer that all connections of a
// worker share; only what is left over between two reads belongs to the connection.
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/net/stream.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace pgweir::net {

class Input {
public:
    /// What is left over from before, without reading.
    [[nodiscard]] Bytes kept() const { return kept_; }
    [[nodiscard]] bool has_kept() const { return !kept_.empty(); }

    /// Bytes for the next use, valid until keep(): what was left over and, behind it, what the
    /// stream has. `wanted`: how large the message at the front is known to be.
    struct Chunk {
        Bytes bytes;
        IoResult io;
    };
    [[nodiscard]] Chunk read(Stream& stream, std::span<std::byte> shared, std::size_t wanted)
    {
        constexpr std::size_t room_min = 4'096;

        if (kept_.empty() && wanted <= shared.size()) { // nearly always
            const IoResult io = stream.read(shared);
            return {shared.first(io.size), io};
        }
        if (wanted > shared.size() || kept_.size() + room_min > shared.size()) {
            return read_in_place(stream, std::max(wanted, kept_.size() + room_min));
        }
        std::ranges::copy(kept_, shared.begin());
        const IoResult io = stream.read(shared.subspan(kept_.size()));
        return {shared.first(kept_.size() + io.size), io};
    }

    /// Remembers what of `bytes` was not used: a part of the last chunk's end, or of kept().
    void keep(Bytes unused)
    {
        if (unused.empty()) {
            Buffer{}.swap(kept_);
            return;
        }
        const bool is_inside = unused.data() >= kept_.data()
                               && unused.data() < kept_.data() + kept_.size();
        if (is_inside) {
            kept_.erase(kept_.begin(), kept_.begin() + (unused.data() - kept_.data()));
            return;
        }
        kept_.assign(unused.begin(), unused.end());
    }

    /// Used already, and to be used once more, before what is kept.
    void put_back(Bytes used) { kept_.insert(kept_.begin(), used.begin(), used.end()); }

private:
    // One large message: it grows where it is, a step at a time, as its bytes really come.
    [[nodiscard]] Chunk read_in_place(Stream& stream, std::size_t wanted)
    {
        constexpr std::size_t step = 262'144;

        const std::size_t had = kept_.size();
        kept_.resize(std::min(wanted, had + step));
        const IoResult io = stream.read(std::span{kept_}.subspan(had));
        kept_.resize(had + io.size);
        return {kept_, io};
    }

    Buffer kept_;
};

} // namespace pgweir::net
