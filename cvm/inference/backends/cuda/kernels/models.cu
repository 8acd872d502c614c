// Trees and support vectors of ai.onnx.ml: cvm/inference/operators/tree_ensemble.py, support_vectors.py, pair_coupling.py.
#include "ordering.cuh"

struct Walk {
    int* leaves;  // (rows, trees)
    const float* x;
    const int* roots;
    const int* features;
    const float* values;
    const unsigned char* ways;
    const int* true_children;
    const int* false_children;
    word size, trees, width;
};

// A leaf is its own child. A branch compares in float32; bits 1, 2, 4, 8 of its ways: below, equal, above, NaN goes true.
extern "C" __global__ void find_leaves(const Walk* work) {
    int i = global_thread();
    if (i >= work->size) return;
    const float* row = work->x + (long long)(i / (int)work->trees) * work->width;
    int place = work->roots[i % (int)work->trees];
    for (int next = place;; place = next) {
        float feature = row[work->features[place]], value = work->values[place];
        int relation = is_nan(feature) ? 8 : feature < value ? 1 : feature > value ? 4 : 2;
        next = (work->ways[place] & relation) ? work->true_children[place] : work->false_children[place];
        if (next == place) break;
    }
    work->leaves[i] = place;
}

struct Leaves {
    float* y;  // (rows, columns)
    const int* leaves;
    const int* starts;
    const int* columns;
    const float* weights;
    const float* base;
    unsigned char* seen;  // (rows, columns) of room
    word rows, trees, width, is_min;
};

// Calls visit(column, weight) for what a row collects: by tree, then in the file's order.
template <class Visit> EXACT void for_weights(const Leaves& work, int row, Visit visit) {
    for (int tree = 0; tree < (int)work.trees; tree++) {
        int leaf = work.leaves[row * (int)work.trees + tree];
        for (int at = work.starts[leaf]; at < work.starts[leaf + 1]; at++) visit(work.columns[at], work.weights[at]);
    }
}

extern "C" __global__ void leaf_sums(const Leaves* work) {
    int row = global_thread();
    if (row >= work->rows) return;
    float* y = work->y + (long long)row * work->width;
    for (int column = 0; column < (int)work->width; column++) y[column] = work->base[column];
    for_weights(*work, row, [=](int column, float weight) { y[column] = f32_add(y[column], weight); });
}

// The least or greatest weight of each column, +0 where a row collects none.
extern "C" __global__ void leaf_extremes(const Leaves* work) {
    int row = global_thread();
    if (row >= work->rows) return;
    float* y = work->y + (long long)row * work->width;
    unsigned char* seen = work->seen + (long long)row * work->width;
    for (int column = 0; column < (int)work->width; column++) y[column] = 0.0f, seen[column] = 0;
    bool is_min = work->is_min;
    for_weights(*work, row, [=](int column, float weight) {
        float chosen = is_min ? smaller(y[column], weight) : larger(y[column], weight);
        y[column] = seen[column] ? chosen : weight;
        seen[column] = 1;
    });
}

// d . d of d = x - v, fused from +0, features ascending: (rows, vectors).
struct Distances {
    float* y;
    const float* x;
    const float* vectors;
    word size, count, width;
};
extern "C" __global__ void squared_distances(const Distances* work) {
    int i = global_thread(), count = (int)work->count, width = (int)work->width;
    if (i >= work->size) return;
    const float* x = work->x + (long long)(i / count) * width;
    const float* v = work->vectors + (long long)(i % count) * width;
    float sum = 0.0f;
    for (int k = 0; k < width; k++) {
        float difference = f32_sub(x[k], v[k]);
        sum = f32_fma(difference, difference, sum);
    }
    work->y[i] = sum;
}

