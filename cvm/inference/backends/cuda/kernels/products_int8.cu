// MatMulInteger and QLinearMatMul: operands are packed into words of four k, then multiplied by dp4a.
#include "integer_sums.cuh"
#include "matrices.cuh"

// Packs x (outer, length, inner) into words (outer, words, inner).
struct Pack {
    int* y;
    const unsigned char* x;
    word size, length, words, inner, flip;  // flip: SIGN_BITS for uint8, else 0
};

extern "C" __global__ void pack_words(const Pack* work) {
    int i = global_thread(), inner = (int)work->inner, words = (int)work->words, length = (int)work->length;
    if (i >= work->size) return;
    int n = i % inner, first = i / inner % words * 4, outer = i / inner / words;
    const unsigned char* x = work->x + (long long)outer * length * inner + n;
    unsigned packed = 0;
    for (int j = 0; j < 4 && first + j < length; j++)
        packed |= (unsigned)(unsigned char)(x[(long long)(first + j) * inner] ^ work->flip) << 8 * j;
    work->y[i] = (int)packed;
}

// Adds up the bytes of words (outer, words, inner) along the middle axis.
struct WordSums {
    int* y;
    const int* x;
    word size, words, inner;
};

extern "C" __global__ void word_sums(const WordSums* work) {
    int i = global_thread(), inner = (int)work->inner, sum = 0;
    if (i >= work->size) return;
    const int* x = work->x + (long long)(i / inner) * work->words * inner + i % inner;
    for (int k = 0; k < (int)work->words; k++) sum = dot4(x[(long long)k * inner], ONES, sum);
    work->y[i] = sum;
}

struct IntegerProduct {
    const int* a;  // (matrices, rows, words)
    const int* b;  // (matrices, words, columns)
    word rows, columns, words;
    Stack stack;
    Correction correction;
    Result result;
};

template <int ROWS, int COLUMNS> EXACT void multiply(const IntegerProduct& work, Tile<int, ROWS, COLUMNS>& tile) {
    int rows = (int)work.rows, columns = (int)work.columns, words = (int)work.words;
    BlockPlace place = block_place<ROWS, COLUMNS>(rows, columns);
    Pair pair = operands_of(work.stack, place.matrix);
    int loaded = place.column + loaded_column<COLUMNS>();
    bool has_column = loaded < columns;
    const int* a = work.a + (long long)pair.a * rows * words;
    const int* b = work.b + (long long)pair.b * words * columns + (has_column ? loaded : 0);
    DotTile<IntegerTerm, ROWS, COLUMNS> dots = {tile};
    dots.run([=](int row, int k) { return place.row + row < rows && k < words ? a[(place.row + row) * words + k] : 0; },
             [=](int k) { return has_column && k < words ? b[k * columns] : 0; }, words);
    dots.finish(place, rows, columns, [&](int row, int column, int sum) {
        int exact = corrected(work.correction, sum, row, pair.a * rows + row, column, pair.b * columns + column);
        store(work.result, ((long long)place.matrix * rows + row) * columns + column, exact, column);
    });
}

extern "C" __global__ void __launch_bounds__(THREADS, 2) product_int8_wide(const IntegerProduct* work) {
    __shared__ Tile<int, 8, 8> tile;
    multiply(*work, tile);
}
extern "C" __global__ void __launch_bounds__(THREADS) product_int8_small(const IntegerProduct* work) {
    __shared__ Tile<int, 2, 2> tile;
    multiply(*work, tile);
}
