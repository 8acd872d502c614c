// LSTM, GRU and RNN: cvm/inference/operators/recurrent.py. One block makes one pass of one item, step after step; thread t makes the
// hidden units t, t + 256 ... The products of the inputs are made before, for all steps.
#include "transcendental.cuh"

enum Kind { AFFINE, ELU, HARD_SIGMOID, LEAKY_RELU, RELU, SCALED_TANH, SIGMOID, SOFTPLUS, SOFTSIGN, TANH, THRESHOLDED_RELU };

struct Activation {
    word kind, alpha_bits, beta_bits;
};

struct Pass {
    word is_backward;
    Activation activations[3];
};

struct Recurrent {
    float* y;                // null: not wanted
    float* h;                // the first state of each pass and item, and at the end the last
    float* c;                // LSTM: the same of the cells
    float* spare;            // (blocks, 2, hidden)
    const float* of_input;   // (directions, sequence, batch, gates * hidden)
    const float* r;          // (directions, hidden, gates * hidden)
    const float* bias;       // (directions, 2, gates * hidden), or null
    const float* peepholes;  // (directions, 3, hidden), or null
    const int* lengths;      // steps by item
    word sequence, batch, hidden, gates, y_step, y_direction, y_item, state_direction, state_item;
    word has_bound, bound_bits, option;  // option: input_forget of LSTM, linear_before_reset of GRU
    Pass passes[2];
};

EXACT float activated(const Activation& by, float x) {
    float alpha = f32_of_bits((unsigned)by.alpha_bits), beta = f32_of_bits((unsigned)by.beta_bits);
    switch (by.kind) {
        case AFFINE: return f32_add(f32_mul(alpha, x), beta);
        case ELU: return x < 0.0f ? f32_mul(alpha, f32_sub(exp32(x), 1.0f)) : x;
        case HARD_SIGMOID: return smaller(larger(f32_add(f32_mul(alpha, x), beta), 0.0f), 1.0f);
        case LEAKY_RELU: return x < 0.0f ? f32_mul(alpha, x) : x;
        case RELU: return larger(x, 0.0f);
        case SCALED_TANH: return f32_mul(alpha, tanh32(f32_mul(beta, x)));
        case SIGMOID: return sigmoid32(x);
        case SOFTPLUS: return softplus32(x);
        case SOFTSIGN: return f32_div(x, f32_add(1.0f, f32_abs(x)));
        case TANH: return tanh32(x);
        default: return x >= alpha ? x : 0.0f;
    }
}

// One pass of one item: where its parts lie.
struct Item {
    const Recurrent& work;
    const Pass& pass;
    float* h;
    float* c;
    float* y;
    float* next;   // the new hidden state until every thread has read the old one
    float* reset;  // GRU: r * h
    const float* of_input;
    const float* r;
    const float* bias;
    const float* peepholes;
    int hidden, columns, steps;

    EXACT_MEMBER int place(int step) const { return pass.is_backward ? steps - 1 - step : step; }
    EXACT_MEMBER float input(int step, int column) const {
        return of_input[(long long)place(step) * work.batch * columns + column];
    }
    EXACT_MEMBER float dot(const float* state, int column) const {
        float sum = 0.0f;
        for (int k = 0; k < hidden; k++) sum = f32_fma(state[k], r[(long long)k * columns + column], sum);
        return sum;
    }
    EXACT_MEMBER float with_biases(float value, int column) const {
        return bias ? f32_add(f32_add(value, bias[column]), bias[columns + column]) : value;
    }
    EXACT_MEMBER float applied(int index, float value) const {
        float bound = f32_of_bits((unsigned)work.bound_bits);
        if (work.has_bound) value = smaller(larger(value, f32_of_bits(bits_of_f32(bound) ^ 0x80000000u)), bound);
        return activated(pass.activations[index], value);
    }
    EXACT_MEMBER void finish(int step) const {
        __syncthreads();
        for (int unit = (int)threadIdx.x; unit < hidden; unit += THREADS) {
            h[unit] = next[unit];
            if (y) y[place(step) * work.y_step + unit] = next[unit];
        }
        __syncthreads();
    }
};

