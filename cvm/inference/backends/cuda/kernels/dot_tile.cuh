// A block of dot products whose operands pass through shared memory: 256 threads, each with ROWS x COLUMNS sums of its own.
// A sum sees its terms in ascending k, one after the other; nothing else fixes a result, so the size of the tile is free.
#pragma once
#include "ieee.cuh"

#define DEPTH 16  // terms that are in shared memory at a time; there are two buffers
#define SIDE 16   // threads along either side of the block
#define GAP 4     // unused entries that keep rows 16-byte aligned and off each other's banks

template <class T, int ROWS, int COLUMNS> struct Tile {
    T left[2][DEPTH][SIDE * ROWS + GAP], right[2][DEPTH][SIDE * COLUMNS + GAP];
};

template <class T, int COUNT> struct alignas(sizeof(T) * COUNT) Together {
    T values[COUNT];
};

// The most consecutive operands that one load brings.
template <int COUNT> struct RunOf {
    static constexpr int LENGTH = COUNT < 4 ? COUNT : 4;
};

// Where in the tile the i-th row (or column) of a thread lies: runs of up to four, so that they load at once.
template <int COUNT> EXACT int place_of(int thread, int i) {
    constexpr int RUN = RunOf<COUNT>::LENGTH;
    return i / RUN * SIDE * RUN + thread * RUN + i % RUN;
}

template <int COUNT, class T> EXACT void read_part(T (&part)[COUNT], const T* row, int thread) {
    constexpr int RUN = RunOf<COUNT>::LENGTH;
    UNROLL
    for (int i = 0; i < COUNT; i += RUN) {
        Together<T, RUN> run = *(const Together<T, RUN>*)(row + place_of<COUNT>(thread, i));
        UNROLL
        for (int j = 0; j < RUN; j++) part[i + j] = run.values[j];
    }
}

// Which block of which matrix a block of threads makes; row and column are those of its first sum.
struct BlockPlace {
    int row, column, matrix;
};

template <int ROWS, int COLUMNS> EXACT BlockPlace block_place(int rows, int columns) {
    int down = (rows + SIDE * ROWS - 1) / (SIDE * ROWS), across = (columns + SIDE * COLUMNS - 1) / (SIDE * COLUMNS);
    int block = (int)blockIdx.x;
    return {block / across % down * SIDE * ROWS, block % across * SIDE * COLUMNS, block / across / down};
}

// The one column of the tile that a thread brings in.
template <int COLUMNS> EXACT int loaded_column() { return (int)threadIdx.x % (SIDE * COLUMNS); }

// Term says what an operand and a sum are and how a term joins a sum. left(row, k) and right(k) give the operands of the tile's
// row and of this thread's loaded column; outside the matrix they give a pair that leaves every sum as it is.
template <class Term, int ROWS, int COLUMNS> struct DotTile {
    typedef typename Term::Operand Operand;
    typedef typename Term::Sum Sum;
    Tile<Operand, ROWS, COLUMNS>& tile;
    Sum sums[ROWS][COLUMNS];

    static constexpr int LEFT_STEP = THREADS / DEPTH, RIGHT_STEP = THREADS / (SIDE * COLUMNS);

    template <class Left> EXACT_MEMBER void fetch_left(Operand* next, const Left& left, int k) {
        UNROLL
        for (int i = 0; i < ROWS; i++) next[i] = left((int)threadIdx.x / DEPTH + LEFT_STEP * i, k + (int)threadIdx.x % DEPTH);
    }
    EXACT_MEMBER void store_left(const Operand* next, int buffer) {
        UNROLL
        for (int i = 0; i < ROWS; i++) tile.left[buffer][threadIdx.x % DEPTH][threadIdx.x / DEPTH + LEFT_STEP * i] = next[i];
    }
    template <class Right> EXACT_MEMBER void fetch_right(Operand* next, const Right& right, int k) {
        UNROLL
        for (int i = 0; i < COLUMNS; i++) next[i] = right(k + (int)threadIdx.x / (SIDE * COLUMNS) + RIGHT_STEP * i);
    }
    EXACT_MEMBER void store_right(const Operand* next, int buffer) {
        UNROLL
        for (int i = 0; i < COLUMNS; i++)
            tile.right[buffer][threadIdx.x / (SIDE * COLUMNS) + RIGHT_STEP * i][loaded_column<COLUMNS>()] = next[i];
    }

    EXACT_MEMBER void add_terms(int buffer, int first) {
        UNROLL
        for (int k = first; k < first + DEPTH / 2; k++) {
            Operand a[ROWS], b[COLUMNS];
            read_part<ROWS>(a, tile.left[buffer][k], (int)threadIdx.x / SIDE);
            read_part<COLUMNS>(b, tile.right[buffer][k], (int)threadIdx.x % SIDE);
            UNROLL
            for (int i = 0; i < ROWS * COLUMNS; i++) Term::add(sums[i / COLUMNS][i % COLUMNS], a[i / COLUMNS], b[i % COLUMNS]);
        }
    }

    // The next left operands travel while the first half of the terms is added, the next right ones during the second.
    template <class Left, class Right> EXACT_MEMBER void run(const Left& left, const Right& right, int depth) {
        Operand next[ROWS > COLUMNS ? ROWS : COLUMNS];
        UNROLL
        for (int i = 0; i < ROWS * COLUMNS; i++) sums[i / COLUMNS][i % COLUMNS] = 0;
        fetch_left(next, left, 0), store_left(next, 0);
        fetch_right(next, right, 0), store_right(next, 0);
        __syncthreads();
        for (int k = 0, buffer = 0; k < depth; k += DEPTH, buffer ^= 1) {
            bool more = k + DEPTH < depth;
            if (more) fetch_left(next, left, k + DEPTH);
            add_terms(buffer, 0);
            if (more) store_left(next, buffer ^ 1), fetch_right(next, right, k + DEPTH);
            add_terms(buffer, DEPTH / 2);
            if (more) store_right(next, buffer ^ 1);
            __syncthreads();
        }
    }

    // Calls store(row, column, sum) for every sum that lies in the matrix.
    template <class Store> EXACT_MEMBER void finish(BlockPlace place, int rows, int columns, const Store& store) {
        UNROLL
        for (int j = 0; j < COLUMNS; j++) {
            int column = place.column + place_of<COLUMNS>((int)threadIdx.x % SIDE, j);
            UNROLL
            for (int i = 0; i < ROWS; i++) {
                int row = place.row + place_of<ROWS>((int)threadIdx.x / SIDE, i);
                if (row < rows && column < columns) store(row, column, sums[i][j]);
            }
        }
    }
};
