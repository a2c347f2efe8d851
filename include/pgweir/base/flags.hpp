// A set of the values of an enum, each of which is one bit.
#pragma once

#include <type_traits>

namespace pgweir {

template <class Enum>
class Flags {
public:
    using Bits = std::underlying_type_t<Enum>;

    constexpr Flags() = default;
    constexpr Flags(Enum one) : bits_{static_cast<Bits>(one)} {}

    [[nodiscard]] constexpr bool has(Enum one) const
    {
        return (bits_ & static_cast<Bits>(one)) != 0;
    }
    [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
    [[nodiscard]] constexpr Flags without(Flags other) const
    {
        return from(static_cast<Bits>(bits_ & ~other.bits_));
    }

    constexpr Flags& operator|=(Flags other)
    {
        bits_ = static_cast<Bits>(bits_ | other.bits_);
        return *this;
    }

    friend constexpr Flags operator|(Flags a, Flags b) { return a |= b; }
    friend constexpr Flags operator&(Flags a, Flags b)
    {
        return from(static_cast<Bits>(a.bits_ & b.bits_));
    }
    friend constexpr bool operator==(Flags a, Flags b) = default;

private:
    static constexpr Flags from(Bits bits)
    {
        Flags flags;
        flags.bits_ = bits;
        return flags;
    }

    Bits bits_ = 0;
};

} // namespace pgweir