EXACT Item item_of(const Recurrent& work) {
    int block = (int)blockIdx.x, batch = (int)work.batch, direction = block / batch, row = block % batch, hidden = (int)work.hidden;
    long long columns = work.gates * work.hidden, state = direction * work.state_direction + row * work.state_item;
    float* spare = work.spare + (long long)block * 2 * hidden;
    return {work, work.passes[direction], work.h + state, work.c ? work.c + state : work.c,
            work.y ? work.y + direction * work.y_direction + row * work.y_item : work.y, spare, spare + hidden,
            work.of_input + ((long long)direction * work.sequence * batch + row) * columns, work.r + direction * hidden * columns,
            work.bias ? work.bias + direction * 2 * columns : work.bias,
            work.peepholes ? work.peepholes + (long long)direction * 3 * hidden : work.peepholes, hidden, (int)columns,
            work.lengths[row]};
}

extern "C" __global__ void rnn(const Recurrent* work) {
    Item item = item_of(*work);
    for (int step = 0; step < item.steps; step++) {
        for (int unit = (int)threadIdx.x; unit < item.hidden; unit += THREADS) {
            float total = f32_add(item.input(step, unit), item.dot(item.h, unit));
            item.next[unit] = item.applied(0, item.with_biases(total, unit));
        }
        item.finish(step);
    }
}

// Gate `index` of a unit; `peephole` is -1 where none looks at the cell.
EXACT float lstm_gate(const Item& item, int step, int unit, int index, int peephole, float seen) {
    int column = index * item.hidden + unit;
    float total = f32_add(item.input(step, column), item.dot(item.h, column));
    if (item.peepholes && peephole >= 0) total = f32_add(total, f32_mul(item.peepholes[peephole * item.hidden + unit], seen));
    return item.applied(peephole < 0 ? 1 : 0, item.with_biases(total, column));
}

extern "C" __global__ void lstm(const Recurrent* work) {
    Item item = item_of(*work);
    for (int step = 0; step < item.steps; step++) {
        for (int unit = (int)threadIdx.x; unit < item.hidden; unit += THREADS) {
            float cell = item.c[unit], taken = lstm_gate(item, step, unit, 0, 0, cell);
            float kept = work->option ? f32_sub(1.0f, taken) : lstm_gate(item, step, unit, 2, 2, cell);
            cell = f32_add(f32_mul(kept, cell), f32_mul(taken, lstm_gate(item, step, unit, 3, -1, cell)));
            float shown = lstm_gate(item, step, unit, 1, 1, cell);
            item.c[unit] = cell;
            item.next[unit] = f32_mul(shown, activated(item.pass.activations[2], cell));
        }
        item.finish(step);
    }
}

EXACT float gru_gate(const Item& item, int step, int unit, int index) {
    int column = index * item.hidden + unit;
    return item.applied(0, item.with_biases(f32_add(item.input(step, column), item.dot(item.h, column)), column));
}

EXACT float gru_candidate(const Item& item, int step, int unit, float reset) {
    int column = 2 * item.hidden + unit;
    float input = item.input(step, column);
    if (!item.work.option) return item.applied(1, item.with_biases(f32_add(input, item.dot(item.reset, column)), column));
    float linear = item.dot(item.h, column);
    if (item.bias) linear = f32_add(linear, item.bias[item.columns + column]);
    float total = f32_add(input, f32_mul(reset, linear));
    return item.applied(1, item.bias ? f32_add(total, item.bias[column]) : total);
}

extern "C" __global__ void gru(const Recurrent* work) {
    Item item = item_of(*work);
    for (int step = 0; step < item.steps; step++) {
        for (int unit = (int)threadIdx.x; unit < item.hidden; unit += THREADS) {
            float reset = gru_gate(item, step, unit, 1);
            item.reset[unit] = work->option ? reset : f32_mul(reset, item.h[unit]);
        }
        __syncthreads();
        for (int unit = (int)threadIdx.x; unit < item.hidden; unit += THREADS) {
            float update = gru_gate(item, step, unit, 0), candidate = gru_candidate(item, step, unit, item.reset[unit]);
            item.next[unit] = f32_add(f32_mul(f32_sub(1.0f, update), candidate), f32_mul(update, item.h[unit]));
        }
        item.finish(step);
    }
}