// For each pair of classes i < j: the vectors of class i with row j - 1 of the coefficients, then those of j with row i; then + rho.
struct Pairs {
    float* y;  // (rows, pairs)
    const float* kernels;  // (rows, vectors)
    const float* coefficients;  // (classes - 1, vectors)
    const float* rho;
    const int* starts;
    const int* classes;  // (pairs, 2)
    word size, pairs, vectors;
};
extern "C" __global__ void pair_scores(const Pairs* work) {
    int t = global_thread(), pairs = (int)work->pairs, vectors = (int)work->vectors;
    if (t >= work->size) return;
    const float* kernels = work->kernels + (long long)(t / pairs) * vectors;
    int pair = t % pairs, i = work->classes[2 * pair], j = work->classes[2 * pair + 1];
    const float* of_i = work->coefficients + (long long)(j - 1) * vectors;
    const float* of_j = work->coefficients + (long long)i * vectors;
    float sum = 0.0f;
    for (int k = work->starts[i]; k < work->starts[i + 1]; k++) sum = f32_fma(kernels[k], of_i[k], sum);
    for (int k = work->starts[j]; k < work->starts[j + 1]; k++) sum = f32_fma(kernels[k], of_j[k], sum);
    work->y[t] = f32_add(sum, work->rho[pair]);
}

struct Votes {
    int* y;  // (rows, classes)
    const float* scores;
    word rows, classes;
};
extern "C" __global__ void count_votes(const Votes* work) {
    int row = global_thread(), classes = (int)work->classes;
    if (row >= work->rows) return;
    int* y = work->y + (long long)row * classes;
    const float* scores = work->scores + (long long)row * (classes * (classes - 1) / 2);
    for (int i = 0; i < classes; i++) y[i] = 0;
    for (int i = 0; i < classes; i++)
        for (int j = i + 1; j < classes; j++) y[*scores++ > 0.0f ? i : j] += 1;
}

struct Coupling {
    float* y;            // (rows, classes)
    const float* chances;  // (rows, pairs)
    float* matrices;     // (rows, classes, classes)
    float* sums;         // (rows, classes)
    word rows, classes;
};

// Q of one row, out of the chances of its pairs.
EXACT float chance_of(const float* chances, int classes, int i, int j) {
    int first = i < j ? i : j, second = i < j ? j : i;
    float chance = chances[first * (2 * classes - first - 1) / 2 + second - first - 1];
    return i < j ? chance : f32_sub(1.0f, chance);
}
EXACT void fill_matrix(const float* chances, int classes, float* matrix) {
    for (int i = 0; i < classes; i++) {
        float sum = 0.0f;
        for (int j = 0; j < classes; j++) {
            if (j == i) continue;
            float against = chance_of(chances, classes, j, i);
            sum = f32_add(sum, f32_mul(against, against));
            float product = f32_mul(against, chance_of(chances, classes, i, j));
            matrix[i * classes + j] = f32_of_bits(bits_of_f32(product) ^ 0x80000000u);
        }
        matrix[i * classes + i] = sum;
    }
}

extern "C" __global__ void couple(const Coupling* work) {
    int row = global_thread(), classes = (int)work->classes;
    if (row >= work->rows) return;
    float* p = work->y + (long long)row * classes;
    float* q = work->sums + (long long)row * classes;
    float* matrix = work->matrices + (long long)row * classes * classes;
    fill_matrix(work->chances + (long long)row * (classes * (classes - 1) / 2), classes, matrix);
    float count = f32_of_i32(classes), tolerance = f32_div(0.005f, count);
    for (int i = 0; i < classes; i++) p[i] = f32_div(1.0f, count);
    for (int round = 0; round < 100; round++) {
        float c = 0.0f;
        for (int i = 0; i < classes; i++) {
            q[i] = 0.0f;
            for (int j = 0; j < classes; j++) q[i] = f32_add(q[i], f32_mul(matrix[i * classes + j], p[j]));
        }
        for (int i = 0; i < classes; i++) c = f32_add(c, f32_mul(p[i], q[i]));
        bool ends = true;
        for (int i = 0; i < classes; i++) {
            float distance = f32_sub(q[i], c);
            ends = ends && f32_of_bits(bits_of_f32(distance) & 0x7fffffffu) < tolerance;
        }
        if (ends) break;
        for (int i = 0; i < classes; i++) {
            float own = matrix[i * classes + i], d = f32_div(f32_sub(c, q[i]), own), whole = f32_add(1.0f, d);
            p[i] = f32_add(p[i], d);
            float bent = f32_add(f32_mul(d, own), f32_mul(2.0f, q[i]));
            c = f32_div(f32_div(f32_add(c, f32_mul(d, bent)), whole), whole);
            for (int j = 0; j < classes; j++) {
                q[j] = f32_div(f32_add(q[j], f32_mul(d, matrix[i * classes + j])), whole);
                p[j] = f32_div(p[j], whole);
            }
        }
    }
}
