// Gemm and MatMul on float32: every output is one accumulator from +0, acc = fma(a, b, acc), k ascending.
#include "dot_tile.cuh"
#include "matrices.cuh"

struct Term {
    typedef float Operand;
    typedef float Sum;
    EXACT_MEMBER static void add(float& sum, float a, float b) { sum = f32_fma(a, b, sum); }
};

struct Product {
    float* y;
    const float* a;
    const float* b;
    const float* c;  // null: nothing is added
    word rows, columns, depth, a_row, a_step, b_step, b_column;
    Stack stack;
    word has_alpha, alpha_bits, has_beta, beta_bits, c_row, c_column;
};

EXACT float finished(const Product& work, int row, int column, float sum) {
    if (work.has_alpha) sum = f32_mul(sum, f32_of_bits((unsigned)work.alpha_bits));
    if (!work.c) return sum;
    float c = work.c[row * (int)work.c_row + column * (int)work.c_column];
    if (work.has_beta) c = f32_mul(c, f32_of_bits((unsigned)work.beta_bits));
    return f32_add(sum, c);
}

// Past the last k the operands are +0 and -0: their product -0 leaves every sum alone, a sum of -0 too.
template <int ROWS, int COLUMNS> EXACT void multiply(const Product& work, Tile<float, ROWS, COLUMNS>& tile) {
    int rows = (int)work.rows, columns = (int)work.columns, depth = (int)work.depth;
    int a_row = (int)work.a_row, a_step = (int)work.a_step, b_step = (int)work.b_step;
    BlockPlace place = block_place<ROWS, COLUMNS>(rows, columns);
    Pair pair = operands_of(work.stack, place.matrix);
    int loaded = place.column + loaded_column<COLUMNS>();
    bool has_column = loaded < columns;
    const float* a = work.a + (long long)pair.a * rows * depth;
    const float* b = work.b + (long long)pair.b * columns * depth + (has_column ? loaded : 0) * (int)work.b_column;
    DotTile<Term, ROWS, COLUMNS> dots = {tile};
    dots.run([=](int row, int k) { return place.row + row < rows && k < depth ? a[(place.row + row) * a_row + k * a_step] : 0.0f; },
             [=](int k) { return has_column && k < depth ? b[k * b_step] : -0.0f; }, depth);
    float* y = work.y + (long long)place.matrix * rows * columns;
    dots.finish(place, rows, columns,
                [&](int row, int column, float sum) { y[row * columns + column] = finished(work, row, column, sum); });
}

extern "C" __global__ void __launch_bounds__(THREADS, 2) product_f32_wide(const Product* work) {
    __shared__ Tile<float, 8, 8> tile;
    multiply(*work, tile);
}
extern "C" __global__ void __launch_bounds__(THREADS) product_f32_small(const Product* work) {
    __shared__ Tile<float, 2, 2> tile;
    multiply(*work, tile);
}
