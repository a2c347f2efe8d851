// What has been read and not yet used. Bytes are read into a buffer that all connections of a
// worker share; only what is left over between two reads belongs to the connection.
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/net/stream.hpp>

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
        if (!kept_.empty() || wanted > shared.size()) return read_more(stream, shared, wanted);
        const IoResult io = stream.read(shared); // nearly always
        return {shared.first(io.size), io};
    }

    /// Remembers what of `bytes` was not used: a part of the last chunk's end, or of kept().
    void keep(Bytes unused)
    {
        if (!unused.empty() || !kept_.empty()) replace_kept(unused);
    }

    /// Used already, and to be used once more, before what is kept.
    void put_back(Bytes used) { kept_.insert(kept_.begin(), used.begin(), used.end()); }

private:
    // An idle connection keeps no more memory than this; a small request that waits finds it there.
    static constexpr std::size_t spare_max = 128;

    void replace_kept(Bytes bytes);
    [[nodiscard]] Chunk read_more(Stream& stream, std::span<std::byte> shared, std::size_t wanted);
    [[nodiscard]] Chunk read_in_place(Stream& stream, std::size_t wanted);

    Buffer kept_;
};

} // namespace pgweir::net
