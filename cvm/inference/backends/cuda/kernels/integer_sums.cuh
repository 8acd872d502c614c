// How 8-bit dot products become int32 sums of (a - a_zero) * (b - b_zero), and those outputs. All sums are modulo 2^32, where
// no order matters; the file's checks prove that the final ones fit an int32. A uint8 is carried as value - 128, its zero point too.
#pragma once
#include "dot_tile.cuh"
#include "quantisation.cuh"

#define ONES 0x01010101
#define SIGN_BITS 0x80

struct IntegerTerm {
    typedef int Operand;  // four consecutive k, the lowest in the low byte; 0 past the last
    typedef int Sum;
    EXACT_MEMBER static void add(int& sum, int a, int b) { sum = dot4(a, b, sum); }
};

// Zero points of the rows and columns, null where all are 0, and the plain sums of the operands that they multiply.
struct Correction {
    const int* row_zeros;
    const int* column_sums;
    const int* column_zeros;
    const int* row_sums;
    const int* bias;  // by row zero, or null
    word column_zero_step, depth;
};

// sum a b - row_zero sum b - column_zero sum a + depth row_zero column_zero + bias.
EXACT int corrected(const Correction& by, int sum, int row, int row_of_all, int column, int column_of_all) {
    unsigned row_zero = by.row_zeros ? (unsigned)by.row_zeros[row] : 0u;
    unsigned column_zero = by.column_zeros ? (unsigned)by.column_zeros[column * (int)by.column_zero_step] : 0u;
    unsigned result = (unsigned)sum + (unsigned)by.depth * row_zero * column_zero;
    if (by.row_zeros) result -= row_zero * (unsigned)by.column_sums[column_of_all];
    if (by.column_zeros) result -= column_zero * (unsigned)by.row_sums[row_of_all];
    if (by.bias) result += (unsigned)by.bias[row];
    return (int)result;
}

// int32 as it is, or 8 bits by a multiplier per row or per column.
struct Result {
    void* y;
    const float* multipliers;  // null: int32
    Saturation to;
};

EXACT void store(const Result& result, long long at, int sum, int channel) {
    if (result.multipliers)
        ((unsigned char*)result.y)[at] = (unsigned char)requantise(sum, result.multipliers[channel], result.to);
    else
        ((int*)result.y)[at] = sum;
}
