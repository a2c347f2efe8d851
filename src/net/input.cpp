#include <pgweir/net/input.hpp>

#include <algorithm>

namespace pgweir::net {

void Input::replace_kept(Bytes bytes)
{
    if (bytes.empty()) {
        if (kept_.capacity() <= spare_max) return kept_.clear();
        return Buffer{}.swap(kept_);
    }
    const bool is_inside = bytes.data() >= kept_.data()
                           && bytes.data() < kept_.data() + kept_.size();
    if (is_inside) {
        kept_.erase(kept_.begin(), kept_.begin() + (bytes.data() - kept_.data()));
    } else {
        kept_.assign(bytes.begin(), bytes.end());
    }
}

Input::Chunk Input::read_more(Stream& stream, std::span<std::byte> shared, std::size_t wanted)
{
    constexpr std::size_t room_min = 4'096;

    if (wanted > shared.size() || kept_.size() + room_min > shared.size()) {
        return read_in_place(stream, std::max(wanted, kept_.size() + room_min));
    }
    std::ranges::copy(kept_, shared.begin());
    const IoResult io = stream.read(shared.subspan(kept_.size()));
    return {shared.first(kept_.size() + io.size), io};
}

// One large message: it grows where it is, a step at a time, as its bytes really come.
Input::Chunk Input::read_in_place(Stream& stream, std::size_t wanted)
{
    constexpr std::size_t step = 262'144;

    const std::size_t had = kept_.size();
    kept_.resize(std::min(wanted, had + step));
    const IoResult io = stream.read(std::span{kept_}.subspan(had));
    kept_.resize(had + io.size);
    return {kept_, io};
}

} // namespace pgweir::net
