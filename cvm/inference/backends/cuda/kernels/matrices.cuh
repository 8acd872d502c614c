// Stacks of matrices whose leading axes stretch to a common shape by steps of 0.
#pragma once
#include "ieee.cuh"

#define MAX_BATCH_RANK 4

struct Stack {
    word rank, lengths[MAX_BATCH_RANK], a_steps[MAX_BATCH_RANK], b_steps[MAX_BATCH_RANK];
};

// The matrices of a and of b that make product number `matrix`, counted in matrices.
struct Pair {
    int a, b;
};

EXACT Pair operands_of(const Stack& stack, int matrix) {
    Pair pair = {0, 0};
    for (int axis = (int)stack.rank - 1; axis >= 0; axis--) {
        int length = (int)stack.lengths[axis], at = matrix % length;
        matrix /= length;
        pair.a += at * (int)stack.a_steps[axis];
        pair.b += at * (int)stack.b_steps[axis];
    }
    return pair;
}
