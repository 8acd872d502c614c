// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Numbers of a neural network, in integers
/// @notice Turns the IEEE-754 bits of a float32 into fixed point and back, and compares them.
/// @dev A fixed point number is `value / scale`, e.g. a scale of 1e18. Every conversion is exact where
/// the result can be, else rounded once to the nearest, ties to even: the same on every machine.
library Float32 {
    /// @notice The bits of +inf; those above it, without the sign, are NaN.
    uint32 internal constant INFINITY = 0x7f800000;
    /// @notice The only NaN that a model puts out.
    uint32 internal constant NAN = 0x7fc00000;
    /// @notice The largest scale.
    uint256 internal constant MAX_SCALE = 1 << 127;

    /// @notice An infinity or a NaN is no fixed point number.
    error NotFinite(uint32 bits);
    /// @notice The scale is 0 or above `MAX_SCALE`.
    error BadScale(uint256 scale);
    /// @notice The number rounds to more than the largest float32.
    error TooLarge(int256 value, uint256 scale);

    /// @notice The bits of a NaN.
    function isNaN(uint32 bits) internal pure returns (bool) {
        return bits & 0x7fffffff > INFINITY;
    }

    /// @notice The bits of a number: no infinity, no NaN.
    function isFinite(uint32 bits) internal pure returns (bool) {
        return bits & 0x7fffffff < INFINITY;
    }

    /// @notice An integer in the order of the numbers: -0 equals +0, every NaN is equal and above +inf.
    /// @dev The order of the engine's ArgMax and TopK. IEEE's own order has no place for a NaN.
    function order(uint32 bits) internal pure returns (int256) {
        if (isNaN(bits)) return 1 << 31;
        int256 magnitude = int256(uint256(bits & 0x7fffffff));
        return bits >> 31 == 0 ? magnitude : -magnitude;
    }

    /// @notice The number times `scale`, rounded to the nearest integer, ties to even.
    /// @dev Exact where the product is an integer: for every number of 2**23 and above at any scale.
    function toFixed(uint32 bits, uint256 scale) internal pure returns (int256) {
        if (!isFinite(bits)) revert NotFinite(bits);
        if (scale == 0 || scale > MAX_SCALE) revert BadScale(scale);
        uint256 biased = (bits >> 23) & 0xff;
        uint256 significand = bits & 0x7fffff;
        if (biased == 0) biased = 1;
        else significand |= 1 << 23;
        // |number| = significand * 2**(biased - 150), below 2**128; the product is below 2**151 here.
        uint256 product = significand * scale;
        uint256 value = biased >= 150 ? product << (biased - 150) : _half(product, 1 << (150 - biased));
        return bits >> 31 == 0 ? int256(value) : -int256(value);
    }

    /// @notice The number with 18 decimals, rounded to the nearest, ties to even.
    function toWad(uint32 bits) internal pure returns (int256) {
        return toFixed(bits, 1e18);
    }

    /// @notice The bits of the float32 nearest to `value / scale`, ties to even; 0 gives +0.
    function fromFixed(int256 value, uint256 scale) internal pure returns (uint32) {
        if (scale == 0 || scale > MAX_SCALE) revert BadScale(scale);
        if (value == 0) return 0;
        uint256 magnitude = value < 0 ? _negated(value) : uint256(value);
        uint256 bits = _nearest(magnitude, scale);
        if (bits >= INFINITY) revert TooLarge(value, scale);
        return uint32(value < 0 ? bits | (1 << 31) : bits);
    }

    /// @notice The bits of the float32 nearest to an integer, ties to even; exact up to 2**24.
    function fromInt(int256 value) internal pure returns (uint32) {
        return fromFixed(value, 1);
    }

    /// @dev The bits of magnitude / scale, which may be those of +inf and more.
    function _nearest(uint256 magnitude, uint256 scale) private pure returns (uint256) {
        // The quotient in units of 2**exponent is to have 24 bits: at least 2**23, below 2**25.
        int256 exponent = int256(_bitLength(magnitude)) - int256(_bitLength(scale)) - 24;
        if (_floor(magnitude, scale, exponent) >= 1 << 24) ++exponent;
        if (exponent < -149) exponent = -149; // the unit of subnormals
        // A carry out of the significand goes into the exponent, as it must.
        return (uint256(exponent + 149) << 23) + _scaled(magnitude, scale, exponent);
    }

    function _floor(uint256 magnitude, uint256 scale, int256 exponent) private pure returns (uint256) {
        return exponent < 0
            ? (magnitude << uint256(-exponent)) / scale
            : magnitude / (scale << uint256(exponent));
    }

    function _scaled(uint256 magnitude, uint256 scale, int256 exponent) private pure returns (uint256) {
        return exponent < 0
            ? _half(magnitude << uint256(-exponent), scale)
            : _half(magnitude, scale << uint256(exponent));
    }

    /// @dev a / b rounded to the nearest, ties to even.
    function _half(uint256 a, uint256 b) private pure returns (uint256 quotient) {
        quotient = a / b;
        uint256 rest = a % b;
        uint256 other = b - rest;
        if (rest > other || (rest == other && quotient & 1 == 1)) ++quotient;
    }

    function _negated(int256 value) private pure returns (uint256) {
        unchecked {
            return uint256(-value); // right for -2**255 too
        }
    }

    function _bitLength(uint256 value) private pure returns (uint256 length) {
        for (uint256 step = 128; step > 0; step >>= 1) {
            if (value >> step > 0) {
                value >>= step;
                length += step;
            }
        }
        ++length;
    }
}
